"""Our runs, other processes and faults on one data store, at random; all promises are checked.

The real pipeline runs on a stage (the emulator over HTTP, or memory) whose clock moves when a
thread sleeps. The stage knows what is sent, what takes effect and what other processes write. So
every promise is checked from outside, also after a killed run.
"""

from __future__ import annotations

from tests.laws.branches import Branches
from tests.laws.endings import Endings
from tests.laws.losses import Losses
from tests.laws.promises import Promises
from tests.laws.reviews import Reviews
from tests.laws.trouble import BadLuck, Others


class ApplyMachine(Reviews, Losses, Endings, BadLuck, Others, Promises):
    """All rules."""


class BranchMachine(Branches, Reviews, Endings, BadLuck, Others, Promises):
    """All rules, with records on a branch of their own. No record is lost there."""


class FaultMachine(Endings, BadLuck, Others, Promises):
    """Only what goes wrong in a run: finds a bug of `apply` in fewer examples."""


class HistoryMachine(Reviews, Losses, Others, Promises):
    """Only what happens between the runs: finds a bug of baselines in fewer examples.

    It promises no good end, so it runs also where the service behaves otherwise.
    """
