"""Git, through GitPython's `repo.git` (its index and traversal are ten times slower).

A run commits the files it wrote and nothing else: whatever else is staged or changed in the work
tree stays as it is.
"""

from reconciler.edges.git.commits import commit
from reconciler.edges.git.messages import Message, Moved, message
from reconciler.edges.git.questions import changed, committed, head, is_ignored

__all__ = ["Message", "Moved", "changed", "commit", "committed", "head", "is_ignored", "message"]
