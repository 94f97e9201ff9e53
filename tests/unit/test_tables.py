"""The tables that are read without pydicom are those of pydicom."""

from __future__ import annotations

import subprocess
import sys

from pydicom import datadict, uid

from reconciler.core.dicom.tables import table

# In a process of its own: here, pydicom is imported already.
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


def test_a_table_is_that_of_pydicom_and_does_not_import_it() -> None:
    ran = subprocess.run([sys.executable, "-c", ALONE], check=True, capture_output=True, text=True)
    assert ran.stdout == "equal\n"


def test_a_table_that_pydicom_has_loaded_is_not_loaded_again() -> None:
    assert table("_dicom_dict").DicomDictionary is datadict.DicomDictionary
    assert table("_uid_dict").UID_dictionary is uid.UID_dictionary
