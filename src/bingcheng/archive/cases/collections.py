"""Collections: cases in an order, with a title, for a forum or for reading. They are given like cases.

A collection opens no case: of its cases each reader sees those that are given to the reader's hospital.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, Row, delete, false, func, insert, or_, select, update

from bingcheng.archive.cases import tables
from bingcheng.archive.cases.grants import Given, reached
from bingcheng.archive.cases.problems import NO_TITLE
from bingcheng.archive.codec import storable
from bingcheng.archive.people.problems import NO_SUCH_THING
from bingcheng.core.errors import InputError

LONGEST_TITLE, LONGEST_TEXT = 200, 5_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Collection:
    """One collection."""

    number: int
    hospital: int
    author: int
    title: str
    description: str
    made_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Item:
    """One case of a collection, and what is said about it there."""

    case: int
    note: str


def make_collection(
    connection: Connection, *, hospital: int, author: int, title: str, description: str, now: datetime
) -> int:
    """Make a collection; returns its number.

    Raises
    ------
    InputError
        ``archive.case-no-title``.
    """
    row = {"hospital": hospital, "author": author, "made_at": now, **_said(title, description)}
    table = tables.case_collection
    return int(connection.execute(insert(table).returning(table.c.id), row).scalar_one())


def change_collection(connection: Connection, number: int, *, title: str, description: str) -> None:
    """Change title and description.

    Raises
    ------
    InputError
        ``archive.case-no-title``.
    """
    table = tables.case_collection
    connection.execute(update(table).where(table.c.id == number).values(**_said(title, description)))


def remove_collection(connection: Connection, number: int, now: datetime) -> None:
    """Remove a collection; its cases stay."""
    table = tables.case_collection
    connection.execute(update(table).where(table.c.id == number).values(removed_at=now))


def collection(connection: Connection, number: int, hospital: int | None, now: datetime) -> Collection:
    """A collection that people of a hospital may see now.

    Raises
    ------
    InputError
        ``archive.not-found``.
    """
    for one in collections(connection, hospital, now):
        if one.number == number:
            return one
    raise InputError(NO_SUCH_THING)


def collections(connection: Connection, hospital: int | None, now: datetime) -> tuple[Collection, ...]:
    """The collections of a hospital and those given to it, the latest first."""
    table = tables.case_collection
    own = table.c.hospital == hospital if hospital is not None else false()
    query = select(table).where(
        table.c.removed_at.is_(None), or_(own, reached(Given.COLLECTION, table.c.id, hospital, now))
    )
    return tuple(_collection(row) for row in connection.execute(query.order_by(table.c.id.desc())))


def items(connection: Connection, number: int) -> tuple[Item, ...]:
    """The cases of a collection, in order."""
    table = tables.case_collection_item.c
    query = select(table.case_id, table.note).where(table.collection == number).order_by(table.place)
    return tuple(Item(case=row.case_id, note=row.note) for row in connection.execute(query))


def put_in(connection: Connection, number: int, case: int, note: str = "") -> None:
    """Put a case at the end of a collection, or change what is said about it there."""
    table = tables.case_collection_item
    said = storable(note).strip()[:LONGEST_TITLE]
    mine = (table.c.collection == number, table.c.case_id == case)
    if connection.execute(update(table).where(*mine).values(note=said)).rowcount:
        return
    last = connection.scalar(select(func.max(table.c.place)).where(table.c.collection == number)) or 0
    connection.execute(insert(table), {"collection": number, "case_id": case, "place": last + 1, "note": said})


def take_out(connection: Connection, number: int, case: int) -> None:
    """Take a case out of a collection."""
    table = tables.case_collection_item
    connection.execute(delete(table).where(table.c.collection == number, table.c.case_id == case))


def move(connection: Connection, number: int, case: int, *, by: int) -> None:
    """Move a case up (-1) or down (1) in a collection."""
    order = [one.case for one in items(connection, number)]
    if case in order:
        at = order.index(case)
        order.insert(max(0, min(len(order) - 1, at + by)), order.pop(at))
        _reorder(connection, number, order)


def _reorder(connection: Connection, number: int, order: Sequence[int]) -> None:
    table = tables.case_collection_item
    for place, case in enumerate(order, start=1):
        mine = (table.c.collection == number, table.c.case_id == case)
        connection.execute(update(table).where(*mine).values(place=place))


def _said(title: str, description: str) -> dict[str, str]:
    clean, long = " ".join(storable(title).split()), storable(description).strip()
    if not clean or len(clean) > LONGEST_TITLE or len(long) > LONGEST_TEXT:
        raise InputError(NO_TITLE, count=LONGEST_TITLE)
    return {"title": clean, "description": long}


def _collection(row: Row[tuple[object, ...]]) -> Collection:
    return Collection(
        number=row.id,
        hospital=row.hospital,
        author=row.author,
        title=row.title,
        description=row.description,
        made_at=row.made_at,
    )
