"""Cases of ours on their way out: offered, looked through, given, withdrawn."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import datetime

from sqlalchemy import Connection

from bingcheng.archive.audit.event import EventAction
from bingcheng.archive.audit.event_code import EventCode
from bingcheng.archive.objects.instance import Instance
from bingcheng.archive.objects.objects import Objects
from bingcheng.archive.pairing import bundles, transfers
from bingcheng.archive.pairing.bundles import GIVEN_OUT, Bundle, BundleState
from bingcheng.archive.pairing.case_room import CaseBundle, CaseRoom
from bingcheng.archive.pairing.events import crossed
from bingcheng.archive.pairing.key import InstallationKey
from bingcheng.archive.pairing.manifest import (
    ListedObject,
    Manifest,
    bundle_name,
    case_name,
    format_of,
    read_manifest,
)
from bingcheng.archive.pairing.object_check import check_object
from bingcheng.archive.pairing.peers import Peer, active_peer, peer
from bingcheng.archive.pairing.problems import NOT_WHITELISTED, OFFER_ENDED, OTHER_CONTENT, WITHDRAWN
from bingcheng.archive.pairing.transfers import TransferKind
from bingcheng.archive.people.problems import NO_SUCH_THING
from bingcheng.core.errors import InputError
from bingcheng.core.wording import text

PURPOSE = b"bingcheng-case-1\0"
"""What a signature of a manifest begins with, whatever its form, so that it is none of anything else."""
UNSEEN = (BundleState.CHECKING, BundleState.OFFERED, BundleState.EXPIRED)
"""States in which the peer has not had the manifest yet."""


def manifest_of(case: CaseBundle, instances: Sequence[Instance], origin: str) -> Manifest:
    """The manifest of a case.

    Parameters
    ----------
    origin : identifier of this installation's key.

    Raises
    ------
    InputError
        ``archive.not-whitelisted``.
    """
    listed = tuple(
        ListedObject(
            sop_uid=one.sop_uid,
            sop_class_uid=one.sop_class_uid,
            study_uid=one.study_uid,
            series_uid=one.series_uid,
            size=one.size,
            sha256=one.sha256,
        )
        for one in sorted(instances, key=lambda one: one.sop_uid)
    )
    if not listed:
        raise InputError(NOT_WHITELISTED, what=text("a case without objects"))
    made = Manifest(
        format=format_of(case.content),
        name=bundle_name(origin, case.case, case.version),
        origin=origin,
        case=case_name(origin, case.case),
        version=case.version,
        content=case.content,
        deidentification=case.deidentification,
        objects=listed,
    )
    return read_manifest(made.written())


def offer(
    connection: Connection,
    key: InstallationKey,
    to: int,
    manifest: Manifest,
    case: int,
    now: datetime,
    *,
    push: bool,
    until: datetime | None = None,
    by: int | None = None,
) -> int:
    """Offer a case to a peer, and send it if `push`; returns the number of the transfer.

    Its objects are looked through first, in the background. The same one twice is offered once, and for longer. What
    the peer has not had yet is offered as the case is now.

    Parameters
    ----------
    until : when the peer may fetch it no more; None: without an end.
    by : number of the person who wants it.

    Raises
    ------
    RefusedError
        ``archive.not-paired``.
    InputError
        ``archive.other-content``, ``archive.withdrawn-case``.
    """
    active_peer(connection, to)
    written = manifest.written()
    known = bundles.bundle(connection, to, manifest.name, incoming=False)
    if known is None:
        bundles.add(
            connection,
            peer=to,
            incoming=False,
            name=manifest.name,
            state=BundleState.CHECKING,
            now=now,
            manifest=written,
            signature=key.sign(PURPOSE + written),
            of_case=manifest.case,
            version=manifest.version,
            case=case,
            until=until,
        )
    elif known.state in (BundleState.WITHDRAWING, BundleState.WITHDRAWN):
        raise InputError(WITHDRAWN)
    elif known.state not in UNSEEN and not _says_the_same(known, manifest):
        raise InputError(OTHER_CONTENT)
    else:
        bundles.extend(connection, known.number, until)
        if known.state in UNSEEN and known.manifest != written:
            bundles.rewrite(connection, known.number, written, key.sign(PURPOSE + written))
            bundles.move(connection, known.number, BundleState.CHECKING, now)
        elif known.state is BundleState.EXPIRED:
            bundles.move(connection, known.number, BundleState.CHECKING, now)
    kind = TransferKind.PUSH if push else TransferKind.OFFER
    return transfers.ask(connection, to, kind, now, manifest.name, by=by)


def _says_the_same(known: Bundle, manifest: Manifest) -> bool:
    """Whether a bundle that was given says all that the manifest does, in the form and by the release of that time."""
    given = known.content()
    now = manifest.in_form(given.form)
    proof = now.deidentification.model_copy(update={"program": given.deidentification.program})
    return now.model_copy(update={"deidentification": proof}) == given


def in_form(connection: Connection, key: InstallationKey, found: Bundle, newest: int) -> Bundle:
    """A bundle that is about to be given, in a form that the peer reads: in none later than `newest`.

    What was given stays as it was signed.
    """
    manifest = found.content()
    if found.state not in UNSEEN or manifest.form <= newest:
        return found
    written = manifest.in_form(newest).written()
    signature = key.sign(PURPOSE + written)
    bundles.rewrite(connection, found.number, written, signature)
    return replace(found, manifest=written, signature=signature)


def check_bundle(objects: Objects, found: Bundle, before_each: Callable[[], None] = lambda: None) -> None:
    """Look through all objects of a bundle before any leaves.

    Parameters
    ----------
    before_each : called before each object; may raise to end it.

    Raises
    ------
    InputError
        ``archive.not-whitelisted``, ``archive.not-found``: an object is gone.
    """
    manifest = found.content()
    pointed = manifest.pointed()
    for listed in manifest.objects:
        before_each()
        with objects.open_bytes(instance_of(objects, found, listed)) as stream:
            check_object(stream, listed, pointed.get(listed.sop_uid, ()))


def instance_of(objects: Objects, found: Bundle, listed: ListedObject) -> Instance:
    """The stored object that a manifest lists, if it still is that one.

    Raises
    ------
    InputError
        ``archive.not-found``.
    """
    space = f"case/{found.case}"
    one = objects.instance([space], listed.study_uid, listed.series_uid, listed.sop_uid)
    if one is None or one.sha256 != listed.sha256:
        raise InputError(NO_SUCH_THING)
    return one


def offered(connection: Connection, to: Peer, now: datetime) -> tuple[Bundle, ...]:
    """What a peer may fetch now."""
    return tuple(one for one in bundles.bundles_of(connection, to.number, incoming=False) if one.may_be_fetched(now))


def end_offers(connection: Connection, now: datetime) -> int:
    """Take back the offers that nobody fetched in time; returns how many there were. Nobody need be told."""
    late = bundles.out_of_time(connection, now)
    for one in late:
        bundles.move(connection, one.number, BundleState.EXPIRED, now)
        crossed(
            connection,
            peer(connection, one.peer),
            "offer-ended",
            now,
            code=EventCode.EXPORT,
            subject=f"bundle/{one.name}",
            case=one.case,
        )
    return len(late)


def no_longer_published(connection: Connection, room: CaseRoom) -> tuple[int, ...]:
    """The cases that others may still have although they were withdrawn here."""
    given = bundles.given_cases(connection)
    return tuple(case for case in given if not room.is_published(connection, case))


def given_bundle(connection: Connection, to: Peer, name: str, now: datetime) -> Bundle:
    """The bundle that a peer asks for, if it may have it; whatever was not offered to it is as if it didn't exist.

    Raises
    ------
    InputError
        ``archive.not-found``, ``archive.offer-ended``.
    """
    found = bundles.bundle(connection, to.number, name, incoming=False)
    if found is not None and found.state in (BundleState.EXPIRED, *GIVEN_OUT) and not found.may_be_fetched(now):
        raise InputError(OFFER_ENDED)
    if found is None or found.state not in GIVEN_OUT:
        raise InputError(NO_SUCH_THING)
    return found


def gave(connection: Connection, to: Peer, found: Bundle, now: datetime) -> None:
    """A peer has a bundle of ours, or may have: then its withdrawal must reach it."""
    if found.state is BundleState.OFFERED:
        bundles.move(connection, found.number, BundleState.GIVEN, now)
        crossed(
            connection,
            to,
            "case-given",
            now,
            code=EventCode.EXPORT,
            action=EventAction.READ,
            subject=f"bundle/{found.name}",
            case=found.case,
        )


def withdraw(connection: Connection, case: int, now: datetime) -> int:
    """Give a case to nobody any more, and tell those that may have it; returns how many must be told.

    A peer that was revoked meanwhile can't be told; its bundle stays as not confirmed.
    """
    count = 0
    for one in bundles.given_of_case(connection, case):
        if one.state is BundleState.WITHDRAWN:
            continue
        if one.state is not BundleState.WITHDRAWING:
            bundles.move(connection, one.number, BundleState.WITHDRAWING, now)
        whose = peer(connection, one.peer)
        transfers.drop(connection, one.peer, now, text("the case was withdrawn"), name=one.name)
        if whose.active:
            transfers.ask(connection, one.peer, TransferKind.WITHDRAW, now, one.name)
            count += 1
        crossed(
            connection,
            whose,
            "case-withdrawn",
            now,
            code=EventCode.EXPORT,
            action=EventAction.DELETE,
            subject=f"bundle/{one.name}",
            case=case,
        )
    return count


def confirmed_withdrawal(connection: Connection, found: Bundle, now: datetime) -> None:
    """The peer says that nobody there reads it any more."""
    if found.state is BundleState.WITHDRAWING:
        bundles.move(connection, found.number, BundleState.WITHDRAWN, now)
