"""A report's bytes are those that pydicom writes."""

from __future__ import annotations

import io
import warnings

import pytest
from pydicom import dcmread, dcmwrite
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.sequence import Sequence
from pydicom.uid import (
    ComprehensiveSRStorage,
    ExplicitVRLittleEndian,
    ImplicitVRLittleEndian,
)

from bingcheng.outputs.encoding import as_file, suits


def item(**values):
    made = Dataset()
    for keyword, value in values.items():
        setattr(made, keyword, value)
    return made


def whole(syntax=ExplicitVRLittleEndian, **values):
    made = item(SOPClassUID=ComprehensiveSRStorage, SOPInstanceUID="2.25.1", **values)
    made.file_meta = FileMetaDataset()
    made.file_meta.TransferSyntaxUID = syntax
    return made


def by_pydicom(dataset):
    stream = io.BytesIO()
    dcmwrite(stream, dataset, enforce_file_format=True)
    return stream.getvalue()


def undefined():
    """A tree whose sequence and items were read without lengths."""
    made = whole(ContentSequence=[item(ValueType="TEXT", TextValue="x"), item(ValueType="CODE")])
    made["ContentSequence"].is_undefined_length = True
    for one in made.ContentSequence:
        one.is_undefined_length_sequence_item = True
    return dcmread(io.BytesIO(by_pydicom(made)))


def ambiguous():
    """A representation that stands in the item beside it (PS3.5 note to Annex A)."""
    voxels = item(PixelRepresentation=1, PixelPaddingValue=-5)
    return whole(ContentSequence=[item(ContentSequence=[voxels])])


DATASETS = {
    "nothing": dict,
    "one of each": lambda: {
        "PatientName": "Chen^Wei=陈^伟",
        "SpecificCharacterSet": "ISO_IR 192",
        "StudyDate": "20260102",
        "StudyTime": "101112.5",
        "AcquisitionDateTime": "20260102101112",
        "PatientAge": "061Y",
        "ImageType": ["DERIVED", "PRIMARY", "X"],
        "ImageComments": "肝脏 odd",
        "InstanceNumber": 3,
        "SliceThickness": "1.50",
        "PixelSpacing": [0.7, 0.70000001],
        "Rows": 12,
        "RealWorldValueSlope": 0.1,
        "ReferencedFrameNumber": [1, 2, 3],
        "FrameIncrementPointer": [0x00181063, 0x00181065],
        "RetrieveURL": "https://example.org/a",
        "EncapsulatedDocument": b"odd",
        "OtherPatientNames": ["A^B", "C"],
    },
    "empty values": lambda: {
        "PatientName": "",
        "StudyID": "",
        "InstanceNumber": None,
        "ContentSequence": [],
        "ImageType": [],
        "AccessionNumber": None,
        "ReferencedSOPInstanceUID": "",
    },
    "a deep tree": lambda: {
        "ContentSequence": [
            item(
                ValueType="CONTAINER",
                ConceptNameCodeSequence=[item(CodeValue="121", CodingSchemeDesignator="DCM", CodeMeaning="a b")],
                ContentSequence=[item(ContentSequence=[item(ValueType="NUM", TextValue="µ" * n)]) for n in range(4)],
            )
        ]
    },
    "another character set further in": lambda: {
        "SpecificCharacterSet": "ISO_IR 100",
        "StudyDescription": "Übersicht",
        "ContentSequence": [
            item(TextValue="è"),
            item(SpecificCharacterSet="ISO_IR 192", TextValue="肝", ContentSequence=[item(TextValue="脏")]),
        ],
    },
    "character sets that are switched between": lambda: {
        "SpecificCharacterSet": ["", "ISO 2022 IR 58"],
        "StudyDescription": "CT 肝",
        "ContentSequence": [item(TextValue="肝 liver")],
    },
    "text of a length that needs four bytes": lambda: {
        "SpecificCharacterSet": "ISO_IR 192",
        "TextValue": "肝" * 30_000,
    },
}


@pytest.mark.parametrize("values", DATASETS.values(), ids=DATASETS)
def test_the_bytes_are_those_of_pydicom(values):
    dataset = whole(**values())
    assert as_file(dataset) == by_pydicom(dataset)


@pytest.mark.parametrize("make", [undefined, ambiguous])
def test_what_was_read_without_lengths_or_is_ambiguous_is_written_as_pydicom_does(make):
    assert as_file(make()) == by_pydicom(make())


def test_a_preamble_private_elements_and_retired_group_lengths_are_as_pydicom_writes_them():
    dataset = whole(ContentSequence=Sequence([item(ValueType="TEXT")]))
    dataset.preamble = b"II*\0" + bytes(124)
    dataset.private_block(0x0011, "BINGCHENG", create=True).add_new(0x01, "LO", "of our own")
    dataset.add_new(0x00080000, "UL", 4)
    assert as_file(dataset) == by_pydicom(dataset)


@pytest.mark.parametrize("keyword", ["StudyDescription", "TextValue"])
def test_what_a_character_set_does_not_hold_is_replaced_with_pydicoms_warning(keyword):
    dataset = whole(SpecificCharacterSet="ISO_IR 100", **{keyword: "肝"})
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        wanted = by_pydicom(dataset)
    with pytest.warns(UserWarning, match="Failed to encode value"):
        assert as_file(dataset) == wanted


def test_images_and_other_transfer_syntaxes_are_left_to_pydicom():
    assert suits(whole())
    assert not suits(whole(syntax=ImplicitVRLittleEndian))
    assert not suits(item(ValueType="TEXT"))
    image = whole()
    image.PixelData = b"\0\0"
    assert not suits(image)
