"""What may cross: a closed list. Whatever else stands in a manifest or in numbers is refused."""

from __future__ import annotations

import json
import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.archive.pairing.making import CONTENT, deidentification

from bingcheng.archive.cases import case
from bingcheng.archive.pairing.change_fact import ChangeFact
from bingcheng.archive.pairing.manifest import (
    LARGEST_BUNDLE,
    MOST_KEY_IMAGES,
    CaseContent,
    Exam,
    ListedObject,
    Manifest,
    PointedImage,
    bundle_name,
    case_name,
    read_manifest,
    tells_of_a_person,
)
from bingcheng.archive.pairing.numbers import (
    Counts,
    HospitalNumbers,
    NumbersDocument,
    cell,
    counts,
    read_numbers,
)
from bingcheng.core.errors import InputError

ORIGIN = "a" * 64
OBJECT = ListedObject(
    sop_uid="2.25.1",
    sop_class_uid="1.2.840.10008.5.1.4.1.1.2",
    study_uid="2.25.2",
    series_uid="2.25.3",
    size=1000,
    sha256="b" * 64,
)
MANIFEST = Manifest(
    format="bingcheng-case-1",
    name=bundle_name(ORIGIN, 1, 1),
    origin=ORIGIN,
    case=case_name(ORIGIN, 1),
    version=1,
    content=CONTENT,
    deidentification=deidentification(1),
    objects=(OBJECT,),
)
KEYS = (
    PointedImage(sop_uid="2.25.1", x=3.0, y=0.0, note="Washout, 31.5 mm"),
    PointedImage(sop_uid="2.25.1", frame=2),
)
POINTED = MANIFEST.model_copy(
    update={"format": "bingcheng-case-2", "content": CONTENT.model_copy(update={"key_images": KEYS})}
)
EXAMS = tuple(Exam(number=one, study_uid=f"2.25.{one}", instances=1) for one in (1, 2))
REASON = {"template": "{a} is {b}", "facts": {"a": 3, "b": {"template": "so", "facts": {}}}}
GREW = {"lesion": 1, "before": 1, "after": 2, "key": "volume", "label": "Volume", "unit": "ml", "verdict": "real"}
CHANGE = ChangeFact.model_validate({**GREW, "reasons": [REASON]})
CHANGED = MANIFEST.model_copy(
    update={
        "format": "bingcheng-case-3",
        "content": CONTENT.model_copy(update={"changes": (CHANGE,), "exams": EXAMS}),
    }
)
NUMBERS = NumbersDocument(
    format="bingcheng-numbers-1",
    origin=ORIGIN,
    made_at="2026-03-02T12:00Z",
    hospitals=(HospitalNumbers(name="North", counts=counts(10, 3, 0)),),
)


def refused(written: bytes, read=read_manifest) -> str:
    with pytest.raises(InputError) as raised:
        read(written)
    assert raised.value.code == "archive.not-whitelisted"
    return str(raised.value)


def changed(document, path, value) -> bytes:
    said = json.loads(document.written())
    place = said
    for one in path[:-1]:
        place = place[one]
    place[path[-1]] = value
    return json.dumps(said).encode()


def test_a_manifest_is_read_as_it_was_written():
    assert read_manifest(MANIFEST.written()) == MANIFEST
    assert read_manifest(POINTED.written()).content.key_images == KEYS
    assert read_manifest(CHANGED.written()).content.changes == (CHANGE,)


def test_the_first_form_is_what_earlier_releases_read():
    assert POINTED.in_form(1) == MANIFEST
    assert POINTED.in_form(2) is POINTED.in_form(7) is POINTED
    for one in (MANIFEST, POINTED.in_form(1)):
        said = json.loads(one.written())
        assert said["format"] == "bingcheng-case-1"
        assert set(said["content"]) == {
            *("title", "language", "context", "diagnosis", "diagnosis_code", "teaching", "body_part", "modality"),
            *("licence", "hospital", "hidden", "tags", "questions", "exams", "facts", "protocols"),
        }
    assert CHANGED.in_form(2).format == CHANGED.in_form(1).format == "bingcheng-case-1"
    assert "later form" in refused(changed(POINTED, ["content", "changes"], []))
    for wrong in ([], [{"sop_uid": "2.25.1"}]):
        assert "later form" in refused(changed(MANIFEST, ["content", "key_images"], wrong))


