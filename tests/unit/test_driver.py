"""observe: calls side by side, none twice, and errors that end the reading of a data store."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import replace

import pytest

from reconciler.core.dicom.content import instances, series
from reconciler.core.errors import (
    CredentialsError,
    NotFoundError,
    RejectedError,
    ServiceError,
    ThrottledError,
    UnreadableError,
)
from reconciler.core.model.observed import Properties, SearchPage
from reconciler.core.model.plan import Status
from reconciler.core.model.search_filter import Filters
from reconciler.core.model.value import Document
from reconciler.core.plan import outline
from reconciler.core.survey import Known, Surveyed
from reconciler.core.survey.needs import DocumentOf, MembersOf, PropertiesOf, Refusal, Why
from reconciler.observe.answers import Answers
from reconciler.observe.driver import Store, observe
from tests.documents import STUDY_UID, document
from tests.fakes import FakeImageSets
from tests.planning import A, B, C, Stage

DESCRIBED = "present: {Study: {DICOM: {StudyDescription: CHEST NATIVE}}}"
# Nothing of a test waits so long, unless it fails.
PATIENCE = 30.0


class Staged(FakeImageSets):
    """Before each GetImageSet `meet` is called with the image set."""

    def __init__(self, meet: Callable[[str], None]) -> None:
        super().__init__()
        self.put(document(image_set_id=A))
        self.put(document(image_set_id=B))
        self._meet = meet

    def get(self, image_set_id: str, version_id: str | None = None) -> Properties:
        self._meet(image_set_id)
        return super().get(image_set_id, version_id)


def store(port: FakeImageSets, *image_set_ids: str) -> Store:
    ids = f"imageSetIds: [{', '.join(image_set_ids)}]"
    return Store(port, Stage().asks(f"{ids}\n{DESCRIBED}\n"), Known({}))


def statuses(seen: Surveyed | ServiceError) -> list[Status]:
    assert isinstance(seen, Surveyed)
    return [found.status for found in seen.diffs]


ARCHIVE = "ARCHIVE_INSTANT_ACCESS"
D = "d" * 32
RULES = Stage().settings.rules


@pytest.fixture
def release() -> Iterator[threading.Event]:
    """Calls that hang, hang until the test is over."""
    event = threading.Event()
    yield event
    event.set()


def test_siblings_of_a_study_share_every_call() -> None:
    stage = Stage()
    for name in (A, B, C):
        stage.put(document(image_set_id=name), primary=True)
    seen = stage.observed(f"imageSetIds: [{A}, {B}]\n{DESCRIBED}\n")
    assert Counter(stage.service.calls) == {
        **{("GetImageSet", name): 1 for name in (A, B, C)},
        **{("GetImageSetMetadata", name): 1 for name in (A, B, C)},
        ("SearchImageSets", ""): 1,
    }
    ((study,), diffs) = (seen[1], seen[0])
    assert sorted(study.documents) == [A, B, C]
    assert study.documents[A] == outline(Document(stage.service.document(A)))
    assert [found.reading.document for found in diffs] == [None, None]


@pytest.mark.parametrize("primary", [False, True])
def test_no_document_is_held_once_a_data_store_is_read(primary: bool) -> None:
    """Of changed, converged and unnamed members alike: outlines at most, and calls."""
    stage = Stage()
    for name in (A, B, C):
        stage.put(document(image_set_id=name), primary=primary)
    manifest = f"imageSetIds: [{A}, {B}]\n{DESCRIBED}\nallow: [STUDY_WIDE]\n"
    for _ in range(2):
        seen = stage.surveyed(manifest)
        kept = [one.reading.document for one in seen.diffs]
        kept += [one.document for study in seen.studies for one in study.members]
        assert primary == bool(seen.studies)
        for found in filter(None, kept):
            assert [instances(one) for one in series(found).values()] == [{}]
        for action in stage.plan(manifest):
            stage.run(action)


def test_the_same_need_at_the_same_time_is_one_call(release: threading.Event) -> None:
    entered = threading.Event()

    def meet(image_set_id: str) -> None:
        entered.set()
        assert release.wait(PATIENCE)

    port = Staged(meet)
    answers, got = Answers(port), []
    threads = [
        threading.Thread(target=lambda: got.append(answers.to(PropertiesOf(A)))) for _ in range(4)
    ]
    for thread in threads:
        thread.start()
    assert entered.wait(PATIENCE)
    release.set()
    for thread in threads:
        thread.join(PATIENCE)
    assert len(got) == 4
    assert port.calls == [("GetImageSet", A)]


def test_a_document_is_kept_only_where_it_may_be_needed_again() -> None:
    port = FakeImageSets()
    port.put(document(image_set_id=A))
    port.put(document(image_set_id=B))
    answers = Answers(port)
    needs = [DocumentOf(A, "1"), DocumentOf(B, "1")]
    first = [answers.to(need) for need in needs]
    answers.release(needs, needs[:1])
    assert [answers.to(need) for need in needs] == first
    assert [name for _, name in port.calls] == [A, B, B]


@pytest.mark.parametrize("error", [CredentialsError, ThrottledError])
def test_an_error_of_all_is_raised_and_that_of_one_is_an_answer(
    error: type[CredentialsError | ThrottledError],
) -> None:
    port = FakeImageSets()
    port.put(document(image_set_id=A))
    answers = Answers(port)
    port.fail("GetImageSet", error("for all"))
    with pytest.raises(error):
        answers.to(PropertiesOf(A))
    port.fail("GetImageSet", RejectedError("for one", operation="GetImageSet", code="X"))
    refusal = Refusal(Why.REJECTED, "GetImageSet", "X")
    assert [answers.to(PropertiesOf(A)) for _ in range(2)] == [refusal, refusal]
    assert len(port.calls) == 2


def test_a_search_that_finds_no_data_store_is_an_error() -> None:
    with pytest.raises(NotFoundError):
        Answers(FakeImageSets(missing=True)).to(MembersOf(STUDY_UID))


def test_a_slow_data_store_does_not_hold_the_others_back() -> None:
    """The first is answered only after all of the second has been read."""
    read: set[str] = set()
    whole = threading.Event()

    def second(image_set_id: str) -> None:
        read.add(image_set_id)
        if read == {A, B}:
            whole.set()

    slow, quick = Staged(lambda _: None if whole.wait(PATIENCE) else pytest.fail()), Staged(second)
    seen = observe([store(slow, A, B), store(quick, A, B)], RULES)
    assert [statuses(one) for one in seen] == [[Status.UPDATE] * 2] * 2


def test_an_error_ends_the_reading_of_a_data_store_beside_reads_that_hang(
    release: threading.Event,
) -> None:
    def meet(image_set_id: str) -> None:
        if image_set_id == A:
            raise CredentialsError("expired")
        assert release.wait(PATIENCE)

    port = Staged(meet)
    (error,) = observe([store(port, A, B)], RULES)
    assert isinstance(error, CredentialsError)
    assert port.calls == []


def test_an_error_of_a_data_store_is_its_result_and_the_others_are_read() -> None:
    fails = FakeImageSets()
    fails.fail("GetImageSet", CredentialsError("expired"), times=2)
    reads = Staged(lambda _: None)
    error, seen = observe([store(fails, A, B), store(reads, A, B)], RULES)
    assert isinstance(error, CredentialsError)
    assert statuses(seen) == [Status.UPDATE] * 2


def test_of_several_errors_of_a_data_store_the_first_in_order_is_its_result() -> None:
    """Though the last one comes first."""
    failed = threading.Event()

    def meet(image_set_id: str) -> None:
        if image_set_id == B:
            failed.set()
        assert failed.wait(PATIENCE)
        raise CredentialsError(f"of {image_set_id}")

    (error,) = observe([store(Staged(meet), A, B)], RULES)
    assert str(error) == f"of {A}"


def test_an_error_that_is_not_of_the_service_ends_everything() -> None:
    def meet(_: str) -> None:
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        observe([store(Staged(meet), A), store(Staged(lambda _: None), A)], RULES)


class Unlisted(FakeImageSets):
    """Search is what says that the data store cannot be seen."""

    def pages(self, filters: Filters = ()) -> Iterator[SearchPage]:
        raise NotFoundError("cannot see the data store")


def test_where_nothing_is_seen_search_says_whether_the_data_store_is() -> None:
    (seen,) = observe([store(FakeImageSets(), A, B)], RULES)
    assert statuses(seen) == [Status.BLOCKED] * 2
    (error,) = observe([store(Unlisted(), A, B)], RULES)
    assert isinstance(error, NotFoundError)
    assert observe([], RULES) == []


class Archived(FakeImageSets):
    """Every tier that is stated is that of the archive; some image sets state none."""

    def get(self, image_set_id: str, version_id: str | None = None) -> Properties:
        found = super().get(image_set_id, version_id)
        return found if image_set_id == A else replace(found, storage_tier=ARCHIVE)

    def metadata(self, image_set_id: str, version_id: str) -> Document:
        if image_set_id == C:
            raise UnreadableError("GetImageSetMetadata: not JSON", operation="GetImageSetMetadata")
        if image_set_id == D:
            raise RejectedError("rejected", operation="GetImageSetMetadata")
        return super().metadata(image_set_id, version_id)


def test_only_what_was_archived_and_read_is_moved() -> None:
    port = Archived()
    for name in (A, B, C, D):
        port.put(document(image_set_id=name))
    (seen,) = observe([store(port, A, B, C, D)], RULES)
    assert isinstance(seen, Surveyed)
    assert seen.retiered == (B, C)
