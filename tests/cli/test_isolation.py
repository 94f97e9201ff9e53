"""A data store that cannot be read does not hold the other data stores back."""

from __future__ import annotations

import gzip
import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import jsonschema_rs
import pytest

from reconciler.edges import schemas
from reconciler.emulator.http.options import Options
from reconciler.emulator.http.server import Emulator
from reconciler.emulator.trouble.faults import Fault, FaultSet
from tests.cli.conftest import Command, Ran
from tests.cli.outside import manifest
from tests.documents import IMAGE_SET_ID, OTHER_ID, document

GOOD = "12345678901234567890123456789012"
BAD = "abcdefabcdefabcdefabcdefabcdefab"
ASK = "present: {Study: {DICOM: {StudyDescription: %s}}}\n"
REFUSES = FaultSet((Fault(kind="expired-credentials"),))

STOPPED = "does not answer (EndpointConnectionError)"
REFUSED = "the AWS credentials have expired"
FOREIGN = "belongs to account 123456789012, but"


@dataclass
class World:
    """A repository with two data stores; the manifests of `archive` ask for two image sets."""

    root: Path
    reconcile: Command
    emulators: dict[str, Emulator]
    folder: Path
    account: str = ""

    def start(self, name: str, faults: FaultSet | None = None) -> None:
        """Start the emulator of a data store again, on another port."""
        self.stop(name)
        options = Options(update_seconds=0.0, faults=faults or FaultSet())
        self.emulators[name] = Emulator(self.folder / name, options)
        self.configure()

    def stop(self, name: str) -> None:
        if name in self.emulators:
            self.emulators[name].close()

    def configure(self) -> None:
        stores = {"research": GOOD, "archive": BAD}
        text = "lockTimeout: 1m\ndatastores:\n"
        for name, emulator in self.emulators.items():
            text += f'  {name}:\n    datastoreId: "{stores[name]}"\n    region: us-east-1\n'
            text += f"    endpoint: {emulator.endpoint}\n"
            text += (
                f"    accountId: '{self.account}'\n" if name == "archive" and self.account else ""
            )
        (self.root / "reconciler.yaml").write_text(text)

    def ask(self, description: str) -> None:
        """Ask for a description in every image set."""
        manifest(self.root, "research.yaml", ASK % description)
        path = manifest(self.root, "archive.yaml", ASK % description, IMAGE_SET_ID, OTHER_ID)
        path.write_text(path.read_text().replace("datastore: research", "datastore: archive"))

    def description(self, name: str, store: str) -> Any:
        answer = self.emulators[name].service.call(
            "GetImageSetMetadata", {"datastoreId": store, "imageSetId": IMAGE_SET_ID}
        )
        raw = json.loads(gzip.decompress(answer["imageSetMetadataBlob"]))
        return raw["Study"]["DICOM"]["StudyDescription"]

    def records(self, store: str) -> dict[str, str]:
        folder = self.root / "records" / store
        return {path.name: path.read_text() for path in folder.glob("*.json")}


@pytest.fixture
def world(tmp_path: Path, reconcile: Command, monkeypatch: pytest.MonkeyPatch) -> Iterator[World]:
    root = tmp_path / "repository"
    root.mkdir()
    monkeypatch.chdir(root)
    made = World(root, reconcile, {}, tmp_path)
    for name, store, ids in (
        ("research", GOOD, (IMAGE_SET_ID,)),
        ("archive", BAD, (IMAGE_SET_ID, OTHER_ID)),
    ):
        made.start(name)
        service = made.emulators[name].service
        service.ensure_datastore(store, name)
        for one in ids:
            service.load(store, document(image_set_id=one), image_set_id=one, primary=False)
    made.ask("THORAX")
    yield made
    for emulator in made.emulators.values():
        emulator.close()


def stopped(world: World) -> None:
    world.stop("archive")


def refusing(world: World) -> None:
    world.start("archive", REFUSES)


def foreign(world: World) -> None:
    world.account = "123456789012"
    world.configure()


TROUBLES = {
    "stopped": (stopped, STOPPED),
    "refusing": (refusing, REFUSED),
    "foreign": (foreign, FOREIGN),
}
Trouble = tuple[Callable[[World], None], str]


