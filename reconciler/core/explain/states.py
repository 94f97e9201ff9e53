"""Explains every status of a plan and every outcome of a call: what it means, what to do next."""

from __future__ import annotations

from reconciler.core.explain.examples import ACCEPTS, OVERWRITES
from reconciler.core.explain.model import AWS_UPDATES, Explanation, Kind
from reconciler.core.model.outcome import Result
from reconciler.core.model.plan import Status

STATUSES = (
    Explanation(
        Kind.STATUS,
        Status.CONVERGED,
        "the image set has everything that the manifests ask for",
        meaning="""
        Values are compared as DICOM compares them: padding does not count, and `1.10` equals `1.1`
        in a DS. Nothing is sent.
        """,
        todo="Nothing. The next `reconcile apply` brings the record up to date.",
        see=("record", "baseline"),
    ),
    Explanation(
        Kind.STATUS,
        Status.UPDATE,
        "a live value differs from the manifest, and `reconcile apply` changes it",
        meaning="""
        No other process changed this attribute since its baseline. Or it has no baseline yet: then
        it is a first change, and the plan counts it.
        """,
        todo="""
        Compare every value before and after, read the hazards, then merge. `reconcile apply` sends
        exactly these changes.
        """,
        see=("baseline", "first changes", "hazard"),
    ),
    Explanation(
        Kind.STATUS,
        Status.DRIFTED,
        "another process changed a value that a manifest asks for",
        meaning="""
        The value differs from the manifest and from its baseline. Or the baseline cannot be read,
        so nothing shows who changed it. `reconcile` overwrites it only with consent.
        """,
        todo="""
        Find out who changed the value. If it is right, write it into the manifest. If the manifest
        is right, add the line that the plan prints.
        """,
        manifest=OVERWRITES,
        see=("drift", "OVERWRITES_DRIFT", "baseline"),
    ),
    Explanation(
        Kind.STATUS,
        Status.BUSY,
        "another write to the image set is in progress (LOCKED)",
        meaning="""
        AWS HealthImaging locks an image set while it updates, copies or deletes it. Until it is
        ACTIVE again, its content may change, so nothing is read or sent.
        """,
        todo="Wait until it is ACTIVE. Then run `reconcile plan` again.",
        sources=(AWS_UPDATES,),
        see=("LOCKED",),
    ),
    Explanation(
        Kind.STATUS,
        Status.BLOCKED,
        "the plan holds the changes of this image set back",
        meaning="""
        The plan states the reason at the action: consent is missing; AWS would refuse the change;
        the image set, series or instance does not exist; or an earlier update is unverified. Other
        image sets go on.
        """,
        todo="""
        Do what the line below the reason says. If consent is missing, it is a line to add to the
        manifest.
        """,
        see=("consent", "hazard", "primary", "unverified"),
    ),
)

