"""Values without the form of their attribute say something else, and go; so does text in every attribute there is."""

from __future__ import annotations

import itertools
import re
import string
import struct
import warnings

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydicom import Dataset
from pydicom._dicom_dict import DicomDictionary
from pydicom.sequence import Sequence
from tests.archive.deidentify.making import KEY, ct, read, written

from bingcheng.archive.deidentify.attributes import attributes
from bingcheng.archive.deidentify.batch import Deidentifier, State
from bingcheng.archive.deidentify.forms import has_form, reads_as_text, true_vr
from bingcheng.archive.deidentify.profile import Option, Profile, known_profiles

FOLLOW_UP = Profile.named("research-follow-up")
SR = "1.2.840.10008.5.1.4.1.1.88.33"
TEXT = b"Elbonia Mission Clinic 77"


@pytest.fixture(autouse=True)
def planted_values_may_break_rules_of_their_vr():
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield


BY_VR = {
    "DS": 0x00180050,
    "IS": 0x00200013,
    "TM": 0x00080030,
    "DA": 0x00080020,
    "DT": 0x0008002A,
    "AS": 0x00101010,
    "UI": 0x00080016,
    "CS": 0x00180022,
    "US": 0x00280010,
    "FD": 0x00189073,
    "OW": 0x00281201,
    "AT": 0x00280009,
}


@pytest.mark.parametrize(
    ("vr", "value"),
    [
        *(("DS", one) for one in (b"1.5 ", b"-1e-05\\.5\\3.", b"", b"0.12345678901234567 \\2")),
        *(("IS", one) for one in (b"12", b"-3\\+4 ", b"1.0")),
        *(("TM", one) for one in (b"101112.123456", b"10", b"10:11:12", b"101112 \\0930")),
        *(("DA", one) for one in (b"20240213", b"2024.02.13", b"20240213\\20240214")),
        *(("DT", one) for one in (b"20240213101112.5+0800", b"2024", b"202402131011")),
        *(("AS", one) for one in (b"071Y", b"003M")),
        *(("UI", one) for one in (b"1.2.840.10008.5\0", b"1.2\\1.3")),
        *(("CS", one) for one in (b"ORIGINAL\\PRIMARY\\M_FFE", b"HEAD FIRST", b"")),
        ("US", b"\x40\x00"),
        ("FD", struct.pack("<2d", 3.25, -1e9)),
        ("OW", bytes(range(256))),
        ("OW", np.repeat(np.arange(256, dtype=np.uint8), 2).tobytes()),
        ("OW", np.arange(65535, -1, -1, dtype="<u2").tobytes()),
        ("OW", (110 + 12 * np.sin(np.arange(400) / 20)).astype(np.uint8).tobytes()),
    ],
)
def test_what_scanners_write_has_its_form(vr, value):
    assert has_form(BY_VR[vr], vr, value)


@pytest.mark.parametrize(
    ("vr", "value"),
    [
        *((vr, TEXT) for vr in BY_VR if vr not in ("CS", "AT")),
        ("DS", b"+43 664 1234567"),
        ("DS", b"1.2.3"),
        ("IS", b"19-52"),
        ("TM", b"ten"),
        ("DA", b"13.02.2024"),
        ("AS", b"old"),
        ("UI", b"1.2.QUIX"),
        ("CS", b"Quixworth"),
        ("CS", b"ORIGINAL\\Dr. Meier"),
        ("US", b"\x40"),
        ("FD", b"QUIXWORT"),
        ("US", b"Quixwo"),
        ("OW", b"Zhangsan"),
        ("AT", b"Quixwor\0"),
        ("AT", b"12345"),
    ],
)
def test_what_no_scanner_writes_has_not(vr, value):
    assert not has_form(BY_VR[vr], vr, value)


def test_a_claimed_type_of_value_counts_for_nothing():
    assert not has_form(BY_VR["US"], "LO", b"Quix")
    assert not has_form(BY_VR["OW"], "UT", b"\1\2")
    assert true_vr(BY_VR["CS"], "OB") == "CS"
    assert true_vr(0x00100010, "UN") == "PN"
    assert true_vr(0x00280106, "SS") == "SS"


