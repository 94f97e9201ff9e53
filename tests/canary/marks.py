"""The marks: words and numbers that stand nowhere else, one set for each source of values."""

from __future__ import annotations

import base64
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Mark:
    """The values of one source, each with a part by which it is found however it is written.

    `word` and `given` are six letters, so that a cut value is found, too. The digits of `number`,
    `date` and `time` are eight. No hexadecimal digit follows from chance in a run of this length.
    """

    name: str
    word: str
    given: str
    ideographic: str
    phonetic: str
    number: str
    date: str
    time: str

    @property
    def needles(self) -> frozenset[str]:
        """What is searched for: all parts, in lower case."""
        parts = (
            self.word,
            self.given,
            *self.ideographic.split("^"),
            *self.phonetic.split("^"),
            self.number,
            self.decimal,
            self.date,
            f"{self.date[:4]}-{self.date[4:6]}-{self.date[6:]}",
            self.time,
        )
        return frozenset(part.casefold() for part in parts)

    @property
    def person(self) -> str:
        """A PN of three component groups."""
        return f"{self.word}^{self.given}={self.ideographic}={self.phonetic}"

    @property
    def text(self) -> str:
        return f"{self.word} said: <b>&|`{self.given}`\"'@x"

    @property
    def upper(self) -> str:
        return self.word.upper()

    @property
    def uid(self) -> str:
        return f"2.25.{self.number}"

    @property
    def decimal(self) -> str:
        return f"{self.number[:4]}.{self.number[4:]}"

    def of(self, vr: str) -> Any:
        """A value of a VR, in the JSON type that HealthImaging gives it."""
        match vr:
            case "PN":
                return self.person
            case "CS" | "AE":
                return self.upper
            case "DA":
                return self.date
            case "TM":
                return self.time
            case "DT":
                return self.date + self.time
            case "AS":
                return "077Y"  # too short for a mark
            case "DS":
                return self.decimal
            case "IS" | "AT":
                return self.number
            case "UI":
                return self.uid
            case "UR":
                return f"https://{self.word.lower()}.example/{self.given}"
            case "US" | "SS" | "US or SS":
                return int(self.number[:4])  # too short for a mark, too
            case "UL" | "SL":
                return int(self.number)
            case "FL" | "FD":
                return float(self.number)
            case "SH":
                return f"{self.word} {self.number}"
            case "LO" | "ST" | "LT" | "UT" | "UC":
                return self.text
            case _:
                return self.binary

    @property
    def binary(self) -> str:
        return base64.b64encode(f"..{self.word}........".encode()).decode()


LIVE = Mark("live", "Zylvik", "Brontq", "瓏麟^颯爽", "ぞるび^くぶろ", "77134472", "19471113",
            "231759.771344")  # fmt: skip
EARLIER = Mark("earlier", "Wexbul", "Pliqzo", "鸞鷲^薔薇", "うえぶる^ぷりく", "66245560",
               "19361224", "215648.662455")  # fmt: skip
# On one line of a manifest as one text, so that a CI job with `comment: clear` may show it.
STATED = Mark("stated", "Qormet", "Vandiq", "淼焱^靄霧", "こるめと^ばんじ", "55356656",
              "19250731", "184537.553566")  # fmt: skip
# In a manifest too, but in lists and sequences, which no single line holds.
LISTED = Mark("listed", "Jexhum", "Tropfy", "鑫犇^驫鱻", "ぢぇくす^とろぷ", "44467744",
              "19140619", "173426.444677")  # fmt: skip
# What another program writes.
OUTSIDE = Mark("outside", "Kywdox", "Snurgi", "堯舜^禹湯", "きいどく^すなぐ", "33578832",
               "19550822", "162315.335788")  # fmt: skip
NEVER = (LIVE, EARLIER, OUTSIDE)
MANIFEST = (STATED, LISTED)
