"""What every page has: its policy, and its assets.

A page is opened from a disk, a mail or a CI artifact. It loads nothing and sends nothing, and the
policy makes the browser enforce this: only the one script and the one style run, by their digests.
The script cannot make HTML from text (https://www.w3.org/TR/trusted-types/).
"""

from __future__ import annotations

from base64 import b64encode
from functools import cache
from hashlib import sha256
from pathlib import Path

from reconciler.render.html.markup import Html, joined, value

_HERE = Path(__file__).parent
_POLICY = (
    "default-src 'none'; script-src '{script}'; style-src '{style}'; base-uri 'none'; "
    "form-action 'none'; require-trusted-types-for 'script'; trusted-types 'none'"
)


def policy(*, style: str, script: str = "") -> str:
    """The content security policy of a page with this style and this script, if it has one."""
    return _POLICY.format(style=_digest(style), script=_digest(script) if script else "none")


@cache
def asset(name: str) -> str:
    """The text of a file beside this module."""
    return (_HERE / name).read_text(encoding="utf-8")


def web_address(link: str) -> str:
    """A link if it is a web address, else "": places are text then."""
    return link if link.startswith(("https://", "http://")) else ""


def named(word: str, name: str) -> Html:
    """`commit 5f0c1d2e3b4a`; nothing without a name."""
    return joined([f"{word} ", value(name)]) if name else Html("")


def _digest(content: str) -> str:
    return f"sha256-{b64encode(sha256(content.encode()).digest()).decode()}"