@pytest.fixture(params=TROUBLES)
def reason(request: pytest.FixtureRequest, world: World) -> str:
    """The data store `archive` cannot be read, for this reason."""
    break_it, said = TROUBLES[request.param]
    break_it(world)
    return said


def check_error(ran: Ran, reason: str) -> None:
    """The error is printed once, with its hint, and names the data store."""
    assert ran.code == 1
    assert ran.err.count("error: ") == 1
    assert "error: data store archive: 2 image sets not read: " in ran.err
    assert reason in ran.err
    assert "\n    " in ran.err


def test_a_plan_shows_the_others(world: World, reason: str) -> None:
    ran = world.reconcile("plan")
    check_error(ran, reason)
    assert "Plan: 1 image set to update (1 call), 2 not read.\n" in ran.out
    assert "Not read: 2 image sets of data store archive.\n" in ran.out
    assert ran.out.endswith("To apply it: reconcile apply\n")
    assert world.reconcile("plan", "--detailed-exitcode").code == 1


def test_the_json_of_a_plan_has_what_was_not_read(world: World, reason: str) -> None:
    ran = world.reconcile("plan", "--json")
    check_error(ran, reason)
    content = json.loads(ran.out)
    assert content["totals"]["unread"] == 2
    assert content["totals"]["actions"]["update"] == 1
    (unread,) = content["unread"]
    assert (unread["datastore"], unread["datastoreId"], unread["imageSets"]) == ("archive", BAD, 2)
    assert reason in unread["message"]
    assert unread["hint"]
    assert [action["datastore"] for action in content["actions"]] == ["research"]


def test_a_saved_plan_has_it_and_is_applied(world: World, reason: str, tmp_path: Path) -> None:
    plan = tmp_path / "plan.json"
    check_error(world.reconcile("plan", "--out", plan), reason)
    saved = json.loads(plan.read_text())
    assert jsonschema_rs.is_valid(schemas.load("plan"), saved)
    assert saved["totals"]["unread"] == saved["unread"][0]["imageSets"] == 2
    shown = world.reconcile("show", plan)
    assert "2 not read.\n" in shown.out
    assert reason in shown.err
    assert json.loads(world.reconcile("show", plan, "--json").out)["unread"] == saved["unread"]
    ran = world.reconcile("apply", plan)
    check_error(ran, reason)
    assert "Apply: 1 converged, 2 not read.\n" in ran.out
    assert world.description("research", GOOD) == "THORAX"
    assert len(world.records(GOOD)) == 1
    assert world.records(BAD) == {}


