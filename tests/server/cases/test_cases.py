"""A case from the exam's page to the reader elsewhere and back: published, given, talked about, withdrawn."""

from __future__ import annotations

import io
import json
import zipfile
from dataclasses import replace
from html.parser import HTMLParser

import pytest
from tests.archive.cases.attached.made import chunk, jpeg, leaks
from tests.server.cases.published import WRITTEN, give, make_images, publish
from tests.server.examples import OBJECT, SERIES, STUDY, prepare

from bingcheng.archive.cases.preparing import prepare as prepare_case
from bingcheng.archive.jobs.queue import end, take
from bingcheng.archive.objects.query import Query
from bingcheng.archive.people.notice import notices

HTML = {"accept": "text/html"}
ATTACK = "<script>alert(1)</script>\"'><img src=x onerror=alert(2)>"


@pytest.fixture
def stocked(served):
    prepare(served)
    return served


def drafted(served, *, looked=True, **fields):
    """Make a draft by the form, and do what the background does."""
    client = served.browser("radiologist")
    sent = {"study": STUDY, "series": SERIES, "title": "A liver", **fields}
    answer = client.post("/cases/new", data=sent)
    assert answer.status_code == 303, answer.text
    number = int(answer.headers["location"].rsplit("/", 1)[1])
    with served.site.workspace.writing() as connection:
        for job in take(connection, served.clock(), most=8):
            end(connection, job.number, served.clock())
    if looked:
        make_images(served, number)
    else:
        prepare_case(served.site.workspace, served.site.objects, number)
    return client, number


def new_study(served, number):
    (found,) = served.site.objects.studies(Query(), [f"case/{number}"])
    return found.study_uid


class Marked(HTMLParser):
    """The names of all elements and attributes of a page."""

    def __init__(self, page):
        super().__init__()
        self.tags, self.attributes = [], set()
        self.feed(page)

    def handle_starttag(self, tag, attrs):
        self.tags.append((tag, dict(attrs)))
        self.attributes |= {name for name, _ in attrs}


def test_a_case_is_published_given_read_and_withdrawn(stocked):
    client, number = drafted(stocked)
    reader = stocked.browser("other-radiologist")
    path = f"/cases/{number}"
    assert "A liver" in client.get(path, headers=HTML).text
    assert reader.get(path).status_code == 404
    assert client.post(f"{path}/publish").status_code == 303
    assert reader.get(path).status_code == 404
    answer = client.post(f"{path}/grants", data={"audience": f"hospital/{stocked.south}"})
    assert answer.status_code == 303
    page = reader.get(path, headers=HTML)
    assert page.status_code == 200
    assert stocked.browser("province").get(path).status_code == 404
    study = new_study(stocked, number)
    frames = f"/dicomweb/studies/{study}/metadata"
    assert reader.get(frames).status_code == 200
    assert "Doe" not in reader.get(frames).text
    assert STUDY not in page.text
    assert client.post(f"{path}/grants/1/withdraw").status_code == 303
    assert reader.get(path).status_code == reader.get(frames).status_code == 404
    assert client.get(frames).status_code == 200
    assert client.post(f"{path}/withdraw").status_code == 303
    assert client.get(frames).status_code == 404


def test_originals_are_not_reached_through_a_case(stocked):
    number = publish(stocked, STUDY)
    give(stocked, number)
    reader = stocked.browser("other-radiologist")
    assert reader.get(f"/dicomweb/studies/{STUDY}/metadata").status_code == 404
    assert reader.get(f"/exam/{STUDY}").status_code == 404
    for path in ("edit", "pictures", f"pictures/{OBJECT}.png", "grants", "opinions"):
        assert reader.get(f"/cases/{number}/{path}").status_code == 404


@pytest.mark.parametrize("words", ["Jane Doe, 58", "K-1234 and doe", "born 1960-01-01", "seen 2026-01-05"])
def test_text_that_tells_who_it_is_is_not_published(stocked, words):
    client, number = drafted(stocked)
    client.post(f"/cases/{number}/edit", data={"title": "A liver", "context": words})
    refused = client.post(f"/cases/{number}/publish", headers={"accept": "application/json"})
    assert refused.status_code == 400
    assert client.post(f"/cases/{number}/edit", data={"title": "A liver", "context": "58 years"}).status_code == 303
    assert client.post(f"/cases/{number}/publish").status_code == 303
    assert client.post(f"/cases/{number}/edit", data={"title": "A liver", "context": words}).status_code == 400
    assert client.post(f"/cases/{number}/comments", data={"words": words}).status_code == 400


