"""The list of exams: a hospital's own only, each once, found and sorted as asked."""

from __future__ import annotations

from datetime import date, datetime, timedelta

import pytest
from sqlalchemy import insert
from tests.archive.conftest import MONDAY, record

from bingcheng.archive import schema
from bingcheng.archive.jobs.queue import JobKind, JobState, ask, take
from bingcheng.archive.listing import list_exams
from bingcheng.archive.objects.tables import stored_study
from bingcheng.archive.people.hospital import make_hospital
from bingcheng.archive.records import Judged
from bingcheng.archive.store import save_exam, save_judged
from bingcheng.archive.worklist import Order, Wanted, worklist
from bingcheng.core.finding import Finding, Level, Outcome, Trust
from bingcheng.core.wording import text
from bingcheng.dicom.exam import Patient

NOON = datetime(2026, 1, 5, 12, 0)  # noqa: DTZ001 - columns hold UTC without saying so


def finding(outcome: Outcome) -> Finding:
    return Finding(
        protocol="p",
        criterion="c",
        title=text("Thickness"),
        outcome=outcome,
        level=Level.REQUIRED,
        trust=Trust.VERIFIED,
        source="x",
        reason=text("It is so."),
    )


@pytest.fixture
def north(workspace):
    """A hospital with four exams, of one patient each, a day apart; the fourth is not judged. Another has one."""
    people = (
        ("1.1", "WANG^ANNA", "A-1"),
        ("1.2", "LI^BRUNO", "B-2"),
        ("1.3", "ZHAO^CARLA", "C_3"),
        ("1.4", "MA^DI", "D4"),
    )
    for day, (uid, name, number) in enumerate(people):
        patient = Patient(patient_id=number, name=name, birth_date="19600101")
        save_exam(workspace, record(uid, patient=patient, performed_at=MONDAY + timedelta(days=day)))
    save_exam(workspace, record("2.1", site="South", patient=Patient(patient_id="S", name="SUN^EVA")))
    outcomes = {"1.1": Outcome.PASS, "1.2": Outcome.FAIL, "1.3": Outcome.UNKNOWN, "2.1": Outcome.FAIL}
    with workspace.writing() as connection:
        found = {
            uid: Judged(digest="d", findings=(finding(one), finding(Outcome.PASS))) for uid, one in outcomes.items()
        }
        save_judged(connection, found)
        make_hospital(connection, name="South", code="S", now=NOON, spellings=["South"])
        return make_hospital(connection, name="North", code="N", now=NOON, spellings=["North"])


def uids(workspace, hospital, **wanted):
    with workspace.reading() as connection:
        return [entry.uid for entry in worklist(connection, hospital, Wanted(**wanted)).entries]


def held(workspace, hospital, uid, name="NEW^ONE"):
    row = {
        "space": f"hospital/{hospital}",
        "study_uid": uid,
        "received_at": NOON,
        "changed_at": NOON,
        "patient_differs": False,
        "attributes": "{}",
        "name_alphabetic_key": name.lower(),
        "words_key": name.lower(),
    }
    with workspace.writing() as connection:
        connection.execute(insert(stored_study), row)
        list_exams(connection, [uid])


def test_a_hospital_s_own_exams_newest_first(workspace, north):
    assert uids(workspace, north) == ["1.4", "1.3", "1.2", "1.1"]
    assert uids(workspace, north, order=Order.OLDEST) == ["1.1", "1.2", "1.3", "1.4"]


def test_what_needs_doing_first(workspace, north):
    assert uids(workspace, north, order=Order.URGENT)[:2] == ["1.2", "1.3"]


@pytest.mark.parametrize(
    ("wanted", "found"),
    [
        ({"outcome": Outcome.FAIL}, ["1.2"]),
        ({"outcome": Outcome.UNKNOWN}, ["1.3"]),
        ({"outcome": Outcome.PASS}, ["1.1"]),
        ({"judged": False}, ["1.4"]),
        ({"words": "anna"}, ["1.1"]),
        ({"words": "wang thorax"}, ["1.1"]),
        ({"words": "wang bruno"}, []),
        ({"words": "C_3"}, ["1.3"]),
        ({"words": "%"}, []),
        ({"words": "sun"}, []),
        ({"since": date(2026, 1, 7)}, ["1.4", "1.3"]),
        ({"until": date(2026, 1, 5)}, ["1.1"]),
        ({"modality": "CT"}, ["1.4", "1.3", "1.2", "1.1"]),
        ({"modality": "MR"}, []),
    ],
)
def test_what_is_looked_for_is_found(workspace, north, wanted, found):
    assert uids(workspace, north, **wanted) == found


def test_pages_follow_each_other_and_the_total_is_of_all(workspace, north):
    with workspace.reading() as connection:
        pages = [worklist(connection, north, Wanted(), offset=start, most=3) for start in (0, 3)]
    assert [page.total for page in pages] == [4, 4]
    assert [entry.uid for page in pages for entry in page.entries] == ["1.4", "1.3", "1.2", "1.1"]


def test_a_received_exam_is_listed_first_until_it_is_assessed(workspace, north):
    held(workspace, north, "9.9")
    with workspace.writing() as connection:
        ask(connection, JobKind.ASSESS, f"hospital/{north}", "9.9", NOON)
        take(connection, NOON, most=1)
        (entry, *_) = worklist(connection, north, Wanted()).entries
    assert (entry.uid, entry.assessed, entry.pictures, entry.job.state) == ("9.9", False, True, JobState.RUNNING)
    assert uids(workspace, north, state=JobState.RUNNING) == ["9.9"]
    assert uids(workspace, north, state=JobState.FAILED) == []
    assert uids(workspace, north, words="new") == ["9.9"]


def test_an_exam_with_results_and_pictures_is_listed_once(workspace, north):
    held(workspace, north, "1.1")
    with workspace.reading() as connection:
        entries = {entry.uid: entry for entry in worklist(connection, north, Wanted()).entries}
    assert len(entries) == 4
    assert (entries["1.1"].pictures, entries["1.2"].pictures) == (True, False)


def test_a_study_whose_results_another_hospital_keeps_shows_its_pictures_only(workspace, north):
    held(workspace, north, "2.1", name="SUN^EVA")
    with workspace.writing() as connection:
        held_by_south = {"space": "hospital/1", "received_at": NOON - timedelta(days=1)}
        connection.execute(
            insert(stored_study),
            {"study_uid": "2.1", "changed_at": NOON, "patient_differs": False, "attributes": "{}", **held_by_south},
        )
        (entry,) = [one for one in worklist(connection, north, Wanted()).entries if one.uid == "2.1"]
    assert (entry.assessed, entry.pictures, entry.outcome, entry.lesions) == (False, True, None, 0)


def test_of_each_exam_it_tells_what_is_in_it(workspace, north):
    with workspace.reading() as connection:
        (entry,) = worklist(connection, north, Wanted(outcome=Outcome.FAIL)).entries
        counted = len(connection.execute(schema.refusal.select().where(schema.refusal.c.exam_uid == "1.2")).all())
    assert (entry.name, entry.number, entry.modalities) == ("LI^BRUNO", "B-2", ("CT",))
    assert (entry.required, entry.outcome) == (1, Outcome.FAIL)
    assert entry.lesions >= 1
    assert entry.refusals == counted
