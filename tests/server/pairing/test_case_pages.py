"""A published case is given to installations by whoever may grant it, and to nobody else."""

from __future__ import annotations

import pytest
from tests.server.cases.published import publish
from tests.server.examples import STUDY, prepare
from tests.server.pairing.asking import paired

from bingcheng.archive.authorisation import Role
from bingcheng.archive.cases.case import CaseStatus, set_status
from bingcheng.archive.pairing import bundles, case_exchange, offering, peers, transfers
from bingcheng.archive.pairing.bundles import BundleState
from bingcheng.archive.pairing.transfers import TransferState
from bingcheng.archive.people.person import make_person
from bingcheng.server.pairing.courier import Courier


@pytest.fixture
def case(served) -> int:
    prepare(served)
    return publish(served, STUDY)


def given(served, case: int):
    with served.site.workspace.reading() as connection:
        return bundles.given_of_case(connection, case)


def test_a_real_case_passes_the_last_gate_and_is_withdrawn_by_itself(served, case):
    south, east = paired(served), paired(served)
    browser = served.browser(Role.RADIOLOGIST)
    browser.headers["accept"] = "text/html"
    page = f"/cases/{case}/installations"
    assert browser.get(page).text.count('type="checkbox" name="to"') == 2
    assert browser.post(page, data={"to": [str(south.number)], "push": ""}).status_code == 303
    (bundle,) = given(served, case)
    assert (bundle.peer, bundle.state) == (south.number, BundleState.CHECKING)
    offering.check_bundle(served.site.objects, bundle)
    assert "being looked through" in browser.get(page).text
    browser.post(page, data={"to": [str(south.number)]})
    assert len(given(served, case)) == 1, "the same case is offered once"
    with served.site.workspace.writing() as connection:
        peers.revoke(connection, south.number, served.clock())  # so that nobody is called here
        set_status(connection, case, CaseStatus.WITHDRAWN, served.clock())
    courier = Courier(served.site, case_exchange)
    while courier.carry():
        pass
    assert given(served, case)[0].state is BundleState.WITHDRAWING
    assert east.number not in {one.peer for one in given(served, case)}


def test_only_a_published_case_is_given_and_only_to_paired_installations(served, case):
    south = paired(served, confirmed=False)
    browser = served.browser(Role.RADIOLOGIST)
    browser.headers["accept"] = "text/html"
    page = f"/cases/{case}/installations"
    assert "not paired with any other" in browser.get(page).text
    assert browser.post(page, data={"to": [str(south.number)]}).status_code == 400
    with served.site.workspace.writing() as connection:
        set_status(connection, case, CaseStatus.WITHDRAWN, served.clock())
    assert "Only a published case" in browser.get(page).text
    assert browser.post(page, data={"to": [str(paired(served).number)]}).status_code == 400
    assert given(served, case) == ()


def test_another_hospital_does_not_find_the_page(served, case):
    for who, status in (("other-radiologist", 404), ("technologist", 403), ("province", 403), ("operator", 403)):
        assert served.browser(who).get(f"/cases/{case}/installations").status_code == status, who


def test_who_gave_a_case_and_who_administers_the_hospital_stop_its_transfer(served, case):
    south, page = paired(served), f"/cases/{case}/installations"
    served.browser(Role.RADIOLOGIST).post(page, data={"to": [str(south.number)], "push": "true"})
    with served.site.workspace.reading() as connection:
        (sent,) = transfers.of_case(connection, case)
    assert sent.asked_by == served.people[Role.RADIOLOGIST]
    address = f"{page}/{sent.number}"

    def state() -> TransferState:
        with served.site.workspace.reading() as connection:
            return transfers.transfer(connection, sent.number).state

    for who in (Role.RADIOLOGIST, Role.SITE_ADMIN):
        browser = served.browser(who)
        browser.headers["accept"] = "text/html"
        stopped = browser.post(address, data={"step": "stop"})
        assert (stopped.status_code, state()) == (200, TransferState.STOPPED), who
        assert "What has passed is kept" in stopped.text
        assert "Go on" in stopped.text
        assert browser.post(address).status_code == 303
        assert state() is TransferState.WAITING, who
    with served.site.workspace.writing() as connection:
        other = make_person(
            connection,
            login="another",
            name="Another",
            hospital=served.north,
            roles=[Role.RADIOLOGIST],
            now=served.clock(),
        )
    served.people["another"] = other
    assert 'value="stop"' not in served.browser("another").get(page, headers={"accept": "text/html"}).text
    for who, status in (("another", 403), ("other-radiologist", 404), (Role.TECHNOLOGIST, 403), (Role.OPERATOR, 403)):
        assert served.browser(who).post(address, data={"step": "stop"}).status_code == status, who
    assert served.browser(Role.RADIOLOGIST).post(f"{page}/987654", data={"step": "stop"}).status_code == 404
    assert state() is TransferState.WAITING
