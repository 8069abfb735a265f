"""No page asks the database a question that it answers by reading a whole table that grows, on either database."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from datetime import datetime

import pytest
from sqlalchemy import event
from tests.archive.conftest import record
from tests.archive.objects.sent import file
from tests.conftest import new_database
from tests.server.conftest import client_of

from bingcheng.archive.authorisation import Role
from bingcheng.archive.jobs.queue import JobKind, ask, due, failed, take
from bingcheng.archive.jobs.queue import Lane as JobLane
from bingcheng.archive.listing import list_exams
from bingcheng.archive.numbers import Numbers, save_numbers
from bingcheng.archive.objects.received import Origin
from bingcheng.archive.people.hospital import make_hospital
from bingcheng.archive.people.person import make_person
from bingcheng.archive.people.session import begin_session
from bingcheng.archive.records import Judged
from bingcheng.archive.standing import save_standing
from bingcheng.archive.store import save_exam, save_judged
from bingcheng.archive.summaries import PeerTable
from bingcheng.archive.waiting_links import save_waiting
from bingcheng.server.application import application, open_site
from bingcheng.server.settings import Settings

NOON = datetime(2026, 1, 5, 12)  # noqa: DTZ001 - UTC, as times stand in the database
EXAM, RECEIVED = "1.1", "1.2"
GROWING = {
    *("exam", "identity", "exam_source", "exam_owner", "series", "lesion", "measurement", "radiomics", "finding"),
    *("dose", "refusal", "statement", "matching", "lesion_edit", "listed", "job", "job_taken"),
    *("stored_study", "stored_series", "stored_instance", "stored_conflict", "audit_event", "audit_study"),
}
PAGES = [
    ("radiologist", "/worklist"),
    ("radiologist", "/worklist?page_number=2"),
    ("radiologist", "/worklist?order=oldest"),
    ("radiologist", "/worklist?order=urgent"),
    ("radiologist", "/worklist?words=wang%20anna"),
    ("radiologist", "/worklist?since=2026-01-01&until=2026-02-01&modality=CT&outcome=fail"),
    ("radiologist", "/worklist?outcome=none"),
    *(("radiologist", f"/worklist?state={state}") for state in ("waiting", "failed", "done")),
    ("radiologist", "/worklist/progress"),
    ("radiologist", "/lesions"),
    ("radiologist", "/lesions?words=wang%20anna"),
    ("radiologist", f"/exam/{EXAM}"),
    ("radiologist", f"/exam/{RECEIVED}"),
    ("radiologist", f"/exam/{RECEIVED}/progress"),
    ("radiologist", f"/exam/{RECEIVED}/sendings"),
    ("physicist", "/hospital"),
    ("province", "/province"),
    ("site-admin", "/admin/store"),
    *(
        ("radiologist", f"/dicomweb/{path}")
        for path in (
            "studies?limit=100",
            "studies?PatientID=KH-1",
            "studies?AccessionNumber=A1",
            "studies?StudyDate=20260101-20260201&ModalitiesInStudy=CT",
            "studies?PatientName=wang*&limit=10",
            "studies?PatientName=wang&fuzzymatching=true&limit=10",
            f"studies?StudyInstanceUID={RECEIVED}",
            f"studies/{RECEIVED}/series",
            f"studies/{RECEIVED}/series/{RECEIVED}.1/instances",
        )
    ),
]


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def house(request, tmp_path_factory):
    """An application on either database, a browser for each role, and what the database is asked."""
    folder = tmp_path_factory.mktemp("plans") / "workspace"
    server = None if request.param == "sqlite" else request.getfixturevalue("postgresql_server")
    given = {} if server is None else {"database": new_database(server)}
    site = open_site(Settings(workspace=folder, **given))
    asked: list[tuple[str, object]] = []
    browsers = {}
    made = application(site.settings, site=site)
    with site.workspace.writing() as connection:
        north = make_hospital(connection, name="North", code="N", now=NOON, spellings=["North"])
        for role in (Role.RADIOLOGIST, Role.PHYSICIST, Role.SITE_ADMIN, Role.PROVINCE):
            whose = None if role is Role.PROVINCE else north
            person = make_person(connection, login=role.value, name=role.value, hospital=whose, roles=[role], now=NOON)
            client = browsers[role.value] = client_of(made, follow_redirects=False)
            client.cookies.set("bingcheng", begin_session(connection, person, now=site.now()), domain="127.0.0.1")
        # What pages show is worked out after each run, not when somebody looks.
        save_numbers(connection, Numbers(made_at=NOON, months=(), counts=()))
        save_standing(connection, PeerTable(distances={}, met={}, judged={}))
        save_waiting(connection, {}, everything=True)
        ask(connection, JobKind.ASSESS, f"hospital/{north}", RECEIVED, NOON)
    save_exam(site.workspace, without_pictures(record(EXAM)))
    site.objects.receive(
        file(study=RECEIVED, series=f"{RECEIVED}.1"), space=f"hospital/{north}", origin=Origin(kind="stow", peer="x")
    )
    engine = site.workspace.engine

    @event.listens_for(engine, "before_cursor_execute")
    def _note(_connection, _cursor, statement, parameters, *_):
        if statement.lstrip().upper().startswith(("SELECT", "WITH")):
            asked.append((statement, parameters))

    yield browsers, site.workspace, asked
    site.close()


def without_pictures(made):
    """An exam whose key images, which are none, nobody has to draw."""
    series = (
        replace(one, image=None, lesions=tuple(replace(lesion, image=None) for lesion in one.lesions))
        for one in made.series
    )
    return replace(made, series=tuple(series))


def read_whole(workspace, statement, parameters) -> set[str]:
    """The growing tables that the database reads from end to end to answer."""
    engine = workspace.engine
    with engine.connect() as connection:
        if engine.dialect.name == "sqlite":
            steps = connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {statement}", parameters).all()
            scanned = {match[1] for step in steps if (match := re.match(r"SCAN (\w+)", step[3]))}
            named = dict(re.findall(r"\b(\w+) AS (\w+)\b", statement))
            return {found for one in scanned if (found := {v: k for k, v in named.items()}.get(one, one)) in GROWING}
        # Of tables with a handful of rows the planner would rather read all; whether it could do otherwise is asked.
        connection.exec_driver_sql("SET LOCAL enable_seqscan = off")
        (plan,) = connection.exec_driver_sql(f"EXPLAIN (FORMAT JSON) {statement}", parameters).one()
        return {
            one for one in _scanned((plan if isinstance(plan, list) else json.loads(plan))[0]["Plan"]) if one in GROWING
        }


def _scanned(node):
    unbounded = node["Node Type"] in ("Index Scan", "Index Only Scan") and "Index Cond" not in node
    if node["Node Type"] == "Seq Scan" or unbounded:
        yield node["Relation Name"]
    for below in node.get("Plans", ()):
        yield from _scanned(below)


@pytest.mark.parametrize(("who", "path"), PAGES)
def test_every_question_of_a_page_is_answered_by_an_index(house, monkeypatch, who, path):
    monkeypatch.setattr("bingcheng.server.exams.worklist.MOST", 1)  # so that the list has a second page
    browsers, workspace, asked = house
    asked.clear()
    accept = "application/dicom+json" if path.startswith("/dicomweb/") else "text/html"
    answer = browsers[who].get(path, headers={"accept": accept})
    assert answer.status_code in (200, 204), answer.text[:500]
    found = list(asked)
    assert found
    assert {statement: whole for statement, given in found if (whole := read_whole(workspace, statement, given))} == {}


def test_every_question_of_the_queue_is_answered_by_an_index(house):
    _, workspace, asked = house
    asked.clear()
    with workspace.writing() as connection:
        due(connection, NOON, JobLane.COMPUTING)
        take(connection, NOON, most=8, lane=JobLane.NETWORK)
        failed(connection, ["hospital/1", "hospital/2"], most=200)
    found = list(asked)
    assert {statement: whole for statement, given in found if (whole := read_whole(workspace, statement, given))} == {}


def test_an_exam_is_received_assessed_and_judged_anew_without_reading_a_table_whole(house):
    _, workspace, _ = house
    said: list[tuple[str, object]] = []

    @event.listens_for(workspace.engine, "before_cursor_execute")
    def _note(_connection, _cursor, statement, parameters, _context, many):
        if statement.lstrip().upper().startswith(("SELECT", "WITH", "UPDATE", "DELETE")):
            said.append((statement, parameters[0] if many else parameters))

    try:
        save_exam(workspace, without_pictures(record(EXAM)))
        with workspace.writing() as connection:
            list_exams(connection, [RECEIVED])
            save_judged(connection, {EXAM: Judged(digest="d", findings=())})
    finally:
        event.remove(workspace.engine, "before_cursor_execute", _note)
    found = list(said)
    assert {statement: whole for statement, given in found if (whole := read_whole(workspace, statement, given))} == {}
