"""``/admin/pairing``: the card of this installation, those that it is paired with, and what passes between them."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta, tzinfo
from types import MappingProxyType
from typing import Annotated, Self

from fastapi import APIRouter, Depends, Form, Path, Request
from sqlalchemy import Connection
from starlette.responses import RedirectResponse, Response

from bingcheng.archive.authorisation.action import Action
from bingcheng.archive.authorisation.actor import Actor
from bingcheng.archive.pairing import bundles, own_name, peers, received_numbers, transfers
from bingcheng.archive.pairing.bundles import BundleState
from bingcheng.archive.pairing.card import PairingCard
from bingcheng.archive.pairing.fingerprint import fingerprint
from bingcheng.archive.pairing.permission import ALLOWED_WORDS, PERMISSION_WORDS, Permission
from bingcheng.archive.pairing.problems import NO_RECEIVER
from bingcheng.archive.pairing.transfers import TransferKind, TransferState
from bingcheng.archive.people.hospital import hospitals
from bingcheng.archive.people.problems import NO_SUCH_THING
from bingcheng.core.errors import BingchengError, InputError
from bingcheng.core.wording import Fact, Text, text
from bingcheng.server.pages.page import page, when, zone_of
from bingcheng.server.pages.told import Told, told
from bingcheng.server.pages.undo import Undo
from bingcheng.server.pairing.signed import own_address, own_key
from bingcheng.server.security.required import allowed
from bingcheng.server.security.traced import traced
from bingcheng.server.site import Site, site

router = APIRouter(include_in_schema=False)

Operator = Annotated[Actor, allowed(Action.PAIR)]
Where = Annotated[Site, Depends(site)]
Numbered = Annotated[int, Path(ge=1, lt=2**31)]
"""A number that the database takes."""
LIST = "/admin/pairing"
MOST_SHOWN = 100


@dataclass(frozen=True, slots=True, kw_only=True)
class Written:
    """What stands in the form of an installation: as it is kept, or as somebody wrote it before it was refused."""

    may: frozenset[Permission]
    hospital: str
    address: str
    authority: str
    pin: str

    @classmethod
    def of(cls, peer: peers.Peer) -> Self:
        """As it is kept."""
        hospital = "" if peer.hospital is None else str(peer.hospital)
        return cls(may=peer.may, hospital=hospital, address=peer.address, authority=peer.authority, pin=peer.pin)


KIND_WORDS: Mapping[TransferKind, Text] = MappingProxyType(
    {
        TransferKind.GREET: text("Ask what it allows"),
        TransferKind.OFFER: text("Offer a case"),
        TransferKind.PUSH: text("Send a case"),
        TransferKind.LOOK: text("Look for cases that it offers"),
        TransferKind.PULL: text("Fetch a case"),
        TransferKind.WITHDRAW: text("Withdraw a case"),
        TransferKind.PUSH_NUMBERS: text("Send our numbers"),
        TransferKind.PULL_NUMBERS: text("Fetch its numbers"),
    }
)
ASKABLE = (TransferKind.GREET, TransferKind.LOOK, TransferKind.PUSH_NUMBERS, TransferKind.PULL_NUMBERS)
"""What a person may ask for here; cases are sent and withdrawn where they are published."""
STATE_WORDS: Mapping[TransferState, tuple[Text, str]] = MappingProxyType(
    {
        TransferState.WAITING: (text("waiting"), "unknown"),
        TransferState.RUNNING: (text("under way"), "unknown"),
        TransferState.DONE: (text("done"), "pass"),
        TransferState.FAILED: (text("failed"), "fail"),
        TransferState.STOPPED: (text("stopped"), "unknown"),
    }
)
AHEAD = text(
    "The clock of the other installation is {minutes} min ahead of this server's: it said {there} when this one said "
    "{here}. Its messages are refused."
)
BEHIND = text(
    "The clock of the other installation is {minutes} min behind this server's: it said {there} when this one said "
    "{here}. Its messages are refused."
)
STOPPED = text("The transfer was stopped. What has passed is kept; it goes on from there.")
BUNDLE_WORDS: Mapping[BundleState, Text] = MappingProxyType(
    {
        BundleState.CHECKING: text("being looked through"),
        BundleState.OFFERED: text("offered"),
        BundleState.GIVEN: text("given"),
        BundleState.EXPIRED: text("not fetched in time"),
        BundleState.WITHDRAWING: text("withdrawn here; not confirmed yet"),
        BundleState.COMING: text("coming"),
        BundleState.IMPORTING: text("being imported"),
        BundleState.COMPLETE: text("received"),
        BundleState.WITHDRAWN: text("withdrawn"),
        BundleState.ABANDONED: text("given up: nothing more came"),
        BundleState.REFUSED: text("refused"),
    }
)


@router.get(LIST)
def all_peers(request: Request, actor: Operator, where: Where) -> Response:
    """The card and the list."""
    return _list(request, actor, where)


@router.post(LIST)
def propose(
    request: Request, actor: Operator, where: Where, card: Annotated[str, Form(max_length=8000)] = ""
) -> Response:
    """Take the card of another installation."""
    try:
        read = PairingCard.read(card)
        with where.workspace.writing() as connection:
            number = peers.propose(connection, read, own_key(request), where.now())
    except InputError as error:
        return _list(request, actor, where, problem=told(error))
    traced(request).subject = f"peer/{number}"
    return RedirectResponse(f"{LIST}/{number}", 303)


@router.post(f"{LIST}/name")
def name(_: Operator, where: Where, name: Annotated[str, Form(max_length=400)] = "") -> Response:
    """What this installation calls itself on its card."""
    with where.workspace.writing() as connection:
        own_name.keep(connection, name)
    return RedirectResponse(LIST, 303)


@router.get(f"{LIST}/{{peer_number}}")
def one_peer(request: Request, peer_number: Numbered, actor: Operator, where: Where) -> Response:
    """One installation."""
    return _one(request, actor, where, peer_number)


@router.post(f"{LIST}/{{peer_number}}")
def change(
    request: Request,
    peer_number: Numbered,
    actor: Operator,
    where: Where,
    address: Annotated[str, Form(max_length=1000)] = "",
    may: Annotated[list[Permission] | None, Form()] = None,
    authority: Annotated[str, Form(max_length=200_000)] = "",
    pin: Annotated[str, Form(max_length=200)] = "",
    hospital: Annotated[str, Form(max_length=20)] = "",
) -> Response:
    """Change what it may, where it is reached, and how its certificate is checked."""
    _tell(request, peer_number)
    try:
        with where.workspace.writing() as connection:
            receiver = _receiver(connection, may or (), hospital)
            peers.change(
                connection,
                peer_number,
                address=address,
                may=may or (),
                authority=authority,
                pin=pin,
                hospital=receiver,
            )
    except InputError as error:
        written = Written(may=frozenset(may or ()), hospital=hospital, address=address, authority=authority, pin=pin)
        return _one(request, actor, where, peer_number, problem=told(error), written=written)
    return RedirectResponse(f"{LIST}/{peer_number}", 303)


@router.post(f"{LIST}/{{peer_number}}/confirm")
def confirm(
    request: Request,
    peer_number: Numbered,
    actor: Operator,
    where: Where,
    typed: Annotated[str, Form(max_length=200)] = "",
) -> Response:
    """The fingerprint was heard from the other side."""
    _tell(request, peer_number)
    try:
        with where.workspace.writing() as connection:
            peers.confirm(connection, peer_number, typed, by=actor.person, now=where.now())
            transfers.ask(connection, peer_number, TransferKind.GREET, where.now(), by=actor.person)
    except InputError as error:
        return _one(request, actor, where, peer_number, problem=told(error))
    wake(request)
    return RedirectResponse(f"{LIST}/{peer_number}", 303)


@router.post(f"{LIST}/{{peer_number}}/revoke")
def revoke(request: Request, peer_number: Numbered, _: Operator, where: Where) -> Response:
    """Nothing passes any more, from now on."""
    _tell(request, peer_number)
    with where.workspace.writing() as connection:
        peers.revoke(connection, peer_number, where.now())
        transfers.drop(connection, peer_number, where.now(), text("the pairing was revoked"))
    return RedirectResponse(f"{LIST}/{peer_number}", 303)


@router.post(f"{LIST}/{{peer_number}}/ask")
def ask(
    request: Request,
    peer_number: Numbered,
    actor: Operator,
    where: Where,
    kind: Annotated[TransferKind, Form()] = TransferKind.GREET,
) -> Response:
    """Put something into the queue."""
    _tell(request, peer_number)
    if kind not in ASKABLE:
        raise InputError(NO_SUCH_THING)
    try:
        with where.workspace.writing() as connection:
            peers.active_peer(connection, peer_number)
            transfers.ask(connection, peer_number, kind, where.now(), by=actor.person)
    except BingchengError as error:
        if error.problem is NO_SUCH_THING:
            raise
        return _one(request, actor, where, peer_number, problem=told(error))
    wake(request)
    return RedirectResponse(f"{LIST}/{peer_number}", 303)


@router.post(f"{LIST}/{{peer_number}}/transfers/{{transfer_number}}")
def change_transfer(
    request: Request,
    peer_number: Numbered,
    transfer_number: Numbered,
    actor: Operator,
    where: Where,
    step: Annotated[str, Form(max_length=8)] = "",
) -> Response:
    """Stop a transfer; or else try it again now, or let it go on from where it was stopped."""
    _tell(request, peer_number)
    undo = None
    with where.workspace.writing() as connection:
        found = transfers.transfer(connection, transfer_number)
        if found is None or found.peer != peer_number:
            raise InputError(NO_SUCH_THING)
        if step != "stop":
            transfers.retry(connection, transfer_number, where.now())
        elif transfers.stop(connection, transfer_number, where.now()):
            undo = Undo(says=STOPPED, action=f"{LIST}/{peer_number}/transfers/{transfer_number}")
    if undo is not None:
        return _one(request, actor, where, peer_number, undo=undo)
    wake(request)
    return RedirectResponse(f"{LIST}/{peer_number}", 303)


def _tell(request: Request, number: int) -> None:
    traced(request).subject = f"peer/{number}"


def wake(request: Request) -> None:
    """Let what was asked for begin at once."""
    courier = getattr(request.app.state, "courier", None)
    if courier is not None:
        courier.wake()


def _list(request: Request, actor: Actor, where: Site, *, problem: Told | None = None) -> Response:
    key = own_key(request)
    with where.workspace.reading() as connection:
        called, found = own_name.own_name(connection), peers.peers(connection)
        queue = transfers.transfers_of(connection)
    card = PairingCard(name=called, address=own_address(request), public=key.public)
    return page(
        request,
        "pairing/list.html.jinja",
        actor=actor,
        status=200 if problem is None else 400,
        called=called,
        card=card.as_text(key),
        reachable=card.address.startswith("https://"),
        address=card.address,
        fingerprint=fingerprint(key.public),
        peers=found,
        open={one.number: sum(t.peer == one.number and t.state in transfers.OPEN for t in queue) for one in found},
        problem=problem,
    )


def _one(
    request: Request,
    actor: Actor,
    where: Site,
    number: int,
    *,
    problem: Told | None = None,
    undo: Undo | None = None,
    written: Written | None = None,
) -> Response:
    with where.workspace.reading() as connection:
        found = peers.peer(connection, number)
        queue = transfers.transfers_of(connection, number)
        passed = _passed(connection, number)
        receivers = [("", text("none")), *((str(one.number), one.name) for one in hospitals(connection))]
        numbers = next((one for one in received_numbers.received(connection) if one.peer == number), None)
    return page(
        request,
        "pairing/peer.html.jinja",
        actor=actor,
        status=200 if problem is None else 400,
        peer=found,
        written=written or Written.of(found),
        own=fingerprint(own_key(request).public),
        permissions=[(one.value, PERMISSION_WORDS[one], "") for one in Permission],
        queue=queue,
        kinds=KIND_WORDS,
        states=STATE_WORDS,
        stoppable=transfers.STOPPABLE,
        askable=ASKABLE,
        passed=passed,
        receivers=receivers,
        allows=[ALLOWED_WORDS[one] for one in Permission if one in found.allows],
        bundle_words=BUNDLE_WORDS,
        unfinished_days=where.settings.pairing_unfinished_days,
        numbers=numbers,
        numbers_made_at=_made_at(numbers),
        clocks=_clocks(found, zone_of(where.settings)),
        problem=problem,
        undo=undo,
    )


def _clocks(found: peers.Peer, zone: tzinfo | None) -> Text | None:
    """What the clocks of both sides said when its last message was refused for its time; None if none was since."""
    here, there = found.clock_here, found.clock_there
    if here is None or there is None:
        return None
    minutes = round(abs(there - here) / timedelta(minutes=1))
    facts: Mapping[str, Fact] = {"minutes": minutes, "here": when(here, zone=zone), "there": when(there, zone=zone)}
    if there > here:
        return Text(AHEAD.template, facts)
    return Text(BEHIND.template, facts)


def _receiver(connection: Connection, may: Collection[Permission], hospital: str) -> int | None:
    found = next((one.number for one in hospitals(connection) if str(one.number) == hospital), None)
    if found is None and Permission.PUSH_CASES in may:
        raise InputError(NO_RECEIVER)  # else each case would be refused once all of it has come
    return found


def _made_at(numbers: received_numbers.ReceivedNumbers | None) -> datetime | None:
    """When the other side says that it made them; it may say a day that there is not."""
    try:
        return None if numbers is None else datetime.fromisoformat(numbers.document.made_at)
    except ValueError:
        return None


def _passed(connection: Connection, number: int) -> tuple[bundles.Bundle, ...]:
    both = (
        *bundles.bundles_of(connection, number, incoming=False, most=MOST_SHOWN),
        *bundles.bundles_of(connection, number, incoming=True, most=MOST_SHOWN),
    )
    return tuple(sorted(both, key=lambda one: one.changed_at, reverse=True)[:MOST_SHOWN])