def test_text_of_two_bytes_a_letter_is_text_too():
    assert reads_as_text("Elbonia Clinic".encode("utf-16-le"))
    assert not reads_as_text(np.linspace(0, 1, 400).tobytes())
    assert not reads_as_text(np.random.default_rng(0).normal(size=4000).astype(np.float32).tobytes())


@pytest.mark.parametrize(
    ("keyword", "value"),
    [
        ("Manufacturer", "Dr Meierling Praxis"),
        ("ManufacturerModelName", "Elbonia Clinic 5512"),
        ("SequenceName", "for Otto"),
        ("ConvolutionKernel", "Zebtown"),
        ("ScanOptions", "dr. Meierling"),
        ("BodyPartExamined", "MEIERLING"),
        ("PatientSex", "MEIERLING"),
        ("SpecificCharacterSet", "ELBONIA"),
        ("ReceiveCoilName", "coil of Meierling"),
    ],
)
def test_text_that_the_standard_keeps_holds_only_known_words(keyword, value):
    dataset = ct()
    dataset.add_new(keyword, "LO", value)
    result = Deidentifier(profile=FOLLOW_UP, key=KEY, preview=True).one(written(dataset))
    assert result.state is not State.REFUSED, result.problem
    told = {one.name: one.after for one in result.changes}
    assert result.data is None or not any(
        word.encode() in result.data for word in ("eierling", "MEIERLING", "lbonia", "Otto")
    )
    assert told, "what goes is said"


@pytest.mark.parametrize(
    ("keyword", "value"),
    [
        ("Manufacturer", "SIEMENS"),
        ("Manufacturer", "GE MEDICAL SYSTEMS"),
        ("Manufacturer", "Philips Medical Systems"),
        ("Manufacturer", "UIH"),
        ("ManufacturerModelName", "Biograph64_mCT"),
        ("ManufacturerModelName", "Revolution CT"),
        ("ManufacturerModelName", "MAGNETOM Vida"),
        ("ManufacturerModelName", "uMR 780"),
        ("SequenceName", "*tfl3d1_16ns"),
        ("SequenceName", "ep_b1000"),
        ("ConvolutionKernel", ["I31f", "3"]),
        ("ConvolutionKernel", "STANDARD"),
        ("ReceiveCoilName", "HeadNeck_20"),
        ("ImageType", ["ORIGINAL", "PRIMARY", "M", "ND", "DIS2D"]),
        ("BodyPartExamined", "Chest"),
        ("BodyPartExamined", "ABDOMENPELVIS"),
        ("ScanOptions", ["FAST_GEMS", "SAT1"]),
    ],
)
def test_what_devices_say_of_themselves_stays(keyword, value):
    dataset = ct(**{keyword: value})
    data = Deidentifier(profile=FOLLOW_UP, key=KEY).one(written(dataset)).data
    assert read(data)[keyword].value == dataset[keyword].value


def test_a_hospital_s_own_words_stay_in_what_devices_say():
    ours = Profile(name="x", label="x", says="", options=FOLLOW_UP.options, words=frozenset(("zebscan",)))
    data = Deidentifier(profile=ours, key=KEY).one(written(ct(ManufacturerModelName="Zebscan 64"))).data
    assert read(data).ManufacturerModelName == "Zebscan 64"


def test_what_has_no_form_is_emptied_and_said_and_the_rest_stays():
    dataset = ct()
    dataset.add_new("SliceThickness", "LO", "five mm, says Meierling")
    dataset.ImageType = ["ORIGINAL", "PRIMARY", "axial", "Meierling"]
    result = Deidentifier(profile=FOLLOW_UP, key=KEY, preview=True).one(written(dataset))
    found = read(result.data)
    assert not found.SliceThickness, "a zero that nobody measured would be a lie"
    assert list(found.ImageType) == ["ORIGINAL", "PRIMARY", "axial", ""]
    said = {one.name: one for one in result.changes}
    assert "form" in str(said["Slice Thickness"].reason)
    assert said["Slice Thickness"].after == ""
    assert found.KVP == 120


