"""Damaged, odd and hostile files: refused or cleaned, never a fault, never a leak."""

from __future__ import annotations

import struct
import warnings
from functools import partial

import numpy as np
import pytest
from pydicom import Dataset
from pydicom.sequence import Sequence
from pydicom.uid import DeflatedExplicitVRLittleEndian, ExplicitVRBigEndian, ImplicitVRLittleEndian
from tests.archive.deidentify.making import KEY, ct, read, written
from tests.archive.deidentify.test_content import report
from tests.dicom.index.test_inflated import bomb

from bingcheng.archive.deidentify.batch import Deidentifier, State
from bingcheng.archive.deidentify.profile import Profile
from bingcheng.dicom.index.inflated import inflate

WORKER = Deidentifier(profile=Profile.named("research-follow-up"), key=KEY, preview=True)


@pytest.mark.parametrize("syntax", [None, ImplicitVRLittleEndian, ExplicitVRBigEndian])
@pytest.mark.parametrize("make", [ct, report])
def test_no_damage_makes_a_fault(make, syntax):
    dataset = make()
    if syntax is not None:
        dataset.file_meta.TransferSyntaxUID = syntax
    data = np.frombuffer(written(dataset), np.uint8)
    rng = np.random.default_rng(11)
    header = min(data.size, 2600)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for _ in range(150):
            broken = data.copy()
            places = rng.integers(128, header, rng.integers(1, 6))
            broken[places] = rng.integers(0, 256, places.size)
            result = WORKER.one(broken.tobytes()[: rng.integers(300, data.size + 1)])
            assert (result.data is None) is (result.state is not State.DONE)


def element(tag, vr, value):
    if vr in (b"OB", b"UN", b"UT", b"SQ"):
        return struct.pack("<HH2sHI", tag >> 16, tag & 0xFFFF, vr, 0, len(value)) + value
    return struct.pack("<HH2sH", tag >> 16, tag & 0xFFFF, vr, len(value)) + value


def with_element(raw, before=0x00280002):
    data = written(ct())
    at = data.index(struct.pack("<HH", before >> 16, before & 0xFFFF))
    return data[:at] + raw + data[at:]


def test_sequences_nested_beyond_reason_are_refused():
    inner = b""
    for _ in range(200):
        inner = element(0x00081140, b"SQ", struct.pack("<HHI", 0xFFFE, 0xE000, len(inner)) + inner)
    result = WORKER.one(with_element(inner))
    assert result.state is State.REFUSED
    assert result.problem.code == "archive.deidentify-broken"


def test_a_sequence_disguised_as_unknown_bytes_is_looked_into():
    hidden = struct.pack("<HHI", 0x0010, 0x0010, 18) + b"Quixworth^Zebediah"
    item = struct.pack("<HHI", 0xFFFE, 0xE000, len(hidden)) + hidden
    result = WORKER.one(with_element(element(0x00204000 & 0xFFFF0000 | 0x9222, b"UN", item)))
    assert result.state is State.DONE, result.problem
    assert b"uixworth" not in result.data
    assert any(one.path.endswith("(0010,0010)") and "[" in one.path for one in result.changes)


def test_a_name_under_another_vr_is_still_a_name():
    data = written(ct()).replace(b"\x10\0\x10\0PN", b"\x10\0\x10\0LO")
    result = WORKER.one(data)
    assert result.state is State.DONE, result.problem
    assert b"uixworth" not in result.data


def test_names_and_dates_that_the_standard_does_not_list_go_too():
    dataset = ct(EvaluatorName="Meierling^Otto", SecondaryReviewDate="20240213")
    dataset.add_new(0x00142006, "PN", "Meierling^Otto")
    result = WORKER.one(written(dataset))
    assert result.state is State.DONE, result.problem
    assert b"Meierling" not in result.data
    found = read(result.data)
    assert found.SecondaryReviewDate == found.StudyDate


def test_a_person_identified_by_a_public_code_goes_too():
    who, code = Dataset(), Dataset()
    code.CodeValue, code.CodingSchemeDesignator, code.CodeMeaning = "7788", "SCT", "Meierling, Otto"
    who.PersonIdentificationCodeSequence = Sequence([code])
    who.InstitutionName = "Zebtown General"
    for profile in ("basic", "teaching"):
        dataset = ct(SOPClassUID="1.2.840.10008.5.1.4.1.1.88.33", Modality="SR")
        del dataset.PixelData
        dataset.VerifyingObserverSequence = Sequence([who])
        result = Deidentifier(profile=Profile.named(profile), key=KEY).one(written(dataset))
        assert result.state is State.DONE, result.problem
        assert b"Meierling" not in result.data
        (found,) = read(result.data).VerifyingObserverSequence
        assert found.PersonIdentificationCodeSequence[0].CodeValue == "0"