OUTCOMES = (
    Explanation(
        Kind.OUTCOME,
        Result.CONVERGED,
        "the new version was read back, and its content is what was planned",
        meaning="""
        AWS only reports that it accepted an update. So `reconcile` reads the new version, and
        compares every attribute, the frames and their checksums.
        """,
        todo="Nothing. Commit the records.",
        see=("record",),
    ),
    Explanation(
        Kind.OUTCOME,
        Result.ALREADY_CONVERGED,
        "an earlier run has already made this change",
        meaning="""
        Nothing was sent. This happens after a run that was interrupted, and with two runs of the
        same plan.
        """,
        todo="Nothing. The run records the version.",
        see=("converged", "record"),
    ),
    Explanation(
        Kind.OUTCOME,
        Result.CONFLICT,
        "another process changed the image set after the plan",
        meaning="""
        Every call states the version that the plan read. The image set has another version now, so
        AWS refused the call. In a study, the other process may have changed a sibling in the moment
        of the call: then the message names both versions.
        """,
        todo="""
        Run `reconcile plan` again and review the new plan. `reconcile` never repeats the call at
        the newer version: no reviewer has seen that.
        """,
        sources=(AWS_UPDATES,),
        see=("expected version", "sibling", "drift"),
    ),
    Explanation(
        Kind.OUTCOME,
        Result.FAILED,
        "AWS refused the update",
        meaning="""
        Either the call was refused at once, or the update ended as UPDATE_FAILED. A failed update
        changes nothing, but may use up a version number.
        """,
        todo="""
        Fix what the message states, then run `reconcile plan` again. The message of the service may
        hold patient data. Where it is not shown, the report prints the AWS CLI command that shows
        it.
        """,
        see=("UPDATE_FAILED", "version"),
    ),
    Explanation(
        Kind.OUTCOME,
        Result.UNVERIFIED,
        "AWS accepted the update, but other content was read back",
        meaning="""
        Or the update did not end as AWS documents it: it made no version, overwrote a change of
        another process, or left out an image set of the study. The record notes the version and the
        attributes. They stay blocked until a manifest accepts them.
        """,
        todo="""
        Run `reconcile plan`: it lists what is different. If the stored value is right, ask for it.
        If it is wrong, ask for the right value. In both cases, add the consent that the plan
        prints.
        """,
        manifest=ACCEPTS,
        sources=("docs/records.md, Updates that were stored otherwise",),
        see=("ACCEPTS_UNVERIFIED", "record"),
    ),
    Explanation(
        Kind.OUTCOME,
        Result.UNRESOLVED,
        "the update was sent, but its end was not seen",
        meaning="""
        The connection broke, the image set stayed LOCKED for longer than `lockTimeout`, or the run
        was stopped. The image set may have the new content.
        """,
        todo="""
        Run the same `reconcile apply` again. It first finds out how the update ended, and sends
        nothing twice.
        """,
        see=("LOCKED", "recovered"),
    ),
    Explanation(
        Kind.OUTCOME,
        Result.BLOCKED,
        "not sent: the plan holds it back",
        meaning="The plan states the reason at the action.",
        todo="Run `reconcile plan`, do what it says at the action, and have it reviewed.",
        see=("consent", "hazard"),
    ),
    Explanation(
        Kind.OUTCOME,
        Result.STALE,
        "not sent: the saved plan no longer holds",
        meaning="""
        A manifest, a setting or a consent changed after the plan was saved. Or the image set has
        other times than the plan read. The message states which.
        """,
        todo="Run `reconcile plan` again, and have the new plan reviewed.",
        see=("plan", "expected version"),
    ),
    Explanation(
        Kind.OUTCOME,
        Result.SUPERSEDED,
        "not sent: a newer commit of the branch asks for something else",
        meaning="""
        A merge that came later changes a manifest of this image set, or the settings. The apply of
        that commit decides, so this run leaves the image set alone and does not fail.
        """,
        todo="Nothing. The apply of the newer commit reports what became of it.",
        sources=("docs/gitops.md, While the branch moves on",),
        see=("stale", "unreviewed"),
    ),
    Explanation(
        Kind.OUTCOME,
        Result.UNREVIEWED,
        "not sent: no review holds it as it is now",
        meaning="""
        `apply --reviewed` executes only what reviews hold, change by change. No review that has not
        expired holds this change, its version or one of its hazards. The message states which.
        """,
        todo="Open a pull request: its plan writes a fresh review. Merge it once it is approved.",
        sources=("docs/gitops.md, What was reviewed is what is applied",),
        see=("review", "expected version"),
    ),
    Explanation(
        Kind.OUTCOME,
        Result.NOT_ATTEMPTED,
        "not sent: the run ended before its turn",
        meaning="""
        The run was stopped, or reached `--limit` or `--max-duration`. Or an earlier call of the
        same image set did not converge. Or the data store could not be reached.
        """,
        todo="Run the same `reconcile apply` again: it continues there.",
        see=("step",),
    ),
)