def test_who_comments_from_elsewhere_learns_nothing_about_the_patient(stocked):
    number = publish(stocked, STUDY)
    give(stocked, number)
    reader = stocked.browser("other-radiologist")
    answers = [reader.post(f"/cases/{number}/comments", data={"words": words}) for words in ("Doe", "Roe")]
    assert [one.status_code for one in answers] == [303, 303]


def test_nothing_that_anybody_writes_becomes_markup(stocked):
    written = replace(
        WRITTEN,
        title=ATTACK,
        context=ATTACK,
        diagnosis=ATTACK,
        teaching=f"**{ATTACK}** `{ATTACK}`\n\n- {ATTACK}\n\nhttps://x/{ATTACK} javascript:alert(3)",
        body_part=ATTACK,
        tags=(ATTACK[:60],),
        licence=ATTACK,
        questions=(replace(WRITTEN.questions[0], question=ATTACK, choices=(ATTACK, "b"), explanation=ATTACK),),
    )
    number = publish(stocked, STUDY, written=written)
    client = stocked.browser("radiologist")
    said = client.post(f"/cases/{number}/comments", data={"words": ATTACK}).headers["location"].rsplit("-", 1)[1]
    client.post(f"/cases/{number}/comments/{said}", data={"words": ATTACK + "2"})
    client.post(f"/cases/{number}/opinions", data={"whom": f"hospital/{stocked.south}", "question": ATTACK})
    client.post("/collections", data={"title": ATTACK, "description": ATTACK})
    client.post("/collections/1", data={"step": "put", "case_number": str(number), "note": ATTACK})
    content = '{"name": "<script>", "version": "1", "measures": []}'
    client.post("/shared", data={"kind": "method", "title": ATTACK, "description": ATTACK, "content": content})
    client.post(f"/cases/{number}/comments/{said}/hide", data={"because": ATTACK})
    paths = (
        *("/cases", f"/cases/{number}", f"/cases/{number}/edit", f"/cases/{number}/grants"),
        *(f"/cases/{number}/comments/{said}/earlier", "/opinions", "/opinions/1", "/collections", "/collections/1"),
        *("/shared", "/shared/1", f"/cases?words={ATTACK}&tag={ATTACK}&query={ATTACK}", f"/cases/new?study={ATTACK}"),
    )
    for path in paths:
        page = client.get(path, headers=HTML)
        assert page.status_code < 500, path
        marked = Marked(page.text)
        assert not [name for name in marked.attributes if name.startswith("on")], path
        assert all("src" in attributes for tag, attributes in marked.tags if tag == "script"), path
        assert not [tag for tag, attributes in marked.tags if tag == "img" and attributes.get("src") == "x"], path
        assert not [one for _, one in marked.tags if one.get("href", "").startswith("javascript")], path


def test_a_quiz_is_answered_once_and_counted_without_names(stocked):
    number = publish(stocked, STUDY)
    give(stocked, number)
    (question,) = WRITTEN.questions
    reader = stocked.browser("other-radiologist")
    assert question.explanation not in reader.get(f"/cases/{number}", headers=HTML).text
    sent = {"question": question.name, "choice": "1"}
    assert reader.post(f"/cases/{number}/quiz", data=sent).status_code == 303
    assert reader.post(f"/cases/{number}/quiz", data={**sent, "choice": "0"}).status_code == 400
    assert reader.post(f"/cases/{number}/quiz", data={**sent, "choice": "7"}).status_code == 404
    assert question.explanation in reader.get(f"/cases/{number}", headers=HTML).text


def test_a_mention_tells_only_those_who_may_read_the_case(stocked):
    number = publish(stocked, STUDY)
    client = stocked.browser("radiologist")
    words = "@other-radiologist @physicist @nobody-here"

    def told(who):
        with stocked.site.workspace.reading() as connection:
            return len(notices(connection, stocked.people[who]))

    client.post(f"/cases/{number}/comments", data={"words": words})
    assert (told("physicist"), told("other-radiologist"), told("radiologist")) == (1, 0, 0)
    give(stocked, number, hospital=stocked.south)
    client.post(f"/cases/{number}/comments", data={"words": words})
    assert (told("physicist"), told("other-radiologist")) == (2, 1)


