"""Raw elements are found where the standard puts them, in every encoding, from as little of a file as needed."""

from __future__ import annotations

import struct
from io import BytesIO

import pydicom
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydicom.dataset import Dataset
from pydicom.sequence import Sequence
from tests.dicom.making import enhanced, image

from bingcheng.dicom.index.elements import (
    PREFIXES,
    Broken,
    Coding,
    NeedMore,
    NotDicom,
    first_item,
    items,
    read_elements,
    scan,
)

POSITION, SEQUENCE, CODE = 0x00200032, 0x00081140, 0x00080100


def written(dataset: Dataset, **how: bool) -> bytes:
    buffer = BytesIO()
    dataset.save_as(buffer, enforce_file_format=True, **how)
    return buffer.getvalue()


def with_sequences(*, undefined: bool) -> Dataset:
    """A slice with a sequence in a sequence before its position, of defined or undefined lengths."""
    inner, outer, dataset = Dataset(), Dataset(), image(1)
    inner.CodeValue = "INNER"
    outer.ReferencedSOPInstanceUID = "1.2.3"
    outer.PurposeOfReferenceCodeSequence = Sequence([inner, inner])
    dataset.ReferencedImageSequence = Sequence([outer, outer])
    for holder, keyword in ((dataset, "ReferencedImageSequence"), (outer, "PurposeOfReferenceCodeSequence")):
        holder[keyword].is_undefined_length = undefined
    for item in (inner, outer):
        item.is_undefined_length_sequence_item = undefined
    return dataset


@pytest.mark.parametrize("undefined", [True, False])
def test_sequences_are_stepped_over_or_opened(undefined: bool) -> None:
    data = written(with_sequences(undefined=undefined))
    found = scan(data, len(data), {POSITION, SEQUENCE})
    assert found.values[POSITION].split(b"\\")[2].strip() == b"2.5"
    opened = items(found.values[SEQUENCE], found.coding, {0x0040A170})
    assert len(opened) == 2
    assert first_item(opened[1][0x0040A170], found.coding, {CODE})[CODE] == b"INNER "
    assert found.pixels_length == 60


@given(kept=st.integers(0, 4000))
def test_a_cut_file_is_whole_or_broken_or_not_dicom_but_never_misread(kept: int) -> None:
    data = written(enhanced([{"z": 0.0, "b": 0.0}, {"z": 1.0, "b": 50.0}]))
    whole = scan(data, len(data), {POSITION, SEQUENCE, 0x00280010})
    part = data[:kept]
    try:
        found = scan(part, len(part), {POSITION, SEQUENCE, 0x00280010})
    except (Broken, NotDicom):
        return
    assert found.values.items() <= whole.values.items()
    assert found.pixels_at is None or found.pixels_at == whole.pixels_at
    assert found.pixels_cut_off == (found.pixels_at is not None and kept < len(data))


@given(kept=st.integers(0, 4000))
def test_a_prefix_says_the_same_as_the_whole_or_asks_for_more(kept: int) -> None:
    data = written(with_sequences(undefined=True))
    whole = scan(data, len(data), {POSITION, SEQUENCE})
    try:
        found = scan(data[:kept], len(data), {POSITION, SEQUENCE})
    except NeedMore:
        return
    except NotDicom:
        assert kept < 140
        return
    assert (found.values, found.pixels_at) == (whole.values, whole.pixels_at)


def test_only_the_beginning_of_a_file_is_read() -> None:
    data = written(image(0)) + bytes(5_000_000)
    stream = BytesIO(data)
    read_elements(stream, len(data), {POSITION})
    assert stream.tell() == PREFIXES[0]


def test_a_long_header_is_read_to_its_end() -> None:
    dataset = image(0)
    dataset.private_block(0x0009, "LONG", create=True).add_new(1, "OB", bytes(300_000))
    data = written(dataset)
    assert read_elements(BytesIO(data), len(data), {POSITION}).values[POSITION].startswith(b"-10")


def test_the_encoding_is_that_of_the_bytes_not_of_the_claim() -> None:
    dataset = image(0)
    data = bytearray(written(dataset))
    # Claims implicit VR, is explicit: both UIDs are padded to the same even length.
    at = data.index(b"1.2.840.10008.1.2.1\0")
    data[at : at + 20] = b"1.2.840.10008.1.2\0\0\0"
    found = scan(bytes(data), len(data), {POSITION})
    assert found.coding == Coding(explicit=True, little=True)
    assert POSITION in found.values


def test_an_unknown_sequence_is_in_implicit_encoding() -> None:
    """PS3.5 6.2.2, note 2: UN of undefined length."""
    item = struct.pack("<HHI", 0x0008, 0x0100, 4) + b"CODE"
    unknown = (
        struct.pack("<HH2sHI", 0x0009, 0x1001, b"UN", 0, 0xFFFFFFFF)
        + struct.pack("<HHI", 0xFFFE, 0xE000, 0xFFFFFFFF)
        + item
        + struct.pack("<HHI", 0xFFFE, 0xE00D, 0)
        + struct.pack("<HHI", 0xFFFE, 0xE0DD, 0)
    )
    after = struct.pack("<HH2sH", 0x0020, 0x0032, b"DS", 6) + b"1\\2\\3 "
    before = struct.pack("<HH2sH", 0x0008, 0x0060, b"CS", 2) + b"MR"
    data = before + unknown + after
    assert scan(data, len(data), {POSITION}).values[POSITION] == b"1\\2\\3 "


def test_sequences_nested_without_end_are_broken_not_a_crash() -> None:
    opening = struct.pack("<HH2sHI", 0x0008, 0x1140, b"SQ", 0, 0xFFFFFFFF) + struct.pack(
        "<HHI", 0xFFFE, 0xE000, 0xFFFFFFFF
    )
    data = struct.pack("<HH2sH", 0x0008, 0x0060, b"CS", 2) + b"MR" + opening * 5000
    with pytest.raises(Broken):
        scan(data, len(data), {POSITION})


def test_big_endian_is_recognised_without_a_meta_header() -> None:
    data = struct.pack(">HH2sH", 0x0008, 0x0060, b"CS", 2) + b"CT"
    data += struct.pack(">HH2sH", 0x0028, 0x0010, b"US", 2) + struct.pack(">H", 7)
    found = scan(data, len(data), {0x00280010})
    assert found.coding == Coding(explicit=True, little=False)
    assert struct.unpack(">H", found.values[0x00280010]) == (7,)


def test_elements_are_those_that_pydicom_finds() -> None:
    dataset = image(3)
    data = written(dataset)
    wanted = {element.tag: element for element in pydicom.dcmread(BytesIO(data)) if element.VR in ("CS", "UI", "LO")}
    found = scan(data, len(data), set(map(int, wanted)))
    said = {tag: raw.decode().strip("\0 ") for tag, raw in found.values.items() if tag >> 16 != 2}
    assert said == {
        int(tag): "\\".join(element.value) if element.VM > 1 else str(element.value) for tag, element in wanted.items()
    }
