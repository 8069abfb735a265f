"""The first key image beside a case in lists: small, of a case that may be seen, never one that tells the answer."""

from __future__ import annotations

import re
from dataclasses import replace

import pytest
from tests.engine.making import ct, uid_of
from tests.server.cases.published import WRITTEN, give, publish

from bingcheng.archive.cases.case import CaseStatus, set_status
from bingcheng.archive.cases.collections import make_collection, put_in
from bingcheng.archive.objects.query import Query
from bingcheng.archive.objects.received import Origin

HTML = {"accept": "text/html"}
STUDY = uid_of("study", "anna-1")


@pytest.fixture(scope="module")
def exam(tmp_path_factory):
    """The files of a CT of many slices."""
    folder = tmp_path_factory.mktemp("slices")
    ct(folder)
    return [path.read_bytes() for path in sorted(folder.rglob("*.dcm"))]


@pytest.fixture
def stocked(served, exam):
    for file in exam:
        served.site.objects.receive(file, space=f"hospital/{served.north}", origin=Origin(kind="import", peer="test"))
    return served


def marked(served, *images: str, note="Washout", **written) -> int:
    """A published case with these images of its CT as key images, given to the other hospital."""
    number = publish(served, STUDY, written=replace(WRITTEN, **written))
    give(served, number, hospital=served.south)
    (study,) = served.site.objects.studies(Query(), [f"case/{number}"])
    held = served.site.objects.instances_of([f"case/{number}"], study.study_uid)
    series = next(one.series_uid for one in held if one.sop_class_uid.endswith(".1.2"))
    for image in images:
        sent = {"series": series, "image": image, "note": note}
        assert served.browser("radiologist").post(f"/cases/{number}/key-images", data=sent).status_code == 303
    return number


def pictures(page: str) -> list[tuple[str, str]]:
    found = [dict(re.findall(r'([a-z]+)="([^"]*)"', one)) for one in re.findall(r'<img class="thumbnail"[^>]*>', page)]
    assert all((one["width"], one["height"], one["loading"]) == ("96", "96", "lazy") for one in found)
    return [(one["src"], one["alt"]) for one in found]


def collected(served, *numbers: int) -> int:
    with served.site.workspace.writing() as connection:
        by, now = served.people["radiologist"], served.clock()
        made = make_collection(connection, hospital=served.north, author=by, title="Course", description="", now=now)
        for number in numbers:
            put_in(connection, made, number)
    return made


def test_lists_show_the_first_key_image_small_but_none_that_tells_a_hidden_answer(stocked):
    hidden = marked(stocked, "2", hidden=True)
    number = marked(stocked, "3", "1", note="", title="Lesion & more")
    collection = collected(stocked, hidden, number)
    client, reader = stocked.browser("radiologist"), stocked.browser("other-radiologist")
    source = f"/cases/{number}/thumbnail.webp"
    for path in ("/cases", "/cases?words=lesion", "/collections", f"/collections/{collection}"):
        page = client.get(path, headers=HTML).text
        called = "Course" if path == "/collections" else "Lesion &amp; more"
        assert pictures(page) == [(source, f"Key image of {called}")], path
        if path in ("/cases", f"/collections/{collection}"):
            assert page.count('<span class="thumbnail" aria-hidden="true">') == 1, "a place without a picture"
    assert client.get(f"/cases/{hidden}/thumbnail.webp").status_code == 404
    found = reader.get(source)
    assert found.status_code == 303
    assert "/2.webp?" in found.headers["location"]
    assert len(reader.get(found.headers["location"]).content) < 20_000


def test_it_is_seen_by_nobody_who_may_not_read_the_case_or_any_more(stocked):
    number = marked(stocked, "2")
    source = f"/cases/{number}/thumbnail.webp"
    reader, client = stocked.browser("other-radiologist"), stocked.browser("radiologist")
    assert pictures(client.get("/cases", headers=HTML).text) == [(source, "Washout")]
    drawn = reader.get(source).headers["location"]
    assert stocked.anonymous().get(source).status_code == 401
    assert stocked.browser("operator").get(source).status_code == 403
    for status in (CaseStatus.WITHDRAWN, CaseStatus.PUBLISHED):
        with stocked.site.workspace.writing() as connection:
            set_status(connection, number, status, stocked.clock())
        expected = 404 if status is CaseStatus.WITHDRAWN else 303
        assert reader.get(source).status_code == client.get(source).status_code == expected
        assert reader.get(drawn).status_code == (404 if expected == 404 else 200)
        assert len(pictures(client.get("/cases", headers=HTML).text)) == (expected == 303)
    (study,) = stocked.site.objects.studies(Query(), [f"case/{number}"])
    stocked.site.objects.remove(f"case/{number}", study.study_uid)
    assert pictures(client.get("/cases", headers=HTML).text) == [], "the key image was left out since"
    assert client.get(source).status_code == 404