NESTED = {"template": "{a}", "facts": {"a": REASON | {"facts": {"a": REASON, "b": 1}}}}


@pytest.mark.parametrize(
    "wrong",
    [
        {"lesion": 2},
        {"after": 3},
        {"verdict": "grew"},
        {"percent": "30"},
        {"label": "of 2024-01-02"},
        *(
            {"reasons": [one]}
            for one in (
                {"template": "{a}", "facts": {}},
                {"template": "{a.__class__}", "facts": {"a": 1}},
                {"template": "{a:999999999}", "facts": {"a": 1}},
                {"template": "{}{{", "facts": {}},
                {"template": "{a}", "facts": {"a": "Zhang San"}},
                {"template": "{a}", "facts": {"a": "138 1234 5678"}},
                {"template": "{a}", "facts": {"a": {"template": "13812345678", "facts": {}}}},
                {"template": "x" * 501, "facts": {}},
                NESTED,
            )
        ),
    ],
)
def test_a_change_says_nothing_but_numbers_in_sentences_of_known_places(wrong):
    said = [{**json.loads(CHANGE.model_dump_json()), **wrong}]
    refused(changed(CHANGED, ["content", "changes"], said))


KEY = {"sop_uid": "2.25.1", "frame": 1, "x": 3.0, "y": 4.0, "note": ""}


@pytest.mark.parametrize(
    "wrong",
    [
        {"sop_uid": "2.25.99"},
        {"sop_uid": "../../2.25.1"},
        {"sop_uid": "1.2.840.113619.2.55.3.1"},
        {"frame": 0},
        {"frame": 1 << 40},
        {"x": None},
        {"x": -1.0},
        {"y": 70_000.0},
        {"y": 1e999},
        {"note": "x" * 201},
        {"note": "Zhang, 13800138000"},
        {"note": 5},
        {"series_uid": "2.25.3"},
    ],
)
def test_a_key_image_is_an_image_of_the_case_at_a_place_in_words_that_tell_nobody(wrong):
    assert "Zhang" not in refused(changed(POINTED, ["content", "key_images", 0], {**KEY, **wrong}))


@pytest.mark.parametrize("count", [MOST_KEY_IMAGES + 1, 80_000, 1_000_000])
def test_a_case_has_as_many_key_images_as_anywhere(count):
    assert MOST_KEY_IMAGES == case.MOST_KEY_IMAGES
    several = ",".join(['{"sop_uid":"2.25.1"}'] * count)
    whole = changed(POINTED, ["content", "key_images"], "HERE").replace(b'"HERE"', f"[{several}]".encode())
    began = time.process_time()
    refused(whole)
    assert time.process_time() - began < 5, "thrown away before it is looked at one by one"


@pytest.mark.parametrize(
    ("path", "value"),
    [
        (["PatientName"], "Doe^Jane"),
        (["content", "patient"], "Doe^Jane"),
        (["objects", 0, "path"], "/data/jane.dcm"),
        (["content", "facts", 0, "exam_date"], "20240213"),
        (["format"], "bingcheng-case-4"),
        (["name"], "../../etc"),
        (["origin"], "short"),
        (["version"], 0),
        (["version"], "1"),
        (["content", "title"], ""),
        (["content", "title"], "x" * 201),
        (["content", "title"], 5),
        (["content", "facts", 0, "value"], "31"),
        (["objects"], []),
        (["objects", 0, "sha256"], "b" * 63),
        (["objects", 0, "sop_uid"], "../x"),
        (["objects", 0, "size"], 5 << 40),
        (["objects", 0, "size"], True),
        (["deidentification", "codes"], ["113101"]),
        (["deidentification", "codes"], []),
        (["deidentification", "proved"], 0),
        (["deidentification", "proved"], 2),
        (["deidentification", "method"], "by-hand"),
        (["content", "context"], "Seen on 2024-02-13."),
        (["content", "context"], "身份证 11010519491231002X"),
        (["content", "diagnosis"], "tel. 010 6552 9988"),
        (["content", "teaching"], "write to jane.doe@north.example"),
    ],
)
def test_what_is_not_on_the_list_is_refused(path, value):
    said = refused(changed(MANIFEST, path, value))
    assert "Doe" not in said
    assert "jane" not in said


