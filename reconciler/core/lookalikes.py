"""Shows the differences of texts that look the same on a terminal.

`é` may be one character or two, `а` may be Cyrillic, and some characters are not seen at all. Where
a reader cannot see which character stands in a text, the text is shown with its escape.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable, Iterator, Sequence
from itertools import groupby, pairwise, takewhile

from reconciler.core.escape import escape, escaped, is_visible
from reconciler.core.looks import is_latin, is_mark, look, looks_latin, units, visible

# More accents than this on one letter are drawn over the lines above and below.
_MOST_MARKS = 6

# White space that editors insert on purpose: also the space of Japanese and Chinese keyboards.
_NEEDED = "\t\n\f\r\u3000"


def reveal(text: str) -> str:
    """Escape what cannot be seen in a text, and letters of another script within a word."""
    if text.isascii():
        return escape(text)
    split = units(text)
    return _shown(split, _doubtful(split))


def reveal_both(before: str, after: str) -> tuple[str, str]:
    """Like `reveal`, and escape what looks the same in both texts but differs."""
    if before.isascii() and after.isascii():
        if before.isprintable() and after.isprintable():  # as nearly all values are
            return before, after
        return escape(before), escape(after)
    first, second = units(before), units(after)
    left, right = _doubtful(first), _doubtful(second)
    script, other_script = _scripts(first), _scripts(second)
    for one, other in _lookalikes(first, second):
        # A translated name is seen to be one: Muller, Мюллер.
        if {script.get(at) for at in one} ^ {other_script.get(at) for at in other} != {True, False}:
            left |= one
            right |= other
    return _shown(first, left), _shown(second, right)


def difference(before: str, after: str) -> str:
    """Name the difference of two texts that look the same; "" if they are equal or look different.

    Texts of ASCII alone never count as looking the same: fonts for terminals show `0` unlike `O`.
    """
    if before == after or (before.isascii() and after.isascii()):
        return ""
    if _looks(before) != _looks(after):
        return ""
    if _composed(before) == _composed(after):
        return "the Unicode form of letters (composed or decomposed)"
    if visible(before) == visible(after):
        return "invisible characters or unusual spaces"
    return "characters that look alike, such as Latin and Cyrillic letters"


def mixes_scripts(text: str) -> bool:
    """Whether a word mixes Latin letters with letters of other scripts that look like them."""
    if text.isascii():
        return False
    split = units(text)
    return any(looks_latin(split[at]) for at in _foreign(split))


def is_decomposed(text: str) -> bool:
    """Whether a letter and its accent are two characters, although one character has both.

    Ideographs that NFC would replace by others count as they are: they stand in names.
    """
    if text.isascii():
        return False
    return any(len(unit) > 1 and _composed(unit) != unit for unit in units(text))


def has_unseen(text: str) -> bool:
    """Whether a text has characters that are not seen and that no orthography needs there."""
    if text.isascii():
        return False
    return any(
        not (is_visible(one) or one in _NEEDED or (_joins(one) and before.isalpha()))
        for before, one in pairwise(f" {text}")
    )


def _joins(character: str) -> bool:
    """Whether a character shapes the letter before it: a joiner, or a variation of an ideograph."""
    return character in "\u200c\u200d" or "\U000e0100" <= character <= "\U000e01ef"


def _composed(text: str) -> str:
    return unicodedata.normalize("NFC", text)


def _shown(split: Sequence[str], doubtful: set[int]) -> str:
    return "".join(
        _spelled(unit) if at in doubtful else escape(unit) for at, unit in enumerate(split)
    )


def _spelled(unit: str) -> str:
    # A mark may stand on a control character, such as the one that begins a command of a terminal.
    return "".join(one if one.isascii() and one.isprintable() else escaped(one) for one in unit)


def _doubtful(split: Sequence[str]) -> set[int]:
    """The units of which a reader cannot see the characters, without another text."""
    found = {at for at in _foreign(split) if looks_latin(split[at])}
    return found | {at for at, unit in enumerate(split) if _is_overloaded(unit)}


def _is_overloaded(unit: str) -> bool:
    """Whether accents stand without a letter, or too many on one letter: they draw elsewhere."""
    marks = sum(map(is_mark, unit))
    return marks > _MOST_MARKS or (marks > 0 and not unit[0].isalnum())


def _foreign(split: Sequence[str]) -> Iterator[int]:
    """Yield the units of other scripts in words that have Latin letters."""
    for word in _words(split):
        others = [at for at in word if not is_latin(split[at])]
        if len(others) < len(word):
            yield from others


def _words(split: Sequence[str]) -> Iterator[list[int]]:
    """Yield the units of each run of letters."""
    for is_word, found in groupby(range(len(split)), key=lambda at: split[at][0].isalpha()):
        if is_word:
            yield list(found)


def _scripts(split: Sequence[str]) -> dict[int, bool]:
    """Whether the word of a unit is Latin, for units in words whose script can be seen."""
    found: dict[int, bool] = {}
    for word in _words(split):
        latin = [is_latin(split[at]) for at in word]
        if all(latin):
            found.update(dict.fromkeys(word, True))
        elif not any(latin) and not all(looks_latin(split[at]) for at in word):
            found.update(dict.fromkeys(word, False))
    return found


def _lookalikes(before: Sequence[str], after: Sequence[str]) -> Iterator[tuple[set[int], set[int]]]:
    """Yield the units of two texts that look the same but differ.

    Before the first and after the last visible difference, they are compared one by one. Between
    these, units that look the same count if the two texts spell them differently.
    """
    first, second = [look(unit) for unit in before], [look(unit) for unit in after]
    head = _equal(first, second)
    tail = _equal(first[head:][::-1], second[head:][::-1])
    pairs = [(at, at) for at in range(head)]
    pairs += [(len(before) - at, len(after) - at) for at in range(1, tail + 1)]
    for one, other in pairs:
        if before[one] != after[other]:
            yield {one}, {other}
    left = _by_look(first, range(head, len(before) - tail))
    right = _by_look(second, range(head, len(after) - tail))
    for alike in left.keys() & right.keys():
        if {before[at] for at in left[alike]} != {after[at] for at in right[alike]}:
            yield left[alike], right[alike]


def _equal(first: Sequence[str], second: Sequence[str]) -> int:
    """Count the equal elements at the beginning."""
    equal = takewhile(lambda pair: pair[0] == pair[1], zip(first, second, strict=False))
    return sum(1 for _ in equal)


def _by_look(looks: Sequence[str], among: Iterable[int]) -> dict[str, set[int]]:
    found: dict[str, set[int]] = {}
    for at in among:
        found.setdefault(looks[at], set()).add(at)
    return found


def _looks(text: str) -> str:
    return "".join(map(look, units(text)))