def test_files_are_told_by_their_content_and_only_ever_saved(stocked):
    number = publish(stocked, STUDY)
    client = stocked.browser("radiologist")
    files = [("file", ("../evil.html", b"plain words", "text/html"))]
    assert client.post(f"/cases/{number}/comments", data={"words": "see"}, files=files).status_code == 303
    answer = client.get(f"/cases/{number}/attachments/1")
    assert answer.content == b"plain words"
    assert answer.headers["content-disposition"] == "attachment; filename*=UTF-8''evil.txt"
    assert answer.headers["content-type"] == "application/octet-stream"
    assert answer.headers["x-content-type-options"] == "nosniff"
    bad = [("file", ("a.png", b"<svg onload=alert(1)>", "image/png"))]
    before = client.get(f"/cases/{number}", headers=HTML).text.count('class="comment"')
    assert client.post(f"/cases/{number}/comments", data={"words": "see"}, files=bad).status_code == 400
    assert client.get(f"/cases/{number}", headers=HTML).text.count('class="comment"') == before
    assert stocked.browser("other-radiologist").get(f"/cases/{number}/attachments/1").status_code == 404
    files = [("file", ("photo.jpg", jpeg(), "image/jpeg"))]
    assert client.post(f"/cases/{number}/comments", data={"words": "see"}, files=files).status_code == 303
    assert leaks(client.get(f"/cases/{number}/attachments/2").content) == []
    assert "taken out of it: what the camera wrote, where it was made" in client.get(
        f"/cases/{number}", headers=HTML
    ).text.replace("\n", "")


def without_script(served, who):
    """A browser in which no script puts the token of a form into a header; and the token, for the form's field."""
    client = served.browser(who)
    return client, client.headers.pop("x-csrf-token")


PARTS = ((b"IHDR", 13), (b"IDAT", 4_000_000), (b"IEND", 0))


def test_files_larger_than_a_form_are_sent_without_script(stocked):
    number = publish(stocked, STUDY)
    client, token = without_script(stocked, "radiologist")
    png = b"\x89PNG\r\n\x1a\n" + b"".join(chunk(name, bytes(size)) for name, size in PARTS)
    files = [("file", (f"{one}.png", png, "image/png")) for one in range(2)]
    answer = client.post(f"/cases/{number}/comments", data={"words": "see", "csrf": token}, files=files)
    assert answer.status_code == 303
    assert client.get(f"/cases/{number}/attachments/2").content == png
    for wrong in ({}, {"csrf": "0" * 64}):
        refused = client.post(f"/cases/{number}/comments", data={"words": "see", **wrong}, files=files)
        assert refused.status_code == 403
    large = [("file", ("a.png", png[:8] + bytes(10_000_001), "image/png"))]
    answer = client.post(f"/cases/{number}/comments", data={"words": "see", "csrf": token}, files=large, headers=HTML)
    assert answer.status_code == 400
    assert "larger than 10 MB" in answer.text


def test_a_form_that_takes_no_files_stays_small(stocked):
    number = publish(stocked, STUDY)
    client, token = without_script(stocked, "radiologist")
    answer = client.post(f"/cases/{number}/edit", data={"title": "A", "context": "x" * 3_000_000, "csrf": token})
    assert answer.status_code == 413
    endless = [("file", (f"{one}.png", bytes(12_000_000), "image/png")) for one in range(5)]
    answer = client.post(f"/cases/{number}/comments", data={"words": "see", "csrf": token}, files=endless)
    assert answer.status_code == 413


def test_images_are_taken_away_only_where_the_grant_says_so(stocked):
    number = publish(stocked, STUDY)
    reader = stocked.browser("other-radiologist")
    path = f"/cases/{number}/objects.zip"
    give(stocked, number, hospital=stocked.south)
    assert reader.get(path).status_code == 404
    give(stocked, number, hospital=stocked.south, download=True)
    with zipfile.ZipFile(io.BytesIO(reader.get(path).content)) as archive:
        (name,) = archive.namelist()
        assert b"Doe" not in archive.read(name)
        assert archive.testzip() is None


