"""The guard of routes that only paired installations may use: by a signature, never by a session or token.

The signature is verified, and the message let in once, before a byte of its content is read.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, cast

from fastapi import Depends, Request
from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException

from bingcheng.archive.authorisation.action import Action
from bingcheng.archive.authorisation.actor import NOBODY, Actor
from bingcheng.archive.pairing.events import login_of
from bingcheng.archive.pairing.key import InstallationKey
from bingcheng.archive.pairing.message import DIGEST, REQUEST_PARTS, Claim, claim, request_parts, same_digest
from bingcheng.archive.pairing.peers import Peer, admit, note_clocks, peer_of_key
from bingcheng.archive.pairing.permission import Permission
from bingcheng.archive.pairing.problems import CLOCKS_DIFFER, NOT_PAIRED, NOT_PERMITTED, WRONG_DIGEST
from bingcheng.core.errors import RefusedError
from bingcheng.server.security.required import Guard
from bingcheng.server.security.size import KEY
from bingcheng.server.security.traced import trace, traced
from bingcheng.server.site import Site, site_of

LARGEST_BODY = 9 << 20
"""A manifest of the largest case, or a piece of an object."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Caller:
    """The installation that asks.

    Parameters
    ----------
    signature : of its request; the answer is bound to it.
    body : the whole content.
    """

    peer: Peer
    signature: bytes
    body: bytes


class Signed(Guard):
    """The dependency behind `signed`."""

    def __init__(self, permission: Permission | None) -> None:
        self.permission = permission

    async def __call__(self, request: Request) -> Caller:
        """The caller, if a paired installation signed the request and is allowed what it asks for.

        Raises
        ------
        RefusedError
            ``archive.not-paired``, ``archive.clocks-differ``, ``archive.replayed``, ``archive.wrong-digest``,
            ``archive.peer-not-permitted``.
        """
        trace(request, actor=NOBODY, action=Action.PAIR, required=(Action.PAIR,))
        fields = _fields(request)
        peer, said = await run_in_threadpool(_admitted, request, site_of(request), fields)
        if self.permission is not None and self.permission not in peer.may:
            raise RefusedError(NOT_PERMITTED, permission=self.permission.value)
        body = await _body(request)
        if not same_digest(fields.get(DIGEST, ""), body):
            raise RefusedError(WRONG_DIGEST)
        request.state.caller = caller = Caller(peer=peer, signature=said.signature, body=body)
        return caller


def signed(permission: Permission | None = None) -> Any:
    """The route is for paired installations that have `permission` (None: for all); gives the handler the `Caller`."""
    return Depends(Signed(permission))


def actor_of_peer(peer: Peer) -> Actor:
    """How an installation stands in the audit trail: no person, no hospital, no role."""
    return Actor(person=None, login=login_of(peer), name=peer.name, hospital=None, roles=frozenset())


def own_key(request: Request) -> InstallationKey:
    """The key of this installation; read once."""
    state = request.app.state
    if not hasattr(state, "pairing_key"):
        state.pairing_key = InstallationKey.of(site_of(request).workspace.folder)
    return cast("InstallationKey", state.pairing_key)


def own_address(request: Request) -> str:
    """By which others reach this server: what the settings say, else what this request was addressed to."""
    return site_of(request).settings.public_url or f"{request.url.scheme}://{request.headers.get('host', '')}"


def target_of(request: Request) -> str:
    """The target URI as the one who asks has written it."""
    query = request.scope.get("query_string", b"")
    path: bytes = request.scope.get("raw_path") or request.scope["path"].encode()
    return own_address(request) + (path + b"?" + query if query else path).decode("latin-1")


def _fields(request: Request) -> Mapping[str, str]:
    return {name: ", ".join(request.headers.getlist(name)) for name in request.headers}


def _admitted(request: Request, where: Site, fields: Mapping[str, str]) -> tuple[Peer, Claim]:
    said = claim(fields, REQUEST_PARTS)
    if said is None:
        raise RefusedError(NOT_PAIRED)
    with where.workspace.reading() as connection:
        peer = peer_of_key(connection, said.keyid)
    digest, recipient = fields.get(DIGEST, ""), own_key(request).identifier
    covered = request_parts(request.method, target_of(request), digest, recipient)
    # One answer for all: who asks must not learn which keys are known here.
    if peer is None or not said.holds(peer.public, covered):
        raise RefusedError(NOT_PAIRED)
    found = traced(request)  # from here on it is known who asks, also if it is not let in
    found.actor, found.subject = actor_of_peer(peer), f"peer/{peer.number}"
    now = where.now()
    try:
        with where.workspace.writing() as connection:
            admit(connection, peer, created=said.created, nonce=said.nonce, now=now)
    except RefusedError as error:
        if error.problem is CLOCKS_DIFFER:
            with where.workspace.writing() as connection:
                note_clocks(connection, peer.number, here=now, there=said.created)
        raise
    return peer, said


async def _body(request: Request) -> bytes:
    limit = request.scope.get(KEY)
    if limit is not None:
        limit.now = LARGEST_BODY
    length = request.headers.get("content-length", "")
    if length.isdecimal() and int(length) > LARGEST_BODY:
        raise HTTPException(413)
    return await request.body()
