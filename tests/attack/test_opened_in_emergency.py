"""Who opens one exam in an emergency sees that exam for an hour, and takes nothing else and nothing away."""

from __future__ import annotations

import pytest
from sqlalchemy import func, select
from tests.archive.conftest import record
from tests.server.examples import ABSENT, JANE, OBJECT, SERIES, STUDY, ct_file, prepare

from bingcheng.archive.audit.trail import Asked, events
from bingcheng.archive.authorisation import Role, Scope, hospital_space
from bingcheng.archive.objects.received import Origin
from bingcheng.archive.ownership import claim
from bingcheng.archive.people.emergency import MOST_OPEN
from bingcheng.archive.people.hospital import change_hospital
from bingcheng.archive.people.person import set_rights
from bingcheng.archive.people.tables import broken_glass
from bingcheng.archive.store import save_exam
from bingcheng.dicom.exam import Patient
from bingcheng.server.security.recorder import EMERGENCY

WHY = "unconscious patient in the emergency room"
SECOND = Patient(patient_id="K-2", issuer=None, name="Roe^Richard", birth_date="19610101")
PICTURE = f"/quicklook/{STUDY}/{SERIES}/0.webp"
INSTANCE = f"/dicomweb/studies/{STUDY}/series/{SERIES}/instances/{OBJECT}"
ABOUT = (f"/exam/{STUDY}", f"/quicklook/{STUDY}", PICTURE, f"{INSTANCE}/metadata", f"{INSTANCE}/frames/1")


@pytest.fixture
def served(served):
    """North has two exams, of two patients."""
    prepare(served)
    save_exam(served.site.workspace, record("1.2.3", site="North", patient=SECOND, series=0))
    return served


def allow(served, hospital, *, emergency=True):
    with served.site.workspace.writing() as connection:
        change_hospital(connection, hospital, name="H", emergency=emergency)
    served.site.believed.forget()


def opened(served, who, uid=STUDY):
    client = served.browser(who)
    answer = client.post("/emergency", data={"study_uid": uid, "reason": WHY})
    assert answer.status_code == 303, answer.text
    return client


def trail(served, **asked):
    served.application.state.recorder.flush()
    with served.site.workspace.reading() as connection:
        return [one.event for one in events(connection, Asked(**asked))]


def test_what_is_about_the_exam_opens(served):
    client = opened(served, "site-admin")
    assert [client.get(path).status_code for path in ABOUT] == [200] * len(ABOUT)
    assert "Doe" in client.get(f"/exam/{STUDY}").text


def test_one_open_exam_opens_no_list_and_no_other_exam(served):
    client = opened(served, "site-admin")
    pseudonym = served.site.workspace.pseudonym(SECOND, "North", "1.2.3")
    lists = ("/worklist", "/patients", f"/patient/{pseudonym}", "/exports/worklist.csv")
    for path in (*lists, "/exam/1.2.3", "/exam/1.2.3/progress", "/quicklook/1.2.3", "/exports/exam/1.2.3/exam.json"):
        answer = client.get(path)
        assert answer.status_code == 403, path
        assert "Roe" not in answer.text
    assert client.get("/dicomweb/studies").json() == []
    assert client.get("/").status_code == 200, "a place that may be seen, not the list"


def test_a_search_for_the_open_exam_by_its_uid_finds_it_so_that_the_viewer_can_show_it(served):
    allow(served, served.north)
    client = opened(served, "other-radiologist")

    def found(words):
        return [one["0020000D"]["Value"] for one in client.get(f"/dicomweb/studies?{words}").json()]

    assert found(f"StudyInstanceUID={STUDY}") == found(f"0020000D={STUDY}&includefield=all") == [[STUDY]]
    last = trail(served, hospital=served.north)[0]
    assert (last.what, last.studies, last.subject) == ("read-exam", (STUDY,), EMERGENCY)
    for words in (
        "PatientID=K*",
        "PatientID=?-1",
        "PatientID=K-2",
        "PatientName=Doe^Jane",
        "StudyInstanceUID=*",
        f"StudyInstanceUID={STUDY[:-1]}*",
        f"StudyInstanceUID={STUDY[:-1]}?",
        f"StudyInstanceUID={STUDY},{ABSENT}",
        f"StudyInstanceUID={STUDY}&StudyInstanceUID={ABSENT}",
        f"StudyInstanceUID={ABSENT}",
        f"StudyInstanceUID={STUDY}&PatientID=K-2",
    ):
        assert found(words) == [], words
    served.clock.move(minutes=61)
    assert served.browser("other-radiologist").get(f"/dicomweb/studies?StudyInstanceUID={STUDY}").json() == []


