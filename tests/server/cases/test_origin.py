"""A case of another installation: read, discussed and given here, but written only where it came from."""

from __future__ import annotations

import csv
import io

import pytest
from sqlalchemy import insert
from tests.server.cases.published import publish
from tests.server.examples import STUDY, prepare

from bingcheng.archive.cases.case import CaseStatus, case, set_status
from bingcheng.archive.pairing import bundles, tables
from bingcheng.archive.pairing.bundles import BundleState
from bingcheng.archive.people.hospital import hospital
from bingcheng.archive.people.person import person

HTML = {"accept": "text/html"}


@pytest.fixture
def imported(served):
    """A published case that came from elsewhere, and the number of its bundle."""
    prepare(served)
    number, now = publish(served, STUDY), served.clock()
    row = {
        "keyid": "ab" * 16,
        "public": b"\1" * 32,
        "name": "Far Province",
        "address": "https://far.example",
        "authority": "",
        "pin": "",
        "may": "",
        "allows": "",
        "made_at": now,
    }
    with served.site.workspace.writing() as connection:
        peer = connection.execute(insert(tables.peer).returning(tables.peer.c.id), row).scalar_one()
        state = BundleState.COMPLETE
        bundle = bundles.add(
            connection, peer=peer, incoming=True, name="0" * 32, state=state, now=now, manifest=b"{}", case=number
        )
    return served, number, bundle


def status(served, number):
    with served.site.workspace.reading() as connection:
        return case(connection, number).status


def test_its_page_says_where_it_came_from_and_offers_no_writing(imported):
    served, number, _ = imported
    page = served.browser("radiologist").get(f"/cases/{number}", headers=HTML).text
    assert "Far Province" in page
    for path in ("edit", "preview", "installations"):
        assert f'"/cases/{number}/{path}"' not in page
    assert f'"/cases/{number}/grants"' in page
    assert f'action="/cases/{number}/comments"' in page


def test_lists_name_where_it_came_from_and_nobody_here_as_its_author(imported):
    served, number, _ = imported
    client = served.browser("radiologist")
    own = publish(served, STUDY)
    client.post(f"/cases/{number}/reading", data={"step": "keep"})
    with served.site.workspace.reading() as connection:
        here = hospital(connection, case(connection, number).hospital).name
        author = person(connection, case(connection, number).author).name
    entries = {
        path: client.get(path, headers=HTML).text.split(f'<a href="/cases/{number}"')[1].partition("</li>")[0]
        for path in ("/cases", "/reading")
    }
    for entry in entries.values():
        assert "Far Province" in entry
        assert here not in entry
        assert author not in entry
    rows = csv.DictReader(io.StringIO(client.get("/exports/cases.csv").content.decode("utf-8-sig")))
    listed = {row["case"]: row["hospital"] for row in rows}
    assert listed == {str(number): "Far Province", str(own): here}


@pytest.mark.parametrize(
    ("method", "path", "sent"),
    [
        ("GET", "edit", {}),
        ("POST", "edit", {"title": "Other"}),
        ("POST", "prepare", {}),
        ("POST", "restore", {"version": "1"}),
        ("POST", "pictures", {"sop_uid": "1.2", "decision": "show"}),
        ("POST", "key-images", {"series": "1.2", "image": "1"}),
    ],
)
def test_who_tries_to_write_it_is_told_why_not(imported, method, path, sent):
    served, number, _ = imported
    answer = served.browser("radiologist").request(method, f"/cases/{number}/{path}", data=sent, headers=HTML)
    assert answer.status_code == 400
    assert "came from another installation (Far Province)" in answer.text
    with served.site.workspace.reading() as connection:
        assert case(connection, number).version == 1


def test_it_is_shut_and_opened_here_but_not_once_it_was_withdrawn_there(imported):
    served, number, bundle = imported
    client = served.browser("radiologist")
    assert client.post(f"/cases/{number}/withdraw").status_code == 303
    assert client.post(f"/cases/{number}/publish").status_code == 303
    assert status(served, number) is CaseStatus.PUBLISHED
    with served.site.workspace.writing() as connection:
        bundles.move(connection, bundle, BundleState.WITHDRAWN, served.clock())
        set_status(connection, number, CaseStatus.WITHDRAWN, served.clock())
    answer = client.post(f"/cases/{number}/publish", headers=HTML)
    assert answer.status_code == 400
    assert "withdrew it" in answer.text
    assert status(served, number) is CaseStatus.WITHDRAWN
    assert "withdrawn" in client.get(f"/cases/{number}", headers=HTML).text


def test_a_case_of_our_own_leads_to_the_other_installations(served):
    prepare(served)
    number = publish(served, STUDY)
    page = served.browser("radiologist").get(f"/cases/{number}", headers=HTML).text
    assert f'"/cases/{number}/installations"' in page
    assert f'"/cases/{number}/edit"' in page
