"""Once a right has ended nothing answers any more: no page, no picture, no frame, and no copy that a browser kept."""

from __future__ import annotations

import re
from datetime import timedelta

import pytest
from tests.server.cases.published import give, publish
from tests.server.conftest import PASSWORD
from tests.server.every_route import Callers, hold
from tests.server.examples import OBJECT, SERIES, STUDY, address, prepare
from tests.server.test_matrix import ROUTES, expected

from bingcheng.archive.authorisation import Role, Scope
from bingcheng.archive.cases.case import CaseStatus, set_status
from bingcheng.archive.cases.facts import case_exams
from bingcheng.archive.cases.grants import Given, withdraw_grant
from bingcheng.archive.people.invitation import invite, let_reset
from bingcheng.archive.people.person import set_rights
from bingcheng.server.security.required import Required

INSTANCE = f"/dicomweb/studies/{STUDY}/series/{SERIES}/instances/{OBJECT}"
OWN = (
    f"/exam/{STUDY}",
    f"/quicklook/{STUDY}",
    f"/quicklook/{STUDY}/{SERIES}/0.webp",
    f"{INSTANCE}/metadata",
    f"{INSTANCE}/frames/1",
    f"{INSTANCE}/rendered",
    f"{INSTANCE}/thumbnail",
    f"/dicomweb/studies/{STUDY}",
)
TEN_MINUTES = timedelta(minutes=10)
PROGRAM = ("/viewer/viewer", "/viewer/segmentation", "/viewer/tmtv")
"""The viewer's page, the same for everybody: what it shows it asks for."""
READS = [one for one in ROUTES if one[0] == "GET" and isinstance(one[1].guard, Required)]


@pytest.fixture
def served(served):
    prepare(served)
    return served


def kept(client, paths):
    """What a browser has kept of each path: what it then asks with."""
    found = {}
    for path in paths:
        answer = client.get(path)
        assert answer.status_code == 200, (path, answer.text)
        found[path] = {"if-none-match": answer.headers["etag"]} if "etag" in answer.headers else {}
    return found


def answers(client, held):
    return {client.get(path, headers=headers).status_code for path, headers in held.items()}


def _sign_out(served, client):
    client.post("/logout")


def _sign_out_everywhere(served, client):
    client.post("/account/sessions/end-all")


def _end_elsewhere(served, client):
    served.browser("site-admin").post(f"/admin/people/{served.people['radiologist']}/sign-out")


def _lock(served, client):
    number = served.people["radiologist"]
    served.browser("site-admin").post(f"/admin/people/{number}", data={"role": ["radiologist"], "disabled": "true"})


def _other_role(served, client):
    served.browser("site-admin").post(f"/admin/people/{served.people['radiologist']}", data={"role": ["guest"]})


def _new_password(served, client):
    other = served.browser("radiologist")
    assert (
        other.post("/account/password", data={"current": PASSWORD, "new": "another long sentence"}).status_code == 303
    )


def _shut_hospital(served, client):
    served.browser("operator").post(f"/admin/hospitals/{served.north}", data={"name": "N", "disabled": "true"})


def _too_long_idle(served, client):
    served.clock.move(minutes=31)


ENDS = (
    _sign_out,
    _sign_out_everywhere,
    _end_elsewhere,
    _lock,
    _other_role,
    _new_password,
    _shut_hospital,
    _too_long_idle,
)


@pytest.mark.parametrize("end", ENDS, ids=[one.__name__.strip("_") for one in ENDS])
def test_after_a_session_s_end_nothing_answers_not_even_that_nothing_changed(served, end):
    client = served.browser("radiologist")
    secret, held = client.cookies["bingcheng"], kept(client, OWN)
    end(served, client)
    client.cookies.set("bingcheng", secret, domain="127.0.0.1")
    assert answers(client, held) == {401}


def _withdrawn(served, case, grant):
    with served.site.workspace.writing() as connection:
        assert withdraw_grant(connection, Given.CASE, case, grant, served.clock())


def _case_withdrawn(served, case, grant):
    with served.site.workspace.writing() as connection:
        set_status(connection, case, CaseStatus.WITHDRAWN, served.clock())


def _expired(served, case, grant):
    served.clock.move(minutes=11)


