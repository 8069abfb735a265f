"""Installations that this one is paired with. One that nobody confirmed, or that was revoked, is as if unknown."""

from __future__ import annotations

import re
import ssl
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, delete, insert, select, update

from bingcheng.archive.pairing import permission, tables
from bingcheng.archive.pairing.card import PairingCard, checked_address
from bingcheng.archive.pairing.fingerprint import fingerprint, same_fingerprint
from bingcheng.archive.pairing.key import InstallationKey, identifier
from bingcheng.archive.pairing.permission import Permission
from bingcheng.archive.pairing.problems import (
    ALREADY_PAIRED,
    CLOCKS_DIFFER,
    FINGERPRINT_DIFFERS,
    NOT_PAIRED,
    OWN_CARD,
    REPLAYED,
    WRONG_PIN,
)
from bingcheng.archive.people.problems import NO_SUCH_THING
from bingcheng.core.errors import InputError, RefusedError

SKEW = timedelta(seconds=300)
"""How far the clocks of two installations may differ."""
_PIN = re.compile(r"[0-9a-f]{64}")
LONGEST_AUTHORITY = 100_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Peer:
    """Another installation.

    Parameters
    ----------
    authority : PEM of the certificates of which one must have signed its certificate; empty: those that this machine
        trusts.
    pin : SHA-256 of its certificate; empty without.
    may : what we allow to it.
    allows : what it said that it allows to us.
    hospital : number of the hospital here that receives its cases; None: none does.
    confirmed_at : when a person compared the fingerprints.
    heard_at : when its last signed message came.
    clock_here, clock_there : when a signed message was last refused for its time, and the time that it bore; None if
        one was let in since.
    """

    number: int
    keyid: str
    public: bytes
    name: str
    address: str
    authority: str
    pin: str
    may: frozenset[Permission]
    allows: frozenset[Permission]
    hospital: int | None
    made_at: datetime
    confirmed_at: datetime | None
    confirmed_by: int | None
    revoked_at: datetime | None
    heard_at: datetime | None
    clock_here: datetime | None = None
    clock_there: datetime | None = None

    @property
    def active(self) -> bool:
        """Whether anything may pass."""
        return self.confirmed_at is not None and self.revoked_at is None

    @property
    def fingerprint(self) -> str:
        """Of its key, to be read out."""
        return fingerprint(self.public)


def propose(connection: Connection, card: PairingCard, key: InstallationKey, now: datetime) -> int:
    """Take another installation's card; nothing passes before `confirm`. Returns its number.

    Raises
    ------
    InputError
        ``archive.own-pairing-card``, ``archive.already-paired``.
    """
    if card.public == key.public:
        raise InputError(OWN_CARD)
    table, keyid = tables.peer, identifier(card.public)
    if connection.scalar(select(table.c.id).where(table.c.keyid == keyid)) is not None:
        raise InputError(ALREADY_PAIRED)
    row = {
        "keyid": keyid,
        "public": card.public,
        "name": card.name,
        "address": card.address,
        "authority": "",
        "pin": "",
        "may": "",
        "allows": "",
        "made_at": now,
    }
    return int(connection.execute(insert(table).returning(table.c.id), row).scalar_one())


def confirm(connection: Connection, number: int, typed: str, *, by: int | None, now: datetime) -> None:
    """A person heard the fingerprint from the other side, and typed it.

    Raises
    ------
    InputError
        ``archive.fingerprint-differs``, ``archive.not-found``.
    """
    found = peer(connection, number)
    if not same_fingerprint(typed, found.public):
        raise InputError(FINGERPRINT_DIFFERS)
    if found.confirmed_at is None and found.revoked_at is None:
        _set(connection, number, confirmed_at=now, confirmed_by=by)


def change(
    connection: Connection,
    number: int,
    *,
    address: str,
    may: Iterable[Permission],
    authority: str = "",
    pin: str = "",
    hospital: int | None = None,
) -> None:
    """Change where it is reached, by which certificate it is known, what it may and which hospital gets its cases.

    Raises
    ------
    InputError
        ``archive.wrong-peer-address``, ``archive.wrong-pin``, ``archive.not-found``.
    """
    peer(connection, number)
    _set(
        connection,
        number,
        address=checked_address(address),
        may=permission.written(may),
        authority=_authority(authority),
        pin=_pin(pin),
        hospital=hospital,
    )


