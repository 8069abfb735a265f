"""Pointing at images of a case: by series and number, never by UIDs; key images, places of comments, and a preview."""

from __future__ import annotations

import re
from dataclasses import replace

import pytest
from tests.engine.making import ANNA, ct, uid_of
from tests.server.cases.published import WRITTEN, give, publish
from tests.server.conftest import serving
from tests.server.examples import STUDY as SMALL
from tests.server.examples import prepare

from bingcheng.archive.cases.case import CaseStatus, case, set_status
from bingcheng.archive.cases.discussion import comments
from bingcheng.archive.cases.selection import selection
from bingcheng.archive.objects.query import Query
from bingcheng.archive.objects.received import Origin

HTML = {"accept": "text/html"}
STUDY = uid_of("study", "anna-1")
UID = re.compile(r"\b[0-9]+(?:\.[0-9]+){5,}\b")


@pytest.fixture(scope="session")
def exam(tmp_path_factory):
    """The files of a CT of many slices with an outlined lesion."""
    folder = tmp_path_factory.mktemp("slices")
    ct(folder)
    return [path.read_bytes() for path in sorted(folder.rglob("*.dcm"))]


@pytest.fixture(scope="module")
def stock(tmp_path_factory, exam):
    """A workspace with the exam and a case of it, to be copied; and the case's number."""
    folder = tmp_path_factory.mktemp("stock") / "workspace"
    made = serving(folder)
    for file in exam:
        made.site.objects.receive(file, space=f"hospital/{made.north}", origin=Origin(kind="import", peer="test"))
    number = publish(made, STUDY)
    made.close()
    return folder, number


@pytest.fixture
def stocked(serve, stock):
    return serve(of=stock[0])


@pytest.fixture
def number(stock):
    """The published case."""
    return stock[1]


def series_of(served, number):
    """The case's series of CT: its new UID, and its objects in order."""
    objects, space = served.site.objects, f"case/{number}"
    (study,) = objects.studies(Query(), [space])
    images = [one for one in objects.instances_of([space], study.study_uid) if one.sop_class_uid.endswith(".1.2")]
    return images[0].series_uid, images


def written(served, number):
    with served.site.workspace.reading() as connection:
        return case(connection, number).written


def test_an_image_is_marked_by_its_number_and_shown_to_readers(stocked, number):
    give(stocked, number)
    series, images = series_of(stocked, number)
    client, reader = stocked.browser("radiologist"), stocked.browser("other-radiologist")
    sent = {"series": series, "image": "3", "x": "12", "y": "30", "note": "Washout"}
    answer = client.post(f"/cases/{number}/key-images", data=sent)
    assert answer.status_code == 303, answer.text
    (key,) = written(stocked, number).key_images
    assert (key.sop_uid, key.frame, key.x, key.y, key.note) == (images[2].sop_uid, 1, 12.0, 30.0, "Washout")
    page = reader.get(f"/cases/{number}", headers=HTML).text
    assert "Washout" in page
    pictures = [one for one in re.findall(r'src="(/quicklook/[^"]+)"', page) if "/2.webp" in one]
    assert pictures
    assert reader.get(pictures[0].replace("&amp;", "&")).status_code == 200
    assert reader.post(f"/cases/{number}/key-images", data=sent).status_code == 404
    assert client.post(f"/cases/{number}/key-images", data={"taken": "1"}).status_code == 303
    assert written(stocked, number).key_images == ()


def test_writing_the_text_keeps_the_key_images_and_a_restored_version_brings_them_back(stocked, number):
    series, _ = series_of(stocked, number)
    client = stocked.browser("radiologist")
    client.post(f"/cases/{number}/key-images", data={"series": series, "image": "1"})
    assert client.post(f"/cases/{number}/edit", data={"title": "Another title"}).status_code == 303
    assert len(written(stocked, number).key_images) == 1
    client.post(f"/cases/{number}/restore", data={"version": "1"})
    assert written(stocked, number).key_images == ()
    client.post(f"/cases/{number}/restore", data={"version": "2"})
    assert len(written(stocked, number).key_images) == 1


