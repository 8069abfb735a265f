"""Nothing of PS3.15 Table E.1-1 survives that a profile takes out, wherever it stands."""

from __future__ import annotations

import json
import struct
import warnings

import pytest
from pydicom import Dataset
from pydicom.sequence import Sequence
from pydicom.uid import DeflatedExplicitVRLittleEndian, ExplicitVRBigEndian, ImplicitVRLittleEndian
from tests.archive.deidentify.making import CT, KEY, ct, odd_elements, plant, read, written

from bingcheng.archive.deidentify.attributes import attributes, types
from bingcheng.archive.deidentify.batch import Deidentifier, State
from bingcheng.archive.deidentify.profile import Option, Profile, known_profiles
from bingcheng.archive.deidentify.rules import Action, Rules

COLUMN = {Option.DEVICE: "device", Option.PATIENT: "patient"}


@pytest.fixture(autouse=True)
def planted_values_may_break_rules_of_their_vr():
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield


def kept_by(profile):
    """Tags whose values an option keeps."""
    columns = {COLUMN[option] for option in profile.options if option in COLUMN}
    return {int(one.tag, 16) for one in attributes() if columns & {c for c, a in one.options.items() if a == "K"}}


def everything(seed=0):
    """A CT image with every attribute of the table at the top, and once more in a sequence in a sequence."""
    dataset, inner, outer = ct(), Dataset(), Dataset()
    planted = plant(dataset, seed)
    inside = plant(inner, seed + 2000)
    outer.ReferencedInstanceSequence = Sequence([inner])
    dataset.ReferencedSeriesSequence = Sequence([outer])
    dataset.SOPClassUID = CT
    return dataset, planted, inside


def test_the_table_is_whole():
    listed = attributes()
    assert len(listed) >= 655
    assert {one.tag for one in listed} >= {"00100010", "0040a730", "50xxxxxx", "60xx3000", "60xx4000", "private"}
    assert {one.basic for one in listed} <= {"X", "Z", "D", "U", "X/Z", "X/D", "X/Z/D", "Z/D", "X/Z/U*"}
    assert len(types()) > 600


@pytest.mark.parametrize("name", known_profiles())
def test_no_canary_in_any_attribute_survives(name):
    profile = Profile.named(name)
    dataset, planted, inside = everything()
    assert len(planted.texts) + len(planted.numbers) > 600
    result = Deidentifier(profile=profile, key=KEY).one(written(dataset), "QZ99999XW.dcm")
    assert result.state is State.DONE, result.problem
    low, kept = result.data.lower(), kept_by(profile)
    left = [f"{tag:08x}" for tag, value in planted.texts.items() if tag not in kept and value.lower().encode() in low]
    left += [f"{tag:08x}" for tag, value in inside.texts.items() if tag not in kept and value.lower().encode() in low]
    assert left == []
    assert b"QZ99999XW".lower() not in result.name.lower().encode()
    same = {tag for tag, value in planted.numbers.items() if str(read(result.data).get(tag, "")) == str(value)}
    times = {tag for tag in planted.numbers if len(str(planted.numbers[tag])) == 13}
    assert not same - kept - (times if profile.has(Option.MODIFIED_DATES) else set())


def test_overlays_curves_private_padding_preamble_and_trailing_zeros_leave_nothing():
    dataset = ct()
    dataset.private_block(0x0099, "QZCREATOR", create=True).add_new(0x01, "LO", "QZPRIVATE")
    dataset.add_new(0xFFFCFFFC, "OB", b"QZPADDING!")
    data = written(dataset, preamble=b"QZPREAMBLE".ljust(128, b"\0"), trailing=bytes(6))
    at = data.index(struct.pack("<HH", 0x7FE0, 0x0010))
    data = data[:at] + odd_elements(1) + data[at:]
    for name in known_profiles():
        result = Deidentifier(profile=Profile.named(name), key=KEY).one(data)
        assert result.state is State.DONE, result.problem
        assert b"QZ" not in result.data
        assert not result.data[:128].strip(b"\0")


