"""The inputs of a plan: the commit, and whether it holds the manifests and settings as read."""

from __future__ import annotations

from pathlib import Path

from reconciler.core.model.plan import Basis
from reconciler.core.model.record import RULES_VERSION
from reconciler.core.model.results import Checked
from reconciler.core.model.settings import Settings
from reconciler.edges import git
from reconciler.edges.manifests import is_manifest


def basis_of(settings: Settings, checked: Checked) -> Basis:
    """The basis of a plan that is made from these settings and manifests."""
    root = Path(settings.root)
    return Basis(
        git.head(root),
        RULES_VERSION,
        checked.paths,
        settings.rules.stated,
        _is_clean(settings, checked),
    )


def _is_clean(settings: Settings, checked: Checked) -> bool | None:
    """Whether the commit holds every file that was read as it was read, and no other manifest."""
    root = Path(settings.root)
    folder = root / settings.manifests
    read = [root / settings.file, *(root / name for name in checked.read)]
    return git.holds(root, read, lambda path: is_manifest(root, folder, path), folder)
