"""Callers that mean no good, or can't help it: the listener goes on, and nobody waits for them."""

from __future__ import annotations

import resource
import socket
import threading
import time

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pydicom.uid import CTImageStorage
from tests.archive.dimse.making import EXPLICIT, SPACE, data_set_of, echo_request, file_of, image, unit

from bingcheng.archive.dimse import pdus
from bingcheng.archive.dimse.calling import Caller, echo
from bingcheng.archive.dimse.commands import C_STORE, encode
from bingcheng.archive.dimse.events import EventKind
from bingcheng.archive.dimse.limits import Limits
from bingcheng.archive.dimse.negotiation import request_for
from bingcheng.archive.dimse.peers import Peer
from bingcheng.archive.objects.query import Query

CALLER = Caller(ae_title="TESTER", idle_s=10)


def is_well(site):
    echo(
        CALLER,
        Peer(ae_title="BINGCHENG", networks=(), space=SPACE, may=frozenset(), host="127.0.0.1", port=site.port),
    )


def established(connect, site, syntax=EXPLICIT):
    connected = connect(site.port)
    connected.sendall(request_for("BINGCHENG", "TESTER", [(CTImageStorage, [syntax])]))
    assert unit(connected)[0] == pdus.ACCEPT
    return connected


def store_command(uid="1.2.3.1.1.1"):
    return encode(
        {
            "CommandField": C_STORE,
            "MessageID": 1,
            "Priority": 0,
            "CommandDataSetType": 1,
            "AffectedSOPClassUID": CTImageStorage,
            "AffectedSOPInstanceUID": uid,
        }
    )


def aborted(connected):
    """Whether the other side ends the association, with an abort or at once."""
    kind, _ = unit(connected)
    return kind in (0, pdus.ABORT)


@pytest.mark.slow
def test_a_thousand_associations_at_once_are_served_or_told_the_limit(listening):
    site = listening(limits=Limits(associations=20, waiting=1200))
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(max(soft, 4096), hard), hard))
    request, answers = echo_request(), []
    connections = []
    for _ in range(1000):
        one = socket.create_connection(("127.0.0.1", site.port), timeout=30)
        one.sendall(request)
        connections.append(one)
    for one in connections:
        kind, body = unit(one)
        answers.append("accepted" if kind == pdus.ACCEPT else tuple(body[1:]))
    assert answers.count("accepted") == 20
    assert answers.count(pdus.LIMIT_EXCEEDED) == 980
    assert threading.active_count() < 60
    for one in connections:
        one.close()
    until = time.monotonic() + 10
    while site.listener.associations and time.monotonic() < until:
        time.sleep(0.01)
    is_well(site)
    resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


def test_silent_and_half_open_connections_take_no_thread_and_go_in_time(listening, connect):
    site = listening(limits=Limits(request_s=1.0, waiting=300))
    before = threading.active_count()
    half = [connect(site.port) for _ in range(200)]
    for place, one in enumerate(half):
        one.sendall(echo_request()[: place % 100])
    is_well(site)
    assert threading.active_count() <= before + 1
    began = time.monotonic()
    assert all(unit(one)[0] in (0, pdus.ABORT) for one in half)
    assert time.monotonic() - began < 5


def test_when_too_many_wait_the_oldest_goes(listening, connect):
    site = listening(limits=Limits(request_s=30.0, waiting=10))
    first = connect(site.port)
    for _ in range(12):
        connect(site.port)
    assert first.recv(1) == b""
    is_well(site)


def test_a_byte_at_a_time_ends_when_the_time_of_a_unit_is_over(listening, connect, eventually):
    site = listening(limits=Limits(unit_s=0.5, idle_s=0.4))
    connected = established(connect, site)
    unit_bytes = pdus.data_head(100_000, 1, 0) + bytes(100)
    began = time.monotonic()
    for byte in unit_bytes:
        try:
            connected.send(bytes((byte,)))
        except OSError:
            break
        time.sleep(0.05)
        if site.listener.associations == 0:
            break
    eventually(lambda: site.listener.associations == 0)
    assert time.monotonic() - began < 3
    assert site.of(EventKind.ABORTED)[0].code == "slow"


def test_a_peer_that_falls_silent_is_let_go(listening, connect, eventually):
    site = listening(limits=Limits(idle_s=0.3))
    connected = established(connect, site)
    assert aborted(connected)
    eventually(lambda: site.listener.associations == 0)


@pytest.mark.parametrize(
    "sent",
    [
        b"GET / HTTP/1.1\r\nHost: pacs\r\n\r\n",
        bytes(100),
        b"\xff" * 100,
        pdus.HEAD.pack(pdus.REQUEST, 0xFFFFFFFF),
        pdus.HEAD.pack(pdus.REQUEST, 10) + bytes(10),
        pdus.data_head(10, 1, 3) + bytes(10),
        pdus.release_request(),
        pdus.abort(by_provider=False),
    ],
)
def test_what_is_no_request_ends_the_connection(listening, connect, sent):
    site = listening()
    connected = connect(site.port)
    connected.sendall(sent)
    assert aborted(connected)
    is_well(site)


