"""Several installations at once: one that is slow or gone holds up nobody else; the server's end ends all."""

from __future__ import annotations

import socket
import threading
import time
from contextlib import closing
from datetime import timedelta

import pytest
from tests.archive.pairing.making import Room, image
from tests.server.pairing.asking import paired

from bingcheng.archive.pairing import bundles, peers, transfers
from bingcheng.archive.pairing.bundles import BundleState
from bingcheng.archive.pairing.permission import Permission
from bingcheng.archive.pairing.transfers import Errand, TransferKind, TransferState
from bingcheng.server.pairing import client, courier
from bingcheng.server.pairing.courier import Courier
from bingcheng.server.pairing.offer_case import offer_case

IMAGES = [image(1)]


def until(holds, within_s: float = 15.0) -> None:
    end = time.monotonic() + within_s
    while not holds():
        assert time.monotonic() < end, "it did not come to that in time"
        time.sleep(0.02)


@pytest.fixture
def swallowing():
    """An address that accepts every connection and never says a word, as a firewall or a hung server does."""
    with closing(socket.create_server(("127.0.0.1", 0), backlog=16)) as one:
        yield f"https://127.0.0.1:{one.getsockname()[1]}"


@pytest.fixture
def refusing():
    """An address at which nobody listens."""
    with closing(socket.create_server(("127.0.0.1", 0))) as one:
        port = one.getsockname()[1]
    return f"https://127.0.0.1:{port}"


def at(served, address: str) -> int:
    """A paired installation with that address."""
    number = paired(served).number
    with served.site.workspace.writing() as connection:
        peers.change(connection, number, address=address, may=Permission)
    return number


def ask(served, number: int, kind=TransferKind.GREET, name="") -> int:
    with served.site.workspace.writing() as connection:
        return transfers.ask(connection, number, kind, served.clock(), name)


def found(served, number: int):
    with served.site.workspace.reading() as connection:
        return transfers.transfer(connection, number)


@pytest.fixture
def running(served):
    """A courier at work."""
    started = Courier(served.site, None, look_every_s=0.05)
    started.start()
    yield started
    started.stop()


def test_one_that_never_answers_holds_up_nobody_else(served, swallowing, refusing, running, monkeypatch):
    monkeypatch.setattr(client, "CONNECT_S", 8.0)  # a handshake without an answer takes so long
    slow = ask(served, at(served, swallowing))
    until(lambda: found(served, slow).state is TransferState.RUNNING)
    began = time.monotonic()
    others = [ask(served, at(served, refusing)) for _ in range(3)]
    until(lambda: all(found(served, one).reason is not None for one in others))
    assert time.monotonic() - began < 5
    assert found(served, slow).state is TransferState.RUNNING


def test_what_passes_with_one_installation_passes_one_after_the_other(served, swallowing, running):
    number = at(served, swallowing)
    first, second = ask(served, number), ask(served, number, TransferKind.LOOK)
    until(lambda: found(served, first).state is TransferState.RUNNING)
    time.sleep(0.3)
    assert found(served, second).state is TransferState.WAITING
    withdrawn = ask(served, number, TransferKind.WITHDRAW, "0" * 32)  # of a case that is unknown: nothing to do
    until(lambda: found(served, withdrawn).state is TransferState.DONE)
    assert found(served, first).state is TransferState.RUNNING


def test_at_the_end_of_the_server_nobody_is_waited_for_long(served, swallowing, monkeypatch):
    monkeypatch.setattr(courier, "STOP_WITHIN_S", 0.3)
    number = ask(served, at(served, swallowing))
    started = Courier(served.site, None, look_every_s=0.05)
    started.start()
    until(lambda: found(served, number).state is TransferState.RUNNING)
    began = time.monotonic()
    started.stop()
    assert time.monotonic() - began < 2
    Courier(served.site, None).start()  # what was under way goes on
    until(lambda: found(served, number).tries == 2)


def test_a_fault_in_one_errand_ends_no_other(served, running, monkeypatch, caplog):
    carried = threading.Event()

    def carry(self, errand: Errand | None = None) -> bool:
        if errand is not None and errand.peer == bad:
            raise ValueError("a fault")
        carried.set()
        return False

    bad, good = at(served, "https://a.example"), at(served, "https://b.example")
    monkeypatch.setattr(Courier, "carry", carry)
    ask(served, bad)
    ask(served, good)
    assert carried.wait(10)
    until(lambda: "a fault" in caplog.text)


def shown(served, number: int) -> str:
    operator = served.browser("operator")
    operator.headers["accept"] = "text/html"
    return operator.get(f"/admin/pairing/{number}").text


def test_an_offer_that_nobody_fetched_is_ended_by_itself_and_the_pages_say_when(serve):
    served = serve(pairing_offer_days=3)
    room = served.application.state.case_room = Room(first=501)
    number = paired(served).number
    case = room.publish(served.site.objects, IMAGES)
    offer_case(served.site, room, case, [number], push=False)

    def bundle():
        with served.site.workspace.reading() as connection:
            return bundles.given_of_case(connection, case)[0]

    assert bundle().until == served.clock() + timedelta(days=3)
    with served.site.workspace.writing() as connection:
        bundles.move(connection, bundle().number, BundleState.OFFERED, served.clock())
    assert "to be fetched until" in shown(served, number)
    served.clock.move(days=3)
    Courier(served.site, room).tidy()
    assert bundle().state is BundleState.EXPIRED
    assert "not fetched in time" in shown(served, number)


def test_an_offer_may_be_without_an_end(serve):
    served = serve(pairing_offer_days=0)
    room = Room(first=501)
    case = room.publish(served.site.objects, IMAGES)
    offer_case(served.site, room, case, [paired(served).number], push=False)
    with served.site.workspace.reading() as connection:
        assert bundles.given_of_case(connection, case)[0].until is None
