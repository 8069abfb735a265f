"""The operator's pages: the card is taken, the fingerprint typed, what may pass is ticked, and the end is one click."""

from __future__ import annotations

import re

import pytest
from tests.server.pairing.asking import paired

from bingcheng.archive.authorisation import Role
from bingcheng.archive.pairing import peers, received_numbers, transfers
from bingcheng.archive.pairing.card import PairingCard
from bingcheng.archive.pairing.fingerprint import fingerprint
from bingcheng.archive.pairing.key import InstallationKey
from bingcheng.archive.pairing.numbers import HospitalNumbers, NumbersDocument, counts
from bingcheng.archive.pairing.permission import Permission
from bingcheng.archive.pairing.transfers import Errand, TransferKind, TransferState
from bingcheng.core.wording import text

SOUTH = InstallationKey.new()
CARD = PairingCard(name="<b>South</b>", address="https://south.example", public=SOUTH.public)
LIST = "/admin/pairing"


@pytest.fixture
def operator(served):
    browser = served.browser(Role.OPERATOR)
    browser.headers["accept"] = "text/html"
    return browser


def peer(served, number=1):
    with served.site.workspace.reading() as connection:
        return peers.peer(connection, number)


def take(operator, card=CARD, key=SOUTH):
    return operator.post(LIST, data={"card": card.as_text(key)})


def test_the_list_shows_the_card_and_what_to_do(served, operator):
    shown = operator.get(LIST)
    here = InstallationKey.of(served.site.workspace.folder)
    assert shown.status_code == 200
    assert "Not paired with any installation yet." in shown.text
    assert fingerprint(here.public) in shown.text
    assert "not reached by https yet" in shown.text, "the test's address has no certificate"
    operator.post(f"{LIST}/name", data={"name": "North <i>Province</i>"})
    shown = operator.get(LIST)
    assert "<i>" not in shown.text


def test_a_card_is_taken_and_confirmed_by_the_fingerprint_that_was_heard(served, operator):
    answer = take(operator)
    assert (answer.status_code, answer.headers["location"]) == (303, f"{LIST}/1")
    shown = operator.get(f"{LIST}/1").text
    assert "<b>South" not in shown
    assert fingerprint(SOUTH.public) not in shown, "it is to be heard, not copied from the page"
    wrong = operator.post(f"{LIST}/1/confirm", data={"typed": fingerprint(InstallationKey.new().public)})
    assert wrong.status_code == 400
    assert not peer(served).active
    right = operator.post(f"{LIST}/1/confirm", data={"typed": fingerprint(SOUTH.public).replace(" ", "")})
    assert right.status_code == 303
    found = peer(served)
    assert (found.active, found.confirmed_by, found.may) == (True, served.people["operator"], frozenset())
    assert fingerprint(SOUTH.public) in operator.get(f"{LIST}/1").text
    with served.site.workspace.reading() as connection:
        assert transfers.transfers_of(connection)[0].kind is TransferKind.GREET


@pytest.mark.parametrize("card", ["", "nonsense", CARD.as_text(InstallationKey.new())])
def test_a_wrong_card_is_refused_with_a_reason(operator, card):
    answer = operator.post(LIST, data={"card": card})
    assert answer.status_code == 400
    assert "no pairing card" in answer.text


def test_what_it_may_is_ticked(served, operator):
    take(operator)
    data = {
        "address": "https://south.example:8443/",
        "may": ["push-cases", "pull-statistics"],
        "pin": "AB:" * 31 + "AB",
        "hospital": str(served.south),
    }
    assert operator.post(f"{LIST}/1", data=data).status_code == 303
    found = peer(served)
    assert found.address == "https://south.example:8443"
    assert found.may == {Permission.PUSH_CASES, Permission.PULL_STATISTICS}
    assert (found.pin, found.hospital) == ("ab" * 32, served.south)
    operator.post(f"{LIST}/1", data={"address": "https://south.example"})
    assert peer(served).may == frozenset(), "what is not ticked is not allowed"
    assert operator.post(f"{LIST}/1", data={"address": "http://south.example"}).status_code == 400
    assert operator.post(f"{LIST}/1", data={"address": "https://x", "may": ["everything"]}).status_code == 422


def test_cases_are_let_in_only_with_a_hospital_that_receives_them_and_what_was_written_stays(served, operator):
    take(operator)
    written = {"address": "https://south.example:8443", "may": ["push-cases", "pull-statistics"], "pin": "ab" * 32}
    answer = operator.post(f"{LIST}/1", data=written)
    assert answer.status_code == 400
    assert "no hospital of this installation receives" in answer.text.lower()
    assert peer(served).may == frozenset()
    assert 'value="https://south.example:8443"' in answer.text
    assert f'value="{"ab" * 32}"' in answer.text
    assert set(re.findall('name="may" value="([^"]+)" checked', answer.text)) == set(written["may"])


def test_revoking_is_asked_for_twice_and_its_end_is_said_before(served, operator):
    south = paired(served)
    shown = operator.get(f"{LIST}/{south.number}").text
    form = re.search('<details class="removal">(.*?/revoke".*?)</details>', shown, re.DOTALL)
    assert "to pair again the other side needs a new key" in form.group(1)
    assert shown.count(f'action="{LIST}/{south.number}/revoke"') == 1


