"""From what is stored to what is shown: labels that stay, scanners with what is known, hospitals that are known."""

from __future__ import annotations

from datetime import timedelta

import pytest
from tests.engine import making
from tests.engine.making import ANNA, BRUNO, CARLA, FIRST, NORTH, SOUTH, ct

from bingcheng.archive.workspace import Workspace
from bingcheng.engine.view import assessment

LATER = FIRST + timedelta(days=56)


@pytest.fixture
def workspace(own_workspace):
    opened = Workspace.open(own_workspace)
    yield opened
    opened.close()


def labels(seen):
    return {exam.uid: exam.label for exam in seen.exams}


def without(folder, *keywords):
    for keyword in keywords:
        making.change_all(folder, lambda data, keyword=keyword: data.pop(keyword, None))


def test_the_same_exams_have_the_same_labels_in_every_workspace(
    seen_once, small_study, assessed, brief, without_objects
):
    found = labels(seen_once)
    assert labels(assessed(small_study)[1]) == found
    assert sorted(found.values()) == ["E01", "E02", "E03", "E04"]


def test_labels_follow_hospital_first_visit_and_time(tmp_path, assessed, brief, without_objects):
    ct(tmp_path / "x" / "1", name="s", site=SOUTH, patient=CARLA, at=FIRST - timedelta(days=9))
    ct(tmp_path / "x" / "2", name="a2", patient=ANNA, at=LATER)
    ct(tmp_path / "x" / "3", name="b", patient=BRUNO, at=FIRST + timedelta(days=7))
    ct(tmp_path / "x" / "4", name="a1", patient=ANNA, at=FIRST)
    ct(tmp_path / "x" / "5", name="nowhere", patient=CARLA, at=FIRST - timedelta(days=99))
    making.change_all(tmp_path / "x" / "5", lambda data: setattr(data, "InstitutionName", "ANONYMIZED"))
    _, seen = assessed(tmp_path / "x")
    ordered = [(exam.site, exam.day) for exam in sorted(seen.exams, key=lambda exam: exam.label)]
    assert ordered == [(NORTH, 0), (NORTH, 56), (NORTH, 0), (SOUTH, 0), ("", 0)]
    assert [exam.label for exam in seen.exams] == ["E01", "E02", "E03", "E04", "E05"]


@pytest.mark.parametrize("dummy", ["ANONYMIZED", "0000", ""])
def test_a_scanner_of_which_no_number_is_recorded_is_shown_by_vendor_and_model(
    tmp_path, assessed, brief, without_objects, dummy
):
    ct(tmp_path / "x")
    making.change_all(tmp_path / "x", lambda data: setattr(data, "DeviceSerialNumber", dummy))
    _, seen = assessed(tmp_path / "x")
    assert {series.device for exam in seen.exams for series in exam.series} == {"SIEMENS Model 1 #?"}
    assert seen.sites[0].devices == ("SIEMENS Model 1 #?",)


def test_of_a_scanner_that_is_not_recorded_nothing_is_claimed(tmp_path, assessed, brief, without_objects):
    ct(tmp_path / "x")
    without(tmp_path / "x", "Manufacturer", "ManufacturerModelName", "DeviceSerialNumber")
    _, seen = assessed(tmp_path / "x")
    assert {series.device for exam in seen.exams for series in exam.series} == {""}
    assert seen.sites[0].devices == ()


def test_exams_of_no_named_hospital_stand_beside_no_other(tmp_path, assessed, brief, without_objects):
    ct(tmp_path / "x" / "1", name="1", patient=ANNA)
    ct(tmp_path / "x" / "2", name="2", patient=BRUNO, site=SOUTH)
    ct(tmp_path / "x" / "3", name="3", patient=CARLA)
    making.change_all(tmp_path / "x" / "3", lambda data: setattr(data, "InstitutionName", "Removed"))
    _, seen = assessed(tmp_path / "x")
    compared = {row.site: row.others_median is not None for row in seen.comparison}
    assert compared == {NORTH: True, SOUTH: True, "": False}
    assert all(row.count == 1 for row in seen.comparison)


def test_every_finding_names_its_protocol_in_words(workspace):
    seen = assessment(workspace)
    titles = {str(finding.protocol_title) for exam in seen.exams for finding in exam.findings}
    assert titles
    assert all(" " in title for title in titles)


def test_one_patient_s_exams_are_shown_as_they_are_among_all(workspace):
    seen = assessment(workspace)
    anna = [exam for exam in seen.exams if exam.site == NORTH]
    alone = assessment(workspace, uids={exam.uid for exam in anna})
    assert [(one.uid, one.series, one.day) for one in alone.exams] == [(one.uid, one.series, one.day) for one in anna]
    assert [one.verdict for one in alone.changes] == [
        one.verdict for one in seen.changes if one.patient == anna[0].patient
    ]
    assert alone.changes
    assert [site.site for site in alone.sites] == [NORTH]
