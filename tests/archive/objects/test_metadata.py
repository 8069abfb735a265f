"""Metadata as DICOM JSON: what pydicom makes of the same files, kept until the series changes."""

from __future__ import annotations

import base64
import io
import json
import math
import struct

import numpy as np
import pydicom
import pytest
from pydicom.data import get_testdata_file
from pydicom.dataset import Dataset
from sqlalchemy import select
from tests.archive.objects.conftest import FROM, SPACE
from tests.archive.objects.sent import (
    BIG_ENDIAN,
    DEFLATED,
    EXPLICIT,
    IMPLICIT,
    JPEG_BASELINE,
    SERIES,
    STUDY,
    dataset,
    file,
    item,
    written,
)

from bingcheng.archive.objects import metadata as metadata_module
from bingcheng.archive.objects.tables import stored_metadata


def put(objects, data):
    received = objects.receive(data, space=SPACE, origin=FROM)
    return objects.instance([SPACE], None, None, received.sop_instance_uid)


def told(objects, data):
    (line,) = objects.metadata([put(objects, data)])
    return json.loads(line)


def plain(elements):
    """Elements in a form that does not depend on how a writer pads values and writes numbers."""
    found = {}
    for tag, element in elements.items():
        if tag.endswith("0000") or tag in ("00080005", "FFFCFFFC") or int(tag[3], 16) & 1:
            continue  # pydicom gives private elements the types of its own dictionary
        values = element.get("Value")
        if "BulkDataURI" in element or tag == "7FE00010":
            found[tag] = "bulk"
        elif element["vr"] == "SQ":
            found[tag] = [plain(one) for one in values or []]
        else:
            cleaned = [_plain(value, element["vr"]) for value in values or []]
            while cleaned and cleaned[-1] is None:
                cleaned.pop()
            found[tag] = (element["vr"], cleaned, element.get("InlineBinary"))
    return found


def _plain(value, vr):
    if isinstance(value, dict):
        return {group: part.strip() for group, part in value.items() if part.strip()} or None
    if vr in ("DS", "IS") or isinstance(value, int):
        return float(value) if value not in (None, "") else None
    if isinstance(value, str):
        return value.strip("\0 ") or None
    return value


def by_pydicom(data):
    held = pydicom.dcmread(io.BytesIO(data), force=True)
    return held.to_json_dict(bulk_data_threshold=1025, bulk_data_element_handler=lambda _: "x")


ODD = {
    "WindowCenter": [40, -600.5],
    "PatientComments": "two\nlines \\ with a backslash",
    "OtherPatientNames": ["Wang^A", "王^B"],
    "SelectorFDValue": [1.5, -2e300],
    "SelectorFLValue": [0.25],
    "SelectorSLValue": [-5, 7],
    "SelectorULValue": [4_000_000_000],
    "SelectorATValue": [0x00100010, 0x7FE00010],
    "SelectorUSValue": [1, 65535],
    "LossyImageCompressionRatio": "10.50",
    "SmallestImagePixelValue": -3,
    "RequestAttributesSequence": [
        item(ScheduledProcedureStepID="S", ScheduledProtocolCodeSequence=[item(CodeValue="1", CodeMeaning="胸部")]),
        item(),
    ],
    "ReferencedStudySequence": [],
    "EncapsulatedDocument": b"0123456789",
}


@pytest.mark.parametrize("syntax", [IMPLICIT, EXPLICIT, DEFLATED, BIG_ENDIAN, JPEG_BASELINE])
def test_it_says_what_pydicom_says(objects, syntax):
    data = file(syntax=syntax, **ODD)
    assert plain(told(objects, data)) == plain(by_pydicom(data))


@pytest.mark.parametrize(
    "name",
    [
        "CT_small.dcm",
        "MR_small.dcm",
        "MR_small_bigendian.dcm",
        "image_dfl.dcm",
        "liver_1frame.dcm",
        "reportsi.dcm",
        "rtstruct.dcm",
        "waveform_ecg.dcm",
    ],
)
@pytest.mark.filterwarnings("ignore")
def test_it_says_what_pydicom_says_of_real_files(objects, name):
    path = get_testdata_file(name, download=False)
    if path is None:
        pytest.skip(f"pydicom was installed without its test file {name}")
    with open(path, "rb") as stream:  # noqa: PTH123 - pydicom gives a name
        data = stream.read()
    assert plain(told(objects, data)) == plain(by_pydicom(data))