def canaries():
    """A word of its own for each attribute that the standard knows, in letters only."""
    letters = itertools.product(string.ascii_lowercase, repeat=4)
    return (f"Zyxw{''.join(some)}q".encode() for some in letters)


def explicit(tag, vr, value):
    value += b" " * (len(value) % 2)
    head = struct.pack("<HH2s", tag >> 16, tag & 0xFFFF, vr)
    return head + (struct.pack("<HI", 0, len(value)) if vr in (b"UT", b"OB") else struct.pack("<H", len(value))) + value


NOT_OURS = frozenset((0x00080005, 0x00080016, 0x00080018, 0x0020000D, 0x0020000E, 0x00100010, 0x00100020, 0x00080060))


def kept(profile):
    columns = {option.value.replace("-", "_") for option in profile.options} - {"modified_dates", "full_dates"}
    return {int(one.tag, 16) for one in attributes() if any(one.options.get(column) == "K" for column in columns)}


@pytest.mark.parametrize("claims", ["text", "its own kind", "bytes"])
@pytest.mark.parametrize("name", known_profiles())
def test_text_in_any_attribute_that_the_standard_knows_goes(name, claims):
    profile = Profile.named(name)
    base = ct(SOPClassUID=SR, Modality="SR")
    for keyword in ("PixelData", "Rows", "Columns"):
        del base[keyword]
    data = written(base)
    start = data.index(b"\x08\0\x05\0") if b"\x08\0\x05\0" in data else data.index(b"\x08\0\x08\0CS")
    own = {element.tag: element for element in base}
    body, planted, words = b"", {}, canaries()
    for tag in sorted(
        tag for tag in DicomDictionary if tag >> 16 >= 8 and not tag >> 16 & 1 and tag >> 16 not in (0x7FE0, 0xFFFE)
    ):
        if tag in own and tag in NOT_OURS:
            body += explicit(int(tag), own[tag].VR.encode(), str(own[tag].value).encode())
            continue
        if tag in NOT_OURS:
            continue
        vr = DicomDictionary[tag][0][:2]
        planted[tag] = next(words)
        claimed = {"text": b"LO", "bytes": b"OB"}.get(
            claims, vr.encode() if vr in ("LO", "SH", "CS", "AE", "LT") else b"UT"
        )
        body += explicit(tag, claimed, planted[tag] + b" told")
    assert len(planted) > 4000
    result = Deidentifier(profile=profile, key=KEY).one(data[:start] + body)
    assert result.state is State.DONE, result.problem
    stays, found = kept(profile), set(re.findall(rb"Zyxw[a-z]{4}q", result.data))
    left = [tag for tag, word in planted.items() if word in found]
    assert [f"{tag:08x}" for tag in left if tag not in stays] == []
    assert len(left) <= len(stays)
    assert bool(stays) is profile.has(Option.PATIENT)


def test_codes_of_public_systems_say_what_the_system_says():
    def coded(value, meaning, scheme, version=None):
        item = Dataset()
        item.CodeValue, item.CodingSchemeDesignator, item.CodeMeaning = value, scheme, meaning
        if version:
            item.CodingSchemeVersion = version
        return item

    dataset = ct()
    dataset.ProcedureCodeSequence = Sequence(
        [
            coded("39607008", "Lung structure, told Otto Meierling", "SCT"),
            coded("MEIERLING OTTO", "lung", "SCT"),
            coded("MEIERLING", "lung", "DCM"),
            coded("{Meierling}", "lung", "UCUM"),
            coded("{SUVbw}g/ml", "lung", "UCUM", "1.4"),
            coded("110501", "Equipment failure", "DCM", "Meierling"),
            coded("12", "lung", "Praxis Meierling"),
        ]
    )
    data = Deidentifier(profile=FOLLOW_UP, key=KEY).one(written(dataset)).data
    assert b"eierling" not in data
    assert b"MEIERLING" not in data
    found = read(data).ProcedureCodeSequence
    assert (found[0].CodeValue, found[0].CodeMeaning) == ("39607008", "Lung structure, told".removesuffix(", told"))
    assert [one.CodeValue for one in found[1:4]] == ["0", "0", "0"]
    assert (found[4].CodeValue, found[4].CodingSchemeVersion) == ("{SUVbw}g/ml", "1.4")
    assert found[5].CodeMeaning == "Equipment failure"
    assert found[6].CodingSchemeDesignator == "99REMOVED"


