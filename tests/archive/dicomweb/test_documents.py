"""Structured reports as trees and as text."""

from __future__ import annotations

import pytest
from benchmarks.exchange_objects import image
from pydicom.dataset import Dataset

from bingcheng.archive.dicomweb.documents import DEEPEST, content, html, is_document, plain
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