def test_of_its_patient_the_viewer_lists_the_open_exam_and_no_other(served):
    other = ct_file("other").replace(STUDY.encode(), ABSENT.encode())
    served.site.objects.receive(other, space=hospital_space(served.north), origin=Origin(kind="import", peer="test"))
    allow(served, served.north)
    client = opened(served, "other-radiologist")
    found = client.get("/dicomweb/studies?PatientID=K-1").json()
    assert [one["0020000D"]["Value"] for one in found] == [[STUDY]]
    assert trail(served, hospital=served.north)[0].subject == EMERGENCY
    assert len(served.browser("radiologist").get("/dicomweb/studies?PatientID=K-1").json()) == 2
    assert client.get(f"/dicomweb/studies/{ABSENT}/series").status_code == 200
    assert client.get(f"/dicomweb/studies/{ABSENT}/series").json() == []


def test_a_received_exam_without_results_stays_shut_beside_an_open_one(served):
    other = ct_file().replace(STUDY.encode(), ABSENT.encode())
    served.site.objects.receive(other, space=hospital_space(served.north), origin=Origin(kind="import", peer="test"))
    client = opened(served, "site-admin")
    assert client.get(f"/exam/{ABSENT}").status_code == 403
    assert opened(served, "site-admin", ABSENT).get(f"/exam/{ABSENT}").status_code == 200


def test_the_exam_is_that_of_the_hospital_that_owns_it_not_of_the_one_that_its_scanner_names(served):
    with served.site.workspace.writing() as connection:
        claim(connection, STUDY, hospital_space(served.north))
    save_exam(served.site.workspace, record(STUDY, site="South", patient=JANE, series=0))
    refused = served.browser("other-site-admin").post("/emergency", data={"study_uid": STUDY, "reason": WHY})
    assert refused.status_code == 404
    assert "Doe" in opened(served, "site-admin").get(f"/exam/{STUDY}").text
    assert trail(served, hospital=served.north)[-1].studies == (STUDY,)


def test_a_copy_of_one_s_own_does_not_stand_before_the_owner_s_exam(served):
    served.site.objects.receive(
        ct_file("copy"), space=hospital_space(served.south), origin=Origin(kind="import", peer="test")
    )
    allow(served, served.north)
    client = opened(served, "other-radiologist")
    assert "Doe" in client.get(f"/exam/{STUDY}").text
    assert trail(served)[-1].hospital == served.north


def test_an_exam_without_results_leads_to_its_pictures(served):
    other = ct_file().replace(STUDY.encode(), ABSENT.encode())
    served.site.objects.receive(other, space=hospital_space(served.north), origin=Origin(kind="import", peer="test"))
    allow(served, served.north)
    client = served.browser("other-radiologist")
    answer = client.post("/emergency", data={"study_uid": ABSENT, "reason": WHY})
    assert client.get(answer.headers["location"]).status_code == 200


def test_it_is_to_look_at_and_not_to_take_away_or_to_write_to(served):
    allow(served, served.north)
    client = opened(served, "other-radiologist")
    exports = ("exam.json", "findings.csv", "measurements.csv", f"objects/{OBJECT}.dcm")
    for name in exports:
        answer = client.get(f"/exports/exam/{STUDY}/{name}")
        assert (answer.status_code, answer.json()["code"]) == (403, "archive.only-to-look-at"), name
    for path in (f"/exam/{STUDY}/judge", f"/exam/{STUDY}/send", f"/dicomweb/studies/{STUDY}"):
        assert client.post(path, data={"peer": "1"}).status_code in (403, 404, 415), path
    assert client.delete(f"/dicomweb/studies/{STUDY}").status_code == 403
    made = client.post("/cases/new", data={"study": STUDY, "series": [SERIES], "title": "Mine", "profile": "teaching"})
    assert made.status_code == 400
    assert opened(served, "radiologist").get(f"/exports/exam/{STUDY}/exam.json").status_code == 200, (
        "one's own, by right"
    )


