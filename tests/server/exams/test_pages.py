"""The pages of exams: what a hospital's people see of their own, and nobody else of theirs."""

from __future__ import annotations

import csv
import io
import json
import re
from dataclasses import replace
from datetime import timedelta

import pytest
from tests.engine.making import ANNA, FIRST, ct, uid_of
from tests.server.conftest import serving

from bingcheng.archive.audit.trail import Asked, events
from bingcheng.archive.jobs.queue import JobKind, JobState, ask, give_back, latest, stop, take, tell
from bingcheng.archive.objects.received import Origin
from bingcheng.archive.people.hospital import add_spelling
from bingcheng.core.wording import text
from bingcheng.engine.run import Options, assess
from bingcheng.server.background.work import work

BEFORE, AFTER = uid_of("study", "anna-1"), uid_of("study", "anna-2")
SENT = Origin(kind="dimse", peer="CT1@127.0.0.1")


@pytest.fixture(scope="module")
def house(tmp_path_factory):
    """A served workspace with two exams of a patient of the North Hospital, the second with its images."""
    folder = tmp_path_factory.mktemp("house")
    ct(folder / "exams" / "1")
    ct(folder / "exams" / "2", name="anna-2", at=FIRST + timedelta(days=56))
    served = serving(folder / "workspace")
    with served.site.workspace.writing() as connection:
        add_spelling(connection, served.north, "North Hospital")
    assess([folder / "exams"], served.site.workspace, Options(workers=1), lambda *_: None)
    space = f"hospital/{served.north}"
    for path in sorted((folder / "exams" / "2").glob("*.dcm")):
        served.site.objects.receive(path.read_bytes(), space=space, origin=SENT)
    with served.site.workspace.writing() as connection:
        ask(connection, JobKind.ASSESS, space, AFTER, served.clock())
    work(served.site.workspace, served.site.objects, Options(workers=1))
    yield served
    served.close()


def get(served, who, path):
    return served.browser(who).get(path, headers={"accept": "text/html"})


def test_the_list_holds_the_hospital_s_own_exams_with_their_patients(house):
    shown = get(house, "technologist", "/worklist")
    assert shown.status_code == 200
    assert "Quellberg Annabeth (KH-70412)" in shown.text
    assert shown.text.index(AFTER) < shown.text.index(BEFORE)
    assert "Results only" in shown.text


def test_images_that_lie_in_a_folder_are_brought_in_at_once_on_wish(house):
    """The button is there for who may use it, for the own exam, until it is asked for."""
    button, space = "Bring the images in now", f"hospital/{house.north}"
    assert button in get(house, "technologist", f"/exam/{BEFORE}").text
    assert button not in get(house, "technologist", f"/exam/{AFTER}").text
    assert house.browser("other-technologist").post(f"/exam/{BEFORE}/judge").status_code == 404
    house.browser("technologist").post(f"/exam/{BEFORE}/judge")
    with house.site.workspace.writing() as connection:
        (job,) = latest(connection, [space], [BEFORE]).values()
        assert (job.kind, job.state, job.urgent) == (JobKind.BRING_IN, JobState.WAITING, True)
    for path in (f"/exam/{BEFORE}", f"/exam/{BEFORE}/progress", "/worklist"):
        assert "Its images wait to be brought in" in get(house, "technologist", path).text, path
    with house.site.workspace.writing() as connection:
        assert stop(connection, job.number, house.clock())
    assert button in get(house, "technologist", f"/exam/{BEFORE}").text


def test_another_hospital_sees_an_empty_list_that_says_how_exams_come(house):
    shown = get(house, "other-technologist", "/worklist")
    assert shown.status_code == 200
    assert "Quellberg" not in shown.text
    assert "AE title" in shown.text


@pytest.mark.parametrize(
    "query", ["words=quellberg", "words=KH-7&modality=CT", "outcome=&state=&order=urgent", "since=2026-99-99"]
)
def test_what_is_looked_for_stays_in_the_address_and_the_form(house, query):
    shown = get(house, "radiologist", f"/worklist?{query}")
    assert shown.status_code == 200
    assert AFTER in shown.text


def test_a_search_that_finds_nothing_leads_back(house):
    shown = get(house, "radiologist", "/worklist?words=nobody")
    assert "No exam fits." in shown.text
    assert '<a href="/worklist">' in shown.text


def test_an_exam_shows_what_to_do_its_measurements_and_its_change(house):
    shown = get(house, "radiologist", f"/exam/{AFTER}")
    assert shown.status_code == 200
    assert "What changed" in shown.text
    assert "Longest diameter" in shown.text
    assert f'href="/exam/{BEFORE}"' in shown.text
    assert f"/viewer/viewer?StudyInstanceUIDs={AFTER}" in shown.text
    assert shown.text.count('id="contours"') == 1


def test_who_stands_at_the_scanner_sees_first_what_to_do_and_who_reads_what_changed(house):
    def at(who, words):
        return get(house, who, f"/exam/{AFTER}").text.index(words)

    assert at("technologist", 'class="one-exam"') < at("technologist", 'id="changes"')
    assert at("radiologist", 'class="one-exam"') > at("radiologist", 'id="changes"')


