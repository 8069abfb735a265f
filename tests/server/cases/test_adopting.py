"""A shared protocol adopted: what changes is shown first, the province decides for all, and it can be undone."""

from __future__ import annotations

import pytest
from tests.server.examples import STUDY, prepare

from bingcheng.archive.agreement import agreement
from bingcheng.archive.jobs.queue import JobKind, take
from bingcheng.engine.agreed import agreed

HTML = {"accept": "text/html"}


PROTOCOL = """
format = 1
id = "NAME"
title = "CT of the liver"
version = "VERSION"
modality = "CT"
intent = "Follow liver lesions by their volume."
by_default = true

[sources.AGREEMENT]
citation = "Imaging board, minutes of January 2026"
read = "the whole text"
locator = "item 3"

[[roles]]
id = "CT"
title = "CT with contrast"
modality = "CT"
level = "required"
decisive = true
select = [{ attribute = "derived.is_localiser", operator = "==", value = false }]
source = "AGREEMENT"
trust = "verified"
remedy = "Send the axial reconstruction; a scout does not replace it."
owner = "technologist"

[[criteria]]
id = "thickness"
title = "Slice thickness"
scope = "series"
roles = ["CT"]
attribute = "SliceThickness"
operator = "<="
value = THICKNESS
unit = "mm"
level = "required"
source = "AGREEMENT"
trust = "verified"
remedy = "Reconstruct thinner from the raw data."
owner = "technologist"
"""


def protocol(version: str, thickness: float, name: str = "our_liver_ct") -> str:
    said = PROTOCOL.replace("NAME", name).replace("VERSION", version)
    return said.replace("THICKNESS", str(thickness))


@pytest.fixture
def stocked(served):
    prepare(served)
    return served


def share(served, content: str, *, to: str = "province") -> int:
    client = served.browser("physicist")
    answer = client.post("/shared", data={"kind": "protocol", "title": "Ours", "content": content})
    assert answer.status_code == 303, answer.text
    number = int(answer.headers["location"].rsplit("/", 1)[1])
    assert client.post(f"/shared/{number}", data={"audience": to}).status_code == 303
    return number


def in_force(served) -> list[tuple[str, str]]:
    ours = [one for one in agreed(served.site.workspace).protocols if one.id.startswith("our_")]
    return [(one.id, one.version) for one in ours]


def test_it_is_judged_by_from_then_on_and_all_exams_anew(stocked):
    number = share(stocked, protocol("1", 1.5))
    client = stocked.browser("province")
    page = client.get(f"/shared/{number}/adopt", headers=HTML)
    assert page.status_code == 200
    assert "Slice thickness" in page.text
    assert in_force(stocked) == []
    assert client.post(f"/shared/{number}/adopt", data={"step": "adopt"}).status_code == 303
    assert in_force(stocked) == [("our_liver_ct", "1")]
    with stocked.site.workspace.writing() as connection:
        (job,) = take(connection, stocked.clock(), most=8)
    assert (job.kind, job.study_uid) == (JobKind.ASSESS, STUDY)
    for who in ("physicist", "other-technologist"):
        assert "in force here" in stocked.browser(who).get(f"/shared/{number}", headers=HTML).text.lower()


def test_what_differs_from_the_one_in_force_is_shown_before_and_undoing_brings_that_back(stocked):
    first, second = share(stocked, protocol("1", 1.5)), share(stocked, protocol("2", 3.0))
    client = stocked.browser("province")
    client.post(f"/shared/{first}/adopt", data={"step": "adopt"})
    page = client.get(f"/shared/{second}/adopt", headers=HTML).text
    assert "at most 1.5 mm" in page
    assert "at most 3 mm" in page
    client.post(f"/shared/{second}/adopt", data={"step": "adopt"})
    assert in_force(stocked) == [("our_liver_ct", "2")]
    assert client.post(f"/shared/{first}/adopt", data={"step": "undo"}).status_code == 400
    assert client.post(f"/shared/{second}/adopt", data={"step": "undo"}).status_code == 303
    assert in_force(stocked) == [("our_liver_ct", "1")]
    assert client.post(f"/shared/{first}/adopt", data={"step": "undo"}).status_code == 303
    assert in_force(stocked) == []
    history = client.get(f"/shared/{first}/adopt", headers=HTML).text
    assert history.count("adopted") >= 2


def test_what_hospitals_asked_for_otherwise_stays(stocked):
    with stocked.site.workspace.reading() as connection:
        before = agreement(connection)
    number = share(stocked, protocol("1", 1.5))
    client = stocked.browser("province")
    for step in ("adopt", "undo"):
        client.post(f"/shared/{number}/adopt", data={"step": step})
    with stocked.site.workspace.reading() as connection:
        assert agreement(connection) == before


@pytest.mark.parametrize("who", ["radiologist", "physicist", "other-physicist"])
def test_no_hospital_decides_for_the_others(stocked, who):
    number = share(stocked, protocol("1", 1.5))
    client = stocked.browser(who)
    assert client.get(f"/shared/{number}/adopt").status_code == 404
    assert client.post(f"/shared/{number}/adopt", data={"step": "adopt"}).status_code == 404
    assert in_force(stocked) == []
    assert "/adopt" not in client.get(f"/shared/{number}", headers=HTML).text


def test_what_is_not_given_is_as_if_it_were_not_there(stocked):
    number = share(stocked, protocol("1", 1.5), to=f"hospital/{stocked.south}")
    client = stocked.browser("province")
    assert client.get(f"/shared/{number}/adopt").status_code == 404
    assert client.post(f"/shared/{number}/adopt", data={"step": "adopt"}).status_code == 404


def test_a_name_that_a_protocol_of_the_release_has_is_refused(stocked):
    number = share(stocked, protocol("1", 1.5, name="lung_ldct_screening"))
    answer = stocked.browser("province").post(f"/shared/{number}/adopt", data={"step": "adopt"}, headers=HTML)
    assert answer.status_code == 400
    assert "lung_ldct_screening" in answer.text
    agreed(stocked.site.workspace)


def test_a_method_is_not_adopted_and_a_wrong_step_changes_nothing(stocked):
    client = stocked.browser("physicist")
    content = '{"name": "ours", "version": "1", "measures": []}'
    path = client.post("/shared", data={"kind": "method", "title": "Ours", "content": content}).headers["location"]
    client.post(path, data={"audience": "province"})
    assert stocked.browser("province").get(f"{path}/adopt").status_code == 400
    number = share(stocked, protocol("1", 1.5))
    assert stocked.browser("province").post(f"/shared/{number}/adopt", data={"step": "x"}).status_code == 400
    assert in_force(stocked) == []
