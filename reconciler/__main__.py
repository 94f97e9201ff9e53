"""Entry point of the command line: secure the import path, then import the rest."""

# No `from __future__` here: `python -m` would look for that module in the current folder.
from reconciler.edges.surroundings import leave_current_folder


def main() -> None:
    """Run `reconcile`."""
    leave_current_folder()
    from reconciler.cli.run import main as run

    run()


if __name__ == "__main__":
    main()