def test_a_file_without_preamble_or_meta_header_is_cleaned():
    data = written(ct())
    start = data.index(b"\x08\0\x08\0CS")
    for part in (data[128 + 4 :], data[start:]):
        result = WORKER.one(part)
        assert result.state is State.DONE, result.problem
        assert read(result.data).PatientID == result.subject.pseudonym


def test_longer_values_than_their_vr_allows_are_no_fault():
    result = WORKER.one(written(ct(SeriesDescription="thorax", ImageComments="lung " * 2000)))
    assert result.state is State.DONE
    assert read(result.data).ImageComments.startswith("lung")


def in_items(inside, *, undefined):
    """A sequence of one item, of stated length or ended by delimiters."""
    if undefined:
        ends = struct.pack("<HHIHHI", 0xFFFE, 0xE00D, 0, 0xFFFE, 0xE0DD, 0)
        body = struct.pack("<HHI", 0xFFFE, 0xE000, 0xFFFFFFFF) + inside + ends
        return struct.pack("<HH2sHI", 0x0008, 0x1140, b"SQ", 0, 0xFFFFFFFF) + body
    return element(0x00081140, b"SQ", struct.pack("<HHI", 0xFFFE, 0xE000, len(inside)) + inside)


@pytest.mark.parametrize("undefined", [True, False])
@pytest.mark.parametrize("depth", [1, 2, 20])
@pytest.mark.parametrize("profile", ["basic", "research-follow-up"])
def test_private_and_odd_attributes_deep_within_public_sequences_go(undefined, depth, profile):
    inner = (
        element(0x00080000, b"UL", b"Otto")
        + element(0x00080070, b"LO", b"Meierling's")  # of odd length
        + element(0x00090010, b"LO", b"MEIERLING MED ")
        + element(0x00091001, b"UN", b"Otto Meierling")
        + element(0x00204000, b"LT", b"Meierling")
        + element(0x60004000, b"LT", b"Meierling!")
    )
    for _ in range(depth):
        inner = in_items(inner, undefined=undefined)
    result = Deidentifier(profile=Profile.named(profile), key=KEY).one(with_element(inner, before=0x00100010))
    assert result.state is State.DONE, result.problem
    for word in (b"eierling", b"EIERLING", b"Otto"):
        assert word not in result.data


@pytest.mark.parametrize(
    ("charset", "raw"),
    [
        (b"ISO 2022 IR 6\\ISO 2022 IR 58", b"lung Quix\x1b(Bworth \x1b$)A\xcd\xf5"),
        (b"ISO_IR 100", b"lung \x1b(BQuix\x1b(Bworth"),
        (b"ISO_IR 192", b"lung Quix\xe2\x80\x8bworth"),
        (b"GB18030", b"lung \xcd\xf5\\\xd0\xa1\xc3\xf7"),
        (b"ISO 2022 IR 87", b"lung \x1b$B%/%$\x1b(BQuixworth"),
        (b"ISO_IR 192", b"lung \xff\xfeQuixworth\x80"),
    ],
    ids=[
        "an escape within a name",
        "where no set has any",
        "a space of no width",
        "Chinese parted",
        "Japanese",
        "not UTF-8",
    ],
)
def test_no_way_of_writing_hides_a_name(charset, raw):
    dataset = ct(SeriesDescription="lung", ImageComments="thorax")
    data = written(dataset)
    charset += b" " * (len(charset) % 2)
    raw += b" " * (len(raw) % 2)
    start = data.index(b"\x08\0\x08\0CS")
    data = data[:start] + element(0x00080005, b"CS", charset) + data[start:]
    data = data.replace(element(0x0008103E, b"LO", b"lung"), element(0x0008103E, b"LO", raw))
    data = data.replace(element(0x00204000, b"LT", b"thorax"), element(0x00204000, b"LT", raw))
    result = WORKER.one(data)
    assert result.state is State.DONE, result.problem
    assert b"worth" not in result.data
    assert b"\xcd\xf5" not in result.data
    said = read(result.data)["SeriesDescription"].value
    assert (said if isinstance(said, str) else said[0]).strip() == "lung"


def test_a_file_that_unpacks_to_gigabytes_is_refused_and_one_that_does_not_is_cleaned(monkeypatch):
    dataset = ct()
    dataset.file_meta.TransferSyntaxUID = DeflatedExplicitVRLittleEndian
    data = written(dataset)
    smaller = partial(inflate, largest=4 << 20)
    monkeypatch.setattr("bingcheng.archive.deidentify.elements.inflate", smaller)
    assert WORKER.one(data).state is State.DONE
    result = WORKER.one(bomb(5))
    assert result.state is State.REFUSED
    assert result.problem.code == "dicom.too-large"
