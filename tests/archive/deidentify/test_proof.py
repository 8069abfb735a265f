"""The second pass finds what a first pass with a hole would leave, and cries wolf of nothing else."""

from __future__ import annotations

import ast
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pytest
from pydicom.uid import ExplicitVRLittleEndian, ImplicitVRLittleEndian
from tests.archive.deidentify.making import KEY, ct, written

from bingcheng.archive.deidentify import clean, kept, proof, strangers
from bingcheng.archive.deidentify.batch import Deidentifier, State
from bingcheng.archive.deidentify.elements import Element
from bingcheng.archive.deidentify.profile import Profile
from bingcheng.archive.deidentify.proof import LeakKind, Needles, leaks, needles, printable, written_forms
from bingcheng.archive.deidentify.rules import Action, Rules

FOLLOW_UP = Profile.named("research-follow-up")
NOTHING: Mapping[str, int] = {}


def found(place: bytes, *, pixels_at=None, name="", original=None):
    searched = needles(written(original or ct()), FOLLOW_UP)
    return [one.kind for one in leaks(place, pixels_at, searched, NOTHING, (), name)]


@pytest.mark.parametrize(
    ("place", "kind"),
    [
        (b"..QUIXWORTH..", LeakKind.NAME),
        (b"dear zebediah,", LeakKind.NAME),
        ("Quixworth".encode("utf-16-le"), LeakKind.NAME),
        ("MRN-7730921".encode("utf-16-be"), LeakKind.VALUE),
        (b"quixworthzebediah", LeakKind.NAME),
        (b"id mrn-7730921", LeakKind.VALUE),
        (b"ACC5521907", LeakKind.VALUE),
        (b"1.2.276.0.7230010.3.1.4.8323329.5576.1\0", LeakKind.UID),
        *((b"on " + form.encode() + b"!", LeakKind.DATE) for form in written_forms("19520317")),
        ("生于1952年3月17日".encode("gb18030"), LeakKind.DATE),
        (b"20240213101112.5", LeakKind.DATE),
    ],
)
def test_every_form_of_an_identifier_is_found_anywhere(place, kind):
    assert kind in found(bytes(900) + place + bytes(40))
    assert kind in found(b"", name=place.decode("latin-1")) or not place.isascii()


@pytest.mark.parametrize(
    ("stated", "raw"),
    [
        ("GB18030", "Wang^Xiaoming=王^小明".encode("gb18030")),
        ("ISO_IR 192", "Wang^Xiaoming=王^小明".encode()),
        ("\\ISO 2022 IR 58", b"Wang^Xiaoming=\x1b$)A\xcd\xf5^\x1b$)A\xd0\xa1\xc3\xf7"),
        ("ISO_IR 100", "王^小明".encode("gb18030")),  # the header claims what isn't so
        ("", "王^小明".encode()),
    ],
)
def test_chinese_names_are_found_in_any_character_set(stated, raw):
    original = ct(SpecificCharacterSet=stated.split("\\"))
    data = written(original).replace(b"Quixworth^Zebediah", raw.ljust(18)[:18] if len(raw) <= 18 else raw)
    if len(raw) > 18:
        padded = raw + b" " * (len(raw) % 2)
        data = written(original).replace(
            b"PN" + len(b"Quixworth^Zebediah").to_bytes(2, "little") + b"Quixworth^Zebediah",
            b"PN" + len(padded).to_bytes(2, "little") + padded,
        )
    searched = needles(data, FOLLOW_UP)
    for charset in ("utf-8", "gb18030"):
        for place in ("..王小明..", "患者小明"):
            kinds = [one.kind for one in leaks(place.encode(charset), None, searched, NOTHING, ())]
            assert LeakKind.NAME in kinds
    result = Deidentifier(profile=Profile.named("research-follow-up"), key=KEY).one(data)
    assert result.state is State.DONE, result.problem


