"""People of a hospital: who may invite, change and reset whom."""

from __future__ import annotations

import re

import pytest
from tests.server.direct import ADDRESS
from tests.server.pages.test_hospitals import form_of

from bingcheng.archive.authorisation import Role
from bingcheng.archive.people.person import make_person, person
from bingcheng.archive.people.sign_in import sign_in


def known(served, who):
    with served.site.workspace.reading() as connection:
        return person(connection, served.people[who])


def link_in(answer) -> str:
    return re.search(f"{ADDRESS}(/invitation/[\\w-]+)", answer.text).group(1)


def test_who_is_invited_belongs_to_the_administrators_hospital_whatever_the_form_says(served):
    admin = served.browser("site-admin")
    answer = admin.post("/admin/people/invite", data={"role": ["radiologist"], "hospital": str(served.south)})
    client = served.anonymous()
    page = client.get(link_in(answer))
    assert "North Hospital" in page.text
    token = re.search('name="csrf" value="(\\w+)"', page.text).group(1)
    given = {"login": "new.one", "name": "New", "password": "four words and more", "csrf": token}
    assert client.post(link_in(answer), data={**given, "role": "site-admin"}).status_code == 303
    assert client.get("/api/me").json()["hospital"] == served.north
    assert client.get("/api/me").json()["roles"] == ["radiologist"]


@pytest.mark.parametrize(
    ("who", "roles", "status"),
    [
        ("site-admin", ["province"], 403),
        ("site-admin", ["operator"], 403),
        ("site-admin", ["guest", "operator"], 403),
        ("site-admin", [], 400),
        ("site-admin", ["nonsense"], 400),
        ("operator", ["radiologist"], 403),
        ("operator", ["province"], 200),
        ("operator", ["site-admin"], 404),
        ("operator", ["site-admin", "province"], 400),
    ],
)
def test_roles_that_one_can_not_give_are_refused(served, who, roles, status):
    assert served.browser(who).post("/admin/people/invite", data={"role": roles}).status_code == status


def test_the_operator_says_which_hospital_an_administrator_is_for(served):
    operator = served.browser("operator")
    for hospital, status in ((str(served.south), 200), ("99", 404), ("x", 404)):
        answer = operator.post("/admin/people/invite", data={"role": ["site-admin"], "hospital": hospital})
        assert answer.status_code == status
    page = operator.get("/admin/people").text
    assert page.count('action="/admin/people/withdraw"') == 1


def test_an_invitation_is_withdrawn_by_its_hospital_only(served):
    admin = served.browser("site-admin")
    link = link_in(admin.post("/admin/people/invite", data={"role": ["guest"]}))
    digest = re.search(r'name="invitation" value="(\w+)"', admin.get("/admin/people").text).group(1)
    served.browser("other-site-admin").post("/admin/people/withdraw", data={"invitation": digest})
    assert served.anonymous().get(link).status_code == 200
    admin.post("/admin/people/withdraw", data={"invitation": digest})
    assert served.anonymous().get(link).status_code == 404


def test_roles_are_changed_and_those_of_others_are_kept(served):
    operator, number = served.browser("operator"), served.people["radiologist"]
    assert operator.post(f"/admin/people/{number}", data={"role": ["site-admin"]}).status_code == 200
    assert known(served, "radiologist").roles == {Role.RADIOLOGIST, Role.SITE_ADMIN}
    admin = served.browser("site-admin")
    assert admin.post(f"/admin/people/{number}", data={"role": ["guest"]}).status_code == 200
    assert known(served, "radiologist").roles == {Role.GUEST}
    assert admin.post(f"/admin/people/{number}", data={"role": ["operator"]}).status_code == 403
    assert admin.post(f"/admin/people/{number}", data={}).status_code == 400, "nobody is without a role"


