"""The inputs of a plan: the commit, whether it holds them as read, and what else it changes."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from pathlib import Path

from reconciler.core.model.key import KEY_FILE
from reconciler.core.model.node import ListNode, MappingNode, Scalar
from reconciler.core.model.plan import Basis, Since, StoreIdentity
from reconciler.core.model.record import RULES_VERSION
from reconciler.core.model.results import Checked
from reconciler.core.model.settings import Datastore, Settings
from reconciler.edges import ci, git
from reconciler.edges.manifests import is_manifest, parse
from reconciler.edges.records import FOLDER as RECORDS
from reconciler.pipeline.local_files import FOLDER as LOCAL


def basis_of(settings: Settings, checked: Checked, base: str | None = None) -> Basis:
    """The basis of a plan that is made from these settings and manifests.

    `base` is the commit to compare with. Without it, a job that tests a pull request compares with
    the first parent of its merge commit. Raises GitError if the repository does not have the base.
    """
    root = Path(settings.root)
    named = {ask.datastore for ask in checked.managed}
    return Basis(
        git.head(root),
        RULES_VERSION,
        checked.paths,
        settings.rules.stated,
        _is_clean(settings, checked),
        tuple(_identity(one) for one in settings.datastores if one.name in named),
        settings.digest,
        _since(settings, base or _test_merge(root)),
    )


def _identity(one: Datastore) -> StoreIdentity:
    return StoreIdentity(one.name, one.datastore_id, one.region, one.account_id, one.endpoint)


def _test_merge(root: Path) -> str:
    return git.base_of_test_merge(root) if ci.job().tests_pull_request else ""


def _is_clean(settings: Settings, checked: Checked) -> bool | None:
    """Whether the commit holds every file that was read as it was read, and no other manifest."""
    root = Path(settings.root)
    folder = root / settings.manifests
    read = [root / settings.file, *(root / name for name in checked.read)]
    return git.holds(root, read, lambda path: is_manifest(root, folder, path), folder)


def _since(settings: Settings, base: str) -> Since | None:
    if not base:
        return None
    root = Path(settings.root).resolve()
    folder, records = root / settings.manifests, root / RECORDS
    local, file, key = root / LOCAL, root / settings.file, root / KEY_FILE
    found = git.since(root, base, [folder, records, local, file, key])
    if found is None:
        return None
    then = Counter(_consents(found.before, folder, root))
    now = Counter(_consents(found.after, folder, root))
    return Since(
        found.base,
        settings=file in found.changed,
        key=key in found.changed,
        records=sum(path.is_relative_to(records) for path in found.changed),
        consents=tuple(sorted((now - then).elements())),
        local=sum(path.is_relative_to(local) for path in found.changed),
    )


def _consents(files: Mapping[Path, bytes], folder: Path, root: Path) -> Iterator[str]:
    """The consents of manifests: `manifests/a.yaml: allow: CHANGES_UID`."""
    for path, content in files.items():
        if not path.is_relative_to(folder) or not is_manifest(root, folder, path):
            continue
        name = path.relative_to(root).as_posix()
        for document in parse(content.decode("utf-8", "replace"), name).documents:
            for line in _lines(document):
                yield f"{name}: {line}"


def _lines(document: MappingNode) -> Iterator[str]:
    allow, force = document.get("allow"), document.get("force")
    for item in allow.items if isinstance(allow, ListNode) else ():
        if isinstance(item, Scalar):
            yield f"allow: {item.text[:80]}"
    if isinstance(force, Scalar) and force.text == "true":
        yield "force: true"
