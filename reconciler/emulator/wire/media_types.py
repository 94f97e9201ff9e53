"""Whether an answer's media type is one that the request accepts (RFC 9110, section 12.5.1)."""

from __future__ import annotations

import re

_RANGE = re.compile(r"\s*([^\s/;,]+)/([^\s/;,]+)\s*((?:;[^,]*)?)")
_QUALITY = re.compile(r";\s*q\s*=\s*([01](?:\.[0-9]{0,3})?)\s*(?:;|$)", re.IGNORECASE)


def accepts(header: str, media_type: str) -> bool:
    """Whether an Accept header allows a media type. An empty header allows every type.

    The range that names the type most exactly decides; `q=0` refuses. What is no range is ignored.
    """
    wanted = media_type.lower().split("/")
    qualities: dict[int, float] = {}
    for kind, subtype, parameters in _RANGE.findall(header):
        for exactness, named in enumerate((["*", "*"], [wanted[0], "*"], wanted)):
            if [kind.lower(), subtype.lower()] == named:
                qualities[exactness] = max(qualities.get(exactness, 0.0), _quality(parameters))
    return not header.strip() or (bool(qualities) and qualities[max(qualities)] > 0)


def _quality(parameters: str) -> float:
    found = _QUALITY.search(parameters)
    return float(found[1]) if found else 1.0
