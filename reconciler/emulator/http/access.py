"""Decides which requests are answered, by host name and by origin.

The emulator asks for no credentials, and a browser on the same machine can reach it. A page of
another site must not reach it: neither with a host name that resolves to 127.0.0.1 (DNS rebinding,
detected by `Host`), nor with a form or a script that posts without a preflight (detected by
`Origin`, see https://fetch.spec.whatwg.org/#origin-header, or
https://www.w3.org/TR/fetch-metadata/). Pages of the origins that the user names are answered.
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Iterable
from dataclasses import dataclass
from email.message import Message
from typing import TypeAlias

from reconciler.emulator.wire.errors import ApiError, invalid

# The clients of AWS put this before the host of image set calls, for every endpoint.
_PREFIX = "runtime-"
_AUTHORITY = re.compile(r"(?:\[([0-9A-Fa-f:.]+)\]|([\w.-]+))(?::([0-9]{1,5}))?", re.ASCII)
_ORIGIN = re.compile(r"(https?)://(.+)")
# Scheme, normal name and port.
_Origin: TypeAlias = tuple[str, str, int]
_DEFAULT_PORTS = {"http": 80, "https": 443}
_OWN_SITES = ("same-origin", "none")


@dataclass(frozen=True, slots=True)
class Access:
    """The names that are answered for, and the origins whose pages are answered.

    `names` are host names and addresses besides those of the loopback interface.
    """

    names: frozenset[str] = frozenset()
    origins: frozenset[_Origin] = frozenset()

    def check(self, headers: Message, address: str, port: int) -> str:
        """Raise ApiError for a request that is not answered.

        `address` and `port` are those that it reached. Returns the origin of a page of another site
        that is allowed, and "" for other requests.
        """
        hosts = headers.get_all("Host", [])
        if len(hosts) != 1:
            raise invalid("The request must have one Host header.")
        authority = _authority(hosts[0])
        if authority is None:
            raise invalid("The Host header is not a host name or an address.")
        name, asked_port = authority
        if not self._is_own(name, address):
            raise ApiError(
                "MisdirectedRequestException",
                f"This emulator does not answer for the host name {name}. "
                f"If the name is yours, start the emulator with --host-name {name}",
            )
        ports = {port, 80 if asked_port is None else asked_port}
        origins = headers.get_all("Origin", [])
        if len(origins) == 1 and _origin(origins[0]) in self.origins:
            return origins[0].strip()
        if self._is_foreign(headers, address, ports):
            raise _forbidden(origins)
        return ""

    def _is_own(self, name: str, address: str) -> bool:
        return any(
            _is_loopback(one) or one in self.names or one == normal(address)
            for one in {name, name.removeprefix(_PREFIX)}
        )

    def _is_foreign(self, headers: Message, address: str, ports: set[int]) -> bool:
        origins = headers.get_all("Origin", [])
        if origins:
            return not all(self._is_own_origin(origin, address, ports) for origin in origins)
        # A GET of an image or a link has no Origin.
        sites = headers.get_all("Sec-Fetch-Site", [])
        return any(site.strip().lower() not in _OWN_SITES for site in sites)

    def _is_own_origin(self, origin: str, address: str, ports: set[int]) -> bool:
        found = _origin(origin)
        return found is not None and found[2] in ports and self._is_own(found[1], address)


def access(names: Iterable[str], origins: Iterable[str] = ()) -> Access:
    """Access under more names, and for pages of these origins.

    Raises ValueError with the text that is not a host name, or not an origin.
    """
    for name in names:
        if _authority(f"[{name}]" if ":" in name else name) is None:
            raise ValueError(name)
    return Access(frozenset(map(normal, names)), frozenset(map(_given_origin, origins)))


def _given_origin(text: str) -> _Origin:
    found = _origin(text)
    if found is None:
        raise ValueError(text)
    return found


def _origin(text: str) -> _Origin | None:
    """An origin as browsers write it: `scheme://name` or `scheme://name:port`; None for others."""
    found = _ORIGIN.fullmatch(text.strip().lower())
    authority = _authority(found[2]) if found else None
    if found is None or authority is None:
        return None
    name, port = authority
    return found[1], name, _DEFAULT_PORTS[found[1]] if port is None else port


def _forbidden(origins: list[str]) -> ApiError:
    message = "This emulator does not answer a web page of another site."
    if len(origins) == 1 and _origin(origins[0]):
        origin = origins[0].strip()
        message += f" If the page is yours, start the emulator with --allow-origin {origin}"
    return ApiError("ForbiddenOriginException", message)


def normal(name: str) -> str:
    """The normal spelling of a host name or address."""
    name = name.lower().removesuffix(".")
    try:
        address = ipaddress.ip_address(name)
    except ValueError:
        return name
    mapped = getattr(address, "ipv4_mapped", None)
    return str(mapped or address)


def _authority(text: str) -> tuple[str, int | None] | None:
    """Name and port of `name`, `name:port` or `[address]:port`; None for any other text."""
    found = _AUTHORITY.fullmatch(text.strip())
    if found is None:
        return None
    return normal(found[1] or found[2]), int(found[3]) if found[3] else None


def _is_loopback(name: str) -> bool:
    """127.0.0.0/8, ::1, and the names that never leave the machine (RFC 6761 section 6.3)."""
    try:
        return ipaddress.ip_address(name).is_loopback
    except ValueError:
        return name == "localhost" or name.endswith(".localhost")