@pytest.mark.parametrize("end", [_withdrawn, _case_withdrawn, _expired])
def test_a_case_is_gone_with_its_grant_from_every_surface(served, end):
    case = publish(served, STUDY)
    until = served.clock() + TEN_MINUTES if end is _expired else None
    grant = give(served, case, hospital=served.south, download=True, expires_at=until)
    client = served.browser("other-guest")
    study = _study_of(served, case)
    series, image = _first_image(client, study)
    one = f"/dicomweb/studies/{study}/series/{series}/instances/{image}"
    paths = (
        f"/cases/{case}",
        f"/cases/{case}/objects.zip",
        f"/quicklook/{study}",
        f"/quicklook/{study}/{series}/0.webp",
        f"{one}/metadata",
        f"{one}/frames/1",
        f"{one}/rendered",
        f"/dicomweb/studies/{study}",
    )
    held = kept(client, paths)
    end(served, case, grant)
    assert answers(client, held) == {404}
    assert client.get("/dicomweb/studies").json() == []


def _study_of(served, case):
    with served.site.workspace.reading() as connection:
        return case_exams(connection, case)[0].study_uid


def _first_image(client, study):
    found = client.get(f"/dicomweb/studies/{study}/instances").json()[0]
    return found["0020000E"]["Value"][0], found["00080018"]["Value"][0]


def test_no_browser_shows_a_copy_without_asking(served):
    callers = Callers(served)

    def holds(method, route):
        role = next(role for role in Role if expected(route, role))
        said = callers.of(role).get(address(served, route.path)).headers["cache-control"]
        kept = set(re.split(r",\s*", said))
        program = route.path in PROGRAM and kept == {"no-cache"}
        assert program or kept == {"no-store"} or {"private", "no-cache"} <= kept, said
        assert "max-age" not in said

    hold(READS, holds)


def test_who_signs_out_leaves_no_pictures_to_the_next_person(served):
    for path in ("/logout", "/account/sessions/end-all"):
        assert served.browser("radiologist").post(path).headers["clear-site-data"] == '"cache"'


def test_a_token_dies_with_its_account_and_is_not_woken_when_that_opens_again(served):
    program, number = served.program("radiologist", Scope.DICOM_READ), served.people["radiologist"]
    admin = served.browser("site-admin")
    assert program.get(f"{INSTANCE}/metadata").status_code == 200
    admin.post(f"/admin/people/{number}", data={"role": ["radiologist"], "disabled": "true"})
    assert program.get(f"{INSTANCE}/metadata").status_code == 401
    admin.post(f"/admin/people/{number}", data={"role": ["radiologist"]})
    assert served.browser("radiologist").get("/api/me").status_code == 200
    assert program.get(f"{INSTANCE}/metadata").status_code == 401


def test_a_token_may_no_more_than_the_roles_of_today(served):
    program = served.program("radiologist", Scope.DICOM_READ, Scope.CASES_WRITE)
    with served.site.workspace.writing() as connection:
        set_rights(connection, served.people["radiologist"], roles=[Role.GUEST], disabled_at=None)
    assert program.get(f"{INSTANCE}/metadata").status_code in (403, 404)


def _by_password(served):
    client = served.browser("radiologist")
    return client.post("/account/password", data={"current": PASSWORD, "new": "another long sentence"})


def _by_role(served):
    return served.browser("site-admin").post(
        f"/admin/people/{served.people['radiologist']}", data={"role": ["radiologist", "site-admin"]}
    )


@pytest.mark.parametrize("change", [_by_password, _by_role])
def test_a_link_for_a_new_password_is_spent_by_what_came_after_it(served, change):
    with served.site.workspace.writing() as connection:
        secret = let_reset(connection, served.people["radiologist"], by=None, now=served.clock())
    assert served.anonymous().get(f"/invitation/{secret}").status_code == 200
    assert change(served).status_code < 400
    assert served.anonymous().get(f"/invitation/{secret}").status_code == 404


@pytest.mark.parametrize(
    ("roles", "disabled", "holds"),
    [([Role.GUEST], False, False), ([Role.SITE_ADMIN], True, False), ([Role.SITE_ADMIN], False, True)],
)
def test_who_is_no_administrator_any_more_comes_back_by_no_link_made_before(served, roles, disabled, holds):
    number = served.people["site-admin"]
    with served.site.workspace.writing() as connection:
        secret = invite(connection, hospital=served.north, roles=[Role.SITE_ADMIN], by=number, now=served.clock())
        set_rights(connection, number, roles=roles, disabled_at=served.clock() if disabled else None)
    assert (served.anonymous().get(f"/invitation/{secret}").status_code == 200) is holds


def test_a_reader_of_another_hospital_cannot_be_told_from_who_asks_for_nothing(served):
    own = kept(served.browser("radiologist"), OWN)
    assert answers(served.browser("other-radiologist"), own) == {404}
    assert answers(served.anonymous(), own) == {401}
