"""Git, through GitPython's `repo.git` (its index and traversal are ten times slower).

A run commits only the files that it wrote. All other staged or changed files stay as they are.
"""

from reconciler.edges.git.clean import holds
from reconciler.edges.git.commits import commit
from reconciler.edges.git.history import (
    contents_since,
    has_commit,
    is_before,
    is_shallow,
    last_applied,
    origin,
)
from reconciler.edges.git.messages import Message, Moved, message
from reconciler.edges.git.questions import (
    changed,
    committed,
    head,
    is_ignored,
    known_files,
    tracked,
    trailers_of_addition,
)
from reconciler.edges.git.remote import (
    Remote,
    changed_between,
    commit_onto,
    contents_at,
    fetch,
    push,
    upstream,
)
from reconciler.edges.git.since import Since, base_of_test_merge, since

__all__ = [
    "Message",
    "Moved",
    "Remote",
    "Since",
    "base_of_test_merge",
    "changed",
    "changed_between",
    "commit",
    "commit_onto",
    "committed",
    "contents_at",
    "contents_since",
    "fetch",
    "has_commit",
    "head",
    "holds",
    "is_before",
    "is_ignored",
    "is_shallow",
    "known_files",
    "last_applied",
    "message",
    "origin",
    "push",
    "since",
    "tracked",
    "trailers_of_addition",
    "upstream",
]
