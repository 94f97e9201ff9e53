"""The command that shows the service's own message about a version."""

from __future__ import annotations

import shlex

import pytest

from reconciler.core.model.settings import Datastore
from tests.documents import DATASTORE_ID
from tests.planning import A

COMMAND = (
    f"aws medical-imaging get-image-set --datastore-id {DATASTORE_ID} --image-set-id {A} "
    "--version-id 3 --region eu-west-1"
)


def hint(endpoint: str) -> str:
    return Datastore("research", DATASTORE_ID, "eu-west-1", endpoint=endpoint).message_hint(A, "3")


def test_on_aws_the_region_is_enough() -> None:
    assert hint("") == f"To see the service's own message: {COMMAND}"


@pytest.mark.parametrize("endpoint", ["http://127.0.0.1:8080", "http://[::1]:80/a b;c"])
def test_another_endpoint_is_named_without_a_prefix_of_its_host(endpoint: str) -> None:
    """As one word of a shell: the endpoint is text of reconciler.yaml."""
    shown = hint(endpoint).removeprefix("To see the service's own message: ")
    assert shlex.split(shown) == [
        "AWS_DISABLE_HOST_PREFIX_INJECTION=true",
        *shlex.split(COMMAND),
        "--endpoint-url",
        endpoint,
    ]


def test_an_emulator_that_a_command_starts_must_be_started_first() -> None:
    shown = hint("emulator")
    assert "reconcile emulator" in shown
    assert shown.index("reconcile emulator") < shown.index(", then: ") < shown.index(COMMAND)
