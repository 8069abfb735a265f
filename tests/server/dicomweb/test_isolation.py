"""Nothing of one hospital's can be seen, found, changed or deleted through another's person or token."""

from __future__ import annotations

import copy

import pytest
from benchmarks.exchange_objects import file_of, image, uid_of
from sqlalchemy import select

from bingcheng.archive.audit.tables import audit_event
from bingcheng.archive.authorisation import Scope
from bingcheng.server.dicomweb.router import router

PLACE = {"study_uid": uid_of("theirs"), "series_uid": uid_of("theirs", "t"), "sop_uid": uid_of("theirs", "t", 1)}
ROUTES = sorted(
    (method, route.path)
    for route in router.routes
    for method in route.methods - {"OPTIONS"}  # what the service can do, which anybody may ask
)
KIND = 'multipart/related; type="application/dicom"; boundary=xyz'


def address(path: str) -> str:
    return path.replace("{path:path}", "7FE00010").format(**PLACE, frames="1")


@pytest.mark.parametrize(("method", "path"), [(m, p) for m, p in ROUTES if "{study_uid}" in p and m != "POST"])
def test_what_belongs_to_others_answers_as_what_does_not_exist(filled, method, path):
    who = filled.browser("north site-admin") if method == "DELETE" else filled.client
    searched = path.endswith(("}/series", "}/instances"))
    found = who.request(method, address(path))
    none = who.request(method, address(path).replace(PLACE["study_uid"], "1.2.3"))
    assert found.status_code == none.status_code == (200 if searched else 404)
    assert found.content == none.content
    owner = filled.browser("south radiologist")
    assert method == "DELETE" or owner.request(method, address(path)).status_code == 200


@pytest.mark.parametrize("path", ["/studies", "/series", "/instances"])
def test_searches_find_ones_own_alone(filled, path):
    found = filled.get(f"{path}?includefield=all")
    assert found.json()
    assert PLACE["study_uid"] not in found.text
    assert filled.get(f"{path}?StudyInstanceUID={PLACE['study_uid']}").json() == []
    assert PLACE["study_uid"] in filled.browser("south radiologist").get(f"/dicomweb{path}").text


@pytest.mark.parametrize(("method", "path"), ROUTES)
@pytest.mark.parametrize("who", [None, "province", "operator", "north guest"])
def test_who_has_no_exams_sees_none(filled, who, method, path):
    answer = filled.browser(who).request(method, address(path), content=b"")
    if who in ("province", "north guest") and method == "GET":
        # They read cases that are granted to them: none is.
        assert answer.status_code in (200, 404)
        assert answer.status_code == 404 or answer.json() == []
    else:
        assert answer.status_code == (401 if who is None else 403)


@pytest.mark.parametrize(("method", "path"), [(m, p) for m, p in ROUTES if "{sop_uid}" not in p])
def test_a_token_does_only_what_it_was_made_for(filled, method, path):
    needs = {"GET": Scope.DICOM_READ, "POST": Scope.DICOM_WRITE, "DELETE": Scope.DICOM_DELETE}[method]
    other = filled.program("north radiologist", *({Scope.DICOM_READ, Scope.DICOM_WRITE, Scope.DICOM_DELETE} - {needs}))
    assert other.request(method, address(path), content=b"").status_code == 403


def test_objects_of_the_same_uid_stand_apart(fresh, packed, parts):
    theirs = file_of(image("theirs", "t", 1))
    mine = file_of(image("theirs", "t", 1, PatientName="Somebody^Else"))
    answer = fresh.post("/studies", packed([mine]), KIND)
    assert answer.status_code == 200
    path = f"/dicomweb/studies/{PLACE['study_uid']}"
    assert parts(fresh.client.get(path))[0][1] == mine
    assert parts(fresh.browser("south radiologist").get(path))[0][1] == theirs
    assert fresh.browser("north site-admin").delete(path).status_code == 204
    assert fresh.client.get(path).status_code == 404
    assert parts(fresh.browser("south radiologist").get(path))[0][1] == theirs


@pytest.mark.parametrize(
    ("path", "left"),
    [
        (f"/studies/{uid_of('mine')}", 1),
        (f"/studies/{uid_of('mine')}/series/{uid_of('mine', 'a')}", 3),
        (f"/studies/{uid_of('mine')}/series/{uid_of('mine', 'a')}/instances/{uid_of('mine', 'a', 1)}", 4),
    ],
)
def test_what_is_deleted_is_gone(fresh, path, left):
    admin = fresh.browser("north site-admin")
    assert admin.delete(f"/dicomweb{path}").status_code == 204
    assert fresh.get(path).status_code == 404
    assert len(fresh.get("/instances").json()) == left
    assert admin.delete(f"/dicomweb{path}").status_code == 404
    assert fresh.client.delete(f"/dicomweb{path}").status_code == 403


def test_each_access_is_in_the_audit_trail(fresh, packed):
    fresh.get("/studies")
    fresh.get(f"/studies/{uid_of('mine')}/metadata")
    fresh.post("/studies", packed([file_of(image("new", "s", n)) for n in (1, 2)]), KIND)
    fresh.browser("north site-admin").delete(f"/dicomweb/studies/{uid_of('new')}")
    fresh.browser("south radiologist").get(f"/dicomweb/studies/{uid_of('mine')}")
    with fresh.site.workspace.reading() as connection:
        rows = connection.execute(select(audit_event)).mappings().all()
    words = [str(dict(row)) for row in rows]
    assert len(words) == 5
    assert uid_of("mine") in words[0]
    assert uid_of("later") in words[0]
    assert uid_of("new") in words[2]
    assert "110105" in words[3]
    assert all("Wang" not in word for word in words)


def test_a_form_of_another_page_cannot_store_or_delete(fresh, packed):
    client = fresh.browser("north site-admin")
    client.headers = copy.copy(client.headers)
    del client.headers["x-csrf-token"]
    assert client.delete(f"/dicomweb/studies/{uid_of('mine')}").status_code == 403
