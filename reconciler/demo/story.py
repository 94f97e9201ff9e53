"""The chapters of the demo, in order."""

from __future__ import annotations

from collections.abc import Callable

from reconciler.demo.colleague import changes_study
from reconciler.demo.stage import Stage

_BONE_SCAN_ID = "1417b070c05b2d26137e730281541afd"
_DATES = "manifests/acr-nema-dates.yaml"
_DATES_ID = "aca469ab431797e6c78c0306c39c40ee"
_BONE_SCAN = "manifests/bone-scan.yaml"
REMOVES = f"""\
apiVersion: reconciler/v1
kind: ImageSet
datastore: research
imageSetId: {_BONE_SCAN_ID}
reason: One of the two images is compressed 2097:1 and of no use to anybody
absent:
  Study:
    Series:
      1.3.6.1.4.1.5962.1.3.8.1.20040826185059.5457:
        Instances: [1.3.6.1.4.1.5962.1.1.8.1.3.20040826185059.5457]
"""
_REVERTS = f"""\
apiVersion: reconciler/v1
kind: ImageSet
datastore: research
imageSetId: {_BONE_SCAN_ID}
reason: The physicist wants to study what 2097:1 does to an image
revertToVersionId: "1"
"""


def opening(stage: Stage) -> None:
    """Where we are, and what a manifest is."""
    stage.chapter("Metadata as it should be, in git")
    stage.say(
        f"""This is a temporary clone, {stage.folder}. Its data store `research` is an emulator of
        AWS HealthImaging on this machine, filled with real DICOM objects. Some of their metadata
        is wrong. What it should be stands in manifests, this one for example:"""
    )
    stage.show(_DATES)
    stage.reconcile("validate")


def refusal(stage: Stage) -> None:
    """A hazard without consent."""
    stage.chapter("A danger is refused until somebody consents")
    stage.say(
        "A data steward wants an image gone. That is easily asked, so it is not enough to ask:"
    )
    stage.write(_BONE_SCAN, REMOVES)
    stage.reconcile("plan", _BONE_SCAN)
    stage.say(
        """The plan prints the very line that would let it pass. It is a line of the manifest, so
        that whoever reviews the pull request sees it; there is no flag to get around it."""
    )
    stage.append(_BONE_SCAN, stage.consent(_BONE_SCAN))
    stage.git("add", "manifests")
    stage.git("commit", "--quiet", "--message", "Remove the useless image of the bone scan")


def planning(stage: Stage) -> None:
    """The plan of everything."""
    stage.chapter("The plan: attribute by attribute, before and after")
    stage.reconcile("plan", "--out", ".reconcile/plan.json")
    stage.say(
        """`~` changes, `+` adds, `-` removes; behind each stands the line of the manifest that
        asks for it. All primary image sets of a study move together, in one call."""
    )


def applying(stage: Stage) -> None:
    """Apply, and the commit that records it."""
    stage.chapter("Apply exactly that plan, and record the new versions")
    stage.say(
        """Each write is pinned to the version that was planned, awaited, and read back. The
        versions that it made are committed, with no DICOM value among them. So is reconciler.key, a
        new one: without it, nobody can guess a value from the digests in records and commits."""
    )
    stage.reconcile("apply", ".reconcile/plan.json", "--record", "commit")
    stage.git("log", "-1", "--stat")
    stage.git("push", "--quiet")


def settled(stage: Stage) -> None:
    """Nothing left."""
    stage.chapter("A second plan is empty")
    stage.reconcile("plan")


def drift(stage: Stage) -> None:
    """Somebody else changes what we ask for."""
    stage.chapter("Somebody changes a value behind our back")
    version = changes_study(stage.folder, _DATES_ID, "StudyDate", "20000101")
    stage.say(
        f"""A colleague's script has just called UpdateImageSetMetadata: StudyDate is 20000101 now,
        in version {version} of {_DATES_ID}. The record tells that this was not us:"""
    )
    stage.reconcile("plan", _DATES)
    stage.say(
        """Maybe the colleague is right, so nothing is overwritten. The line to add names the very
        version that may be: should it be changed again, the consent has lapsed."""
    )
    stage.append(_DATES, stage.consent(_DATES))
    stage.git("commit", "--quiet", "--all", "--message", "The date in the manifest is right")
    stage.reconcile("apply", _DATES, "--auto-approve", "--record", "commit")


def revert(stage: Stage) -> None:
    """Back to an earlier version."""
    stage.chapter("And back again")
    stage.say(
        """Every version is kept by the service, so even the removed image can come back. The
        manifest of the bone scan now asks for the content of version 1:"""
    )
    stage.write(_BONE_SCAN, _REVERTS)
    stage.git("commit", "--quiet", "--all", "--message", "Bring the image of the bone scan back")
    stage.reconcile("apply", _BONE_SCAN, "--auto-approve", "--record", "commit")
    stage.git("log", "--oneline", "-5")
    stage.reconcile("plan")


def ending(stage: Stage) -> None:
    """What next."""
    stage.chapter("Your turn")
    stage.say(
        """In a folder with a reconciler.yaml: `reconcile import --search` lists image sets,
        `reconcile import --image-set ID` prints a manifest to start from, `reconcile plan` and
        `reconcile apply` do the rest. Take `endpoint: emulator` out of reconciler.yaml and the same
        commands work on AWS HealthImaging."""
    )


STORY: tuple[Callable[[Stage], None], ...] = (
    opening,
    refusal,
    planning,
    applying,
    settled,
    drift,
    revert,
    ending,
)
