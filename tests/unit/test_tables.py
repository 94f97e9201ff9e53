"""The tables that are read without pydicom are those of pydicom."""

from __future__ import annotations

import subprocess
import sys

# In processes of their own: here, the tables or pydicom are loaded already.
ALONE = """
import sys
from reconciler.core.dicom.tables import DICTIONARY, PRIVATE, UIDS, table
alone = [
    table(DICTIONARY).DicomDictionary,
    table(DICTIONARY).RepeatersDictionary,
    table(PRIVATE).private_dictionaries,
    table(UIDS).UID_dictionary,
]
assert "pydicom" not in sys.modules
from pydicom import datadict, uid
assert alone == [
    datadict.DicomDictionary,
    datadict.RepeatersDictionary,
    datadict.private_dictionaries,
    uid.UID_dictionary,
]
print("equal")
"""
LOADED = """
from pydicom import datadict, uid
from reconciler.core.dicom.tables import DICTIONARY, UIDS, table
assert table(DICTIONARY).DicomDictionary is datadict.DicomDictionary
assert table(UIDS).UID_dictionary is uid.UID_dictionary
print("the same")
"""


def printed(script: str) -> str:
    command = [sys.executable, "-c", script]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout


def test_a_table_is_that_of_pydicom_and_does_not_import_it() -> None:
    assert printed(ALONE) == "equal\n"


def test_a_table_that_pydicom_has_loaded_is_not_loaded_again() -> None:
    assert printed(LOADED) == "the same\n"
