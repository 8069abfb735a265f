"""Headers that lie about what they are: nothing passes by being written twice, elsewhere, or as something else."""

from __future__ import annotations

import struct

import numpy as np
import pytest
from pydicom import Dataset
from pydicom.sequence import Sequence
from pydicom.uid import ImplicitVRLittleEndian
from tests.archive.deidentify.making import KEY, ct, read, written
from tests.archive.deidentify.pictures import COLUMNS, ROWS, grey, with_text
from tests.archive.deidentify.test_content import item, report
from tests.archive.deidentify.test_forms import explicit

from bingcheng.archive.deidentify.batch import Approval, Deidentifier, State
from bingcheng.archive.deidentify.pictures import before_and_after, views
from bingcheng.archive.deidentify.profile import Profile, known_profiles

FOLLOW_UP = Profile.named("research-follow-up")
CANARY = b"Elbonia Mission Clinic 77!"


def judged(data, profile=FOLLOW_UP, **more):
    return Deidentifier(profile=profile, key=KEY, **more).one(data)


def put_before(data, tag, raw):
    at = data.index(struct.pack("<HH", tag >> 16, tag & 0xFFFF))
    return data[:at] + raw + data[at:]


@pytest.mark.parametrize("tag", [0x00100020, 0x00080018, 0x00280010, 0x7FE00010])
def test_an_attribute_that_stands_twice_is_refused_since_readers_differ_in_which_is_true(tag):
    once = {0x00100020: b"LO", 0x00080018: b"UI", 0x00280010: b"US", 0x7FE00010: b"OB"}[tag]
    data = put_before(written(ct()), tag, explicit(tag, once, b"12"))
    result = judged(data)
    assert result.state is State.REFUSED
    assert result.problem.code == "archive.deidentify-broken"


def test_what_follows_an_item_of_no_sequence_is_not_lost_in_silence():
    data = put_before(written(ct()), 0x00280010, struct.pack("<HHI", 0xFFFE, 0xE00D, 0))
    assert judged(data).problem.code == "archive.deidentify-broken"


@pytest.mark.parametrize("length", [2, 6, 8, 16, 1000])
def test_zeros_behind_the_dataset_are_padding(length):
    for syntax in (None, ImplicitVRLittleEndian):
        dataset = ct()
        if syntax:
            dataset.file_meta.TransferSyntaxUID = syntax
        plain = judged(written(dataset)).data
        result = judged(written(dataset, trailing=bytes(length)))
        assert result.data == plain or (syntax is None and result.state is State.REFUSED)


def test_pixels_within_a_sequence_are_no_picture_that_anybody_looked_at():
    inner = Dataset()
    inner.Rows, inner.Columns, inner.BitsAllocated = 4, 8, 8
    inner.PixelData = CANARY.ljust(32, b"!")
    dataset = ct()
    dataset.ReferencedImageSequence = Sequence([inner])
    result = judged(written(dataset))
    assert result.state is State.DONE, result.problem
    assert CANARY not in result.data
    assert "PixelData" not in read(result.data).ReferencedImageSequence[0]


def test_two_kinds_of_pixels_at_once_are_refused():
    dataset = ct()
    dataset.FloatPixelData = np.zeros((32, 40), dtype="<f4").tobytes()
    approvals = {str(dataset.SOPInstanceUID): Approval(regions=())}
    result = judged(written(dataset), approvals=approvals)
    assert result.problem.code == "archive.pixels-not-read"


def test_sound_in_an_image_and_a_document_in_an_image_go():
    wave = Dataset()
    wave.WaveformBitsAllocated, wave.WaveformSampleInterpretation, wave.WaveformData = 8, "UB", CANARY
    dataset = ct(EncapsulatedDocument=CANARY)
    dataset.WaveformSequence = Sequence([wave])
    result = judged(written(dataset))
    assert result.state is State.DONE, result.problem
    assert CANARY not in result.data
    assert "WaveformSequence" not in read(result.data), "even where its numbers don't read as text"


