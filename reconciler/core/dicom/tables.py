"""pydicom's tables alone: `import pydicom` also loads NumPy and requests where they are installed.

A start would pay half a second of CPU for that, and only the three tables are needed.
"""

from __future__ import annotations

import sys
from functools import cache
from importlib.machinery import ModuleSpec
from importlib.util import find_spec, module_from_spec, spec_from_file_location
from pathlib import PurePath
from types import ModuleType

DICTIONARY = "_dicom_dict"  # PS3.6, of pydicom.datadict
PRIVATE = "_private_dict"  # the private elements of vendors, of pydicom.datadict
UIDS = "_uid_dict"  # PS3.6 annex A, of pydicom.uid


@cache
def table(name: str) -> ModuleType:
    """Return a module of pydicom that contains data only, without the package around it."""
    whole = f"pydicom.{name}"
    if whole in sys.modules:
        return sys.modules[whole]
    spec = _spec(name)
    if spec is None or spec.loader is None:
        raise ImportError(f"pydicom has no module {name}", name=whole)
    module = module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def _spec(name: str) -> ModuleSpec | None:
    """Find the file of a module. `find_spec("pydicom.…")` itself would import pydicom."""
    package = find_spec("pydicom")
    if package is None or package.origin is None:
        return None
    return spec_from_file_location(name, PurePath(package.origin).with_name(f"{name}.py"))
