"""A law: every image set ID of a valid manifest is found in its bytes, without a parser."""

from __future__ import annotations

from pathlib import PurePath

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reconciler.core.ask import manifest_checker, validate
from reconciler.core.ask.ids import image_set_ids
from reconciler.core.errors import Diagnostic
from reconciler.core.model.ask import ImageSetAsk
from reconciler.core.model.settings import Datastore, Settings
from reconciler.edges import schemas
from reconciler.edges.manifests import DEFAULT, PURE, parse

SETTINGS = Settings(PurePath("/"), "manifests", (Datastore("research", "0" * 32, "us-east-1"),))
CHECKER = manifest_checker(schemas.load("manifest"))
CONSENT = "OVERWRITES_DRIFT@5:"
HEAD = "apiVersion: reconciler/v1\nkind: ImageSet\ndatastore: research\n"
END = 'present: {"Patient": {"DICOM": {"PatientName": "Garcia^Gloria"}}}\n'

ids = st.text("0123456789abcdefxyz", min_size=32, max_size=32)


def escaped(text: str, at: int) -> str:
    return f"{text[:at]}\\x{ord(text[at]):02x}{text[at + 1 :]}"


@st.composite
def spelled(draw: st.DrawFn, text: str) -> str:
    """A text in the styles of YAML, on one line or more."""
    at = draw(st.integers(0, len(text) - 1))
    return draw(
        st.sampled_from(
            [
                *[text, text, f'"{text}"', f"'{text}'", f'"{escaped(text, at)}"'],
                *[f'"{text[:at]}\\\n  {text[at:]}"', f">-\n  {text}", f"|-\n  {text}"],
                *[f"\n  {text}", f"\n\n  '{text}'", f"{text} # {text[:9]}", f"'{text}' #x"],
                *[f'"\\\n  {text}"', f'"{text}\\\n  "', f"?{text}", f"{text}?", f"é{text}"],
            ]
        )
    )


@st.composite
def lists(draw: st.DrawFn, texts: list[str]) -> str:
    """A list on one line or on several."""
    items = [draw(spelled(text)) for text in texts]
    if draw(st.booleans()):
        return "".join(f"\n- {item}" for item in items)
    comma = draw(st.sampled_from([",", ", ", "\n ,", " , "]))
    return f"[{comma.join(items)}]" if all("\n" not in item for item in items) else f"{items}"


@st.composite
def manifests(draw: st.DrawFn) -> str:
    """A manifest in ordinary and in odd spelling, which may be wrong."""
    named = draw(st.lists(ids, min_size=1, max_size=3))
    keys = [f"imageSetIds: {draw(lists(named))}", f"imageSetId: {draw(spelled(named[0]))}"]
    lines = [draw(st.sampled_from(keys)), END]
    if draw(st.booleans()):
        lines.append("allow: " + draw(lists([CONSENT + draw(ids)])))
    ends = draw(st.sampled_from(["\n", "\n", "\r\n", "\r"]))
    mark = draw(st.sampled_from(["", "", "\ufeff"]))
    return mark + (HEAD + "\n".join(draw(st.permutations(lines)))).replace("\n", ends)


def named_in(ask: ImageSetAsk) -> set[str]:
    allow = {one.image_set_id for source in ask.sources for one in source.allow}
    return {ask.image_set_id, *allow}


def checked(text: str, parser: type) -> tuple[tuple[ImageSetAsk, ...], tuple[Diagnostic, ...]]:
    loaded = parse(text.removeprefix("\ufeff"), "a.yaml", parser)
    found = validate(loaded.documents, SETTINGS, CHECKER)
    return found.asks, (*loaded.problems, *found.problems)


@pytest.mark.parametrize("parser", [DEFAULT, PURE])
@given(text=manifests())
def test_every_image_set_id_of_a_valid_manifest_is_found_in_its_bytes(
    parser: type, text: str
) -> None:
    asks, problems = checked(text, parser)
    if not problems:
        assert {one for ask in asks for one in named_in(ask)} <= image_set_ids(text.encode())


ID = "ea92b0d8838c72a3f25d00d13616f87e"


@pytest.mark.parametrize(
    "content", [ID, f"[{ID},{ID}]", f'"imageSetId":"{ID}"', f"@5:{ID}", f"A{ID}Z", f"\xef{ID}\xff"]
)
def test_an_id_is_found_between_all_that_is_no_part_of_it(content: str) -> None:
    assert image_set_ids(content.encode("latin-1")) == {ID}


@pytest.mark.parametrize("content", ["", ID[1:], f"0{ID}", f"{ID}z", f"{ID[:9]}-{ID[9:]}", ID * 2])
def test_what_is_longer_or_shorter_is_no_id(content: str) -> None:
    assert image_set_ids(content.encode()) == frozenset()


@pytest.mark.parametrize(
    "lines",
    [
        f'imageSetId: "{escaped(ID, 0)}"',
        f'imageSetId: "{ID[:9]}\\\n  {ID[9:]}"',
        f'imageSetIds:\n- "{escaped(ID, 31)}"',
        f'imageSetId: {ID}\nallow: ["OVERWRITES_DRIFT@5\\x3a{ID}"]',
        f'imageSetId: {ID}\nallow: ["{escaped(CONSENT + ID, 25)}"]',
    ],
)
def test_an_id_that_does_not_stand_in_its_file_letter_for_letter_is_refused(lines: str) -> None:
    asks, (problem,) = checked(f"{HEAD}{lines}\n{END}", DEFAULT)
    assert asks == ()
    assert problem.place.line >= 4
    assert problem.message == "the image set ID is written with escapes or on several lines"
    assert problem.hint == "Write the ID itself, without escapes and on one line."
    if problem.replacement:
        assert problem.replacement.text in (f'"{ID}"', f'"{CONSENT}{ID}"')


def test_an_id_without_escapes_is_accepted_in_every_quotes() -> None:
    for spelling in (ID, f'"{ID}"', f"'{ID}'", f"\n  {ID}"):
        asks, problems = checked(f"{HEAD}imageSetId: {spelling}\n{END}", DEFAULT)
        assert len(asks) == 1 and not problems