def test_a_waveform_keeps_its_curve_and_loses_its_words():
    wave, channel = Dataset(), Dataset()
    channel.ChannelLabel = "Meierling"
    wave.WaveformBitsAllocated, wave.WaveformSampleInterpretation = 16, "SS"
    wave.ChannelDefinitionSequence = Sequence([channel])
    wave.MultiplexGroupLabel = "Otto Meierling"
    wave.WaveformData = np.arange(200, dtype="<i2").tobytes()
    dataset = ct(SOPClassUID="1.2.840.10008.5.1.4.1.1.9.1.1", Modality="ECG")
    del dataset.PixelData
    dataset.WaveformSequence = Sequence([wave])
    data = judged(written(dataset)).data
    assert b"eierling" not in data
    assert read(data).WaveformSequence[0].WaveformData == wave.WaveformData


@pytest.mark.parametrize(
    "uid", ["1.2.840.10008.MEIERLING", "1.2.840.10008.5.19340506", "1.2.840.10008.5.1.4.1.1.2 Meierling"]
)
def test_nobody_hides_under_the_root_of_the_standard(uid):
    dataset = ct()
    dataset.add_new(0x00081155, "LO", uid)
    result = judged(written(dataset))
    assert result.state is State.DONE, result.problem
    assert not any(one in result.data for one in (b"MEIERLING", b"Meierling", b"19340506"))
    assert read(result.data).ReferencedSOPInstanceUID == KEY.new_uid(uid)


def test_the_name_of_a_kind_of_object_is_a_uid_or_nothing():
    dataset = ct()
    dataset.add_new(0x00081150, "LO", "1.2.840.10008.MEIERLING")
    assert read(judged(written(dataset)).data).ReferencedSOPClassUID == ""


def test_a_kind_of_object_is_named_by_a_uid():
    data = written(ct()).replace(b"1.2.840.10008.5.1.4.1.1.2\0", b"Elbonia Mission Clinic 777")
    assert judged(data).problem.code == "archive.deidentify-no-class"


@pytest.mark.parametrize("years", ["95", "90", "120.5"])
def test_nobody_in_a_report_is_older_than_ninety(years):
    dataset = report()
    for unit, factor in (("a", 1), ("mo", 12), ("d", 365.25)):
        number, units = Dataset(), Dataset()
        units.CodeValue, units.CodingSchemeDesignator, units.CodeMeaning = unit, "UCUM", "age"
        number.NumericValue = f"{float(years) * factor:.1f}"
        number.FloatingPointValue = float(years) * factor
        number.MeasurementUnitsCodeSequence = Sequence([units])
        aged = item("NUM", ("121033", "Subject Age"), "HAS OBS CONTEXT", MeasuredValueSequence=Sequence([number]))
        dataset.ContentSequence = Sequence([aged, *report().ContentSequence])
        found = read(judged(written(dataset)).data).ContentSequence[0].MeasuredValueSequence[0]
        assert float(found.NumericValue) / factor == pytest.approx(90, rel=1e-3)
        assert "FloatingPointValue" not in found


def test_a_young_age_in_a_report_stays():
    number = Dataset()
    number.NumericValue = "64"
    aged = item("NUM", ("121033", "Subject Age"), "HAS OBS CONTEXT", MeasuredValueSequence=Sequence([number]))
    found = read(judged(written(report(ContentSequence=Sequence([aged])))).data)
    assert found.ContentSequence[0].MeasuredValueSequence[0].NumericValue == 64


@pytest.mark.parametrize(
    ("said", "stays"),
    [
        ("female, 95 years, lung", "female, years, lung"),
        ("lung, 101 y", "lung, y"),
        ("肺 95岁", "肺"),
        ("female, 64 years, lung", "female, 64 years, lung"),
        ("lung 95 mm", "lung 95 mm"),
    ],
)
def test_nobody_in_a_description_is_older_than_ninety(said, stays):
    dataset = ct(SpecificCharacterSet="GB18030", SeriesDescription=said)
    assert read(judged(written(dataset)).data).SeriesDescription == stays


def test_an_object_that_was_given_its_true_name_again_is_cleaned_again():
    once = read(judged(written(ct())).data)
    once.PatientName, once.PatientID = "Quixworth^Zebediah", "MRN-7730921"
    result = judged(written(once))
    assert result.state is State.DONE, result.problem
    assert b"uixworth" not in result.data
    assert b"7730921" not in result.data
    assert read(result.data).PatientID == result.subject.pseudonym == judged(written(ct())).subject.pseudonym