def test_an_apply_changes_and_records_the_others(
    world: World, reason: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    page = tmp_path / "summary.md"
    monkeypatch.setenv("GITHUB_STEP_SUMMARY", str(page))
    report = tmp_path / "report.json"
    ran = world.reconcile("apply", "--auto-approve", "--report", report)
    check_error(ran, reason)
    assert "Apply: 1 converged, 2 not read.\n" in ran.out
    assert world.description("research", GOOD) == "THORAX"
    assert (len(world.records(GOOD)), world.records(BAD)) == (1, {})
    content = json.loads(report.read_text())
    assert jsonschema_rs.is_valid(schemas.load("report"), content)
    assert (content["exitCode"], content["totals"]["unread"]) == (1, 2)
    assert content["unread"][0]["datastore"] == "archive"
    assert "**1 converged, 2 not read**" in page.read_text()
    assert "> **Not read:** data store archive: 2 image sets not read: " in page.read_text()


def test_the_json_of_an_apply_has_it(world: World, reason: str) -> None:
    ran = world.reconcile("apply", "--auto-approve", "--json")
    check_error(ran, reason)
    content = json.loads(ran.out)
    assert (content["exitCode"], content["totals"]["converged"], content["totals"]["unread"]) == (
        1,
        1,
        2,
    )


def test_where_the_others_are_converged_it_is_still_an_error(world: World, reason: str) -> None:
    world.reconcile("apply", "--auto-approve")
    ran = world.reconcile("plan", "--detailed-exitcode")
    check_error(ran, reason)
    assert "Plan: 1 converged, 2 not read.\n" in ran.out
    check_error(world.reconcile("apply", "--auto-approve"), reason)


@pytest.mark.parametrize("name", TROUBLES)
def test_records_of_what_is_not_read_stay(world: World, name: str) -> None:
    """A record is neither released nor changed, and drift in the meantime is found later."""
    assert world.reconcile("apply", "--auto-approve").code == 0
    recorded = world.records(BAD)
    assert recorded
    manifest(world.root, "research.yaml", ASK % "HEAD")
    path = manifest(world.root, "archive.yaml", ASK % "HEAD")  # the other is released
    path.write_text(path.read_text().replace("datastore: research", "datastore: archive"))
    break_it, _ = TROUBLES[name]
    break_it(world)
    content = json.loads(world.reconcile("plan", "--json").out)
    assert content["released"] == []
    assert world.reconcile("apply", "--auto-approve").code == 1
    assert world.records(BAD) == recorded
    world.account = ""
    world.start("archive")
    planned = json.loads(world.reconcile("plan", "--json").out)
    assert [one["imageSetId"] for one in planned["released"]] == [OTHER_ID]
    assert "unread" not in planned
    assert "unread" not in planned["totals"]
    assert world.reconcile("apply", "--auto-approve").code == 0
    assert world.records(BAD) != recorded


@pytest.mark.parametrize("checked", [True, False], ids=["account-stated", "no-account"])
def test_a_data_store_lost_after_the_plan_does_not_stop_the_others(
    world: World, tmp_path: Path, checked: bool
) -> None:
    """With `accountId` the connection itself fails, else the first call of each step."""
    plan = tmp_path / "plan.json"
    assert world.reconcile("plan", "--out", plan).code == 0
    world.account = "000000000000" if checked else ""
    world.configure()
    stopped(world)
    ran = world.reconcile("apply", plan, "--json")
    assert ran.code == (1 if checked else 2)
    content = json.loads(ran.out)
    assert content["exitCode"] == ran.code
    messages = [one["message"] for one in content["outcomes"] if one["result"] == "not-attempted"]
    assert len(messages) == 2
    assert all(one.startswith("not sent: ") and STOPPED in one for one in messages)
    assert content["totals"]["converged"] == 1
    if checked:
        (problem,) = content["problems"]
        assert problem["message"].startswith("data store archive: nothing was sent: the endpoint")
        assert f"error: {problem['message']}" in ran.err
    assert world.description("research", GOOD) == "THORAX"
    assert (len(world.records(GOOD)), world.records(BAD)) == (1, {})


def test_a_saved_plan_for_another_account_is_applied_elsewhere(
    world: World, tmp_path: Path
) -> None:
    """Its actions are not called stale: they hold as soon as the credentials are right."""
    plan = tmp_path / "plan.json"
    world.reconcile("plan", "--out", plan)
    foreign(world)
    ran = world.reconcile("apply", plan)
    assert ran.code == 1
    assert "Apply: 1 converged, 2 not-attempted.\n" in ran.out
    assert "error: data store archive: nothing was sent: data store archive belongs to" in ran.err
    world.account = ""
    world.configure()
    ran = world.reconcile("apply", plan)
    assert (ran.code, world.description("archive", BAD)) == (0, "THORAX")


def test_if_no_data_store_can_be_read_the_command_fails(world: World, tmp_path: Path) -> None:
    stopped(world)
    world.start("research", REFUSES)
    ran = world.reconcile("plan", "--out", tmp_path / "plan.json")
    assert (ran.code, ran.out) == (1, "")
    assert ran.err.startswith("error: the endpoint ")
    assert STOPPED in ran.err
    assert not (tmp_path / "plan.json").exists()
    assert world.reconcile("apply", "--auto-approve").err == ran.err


def test_only_selected_data_stores_are_read(world: World) -> None:
    stopped(world)
    assert world.reconcile("plan", "manifests/research.yaml").code == 0
    ran = world.reconcile("plan", "manifests/archive.yaml")
    assert (ran.code, ran.out) == (1, "")
    assert ran.err.startswith("error: the endpoint ")