@given(st.data())
@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_a_request_with_wrong_lengths_is_answered_or_ended(listening_once, data):
    site = listening_once
    request = bytearray(echo_request())
    for _ in range(data.draw(st.integers(1, 4))):
        request[data.draw(st.integers(74, len(request) - 1))] = data.draw(st.integers(0, 255))
    with socket.create_connection(("127.0.0.1", site.port), timeout=10) as connected:
        connected.sendall(request)
        assert unit(connected)[0] in (0, pdus.ACCEPT, pdus.REJECT, pdus.ABORT)


@pytest.fixture(scope="module")
def listening_once(tmp_path_factory):
    from bingcheng.archive.dimse.listener import Listener  # noqa: PLC0415
    from bingcheng.archive.dimse.peers import May, add_peer  # noqa: PLC0415
    from bingcheng.archive.objects.objects import Objects  # noqa: PLC0415
    from bingcheng.archive.workspace import Workspace  # noqa: PLC0415

    workspace = Workspace.open(tmp_path_factory.mktemp("attacked"))
    with workspace.writing() as connection:
        add_peer(connection, Peer(ae_title="TESTER", networks=("127.0.0.1",), space=SPACE, may=frozenset(May)))
    objects = Objects.open(workspace)
    with Listener(workspace, objects, port=0, limits=Limits(request_s=2, idle_s=2, unit_s=2)) as running:
        running.workspace = workspace
        yield running
    objects.close()
    workspace.close()


def value(piece, context=1, control=3):
    return pdus.VALUE_HEAD.pack(len(piece) + 2, context, control) + piece


@pytest.mark.parametrize(
    "sent",
    [
        pdus.HEAD.pack(pdus.DATA, 0xFFFFFFFF) + bytes(100),
        pdus.data_head(len(store_command()), 1, 3) + store_command() + pdus.data_head(2 << 20, 1, 2),
        pdus.HEAD.pack(pdus.DATA, 3) + bytes(3),
        pdus.HEAD.pack(pdus.DATA, 6) + pdus.VALUE_HEAD.pack(0, 1, 3),
        pdus.HEAD.pack(pdus.DATA, 6) + pdus.VALUE_HEAD.pack(0xFFFFFFFF, 1, 3),
        pdus.HEAD.pack(9, 4) + bytes(4),
        echo_request(),
        pdus.HEAD.pack(pdus.DATA, 16) + value(bytes(10)),
        pdus.HEAD.pack(pdus.DATA, 16) + value(bytes(10), control=0),
        pdus.HEAD.pack(pdus.DATA, 10)
        + value(b"\xff" * 4, control=1)
        + pdus.HEAD.pack(pdus.DATA, 20_006)
        + value(bytes(20_000)),
        pdus.data_head(len(store_command()), 3, 3) + store_command(),
        pdus.data_head(len(store_command()), 1, 3) + store_command() + pdus.data_head(4, 3, 2) + bytes(4),
        pdus.data_head(len(store_command()), 1, 3) + store_command() * 2,
    ],
    ids=range(13),
)
def test_violations_are_aborted(listening, connect, eventually, sent):
    site = listening(limits=Limits(idle_s=5))
    connected = established(connect, site)
    connected.sendall(sent)
    assert aborted(connected)
    eventually(lambda: site.listener.associations == 0)
    assert site.of(EventKind.ABORTED)[0].code == "violated"
    is_well(site)


def test_a_connection_that_breaks_in_the_middle_of_an_object_leaves_nothing(listening, connect, eventually):
    site = listening()
    data = data_set_of(file_of(image(size=256)))
    connected = established(connect, site)
    connected.sendall(pdus.data_head(len(store_command()), 1, 3) + store_command())
    connected.sendall(pdus.data_head(len(data), 1, 2) + data[: len(data) // 2])
    connected.close()
    eventually(lambda: site.listener.associations == 0)
    assert site.objects.studies(Query(), (SPACE,)) == []
    assert site.of(EventKind.ABORTED)[0].code == "lost"


def test_an_object_without_end_ends_its_association_and_is_not_kept(listening, connect, eventually):
    site = listening(limits=Limits(object_bytes=2_000_000))
    connected = established(connect, site)
    connected.sendall(pdus.data_head(len(store_command()), 1, 3) + store_command())
    piece = pdus.data_head(100_000, 1, 0) + bytes(100_000)
    with pytest.raises(OSError, match=r"reset|pipe"):
        connected.sendall(piece * 500)
    eventually(lambda: site.listener.associations == 0)
    assert sum(one.stat().st_size for one in site.workspace.folder.rglob("*") if one.is_file()) < 1_000_000
    is_well(site)
