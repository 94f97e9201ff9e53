"""How output looks: colour, width, and which values are masked."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from reconciler.core.model.settings import Redact


class Style(StrEnum):
    """SGR parameters of ECMA-48; eight colours, so that every terminal theme stays readable."""

    ADD = "32"
    UPDATE = "33"
    REMOVE = "31"
    DRIFT = "35"
    BUSY = "36"
    ERROR = "1;31"
    STRONG = "1"
    DIM = "2"


@dataclass(frozen=True, slots=True)
class Look:
    """The look of one output. `redact` holds for this output: NONE shows every value."""

    color: bool = False
    width: int = 100
    redact: Redact = Redact.IDENTIFYING

    def paint(self, text: str, style: Style) -> str:
        """The text in a style; unchanged without colour."""
        if not self.color or not text:
            return text
        return f"\x1b[{style}m{text}\x1b[0m"


def effective_redaction(setting: Redact, *, tty: bool, show: bool, mask: bool) -> Redact:
    """What to mask: a terminal and `--show-values` show values, output that may be stored does not.

    `redact: all` masks on a terminal too; `--mask-values` never masks less than the setting.
    """
    if show:
        return Redact.NONE
    if mask:
        return Redact.IDENTIFYING if setting is Redact.NONE else setting
    if tty:
        return Redact.ALL if setting is Redact.ALL else Redact.NONE
    return setting