def test_real_hospital_files_say_what_pydicom_says(objects, reference_data):
    found = sorted(path for path in reference_data.glob("*/**/*.dcm") if path.stat().st_size < 2 << 20)
    chosen = found[:: max(1, len(found) // 25)]
    assert chosen
    for path in chosen:
        data = path.read_bytes()
        ours, theirs = plain(told(objects, data)), plain(by_pydicom_leniently(data))
        assert {tag: ours[tag] for tag in theirs} == theirs, path.name


def by_pydicom_leniently(data):
    # Values that break a rule of their VR, as those of real scanners do, are left out by pydicom; we tell them.
    held = pydicom.dcmread(io.BytesIO(data))
    return held.to_json_dict(
        bulk_data_threshold=1025, bulk_data_element_handler=lambda _: "x", suppress_invalid_tags=True
    )


def test_an_empty_value_between_others_is_null(objects):
    made = dataset(ImageType=["A", "", "B"])
    assert told(objects, written(made))["00080008"]["Value"] == ["A", None, "B"]


def test_numbers_that_json_does_not_know_are_words(objects):
    values = told(objects, file(SelectorFDValue=[math.nan, math.inf, -math.inf]))["00720074"]["Value"]
    assert values == ["NaN", "inf", "-inf"]


def test_text_can_not_break_out_of_its_string(objects):
    evil = '</script>"},"00100020":{"vr":"LO","Value":["x"]}'
    assert told(objects, file(StudyDescription=evil))["00081030"]["Value"] == [evil]


def test_long_values_are_told_by_an_address_that_leads_to_them(objects):
    curve = bytes(range(256)) * 8
    nested = [item(CodeValue="0"), item(EncapsulatedDocument=curve)]
    instance = put(objects, file(EncapsulatedDocument=curve[::-1], RequestAttributesSequence=nested))
    (line,) = objects.metadata([instance])
    made = json.loads(line)
    inner = made["00400275"]["Value"][1]["00420011"]["BulkDataURI"]
    assert made["00420011"]["BulkDataURI"] == "bulk/00420011"
    assert inner == "bulk/00400275/1/00420011"
    assert objects.bulk(instance, "bulk/00420011").whole() == curve[::-1]
    assert objects.bulk(instance, inner).whole() == curve
    for wrong in (
        "bulk/00420012",
        "bulk/00400275",
        "bulk/00400275/2/00420011",
        "bulk/00400275/1",
        "bulk/../x",
        "bulk/",
    ):
        assert objects.bulk(instance, wrong) is None


def test_bulk_words_are_in_little_endian_order(objects):
    numbers = np.arange(64, dtype=np.int16)
    instance = put(objects, file(syntax=BIG_ENDIAN, pixels=numbers.astype(">i2").tobytes()))
    assert objects.bulk(instance, "bulk/7FE00010").whole() == numbers.astype("<i2").tobytes()


def test_a_series_is_read_once_and_again_when_it_changes(objects, monkeypatch):
    for number in (1, 2, 3):
        put(objects, file(number))
    read = []
    monkeypatch.setattr(
        metadata_module,
        "line_of",
        lambda storage, one, real=metadata_module.line_of: read.append(1) or real(storage, one),
    )

    def lines():
        return list(objects.metadata(objects.instances_of([SPACE], STUDY)))

    first = lines()
    assert [json.loads(line)["00200013"]["Value"] for line in first] == [[1], [2], [3]]
    assert lines() == first
    monkeypatch.setattr(metadata_module, "PIECE", 7)  # lines end anywhere in what is inflated at once
    held = objects.instances_of([SPACE], STUDY)
    for order in ((0, 1, 2), (2, 1, 0), (1,), (0, 2), (2, 2, 0)):
        assert list(objects.metadata([held[n] for n in order])) == [first[n] for n in order]
    assert len(read) == 3
    put(objects, file(4))
    assert len(lines()) == 4
    assert len(read) == 7
    monkeypatch.setattr(metadata_module, "FEW", 2)
    put(objects, file(5))
    assert len(list(objects.metadata(objects.instances_of([SPACE], STUDY)[:2]))) == 2  # of five: these alone are read
    assert len(read) == 9
    objects.remove(SPACE, STUDY, SERIES, f"{SERIES}.5")
    objects.remove(SPACE, STUDY, SERIES, f"{SERIES}.2")
    assert [json.loads(line)["00200013"]["Value"] for line in lines()] == [[1], [3], [4]]
    objects.remove(SPACE, STUDY)
    with objects.workspace.reading() as connection:
        assert connection.execute(select(stored_metadata)).all() == []


def test_instances_that_were_read_before_the_series_changed_are_still_told(objects):
    before = [put(objects, file(1)), put(objects, file(2))]
    put(objects, file(3))
    objects.remove(SPACE, STUDY, SERIES, f"{SERIES}.3")
    assert [json.loads(line)["00200013"]["Value"] for line in objects.metadata(before)] == [[1], [2]]


@pytest.mark.parametrize(
    ("at", "damage"), [(-12, struct.pack("<I", 9999)), (-4, b'"H')], ids=["length of an item", "VR of an element"]
)
def test_a_damaged_sequence_is_told_as_bytes_and_they_are_given(objects, at, damage):
    data = written(dataset(RequestAttributesSequence=[item(ScheduledProcedureStepID="STEP")]))
    value = data.index(b"STEP")
    assert data[value - 16 : value - 12] == b"\xfe\xff\x00\xe0"
    assert data[value - 4 : value - 2] == b"SH"
    damaged = data[: value + at] + damage + data[value + at + len(damage) :]
    found = told(objects, damaged)["00400275"]
    assert found["vr"] == "UN"
    (instance,) = objects.instances_of([SPACE], STUDY)
    given = base64.b64decode(found.get("InlineBinary", "")) or objects.bulk(instance, found["BulkDataURI"]).whole()
    assert given.endswith(damaged[value + at : value + 4])


def test_a_dataset_without_meta_header_is_read_in_its_own_byte_order(objects):
    made = dataset()
    stream = io.BytesIO()
    pydicom.dcmwrite(stream, _bare(made), implicit_vr=True, little_endian=True, enforce_file_format=False)
    assert told(objects, stream.getvalue())["00100020"]["Value"] == ["P1"]


def _bare(made: Dataset) -> Dataset:
    bare = Dataset()
    bare.update(made)
    return bare
