"""Numbers that other installations told us, the last document of each."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, delete, insert, select

from bingcheng.archive.audit.event import EventAction
from bingcheng.archive.audit.event_code import EventCode
from bingcheng.archive.pairing import tables
from bingcheng.archive.pairing.events import crossed
from bingcheng.archive.pairing.key import verified
from bingcheng.archive.pairing.numbers import NumbersDocument, read_numbers
from bingcheng.archive.pairing.peers import Peer, active_peer
from bingcheng.archive.pairing.problems import NOT_WHITELISTED
from bingcheng.core.errors import InputError
from bingcheng.core.wording import text

PURPOSE = b"bingcheng-numbers-1\0"


@dataclass(frozen=True, slots=True, kw_only=True)
class ReceivedNumbers:
    """What one installation told last."""

    peer: int
    document: NumbersDocument
    received_at: datetime


def keep(
    connection: Connection, peer: Peer, written: bytes, signature: bytes, now: datetime, *, address: str = ""
) -> NumbersDocument:
    """Keep a document in place of what the peer told before; an older one, or the same again, changes nothing.

    Raises
    ------
    InputError
        ``archive.not-whitelisted``.
    """
    active_peer(connection, peer.number)
    if not verified(peer.public, signature, PURPOSE + written):
        raise InputError(NOT_WHITELISTED, what=text("numbers without a valid signature"))
    found = read_numbers(written)
    if found.origin != peer.keyid:
        raise InputError(NOT_WHITELISTED, what=text("numbers of a third installation"))
    known = next((one for one in received(connection) if one.peer == peer.number), None)
    if known is not None and known.document.made_at >= found.made_at:
        return known.document
    table = tables.statistics
    connection.execute(delete(table).where(table.c.peer == peer.number))
    row = {"peer": peer.number, "document": written, "signature": signature, "received_at": now}
    connection.execute(insert(table), row)
    crossed(
        connection,
        peer,
        "numbers-received",
        now,
        code=EventCode.IMPORT,
        action=EventAction.CREATE,
        count=max(1, len(found.hospitals)),
        address=address,
    )
    return found


def received(connection: Connection) -> tuple[ReceivedNumbers, ...]:
    """What each installation told last."""
    rows = connection.execute(select(tables.statistics).order_by(tables.statistics.c.peer))
    return tuple(
        ReceivedNumbers(peer=row.peer, document=read_numbers(bytes(row.document)), received_at=row.received_at)
        for row in rows
    )