@pytest.mark.parametrize(
    "wrong", [{"image": "0"}, {"image": "99999"}, {"image": "x"}, {"image": ""}, {"series": "1.2.3"}, {"series": ""}]
)
def test_an_image_that_is_not_there_is_told(stocked, number, wrong):
    series, _ = series_of(stocked, number)
    client = stocked.browser("radiologist")
    sent = {"series": series, "image": "1"} | wrong
    answer = client.post(f"/cases/{number}/key-images", data=sent, headers=HTML)
    assert answer.status_code == 400
    assert "there is no image" in answer.text
    talk = {"about": "image", "words": "here", **sent}
    assert client.post(f"/cases/{number}/comments", data=talk).status_code == 400
    assert client.get(f"/cases/{number}/images", params=sent).status_code == 200


def test_a_note_beside_a_key_image_must_not_tell_who_it_is(stocked, number):
    series, _ = series_of(stocked, number)
    client = stocked.browser("radiologist")
    sent = {"series": series, "image": "1", "note": f"{ANNA.name.split('^')[0]}, the liver"}
    answer = client.post(f"/cases/{number}/key-images", data=sent, headers=HTML)
    assert answer.status_code == 400
    assert "tells who the patient is" in answer.text
    assert written(stocked, number).key_images == ()


def test_the_number_of_key_images_is_bounded(stocked, number):
    series, images = series_of(stocked, number)
    client = stocked.browser("radiologist")
    answers = [
        client.post(f"/cases/{number}/key-images", data={"series": series, "image": "1", "x": str(x), "y": "1"})
        for x in range(41)
    ]
    assert [one.status_code for one in answers] == [303] * 40 + [400]
    assert images[0].columns > 41


def test_a_comment_hangs_at_what_was_pointed_at_or_chosen(stocked, number):
    give(stocked, number)
    series, images = series_of(stocked, number)
    stocked.browser("radiologist").post(f"/cases/{number}/key-images", data={"series": series, "image": "2"})
    reader = stocked.browser("other-radiologist")
    place = {"series": series, "image": "4", "x": "7", "y": "9"}
    for about in ({"about": "image", **place}, {"about": "key/1"}, {"about": ""}):
        assert reader.post(f"/cases/{number}/comments", data={"words": "here", **about}).status_code == 303
    for about in ("key/2", "lesion/77", "nonsense"):
        assert reader.post(f"/cases/{number}/comments", data={"words": "here", "about": about}).status_code == 404
    with stocked.site.workspace.reading() as connection:
        pointed, key, whole = (one.anchor for one in comments(connection, number))
    assert (pointed.sop_uid, pointed.frame, pointed.x, pointed.y) == (images[3].sop_uid, 1, 7.0, 9.0)
    assert (key.sop_uid, key.x) == (images[1].sop_uid, None)
    assert whole.sop_uid == ""
    page = reader.get(f"/cases/{number}", headers=HTML).text
    assert f"/cases/{number}/images?series={series}&amp;image=4&amp;x=7&amp;y=9" in page
    shown = reader.get(f"/cases/{number}/images", params=place, headers=HTML)
    assert shown.status_code == 200
    assert f"/quicklook/{images[0].study_uid}/{series}/3.webp" in shown.text


@pytest.mark.parametrize("path", ["", "/images"])
def test_nobody_types_or_reads_a_uid_to_point_at_something(stocked, number, path):
    page = stocked.browser("radiologist").get(f"/cases/{number}{path}", headers=HTML).text
    told = re.sub(r"<[^>]+>", "", page)
    assert "UID" not in told
    assert not UID.search(told)
    assert 'name="sop_uid"' not in page


