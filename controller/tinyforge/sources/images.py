"""Image references as Docker means them: `nginx`, `nginx:latest` and `docker.io/library/nginx:latest` are one.

The rules are those of github.com/distribution/reference (`ParseNormalizedNamed`, `TagNameOnly`), which Docker itself reads references
with. Reading never fails: what an engine says of a container may be any text.
"""

import re
from dataclasses import dataclass

_HEX_ID = re.compile(r"[0-9a-f]{64}")
_DIGEST = r"sha256:[0-9a-f]{64}"
_HOST = r"[A-Za-z0-9-]+"
_REGISTRY = rf"((localhost|{_HOST}(\.{_HOST})+)(:[0-9]+)?|{_HOST}:[0-9]+)/"
_PATH = r"[a-z0-9]+([._-]+[a-z0-9]+)*"
_TAG = r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,127}"
PATTERN = rf"^({_DIGEST}|({_REGISTRY})?{_PATH}(/{_PATH})*(:{_TAG})?(@{_DIGEST})?)$"
"""A reference: an image's id, or a name with a tag, a digest, or both. Python, ECMA 262 and RE2 understand it alike."""


@dataclass(frozen=True, slots=True)
class Image:
    """An image reference, written out. An id has no name and no tag; what is no reference has nothing but a name."""

    name: str
    tag: str
    digest: str

    def __str__(self) -> str:
        if not self.name:
            return self.digest
        return f"{self.name}{self.tag and f':{self.tag}'}{self.digest and f'@{self.digest}'}"

    def satisfies(self, expected: "Image") -> bool:
        """Whether a container made from this image is one of `expected`.

        Docker takes the digest where there is one, so a tag beside it says nothing. What is expected by tag only may be pinned beside it.
        """
        if expected.digest:
            return self.digest == expected.digest and expected.name in ("", self.name)
        return (self.name, self.tag) == (expected.name, expected.tag)


def is_reference(text: str) -> bool:
    """Whether Docker could read `text` as a reference."""
    return re.fullmatch(PATTERN, text) is not None


def read_image(text: str) -> Image:
    """Read a reference, as Docker would; what is none stays as it is, and satisfies nothing that anybody may expect."""
    if _HEX_ID.fullmatch(text):
        return Image("", "", f"sha256:{text}")
    if re.fullmatch(_DIGEST, text):
        return Image("", "", text)
    if not is_reference(text):
        return Image(text, "", "")
    tagged, _, digest = text.partition("@")
    name, tag = _split_tag(tagged)
    return Image(_full_name(name), tag or ("" if digest else "latest"), digest)


def _split_tag(text: str) -> tuple[str, str]:
    """Split at the colon behind the last slash: an earlier one is that of the registry's port."""
    name, colon, tag = text.rpartition(":")
    return (name, tag) if colon and "/" not in tag else (text, "")


def _full_name(name: str) -> str:
    first, slash, rest = name.partition("/")
    has_registry = slash and (first == "localhost" or "." in first or ":" in first)
    registry, path = (first, rest) if has_registry else ("docker.io", name)
    if registry in ("docker.io", "index.docker.io"):
        return f"docker.io/{path if '/' in path else f'library/{path}'}"
    return f"{registry}/{path}"
