"""Peers that we call: the echo, and what goes wrong."""

from __future__ import annotations

import socket
import threading

import pytest
from pydicom.uid import CTImageStorage
from pynetdicom import AE, evt
from pynetdicom.sop_class import Verification
from tests.archive.dimse.making import EXPLICIT, IMPLICIT, SPACE, file_of, image, unit

from bingcheng.archive.dimse import pdus
from bingcheng.archive.dimse.calling import Caller, echo, opened
from bingcheng.archive.dimse.peers import Peer
from bingcheng.archive.dimse.sending import MOST_CONTEXTS, Sent, proposed, send
from bingcheng.archive.objects.received import Origin
from bingcheng.core.errors import RemoteError

US = Caller(ae_title="BINGCHENG", connect_s=2, idle_s=2, unit_s=2)


def at(port, title="ARCHIVE"):
    return Peer(ae_title=title, networks=(), space=SPACE, may=frozenset(), host="127.0.0.1", port=port)


@pytest.fixture
def answering():
    """A peer that answers the first unit with what it is given, and tells what it was sent."""
    stops = []

    def serve(*answers):
        listening = socket.create_server(("127.0.0.1", 0))

        def run():
            connected, _ = listening.accept()
            with connected:
                unit(connected)
                for one in answers:
                    connected.sendall(one)
                connected.settimeout(10)
                while unit(connected)[0]:
                    pass

        thread = threading.Thread(target=run, daemon=True)
        thread.start()
        stops.append((listening, thread))
        return listening.getsockname()[1]

    yield serve
    for listening, thread in stops:
        thread.join(10)
        listening.close()


def test_pynetdicom_answers_our_echo_and_knows_who_called():
    entity = AE(ae_title="ARCHIVE")
    entity.add_supported_context(Verification)
    entity.require_called_aet = True
    callers = []
    server = entity.start_server(
        ("127.0.0.1", 0),
        block=False,
        evt_handlers=[(evt.EVT_C_ECHO, lambda event: callers.append(event.assoc.requestor.ae_title) or 0x0000)],
    )
    try:
        echo(US, at(server.socket.getsockname()[1]))
        with pytest.raises(RemoteError) as raised:
            echo(US, at(server.socket.getsockname()[1], "OTHER"))
    finally:
        server.shutdown()
    assert callers == ["BINGCHENG"]
    assert raised.value.code == "archive.not-admitted"
    assert raised.value.reason.facts["reason"] == 7


def test_a_service_that_is_not_offered_is_said():
    entity = AE(ae_title="ARCHIVE")
    entity.add_supported_context(CTImageStorage)
    server = entity.start_server(("127.0.0.1", 0), block=False)
    try:
        with pytest.raises(RemoteError, match=r"archive\.not-offered"):
            echo(US, at(server.socket.getsockname()[1]))
    finally:
        server.shutdown()


def test_nobody_there_is_said():
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    with pytest.raises(RemoteError, match=r"archive\.no-answer"):
        echo(US, at(port))


@pytest.mark.parametrize(
    "answer",
    [
        b"",
        b"HTTP/1.1 400 Bad Request\r\n\r\n",
        pdus.HEAD.pack(pdus.ACCEPT, 0xFFFFFFFF),
        pdus.HEAD.pack(pdus.ACCEPT, 100) + bytes(100),
        pdus.HEAD.pack(pdus.ACCEPT, 100) + bytes(10),
        pdus.abort(by_provider=True),
        pdus.HEAD.pack(pdus.REJECT, 0),
    ],
)
def test_an_answer_that_is_none_breaks_off(answering, answer):
    with pytest.raises(RemoteError, match=r"archive\.association-broken"):
        echo(Caller(ae_title="BINGCHENG", idle_s=0.5, unit_s=0.5), at(answering(answer)))


def test_objects_are_sent_and_progress_is_told(workspace, objects):
    entity = AE(ae_title="ARCHIVE")
    entity.add_supported_context(CTImageStorage, EXPLICIT)
    got, steps = [], []
    server = entity.start_server(
        ("127.0.0.1", 0),
        block=False,
        evt_handlers=[(evt.EVT_C_STORE, lambda event: got.append(event.dataset.SOPInstanceUID) or 0x0000)],
    )
    for number in (1, 2, 3):
        objects.receive(file_of(image(number=number)), space=SPACE, origin=Origin(kind="import", peer="test"))
    instances = objects.instances_of((SPACE,), "1.2.3.1", None)
    try:
        last = send(US, at(server.socket.getsockname()[1]), objects, instances, steps.append)
    finally:
        server.shutdown()
    assert got == [one.sop_uid for one in instances]
    assert last == Sent(completed=3, taken=instances[-1]) == steps[-1]
    assert [one.taken for one in steps] == instances
    assert [one.remaining for one in steps] == [2, 1, 0]


def test_what_is_not_sent_before_the_peer_breaks_off_has_failed(workspace, objects):
    entity = AE(ae_title="ARCHIVE")
    entity.add_supported_context(CTImageStorage, EXPLICIT)
    got = []

    def breaks(event):
        got.append(event)
        if len(got) == 2:
            event.assoc.abort()
        return 0x0000

    server = entity.start_server(("127.0.0.1", 0), block=False, evt_handlers=[(evt.EVT_C_STORE, breaks)])
    for number in (1, 2, 3):
        objects.receive(file_of(image(number=number)), space=SPACE, origin=Origin(kind="import", peer="test"))
    try:
        last = send(US, at(server.socket.getsockname()[1]), objects, objects.instances_of((SPACE,), "1.2.3.1", None))
    finally:
        server.shutdown()
    assert (last.completed, last.failed) == (1, ("1.2.3.1.1.2", "1.2.3.1.1.3"))


def test_contexts_ask_for_the_stored_syntax_first_and_for_a_way_out(objects):
    jpeg = "1.2.840.10008.1.2.4.70"
    for number, syntax in ((1, EXPLICIT), (2, IMPLICIT)):
        objects.receive(
            file_of(image(number=number, syntax=syntax)), space=SPACE, origin=Origin(kind="import", peer="test")
        )
    first, second = objects.instances_of((SPACE,), "1.2.3.1", None)
    assert proposed([first]) == [(CTImageStorage, [EXPLICIT]), (CTImageStorage, [IMPLICIT])]
    assert proposed([first, second]) == [(CTImageStorage, [EXPLICIT]), (CTImageStorage, [IMPLICIT])]
    assert jpeg not in str(proposed([first]))
    assert MOST_CONTEXTS == 128


def test_an_association_that_is_refused_all_contexts_is_given_back(answering):
    with pytest.raises(RemoteError):
        opened(US, at(answering(pdus.reject(*pdus.LIMIT_EXCEEDED))), [(CTImageStorage, [EXPLICIT])])