def test_an_opinion_is_asked_answered_and_shut_with_the_case(stocked):
    number = publish(stocked, STUDY)
    client, reader = stocked.browser("radiologist"), stocked.browser("other-radiologist")
    sent = {"whom": f"person/{stocked.people['other-radiologist']}", "question": "HCC?"}
    path = client.post(f"/cases/{number}/opinions", data=sent).headers["location"]
    assert reader.get(f"/cases/{number}").status_code == 200, "with the question the case is given"
    assert stocked.browser("other-guest").post(path, data={"step": "accept"}).status_code == 400
    assert client.post(path, data={"step": "answer", "impression": "mine"}).status_code == 400
    assert reader.post(path, data={"step": "answer", "impression": "HCC", "agrees": "yes"}).status_code == 303
    assert "HCC" in client.get(path, headers=HTML).text
    client.post(f"/cases/{number}/grants/1/withdraw")
    assert reader.get(path).status_code == 404


def test_a_collection_opens_no_case(stocked):
    number = publish(stocked, STUDY)
    client, reader = stocked.browser("radiologist"), stocked.browser("other-radiologist")
    path = client.post("/collections", data={"title": "Forum"}).headers["location"]
    assert client.post(path, data={"step": "put", "case_number": str(number)}).status_code == 303
    assert reader.get(path).status_code == 404
    client.post(f"{path}/grants", data={"audience": "province"})
    page = reader.get(path, headers=HTML).text
    assert "Forum" in page
    assert WRITTEN.title not in page
    assert reader.post(path, data={"step": "remove"}).status_code == 404


def test_a_case_is_put_into_a_collection_from_its_own_page_and_from_that_of_the_collection(stocked):
    first, second = publish(stocked, STUDY), publish(stocked, STUDY)
    client = stocked.browser("radiologist")
    assert "Put into a collection" not in client.get(f"/cases/{first}", headers=HTML).text
    path = client.post("/collections", data={"title": "Forum"}).headers["location"]
    assert f'formaction="{path}"' in client.get(f"/cases/{first}", headers=HTML).text
    client.post(path, data={"step": "put", "case_number": str(first)})
    assert f'formaction="{path}"' not in client.get(f"/cases/{first}", headers=HTML).text
    page = client.get(path, headers=HTML).text
    assert f'<option value="{second}">' in page
    assert f'<option value="{first}">' not in page
    assert f'formaction="{path}"' not in stocked.browser("other-radiologist").get(path, headers=HTML).text


def test_the_cases_of_a_collection_are_read_one_after_the_other_leaving_out_what_is_shut(stocked):
    first, shut, last = (publish(stocked, STUDY) for _ in range(3))
    client, reader = stocked.browser("radiologist"), stocked.browser("other-radiologist")
    path = client.post("/collections", data={"title": "Forum"}).headers["location"]
    collection = path.rsplit("/", 1)[1]
    for number in (first, shut, last):
        client.post(path, data={"step": "put", "case_number": str(number)})
    client.post(f"{path}/grants", data={"audience": "province"})
    for number in (first, last):
        give(stocked, number)
    page = reader.get(f"/cases/{first}?collection={collection}", headers=HTML).text
    assert "1 of 2" in page
    assert f'rel="next" href="/cases/{last}?collection={collection}"' in page
    assert 'rel="prev"' not in page
    assert f'rel="next" href="/cases/{shut}' in client.get(f"/cases/{first}?collection={collection}").text
    for wrong in ("", "x", "-1", "9" * 30, "77"):
        answer = reader.get(f"/cases/{first}?collection={wrong}", headers=HTML)
        assert answer.status_code == 200
        assert 'rel="next"' not in answer.text


def test_a_case_that_was_taken_back_can_be_taken_out_of_a_collection(stocked):
    number = publish(stocked, STUDY)
    give(stocked, number)
    owner, keeper = stocked.browser("radiologist"), stocked.browser("other-radiologist")
    path = keeper.post("/collections", data={"title": "Forum"}).headers["location"]
    keeper.post(path, data={"step": "put", "case_number": str(number), "note": "Shown on Monday"})
    assert WRITTEN.title in keeper.get(path, headers=HTML).text
    assert owner.post(f"/cases/{number}/grants/1/withdraw").status_code == 303
    page = keeper.get(path, headers=HTML).text
    assert WRITTEN.title not in page
    assert "be read by you now" in page
    assert "Shown on Monday" in page
    assert f'href="/cases/{number}' not in page
    assert keeper.post(path, data={"step": "take", "case_number": str(number)}).status_code == 303
    assert "There is no case in it yet." in keeper.get(path, headers=HTML).text


