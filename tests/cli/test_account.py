"""The account in reconciler.yaml is checked before any other call."""

from __future__ import annotations

import json
from pathlib import Path
from urllib.request import urlopen

import pytest

from reconciler.emulator.http.server import Emulator
from tests.cli.conftest import Command

ID = "aca469ab431797e6c78c0306c39c40ee"
READERS = {
    "plan": ("plan",),
    "apply": ("apply", "--auto-approve"),
    "import": ("import", "--image-set", ID),
    "search": ("search",),
}


def called(emulator: Emulator) -> set[str]:
    """The operations that were called."""
    with urlopen(f"{emulator.endpoint}/_emulator/counters") as answer:
        return set(json.load(answer)["operations"])


def state(workspace: Path, endpoint: str, account: str) -> None:
    settings = workspace / "reconciler.yaml"
    text = settings.read_text()
    stated = f"endpoint: {endpoint}\n    accountId: '{account}'"
    settings.write_text(text.replace("endpoint: emulator", stated))
    assert settings.read_text() != text


@pytest.mark.parametrize("name", READERS)
def test_another_account_stops_before_any_read(
    workspace: Path, reconcile: Command, name: str
) -> None:
    with Emulator(workspace / ".reconcile" / "emulator") as emulator:
        state(workspace, emulator.endpoint, "123456789012")
        ran = reconcile(*READERS[name])
        assert ran.code == 1
        assert "belongs to account 123456789012" in ran.err
        assert "answers as account 000000000000: nothing was read" in ran.err
        assert "accountId" in ran.err
        assert called(emulator) == {"GetCallerIdentity"}


@pytest.mark.parametrize("name", READERS)
def test_the_stated_account_may_read(workspace: Path, reconcile: Command, name: str) -> None:
    state(workspace, "emulator", "000000000000")
    assert reconcile(*READERS[name]).code == 0


def test_where_none_is_stated_nobody_asks(workspace: Path, reconcile: Command) -> None:
    with Emulator(workspace / ".reconcile" / "emulator") as emulator:
        settings = workspace / "reconciler.yaml"
        settings.write_text(settings.read_text().replace(" emulator", f" {emulator.endpoint}"))
        assert reconcile("plan").code == 0
        assert "GetCallerIdentity" not in called(emulator)


@pytest.mark.parametrize(
    ("endpoint", "said"),
    [
        ("http://127.0.0.1:9", "does not answer"),
        ("http://under..score", "is not a URL"),
        ("http://a,b", "is not a URL"),
    ],
)
@pytest.mark.parametrize("account", ["", "000000000000"])
def test_an_endpoint_that_cannot_be_asked(
    workspace: Path, reconcile: Command, endpoint: str, said: str, account: str
) -> None:
    """The hint names the data store, also where the account is asked for first."""
    if account:
        state(workspace, endpoint, account)
    else:
        settings = workspace / "reconciler.yaml"
        settings.write_text(settings.read_text().replace(" emulator", f" {endpoint}"))
    ran = reconcile("plan")
    assert (ran.code, ran.out) == (1, "")
    assert f"the endpoint {endpoint} {said}" in ran.err
    assert "datastores.research.endpoint in reconciler.yaml" in ran.err