def test_its_page_says_so_and_offers_nothing_that_would_be_refused(served):
    allow(served, served.north)
    page = opened(served, "other-radiologist").get(f"/exam/{STUDY}").text
    assert "to look at, not to take away" in page
    for refused in ("/exports/", "/cases/new", f"/exam/{STUDY}/judge", f"/exam/{STUDY}/send"):
        assert refused not in page, refused
    own = served.browser("radiologist").get(f"/exam/{STUDY}").text
    assert "to look at, not to take away" not in own
    assert all(offered in own for offered in ("/exports/", "/cases/new", f"/exam/{STUDY}/judge"))


@pytest.mark.parametrize("who", ["other-radiologist", "site-admin"])
def test_who_had_it_open_is_told_that_it_closed_and_how_to_open_it_again(served, who):
    allow(served, served.north)
    client = opened(served, who)
    served.clock.move(minutes=29)
    assert client.get(f"/exam/{STUDY}").status_code == 200
    served.clock.move(minutes=29)
    assert client.get("/account").status_code == 200
    served.clock.move(minutes=3)
    client.headers["accept"] = "text/html"
    link = f'href="/emergency?study_uid={STUDY}"'
    for path in (f"/exam/{STUDY}", f"/quicklook/{STUDY}"):
        answer = client.get(path)
        assert answer.status_code in (403, 404), path
        assert "was open to you in an emergency" in answer.text, path
        assert link in answer.text, path
        assert "Doe" not in answer.text
    assert "was open to you" not in client.get("/exam/1.2.3").text
    stranger = served.browser("other-site-admin")
    stranger.headers["accept"] = "text/html"
    assert "was open to you" not in stranger.get(f"/exam/{STUDY}").text


def test_each_access_is_in_the_trail_of_the_hospital_whose_exam_it_is(served):
    allow(served, served.north)
    client = opened(served, "other-radiologist")
    for path in ABOUT:
        assert client.get(path).status_code == 200
    found = [one for one in trail(served, hospital=served.north) if one.login == "other-radiologist"]
    assert [one.reason for one in found].count(WHY) == 1
    reads = [one for one in found if one.what == "read-exam"]
    assert sum(one.count for one in reads) == len(ABOUT)
    assert {(one.subject, one.studies) for one in reads} == {(EMERGENCY, (STUDY,))}
    page = served.browser("site-admin").get("/admin/audit").text
    assert "opened in an emergency" in page


def test_a_program_with_a_token_of_the_person_is_not_let_in(served):
    allow(served, served.north)
    opened(served, "other-radiologist")
    program = served.program("other-radiologist", Scope.DICOM_READ)
    assert program.get(f"{INSTANCE}/metadata").status_code == 404
    assert program.post("/emergency", data={"study_uid": STUDY, "reason": WHY}).status_code == 403


def test_it_closes_when_the_hospital_allows_it_no_longer_or_the_person_loses_the_right(served):
    allow(served, served.north)
    client = opened(served, "other-radiologist")
    assert client.get(PICTURE).status_code == 200
    allow(served, served.north, emergency=False)
    assert client.get(PICTURE).status_code == 404
    allow(served, served.north)
    assert client.get(PICTURE).status_code == 200
    with served.site.workspace.writing() as connection:
        set_rights(connection, served.people["other-radiologist"], roles=[Role.TECHNOLOGIST], disabled_at=None)
    served.site.believed.forget()
    assert served.browser("other-radiologist").get(PICTURE).status_code == 404


def test_a_list_cannot_be_carried_away_exam_by_exam(served):
    client = served.browser("site-admin")
    for number in range(MOST_OPEN):
        save_exam(served.site.workspace, record(f"1.9.{number}", site="North", series=0))
        assert client.post("/emergency", data={"study_uid": f"1.9.{number}", "reason": WHY}).status_code == 303
    answer = client.post("/emergency", data={"study_uid": STUDY, "reason": WHY})
    assert answer.status_code == 400
    assert client.get(f"/exam/{STUDY}").status_code == 403
    assert client.post("/emergency", data={"study_uid": "1.9.0", "reason": WHY}).status_code == 303, "again, for longer"


def test_what_cannot_be_recorded_does_not_open(served):
    client = served.browser("site-admin")
    with served.site.workspace.engine.begin() as connection:
        connection.exec_driver_sql("DROP TABLE audit_study")
    answer = client.post("/emergency", data={"study_uid": STUDY, "reason": WHY})
    assert answer.status_code == 503
    with served.site.workspace.reading() as connection:
        assert connection.scalar(select(func.count()).select_from(broken_glass)) == 0
