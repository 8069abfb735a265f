"""``/pairing/v1``: what a paired installation may ask for. Nothing else of the server knows its signatures."""

from __future__ import annotations

import re
from datetime import datetime
from typing import Annotated

from fastapi import APIRouter, Depends, Query, Request
from sqlalchemy import Connection
from starlette.responses import Response

from bingcheng.archive.audit.event import EventAction
from bingcheng.archive.audit.event_code import EventCode
from bingcheng.archive.pairing import offering, peers, received_numbers
from bingcheng.archive.pairing.bundles import Bundle, BundleState
from bingcheng.archive.pairing.case_room import CaseRoom
from bingcheng.archive.pairing.events import crossed
from bingcheng.archive.pairing.manifest import FIRST_FORM, LARGEST_OBJECT, NEWEST_FORM
from bingcheng.archive.pairing.permission import Permission
from bingcheng.archive.pairing.problems import NO_CASES
from bingcheng.archive.pairing.receiving import Receiving
from bingcheng.archive.pairing.staging import PIECE
from bingcheng.archive.people.problems import NO_SUCH_THING
from bingcheng.core.errors import InputError, RefusedError
from bingcheng.server.pairing.answers import answer, document, document_signature, told
from bingcheng.server.pairing.case_room import room_of
from bingcheng.server.pairing.own_numbers import own_numbers
from bingcheng.server.pairing.signed import Caller, own_key, signed
from bingcheng.server.security.recorder import client_address
from bingcheng.server.site import Site, site

router = APIRouter(include_in_schema=False, prefix="/pairing/v1")

Where = Annotated[Site, Depends(site)]
Anybody = Annotated[Caller, signed()]
Pusher = Annotated[Caller, signed(Permission.PUSH_CASES)]
Puller = Annotated[Caller, signed(Permission.PULL_CASES)]
Form = Annotated[int, Query(ge=FIRST_FORM, le=1000)]
"""Number of the newest form that the one who asks reads; earlier releases don't say."""
Offset = Annotated[int, Query(ge=0, le=LARGEST_OBJECT)]
_NAME, _DIGEST = re.compile(r"[0-9a-f]{32}"), re.compile(r"[0-9a-f]{64}")


@router.get("/hello")
def hello(request: Request, caller: Anybody, where: Where) -> Response:
    """What this installation allows to the one who asks, and the newest form of manifests that it reads."""
    with where.workspace.reading() as connection:
        found = peers.active_peer(connection, caller.peer.number)
    return told(request, caller, {"may": sorted(found.may), "form": NEWEST_FORM})


@router.put("/bundles/{bundle_name}")
def begin(request: Request, bundle_name: str, caller: Pusher, where: Where) -> Response:
    """A manifest comes; the answer says what of its objects is missing here."""
    receiving = _receiving(request, where, caller)
    found = receiving.begin(caller.body, document_signature(request.headers), where.now())
    if found.name != bundle_name:
        raise InputError(NO_SUCH_THING)
    return told(request, caller, {"state": found.state.value, "missing": receiving.missing(found)})


@router.put("/bundles/{bundle_name}/objects/{sha256}")
def add(request: Request, bundle_name: str, sha256: str, caller: Pusher, where: Where, offset: Offset = 0) -> Response:
    """A piece of an object comes; the answer says how many bytes of it are here."""
    receiving = _receiving(request, where, caller)
    found = receiving.known(_checked(bundle_name, _NAME))
    return told(request, caller, {"have": receiving.add(found, _checked(sha256, _DIGEST), offset, caller.body)})


@router.post("/bundles/{bundle_name}/complete")
def complete(request: Request, bundle_name: str, caller: Pusher, where: Where) -> Response:
    """All has come: it is looked through and imported."""
    done = _receiving(request, where, caller).complete(_checked(bundle_name, _NAME), where.now())
    return told(request, caller, {"state": done.state.value})