def test_an_exam_without_images_says_so_and_offers_no_viewer(house):
    shown = get(house, "radiologist", f"/exam/{BEFORE}")
    assert "does not hold this exam" in shown.text
    assert "/viewer/viewer" not in shown.text


@pytest.mark.parametrize("who", ["other-radiologist", "other-site-admin", "province", "operator", "site-admin"])
@pytest.mark.parametrize(
    "path", ["/exam/{}", "/exam/{}/progress", "/exports/exam/{}/findings.csv", "/exports/exam/{}/exam.json"]
)
def test_nobody_else_learns_that_an_exam_is_there(house, who, path):
    shown, absent = get(house, who, path.format(AFTER)), get(house, who, path.format("1.2.3"))
    assert shown.status_code == absent.status_code
    assert shown.status_code in (403, 404)
    assert shown.text.replace(AFTER, "1.2.3") == absent.text or "Quellberg" not in shown.text


def test_a_made_object_is_taken_away_byte_for_byte(house):
    page = get(house, "radiologist", f"/exam/{AFTER}").text
    start = page.index(f"/exports/exam/{AFTER}/objects/")
    address = page[start : page.index('"', start)]
    found = get(house, "radiologist", address)
    assert found.status_code == 200
    assert found.content[128:132] == b"DICM"
    assert get(house, "other-radiologist", address).status_code == 404


def test_tables_are_taken_away_and_the_audit_trail_says_by_whom(house):
    table = get(house, "physicist", f"/exports/exam/{AFTER}/measurements.csv")
    rows = list(csv.DictReader(io.StringIO(table.content.decode("utf-8-sig"))))
    assert {row["exam_uid"] for row in rows} == {AFTER}
    everything = json.loads(get(house, "physicist", f"/exports/exam/{AFTER}/exam.json").text)
    assert everything["exams"][0]["uid"] == AFTER
    listed = list(
        csv.DictReader(io.StringIO(get(house, "physicist", "/exports/worklist.csv").content.decode("utf-8-sig")))
    )
    assert [row["exam_uid"] for row in listed] == [AFTER, BEFORE]
    house.application.state.recorder.flush()
    with house.site.workspace.reading() as connection:
        exported = [one.event for one in events(connection, Asked(code="110106"))]
    mine = [one for one in exported if one.login == "physicist"]
    assert len(mine) == 3
    assert all(AFTER in one.studies and one.hospital == house.north for one in mine)
    assert "Quellberg" not in repr(exported)


def table(served, who, path):
    answer = get(served, who, path)
    assert answer.status_code == 200, path
    return list(csv.DictReader(io.StringIO(answer.content.decode("utf-8-sig"))))


def test_everything_that_the_pages_show_is_taken_away(house):
    (patient,) = table(house, "radiologist", "/exports/patients.csv?words=quellberg")
    assert (patient["name"], patient["number"], patient["exams"]) == ("Quellberg Annabeth", "KH-70412", "2")
    changes = table(house, "radiologist", f"/exports/exam/{AFTER}/changes.csv")
    assert changes
    assert changes == table(house, "radiologist", f"/exports/patient/{patient['patient']}/changes.csv")
    both = table(house, "radiologist", f"/exports/patient/{patient['patient']}/measurements.csv")
    assert {row["exam_uid"] for row in both} == {BEFORE, AFTER}
    for name in ("findings", "radiomics", "doses", "refusals", "lesion_links"):
        assert isinstance(table(house, "radiologist", f"/exports/exam/{AFTER}/{name}.csv"), list)
    page = get(house, "radiologist", f"/exam/{AFTER}").text
    for address in re.findall(r'href="(/exports/[^"]+)"', page):
        assert get(house, "radiologist", address).status_code == 200, address


def test_nobody_takes_away_another_hospital_s_patients(house):
    patient = table(house, "radiologist", "/exports/patients.csv")[0]["patient"]
    assert table(house, "other-radiologist", "/exports/patients.csv") == []
    assert get(house, "other-radiologist", f"/exports/patient/{patient}/changes.csv").status_code == 404
    assert get(house, "province", "/exports/patients.csv").status_code == 403


def test_a_table_that_does_not_exist_is_not_found(house):
    assert get(house, "physicist", f"/exports/exam/{AFTER}/patients.csv").status_code == 404
    patient = table(house, "radiologist", "/exports/patients.csv")[0]["patient"]
    assert get(house, "physicist", f"/exports/patient/{patient}/sites.csv").status_code == 404


