"""Who asks: by the session's cookie or by a token."""

from __future__ import annotations

import base64
import binascii
from datetime import datetime

from starlette.concurrency import run_in_threadpool
from starlette.requests import HTTPConnection

from bingcheng.archive.authorisation.actor import NOBODY, Actor
from bingcheng.archive.people.api_token import PREFIX
from bingcheng.archive.people.person import Person
from bingcheng.archive.people.proof import USED_EVERY, Proof, of_session, of_token, used_token
from bingcheng.archive.people.secret import digest_of
from bingcheng.archive.people.session import SEEN_EVERY, saw
from bingcheng.core.errors import BingchengError
from bingcheng.server.security.cookies import session_secret
from bingcheng.server.site import Site, site_of


async def proof_of(request: HTTPConnection) -> Proof | None:
    """Who asks, and by what that is known; None for nobody. Found out once a request."""
    if not hasattr(request.state, "proof"):
        request.state.proof = await _found(request)
    found: Proof | None = request.state.proof
    return found


async def actor_of(request: HTTPConnection) -> Actor:
    """Who asks; `NOBODY` for who is not signed in."""
    found = await proof_of(request)
    return NOBODY if found is None else found.actor


def known_person(request: HTTPConnection) -> Person | None:
    """The account of who asks, if `proof_of` has found it."""
    found: Proof | None = getattr(request.state, "proof", None)
    return None if found is None else found.person


def token_in(request: HTTPConnection) -> str | None:
    """The token of a program: as ``Bearer``, or as the password of ``Basic``, the only thing that some devices send."""
    kind, _, value = request.headers.get("authorization", "").partition(" ")
    if kind.lower() == "bearer":
        return value.strip()
    if kind.lower() != "basic":
        return None
    try:
        words = base64.b64decode(value.strip(), validate=True).decode("utf-8")
    except (binascii.Error, ValueError):
        return ""
    return words.partition(":")[2]


async def _found(request: HTTPConnection) -> Proof | None:
    token, where = token_in(request), site_of(request)
    secret = session_secret(request) if token is None else token
    if not secret or (token is not None and not token.startswith(PREFIX)):
        return None
    known = where.believed.get(digest_of(secret), where.now())
    if known is not None:
        return known
    return await run_in_threadpool(_looked_up, where, secret, of_browser=token is None)


def _looked_up(where: Site, secret: str, *, of_browser: bool) -> Proof | None:
    now, generation = where.now(), where.believed.generation
    with where.workspace.reading() as connection:
        found = (of_session if of_browser else of_token)(connection, secret, now)
    if found is None:
        return None
    _keep_seen(where, found, now, of_browser=of_browser)
    where.believed.keep(found, generation, now)
    return found


def _keep_seen(where: Site, found: Proof, now: datetime, *, of_browser: bool) -> None:
    every, keep = (SEEN_EVERY, saw) if of_browser else (USED_EVERY, used_token)
    if found.seen_at is not None and now - found.seen_at < every:
        return
    try:
        with where.workspace.writing() as connection:
            keep(connection, found.digest, now)
    except BingchengError:
        # A full disk must not lock people out of what they may read; whatever matters is written with the audit.
        return
