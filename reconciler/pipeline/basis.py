"""The inputs of a plan: the commit, whether it holds them as read, and what else it changes."""

from __future__ import annotations

from pathlib import Path

from reconciler.core.model.plan import Basis, Since, StoreIdentity
from reconciler.core.model.record import RULES_VERSION
from reconciler.core.model.results import Checked
from reconciler.core.model.settings import Datastore, Settings
from reconciler.edges import git
from reconciler.edges.manifests import is_manifest


def basis_of(settings: Settings, checked: Checked, since: Since | None) -> Basis:
    """The basis of a plan that is made from these settings and manifests."""
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
        since,
    )


def _identity(one: Datastore) -> StoreIdentity:
    return StoreIdentity(one.name, one.datastore_id, one.region, one.account_id, one.endpoint)


def _is_clean(settings: Settings, checked: Checked) -> bool | None:
    """Whether the commit holds every file that was read as it was read, and no other manifest."""
    root = Path(settings.root)
    folder = root / settings.manifests
    read = [root / settings.file, *(root / name for name in checked.read)]
    return git.holds(root, read, lambda path: is_manifest(root, folder, path), folder)
