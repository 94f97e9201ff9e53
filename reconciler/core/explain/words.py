"""Explains the words of our own: of plans, reports, records and settings."""

from __future__ import annotations

from reconciler.core.explain.examples import OVERWRITES
from reconciler.core.explain.model import (
    AWS_THROTTLING,
    Explanation,
    Kind,
    example,
)

WORDS = (
    Explanation(
        Kind.WORD,
        "drift",
        "a value that a manifest asks for was changed outside this repository",
        meaning="""
        The record keeps the baseline of each attribute: the version in which its value was last
        known and reviewed. `reconcile plan` compares the live value with the value of that version.
        If they differ, another process changed it. It is never overwritten without consent.
        """,
        todo="""
        Find out who changed it. Write the live value into the manifest, or consent to overwrite it.
        """,
        manifest=OVERWRITES,
        see=("drifted", "baseline", "OVERWRITES_DRIFT"),
    ),
    Explanation(
        Kind.WORD,
        "baseline",
        "the version in which the value of an attribute was last known and reviewed",
        meaning="""
        It stands in the records, for each attribute that a manifest asks for. It rises when a run
        sees the value that was asked for, and never falls. The service keeps every version, so the
        value of the baseline can be read, and need not be stored.

        A baseline is unreadable if the service shows another history than the record: for example
        if the record is of another data store. Then a value that differs is `drifted`.
        """,
        sources=("docs/records.md, Baselines",),
        see=("drift", "record", "first changes"),
        aliases=("unreadable",),
    ),
    Explanation(
        Kind.WORD,
        "consent",
        "a line of a manifest that permits a hazard",
        meaning="""
        It is a line in a file, so that reviewers see it. There is no option of the command line for
        it. It covers the changes of its own manifest, and no other. `allow:` in reconciler.yaml
        covers every manifest, and a plan shows that.
        """,
        todo="""
        Do not add consent in advance. Run `reconcile plan`: where consent is missing, it prints the
        line and the place.
        """,
        manifest=example("""
present:
  Patient:
    DICOM:
      PatientName: Garcia^Gloria
allow: [CHANGES_PATIENT_IDENTITY]
"""),
        see=("hazard", "allow", "force"),
    ),
    Explanation(
        Kind.WORD,
        "hazard",
        "a named danger of a change",
        meaning="""
        The plan shows hazards at the change that has them. Some need consent: without it, the
        action is `blocked`. `reconcile explain` without a word lists all of them.
        """,
        see=("consent", "blocked"),
        aliases=("hazards", "danger"),
    ),
    Explanation(
        Kind.WORD,
        "record",
        "what a run knows of an image set: versions, and a baseline for each attribute",
        meaning="""
        `reconcile apply` writes it below records/. It holds no DICOM value. With it, the next plan
        distinguishes drift from a change of your manifests. An image set without changes needs no
        read of its document.
        """,
        todo="Commit records/ and reconciler.key after every apply. Never edit them.",
        sources=("docs/records.md",),
        see=("baseline", "drift", "reconciler.key"),
        aliases=("records", "recorded"),
    ),
    Explanation(
        Kind.WORD,
        "first changes",
        "changes of attributes that no record mentions yet",
        meaning="""
        Nothing shows that the live values were ever reviewed. They may be right, and are replaced
        without a question.
        """,
        todo="""
        Expect them for a new manifest. If an old manifest has them, records are missing: check out
        records/, and plan again.
        """,
        see=("baseline", "record"),
        aliases=("first change",),
    ),
    Explanation(
        Kind.WORD,
        "managed",
        "an attribute that a manifest asks for",
        meaning="""
        Everything else is unmanaged: `reconcile` neither changes nor judges it. If no manifest asks
        for an attribute any more, it is released. Its live value stays, and so does its baseline.
        """,
        see=("ask", "baseline"),
        aliases=("unmanaged", "released"),
    ),
    Explanation(
        Kind.WORD,
        "ask",
        "everything that the manifests ask of one image set",
        meaning="""
        Several manifests may ask for attributes of one image set. If they ask for different values
        of one attribute, that is an error, and names both lines.
        """,
        see=("manifest", "managed"),
    ),
    Explanation(
        Kind.WORD,
        "manifest",
        "a YAML document that asks for attributes of image sets",
        meaning="""
        It states which values must be there and which must not. A file may hold several, separated
        by `---`. It may hold patient data: keep the repository as private as the archive.
        """,
        todo="Begin with the live values: `reconcile import --image-set ID`.",
        manifest=example("""
reason: The console wrote a code instead of a description
present:
  Study:
    DICOM:
      StudyDescription: CT CHEST
"""),
        sources=("docs/manifests.md",),
        see=("present", "absent", "imageSetId"),
    ),
    Explanation(
        Kind.WORD,
        "plan",
        "the changes that an apply would make, for review",
        meaning="""
        `reconcile plan` only reads. A saved plan (`--out`) is executed exactly as it was reviewed.
        If it no longer holds, the changes are `stale`, and nothing is sent. A saved plan holds
        values in clear: do not upload it.
        """,
        sources=("docs/apply.md, A saved plan",),
        see=("action", "step", "stale"),
    ),
    Explanation(
        Kind.WORD,
        "review",
        "what a reviewer approved: each change of a plan, as a keyed digest",
        meaning="""
        `plan --review FILE` writes it for a pull request. After the merge, `apply --reviewed FILE`
        plans again and executes only changes that a review holds. A review holds no DICOM value.
        """,
        sources=("docs/gitops.md, What was reviewed is what is applied",),
        see=("unreviewed", "plan", "expected version"),
        aliases=("review.json", "reviewExpiresAfter", "reviewed"),
    ),
    Explanation(
        Kind.WORD,
        "action",
        "the unit of a plan: one image set, or all primary image sets of a study",
        meaning="An action is blocked or executed as a whole. It consists of one or more steps.",
        see=("step", "study-wide", "SPLIT_UPDATE"),
    ),
    Explanation(
        Kind.WORD,
        "step",
        "one call of UpdateImageSetMetadata",
        meaning="""
        It carries all changes of an image set that fit into one call. AWS allows one call in four
        seconds for a whole account, unless the quota was raised. Each step ends with one outcome.
        """,
        sources=(AWS_THROTTLING,),
        see=("action", "SPLIT_UPDATE"),
        aliases=("call",),
    ),
    Explanation(
        Kind.WORD,
        "masked",
        "a value that may identify a person is shown as its shape, such as <text(8)>",
        meaning="""
        A terminal shows values. A pipe, a file or a CI log does not: there, only values are shown
        that are known to be harmless.
        """,
        todo="""
        To see values, run the command on a terminal, or add `--show-values` where the output may
        hold patient data.
        """,
        settings="redact: identifying\n",
        sources=("docs/patient-data.md",),
        see=("HISTORY_KEEPS_VALUES",),
        aliases=("redact", "mask", "--show-values", "--mask-values"),
    ),
    Explanation(
        Kind.WORD,
        "guardrails",
        "the most that one apply may change in a data store",
        meaning="""
        If an apply exceeds one of them, it stops before it sends anything. They protect an archive
        from a mistake in one line. They never stop a plan: the plan states that its apply would be
        stopped.
        """,
        todo="""
        If the plan is right, raise the number in a pull request of its own, or apply the manifests
        in parts.
        """,
        settings=(
            "guardrails:\n  imageSets: 500\n  percent: 30\n  removedInstances: 0\n"
            "  removedSeries: 0\n  patients: 100\n  forcedSteps: 0\n"
        ),
        sources=("docs/settings.md, Guardrails",),
        see=("plan",),
        aliases=(
            "guardrail",
            "imageSets",
            "percent",
            "removedInstances",
            "removedSeries",
            "patients",
            "forcedSteps",
        ),
    ),
    Explanation(
        Kind.WORD,
        "recovered",
        "changes of an interrupted run that this run found and recorded",
        meaning="""
        A run may be stopped at any moment. Before it sends an update, it notes the attempt in
        .reconcile/attempts. The next run finds out how the attempt ended, and records it.
        """,
        todo="Nothing. Commit the records.",
        sources=("docs/apply.md, Stopping and starting again",),
        see=("unresolved", "already-converged"),
        aliases=("attempt", "attempts"),
    ),
    Explanation(
        Kind.WORD,
        "tree not clean",
        "the commit does not hold the files from which the plan was made",
        meaning="""
        A manifest or reconciler.yaml has a change that is not committed, or git does not know the
        file. So the commit does not show what was asked for.
        """,
        todo="Commit the manifests, then run `reconcile plan` again.",
        sources=("docs/apply.md, A saved plan",),
        see=("plan",),
        aliases=("not clean", "clean"),
    ),
    Explanation(
        Kind.WORD,
        "reconciler.key",
        "the key of the digests in records, reports and commits",
        meaning="""
        Without a key, a birth date is found from its digest by trying all dates. With the key, only
        those who can read the repository can try. The first apply makes the file, and no run
        replaces it.
        """,
        todo="Commit it with the records. Refuse a pull request that changes it.",
        sources=("docs/records.md, reconciler.key",),
        see=("record",),
        aliases=("key", "digest", "seal"),
    ),
)
