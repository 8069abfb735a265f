"""Calling a peer: the association that we ask for, and the echo."""

from __future__ import annotations

import socket
import ssl
from collections.abc import Sequence
from dataclasses import dataclass

from bingcheng.archive.dimse import pdus
from bingcheng.archive.dimse.association import Association, Context
from bingcheng.archive.dimse.body import Body
from bingcheng.archive.dimse.commands import C_ECHO, Command, number
from bingcheng.archive.dimse.endings import Ended
from bingcheng.archive.dimse.entrance import LONGEST_REQUEST
from bingcheng.archive.dimse.negotiation import IMPLICIT, VERIFICATION, read_acceptance, request_for
from bingcheng.archive.dimse.peers import Peer
from bingcheng.archive.dimse.problems import BROKEN_OFF, NO_ANSWER, NOT_ADMITTED, NOT_OFFERED
from bingcheng.archive.dimse.tls import trouble
from bingcheng.archive.dimse.wire import Wire, without_delay
from bingcheng.core.errors import RemoteError

LONGEST_ANSWER = 1 << 20


@dataclass(frozen=True, slots=True, kw_only=True)
class Caller:
    """How we call others.

    Parameters
    ----------
    ae_title : our own.
    tls : for peers that are called over TLS; None if none is.
    connect_s : how long a connection may take to come about.
    idle_s : how long a peer may take to answer.
    unit_s : how long one unit of its may take to come.
    """

    ae_title: str
    tls: ssl.SSLContext | None = None
    connect_s: float = 10.0
    idle_s: float = 60.0
    unit_s: float = 60.0


def opened(
    caller: Caller, peer: Peer, wanted: Sequence[tuple[str, Sequence[str]]], scp_of: Sequence[str] = ()
) -> Association:
    """An association with `peer`, which has agreed to at least one of the contexts `wanted`.

    Parameters
    ----------
    scp_of : services of which we are the provider though we call.

    Raises
    ------
    RemoteError
        ``archive.no-answer``, ``archive.not-admitted``, ``archive.not-offered``, ``archive.association-broken``.
    """
    wire = Wire(_connected(caller, peer), idle_s=caller.idle_s, unit_s=caller.unit_s)
    try:
        wire.write(request_for(peer.ae_title, caller.ae_title, wanted, scp_of))
        answer = _answer(wire)
        agreed = read_acceptance(answer, wanted)
    except Ended as ended:
        wire.close()
        if wire.alert is not None:
            raise RemoteError(NO_ANSWER, error=trouble(wire.alert)) from None
        raise RemoteError(BROKEN_OFF, how=ended.ending.value) from None
    except RemoteError:
        wire.close()
        raise
    except ValueError as error:  # a damaged answer
        wire.close()
        raise RemoteError(BROKEN_OFF, how=type(error).__name__) from error
    association = Association(
        wire=wire, contexts=agreed.contexts, longest_out=agreed.longest_out, objects=Body(None, LONGEST_ANSWER)
    )
    if not agreed.contexts:
        association.release()
        raise RemoteError(NOT_OFFERED)
    return association


def echo(caller: Caller, peer: Peer) -> None:
    """Ask whether `peer` is there and takes our calls.

    Raises
    ------
    RemoteError
        What `opened` raises.
    """
    association = opened(caller, peer, [(VERIFICATION, [IMPLICIT])])
    context = first_context(association)
    command: Command = {"CommandField": C_ECHO, "MessageID": 1, "AffectedSOPClassUID": VERIFICATION}
    try:
        association.send(context, command)
        status = number(association.answer_to(1).command, "Status")
    except Ended as ended:
        association.abort(ended)
        raise RemoteError(BROKEN_OFF, how=ended.ending.value) from None
    association.release()
    if status:
        raise RemoteError(NOT_OFFERED)


def first_context(association: Association) -> Context:
    """The agreed context with the lowest number."""
    return association.contexts[min(association.contexts)]


def _connected(caller: Caller, peer: Peer) -> socket.socket:
    if peer.host is None or peer.port is None:
        raise RemoteError(NO_ANSWER, error="no host")
    try:
        connected = socket.create_connection((peer.host, peer.port), timeout=caller.connect_s)
    except OSError as error:
        raise RemoteError(NO_ANSWER, error=type(error).__name__) from error
    without_delay(connected)
    if not peer.tls:
        return connected
    try:
        context = caller.tls or ssl.create_default_context()
        return context.wrap_socket(connected, server_hostname=peer.host)
    except OSError as error:
        connected.close()
        raise RemoteError(NO_ANSWER, error=trouble(error)) from error


def _answer(wire: Wire) -> bytes:
    head = bytearray(pdus.HEAD.size)
    wire.read(memoryview(head), first=True)
    kind, length = pdus.HEAD.unpack(head)
    if length > LONGEST_REQUEST or kind not in (pdus.ACCEPT, pdus.REJECT, pdus.ABORT):
        raise RemoteError(BROKEN_OFF, how="not the protocol")
    rest = bytearray(length)
    if length:
        wire.read(memoryview(rest))
    if kind == pdus.REJECT and length == 4:
        raise RemoteError(NOT_ADMITTED, result=rest[1], source=rest[2], reason=rest[3])
    if kind != pdus.ACCEPT:
        raise RemoteError(BROKEN_OFF, how="aborted by the peer")
    return bytes(head + rest)
