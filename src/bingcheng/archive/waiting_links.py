"""Pairs of exams with links between lesions that wait for a reader, so that a whole hospital's are found at once.

What waits follows from proposals, decisions and lesions (`bingcheng.engine.follow_up.waiting` counts it), and is
written again whenever one of them changes. Whose exams they are, and of which patient, is looked up when somebody asks.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Any

from sqlalchemy import (
    Column,
    Connection,
    Integer,
    Row,
    ScalarSelect,
    Select,
    String,
    Subquery,
    Table,
    delete,
    func,
    insert,
    or_,
    select,
    union,
)

from bingcheng.archive import schema
from bingcheng.archive.about import held, hold
from bingcheng.archive.batches import AT_ONCE, batches
from bingcheng.archive.exam_owner import HOSPITALS
from bingcheng.archive.listing import listed, searched
from bingcheng.archive.people.person import LARGEST_NUMBER

KEY, REVISION = "waiting-links", "1"
"""Under what it is kept that all were counted; the revision is raised when they would be counted otherwise."""
MOST = 50
"""Rows of a page."""
Pair = tuple[str, str]
"""UIDs of the earlier and the later exam."""

waiting_link = Table(
    "waiting_link",
    schema.metadata,
    # Neither refers to the exam table, as what they are counted from does not.
    Column("earlier_uid", String(64), primary_key=True),
    Column("later_uid", String(64), primary_key=True, index=True),
    Column("links", Integer, nullable=False, comment="that wait for a reader; a pair without any is not kept"),
)


def were_counted(connection: Connection) -> bool:
    """Whether all links of the workspace were ever counted; those of an earlier release's were not."""
    return held(connection, KEY) == REVISION


def known_pairs(connection: Connection, uids: Collection[str] | None) -> frozenset[Pair]:
    """The pairs of exams about whose lesions anything was proposed or decided.

    Parameters
    ----------
    uids : only pairs in which one of these exams stands; None for all.
    """
    tables = (schema.matching.c, schema.lesion_edit.c, waiting_link.c)
    queries = [select(one.earlier_uid, one.later_uid) for one in tables]
    if uids is None:
        return frozenset((row.earlier_uid, row.later_uid) for row in connection.execute(union(*queries)))
    found: set[Pair] = set()
    for some in batches(uids):
        mine = [
            query.where(or_(one.earlier_uid.in_(some), one.later_uid.in_(some)))
            for query, one in zip(queries, tables, strict=True)
        ]
        found |= {(row.earlier_uid, row.later_uid) for row in connection.execute(union(*mine))}
    return frozenset(found)


def save_waiting(connection: Connection, links: Mapping[Pair, int], *, everything: bool) -> None:
    """Keep how many links of pairs wait; what is kept already is not written again.

    Parameters
    ----------
    everything : whether these are all pairs that there are.
    """
    table = waiting_link
    kept = ((row.earlier_uid, row.later_uid, row.links) for row in connection.execute(_kept(links)))
    before = {pair: count for *both, count in kept if (pair := (both[0], both[1])) in links}
    changed = {pair: count for pair, count in links.items() if before.get(pair, 0) != count}
    for pair in before.keys() & changed.keys():
        this = (table.c.earlier_uid == pair[0]) & (table.c.later_uid == pair[1])
        connection.execute(delete(table).where(this))
    rows = [{"earlier_uid": pair[0], "later_uid": pair[1], "links": count} for pair, count in changed.items() if count]
    if rows:
        connection.execute(insert(table), rows)
    if everything and not were_counted(connection):
        hold(connection, KEY, REVISION)


def patients_that_wait(
    connection: Connection, hospital: int, words: str = "", *, offset: int = 0, most: int = MOST
) -> tuple[Sequence[Row[Any]], int]:
    """The patients of a hospital whose links wait for a reader, the latest exam first; and how many there are.

    Each has ``patient`` (pseudonym), ``name``, ``number``, ``links``, and ``last`` (when the latest exam of the pairs
    was made).

    Parameters
    ----------
    words : all of them in the patient's name, number or pseudonym, or in the description of the later exam.
    """
    pairs, who = _pairs(hospital, words, connection.dialect.name), schema.identity.c
    grouped = (
        select(
            pairs.c.patient,
            func.sum(pairs.c.links).label("links"),
            func.max(pairs.c.at).label("last"),
            func.count().over().label("total"),
        )
        .where(pairs.c.patient == pairs.c.patient_before)
        .group_by(pairs.c.patient)
        .order_by(func.max(pairs.c.at).desc(), pairs.c.patient)
    )
    some = grouped.offset(offset).limit(most).subquery()
    rows = connection.execute(
        select(some, who.name, who.patient_id.label("number"))
        .join(schema.identity, who.patient == some.c.patient)
        .order_by(some.c.last.desc(), some.c.patient)
    ).all()
    total = rows[0].total if rows else count_that_wait(connection, hospital, words) if offset else 0
    return rows, int(total)


def count_that_wait(connection: Connection, hospital: int, words: str = "", *, most: int | None = None) -> int:
    """How many patients of a hospital have links that wait for a reader; not counted further than to `most`."""
    pairs = _pairs(hospital, words, connection.dialect.name)
    patients = select(pairs.c.patient).where(pairs.c.patient == pairs.c.patient_before).distinct()
    return int(connection.scalar(select(func.count()).select_from(patients.limit(most).subquery())) or 0)


def _pairs(hospital: int, words: str, dialect: str) -> Subquery:
    """The pairs of a hospital's exams that wait: ``links``, the patient of either exam, and when the later was made.

    All of it is looked up for each of the few pairs. Joined, every exam of the hospital might be read.
    """
    pair, space = waiting_link.c, f"{HOSPITALS}{hospital}"

    def of(column: Column[Any], uid: Column[str]) -> ScalarSelect[Any]:
        own = column.table.alias()
        mine = own.c.uid == uid
        if column.table is listed:
            mine &= own.c.space == space
        return select(own.c[column.name]).where(mine).scalar_subquery()

    query = select(
        pair.links,
        of(schema.exam.c.patient, pair.later_uid).label("patient"),
        of(schema.exam.c.patient, pair.earlier_uid).label("patient_before"),
        of(schema.exam.c.performed_at, pair.later_uid).label("at"),
    ).where(*(of(listed.c.assessed, uid).is_(True) for uid in (pair.later_uid, pair.earlier_uid)))
    place = func.instr if dialect == "sqlite" else func.strpos
    found = searched(words).split()
    query = query.where(*(place(of(listed.c.words, pair.later_uid), word) > 0 for word in found))
    # With a limit SQLite makes the rows once; without, it would look each thing up wherever it is named.
    return query.limit(LARGEST_NUMBER).subquery()


def _kept(links: Mapping[Pair, int]) -> Select[Any]:
    query = select(waiting_link)
    if len(links) > AT_ONCE:
        return query
    return query.where(waiting_link.c.earlier_uid.in_({earlier for earlier, _ in links}))
