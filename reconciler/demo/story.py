"""The chapters of the demo, in order."""

from __future__ import annotations

from collections.abc import Callable

from reconciler.demo.colleague import changes_study
from reconciler.demo.stage import Stage

Chapter = Callable[[Stage], None]

_BONE_SCAN_ID = "1417b070c05b2d26137e730281541afd"
_DATES = "manifests/acr-nema-dates.yaml"
_DATES_ID = "aca469ab431797e6c78c0306c39c40ee"
_BONE_SCAN = "manifests/bone-scan.yaml"
REMOVES = f"""\
apiVersion: reconciler/v1
kind: ImageSet
datastore: research
imageSetId: {_BONE_SCAN_ID}
reason: One of the two images is compressed 2097:1 and cannot be used
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
reason: A physicist studies the effects of compression
revertToVersionId: "1"
"""


def opening(stage: Stage) -> None:
    """Show the clone and a manifest."""
    stage.chapter("Manifests in git state the correct metadata")
    stage.say(
        f"""This is a temporary clone, {stage.folder}. Its data store `research` is an emulator of
        AWS HealthImaging on this machine, filled with real DICOM objects. Some of their metadata
        is wrong. The correct values are in manifests, for example in this manifest:"""
    )
    stage.show(_DATES)
    stage.reconcile("validate")


def refusal(stage: Stage) -> None:
    """Show a hazard without consent."""
    stage.chapter("Hazards need consent")
    stage.say(
        "A data steward wants to remove an image. This is a hazard, so the manifest alone is not "
        "enough:"
    )
    stage.write(_BONE_SCAN, REMOVES)
    stage.reconcile("plan", _BONE_SCAN)
    stage.say(
        """The plan prints the line that gives consent. It is a line of the manifest, so every
        reviewer of the pull request sees it. No command-line flag can replace it."""
    )
    stage.append(_BONE_SCAN, stage.consent(_BONE_SCAN))
    stage.git("add", "manifests")
    stage.git("commit", "--quiet", "--message", "Remove the unusable image of the bone scan")


def planning(stage: Stage) -> None:
    """Plan all manifests."""
    stage.chapter("The plan shows every attribute before and after")
    stage.reconcile("plan", "--out", ".reconcile/plan.json")
    stage.say(
        """`~` changes, `+` adds, `-` removes. Each line ends with the line of the manifest that
        asks for the change. All primary image sets of a study change together, in one call."""
    )


def applying(stage: Stage) -> None:
    """Apply the plan, and commit the records."""
    stage.chapter("Apply exactly that plan, and record the new versions")
    stage.say(
        """Each update states the version that was planned. `apply` waits for its end, reads the
        result back and commits the new versions. Records hold no DICOM value. The new file
        reconciler.key is committed too: its key protects the digests in records and commits, so
        that no value can be guessed from them without the key."""
    )
    stage.reconcile("apply", ".reconcile/plan.json", "--record", "commit")
    stage.git("log", "-1", "--stat")
    stage.git("push", "--quiet")


def converged(stage: Stage) -> None:
    """Show that nothing is left to do."""
    stage.chapter("A second plan is empty")
    stage.reconcile("plan")


def drift(stage: Stage) -> None:
    """Show drift, after another script changed a value."""
    stage.chapter("Drift: another script changes a value")
    version = changes_study(stage.folder, _DATES_ID, "StudyDate", "20000101")
    stage.say(
        f"""A colleague's script has just called UpdateImageSetMetadata: StudyDate is 20000101 now,
        in version {version} of {_DATES_ID}. The records show that `reconcile` did not change it:"""
    )
    stage.reconcile("plan", _DATES)
    stage.say(
        """The colleague may be right, so nothing is overwritten. The consent line names the version
        that may be overwritten. Any later version ends the consent."""
    )
    stage.append(_DATES, stage.consent(_DATES))
    stage.git("commit", "--quiet", "--all", "--message", "The date in the manifest is right")
    stage.reconcile("apply", _DATES, "--auto-approve", "--record", "commit")


def revert(stage: Stage) -> None:
    """Revert to an earlier version."""
    stage.chapter("Revert to an earlier version")
    stage.say(
        """The service keeps every version, so the removed image can be restored. The manifest of
        the bone scan now asks for the content of version 1:"""
    )
    stage.write(_BONE_SCAN, _REVERTS)
    stage.git("commit", "--quiet", "--all", "--message", "Restore the image of the bone scan")
    stage.reconcile("apply", _BONE_SCAN, "--auto-approve", "--record", "commit")
    stage.git("log", "--oneline", "-5")
    stage.reconcile("plan")


def ending(stage: Stage) -> None:
    """Show the next steps."""
    stage.chapter("Next steps")
    stage.say(
        """In a folder with a reconciler.yaml: `reconcile search` lists image sets,
        `reconcile import --image-set ID` prints a manifest to start from. Edit it, then run
        `reconcile plan` and `reconcile apply`. To use AWS HealthImaging with the same commands,
        remove `endpoint: emulator` from reconciler.yaml."""
    )


STORY: tuple[Chapter, ...] = (
    opening,
    refusal,
    planning,
    applying,
    converged,
    drift,
    revert,
    ending,
)
