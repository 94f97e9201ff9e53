"""The terms and the UIDs that the standard defines."""

from __future__ import annotations

from reconciler.core.dicom.dictionary import by_tag, standard_tags
from reconciler.core.dicom.terms import is_defined, listed_terms
from reconciler.core.dicom.uids import registered_uid


def test_terms_are_listed_in_the_order_of_the_standard() -> None:
    assert listed_terms("PatientSex") == ("M", "F", "O")
    assert listed_terms("ImageType")[:3] == ("ORIGINAL", "DERIVED", "PRIMARY")
    assert "RECON TOMO" in listed_terms("ImageType")
    assert listed_terms("PatientName") == ()


def test_a_listed_term_is_defined() -> None:
    for tag in standard_tags():
        keyword = by_tag(tag).keyword
        assert all(is_defined(keyword, term) for term in listed_terms(keyword))


def test_registered_uids_are_not_listed() -> None:
    assert listed_terms("SOPClassUID") == ()
    assert is_defined("SOPClassUID", "1.2.840.10008.5.1.4.1.1.2") is True


def test_a_registered_uid_is_found_by_itself_and_by_its_keyword() -> None:
    found = registered_uid("1.2.840.10008.5.1.4.1.1.2")
    assert found is not None
    assert (found.name, found.type, found.retired) == ("CT Image Storage", "SOP Class", False)
    assert registered_uid("ctimagestorage") == found
    assert registered_uid("1.2.3") is None