def test_assessing_again_waits_and_says_how_far_it_is(house):
    browser = house.browser("radiologist")
    assert browser.post(f"/exam/{AFTER}/judge").status_code == 303
    told = browser.get(f"/exam/{AFTER}/progress").json()
    assert (told["state"], told["open"], told["stage"]) == ("waiting", True, "received")
    assert "data-progress" in get(house, "radiologist", f"/exam/{AFTER}").text
    space = f"hospital/{house.north}"
    for step, stage in (("Assessing exams", "measured"), ("Judging against the protocols", "judged")):
        with house.site.workspace.writing() as connection:
            (job,) = take(connection, house.clock(), most=1) or (latest(connection, [space], [AFTER])[space, AFTER],)
            assert tell(connection, [job], text(step), 1, 2)
        told = browser.get(f"/exam/{AFTER}/progress").json()
        assert (told["stage"], told["step"], told["done"], told["total"]) == (stage, step, 1, 2)
    with house.site.workspace.writing() as connection:
        give_back(connection, house.clock())
    assert work(house.site.workspace, house.site.objects, Options(workers=1)) == 1
    assert browser.get(f"/exam/{AFTER}/progress").json()["open"] is False


def test_what_was_asked_for_is_taken_back_while_it_waits(house):
    browser = house.browser("radiologist")
    assert browser.post(f"/exam/{AFTER}/judge").status_code == 303
    assert f"/exam/{AFTER}/judge/stop" in get(house, "radiologist", f"/exam/{AFTER}").text
    assert house.browser("other-radiologist").post(f"/exam/{AFTER}/judge/stop").status_code == 404
    assert browser.post(f"/exam/{AFTER}/judge/stop").status_code == 303
    assert browser.get(f"/exam/{AFTER}/progress").json()["open"] is False
    assert work(house.site.workspace, house.site.objects, Options(workers=1)) == 0
    assert "Longest diameter" in get(house, "radiologist", f"/exam/{AFTER}").text, "the results are those of before"


def test_the_list_says_when_it_has_changed_and_nobody_s_exams_of_another_hospital_count(house):
    before, other = (
        house.browser(who).get("/worklist/progress").json() for who in ("technologist", "other-radiologist")
    )
    assert f'data-state="{before["state"]}"' in get(house, "technologist", "/worklist").text
    assert house.browser("technologist").post(f"/exam/{AFTER}/judge").status_code == 303
    after = house.browser("technologist").get("/worklist/progress").json()
    assert after["state"] != before["state"]
    assert after["says"] == "1 exam waits to be assessed or is being assessed."
    assert house.browser("other-radiologist").get("/worklist/progress").json() == other
    work(house.site.workspace, house.site.objects, Options(workers=1))


def test_an_exam_that_waits_is_shown_as_waiting(house):
    space, uid = f"hospital/{house.south}", uid_of("study", "anna-2")
    path = house.site.objects.path(house.site.objects.instances_of([f"hospital/{house.north}"], uid)[0])
    house.site.objects.receive(path.read_bytes(), space=space, origin=SENT)
    told = house.browser("other-radiologist").get(f"/exam/{uid}/progress").json()
    assert (told["state"], told["stage"], told["images"], told["open"]) == (None, "received", "1 image", True)
    with house.site.workspace.writing() as connection:
        ask(connection, JobKind.ASSESS, space, uid, house.clock())
        (job,) = take(connection, house.clock(), most=1)
        assert latest(connection, [space], [uid])[space, uid] == job
    shown = get(house, "other-radiologist", f"/exam/{uid}")
    assert shown.status_code == 200
    assert "Exam without results" in shown.text
    assert "Quellberg" not in shown.text
    house.site.objects.remove(space, uid)
    work(house.site.workspace, house.site.objects, Options(workers=1))


def test_patients_and_one_of_them_over_time(house):
    listed = get(house, "radiologist", "/patients?words=annabeth").text
    start = listed.index("/patient/P-")
    address = listed[start : listed.index('"', start)]
    shown = get(house, "radiologist", address)
    assert shown.status_code == 200
    assert shown.text.index(BEFORE) < shown.text.index(AFTER)
    assert "Lesions over time" in shown.text
    changed, response = (shown.text.index(f'id="{part}-title"') for part in ("changed", "response"))
    told = shown.text[response : shown.text.index('id="timeline-title"')]
    assert "for a reader to confirm" in told
    assert f'<a href="/exam/{AFTER}">' in told
    changed = shown.text[changed:response]
    assert re.search(r'class="badge (real|within|apart|open)"', changed), "each lesion's verdict stands first"
    assert get(house, "other-radiologist", address).status_code == 404
    assert get(house, "radiologist", "/patient/P-AAAAAAAAAA").status_code == 404


def test_the_pages_speak_chinese(house):
    browser = house.browser("radiologist")
    shown = browser.get(f"/exam/{AFTER}", headers={"accept": "text/html", "accept-language": "zh-CN"})
    assert 'lang="zh' in shown.text


def test_a_name_that_is_a_script_stays_a_name(house, tmp_path):

    ct(tmp_path, name="xss", patient=replace(ANNA, patient_id="X", name="<script>alert(1)</script>^A"))
    assess([tmp_path], house.site.workspace, Options(workers=1), lambda *_: None)
    for path in ("/worklist", "/patients", f"/exam/{uid_of('study', 'xss')}"):
        shown = get(house, "radiologist", path)
        assert shown.status_code == 200
        assert "<script>alert" not in shown.text
        assert "&lt;script&gt;alert" in shown.text.lower()
