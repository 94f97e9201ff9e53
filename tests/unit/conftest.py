"""What holds for the unit tests."""

from __future__ import annotations

import pytest

# Coverage is measured for reconciler/core. Its tracer doubles the time of all Python code, so these
# slow tests of other packages run without it.
NOT_TRACED = frozenset(
    {
        "test_attempts",
        "test_aws",
        "test_bounds",
        "test_driver",
        "test_files",
        "test_git",
        "test_imports",
        "test_load",
        "test_processes",
        "test_record_at_once",
        "test_recorder",
        "test_schema",
        "test_schemas_fresh",
    }
)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if item.path.stem in NOT_TRACED and item.config.pluginmanager.hasplugin("_cov"):
            item.add_marker("no_cover")