def test_a_case_that_is_too_large_is_refused():
    part = OBJECT.model_copy(update={"size": 4 << 30})
    many = tuple(part.model_copy(update={"sop_uid": f"2.25.{n}"}) for n in range(1, LARGEST_BUNDLE // part.size + 2))
    large = MANIFEST.model_copy(update={"objects": many, "deidentification": deidentification(len(many))})
    refused(large.written())


def test_an_object_is_listed_once():
    twice = MANIFEST.model_copy(update={"objects": (OBJECT, OBJECT), "deidentification": deidentification(2)})
    refused(twice.written())


@pytest.mark.parametrize(
    "written",
    [
        b"",
        b"[]",
        b"{",
        b"\xff",
        b"[" * 100_000,
        MANIFEST.written().replace(b'"version":1', b'"version":1,"version":1'),
        MANIFEST.written().replace(b"31.5", b"NaN"),
        MANIFEST.written().replace(b"31.5", b"Infinity"),
        MANIFEST.written() + b" " * (8 << 20),
    ],
)
def test_what_is_no_manifest_is_refused(written):
    refused(written)


@pytest.mark.parametrize(
    "words",
    [
        "31.5 mm at 120 kV, 512 x 512",
        "TNM T2 N0 M0, 3 of 12 nodes, 1.2345678 SUV",
        "ICD-O 8140/3",
        "a 55-year-old, 10-12 lesions",
        "",
    ],
)
def test_words_of_a_case_are_no_identity(words):
    assert not tells_of_a_person(words)


@pytest.mark.parametrize("letter", ["a", "-", "1 ", "1.", "肝", "a."])
def test_words_are_looked_through_in_the_time_of_their_length(letter):
    began = time.process_time()
    tells_of_a_person(letter * 200_000 + "!")
    assert time.process_time() - began < 5


@settings(max_examples=50)
@given(st.text(max_size=30), st.integers(1_000_000, 10**18))
def test_a_long_number_is_found_among_any_words(words, number):
    assert tells_of_a_person(f"{words} {number} {words}")


def test_numbers_are_read_as_they_were_written():
    assert read_numbers(NUMBERS.written()) == NUMBERS


@given(st.integers(0, 1000))
def test_a_count_of_one_to_four_is_not_told(count):
    told = cell(count)
    assert told is None if 1 <= count <= 4 else told % 5 == 0 and abs(told - count) <= 2


@pytest.mark.parametrize("count", [1, 4])
def test_a_cell_that_is_too_small_is_refused(count):
    refused(changed(NUMBERS, ["hospitals", 0, "counts", "failed"], count), read_numbers)
    with pytest.raises(ValueError, match="too small"):
        Counts(passed=count, failed=0, unknown=0)


@pytest.mark.parametrize("count", [6, 14, 1001])
def test_a_count_that_is_too_exact_is_refused(count):
    refused(changed(NUMBERS, ["hospitals", 0, "counts", "failed"], count), read_numbers)
    with pytest.raises(ValueError, match="too exact"):
        Counts(passed=count, failed=0, unknown=0)


@pytest.mark.parametrize(
    ("path", "value"),
    [
        (["patients"], ["P-ABCDEFGHIJ"]),
        (["hospitals", 0, "exams"], [{"uid": "1.2.3"}]),
        (["hospitals", 0, "counts", "total"], 14),
        (["hospitals", 0, "name"], "North 13800138000"),
        (["hospitals", 0, "counts", "passed"], -1),
        (["made_at"], "2026-03-02T12:00:03Z"),
        (
            ["hospitals", 0, "scanners"],
            [{"device": "CT", "key": "n", "label": "n", "unit": "1", "count": 4, "median": 1.0}],
        ),
    ],
)
def test_numbers_hold_nothing_but_numbers(path, value):
    refused(changed(NUMBERS, path, value), read_numbers)


def test_content_can_not_be_changed_once_made():
    with pytest.raises(ValueError, match="frozen"):
        CaseContent(title="x").title = "y"
