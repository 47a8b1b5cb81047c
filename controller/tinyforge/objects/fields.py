"""What the objects are made of: parts with a fixed set of fields, and kinds of text with a maximum, a rule and a sentence for people.

A rule is written once and holds in both drivers: Python checks it with the sentence as its message, and the CRD carries it as a `pattern`,
for editors, and as a CEL rule with the sentence, for people. So it keeps to what Python's `re` and the API server's RE2 understand alike.
"""

import re
from dataclasses import dataclass
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, GetCoreSchemaHandler, GetJsonSchemaHandler
from pydantic.alias_generators import to_camel
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import CoreSchema, PydanticCustomError, core_schema

_LABEL = r"[a-z0-9]([-a-z0-9]*[a-z0-9])?"


class Part(BaseModel):
    """A part of an object whose fields are all known: any other field is refused. Fields are written in camelCase."""

    model_config = ConfigDict(frozen=True, extra="forbid", alias_generator=to_camel, serialize_by_alias=True)


@dataclass(frozen=True, slots=True)
class Matching:
    """A rule for text: `pattern` has to match the whole of it, and `allowed` says to people what that means."""

    pattern: str
    allowed: str

    def __get_pydantic_core_schema__(self, source: type[Any], handler: GetCoreSchemaHandler) -> CoreSchema:
        return core_schema.no_info_after_validator_function(self._check, handler(source))

    def __get_pydantic_json_schema__(self, schema: CoreSchema, handler: GetJsonSchemaHandler) -> JsonSchemaValue:
        whole = f"^({self.pattern})$"
        rule = {"rule": f'self.matches(r"{whole}")', "message": f"allowed: {self.allowed}"}
        return {"description": f"Allowed: {self.allowed}.", "pattern": whole, "x-kubernetes-validations": [rule], **handler(schema)}

    def _check(self, text: str) -> str:
        if not re.fullmatch(self.pattern, text):
            raise PydanticCustomError("not_allowed", "allowed: {allowed}", {"allowed": self.allowed})
        return text


Label = Annotated[
    str,
    Field(max_length=63),  # RFC 1123
    Matching(_LABEL, "lower-case letters, digits and '-', with a letter or digit at both ends"),
]
LabelOrStar = Annotated[
    str,
    Field(max_length=63),
    Matching(rf"\*|{_LABEL}", "the name of a namespace, or '*' for all"),
]
Subdomain = Annotated[
    str,
    Field(max_length=253),  # what Kubernetes takes as the name of a Secret
    Matching(rf"{_LABEL}(\.{_LABEL})*", "lower-case letters, digits, '-' and '.', with a letter or digit at both ends of every part"),
]
Domain = Annotated[
    str,
    Field(max_length=253),  # RFC 1035
    Matching(rf"(\*\.)?{_LABEL}(\.{_LABEL})*", "a domain in lower case, as app.example.com or *.example.com"),
]
UrlPath = Annotated[
    str,
    Field(max_length=1024),
    Matching(r"/[A-Za-z0-9._~!$&'()*+,;=:@%/-]*", "a path that begins with '/' and holds only what RFC 3986 lets a path hold"),
]
Visible = Annotated[
    str,
    Field(max_length=255),
    Matching(r"[!-~]+", "letters, digits and punctuation of ASCII, without blanks"),
]