@router.post("/bundles/{bundle_name}/withdraw")
def withdraw(request: Request, bundle_name: str, caller: Anybody, where: Where) -> Response:
    """A case that came from there is withdrawn there: nobody here reads it any more."""
    _receiving(request, where, caller).withdraw(_checked(bundle_name, _NAME), where.now())
    return told(request, caller, {"state": BundleState.WITHDRAWN.value})


@router.get("/offers")
def offers(request: Request, caller: Puller, where: Where) -> Response:
    """The names of what the one who asks may fetch."""
    room = _room(request)
    with where.workspace.reading() as connection:
        found = offering.offered(connection, caller.peer, where.now())
        offered = [one.name for one in found if one.case is not None and room.is_published(connection, one.case)]
    return told(request, caller, {"offers": offered})


@router.get("/bundles/{bundle_name}")
def manifest(request: Request, bundle_name: str, caller: Puller, where: Where, form: Form = FIRST_FORM) -> Response:
    """The manifest of an offered case, with its signature, in no later form than the one who asks reads."""
    with where.workspace.writing() as connection:
        found = _given(request, connection, caller, bundle_name, where.now())
        found = offering.in_form(connection, own_key(request), found, form)
        # From here on the other side may have it, whether or not it says so.
        offering.gave(connection, caller.peer, found, where.now())
    return document(request, caller, found.manifest, found.signature)


@router.get("/bundles/{bundle_name}/objects/{sha256}")
def piece(
    request: Request, bundle_name: str, sha256: str, caller: Puller, where: Where, offset: Offset = 0
) -> Response:
    """A piece of an object of an offered case."""
    with where.workspace.reading() as connection:
        found = _given(request, connection, caller, bundle_name, where.now())
    wanted = _checked(sha256, _DIGEST)
    listed = next((one for one in found.content().objects if one.sha256 == wanted), None)
    if listed is None:
        raise InputError(NO_SUCH_THING)
    with where.objects.open_bytes(offering.instance_of(where.objects, found, listed)) as stream:
        stream.seek(offset)
        return answer(request, caller, stream.read(PIECE), kind="application/octet-stream")


@router.get("/numbers")
def give_numbers(
    request: Request, caller: Annotated[Caller, signed(Permission.PULL_STATISTICS)], where: Where
) -> Response:
    """The numbers of this installation, with their signature."""
    with where.workspace.writing() as connection:
        written, signature = own_numbers(connection, own_key(request), where.now())
        crossed(
            connection,
            caller.peer,
            "numbers-given",
            where.now(),
            code=EventCode.EXPORT,
            action=EventAction.READ,
            address=client_address(request),
        )
    return document(request, caller, written, signature)


@router.put("/numbers")
def take_numbers(
    request: Request, caller: Annotated[Caller, signed(Permission.PUSH_STATISTICS)], where: Where
) -> Response:
    """The numbers of another installation come."""
    with where.workspace.writing() as connection:
        received_numbers.keep(
            connection,
            caller.peer,
            caller.body,
            document_signature(request.headers),
            where.now(),
            address=client_address(request),
        )
    return told(request, caller, {"state": "kept"})


def _receiving(request: Request, where: Site, caller: Caller) -> Receiving:
    return Receiving(
        workspace=where.workspace,
        objects=where.objects,
        room=_room(request),
        peer=caller.peer,
        address=client_address(request),
    )


def _room(request: Request) -> CaseRoom:
    room = room_of(request.app)
    if room is None:
        raise RefusedError(NO_CASES)
    return room


def _given(request: Request, connection: Connection, caller: Caller, name: str, now: datetime) -> Bundle:
    """A bundle that the caller may have, of a case that is still published."""
    found = offering.given_bundle(connection, caller.peer, _checked(name, _NAME), now)
    if found.case is None or not _room(request).is_published(connection, found.case):
        raise InputError(NO_SUCH_THING)
    return found


def _checked(name: str, form: re.Pattern[str]) -> str:
    if not form.fullmatch(name):
        raise InputError(NO_SUCH_THING)
    return name
