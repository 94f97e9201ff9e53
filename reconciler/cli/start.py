"""The console script: makes the search paths safe, then imports everything else."""

from reconciler.edges.surroundings import leave_current_folder


def main() -> None:
    """Run `reconcile`."""
    leave_current_folder()
    from reconciler.__main__ import main as run

    run()
