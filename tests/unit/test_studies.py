"""A study is surveyed with the first of its image sets, and each of them once."""

from __future__ import annotations

import threading
from collections.abc import Collection, Mapping

import pytest

from reconciler.core.errors import CredentialsError
from reconciler.core.model.ask import ImageSetAsk
from reconciler.core.model.diff import Diff
from reconciler.core.survey import Known, Studied, studies_of
from reconciler.observe.driver import Store, observe
from reconciler.observe.studies import Studies
from tests.documents import STUDY_UID, document
from tests.planning import A, B, C, Stage

NECK = f"imageSetIds: [{A}, {B}, {C}]\npresent: {{Study: {{DICOM: {{StudyDescription: NECK}}}}}}\n"


class Seen:
    """Surveys that note what they are called for."""

    def __init__(self, listed: Collection[str] = (A, B, C)) -> None:
        stage = Stage()
        for name in (A, B, C):
            stage.put(document(image_set_id=name), primary=True)
        self.asks = stage.asks(NECK)
        self._found = {one.image_set_id: one for one in stage.surveyed(NECK).diffs}
        self._listed = listed
        self.log: list[str] = []
        self.studies = Studies(self.asks, self.diff, self.members, self.study)

    def diff(self, ask: ImageSetAsk) -> Diff:
        self.log.append(ask.image_set_id[0])
        return self._found[ask.image_set_id]

    def members(self, uid: str) -> Collection[str]:
        return self._listed

    def study(self, uid: str, asked: Collection[str], own: Mapping[str, Diff]) -> Studied:
        self.log.append(f"study of {' '.join(name[0] for name in asked)}")
        assert {one.image_set_id for one in own.values()} == set(own)
        return Studied(None)


def test_its_other_image_sets_come_before_those_of_other_studies() -> None:
    seen = Seen()
    seen.studies.diff(seen.asks[1])
    assert seen.log == ["b", "a", "c", "study of a b c"]
    for ask in seen.asks:
        seen.studies.diff(ask)
    assert len(seen.log) == 4
    assert seen.studies.made(STUDY_UID, [A, B, C]) == Studied(None)


def test_what_search_does_not_list_is_not_in_the_early_result() -> None:
    seen = Seen(listed=[A, B])
    for ask in seen.asks:
        seen.studies.diff(ask)
    assert seen.log == ["a", "b", "study of a b", "c"]
    assert seen.studies.made(STUDY_UID, [A, B, C]) is None
    assert seen.studies.made("1.2.3", []) is None


def test_an_error_is_that_of_every_thread_that_waits_for_it() -> None:
    seen = Seen()

    def refused(ask: ImageSetAsk) -> Diff:
        raise CredentialsError("expired")

    studies = Studies(seen.asks, refused, seen.members, seen.study)
    for _ in range(2):
        with pytest.raises(CredentialsError):
            studies.diff(seen.asks[0])


def test_threads_share_each_survey() -> None:
    seen = Seen()
    threads = [
        threading.Thread(target=seen.studies.diff, args=(ask,)) for ask in seen.asks for _ in "1234"
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert sorted(seen.log) == ["a", "b", "c", "study of a b c"]


def test_a_study_that_search_lists_in_part_is_surveyed_with_all_that_state_it() -> None:
    """Its action is blocked, as it is if all image sets come first."""
    stage = Stage()
    for name in (A, B, C):
        stage.put(document(image_set_id=name), primary=True)
    stage.service.search_misses = {C}
    (seen,) = observe([Store(stage.service, stage.asks(NECK), Known({}))], stage.settings.rules)
    assert not isinstance(seen, Exception)
    assert list(studies_of(seen.diffs)) == [STUDY_UID]
    assert [study.unlisted for study in seen.studies] == [(C,)]
