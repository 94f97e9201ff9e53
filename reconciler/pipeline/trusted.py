"""The settings of a plan: those of the base of a pull request, not those that it proposes.

A pull request could name another endpoint, raise a guardrail, or show values. So its plan is made
with the settings, the records and the key of its base. `validate` checks the settings it proposes.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from reconciler.core.errors import GitError, InputError, RecordError
from reconciler.core.model.key import KEY_FILE
from reconciler.core.model.plan import Plan, Since
from reconciler.core.model.results import Checked, Planned
from reconciler.core.model.settings import RecordMode, Settings
from reconciler.edges import ci, git, records
from reconciler.edges import key as keys
from reconciler.edges.settings import parse_settings
from reconciler.pipeline.basis import basis_of
from reconciler.pipeline.record_branch import branch_tips

# So many files at most in a message.
_SHOWN = 3


@dataclass(frozen=True, slots=True)
class Trusted:
    """The settings that a plan uses, and those that the working tree has.

    `settings` are those of the commit `base`; both are the same without a base, where `base` is "".
    `problem` is why the base has no settings to plan with, "" if it has.
    """

    settings: Settings
    proposed: Settings
    base: str = ""
    problem: str = ""


def trusted(proposed: Settings, ref: str | None) -> Trusted:
    """Take the settings from a base. `ref` names it, as in `plan`.

    The folder of manifests is the proposed one: a pull request decides what manifests hold, so it
    gains nothing from where they are. Raises GitError if the repository does not have the base, and
    RecordError if records or the key differ from those of the base.
    """
    root = Path(proposed.root)
    found_ref = ref or test_merge(root)
    if not found_ref:
        return Trusted(proposed, proposed)
    file, key = root / proposed.file, keys.path(root)
    found = git.since(root, found_ref, [file, key])
    if found is None:
        raise GitError(
            f"cannot compare with {found_ref}: {root} is not in a git repository",
            "Run the command in a clone of the repository, or leave out `--base`.",
        )
    held = {path.name: content for path, content in found.held.items()}
    problem = ""
    settings = proposed
    try:
        settings = _settings(proposed, held)
    except _NoSettings as error:
        problem = str(error)
    _refuse_another_key(root, found.base, held.get(KEY_FILE, b""))
    _refuse_other_records(settings, found.base)
    return Trusted(settings, proposed, found.base, problem)


def unplanned(found: Trusted, checked: Checked) -> Planned:
    """The plan of a pull request whose base has no settings: it states so, and has no action."""
    since = Since(found.base, unplanned=found.problem)
    return Planned(Plan(basis_of(found.proposed, checked, since), ()), {})


def test_merge(root: Path) -> str:
    """Return the base of the pull request or the merge group that this job tests; "" if none."""
    job = ci.job()
    return job.base or (git.base_of_test_merge(root) if job.tests_pull_request else "")


class _NoSettings(Exception):
    """Why the base has no settings to plan with."""


def _settings(proposed: Settings, held: dict[str, bytes]) -> Settings:
    content = held.get(proposed.file)
    if content is None:
        raise _NoSettings(f"it has no {proposed.file}")
    try:
        settings = parse_settings(Path(proposed.root) / proposed.file, content)
    except InputError as error:
        raise _NoSettings(f"{error.diagnostics[0].place} is not valid there") from None
    return replace(settings, manifests=proposed.manifests)


def _refuse_another_key(root: Path, base: str, content: bytes) -> None:
    theirs = keys.parse(content)
    if theirs is not None and keys.read(root) != theirs:
        raise RecordError(
            f"{KEY_FILE} is not that of the base, commit {base[:12]}: a key is never replaced",
            _way_back(root, base, KEY_FILE),
        )


def _refuse_other_records(settings: Settings, base: str) -> None:
    """Raise RecordError if a record differs from the base, in the commit or on the disk.

    Where records have a branch of their own, an apply leaves them on the disk, and no commit of the
    base holds them.
    """
    root = Path(settings.root)
    folder = root / records.FOLDER
    if changed := _changed_records(settings, base, folder):
        names = [path.relative_to(folder.parent).as_posix() for path in changed[:_SHOWN]]
        more = f" and {len(changed) - _SHOWN:,} more" if len(changed) > _SHOWN else ""
        verb = "differs" if len(changed) == 1 else "differ"
        raise RecordError(
            f"{', '.join(names)}{more} {verb} from the base, commit {base[:12]}: only `reconcile` "
            "changes records",
            _way_back(root, base, records.FOLDER),
        )
    if settings.record_mode and settings.record_mode.is_apart:
        return
    read = sorted(filter(records.is_read, folder.glob("*/*.json")))
    if git.holds(root, read, lambda _: False, folder) is False:
        raise RecordError(
            f"{records.FOLDER}/ holds records that are not committed, so they are not those of the "
            f"base, commit {base[:12]}",
            "Commit them to the branch of the base first. To plan with them as they are, leave out "
            "`--base`.",
        )


def _changed_records(settings: Settings, base: str, folder: Path) -> Sequence[Path]:
    """The records that differ from the base, without those that a bot may merge.

    In the mode `pull-request`, a bot proposes to merge the record branch. What it may merge are the
    records of that branch: each plan reads them there anyway.
    """
    root = Path(settings.root)
    changed = git.differing(root, base, "HEAD", folder)
    is_merged = settings.record_mode is RecordMode.PULL_REQUEST
    if not (changed and is_merged) or ci.job().is_by_person:
        return changed
    now = git.contents_at(root, "HEAD", changed)
    recorded = [git.contents_at(root, tip, changed) for tip in branch_tips(settings)]
    moved = _moved(root, base, [path for path in changed if path not in now])
    return [
        path
        for path in changed
        if (path not in now and path not in moved)
        or all(then.get(path) != now.get(path) for then in recorded)
    ]


def _moved(root: Path, base: str, gone: Sequence[Path]) -> frozenset[Path]:
    """Those files of the base of which other files of the commit have each image set.

    Record files that have grown too large become more and smaller files.
    """
    folders = {path.parent for path in gone}
    held = {one: tuple(git.files_at(root, "HEAD", one).values()) for one in folders}
    before = git.contents_at(root, base, gone)
    return frozenset(path for path in gone if records.are_in(before[path], held[path.parent]))


def _way_back(root: Path, base: str, name: str) -> str:
    if not git.has_commit(root, base):
        return f"The commit lacks commits of its base. Run: git merge {base}"
    return f"Run: git restore --source={base} --staged --worktree -- {name}\nThen commit."
