"""The audit trail on its page: filters, limits of what is seen, exports, the check of the chain."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import timedelta
from xml.etree import ElementTree as ET

import pytest
from tests.archive.audit.test_export import conforms
from tests.archive.audit.test_trail import NOON, event
from tests.server.examples import STUDY

from bingcheng.archive.audit.trail import Asked, events, record
from bingcheng.archive.authorisation import Scope


@pytest.fixture
def trail(served):
    with served.site.workspace.writing() as connection:
        record(connection, event(0, hospital=served.north, actor_hospital=served.north, studies=(STUDY,)))
        record(connection, event(1, hospital=served.south, actor_hospital=served.south, login="south-person"))
        record(connection, event(2, hospital=None, actor_hospital=None, login="installation-person"))
        record(connection, event(3, hospital=served.north, actor_hospital=served.north, login="<script>", reason="<i>"))
    return served


def lines(answer):
    return [json.loads(line) for line in answer.text.splitlines()]


def test_each_sees_the_own_part(trail):
    north = trail.browser("site-admin").get("/admin/audit").text
    assert STUDY in north
    assert "south-person" not in north
    assert "installation-person" not in north
    assert "<script>" not in north.partition("<main")[2]
    operator = trail.browser("operator").get("/admin/audit").text
    assert "installation-person" in operator
    assert STUDY not in operator


@pytest.mark.parametrize(
    ("query", "count"),
    [
        ("", 2),
        (f"study_uid={STUDY}", 1),
        ("login=WANG", 1),
        ("login=south-person", 0),
        ("since=2026-03-02&until=2026-03-02", 2),
        ("since=2026-03-03", 0),
        ("since=nonsense", 2),
        ("code=110103", 2),
        ("code=110114", 0),
        ("failed=true", 0),
        ("login=%00%ff", 0),
    ],
)
def test_filters(trail, query, count):
    client = trail.browser("site-admin")
    found = lines(
        client.get(
            f"/admin/audit/export.jsonl?{query}&until=2026-03-02"
            if "until" not in query
            else f"/admin/audit/export.jsonl?{query}"
        )
    )
    assert len(found) == count


def test_days_are_those_of_the_zone_in_which_times_are_shown(serve):
    """An event at 20:00 UTC stands under the next day in Shanghai, and is found there."""
    served = serve(time_zone="Asia/Shanghai")
    evening = NOON + timedelta(hours=8)
    with served.site.workspace.writing() as connection:
        told = event(0, hospital=served.north, actor_hospital=served.north, studies=(STUDY,))
        record(connection, replace(told, at=evening))
    client = served.browser("site-admin")
    for since, until, count in (
        ("2026-03-02", "2026-03-02", 0),
        ("2026-03-03", "2026-03-03", 1),
        ("0001-01-01", "9999-12-31", 1),
    ):
        query = f"since={since}&until={until}&study_uid={STUDY}"
        assert len(lines(client.get(f"/admin/audit/export.jsonl?{query}"))) == count, since
        assert ("2026-03-03 04:00" in client.get(f"/admin/audit?{query}").text) == bool(count)
    program = served.program("site-admin", Scope.AUDIT_READ)
    assert len(lines(program.get(f"/api/audit?since=2026-03-03&study_uid={STUDY}"))) == 1


def test_the_exports_hold_the_same_events_and_conform(trail):
    client = trail.browser("site-admin")
    xml = client.get("/admin/audit/export.xml?until=2026-03-02")
    assert xml.headers["content-disposition"].startswith('attachment; filename="audit-')
    messages = list(ET.fromstring(xml.content))  # noqa: S314 - our own
    for one in messages:
        conforms(one)
    assert len(messages) == len(lines(client.get("/admin/audit/export.jsonl?until=2026-03-02"))) == 2


def test_the_chain_is_checked_by_who_may(trail):
    client = trail.browser("site-admin")
    assert "events are as they were recorded" in client.post("/admin/audit/verify").text
    with trail.site.workspace.engine.begin() as connection:
        connection.exec_driver_sql("DROP TRIGGER audit_event_unchangeable")
        connection.exec_driver_sql("UPDATE audit_event SET login = 'x' WHERE id = 2")
    answer = client.post("/admin/audit/verify")
    assert (answer.status_code, "changed or damaged at event 2" in answer.text) == (400, True)


def test_earlier_events_are_on_the_next_page(trail):
    with trail.site.workspace.writing() as connection:
        for number in range(150):
            record(connection, event(number, hospital=trail.north, actor_hospital=trail.north, login=f"n{number:03d}"))
    client = trail.browser("site-admin")
    first = client.get("/admin/audit?login=&failed=false").text
    assert "n149" in first
    assert "n000" not in first
    address = first.rpartition('class="button" href="')[2].partition('"')[0].replace("&amp;", "&")
    second = client.get(address).text
    assert "n000" in second
    assert "n149" not in second
    assert "Earlier events" not in second


def test_programs_read_it_with_a_token(trail):
    program = trail.program("site-admin", Scope.AUDIT_READ)
    found = lines(program.get("/api/audit?limit=1"))
    assert len(found) == 1
    assert lines(program.get(f"/api/audit?before={found[0]['number']}"))[0]["number"] < found[0]["number"]
    assert program.get("/api/audit?limit=0").status_code == 422
    assert NOON.isoformat() in program.get("/api/audit").text
    with trail.site.workspace.reading() as connection:
        assert any(one.event.what == "read-audit" for one in events(connection, Asked()))
