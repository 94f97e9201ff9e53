"""What holds for the unit tests."""

from __future__ import annotations

import sys
import threading
from collections.abc import Generator

import pytest

# Coverage is measured for reconciler/core. Its tracer doubles the time of all Python code, so these
# slow tests of other packages run without it.
NOT_TRACED = frozenset(
    {
        "test_attempts",
        "test_bounds",
        "test_driver",
        "test_files",
        "test_imports",
        "test_load",
        "test_processes",
        "test_record_at_once",
        "test_recorder",
        "test_schema",
        "test_schemas_fresh",
    }
)
# Tests that bound the processor time of the core: the tracer is no part of it.
TIMED = "_take_no_minutes"


# Not by the mark `no_cover` of pytest-cov 7: in a worker of pytest-xdist a second tracer goes on.
@pytest.hookimpl(wrapper=True)
def pytest_runtest_protocol(item: pytest.Item) -> Generator[None, object, object]:
    is_traced = item.path.stem not in NOT_TRACED and not item.name.endswith(TIMED)
    if is_traced or not item.config.pluginmanager.hasplugin("_cov"):
        return (yield)
    of_this_thread, of_new_threads = sys.gettrace(), threading.gettrace()
    sys.settrace(None)
    threading.settrace(None)
    try:
        return (yield)
    finally:
        sys.settrace(of_this_thread)
        threading.settrace(of_new_threads)
