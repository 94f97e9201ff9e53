"""What the commands write to the debug log (RECONCILE_DEBUG=1): inputs, decisions and the end."""

from __future__ import annotations

import platform
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from typing import TYPE_CHECKING

from reconciler import __version__
from reconciler.cli import screen
from reconciler.edges.debug_log import Event, Fact, Facts, Log, is_wanted, log_to, silent

if TYPE_CHECKING:
    from reconciler.core.model.outcome import Outcome, Started
    from reconciler.core.model.plan import Action, Plan
    from reconciler.core.model.results import Checked
    from reconciler.core.model.settings import Datastore, Settings
    from reconciler.core.ports import Clock

_LOG: ContextVar[Log] = ContextVar("debug_log", default=silent)


@contextmanager
def logged(arguments: Sequence[str], commands: frozenset[str], clock: Clock) -> Iterator[None]:
    """Log one command, if the user asks for it. Of the arguments, only its name is logged."""
    token = _LOG.set(log_to(screen.note, clock) if is_wanted() else silent)
    try:
        name = next((word for word in arguments if word in commands), "")
        facts: Facts = {
            Fact.COMMAND: name,
            Fact.RELEASE: __version__,
            Fact.PYTHON: platform.python_version(),
        }
        log()(Event.STARTED, facts)
        yield
    finally:
        _LOG.reset(token)


def log() -> Log:
    """The debug log of this command."""
    return _LOG.get()


def ended(code: int) -> None:
    """Log the exit code."""
    log()(Event.ENDED, {Fact.EXIT_CODE: code})


def settings(found: Settings) -> None:
    """Log the data stores of the settings."""
    for store in found.datastores:
        log()(Event.SETTINGS, {**_address(store), Fact.REGION: store.region})


def checked(found: Checked) -> None:
    """Log how many manifests were read."""
    log()(Event.MANIFESTS, {Fact.COUNT: found.files})


def connecting(datastore: Datastore) -> None:
    """Log that the first call to a data store follows."""
    log()(Event.CONNECT, _address(datastore))


def planned(plan: Plan) -> None:
    """Log what was decided for every image set or study."""
    if log() is silent:
        return
    for action in plan.actions:
        log()(Event.PLANNED, _decision(action))


def took(event: Started | Outcome) -> None:
    """Log that a call is about to be sent, or how it ended."""
    step, result = event.step, getattr(event, "result", None)
    facts = {
        Fact.DATASTORE_ID: step.datastore_id,
        Fact.IMAGE_SET: step.image_set_id,
        Fact.VERSION: step.pin,
        Fact.RESULT: result,
    }
    log()(Event.OUTCOME if result else Event.SENDING, facts)


def _address(datastore: Datastore) -> Facts:
    return {Fact.DATASTORE: datastore.name, Fact.DATASTORE_ID: datastore.datastore_id}


def _decision(action: Action) -> Facts:
    return {
        Fact.STATUS: action.status,
        Fact.DATASTORE: action.datastore,
        Fact.IMAGE_SET: action.image_set_id,
        Fact.VERSION: action.members[0].pin,
        Fact.COUNT: len(action.members),
        Fact.CHANGES: len(action.changes),
        Fact.CALLS: len(action.steps),
        Fact.BLOCKS: len(action.blocks),
        Fact.HAZARDS: ",".join(sorted({str(use.hazard) for use in action.hazards})),
    }
