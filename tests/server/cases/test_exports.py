"""Tables of cases to take away: what is in them, who gets them, and that it is recorded."""

from __future__ import annotations

import csv
from dataclasses import replace
from io import StringIO

import pytest
from sqlalchemy import insert, select
from tests.server.cases.published import WRITTEN, give, publish
from tests.server.examples import STUDY, prepare

from bingcheng.archive.audit.event_code import EventCode
from bingcheng.archive.audit.tables import audit_event
from bingcheng.archive.cases import tables
from bingcheng.archive.cases.case import CaseStatus, set_status

OF_CASE = ("numbers", "changes", "protocols", "discussion", "grants", "readers")
OWN = ("grants", "readers")
IDENTIFYING = ("Doe", "K-1234", "1960", STUDY)


@pytest.fixture
def stocked(served):
    prepare(served)
    return served


def rows(answer):
    assert answer.status_code == 200, answer.text
    assert answer.headers["content-disposition"].endswith('.csv"')
    return list(csv.DictReader(StringIO(answer.content.decode("utf-8-sig"))))


def exported(stocked):
    with stocked.site.workspace.reading() as connection:
        query = select(audit_event.c.id).where(audit_event.c.code == EventCode.EXPORT.value)
        return len(connection.scalars(query).all())


def test_what_is_shown_of_a_case_is_taken_away_in_full_and_recorded(stocked):
    number = publish(stocked, STUDY)
    give(stocked, number, hospital=stocked.south)
    value = {"exam": 1, "lesion": 1, "modality": "CT", "key": "volume", "label": "Volume", "unit": "mm3"}
    with stocked.site.workspace.writing() as connection:
        more = {"case_id": number, "value": 1234.56789012, "standard_uncertainty": 12.3456789012}
        connection.execute(insert(tables.case_value), {**value, **more})
    reader = stocked.browser("other-radiologist")
    said = reader.post(f"/cases/{number}/comments", data={"words": '=Washout?, "really"\nyes'})
    assert said.status_code == 303
    author, before = stocked.browser("radiologist"), exported(stocked)
    (taken,) = rows(reader.get(f"/exports/cases/{number}/numbers.csv"))
    assert (taken["value"], taken["standard_uncertainty"], taken["unit"]) == ("1234.56789012", "12.3456789012", "mm3")
    (taken,) = rows(reader.get(f"/exports/cases/{number}/discussion.csv"))
    assert taken["words"] == '\'=Washout?, "really"\nyes', "no spreadsheet runs it"
    assert taken["person"] == "Other-Radiologist"
    assert [one["to"] for one in rows(author.get(f"/exports/cases/{number}/grants.csv"))] == ["South Hospital"]
    assert "Other-Radiologist" in [one["person"] for one in rows(author.get(f"/exports/cases/{number}/readers.csv"))]
    assert exported(stocked) == before + 4
    for name in OF_CASE:
        found = author.get(f"/exports/cases/{number}/{name}.csv").text
        assert not any(one in found for one in IDENTIFYING), name


def test_each_is_given_only_to_whom_the_page_shows_it(stocked):
    number, reader = publish(stocked, STUDY), stocked.browser("other-radiologist")
    for name in OF_CASE:
        assert reader.get(f"/exports/cases/{number}/{name}.csv").status_code == 404, name
    assert rows(reader.get("/exports/cases.csv")) == []
    give(stocked, number)
    for name in OF_CASE:
        expected = 404 if name in OWN else 200
        assert reader.get(f"/exports/cases/{number}/{name}.csv").status_code == expected, name
    assert stocked.browser("guest").get(f"/exports/cases/{number}/grants.csv").status_code == 403
    with stocked.site.workspace.writing() as connection:
        set_status(connection, number, CaseStatus.WITHDRAWN, stocked.clock())
    for name in OF_CASE:
        assert reader.get(f"/exports/cases/{number}/{name}.csv").status_code == 404, name
    assert stocked.anonymous().get("/exports/cases.csv").status_code in (303, 401)


def test_the_list_is_that_which_was_found_and_keeps_the_answer_hidden(stocked):
    first = publish(stocked, STUDY, written=replace(WRITTEN, hidden=True))
    second = publish(stocked, STUDY, written=replace(WRITTEN, body_part="lung", title="Nodule"))
    for number in (first, second):
        give(stocked, number)
    reader = stocked.browser("other-radiologist")
    found = rows(reader.get("/exports/cases.csv"))
    assert [(one["case"], one["diagnosis"], one["hospital"]) for one in found] == [
        (str(second), WRITTEN.diagnosis, ""),
        (str(first), "", ""),
    ]
    (only,) = rows(reader.get("/exports/cases.csv", params={"query": "organ = lung"}))
    assert only["title"] == "Nodule"
    assert reader.get("/exports/cases.csv", params={"query": "size ="}).status_code == 400


def test_a_collection_and_opinions_are_taken_away_while_their_cases_are_open(stocked):
    number = publish(stocked, STUDY)
    client, reader = stocked.browser("radiologist"), stocked.browser("other-radiologist")
    path = client.post("/collections", data={"title": "Forum"}).headers["location"]
    client.post(path, data={"step": "put", "case_number": str(number), "note": "Look at this"})
    assert reader.get(f"/exports{path}/cases.csv").status_code == 404
    client.post(f"{path}/grants", data={"audience": "province"})
    assert rows(reader.get(f"/exports{path}/cases.csv")) == []
    client.post(f"/cases/{number}/opinions", data={"whom": f"hospital/{stocked.south}", "question": "HCC?"})
    (one,) = rows(reader.get(f"/exports{path}/cases.csv"))
    assert (one["case"], one["note"]) == (str(number), "Look at this")
    (one,) = rows(reader.get("/exports/opinions.csv"))
    assert (one["question"], one["title"]) == ("HCC?", WRITTEN.title)
    assert WRITTEN.title in reader.get("/opinions?only=asked").text
    assert WRITTEN.title not in reader.get("/opinions?only=ended").text
    client.post(f"/cases/{number}/grants/2/withdraw")
    assert rows(reader.get("/exports/opinions.csv")) == []
    assert WRITTEN.title not in reader.get("/opinions").text
    assert len(rows(client.get("/exports/opinions.csv"))) == 1, "who asks keeps it"