@pytest.mark.parametrize(
    "syntax", [ImplicitVRLittleEndian, ExplicitVRBigEndian, DeflatedExplicitVRLittleEndian], ids=lambda one: one.name
)
def test_no_canary_survives_in_other_encodings(syntax):
    dataset, planted, inside = everything()
    dataset.file_meta.TransferSyntaxUID = syntax
    if syntax is ExplicitVRBigEndian:
        for element in [*dataset]:  # two zero bytes have no order
            if element.VR in ("OW", "OB", "UN"):
                element.VR = "OB" if element.tag != 0x7FE00010 else "OW"
    result = Deidentifier(profile=Profile.named("basic"), key=KEY).one(written(dataset))
    assert result.state is State.DONE, result.problem
    low = result.data.lower()
    assert [v for v in (*planted.texts.values(), *inside.texts.values()) if v.lower().encode() in low] == []
    assert read(result.data).Rows == 32


def test_what_is_not_listed_stays_byte_for_byte():
    dataset = ct()
    result = read(Deidentifier(profile=Profile.named("basic"), key=KEY).one(written(dataset)).data)
    listed = {int(one.tag, 16) for one in attributes() if "x" not in one.tag and one.tag != "private"}
    for element in dataset:
        if element.tag not in listed and element.tag >> 16 != 0x0012:
            assert result[element.tag].value == element.value, element.tag


def test_the_action_depends_on_the_type_in_the_object():
    rules = Rules(Profile.named("basic"))
    assert rules.action(0x00181030, "LO", CT) is Action.REMOVE  # Protocol Name, X/D: type 3 in CT
    assert rules.action(0x00080023, "DA", CT) is Action.EMPTY  # Content Date, Z/D: type 2C in CT
    assert rules.action(0x00080023, "DA", "1.2.840.10008.5.1.4.1.1.66.4") is Action.DUMMY  # type 1 in SEG
    assert rules.action(0x00181030, "LO", None) is Action.DUMMY  # nobody knows: the object stays valid


def test_attributes_that_the_standard_does_not_know_go():
    dataset = ct()
    dataset.add_new(0x00180FFE, "LO", "something")
    dataset.add_new(0x7F000010, "OW", b"pixels of old")
    dataset.RetrieveURL = "http://pacs.hospital.example/studies"
    result = read(Deidentifier(profile=Profile.named("research-follow-up"), key=KEY).one(written(dataset)).data)
    assert 0x00180FFE not in result
    assert 0x7F000010 not in result
    assert result.RetrieveURL == "about:blank"


def test_what_identifies_in_the_meta_header_goes():
    dataset = ct()
    dataset.file_meta.SourceApplicationEntityTitle = "QZHOSPITALAE"
    dataset.file_meta.PrivateInformationCreatorUID = "1.2.3.4.5.6.7"
    dataset.file_meta.PrivateInformation = b"QZPRIVATE!"
    result = Deidentifier(profile=Profile.named("basic"), key=KEY).one(written(dataset))
    assert b"QZ" not in result.data
    assert read(result.data).file_meta.MediaStorageSOPInstanceUID == read(result.data).SOPInstanceUID


def test_every_row_of_the_standard_as_others_read_it_is_in_the_table(reference_data):
    path = reference_data / "10_deid_protocol" / "confidentiality_profile_attributes.json"
    ours = {one.tag: one for one in attributes()}
    rows = json.loads(path.read_text("utf-8"))
    assert len(rows) == 621
    for row in rows:
        tag = "private" if "WHERE" in row["tag"] else row["tag"].strip("()").replace(",", "").lower()
        assert ours[tag].basic == row["basicProfile"], tag
        assert ours[tag].options.get("device", "") == row.get("rtnDevIdOpt", ""), tag
        assert ours[tag].options.get("modified_dates", "") == row.get("rtnLongModifDatesOpt", ""), tag
        assert ours[tag].options.get("descriptors", "") == row.get("cleanDescOpt", ""), tag