def test_a_device_that_is_called_like_the_patient_s_number_vouches_for_nobody():
    number = "MRN 7730921"
    result = judged(
        written(ct(PatientID=number, Modality=number, SoftwareVersions=number, ManufacturerModelName=number))
    )
    assert result.state is State.DONE, result.problem
    assert b"7730921" not in result.data


@pytest.mark.parametrize("name", known_profiles())
def test_a_head_is_a_head_whatever_modality_is_claimed(name):
    dataset = ct(BodyPartExamined="HEAD", Modality="OT")
    result = judged(written(dataset), Profile.named(name))
    assert result.state is State.PERSON
    assert result.problem.code == "archive.face-needs-a-person"


@pytest.mark.parametrize(
    "changes",
    [
        {"ConversionType": "WSD"},
        {"SOPClassUID": "1.2.840.10008.5.1.4.1.1.66.4", "BurnedInAnnotation": "YES"},
        {"SOPClassUID": "1.2.840.10008.5.1.4.1.1.481.2", "SamplesPerPixel": 3},
    ],
    ids=["a capture that calls itself a CT", "a segmentation that says it holds text", "a dose in colours"],
)
def test_pictures_that_contradict_their_kind_wait_for_a_person(changes):
    result = judged(written(ct(**changes)))
    assert result.problem.code == "archive.pixels-need-a-person"


def test_dark_letters_on_bright_ground_are_seen():
    values = 4095 - with_text()
    assert judged(written(grey(values))).state is State.PERSON


def test_a_person_sees_text_that_stands_in_a_later_frame_only():
    plain, worded = with_text(""), with_text()
    data = written(grey(np.stack([plain, worded, plain])))
    first, brightest = views(data)
    assert first.shape == brightest.shape == (ROWS, COLUMNS)
    assert not np.array_equal(first, brightest)
    assert (brightest == 255).sum() > 100 > (first == 255).sum()
    assert before_and_after(data, ()) != before_and_after(written(grey(plain)), ())
    assert len(views(written(grey(plain)))) == 1
    inverted = 4095 - np.stack([plain, worded])
    assert (views(written(grey(inverted, PhotometricInterpretation="MONOCHROME1")))[1] == 255).sum() > 100


def test_a_kind_of_object_is_no_place_for_a_number():
    pointed = Dataset()
    pointed.ReferencedSOPClassUID = "1.3.6.1.4.1.19520317.7730921"
    pointed.ReferencedSOPInstanceUID = "1.2.840.10008.1952.317"
    result = judged(written(ct(ReferencedImageSequence=Sequence([pointed]), PatientBirthDate="")))
    found = read(result.data).ReferencedImageSequence[0]
    assert found.ReferencedSOPClassUID == KEY.new_uid("1.3.6.1.4.1.19520317.7730921")
    assert found.ReferencedSOPInstanceUID == KEY.new_uid("1.2.840.10008.1952.317")
    own = judged(written(ct(SOPClassUID="1.3.6.1.4.1.19520317.7730921")))
    assert own.problem.code == "archive.deidentify-no-class"
    maker = ct(ReferencedImageSequence=Sequence([pointed]))
    pointed.ReferencedSOPClassUID = "1.3.46.670589.11.0.0.12.1"
    found = read(judged(written(maker)).data).ReferencedImageSequence[0]
    assert found.ReferencedSOPClassUID == "1.3.46.670589.11.0.0.12.1"


def test_a_viewer_s_own_identifier_names_a_tool_and_nobody():
    dataset = ct()
    for said, stays in (("Length", True), ("ZhangSan", False)):
        dataset.add_new("TrackingID", "UT", f"Cornerstone3DTools@^1.0.0:{said}")
        found = read(judged(written(dataset)).data).TrackingID
        assert (said in found) is stays


def test_words_spelt_letter_by_letter_go():
    for said in ("lung Z H A N G", "lung z_h_a_n_g", "lung Z.H.A.N.G"):
        found = read(judged(written(ct(SeriesDescription=said))).data)
        assert found.SeriesDescription == "lung", said
    kept = "T 2 W lung a b c"
    assert read(judged(written(ct(SeriesDescription=kept))).data).SeriesDescription == kept
