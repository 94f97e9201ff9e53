"""Runs the stages in order: check, plan, apply. Only this floor imports all of them.

load -> validate -> resolve -> observe -> diff -> plan -> apply -> record

A stage is imported when it is first used: `validate` needs no part of what plans and applies.
"""

from __future__ import annotations

import sys
from importlib import import_module
from types import ModuleType
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from reconciler.pipeline.apply import apply, apply_reviewed
    from reconciler.pipeline.at_rest import plan_at_rest
    from reconciler.pipeline.basis import check_committable, refuse_uncommitted
    from reconciler.pipeline.check import are_committed, check, notes, warnings
    from reconciler.pipeline.edges import Edges
    from reconciler.pipeline.fleet import Opening
    from reconciler.pipeline.plan import plan
    from reconciler.pipeline.record import record
    from reconciler.pipeline.scan import Scanning
    from reconciler.pipeline.trusted import trusted, unplanned

__all__ = [
    "Edges",
    "Opening",
    "Scanning",
    "apply",
    "apply_reviewed",
    "are_committed",
    "check",
    "check_committable",
    "notes",
    "plan",
    "plan_at_rest",
    "record",
    "refuse_uncommitted",
    "trusted",
    "unplanned",
    "warnings",
]
_MODULES = {
    "Edges": "edges",
    "Opening": "fleet",
    "Scanning": "scan",
    "apply_reviewed": "apply",
    "are_committed": "check",
    "check_committable": "basis",
    "notes": "check",
    "plan_at_rest": "at_rest",
    "refuse_uncommitted": "basis",
    "unplanned": "trusted",
    "warnings": "check",
}


class _Stages(ModuleType):
    """This package, whose `check` is the function of that name and not its module.

    An import of a module sets it as an attribute of its package, which `__getattr__` alone would
    not notice: https://docs.python.org/3/reference/datamodel.html#customizing-module-attribute-access
    """

    def __getattribute__(self, name: str) -> object:
        if name not in __all__:
            return super().__getattribute__(name)
        return getattr(import_module(f"{__name__}.{_MODULES.get(name, name)}"), name)


sys.modules[__name__].__class__ = _Stages