def test_the_author_sees_who_saw_the_case(stocked):
    number = publish(stocked, STUDY)
    give(stocked, number)
    stocked.browser("other-physicist").get(f"/cases/{number}")
    page = stocked.browser("radiologist").get(f"/cases/{number}/grants", headers=HTML).text
    assert "Other-Physicist" in page
    assert "Other-Guest" not in page


def test_a_picture_that_waits_keeps_the_case_back(stocked):
    client, number = drafted(stocked, looked=False)
    assert client.post(f"/cases/{number}/publish").status_code == 400
    picture = client.get(f"/cases/{number}/pictures/{OBJECT}.png")
    assert picture.content.startswith(b"\x89PNG")
    page = client.get(f"/cases/{number}/pictures", headers=HTML).text
    asked = [one["value"] for tag, one in Marked(page).tags if tag == "input" and one.get("name") == "allowed"]
    sent = {"sop_uid": OBJECT, "decision": "show", "regions": "0, 0, 2, 1", "allowed": asked}
    assert client.post(f"/cases/{number}/pictures", data={**sent, "allowed": "kind"}).status_code == 400
    assert client.post(f"/cases/{number}/pictures", data={**sent, "regions": "a"}).status_code == 400
    assert client.post(f"/cases/{number}/pictures", data=sent).status_code == 303
    assert client.post(f"/cases/{number}/publish").status_code == 400, "the images are being made anew"
    with stocked.site.workspace.writing() as connection:
        for job in take(connection, stocked.clock(), most=8):
            end(connection, job.number, stocked.clock())
    made = prepare_case(stocked.site.workspace, stocked.site.objects, number)
    assert (made.objects, made.waiting) == (1, 0)
    assert client.post(f"/cases/{number}/publish").status_code == 303


def test_an_earlier_version_can_be_written_again(stocked):
    client, number = drafted(stocked)
    client.post(f"/cases/{number}/edit", data={"title": "Second"})
    assert client.post(f"/cases/{number}/restore", data={"version": "1"}).status_code == 303
    assert "A liver" in client.get(f"/cases/{number}", headers=HTML).text
    assert client.get(f"/cases/{number}/edit", headers=HTML).text.count("/restore") == 2


def test_two_cases_of_one_patient_cannot_be_told_to_be_of_one(stocked):
    first, second = publish(stocked, STUDY), publish(stocked, STUDY)
    objects = stocked.site.objects
    told = []
    for number in (first, second):
        (stored,) = objects.instances_of([f"case/{number}"], new_study(stocked, number))
        told.append((stored.study_uid, stored.sop_uid))
    assert not set(told[0]) & set(told[1])


def test_a_shared_protocol_is_checked_and_a_method_needs_a_description(stocked):
    client = stocked.browser("physicist")
    sent = {"title": "Ours", "content": "not = [toml", "kind": "protocol"}
    assert client.post("/shared", data=sent).status_code == 400
    assert client.post("/shared", data={**sent, "kind": "method", "content": "[1]"}).status_code == 400
    written = {**sent, "kind": "method", "content": '{"name": "ADC", "version": 2, "measures": ["adc_mean"]}'}
    assert client.post("/shared", data={**written, "evidence": "[1"}).status_code == 400
    rows = [{"measure": "longest_diameter", "expect": 30.0, "atol": 0.5, "value": 30.2, "unit": "mm", "met": True}]
    rows.append({**rows[0], "value": 33.0, "kind": "analytic"})
    path = client.post("/shared", data={**written, "evidence": json.dumps(rows)}).headers["location"]
    shown = client.get(path, headers=HTML).text
    for words in ("1 of 2 known answers were found again", "its numbers don&#39;t show that", "± 0.5<", "30.2 mm"):
        assert words in shown, words
    assert json.loads(client.get(f"{path}/evidence").content) == rows
    from bingcheng.protocol.library import protocols  # noqa: PLC0415 - beside its only use

    assert protocols()
