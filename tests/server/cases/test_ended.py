"""Links to what was open to a hospital and is so no longer: whoever could read it is told so, nobody else."""

from __future__ import annotations

import io
import zipfile
from datetime import timedelta

import pytest
from tests.server.cases.published import give, publish
from tests.server.examples import STUDY, prepare

from bingcheng.archive.cases.case import CaseStatus, set_status
from bingcheng.archive.cases.collections import make_collection
from bingcheng.archive.cases.facts import case_exams
from bingcheng.archive.cases.grants import Audience, Given, grant, withdraw_grant
from bingcheng.archive.cases.opinions import ask_opinion
from bingcheng.archive.objects.objects import Objects
from bingcheng.server.cases import objects_zip

NO_LONGER = "this was given to your hospital, and is open to you no longer"
WITHDRAWN = "this case was withdrawn by the hospital that published it"
NO_SUCH = "there is no such"


@pytest.fixture
def served(served):
    prepare(served)
    return served


def reader(served, who="other-radiologist"):
    client = served.browser(who)
    client.headers["accept"] = "text/html"
    return client


def asked(served, case) -> int:
    with served.site.workspace.writing() as connection:
        return ask_opinion(
            connection,
            case,
            asked_by=served.people["radiologist"],
            question="HCC?",
            hospital=served.south,
            person=None,
            due_on=None,
            now=served.clock(),
        )


def links(served, case) -> list[str]:
    with served.site.workspace.reading() as connection:
        study = case_exams(connection, case)[0].study_uid
    return [f"/cases/{case}", f"/cases/{case}/objects.zip", f"/quicklook/{study}", f"/opinions/{asked(served, case)}"]


def expire(served, case, number):
    served.clock.move(minutes=11)


def take_back(served, case, number):
    with served.site.workspace.writing() as connection:
        withdraw_grant(connection, Given.CASE, case, number, served.clock())


@pytest.mark.parametrize("end", [expire, take_back])
def test_who_could_read_a_case_is_told_that_its_time_is_over(served, end):
    case = publish(served, STUDY)
    number = give(served, case, hospital=served.south, download=True, expires_at=served.clock() + timedelta(minutes=10))
    paths, client = links(served, case), reader(served)
    assert {client.get(path).status_code for path in paths} == {200}
    end(served, case, number)
    for path in paths:
        answer = client.get(path)
        assert (answer.status_code, NO_LONGER in answer.text.lower()) == (404, True), path
        assert 'href="/cases"' in answer.text
        assert "Lesion of segment 6" not in answer.text
    give(served, case, hospital=served.south, download=True)
    assert {client.get(path).status_code for path in paths} == {200}, "given again"


def test_a_file_that_is_being_taken_away_is_cut_off_when_the_case_is_taken_back(served, monkeypatch):
    case = publish(served, STUDY)
    number, client = give(served, case, hospital=served.south, download=True), reader(served)
    whole = client.get(f"/cases/{case}/objects.zip").content
    monkeypatch.setattr(objects_zip, "CHUNK", 64)
    monkeypatch.setattr(objects_zip, "ASKED_EVERY_S", 0.0)
    opened = Objects.open_bytes

    def open_and_take_back(objects, instance):
        take_back(served, case, number)
        return opened(objects, instance)

    assert client.get(f"/cases/{case}/objects.zip").content == whole
    monkeypatch.setattr(Objects, "open_bytes", open_and_take_back)
    cut = client.get(f"/cases/{case}/objects.zip").content
    assert len(cut) < 64
    assert not zipfile.is_zipfile(io.BytesIO(cut))


def test_who_could_read_a_case_is_told_that_it_was_withdrawn(served):
    case = publish(served, STUDY)
    give(served, case, hospital=served.south)
    path, client = f"/cases/{case}", reader(served)
    served.clock.move(minutes=1)
    with served.site.workspace.writing() as connection:
        set_status(connection, case, CaseStatus.WITHDRAWN, served.clock())
    assert WITHDRAWN in client.get(path).text.lower()
    assert WITHDRAWN in reader(served, "other-guest").get(path).text.lower()


def test_who_never_could_is_told_nothing(served):
    case = publish(served, STUDY)
    give(served, case, hospital=served.north)
    assert NO_SUCH in reader(served).get(f"/cases/{case}").text.lower()
    give(served, case, hospital=served.south, expires_at=served.clock() + timedelta(minutes=1))
    served.clock.move(minutes=2)
    for who in ("other-site-admin", "province"):
        assert NO_LONGER not in reader(served, who).get(f"/cases/{case}").text.lower(), who


def test_a_grant_that_ended_before_the_case_was_published_tells_nobody_of_it(served):
    case = publish(served, STUDY, published=False)
    give(served, case, hospital=served.south, expires_at=served.clock() + timedelta(minutes=1))
    served.clock.move(minutes=2)
    assert NO_SUCH in reader(served).get(f"/cases/{case}").text.lower(), "a draft"
    with served.site.workspace.writing() as connection:
        set_status(connection, case, CaseStatus.PUBLISHED, served.clock())
    assert NO_SUCH in reader(served).get(f"/cases/{case}").text.lower()


def test_a_collection_that_is_given_no_longer_says_so(served):
    with served.site.workspace.writing() as connection:
        now, person = served.clock(), served.people["radiologist"]
        number = make_collection(connection, hospital=served.north, author=person, title="T", description="", now=now)
        until = now + timedelta(minutes=1)
        given = (Given.COLLECTION, number, Audience.PROVINCE)
        grant(connection, *given, to=None, by=person, now=now, expires_at=until)
    client = reader(served)
    assert client.get(f"/collections/{number}").status_code == 200
    served.clock.move(minutes=2)
    assert NO_LONGER in client.get(f"/collections/{number}").text.lower()
    assert NO_SUCH in client.get(f"/collections/{number + 1}").text.lower()


def test_programs_are_told_what_they_were(served):
    case = publish(served, STUDY)
    give(served, case, hospital=served.south, expires_at=served.clock() + timedelta(minutes=1))
    served.clock.move(minutes=2)
    assert served.browser("other-radiologist").get(f"/cases/{case}").json()["code"] == "archive.not-found"


def test_what_somebody_was_writing_when_the_time_ended_is_not_lost(served):
    case = publish(served, STUDY)
    number = give(served, case, hospital=served.south)
    question, client = asked(served, case), reader(served)
    take_back(served, case, number)
    for path, data, words in (
        (f"/cases/{case}/comments", {"words": "Washout <b>late</b>"}, "Washout &lt;b&gt;late"),
        (f"/opinions/{question}", {"step": "answer", "impression": "HCC, I think"}, "HCC, I think"),
    ):
        answer = client.post(path, data=data)
        assert answer.status_code == 404
        assert NO_LONGER in answer.text.lower()
        assert "What you wrote, and was not sent" in answer.text
        assert words in answer.text


def test_both_sides_of_a_question_see_that_it_cannot_be_answered(served):
    case = publish(served, STUDY)
    number = give(served, case, hospital=served.south)
    question = asked(served, case)
    other, own = reader(served), reader(served, "radiologist")
    assert "answered now" not in own.get(f"/opinions/{question}").text
    assert "open to it no longer" not in other.get("/opinions").text
    take_back(served, case, number)
    assert "answered now" in own.get(f"/opinions/{question}").text
    listed = other.get("/opinions").text
    assert "about a case that is open to it no longer" in listed
    assert "Nobody asks anybody yet" not in listed
