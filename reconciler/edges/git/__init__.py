"""Git, through GitPython's `repo.git` (its index and traversal are ten times slower).

A run commits only the files that it wrote. All other staged or changed files stay as they are.
"""

from reconciler.edges.git.at_commit import contents_at, files_at, names_at, readable_at
from reconciler.edges.git.clean import holds, irregular
from reconciler.edges.git.commits import check_committable, commit
from reconciler.edges.git.connection import Remote
from reconciler.edges.git.content import blob_id
from reconciler.edges.git.history import (
    Merged,
    commits_beyond,
    contents_since,
    has_commit,
    is_before,
    is_shallow,
    merged,
    on_line,
    origin,
)
from reconciler.edges.git.messages import (
    Message,
    Moved,
    message,
    message_of_growth,
    message_of_scan,
)
from reconciler.edges.git.questions import (
    changed,
    committed,
    committed_below,
    head,
    is_ignored,
    known_files,
    tracked,
    trailers_of_addition,
)
from reconciler.edges.git.record_branch import (
    Tips,
    common_ancestor,
    current_branch,
    heads,
    move_branch,
    record_tips,
    track,
)
from reconciler.edges.git.remote import (
    address,
    commit_onto,
    fetch,
    fetch_default,
    fetched_default,
    main_remote,
    push,
    upstream,
)
from reconciler.edges.git.since import Since, base_of_test_merge, differing, since
from reconciler.edges.git.skips import skipping
from reconciler.edges.git.trees import Tree, contents_of, files_in, tree_of

__all__ = [
    "Merged",
    "Message",
    "Moved",
    "Remote",
    "Since",
    "Tips",
    "Tree",
    "address",
    "base_of_test_merge",
    "blob_id",
    "changed",
    "check_committable",
    "commit",
    "commit_onto",
    "commits_beyond",
    "committed",
    "committed_below",
    "common_ancestor",
    "contents_at",
    "contents_of",
    "contents_since",
    "current_branch",
    "differing",
    "fetch",
    "fetch_default",
    "fetched_default",
    "files_at",
    "files_in",
    "has_commit",
    "head",
    "heads",
    "holds",
    "irregular",
    "is_before",
    "is_ignored",
    "is_shallow",
    "known_files",
    "main_remote",
    "merged",
    "message",
    "message_of_growth",
    "message_of_scan",
    "move_branch",
    "names_at",
    "on_line",
    "origin",
    "push",
    "readable_at",
    "record_tips",
    "since",
    "skipping",
    "track",
    "tracked",
    "trailers_of_addition",
    "tree_of",
    "upstream",
]