def test_where_the_answer_is_hidden_key_images_wait_with_it(stocked):
    number = publish(stocked, STUDY, written=replace(WRITTEN, hidden=True))
    give(stocked, number)
    series, _ = series_of(stocked, number)
    sent = {"series": series, "image": "2", "x": "3", "y": "3", "note": "Look here"}
    stocked.browser("radiologist").post(f"/cases/{number}/key-images", data=sent)
    reader = stocked.browser("other-radiologist")
    page = reader.get(f"/cases/{number}", headers=HTML).text
    before, _, after = page.partition('<details class="answer"')
    assert "Look here" not in before
    assert "Look here" in after
    assert "Look here" not in reader.get(f"/cases/{number}/images", headers=HTML).text


def test_only_some_images_are_chosen_by_their_numbers(stocked):
    client = stocked.browser("radiologist")
    page = client.get(f"/cases/new?study={STUDY}", headers=HTML).text
    fields = re.findall(r'name="(only:[0-9.]+)"', page)
    assert fields
    series = fields[0].removeprefix("only:")
    sent = {"study": STUDY, "series": series, "title": "Some", fields[0]: "2, 4–5，5"}
    answer = client.post("/cases/new", data=sent)
    assert answer.status_code == 303
    number = int(answer.headers["location"].rsplit("/", 1)[1])
    originals = stocked.site.objects.instances_of([f"hospital/{stocked.north}"], STUDY, series)
    with stocked.site.workspace.reading() as connection:
        chosen = [one.sop_uid for one in selection(connection, number)]
    assert chosen == [originals[at].sop_uid for at in (1, 3, 4)]


@pytest.mark.parametrize("words", ["0", "5-2", "1-99999", "a", "1..3", "-4", "２", "9" * 50])
def test_numbers_that_name_no_images_are_told_and_what_was_written_stays(stocked, words):
    client = stocked.browser("radiologist")
    page = client.get(f"/cases/new?study={STUDY}", headers=HTML).text
    field = re.findall(r'name="(only:[0-9.]+)"', page)[0]
    sent = {"study": STUDY, "series": field.removeprefix("only:"), "title": "Some title", field: words}
    answer = client.post("/cases/new", data=sent, headers=HTML)
    assert answer.status_code == 400
    assert "Some title" in answer.text
    assert f'value="{words}"' in answer.text


def test_a_draft_is_seen_by_who_publishes_it_as_its_readers_will_see_it(stocked):
    number = publish(stocked, STUDY, published=False)
    client = stocked.browser("radiologist")
    series, images = series_of(stocked, number)
    picture = f"/quicklook/{images[0].study_uid}/{series}/0.webp"
    assert client.get(picture).status_code == 200
    for other in ("technologist", "physicist", "other-radiologist"):
        assert stocked.browser(other).get(picture).status_code == 404
        assert stocked.browser(other).get(f"/cases/{number}/preview").status_code in (403, 404)
    page = client.get(f"/cases/{number}/preview", headers=HTML)
    assert page.status_code == 200
    main = page.text.partition("<main")[2].partition("</main>")[0]
    assert WRITTEN.title in main
    assert "North Hospital" not in main
    assert 'name="csrf"' not in main
    assert WRITTEN.questions[0].explanation not in main
    with stocked.site.workspace.writing() as connection:
        set_status(connection, number, CaseStatus.PUBLISHED, stocked.clock())
        set_status(connection, number, CaseStatus.WITHDRAWN, stocked.clock())
    assert client.get(picture).status_code == 404
    assert client.get(f"/cases/{number}/images", headers=HTML).status_code == 200


def test_a_case_without_pictures_says_so(served):
    prepare(served)
    number = publish(served, SMALL, published=False)
    client = served.browser("radiologist")
    assert client.get(f"/cases/{number}/images", headers=HTML).status_code == 200
    assert client.get("/cases/new?study=" + SMALL, headers=HTML).status_code == 200
