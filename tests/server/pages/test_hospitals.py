"""Hospitals and groups on their pages."""

from __future__ import annotations

import html
import re
from datetime import timedelta

from sqlalchemy import insert
from tests.archive.conftest import MONDAY, record
from tests.server.conftest import NOON

from bingcheng.archive.audit.trail import Asked, events
from bingcheng.archive.jobs.queue import latest
from bingcheng.archive.objects.tables import stored_study
from bingcheng.archive.people.hospital import hospital, hospital_of_site, hospitals
from bingcheng.archive.people.hospital_group import groups
from bingcheng.archive.store import save_exam
from bingcheng.dicom.exam import Patient


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


def test_the_operator_says_who_numbered_the_patients_and_takes_it_back(served):
    workspace = served.site.workspace
    stated = Patient(patient_id="K-1", issuer="BAIHE", name="Doe^Jane", birth_date="19610101")
    silent = Patient(patient_id="K-1", issuer=None, name="Doe^Jane", birth_date="19600101")
    for place, patient in enumerate((stated, silent)):
        made = record(f"1.2.{place}", site="North", patient=patient, performed_at=MONDAY + timedelta(days=place))
        save_exam(workspace, made)
    space = f"hospital/{served.north}"
    with workspace.writing() as connection:
        row = {"space": space, "study_uid": "1.2.1", "received_at": NOON, "changed_at": NOON}
        connection.execute(insert(stored_study), {**row, "patient_differs": False, "attributes": "{}"})
    former, now = workspace.pseudonym(silent, "North", "1.2.1"), workspace.pseudonym(stated, "North", "1.2.0")
    operator, reader = served.browser("operator"), served.browser("radiologist")
    address = f"/admin/hospitals/{served.north}"
    shown = operator.get(address).text
    assert "<strong>BAIHE</strong> · 1 exam" in shown
    assert "none stated · 1 exam" in shown
    assert operator.post(f"{address}/issuer", data={"issuer": "a\\b"}).status_code == 400
    page = operator.post(f"{address}/issuer", data={"issuer": "BAIHE"}).text
    assert "Exams that came to another patient: 1; patients that stood here more than once and are one now: 1." in page
    assert "The exams of 1 patient that is one now state different dates of birth." in page
    assert seen(served, latest, [space], ["1.2.1"]), "one exam is assessed again, and with it its new neighbours"
    for path in (f"/patient/{former}", f"/patient/{former}/lesions"):
        assert reader.get(path).headers["location"] == path.replace(former, now), "known by the former pseudonym too"
        assert served.browser("other-radiologist").get(path).status_code == 404
    both = reader.get(f"/patient/{now}").text
    assert "2 exams" in both
    assert "Exams of this patient state different dates of birth." in both
    where, values = form_of(page, "Undo")
    assert operator.post(where, data=values).status_code == 200
    assert seen(served, hospital, served.north).issuer == ""
    assert reader.get(f"/patient/{former}").status_code == 200
    with workspace.reading() as connection:
        changes = list(events(connection, Asked(hospital=served.north)))
    assert sum(one.event.subject == f"hospital/{served.north}" for one in changes) == 2, "set and taken back"


def test_an_administrator_reads_who_numbered_the_patients_and_asks_the_operator(served):
    admin, address = served.browser("site-admin"), f"/admin/hospitals/{served.north}"
    assert admin.post(f"{address}/issuer", data={"issuer": "SOUTH"}).status_code == 403
    assert "/issuer" not in admin.get(address).text
    assert "Numbers that name none stand by themselves." in admin.get(address).text
    served.browser("operator").post(f"{address}/issuer", data={"issuer": "<b>"})
    assert "read as of: &lt;b&gt;" in admin.get(address).text
