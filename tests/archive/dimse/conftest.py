"""A listener with its store on a free port, and what calls it."""

from __future__ import annotations

import socket
import time
from contextlib import ExitStack, contextmanager

import pytest
from pynetdicom import AE
from tests.archive.dimse.making import SPACE, Site

from bingcheng.archive.dimse.listener import Listener
from bingcheng.archive.dimse.peers import May, Peer, add_peer
from bingcheng.archive.objects.objects import Objects


@pytest.fixture
def objects(workspace):
    opened = Objects.open(workspace)
    yield opened
    opened.close()


@pytest.fixture
def listening(workspace, objects):
    """Makes a listener; with none of `peers` given, TESTER on this machine may do all."""
    with ExitStack() as stack:

        def start(*peers, **settings) -> Site:
            everything = Peer(ae_title="TESTER", networks=("127.0.0.0/8",), space=SPACE, may=frozenset(May))
            with workspace.writing() as connection:
                known = tuple(add_peer(connection, peer) for peer in peers or (everything,))
            events, received = [], []
            listener = Listener(
                workspace, objects, port=0, on_event=events.append, on_received=received.append, **settings
            )
            stack.enter_context(listener)
            return Site(
                listener=listener, workspace=workspace, objects=objects, events=events, received=received, peers=known
            )

        yield start


@pytest.fixture
def calling():
    """Opens associations with pynetdicom; all are over when the test is."""
    opened = []

    @contextmanager
    def call(port, contexts, *, title="TESTER", called="BINGCHENG", handlers=(), roles=(), **more):
        entity = AE(ae_title=title)
        entity.acse_timeout = entity.dimse_timeout = entity.network_timeout = 20
        for abstract, *syntaxes in contexts:
            entity.add_requested_context(abstract, *syntaxes)
        association = entity.associate(
            "127.0.0.1", port, ae_title=called, evt_handlers=list(handlers), ext_neg=list(roles), **more
        )
        opened.append(association)
        try:
            yield association
        finally:
            if association.is_established:
                association.release()

    yield call
    for association in opened:
        if association.is_established:
            association.abort()
        association.join(10)


@pytest.fixture
def connect():
    """Opens plain connections; all are closed when the test is over."""
    opened = []

    def to(port, timeout_s=10.0) -> socket.socket:
        one = socket.create_connection(("127.0.0.1", port), timeout=timeout_s)
        opened.append(one)
        return one

    yield to
    for one in opened:
        one.close()


@pytest.fixture
def eventually():
    """Waits until something holds."""

    def wait(holds, seconds=10.0):
        until = time.monotonic() + seconds
        while not holds():
            assert time.monotonic() < until, "it never came to hold"
            time.sleep(0.01)

    return wait
