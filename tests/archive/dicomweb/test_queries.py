"""Query parameters of a search (PS3.18 8.3.4)."""

from __future__ import annotations

import pytest

from bingcheng.archive.dicomweb.queries import MOST, search_of
from bingcheng.core.errors import InputError


def test_attributes_are_named_by_keyword_or_tag():
    found = search_of([("PatientID", "7"), ("00080060", "CT"), ("0020000d", "1.2"), ("StudyDate", "20260101-")])
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
    assert search_of(asked).matches == {"StudyInstanceUID": ["1.2", "1.3"]}


def test_a_comma_in_a_name_is_no_list():
    assert search_of([("PatientName", "Doe, J")]).matches == {"PatientName": ["Doe, J"]}


def test_a_path_into_a_sequence_names_its_last_attribute():
    found = search_of([("RequestAttributesSequence.ScheduledProcedureStepID", "S1"), ("00400275.00401001", "R1")])
    assert found.matches == {"ScheduledProcedureStepID": ["S1"], "RequestedProcedureID": ["R1"]}


def test_what_matches_everything_is_only_wanted_in_the_answer():
    found = search_of([("PatientName", "*"), ("PatientID", "")])
    assert found.matches == {}
    assert found.include == {"PatientName", "PatientID"}


def test_fields_are_included_one_by_one_in_a_list_or_all():
    assert search_of([("includefield", "Rows,00280011"), ("includefield", "ImageType")]).include == {
        "Rows",
        "Columns",
        "ImageType",
    }
    assert search_of([("includefield", "Rows"), ("includefield", "all")]).include is None


def test_page_and_fuzziness_are_read():
    found = search_of([("limit", "5"), ("offset", "10"), ("fuzzymatching", "true"), ("accept", "a/b")])
    assert (found.limit, found.offset, found.fuzzy) == (5, 10, True)
    assert (search_of([]).limit, search_of([("limit", "999999")]).limit) == (MOST, MOST)


@pytest.mark.parametrize(
    "asked",
    [
        ("NoSuchKeyword", "x"),
        ("9999", "x"),
        ("00090001", "x"),
        ("PatientID.", "x"),
        ("includefield", "nonsense"),
        ("limit", "-1"),
        ("limit", "x"),
        ("offset", "1e3"),
        ("offset", "9" * 30),
        ("fuzzymatching", "maybe"),
        ("", "x"),
    ],
)
def test_what_is_unknown_is_refused_and_not_ignored(asked):
    with pytest.raises(InputError) as refused:
        search_of([asked])
    assert refused.value.code == "archive.bad-query"


def test_a_refusal_repeats_no_words_of_people():
    with pytest.raises(InputError) as refused:
        search_of([("<script>王</script>", "x")])
    assert "<" not in str(refused.value)
    assert "王" not in str(refused.value)
