"""When exams are judged anew, and against which baseline."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, datetime, timedelta

import pytest
from tests.archive.conftest import record

from bingcheng.archive.records import ExamFacts
from bingcheng.archive.retrieval import exam_facts, exams
from bingcheng.archive.statements import Statement, StatementKind, state, withdraw
from bingcheng.archive.store import save_exam
from bingcheng.archive.workspace import Workspace
from bingcheng.core.finding import Outcome
from bingcheng.dicom.acquisition import Device
from bingcheng.engine import judgement
from bingcheng.engine.judgement import judge_exams
from bingcheng.engine.stated import Stated
from bingcheng.protocol.fingerprints import device
from bingcheng.protocol.library import protocols
from bingcheng.protocol.memory import signatures

NEW_YEAR = datetime(2026, 1, 1)  # noqa: DTZ001 - a scanner's local time
TODAY = date(2026, 3, 1)
RECIST = "ct_response_recist11"


def facts(uid, day, *modalities, patient="P"):
    at = None if day is None else NEW_YEAR + timedelta(days=day)
    stored = tuple((modality, "{}") for modality in modalities)
    return ExamFacts(
        uid=uid,
        patient=patient,
        site="",
        performed_at=at,
        acquisitions=stored,
        measured_on=(),
        values=(),
        judged=None,
    )


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
    assert judge_exams(workspace, library, today=TODAY) == 1
    assert judge_exams(workspace, library, today=TODAY) == 0
    # An earlier exam of the patient comes in: it is the baseline of the one that was stored before.
    save_exam(workspace, record("1.2", performed_at=NEW_YEAR))
    assert judge_exams(workspace, library, today=TODAY) == 2
    assert judge_exams(workspace, library, today=TODAY) == 0
    # Another protocol is asked for, or none at all.
    asked = [one.id for one in library if one.modality == "CT"]
    assert judge_exams(workspace, library, asked=asked, today=TODAY) == 2
    assert {finding.protocol for exam in exams(workspace) for finding in exam.findings} == set(asked)
    assert judge_exams(workspace, (), today=TODAY) == 2
    assert all(exam.findings == () for exam in exams(workspace))


# What people state.


def stated(workspace, **facts):
    made = {"by": "Dr Li", "made_at": NEW_YEAR, "protocol": RECIST, "subject": "thickness"}
    with workspace.writing() as connection:
        return state(connection, Statement(**(made | facts)))


def thick(uid="1.1", **facts):
    """An exam whose one CT series is too thick, of a scanner with a serial number; its lesion has a diameter."""
    made = {"performed_at": NEW_YEAR, "site": "Harbin"}
    original = record(uid, **(made | facts))
    series = original.series[0]
    acquisition = replace(
        series.acquisition,
        image_type=("ORIGINAL", "PRIMARY", "AXIAL"),
        slice_count=60,
        slice_thickness_mm=8.0,
        device=Device(vendor="GE", model="Revolution", serial_number="4711"),
    )
    (lesion,) = series.lesions
    diameter = replace(lesion.measurements[1], key="longest_diameter", value=6.0)
    lesion = replace(lesion, measurements=(diameter,))
    return replace(original, series=(replace(series, acquisition=acquisition, lesions=(lesion,)),))


def judged(workspace, criterion="thickness", *, today=TODAY, protocol=RECIST):
    judge_exams(workspace, protocols(), asked=[protocol], today=today)
    return {
        exam.uid: finding
        for exam in exams(workspace)
        for finding in exam.findings
        if (finding.protocol, finding.criterion) == (protocol, criterion)
    }


def test_a_waiver_holds_for_its_hospital_until_its_day_and_not_longer(workspace):
    save_exam(workspace, thick())
    save_exam(workspace, thick("1.2", site="Suihua"))
    until = {"kind": StatementKind.WAIVER, "site": "Harbin", "why": "old scanner", "until": TODAY}
    number = stated(workspace, **until)
    assert {uid: f.outcome for uid, f in judged(workspace).items()} == {"1.1": Outcome.WAIVED, "1.2": Outcome.FAIL}
    assert judged(workspace, today=TODAY + timedelta(days=1))["1.1"].outcome is Outcome.FAIL
    assert judged(workspace)["1.1"].outcome is Outcome.WAIVED
    with workspace.writing() as connection:
        withdraw(connection, number, NEW_YEAR)
    assert judged(workspace)["1.1"].outcome is Outcome.FAIL


def test_an_answer_fills_what_no_header_says_and_days_since_grow_to_the_day_of_the_exam(workspace):
    save_exam(workspace, record("1.1", performed_at=NEW_YEAR + timedelta(days=10)))
    (exam,) = exam_facts_of(workspace)
    answers = (
        Statement(
            kind=StatementKind.ANSWER, by="A", made_at=NEW_YEAR, subject="site.phantom_interval_days", value=20.0
        ),
        Statement(kind=StatementKind.ANSWER, by="B", made_at=NEW_YEAR, subject="clinical.tumour", value="HCC"),
        Statement(kind=StatementKind.ANSWER, by="B", made_at=NEW_YEAR, subject="clinical.tumour", value=3.0),
        Statement(kind=StatementKind.ANSWER, by="C", made_at=NEW_YEAR, subject="no.such", value=3.0),
    )
    found = Stated((), (), answers).answers_to(exam, frozenset())
    assert {key: told.value for key, told in found.items()} == {
        "site.phantom_interval_days": 30.0,
        "clinical.tumour": "HCC",
    }
    assert "A" in str(found["site.phantom_interval_days"].remark)


def test_an_answer_about_one_exam_goes_before_one_about_its_hospital(workspace):
    save_exam(workspace, record("1.1", performed_at=NEW_YEAR, site="Harbin"))
    (exam,) = exam_facts_of(workspace)
    of_exam = Statement(
        kind=StatementKind.ANSWER, by="A", made_at=NEW_YEAR, subject="clinical.tumour", value="HCC", exam_uid="1.1"
    )
    of_site = replace(of_exam, exam_uid=None, site="Harbin", value="NSCLC")
    for answers in ((of_exam, of_site), (of_site, of_exam)):
        assert Stated((), (), answers).answers_to(exam, frozenset())["clinical.tumour"].value == "HCC"
    elsewhere = (replace(of_site, site="Suihua"), replace(of_exam, exam_uid="9"))
    assert Stated((), (), elsewhere).answers_to(exam, frozenset()) == {}


def test_an_answer_about_a_series_fills_that_series_only():
    made = thick().series[0].acquisition
    thin, other = (replace(made, series_uid=uid, slice_thickness_mm=mm) for uid, mm in (("1.1", 1.0), ("1.2", 8.0)))
    exam = facts("exam", 1, "CT")
    one = Statement(
        kind=StatementKind.ANSWER,
        by="Dr Li",
        made_at=NEW_YEAR,
        subject="image.contrast_phase",
        value="portal_venous",
        exam_uid="exam",
        signature=signatures([thin, other])["1.1"],
    )
    found = Stated((), (), (one,)).answers_of_series(exam, [thin, other])
    assert {uid: {key: told.value for key, told in of.items()} for uid, of in found.items()} == {
        "1.1": {"image.contrast_phase": "portal_venous"}
    }
    assert Stated((), (), (one,)).answers_to(exam, frozenset()) == {}
    assert Stated((), (), (one,)).answers_of_series(facts("another", 1, "CT"), [thin, other]) == {}


def test_what_was_said_of_a_series_holds_for_the_next_exam_of_that_scanner(workspace):
    first = thick()
    save_exam(workspace, first)
    made = first.series[0].acquisition
    signature = signatures([made])[made.series_uid]
    stated(
        workspace,
        kind=StatementKind.CORRECTION,
        subject="CT",
        device=device(made),
        signature=signature,
        fills=False,
    )
    series = first.series[0]
    again = replace(series, uid="9.9", acquisition=replace(series.acquisition, series_uid="9.9"))
    save_exam(workspace, replace(first, uid="1.2", series=(again,)))
    other = replace(
        again,
        acquisition=replace(
            again.acquisition, device=replace(again.acquisition.device, serial_number="another"), series_uid="9.8"
        ),
    )
    save_exam(workspace, replace(first, uid="1.3", series=(other,)))
    outcomes = {uid: one.outcome for uid, one in judged(workspace, "role.CT").items()}
    assert outcomes == {"1.1": Outcome.FAIL, "1.2": Outcome.FAIL, "1.3": Outcome.PASS}


def test_lesions_that_were_measured_are_judged_by_the_criteria_about_lesions(workspace):
    save_exam(workspace, thick())
    finding = judged(workspace, "lesion_min_v")["1.1"]
    assert (finding.outcome, finding.value) == (Outcome.FAIL, 6.0)
    assert finding.lesion == "1.1.9"
    in_slices = judged(workspace, "lesion_min")["1.1"]
    assert (in_slices.outcome, in_slices.value) == (Outcome.FAIL, 0.75)


def exam_facts_of(workspace):
    with workspace.reading() as connection:
        return exam_facts(connection)
