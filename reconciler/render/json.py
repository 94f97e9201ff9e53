"""The output of the commands with --json. Values are masked as they are in text.

A plan is in `plan_json`.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence

from reconciler import __version__
from reconciler.core.errors import Diagnostic, Place
from reconciler.core.model.api_version import API_VERSION
from reconciler.core.model.ask import ImageSetAsk
from reconciler.core.model.observed import Summary
from reconciler.core.model.outcome import Landed, Outcome, Result
from reconciler.core.model.plan import Step
from reconciler.core.model.results import Applied
from reconciler.core.model.settings import Datastore
from reconciler.core.model.value import Json
from reconciler.render.style import Look
from reconciler.render.table import found_value


def _place(place: Place | None) -> Json:
    return {"file": place.file, "line": place.line, "column": place.column} if place else None


def _step(step: Step) -> dict[str, Json]:
    """A call without its values."""
    return {
        "imageSetId": step.image_set_id,
        "latestVersionId": step.pin,
        "force": step.force,
        "includeStudyImageSets": step.study_wide,
        "revertToVersionId": step.revert_to,
        "raises": [image_set_id for image_set_id, _ in step.expected],
    }


def applied(ended: Applied, exit_code: int) -> dict[str, Json]:
    """A report as report.schema.json describes it, with an outcome for every step.

    `exit_code` is the exit code of the process: a signal takes precedence over the outcomes.
    """
    planned = ended.plan
    results = Counter(outcome.result for outcome in ended.outcomes)
    return {
        "apiVersion": API_VERSION,
        "kind": "Report",
        "toolVersion": __version__,
        "planDigest": ended.plan_digest,
        "basis": {"commit": planned.basis.commit},
        "totals": {
            "steps": len(planned.steps),
            **{str(result): results[result] for result in Result},
            "held": len(ended.held),
        },
        "outcomes": [_outcome(outcome) for outcome in ended.outcomes],
        "held": [
            {
                "imageSetId": action.image_set_id,
                "status": str(action.status),
                "reasons": [
                    *dict.fromkeys(block.message for block in action.blocks),
                    *(f"{use.hazard} needs consent" for use in action.hazards if not use.consented),
                ],
            }
            for action in ended.held
        ],
        "recovered": [_landed(landed) for landed in ended.recovered],
        "recorded": [path.as_posix() for path in ended.recorded],
        "commit": ended.commit,
        "problems": [
            {"message": problem.message, "hint": problem.hint} for problem in ended.problems
        ],
        "exitCode": exit_code,
    }


def _outcome(outcome: Outcome) -> Json:
    return {
        **_step(outcome.step),
        "result": str(outcome.result),
        "message": outcome.message,
        "landed": [_landed(landed) for landed in outcome.landed],
    }


def _landed(landed: Landed) -> Json:
    return {
        "imageSetId": landed.image_set_id,
        "versionId": landed.version_id,
        "previousVersionId": landed.previous_version_id,
    }


def problems(diagnostics: Iterable[Diagnostic]) -> Json:
    """The problems of invalid files."""
    return {
        "valid": False,
        "problems": [
            {"place": _place(found.place), "message": found.message, "hint": found.hint}
            for found in diagnostics
        ],
    }


def checked(files: int, asks: Sequence[ImageSetAsk]) -> Json:
    """The image sets that valid files ask for."""
    return {
        "valid": True,
        "files": files,
        "imageSets": [
            {"datastore": ask.datastore, "imageSetId": ask.image_set_id, "place": _place(ask.place)}
            for ask in asks
        ],
        "problems": [],
    }


def datastores(found: Iterable[Datastore]) -> Json:
    """The data stores of the settings."""
    return [
        {
            "name": store.name,
            "datastoreId": store.datastore_id,
            "region": store.region,
            "accountId": store.account_id,
            "endpoint": store.endpoint,
        }
        for store in found
    ]


def image_sets(found: Iterable[Summary], look: Look) -> Json:
    """Rows of SearchImageSets."""
    return [
        {
            "imageSetId": summary.image_set_id,
            "versionId": summary.version_id,
            "isPrimary": summary.is_primary,
            "tags": {name: found_value(name, text, look) for name, text in summary.tags},
        }
        for summary in found
    ]