def test_identifiers_are_found_in_pixels():
    pixels = np.random.default_rng(0).integers(0, 3000, 40000, dtype="<u2").tobytes()
    hidden = pixels[:5001] + b"MRN-7730921" + pixels[5012:]
    assert found(pixels, pixels_at=(0, len(pixels))) == []
    assert found(hidden, pixels_at=(0, len(hidden))) == [LeakKind.VALUE]
    assert found(pixels + b"QUIXWORTH", pixels_at=(0, len(pixels))) == [LeakKind.NAME]


@pytest.mark.parametrize(
    "place",
    [b"fleetquixworths", b"0.19520317", b"119520317", b"1.2.276.0.7230010.3.1.4.8323329.5576.11", b"-1.20240213e-03"],
)
def test_parts_of_longer_words_and_numbers_are_no_leaks(place):
    assert found(place) == []


@pytest.mark.parametrize("place", [b"QUIXWORTH1", b"2quixworth", b"CT2_QUIXWORTH77"])
def test_digits_beside_a_name_hide_it_not(place):
    assert LeakKind.NAME in found(place)


def test_words_of_anatomy_are_no_leaks_even_as_names():
    assert found(b"HEAD FIRST", original=ct(PatientName="Head^Long")) == []


def test_a_date_that_was_written_anew_may_stand_as_often():
    searched = Needles(dates={"20240213"})
    assert leaks(b"20240213 20240213", None, searched, {"20240213": 2}, ()) == ()
    assert len(leaks(b"20240213 20240213", None, searched, {"20240213": 1}, ())) == 1


def test_only_runs_of_text_are_looked_at_in_pixels():
    assert printable(bytes(40) + b"abcdef\0abc\0\1ghijklmn\2") == b"abcdef\nghijklmn"
    assert printable(b"\0" * 50) == b""
    assert printable(b"abc") == b""


@pytest.mark.parametrize("hole", ["_pseudonym", "_uid", "_empty", "_remove", "_move"])
def test_a_hole_in_the_first_pass_refuses_the_output(monkeypatch, hole):
    """Each action, switched off: the proof must see it."""
    monkeypatch.setattr(clean.Cleaner, hole, lambda self, one, vr, level: one)
    dataset = ct(PatientAddress="Quixstreet 17, Zebtown", InstitutionName="Zebtown General")
    result = Deidentifier(profile=Profile.named("research-follow-up"), key=KEY).one(written(dataset))
    assert result.state is State.REFUSED
    assert result.problem.code == "archive.deidentify-leak"
    assert result.data is None
    assert "Quix" not in str(result.problem)


@pytest.mark.parametrize("action", [Action.KEEP, Action.SCRUB])
@pytest.mark.parametrize("tag", [0x00080080, 0x00081010, 0x00100040, 0x00100032, 0x0020000D, 0x00080020, 0x00081155])
def test_a_wrong_rule_of_the_first_pass_does_not_mislead_the_second(monkeypatch, tag, action):
    """The second reads the rows of the table itself."""
    right = Rules.action
    monkeypatch.setattr(
        Rules, "action", lambda self, one, vr, kind: action if one == tag else right(self, one, vr, kind)
    )
    dataset = ct(InstitutionName="Zebtown General", StationName="ZEBCT7", ReferencedSOPInstanceUID="1.2.276.77.1")
    result = Deidentifier(profile=Profile.named("basic"), key=KEY).one(written(dataset))
    searched = tag not in (0x00100040, 0x00100032)  # a letter, and nothing at all
    assert (result.state is State.REFUSED) is searched


