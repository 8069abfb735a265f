"""Query parameters of a search (PS3.18 8.3.4)."""

from __future__ import annotations

import pytest

from bingcheng.archive.dicomweb.queries import MOST, search_of
from bingcheng.archive.objects.attributes import Level
from bingcheng.core.errors import InputError


def test_attributes_are_named_by_keyword_or_tag():
    found = search_of(
        [("PatientID", "7"), ("00080060", "CT"), ("0020000d", "1.2"), ("StudyDate", "20260101-")], Level.INSTANCE
    )
    assert found.matches == {
        "PatientID": ["7"],
        "Modality": ["CT"],
        "StudyInstanceUID": ["1.2"],
        "StudyDate": ["20260101-"],
    }


@pytest.mark.parametrize(
    "asked",
    [
        [("StudyInstanceUID", "1.2,1.3")],
        [("StudyInstanceUID", "1.2\\1.3")],
        [("StudyInstanceUID", "1.2"), ("0020000D", "1.3")],
    ],
)
def test_lists_of_uids_match_any_of_them(asked):
    assert search_of(asked, Level.INSTANCE).matches == {"StudyInstanceUID": ["1.2", "1.3"]}


def test_a_comma_in_a_name_is_no_list():
    assert search_of([("PatientName", "Doe, J")], Level.INSTANCE).matches == {"PatientName": ["Doe, J"]}


def test_a_path_into_a_sequence_names_its_last_attribute():
    found = search_of(
        [("RequestAttributesSequence.ScheduledProcedureStepID", "S1"), ("00400275.00401001", "R1")], Level.INSTANCE
    )
    assert found.matches == {"ScheduledProcedureStepID": ["S1"], "RequestedProcedureID": ["R1"]}


def test_what_matches_everything_is_only_wanted_in_the_answer():
    found = search_of([("PatientName", "*"), ("PatientID", "")], Level.INSTANCE)
    assert found.matches == {}
    assert found.include == {"PatientName", "PatientID"}


def test_fields_are_included_one_by_one_in_a_list_or_all():
    assert search_of([("includefield", "Rows,00280011"), ("includefield", "ImageType")], Level.INSTANCE).include == {
        "Rows",
        "Columns",
        "ImageType",
    }
    assert search_of([("includefield", "Rows"), ("includefield", "all")], Level.INSTANCE).include is None


def test_page_and_fuzziness_are_read():
    found = search_of([("limit", "5"), ("offset", "10"), ("fuzzymatching", "true"), ("accept", "a/b")], Level.INSTANCE)
    assert (found.limit, found.offset, found.fuzzy) == (5, 10, True)
    assert (search_of([], Level.INSTANCE).limit, search_of([("limit", "999999")], Level.INSTANCE).limit) == (MOST, MOST)


@pytest.mark.parametrize(
    "asked",
    [
        ("includefield", "nonsense"),
        ("includefield", "PatientID,nonsense"),
        ("limit", "-1"),
        ("limit", "x"),
        ("offset", "1e3"),
        ("offset", "9" * 30),
        ("fuzzymatching", "maybe"),
    ],
)
def test_a_value_that_is_none_is_refused(asked):
    with pytest.raises(InputError) as refused:
        search_of([asked], Level.INSTANCE)
    assert refused.value.code == "archive.bad-query"


@pytest.mark.parametrize(
    "name",
    ["NoSuchKeyword", "9999", "00090001", "PatientID.", "", "PixelData", "_", "OtherPatientIDsSequence.PatientID"],
)
def test_what_is_not_supported_is_left_out_and_named(name):
    # 8.3: unsupported parameters are ignored; the answer may warn.
    found = search_of([(name, "x"), ("PatientID", "7")], Level.INSTANCE)
    assert (found.matches, len(found.ignored)) == ({"PatientID": ["7"]}, 1)


def test_attributes_of_lower_levels_are_not_matched():
    assert search_of([("Modality", "CT")], Level.SERIES).ignored == ()
    assert search_of([("Modality", "CT")], Level.STUDY).ignored == ("Modality",)


def test_private_attributes_may_be_wanted():
    assert search_of([("includefield", "00231002")], Level.STUDY).include == frozenset()


def test_what_is_told_back_repeats_no_words_of_people():
    (told,) = search_of([("<script>王</script>", "x")], Level.STUDY).ignored
    assert "<" not in told
    assert "王" not in told
