"""What is stored comes back as it was, and only once."""

from __future__ import annotations

import json
import sqlite3
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.archive.conftest import MONDAY, measurement, record
from tests.compare.dose_records import record as dose

from bingcheng.archive.codec import decoded, encoded, storable
from bingcheng.archive.records import Judged
from bingcheng.archive.retrieval import acquisition, exam_facts, exams, fingerprints, stray_refusals
from bingcheng.archive.store import save_exam, save_judged, save_stray_refusals
from bingcheng.compare.dose_record import DoseQuantity
from bingcheng.core.errors import InputError, Owner
from bingcheng.core.finding import Finding, Level, Outcome, Trust
from bingcheng.core.measurement import Measurement, NoValue
from bingcheng.core.wording import text
from bingcheng.dicom.dose.doubts import NO_PHANTOM
from bingcheng.dicom.dose.report import DoseRemark
from bingcheng.dicom.exam import Patient

REMARK = DoseRemark.of(NO_PHANTOM, number=2)
FINDING = Finding(
    protocol="p",
    criterion="c",
    title=text("Thickness"),
    outcome=Outcome.FAIL,
    level=Level.REQUIRED,
    trust=Trust.VERIFIED,
    source="x",
    measured=text("{value} mm", value=3.0),
    distance=0.5,
)


def test_an_exam_comes_back_as_it_was_stored(workspace):
    save_exam(workspace, record())
    assert exams(workspace) == (record(),)
    assert fingerprints(workspace) == {"1.2.3": "f" * 64}


def test_an_exam_without_date_site_or_series_is_an_exam(workspace):
    bare = replace(record(performed_at=None, site="", series=0), refusals=())
    save_exam(workspace, bare)
    assert exams(workspace) == (bare,)


def test_an_exam_stored_again_is_replaced_whole(workspace):
    save_exam(workspace, record(series=3))
    with workspace.writing() as connection:
        save_judged(connection, {"1.2.3": Judged(digest="d", findings=(FINDING,))})
    save_exam(workspace, record(series=1, description="Later"))
    assert exams(workspace) == (record(series=1, description="Later"),)
    with workspace.reading() as connection:
        assert [exam.judged for exam in exam_facts(connection)] == [None]


def test_doses_come_back_with_their_exam_and_are_replaced_with_it(workspace):
    body, head = (dose("North", ctdi, phantom_cm=phantom) for ctdi, phantom in ((9.0, 32.0), (40.0, 16.0)))
    silent = NoValue(code="c", reason=text("no {q}", q="DLP"), remedy=text("Send it."), owner=Owner.TECHNOLOGIST)
    body = replace(body, performed_at=MONDAY, absent={DoseQuantity.DLP: silent}, remarks=(REMARK,))
    exam = replace(record(), doses=(head, body))
    save_exam(workspace, exam)
    assert exams(workspace) == (exam,)
    save_exam(workspace, exam)
    assert exams(workspace)[0].doses == (head, body)
    save_exam(workspace, replace(exam, doses=(body,)))
    assert exams(workspace)[0].doses == (body,)
    save_exam(workspace, record())
    assert exams(workspace)[0].doses == ()


def test_doses_stay_with_their_own_exam(workspace):
    own = {uid: dose("North", ctdi, exam=uid) for uid, ctdi in (("1.1", 9.0), ("1.2", 12.0))}
    for uid, one in own.items():
        save_exam(workspace, replace(record(uid), doses=(one,)))
    assert {exam.uid: exam.doses for exam in exams(workspace)} == {uid: (one,) for uid, one in own.items()}


def test_findings_are_replaced_exam_by_exam(workspace):
    for uid in ("1.1", "1.2"):
        save_exam(workspace, record(uid))
    with workspace.writing() as connection:
        save_judged(connection, {uid: Judged(digest="d", findings=(FINDING, FINDING)) for uid in ("1.1", "1.2")})
    with workspace.writing() as connection:
        save_judged(connection, {"1.2": Judged(digest="e", findings=(FINDING,))})
    assert {exam.uid: exam.findings for exam in exams(workspace)} == {"1.1": (FINDING, FINDING), "1.2": (FINDING,)}


def test_refusals_of_no_exam_are_those_of_the_last_scan(workspace):
    refusals = [replace(record(f"1.{n}").refusals[0], study_uid=None) for n in range(3)]
    save_stray_refusals(workspace, refusals)
    save_stray_refusals(workspace, refusals[1:])
    assert list(stray_refusals(workspace)) == refusals[1:]


def test_key_images_are_read_only_when_wanted(workspace):
    save_exam(workspace, record())
    (exam,) = exams(workspace, images=False)
    assert {series.image for series in exam.series} == {None}
    assert replace(exam, series=()) == replace(record(), series=())


def test_what_a_damaged_header_holds_does_not_stop_the_storing(workspace):
    odd = record(site="Nor\0th \ud800", description="\udcff", patient=Patient(patient_id="7\0", name="\ud83d^x"))
    save_exam(workspace, odd)
    assert exams(workspace)[0].site == "North ?"


def test_a_damaged_row_is_told_from_a_good_one(workspace):
    save_exam(workspace, record())
    with sqlite3.connect(workspace.folder / "bingcheng.sqlite") as connection:
        connection.execute("UPDATE measurement SET record = replace(record, 'mm', 7) WHERE id = 2")
        connection.execute("UPDATE measurement SET record = '{}' WHERE id = 2")
    connection.close()
    with pytest.raises(InputError) as raised:
        exams(workspace)
    assert raised.value.code == "archive.damaged-row"


@given(st.floats(allow_nan=False, allow_infinity=False), st.floats(0, 1e9))
def test_numbers_keep_every_bit(value, uncertainty):
    one = replace(measurement("m", 1.0, "1"), value=value, standard_uncertainty=uncertainty)
    assert decoded(Measurement, encoded(one)) == one


@given(st.text(st.characters(codec=None)))
def test_any_words_can_be_stored(words):
    kept = storable(words)
    assert "\0" not in kept
    assert kept.encode("utf-8").decode("utf-8") == kept
    if "\0" not in words and not any("\ud800" <= c <= "\udfff" for c in words):
        assert kept == words


def test_facts_that_were_stored_before_a_field_existed_are_read_back():
    facts = record().series[0].acquisition
    stored = json.loads(encoded(facts))
    del stored["irradiation_event_uids"]
    assert acquisition("CT", json.dumps(stored)) == facts
