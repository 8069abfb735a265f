"""Hospitals and groups on their pages."""

from __future__ import annotations

import html
import re

from bingcheng.archive.people.hospital import hospital, hospital_of_site, hospitals
from bingcheng.archive.people.hospital_group import groups


def form_of(page: str, button: str) -> tuple[str, dict[str, list[str]]]:
    """The address and the values of the form that a button sends."""
    (form,) = (one for one in re.findall(r"<form.*?</form>", page, re.DOTALL) if f">{button}</button>" in one)
    values: dict[str, list[str]] = {}
    for name, value in re.findall(r'<input type="hidden" name="(\w+)" value="([^"]*)"', form):
        values.setdefault(name, []).append(html.unescape(value))
    return re.search(r'action="([^"]+)"', form).group(1), values


def seen(served, call, *arguments):
    with served.site.workspace.reading() as connection:
        return call(connection, *arguments)


def test_the_operator_makes_a_hospital_and_its_names(served):
    operator = served.browser("operator")
    answer = operator.post("/admin/hospitals", data={"name": "<i>West</i>", "code": "W"})
    address = answer.headers["location"]
    number = int(address.rpartition("/")[2])
    operator.post(f"{address}/spellings", data={"spelling": "West Campus"})
    assert seen(served, hospital_of_site, "WEST campus") == number
    assert "&lt;i&gt;West" in operator.get("/admin/hospitals").text
    assert operator.post(f"{address}/spellings", data={"spelling": "north"}).status_code == 400
    page = operator.post(f"{address}/spellings", data={"spelling": "West Campus", "remove": "true"}).text
    assert seen(served, hospital_of_site, "West Campus") is None
    assert "Undo" in page
    where, values = form_of(page, "Undo")
    assert operator.post(where, data=values).status_code == 303
    assert seen(served, hospital_of_site, "West Campus") == number
    assert operator.post("/admin/hospitals", data={"name": "X", "code": "w"}).status_code == 400


def test_a_hospital_can_not_claim_the_exams_of_another(served):
    admin = served.browser("site-admin")
    address = f"/admin/hospitals/{served.north}"
    assert admin.post(f"{address}/spellings", data={"spelling": "South"}).status_code == 403
    assert "/spellings" not in admin.get(address).text


def test_an_administrator_sees_and_changes_the_own_hospital_only(served):
    admin = served.browser("site-admin")
    assert admin.get("/admin/hospitals").headers["location"] == f"/admin/hospitals/{served.north}"
    changed = {"name": "New North", "emergency": "true", "disabled": "true"}
    assert admin.post(f"/admin/hospitals/{served.north}", data=changed).status_code == 303
    found = seen(served, hospital, served.north)
    assert (found.name, found.emergency, found.disabled) == ("New North", True, False)
    assert admin.post(f"/admin/hospitals/{served.south}", data=changed).status_code == 404
    assert admin.get(f"/admin/hospitals/{served.south}").status_code == 404
    assert seen(served, hospital, served.south).name == "South Hospital"


def test_the_operator_shuts_a_hospital(served):
    client, operator = served.browser("radiologist"), served.browser("operator")
    operator.post(f"/admin/hospitals/{served.north}", data={"name": "North", "disabled": "true"})
    assert client.get("/api/me").status_code == 401
    operator.post(f"/admin/hospitals/{served.north}", data={"name": "North"})
    assert client.get("/api/me").status_code == 200


def test_groups_are_made_of_hospitals_that_exist(served):
    operator = served.browser("operator")
    members = [str(served.north), "99"]
    assert operator.post("/admin/groups", data={"name": "East", "member": members}).status_code == 303
    (made,) = seen(served, groups)
    assert made.members == {served.north}
    assert operator.post("/admin/groups", data={"name": "East"}).status_code == 400
    page = operator.get("/admin/hospitals").text
    assert "stays so if a group of this name is made again" in page, "what can't be undone is said before"
    operator.post(f"/admin/groups/{made.number}/remove")
    assert seen(served, groups) == ()
    assert len(seen(served, hospitals)) == 2