@pytest.mark.parametrize(
    ("scheme", "value", "stays"),
    [
        ("DCM", "ZHANGSAN", False),
        ("DCM", "113041", True),
        ("SRT", "T-ZHANG1", False),
        ("SRT", "T-28000", True),
        ("SRT", "R-00339", True),
        ("99SDM", "LISI52", False),
        ("99SDM", "S12.7", True),
        ("UCUM", "ZHANGSAN", False),
        ("UCUM", "zhang", False),
        *(
            ("UCUM", one, True)
            for one in ("mm", "mm2/s", "[hnsf'U]", "10*-6.mm2/s", "ml/100ml/min", "Bq/ml", "{ratio}")
        ),
        *(("UCUM", one, True) for one in ("g/ml{SUVlbm}", "mm[Hg]", "deg", "Cel", "kPa", "1", "HU")),
        ("IBSI", "Q3CK", True),
        ("RADLEX", "RID1302", True),
        ("NCIt", "C12468", True),
        ("RFC5646", "zh-CN", True),
    ],
)
def test_letters_of_a_code_are_no_name(scheme, value, stays):
    coded = Dataset()
    coded.CodeValue, coded.CodingSchemeDesignator, coded.CodeMeaning = value, scheme, "lung"
    dataset = ct(AnatomicRegionSequence=Sequence([coded]))
    found = read(Deidentifier(profile=FOLLOW_UP, key=KEY).one(written(dataset)).data)
    assert found.AnatomicRegionSequence[0].CodeValue == (value if stays else "0")


@pytest.mark.parametrize(("scheme", "stays"), [("99ZHANGSAN", False), ("99QIICR", True), ("99PHILIPS", True)])
def test_the_name_of_a_hospital_s_own_scheme_is_no_person_s(scheme, stays):
    coded = Dataset()
    coded.CodeValue, coded.CodingSchemeDesignator, coded.CodeMeaning = "12", scheme, "lung"
    coded.CodingSchemeVersion = "ZHANG1" if not stays else "1.2a"
    dataset = ct(AnatomicRegionSequence=Sequence([coded]))
    found = read(Deidentifier(profile=FOLLOW_UP, key=KEY).one(written(dataset)).data).AnatomicRegionSequence[0]
    assert found.CodingSchemeDesignator == (scheme if stays else "99REMOVED")
    assert found.CodingSchemeVersion == ("1.2a" if stays else "0")


@pytest.mark.parametrize("order", ["<u2", ">u2"])
def test_a_ramp_of_colours_is_no_text_whatever_its_step(order):
    for entries in (256, 1024, 4096):
        for step in range(1, 65535 // (entries - 1) + 1):
            ramp = (np.arange(entries) * step).astype(order)
            assert not reads_as_text(ramp.tobytes()), step
            assert not reads_as_text(ramp[::-1].tobytes()), step
    assert not reads_as_text(np.linspace(0, 65535, 4096).round().astype(order).tobytes())


@given(st.text(alphabet=string.ascii_letters, min_size=12, max_size=40).filter(lambda said: len(set(said)) > 6))
def test_letters_in_a_ramp_are_text(said):
    ramp = (np.arange(4096) * 15).astype("<u2").tobytes()
    words = f"Quixworth Zebediah {said}".encode()
    assert reads_as_text(ramp[:2000] + words + ramp[2000:])
