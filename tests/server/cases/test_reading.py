"""Keeping cases to read, what is new, and what notices say of cases."""

from __future__ import annotations

import pytest
from tests.server.cases.published import WRITTEN, give, publish
from tests.server.examples import STUDY, prepare

from bingcheng.archive.cases.case import CaseStatus, set_status
from bingcheng.archive.people.notice import notices

HTML = {"accept": "text/html"}


@pytest.fixture
def stocked(served):
    prepare(served)
    return served


def read(client, path):
    return client.get(path, headers=HTML).text


def test_a_case_is_new_then_kept_read_and_taken_off(stocked):
    number = publish(stocked, STUDY)
    give(stocked, number)
    client, path = stocked.browser("other-radiologist"), f"/cases/{number}"
    assert "new to you" in read(client, "/cases")
    assert "new to you" not in read(stocked.browser("radiologist"), "/cases"), "who wrote it knows it"
    assert "Read later" in read(client, path)
    assert "new to you" not in read(client, "/cases")
    step = f"{path}/reading"
    assert client.post(step, data={"step": "keep", "to": path}).headers["location"] == path
    assert "to be read" in read(client, "/cases")
    assert "I have read it" in read(client, "/reading")
    client.post(step, data={"step": "read"})
    assert "Read again later" in read(client, path)
    client.post(step, data={"step": "again"})
    assert "I have read it" in read(client, path)
    assert WRITTEN.title not in read(stocked.browser("other-physicist"), "/reading"), "a list is one person's"
    client.post(step, data={"step": "off"})
    assert "Nothing is on your list" in read(client, "/reading")


def test_a_case_that_ended_stays_on_the_list_without_its_words_and_can_be_taken_off(stocked):
    number = publish(stocked, STUDY)
    given = give(stocked, number, hospital=stocked.south)
    client, step = stocked.browser("other-radiologist"), f"/cases/{number}/reading"
    client.post(step, data={"step": "keep"})
    stocked.browser("radiologist").post(f"/cases/{number}/grants/{given}/withdraw")
    page = read(client, "/reading")
    assert f"Case {number}" in page
    assert WRITTEN.title not in page
    assert client.post(step, data={"step": "read"}).status_code == 404
    assert client.post(f"/cases/{number + 1}/reading", data={"step": "keep"}).status_code == 404
    assert client.post(step, data={"step": "off"}).status_code == 303
    assert "Nothing is on your list" in read(client, "/reading")


def test_a_notice_says_which_case_by_whom_and_that_it_ended(stocked):
    client, reader = stocked.browser("radiologist"), stocked.browser("other-radiologist")
    number = publish(stocked, STUDY)
    client.post(f"/cases/{number}/grants", data={"audience": "province"})
    page = read(reader, "/account/notices")
    assert WRITTEN.title in page
    assert "Radiologist gave" not in page, "the case does not show its hospital"
    client.post(f"/cases/{number}/comments", data={"words": "@Other-Radiologist please, and @nobody"})
    page = read(reader, "/account/notices")
    assert "Radiologist mentions you in a case." in page
    assert "called @nobody" in read(client, f"/cases/{number}")
    assert "called @nobody" not in read(reader, f"/cases/{number}")
    with stocked.site.workspace.reading() as connection:
        (latest, *_) = notices(connection, stocked.people["other-radiologist"])
    where = reader.get(f"/account/notices/{latest.number}").headers["location"]
    assert where.startswith(f"/cases/{number}#comment-")
    assert client.get(f"/account/notices/{latest.number}").headers["location"] == "/account/notices", "another's"
    with stocked.site.workspace.reading() as connection:
        assert [one.read for one in notices(connection, stocked.people["other-radiologist"])] == [True, False]
    with stocked.site.workspace.writing() as connection:
        set_status(connection, number, CaseStatus.WITHDRAWN, stocked.clock())
    page = read(reader, "/account/notices")
    assert WRITTEN.title not in page
    assert "open to you no longer" in page


def test_collections_tell_those_to_whom_they_are_given_once_each(stocked):
    client = stocked.browser("radiologist")
    path = client.post("/collections", data={"title": "Forum"}).headers["location"]
    client.post(f"{path}/grants", data={"audience": "province"})
    told = {}
    with stocked.site.workspace.reading() as connection:
        told = {who: notices(connection, number) for who, number in stocked.people.items()}
    assert [one.link for one in told["other-radiologist"]] == [path]
    assert told["other-radiologist"][0].says.facts["person"] == "Radiologist"
    assert told["radiologist"] == told["physicist"] == ()
    assert "Forum" in read(stocked.browser("other-radiologist"), "/account/notices")
