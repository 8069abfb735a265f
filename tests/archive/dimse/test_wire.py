"""What the other side learns of its bytes, and when."""

from __future__ import annotations

import socket

import pytest

from bingcheng.archive.dimse.wire import Wire


@pytest.mark.skipif(not hasattr(socket, "TCP_QUICKACK"), reason="Linux alone can be told to acknowledge at once")
def test_what_came_is_acknowledged_at_once_although_the_two_have_been_talking():
    """A sender that leaves Nagle's algorithm on has the end of its data set wait for the acknowledgement."""
    with socket.create_server(("127.0.0.1", 0)) as listening, socket.create_connection(listening.getsockname()) as peer:
        connected, _ = listening.accept()
        wire = Wire(connected, idle_s=2, unit_s=2)
        for _ in range(5):  # whereupon the kernel takes it for a conversation, in which answers acknowledge
            peer.sendall(b"asked")
            wire.read(memoryview(bytearray(5)), first=True)
            wire.write(b"answered")
            peer.recv(8)
        peer.sendall(b"asked")
        wire.read(memoryview(bytearray(5)), first=True)
        assert connected.getsockopt(socket.IPPROTO_TCP, socket.TCP_QUICKACK)
        wire.close()
