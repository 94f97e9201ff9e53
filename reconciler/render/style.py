"""How output looks: colour and width."""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import StrEnum

# The control sequences of styles: of colours and weights, none of which hides text.
STYLES = re.compile(r"\x1b\[(?:[012]|(?:1;)?3[1-6])m")


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
    """The look of one output. Which values it shows is decided before (`core/review`)."""

    color: bool = False
    width: int = 100

    def paint(self, text: str, style: Style) -> str:
        """The text in a style; unchanged without colour."""
        if not self.color or not text:
            return text
        return f"\x1b[{style}m{text}\x1b[0m"