def test_a_revoked_pairing_can_do_nothing_and_is_asked_nothing(served, operator):
    south = paired(served)
    operator.post(f"{LIST}/{south.number}/ask", data={"kind": "look"})
    assert operator.post(f"{LIST}/{south.number}/revoke").status_code == 303
    with served.site.workspace.reading() as connection:
        assert transfers.transfers_of(connection)[0].state is TransferState.FAILED
    assert operator.post(f"{LIST}/{south.number}/ask", data={"kind": "look"}).status_code == 400
    shown = operator.get(f"{LIST}/{south.number}").text
    assert "Nothing passes any more." in shown
    assert "Revoke the pairing" not in shown


def test_only_what_a_person_may_ask_for_is_asked_for(served, operator):
    south = paired(served)
    for kind in TransferKind:
        answer = operator.post(f"{LIST}/{south.number}/ask", data={"kind": kind.value})
        askable = kind in {"greet", "look", "push-numbers", "pull-numbers"}
        assert answer.status_code == (303 if askable else 404), kind


def test_the_queue_is_shown_and_tried_again(served, operator):
    south, other = paired(served), paired(served)
    operator.post(f"{LIST}/{south.number}/ask", data={"kind": "pull-numbers"})
    with served.site.workspace.writing() as connection:
        taken = transfers.take(connection, served.clock())
        transfers.fail(connection, taken, text("the network <b>is</b> away"), served.clock(), again=False)
    shown = operator.get(f"{LIST}/{south.number}").text
    assert "the network &lt;b&gt;is" in shown
    assert operator.post(f"{LIST}/{other.number}/transfers/{taken.number}").status_code == 404
    assert operator.post(f"{LIST}/{south.number}/transfers/{taken.number}").status_code == 303
    with served.site.workspace.reading() as connection:
        assert transfers.transfer(connection, taken.number).state is TransferState.WAITING


def test_a_transfer_is_stopped_and_goes_on_but_a_withdrawal_is_not_stopped(served, operator):
    south, other = paired(served), paired(served)
    address = f"{LIST}/{south.number}"
    with served.site.workspace.writing() as connection:
        sent = transfers.ask(connection, south.number, TransferKind.PUSH, served.clock(), "a" * 32)
        withdrawn = transfers.ask(connection, south.number, TransferKind.WITHDRAW, served.clock(), "b" * 32)
        taken = transfers.take(connection, served.clock(), Errand(south.number, False))
    stop = {"step": "stop"}
    assert operator.post(f"{LIST}/{other.number}/transfers/{sent}", data=stop).status_code == 404
    shown = operator.post(f"{address}/transfers/{sent}", data=stop)
    assert shown.status_code == 200
    assert "What has passed is kept" in shown.text
    assert f'action="{address}/transfers/{sent}"' in shown.text.partition("Undo")[0]
    with served.site.workspace.writing() as connection:
        assert not transfers.tell(connection, sent, 5, 9), "whoever carries it is told"
        transfers.fail(connection, taken, text("the network is away"), served.clock(), again=True)
        assert transfers.transfer(connection, sent).state is TransferState.STOPPED
        assert transfers.due(connection, served.clock()) == (Errand(south.number, True),)
    operator.post(f"{address}/transfers/{withdrawn}", data=stop)
    operator.post(f"{address}/transfers/{sent}")
    with served.site.workspace.writing() as connection:
        queue = {one.number: one for one in transfers.transfers_of(connection)}
        assert (queue[sent].state, queue[sent].done, queue[sent].tries) == (TransferState.WAITING, 5, 0)
        assert queue[withdrawn].state is TransferState.WAITING
        transfers.stop(connection, sent, served.clock())
        transfers.drop(connection, south.number, served.clock(), text("withdrawn"), name="a" * 32)
        assert transfers.transfer(connection, sent).state is TransferState.FAILED, "withdrawn, it never goes on"


def test_numbers_that_came_are_shown_with_their_small_cells_hidden(served, operator):
    south = paired(served)
    document = NumbersDocument(
        format="bingcheng-numbers-1",
        origin=south.key.identifier,
        made_at="2026-03-02T12:00Z",
        hospitals=(HospitalNumbers(name="South <u>Hospital</u>", counts=counts(1234, 3, 0)),),
    )
    written = document.written()
    with served.site.workspace.writing() as connection:
        known = peers.peer(connection, south.number)
        signature = south.key.sign(received_numbers.PURPOSE + written)
        received_numbers.keep(connection, known, written, signature, served.clock())
    shown = operator.get(f"{LIST}/{south.number}").text
    assert "1235" in shown
    assert "1–4" in shown
    assert "2026-03-02 12:00" in shown
    assert "2026-03-02T" not in shown
    assert "<u>" not in shown


def test_pages_carry_no_script_or_style_of_their_own(served, operator):
    south = paired(served)
    for path in (LIST, f"{LIST}/{south.number}"):
        shown = operator.get(path).text
        assert not re.search(r"<script(?![^>]*\bsrc=)|\son\w+=|style=", shown)


def test_what_does_not_exist_is_not_found(operator):
    assert operator.get(f"{LIST}/987654").status_code == 404
    assert operator.post(f"{LIST}/987654/revoke").status_code == 404
