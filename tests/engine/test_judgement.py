"""When exams are judged anew, and against which baseline."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest
from tests.archive.conftest import record

from bingcheng.archive.records import ExamFacts
from bingcheng.archive.retrieval import exams
from bingcheng.archive.store import save_exam
from bingcheng.archive.workspace import Workspace
from bingcheng.engine import judgement
from bingcheng.engine.judgement import judge_exams
from bingcheng.protocol.library import protocols

NEW_YEAR = datetime(2026, 1, 1)  # noqa: DTZ001 - a scanner's local time


def facts(uid, day, *modalities, patient="P"):
    at = None if day is None else NEW_YEAR + timedelta(days=day)
    stored = tuple((modality, "{}") for modality in modalities)
    return ExamFacts(uid=uid, patient=patient, performed_at=at, acquisitions=stored, measured_on=(), judged=None)


def baselines(*found):
    return {exam.uid: baseline and baseline.uid for exam, baseline in judgement._with_baselines(found)}


def test_the_baseline_is_the_patients_first_exam_with_the_same_modality():
    assert baselines(
        facts("ct3", 9, "CT"), facts("ct1", 1, "CT"), facts("mr", 0, "MR"), facts("pet", 5, "PT", "CT")
    ) == {"ct1": None, "ct3": "ct1", "mr": None, "pet": "ct1"}


def test_another_patient_is_no_baseline():
    assert baselines(facts("a", 0, "CT", patient="A"), facts("b", 1, "CT", patient="B")) == {"a": None, "b": None}


def test_an_exam_without_a_date_has_no_baseline_and_is_none():
    assert baselines(facts("a", None, "CT"), facts("b", 1, "CT"), facts("c", 2, "CT")) == {
        "a": None,
        "b": None,
        "c": "b",
    }


@pytest.fixture
def workspace(tmp_path):
    opened = Workspace.open(tmp_path)
    yield opened
    opened.close()


def test_only_what_could_have_changed_is_judged_again(workspace):
    library = protocols()
    save_exam(workspace, record("1.1", performed_at=NEW_YEAR + timedelta(days=30)))
    assert judge_exams(workspace, library) == 1
    assert judge_exams(workspace, library) == 0
    # An earlier exam of the patient comes in: it is the baseline of the one that was stored before.
    save_exam(workspace, record("1.2", performed_at=NEW_YEAR))
    assert judge_exams(workspace, library) == 2
    assert judge_exams(workspace, library) == 0
    # Another protocol is asked for, or none at all.
    asked = [one.id for one in library if one.modality == "CT"]
    assert judge_exams(workspace, library, asked=asked) == 2
    assert {finding.protocol for exam in exams(workspace) for finding in exam.findings} == set(asked)
    assert judge_exams(workspace, ()) == 2
    assert all(exam.findings == () for exam in exams(workspace))