def test_changed_roles_are_given_back_on_the_page_that_says_so(served):
    operator, admin, number = served.browser("operator"), served.browser("site-admin"), served.people["radiologist"]
    operator.post(f"/admin/people/{number}", data={"role": ["site-admin"]})
    page = admin.post(f"/admin/people/{number}", data={"role": ["guest"]}).text
    assert "The roles of Radiologist were changed." in page
    where, values = form_of(page, "Undo")
    assert admin.post(where, data=values).status_code == 200
    assert known(served, "radiologist").roles == {Role.RADIOLOGIST, Role.SITE_ADMIN}


def test_a_shut_account_lost_its_tokens_and_so_has_no_way_back_by_a_button(served):
    given = {"role": ["guest"], "disabled": "true"}
    page = served.browser("site-admin").post(f"/admin/people/{served.people['technologist']}", data=given).text
    assert "Undo" not in page


def test_an_account_is_shut_and_its_sessions_end(served):
    client, number = served.browser("technologist"), served.people["technologist"]
    given = {"role": ["technologist"], "disabled": "true"}
    assert served.browser("site-admin").post(f"/admin/people/{number}", data=given).status_code == 200
    assert client.get("/api/me").status_code == 401


def test_a_new_password_by_a_link_that_is_shown_once(served):
    admin, number = served.browser("site-admin"), served.people["technologist"]
    link = link_in(admin.post(f"/admin/people/{number}/reset"))
    client = served.anonymous()
    page = client.get(link).text
    assert "technologist" in page
    token = re.search('name="csrf" value="(\\w+)"', page).group(1)
    assert client.post(link, data={"password": "technologist 12345", "csrf": token}).status_code == 400
    assert client.post(link, data={"password": "four words and more", "csrf": token}).status_code == 303
    assert sign_in(
        served.site.workspace,
        served.site.passwords,
        login="technologist",
        password="four words and more",  # noqa: S106
        address="",
        program="",
        now=served.clock(),
    )


@pytest.mark.parametrize(
    ("who", "whose", "status"),
    [
        ("operator", "radiologist", 403),
        ("operator", "site-admin", 200),
        ("site-admin", "other-technologist", 404),
        ("site-admin", "operator", 404),
        ("site-admin", "province", 404),
        ("other-site-admin", "site-admin", 404),
    ],
)
def test_nobody_gets_by_a_password_what_could_not_be_given(served, who, whose, status):
    assert served.browser(who).post(f"/admin/people/{served.people[whose]}/reset").status_code == status


def test_a_person_with_more_roles_than_one_can_give_is_not_reset(served):
    with served.site.workspace.writing() as connection:
        both = make_person(
            connection,
            login="both",
            name="Both",
            hospital=served.north,
            roles=[Role.SITE_ADMIN, Role.RADIOLOGIST],
            now=served.clock(),
        )
    assert served.browser("operator").post(f"/admin/people/{both}/reset").status_code == 403


def test_the_last_operator_can_not_shut_the_door_behind_itself(served):
    operator, number = served.browser("operator"), served.people["operator"]
    answer = operator.post(f"/admin/people/{number}", data={"role": ["province"]})
    assert (answer.status_code, "nobody could manage" in answer.text) == (400, True)


def test_somebody_is_signed_out_by_the_administrator(served):
    client, number = served.browser("technologist"), served.people["technologist"]
    assert served.browser("site-admin").post(f"/admin/people/{number}/sign-out").status_code == 303
    assert client.get("/api/me").status_code == 401


def test_an_administrator_lists_the_own_people_only(served):
    page = served.browser("site-admin").get("/admin/people").text
    assert "technologist" in page
    assert "other-" not in page
    assert "other-technologist" in served.browser("operator").get("/admin/people").text


def test_the_language_is_not_changed_over_a_link_that_is_shown_once(served):
    admin = served.browser("site-admin")
    form = re.compile('<form[^>]*action="/preferences"[^>]*>')
    answer = admin.post("/admin/people/invite", data={"role": ["guest"]})
    assert link_in(answer)
    assert 'target="_blank"' in form.search(answer.text).group()
    assert 'target="_blank"' not in form.search(admin.get("/admin/people").text).group(), "an address is shown again"
