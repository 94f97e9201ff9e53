"""SIGKILL at every point of an apply: the same command again finishes it and repeats no change.

The points are: after every update and the first read that follows it, at every call that changes a
file, before and after every run of git that may write. Between two points nothing leaves the
process. For each point, a run is killed there. A second run must then bring service, records and
repository to exactly the end of an uninterrupted run.
"""

from __future__ import annotations

import itertools
import os
import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path, PurePath
from typing import Any

import pytest

from reconciler.apply.reporter import Reporter
from reconciler.core.model.outcome import Outcome
from reconciler.core.model.plan import Plan
from reconciler.core.plan.file import dumps, loads
from reconciler.core.ports import Files
from reconciler.edges import records
from tests.faulty_files import FaultyFiles
from tests.kill import scenario as made
from tests.kill.scenario import Countdown, FastClock, Scenario, Service, killed
from tests.processes import SECONDS

SIGKILL = -9
# The points at files are dealt out among the parts. `make test` has time for every second one.
PARTS = (0, pytest.param(1, marks=pytest.mark.long))
# A kill after these leaves what they find: the kernel keeps what a killed process has written.
UNCHANGING = frozenset({"sync", "close", "sync_folder"})


class KilledFiles(FaultyFiles):
    """Kills this process at its n-th call that changes a file: half way through a write."""

    def __init__(self, point: int) -> None:
        super().__init__(point, killed)

    def _call(self, name: str) -> bool:
        return name not in UNCHANGING and super()._call(name)


@dataclass
class Stage:
    """The fixtures that all runs of this file share."""

    folder: Path
    running: Service
    template: Path
    count: int = 0

    def scenario(self, concurrency: int = 1) -> Scenario:
        self.count += 1
        number = os.getpid() * 100_000 + self.count
        root = self.folder / f"run-{self.count}"
        return Scenario(root, number, self.running, self.template, concurrency)


