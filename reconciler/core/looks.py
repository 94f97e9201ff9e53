"""How characters look: the same text for all characters that a reader cannot distinguish.

Source of the method and of the table: Unicode Technical Standard #39, section 4 (confusables.txt).
"""

from __future__ import annotations

import re
import unicodedata
from functools import lru_cache

from reconciler.core.escape import is_visible

# Each line: a character, then characters of other scripts that look like it.
_ALIKE = """
A АΑᎪᗅꓮ  B ВΒᏴᗷꓐ  C СᏟⲤꓚ  D Ꭰᗞꓓ  E ЕΕᎬꓰ  F Ϝᖴꓝ  G ԌᏀꓖ  H НΗᎻⲎᕼꓧ  I ІӀΙᏆⲒ  J ЈͿᎫᒍꓙ  K КΚᏦⲔꓗ
L ᏞⳐᒪꓡ  M МΜϺᎷⲘᗰꓟ  N ΝⲚꓠ  O ОΟՕⲞꓳ  P РΡᏢⲢᑭꓑ  Q Ԛⵕ  R Ꭱᖇꓣ  S ЅՏᏕꓢ  T ТΤᎢⲦꓔ  U ՍᑌꓴԱ  V ѴᏙᐯꓦ
W ԜᎳꓪ  X ХΧⲬ᙭ꓫ  Y УҮΥᎩⲨꓬ  Z ΖᏃꓜ
a аαɑ  b Ьᑲ  c сⲥᴄ  d ԁᏧ  e еҽ  f ք  g ցɡ  h հһᏂ  i іιɩ  j јϳ  k κк  l ӏן  n ոռ  o оοσօⲟס  p рρⲣ
q ԛզ  r гⲅ  s ѕꜱ  u υսʋ  v νѵטᴠ  w ԝաѡᴡ  x х  y уүγʏ  z ᴢ
3 ЗӠȜƷ  6 б  2 Ƨ
' ’‘‛′`´ʹʼʽˈ׳՚  " ”“‟″״  - ‐‑‒–−⁃˗Ⲻ־  . ․ꓸ۰  , ‚ꓹ٫  : ։꞉∶׃ː  / ⁄∕  * ٭∗  = ꓿  _ ߺ
ى یي  ک ك  ە هہھ
口 ロ囗  一 ー―—㇐ᅳㅡ  ニ 二  ト 卜  カ 力  エ 工  ハ 八  タ 夕  ヘ へ
リ り  チ 千  ミ 彡  ヌ 又  ネ 礻  メ 乂
μ µ  ß βꞵ  Δ ∆  Σ ∑  Π ∏
"""
# Greek letters that stand beside Latin ones in units and names, such as TNFα. Most fonts show
# them unlike Latin letters.
_SYMBOLS = frozenset("αβγικρσυ")
_ARABIC_FORMS = ("<isolated>", "<initial>", "<medial>", "<final>")
# Kinds of compatibility decompositions whose parts look like the character (Unicode, section 5.15).
_SAME_LOOK = ("<font>", "<wide>", "<narrow>", "<noBreak>", "<compat>", *_ARABIC_FORMS)
_BLANKS = dict.fromkeys(map(ord, "\u115f\u1160\u3164\uffa0\u2800\U0001d159"), " ")
# An escape of JSON text is one unit: its letters are no letters of the value.
_UNIT = re.compile(r"\\u[0-9a-fA-F]{4}|\\.|.", re.DOTALL)
# Vowels and final consonants of Hangul, which make a syllable with the consonant before them.
_JAMO = re.compile("[\u1160-\u11ff\ud7b0-\ud7ff]")


def _table() -> dict[str, str]:
    words = _ALIKE.split()
    ascii_alike = {"1": "l", "I": "l", "|": "l", "0": "O"}
    alike = {
        other: ascii_alike.get(one, one)
        for one, others in zip(words[::2], words[1::2], strict=True)
        for other in others
    }
    return alike | ascii_alike


_LOOKS_LIKE = _table()


def units(text: str) -> list[str]:
    """Split a text into what a reader sees as one character."""
    found: list[str] = []
    for unit in _UNIT.findall(text):
        if found and _joins(unit):
            found[-1] += unit
        else:
            found.append(unit)
    return found


def _joins(unit: str) -> bool:
    if len(unit) > 1 or unit.isascii():
        return False
    if is_mark(unit) or _JAMO.match(unit):
        return True
    return not (is_visible(unit) or _is_blank(unit))


def is_mark(character: str) -> bool:
    """Whether a character is drawn on the character before it, such as an accent."""
    return unicodedata.category(character).startswith("M")


def _is_blank(character: str) -> bool:
    return ord(character) in _BLANKS or unicodedata.category(character) == "Zs"


@lru_cache(maxsize=4096)
def look(unit: str) -> str:
    """Return the same text for all units that look the same: the skeleton of UTS #39."""
    if len(unit) == 1 and unit.isascii():
        return _LOOKS_LIKE.get(unit, unit)
    parts = "".join(map(_parts, visible(unit)))
    return unicodedata.normalize("NFD", "".join(_LOOKS_LIKE.get(one, one) for one in parts))


def _parts(character: str) -> str:
    if unicodedata.decomposition(character).startswith(_SAME_LOOK):
        return unicodedata.normalize("NFKD", character)
    return unicodedata.normalize("NFD", character)


def visible(text: str) -> str:
    """Return the text with ordinary spaces, without the characters that are not seen."""
    return "".join(
        " " if _is_blank(one) else one for one in text if is_visible(one) or _is_blank(one)
    )


def is_latin(unit: str) -> bool:
    """Whether a unit is a Latin letter of ordinary text, with accents or without."""
    if unit[0].isascii():
        return True
    return unit[0] not in _LOOKS_LIKE and unicodedata.name(unit[0], "").startswith("LATIN ")


def looks_latin(unit: str) -> bool:
    """Whether a unit that `is_latin` refuses looks like letters of ASCII."""
    alike = look(unit[0])
    return unit[0] not in _SYMBOLS and alike.isascii() and alike.isalpha()
