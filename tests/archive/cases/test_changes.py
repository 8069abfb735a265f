"""The changes that a case carries: of what it shows, with their reasons, and without what a header says in words."""

from __future__ import annotations

from dataclasses import replace

import pytest
from tests.compare.conftest import observation

from bingcheng.archive.cases.changes import carry_changes, case_changes, same_lesions
from bingcheng.compare.change import Verdict
from bingcheng.compare.lesions import LesionChange, lesion_changes

EXAMS = {"P1.0": 1, "P1.90": 2}
LESIONS = {("P1.0", "1.2.3"): 1, ("P1.90", "1.2.3"): 1}


def followed(volumes: tuple[float, ...] = (10.0, 30.0), **later: object) -> tuple[LesionChange, ...]:
    seen = []
    for day, volume in zip((0, 90, 180), volumes, strict=False):
        conditions = later if day else {}
        seen += [
            observation("volume", volume, day=day, uncertainty=0.1, **conditions),
            observation("longest_diameter", 2 * volume, day=day, uncertainty=0.1, **conditions),
        ]
    return lesion_changes(seen)


@pytest.fixture
def carried(two):
    def carry(found, exams=EXAMS, lesions=LESIONS):
        number = two.case()
        with two.workspace.writing() as connection:
            carry_changes(connection, number, found, exams, lesions)
            carry_changes(connection, number, found, exams, lesions)  # again, after a crash
            return case_changes(connection, number)

    return carry


def test_what_decided_comes_first_and_says_how_much_and_why(carried):
    lead, other = carried(followed())
    assert (lead.key, lead.leads, other.key, other.leads) == ("volume", True, "longest_diameter", False)
    assert (lead.lesion, lead.before, lead.after, lead.unit, lead.modality) == (1, 1, 2, "ml", "CT")
    assert (lead.verdict, lead.percent, lead.difference) == (Verdict.REAL, 200.0, 20.0)
    assert lead.low_percent is not None
    assert lead.low_percent < 0 < lead.high_percent
    assert "200" in str(lead.reasons[0])


def test_a_condition_in_numbers_is_told_and_one_in_words_only_named(carried):
    lead = carried(followed(slice_thickness_mm=5.0, kernel="ZHANG SAN", device="WARD 7 #1"))[0]
    told = " ".join(map(str, lead.reasons))
    assert lead.verdict is Verdict.NOT_COMPARABLE
    assert "1.25" in told
    assert "reconstruction kernel" in told
    for words in ("ZHANG", "B30f", "WARD", "SIEMENS"):
        assert words not in told, told


def test_changes_to_an_exam_or_of_a_lesion_that_the_case_does_not_show_stay_away(carried):
    assert {(one.before, one.after) for one in carried(followed((10.0, 30.0, 90.0)))} == {(1, 2)}
    assert not carried(followed(), exams={"P1.0": 1})
    assert not carried(followed(), lesions={("P1.0", "1.2.3"): 1})
    assert not carried(followed(), lesions={**LESIONS, ("P1.90", "1.2.3"): 2})


def test_a_lesion_that_is_called_differently_in_two_exams_is_one_unless_it_is_in_pieces(carried):
    (found,) = followed()
    renamed = replace(found, lesion="T1", names={"P1.0": ("a",), "P1.90": ("b",)})
    assert same_lesions([renamed]) == {("P1.0", "a"): "T1", ("P1.90", "b"): "T1"}
    assert carried([renamed], lesions={("P1.0", "a"): 1, ("P1.90", "b"): 1})
    torn = replace(found, lesion="T1", names={"P1.0": ("a",), "P1.90": ("b", "c")})
    assert same_lesions([torn]) == {}
    assert not carried([torn], lesions={("P1.0", "a"): 1, ("P1.90", "b"): 1, ("P1.90", "c"): 2})
