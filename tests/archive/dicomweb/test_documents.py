"""Structured reports as trees and as text."""

from __future__ import annotations

import io

import pytest
from benchmarks.exchange_objects import file_of, image
from pydicom.dataset import Dataset

from bingcheng.archive.dicomweb.documents import DEEPEST, content, html, is_document, plain
from bingcheng.archive.dicomweb.pictures import header_of
from bingcheng.core.errors import InputError


def coded(value: str, meaning: str) -> list[Dataset]:
    made = Dataset()
    made.CodeValue, made.CodingSchemeDesignator, made.CodeMeaning = value, "DCM", meaning
    return [made]


def item(kind: str, name: str, **more: object) -> Dataset:
    made = Dataset()
    made.ValueType, made.RelationshipType = kind, "CONTAINS"
    made.ConceptNameCodeSequence = coded(name.upper(), name)
    for keyword, value in more.items():
        setattr(made, keyword, value)
    return made


def report() -> Dataset:
    value, referred = Dataset(), Dataset()
    value.NumericValue, value.MeasurementUnitsCodeSequence = "12.5", coded("mm", "millimeter")
    referred.ReferencedSOPClassUID, referred.ReferencedSOPInstanceUID = "1.2.840.10008.5.1.4.1.1.2", "1.2.3"
    group = item(
        "CONTAINER",
        "Group",
        ContentSequence=[
            item("NUM", "Length", MeasuredValueSequence=[value]),
            item("NUM", "Volume", NumericValueQualifierCodeSequence=coded("114009", "Value out of range")),
            item("CODE", "Finding", ConceptCodeSequence=coded("M", "Mass")),
            item("IMAGE", "Source", ReferencedSOPSequence=[referred]),
        ],
    )
    made = image("words", "s", 1)
    del made.PixelData
    made.PatientName = "Doe^<Jane>"
    made.ValueType, made.ConceptNameCodeSequence = "CONTAINER", coded("126000", "Imaging Measurement Report")
    made.ContentSequence = [item("TEXT", "Comment", TextValue="5 < 6 & more"), group]
    return made


def test_the_tree_holds_each_item_with_its_value():
    found = {one.name: one for one in content(report()).below()}
    assert (found["Length"].value, found["Length"].unit) == ("12.5", "mm")
    assert found["Volume"].value == "Value out of range"
    assert (found["Finding"].value, found["Finding"].value_code) == ("Mass", "M")
    assert found["Source"].refers_to == "1.2.3"


def test_text_has_a_line_for_each_item():
    lines = plain(report()).splitlines()
    assert "Imaging Measurement Report" in lines
    assert "    Length: 12.5 mm" in lines
    assert "Patient: Doe^<Jane>" in lines


def test_a_page_says_the_same_and_what_people_wrote_stays_words():
    shown = html(report())
    assert "Length: 12.5 mm" in shown
    assert "5 &lt; 6 &amp; more" in shown
    assert "<Jane>" not in shown


def test_an_image_is_no_document():
    assert not is_document(image())
    with pytest.raises(InputError):
        content(image())


def test_a_document_that_goes_on_for_ever_is_refused():
    inner = item("CONTAINER", "end")
    for _ in range(DEEPEST + 1):
        inner = item("CONTAINER", "one", ContentSequence=[inner])
    with pytest.raises(InputError):
        content(inner)


@pytest.mark.parametrize(
    ("whole", "damaged"),
    [
        (b"UT\0\0\x0c\0\0\0" + b"5 < 6 & more", b"UL\x0b\0" + b"5 < 6 & more" + bytes(4)),  # a number of 11 bytes
        (b"\x10\x00\x20\x00LO", b"\x10\x00\x20\x00FD"),
    ],
)
def test_a_document_in_which_the_parser_stumbles_is_said_to_be_damaged(whole, damaged):
    made = report()
    made.PatientID = "12345"
    data = file_of(made)
    assert data.count(whole) == 1
    header = header_of(io.BytesIO(data.replace(whole, damaged)))
    codes = set()
    for read in (plain, html):
        try:
            read(header)
        except InputError as error:
            codes.add(error.code)
    assert codes == {"archive.no-picture"}