@pytest.fixture(scope="module")
def stage(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    folder = tmp_path_factory.mktemp("kill")
    process, running = made.service(folder)
    yield Stage(folder, running, made.repository(folder / "template"))
    process.terminate()
    process.wait(SECONDS)


def of(scenario: Scenario, saved: bool) -> Plan | None:
    """A saved plan, or None: then the run makes a plan."""
    return loads(dumps(scenario.plan())) if saved else None


def running(
    scenario: Scenario,
    plan: Plan | None,
    point: Callable[[], None] = lambda: None,
    files: Files | None = None,
) -> Callable[[], int]:
    """The work of a fork: execute this plan, or make a plan and execute it."""
    return lambda: scenario.run(scenario.edges(point, files), plan)


@pytest.fixture(scope="module")
def reference(stage: Stage) -> dict[str, Any]:
    """The end of an uninterrupted run; the same with a saved plan and without."""
    ends = []
    for saved in (True, False):
        scenario = stage.scenario()
        plan = of(scenario, saved)
        assert scenario.forked(running(scenario, plan)) == 0
        ends.append(scenario.state())
    assert ends[0] == ends[1]
    return ends[0]


def test_the_scenario_has_what_it_is_for(stage: Stage, reference: dict[str, Any]) -> None:
    scenario = stage.scenario()
    steps = scenario.plan().steps
    assert sum(step.study_wide for step in steps) == 1
    assert sum(step.image_set_id == made.SPLIT for step in steps) == 3
    end = reference
    assert {name: len(rows) for name, rows in end["versions"].items()} == {
        made.FIRST: 3,
        made.SECOND: 2,
        made.SPLIT: 4,
        made.PLAIN: 2,
        made.THERE: 1,
    }
    assert len(end["records"]) == 5
    assert end["git"] == [""]
    files = [name for name in end["committed"] if name.startswith("records/")]
    assert [PurePath(name).name for name in files] == [f"{name[:2]}.json" for name in made.IDS]


def finishes(scenario: Scenario, plan: Plan | None, reference: dict[str, Any]) -> None:
    """Run the same command again, and compare with an uninterrupted run."""
    assert scenario.forked(lambda: scenario.run(scenario.edges(), plan)) == 0
    assert scenario.state() == reference
    assert scenario.plan().steps == ()
    shutil.rmtree(scenario.root)


def points(part: int, parts: int, last: list[int]) -> Iterator[int]:
    """1, 2, 3, … dealt out among the parts, until one of them is beyond the last."""
    point = part + 1
    while not last:
        yield point
        point += parts


@pytest.mark.parametrize(
    ("saved", "concurrency"),
    [(True, 1), (False, 1), (False, 4)],
    ids=["saved-plan", "planning", "side-by-side"],
)
def test_killed_at_every_change_of_the_service(
    stage: Stage, reference: dict[str, Any], saved: bool, concurrency: int
) -> None:
    last: list[int] = []
    for point in points(0, 1, last):
        scenario = stage.scenario(concurrency)
        plan = of(scenario, saved)
        code = scenario.forked(running(scenario, plan, Countdown(point)))
        if code != SIGKILL:
            assert code == 0
            last.append(point)
        finishes(scenario, plan, reference)
    assert last[0] > 8


@pytest.mark.parametrize("part", PARTS)
def test_killed_at_every_change_of_a_file(
    stage: Stage, reference: dict[str, Any], part: int
) -> None:
    last: list[int] = []
    for point in points(part, len(PARTS), last):
        scenario = stage.scenario()
        code = scenario.forked(running(scenario, None, files=KilledFiles(point)))
        if code != SIGKILL:
            assert code == 0
            last.append(point)
        finishes(scenario, None, reference)
    assert last[0] > 30


class KilledAtOutcome(Reporter):
    """Kills this process at an outcome, counted from 1, before its record is due."""

    def __init__(self, number: int) -> None:
        self._left = number

    def ended(self, outcome: Outcome) -> None:
        self._left -= 1
        if not self._left:
            killed()


class Standing(FastClock):
    """Time that stands still: no record is due before 64 outcomes, or the end of the run."""

    def now(self) -> float:
        return 0.0


@pytest.mark.parametrize("number", [1, 3, 5])
def test_killed_between_an_outcome_and_its_record(
    stage: Stage, reference: dict[str, Any], number: int
) -> None:
    scenario = stage.scenario()
    edges = replace(scenario.edges(), clock=Standing())
    reporter = KilledAtOutcome(number)
    assert scenario.forked(lambda: scenario.run(edges, None, reporter)) == SIGKILL
    recorded = records.read(scenario.root, scenario.datastore.datastore_id)
    assert set(recorded) == {made.THERE}
    finishes(scenario, None, reference)


# Counts the runs of git, without those that only read: a kill between two of these is a kill before
# the next that writes. A run kills its caller, and goes on: an orphan still commits.
GIT = """#!/bin/sh
case " $* " in
    *" config --"* | *" rev-parse "* | *" ls-"* | *" cat-file "* | *" status "*)
        exec "{git}" "$@" ;;
esac
n=$(($(cat "$KILL_COUNT") + 1))
echo $n > "$KILL_COUNT"
[ $n = "$KILL_BEFORE" ] && kill -9 $PPID
"{git}" "$@"
code=$?
[ $n = "$KILL_AFTER" ] && kill -9 $PPID
exit $code
"""


def within(work: Callable[[], int], **environment: str) -> Callable[[], int]:
    """The same work with kill points; call it in the fork."""

    def killable() -> int:
        os.environ.update(environment, KILL_PID=str(os.getpid()))
        return work()

    return killable


def program(path: Path, text: str) -> None:
    path.write_text(text)
    path.chmod(0o755)


@pytest.mark.parametrize("moment", ["KILL_BEFORE", "KILL_AFTER"])
def test_killed_at_every_run_of_git_that_may_write(
    stage: Stage, reference: dict[str, Any], moment: str, tmp_path: Path
) -> None:
    program(tmp_path / "git", GIT.format(git=shutil.which("git")))
    count = tmp_path / "count"
    environment = {"PATH": f"{tmp_path}:{os.environ['PATH']}", "KILL_COUNT": str(count)}
    for point in itertools.count(1):
        scenario = stage.scenario()
        count.write_text("0")
        here = {**environment, moment: str(point)}
        code = scenario.forked(within(running(scenario, None), **here))
        finishes(scenario, None, reference)
        if code != SIGKILL:
            assert code == 0
            break
    assert int(count.read_text()) == point - 1 >= 2


# The whole group is killed, git too: what it had locked stays locked.
HOOK = """#!/bin/sh
[ -e "$KILL_ONCE" ] && exit 0
: > "$KILL_ONCE"
kill -9 $KILL_PID $PPID
"""


@pytest.mark.parametrize("hook", ["pre-commit", "prepare-commit-msg", "commit-msg", "post-commit"])
def test_killed_together_with_git_while_a_hook_runs(
    stage: Stage, reference: dict[str, Any], hook: str, tmp_path: Path
) -> None:
    scenario = stage.scenario()
    hooks = scenario.root / ".git" / "hooks"
    hooks.mkdir()
    program(hooks / hook, HOOK)
    once = tmp_path / "killed"
    work = within(lambda: scenario.run(scenario.edges(), None), KILL_ONCE=str(once))
    assert scenario.forked(work) == SIGKILL
    assert once.exists()
    shutil.rmtree(hooks)
    finishes(scenario, None, reference)
