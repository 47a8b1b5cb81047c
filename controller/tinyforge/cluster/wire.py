"""How a request says what it says: paths, and bodies that mean the same to a reader of JSON and to one of YAML.

The API server reads a server-side apply as YAML. JSON is YAML but for its texts (measured on 1.34): raw U+007F to U+009F, U+FFFE and
U+FFFF are refused; raw U+0085, U+2028 and U+2029 are line breaks, so that blanks beside them are lost; and an escaped surrogate pair is
refused, so that what is beyond U+FFFF has to stay as it is.
"""

import json
import re
from typing import Any
from urllib.parse import quote

from tinyforge.cluster.errors import ClusterRefused

_BAD_REQUEST = 400
_ESCAPED = re.compile("[\x7f-\uffff]")


def path_of(*segments: str) -> str:
    """Return the path of segments.

    Raises:
        ClusterRefused: one is not what Kubernetes takes as a name in a path, and would lead elsewhere.
    """
    for segment in segments:
        if segment in ("", ".", "..") or "/" in segment or "%" in segment:
            raise ClusterRefused(_BAD_REQUEST, f"{segment!r} is no name of anything in a cluster")
    return "/" + "/".join(quote(segment, safe="") for segment in segments)


def body_of(value: Any) -> bytes:
    """Return a JSON value as bytes that are JSON and YAML alike."""
    text = json.dumps(value, ensure_ascii=False, allow_nan=False, separators=(",", ":"))
    return _ESCAPED.sub(lambda letter: f"\\u{ord(letter[0]):04x}", text).encode()