@pytest.mark.parametrize(
    ("tag", "vr", "value"),
    [
        (0x60000022, "LO", "lung"),
        (0x50000005, "US", 2),
        (0x00990010, "LO", "lung"),
        (0x00081070, "PN", "Lung^Cyst"),
        (0x00041130, "CS", "LUNG"),
        (0x00189004, "CS", "LIU WEN"),
    ],
)
@pytest.mark.parametrize("syntax", [ExplicitVRLittleEndian, ImplicitVRLittleEndian], ids=lambda one: one.name)
def test_what_no_cleaned_object_has_refuses_the_output_though_it_names_nobody(monkeypatch, tag, vr, value, syntax):
    """As if the first pass had forgotten it."""
    right = clean.Cleaner.clean

    def forgetful(self, found):
        right(self, found)
        raw = value.encode() if isinstance(value, str) else value.to_bytes(2, "little")
        found.elements = sorted([*found.elements, Element(tag, vr, raw)], key=lambda one: one.tag)

    monkeypatch.setattr(clean.Cleaner, "clean", forgetful)
    dataset = ct()
    dataset.file_meta.TransferSyntaxUID = syntax
    result = Deidentifier(profile=Profile.named("teaching"), key=KEY).one(written(dataset))
    assert result.state is State.REFUSED
    assert result.problem.code == "archive.deidentify-leak"


def test_the_second_pass_shares_no_code_with_the_first():
    ours = set()
    for module in (proof, strangers, kept):
        nodes = ast.walk(ast.parse(Path(module.__file__).read_text("utf-8")))
        imported = {node.module for node in nodes if isinstance(node, ast.ImportFrom)}
        ours |= {name.rpartition(".")[2] for name in imported if name and name.startswith("bingcheng.archive")}
    assert ours == {"attributes", "profile", "vocabulary", "proof", "kept"}, (
        "the table, the profile and the words are data"
    )


def test_an_identifier_in_an_attribute_that_stays_refuses_the_output():
    result = Deidentifier(profile=Profile.named("basic"), key=KEY).one(
        written(ct(PatientID="7730921", InstanceNumber="7730921"))
    )
    assert result.state is State.REFUSED


def test_a_number_is_known_without_the_zeros_that_fill_it_up():
    profile = Profile.named("basic")
    dataset = ct(PatientID="0004711", SequenceName="tse 4711")
    assert b"4711" not in Deidentifier(profile=profile, key=KEY).one(written(dataset)).data
    hidden = written(ct(PatientID="000773092", InstanceNumber="773092"))
    assert Deidentifier(profile=profile, key=KEY).one(hidden).state is State.REFUSED


def test_an_identifier_in_a_text_that_stays_is_taken_out_of_it():
    dataset = ct(ManufacturerModelName="Vereos QUIXWORTH", ContrastFlowRate="3", ScanOptions="ZEBEDIAH")
    result = Deidentifier(profile=Profile.named("basic"), key=KEY).one(written(dataset))
    assert result.state is State.DONE, result.problem
    assert b"Vereos" in result.data


def test_names_that_are_nobodys_refuse_nothing():
    for name in ("ANONYMOUS", "Anonymized^^", "STS_001", "Clean^Research", "匿名"):
        dataset = ct(
            SpecificCharacterSet="GB18030", PatientName=name, PatientID="ANON", StationName="ANON", StudyID="001"
        )
        dataset.ImageComments = "001 anonymous"
        result = Deidentifier(profile=Profile.named("research-follow-up"), key=KEY).one(written(dataset))
        assert result.state is State.DONE, (name, result.problem)


def test_an_identifier_in_the_name_of_a_private_block_takes_the_block_along():
    dataset = ct(InstitutionName="UCSF BIRP")
    block = dataset.private_block(0x0117, "UCSF BIRP PRIVATE CREATOR 011710xx", create=True)
    block.add_new(0x42, "DS", "1.5")
    result = Deidentifier(profile=Profile.named("research-follow-up"), key=KEY).one(written(dataset))
    assert result.state is State.DONE, result.problem
    assert b"UCSF" not in result.data


def test_long_pixels_are_searched_in_pieces_and_over_their_borders(monkeypatch):
    monkeypatch.setattr(proof, "PIECE", 1000)
    for at in range(990, 1012):
        pixels = bytes(at) + b"MRN-7730921" + bytes(900)
        assert LeakKind.VALUE in found(pixels, pixels_at=(0, len(pixels)))