def revoke(connection: Connection, number: int, now: datetime) -> None:
    """Let nothing pass any more, from the next request on; waiting transfers end."""
    found = peer(connection, number)
    if found.revoked_at is None:
        _set(connection, number, revoked_at=now)
    connection.execute(delete(tables.nonce).where(tables.nonce.c.peer == number))


def heard_permissions(connection: Connection, number: int, allows: Iterable[Permission]) -> None:
    """Keep what the other side says that it allows."""
    _set(connection, number, allows=permission.written(allows))


def peers(connection: Connection) -> tuple[Peer, ...]:
    """All, by name."""
    rows = connection.execute(select(tables.peer).order_by(tables.peer.c.name, tables.peer.c.id))
    return tuple(_peer(row) for row in rows)


def peer(connection: Connection, number: int) -> Peer:
    """The one of a number.

    Raises
    ------
    InputError
        ``archive.not-found``.
    """
    row = connection.execute(select(tables.peer).where(tables.peer.c.id == number)).one_or_none()
    if row is None:
        raise InputError(NO_SUCH_THING)
    return _peer(row)


def active_peer(connection: Connection, number: int) -> Peer:
    """The one of a number, if anything may pass now.

    Raises
    ------
    RefusedError
        ``archive.not-paired``.
    """
    found = peer(connection, number)
    if not found.active:
        raise RefusedError(NOT_PAIRED)
    return found


def peer_of_key(connection: Connection, keyid: str) -> Peer | None:
    """The active one whose key is so called; None if there is none."""
    row = connection.execute(select(tables.peer).where(tables.peer.c.keyid == keyid)).one_or_none()
    found = None if row is None else _peer(row)
    return found if found is not None and found.active else None


def admit(connection: Connection, found: Peer, *, created: datetime, nonce: str, now: datetime) -> None:
    """Let one message of a peer in, once.

    Its signature must have been verified: otherwise anybody could fill the table of nonces.

    Raises
    ------
    RefusedError
        ``archive.not-paired``, ``archive.clocks-differ``, ``archive.replayed``.
    """
    active_peer(connection, found.number)  # it may have been revoked since its key was looked up
    if abs(now - created) > SKEW:
        raise RefusedError(CLOCKS_DIFFER, limit_s=int(SKEW.total_seconds()))
    table = tables.nonce
    # A message is let in within the skew on either side of its time; its nonce is kept for longer than both.
    connection.execute(delete(table).where(table.c.at < now - 3 * SKEW))
    same = (table.c.peer == found.number) & (table.c.nonce == nonce)
    if connection.scalar(select(table.c.nonce).where(same)) is not None:
        raise RefusedError(REPLAYED)
    connection.execute(insert(table), {"peer": found.number, "nonce": nonce, "at": now})
    _set(connection, found.number, heard_at=now, clock_here=None, clock_there=None)


def note_clocks(connection: Connection, number: int, *, here: datetime, there: datetime) -> None:
    """Keep that a message of a peer, whose signature holds, was refused for its time: people are told on both sides."""
    _set(connection, number, clock_here=here, clock_there=there)


def _set(connection: Connection, number: int, **values: object) -> None:
    connection.execute(update(tables.peer).where(tables.peer.c.id == number).values(**values))


def _authority(written: str) -> str:
    clean = written.strip()
    if not clean:
        return ""
    try:
        if len(clean) > LONGEST_AUTHORITY:
            raise InputError(WRONG_PIN)
        ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT).load_verify_locations(cadata=clean)
    except (ssl.SSLError, ValueError) as error:
        raise InputError(WRONG_PIN) from error
    return clean


def _pin(written: str) -> str:
    clean = "".join(one for one in written.lower() if not one.isspace() and one != ":")
    if clean and not _PIN.fullmatch(clean):
        raise InputError(WRONG_PIN)
    return clean


def _peer(row: Any) -> Peer:
    return Peer(
        number=row.id,
        keyid=row.keyid,
        public=bytes(row.public),
        name=row.name,
        address=row.address,
        authority=row.authority,
        pin=row.pin,
        may=permission.read(row.may),
        allows=permission.read(row.allows),
        hospital=row.hospital,
        made_at=row.made_at,
        confirmed_at=row.confirmed_at,
        confirmed_by=row.confirmed_by,
        revoked_at=row.revoked_at,
        heard_at=row.heard_at,
        clock_here=row.clock_here,
        clock_there=row.clock_there,
    )
