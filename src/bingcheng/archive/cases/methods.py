"""Protocols and methods that hospitals share: the file, what it is about, and the evidence that it works.

A protocol is a TOML file that is checked as one. Of a method only its description is kept, never its program.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from sqlalchemy import Connection, Row, false, insert, or_, select, update

from bingcheng.archive.cases import tables
from bingcheng.archive.cases.evidence import read_evidence
from bingcheng.archive.cases.grants import Given, reached
from bingcheng.archive.cases.problems import NO_TITLE, WRONG_METHOD
from bingcheng.archive.codec import storable
from bingcheng.archive.people.problems import NO_SUCH_THING
from bingcheng.core.errors import InputError
from bingcheng.core.wording import text

LONGEST_TITLE, LONGEST_TEXT, LONGEST_FILE = 200, 5_000, 500_000
REQUIRED = frozenset(("name", "version", "measures"))


class MethodKind(StrEnum):
    """What is shared."""

    PROTOCOL = "protocol"
    METHOD = "method"


@dataclass(frozen=True, slots=True, kw_only=True)
class Method:
    """One shared protocol or method.

    Parameters
    ----------
    hospital : who shares it; None for the province.
    content : a protocol as TOML, or a method's description as JSON (name, version, measures, source, ...).
    evidence : what ``bingcheng verify --json`` said of it; empty without.
    """

    number: int
    kind: MethodKind
    hospital: int | None
    author: int
    title: str
    description: str
    content: str
    evidence: str
    made_at: datetime

    @property
    def file_name(self) -> str:
        """How it is called as a file."""
        return f"{self.kind.value}-{self.number}.{'toml' if self.kind is MethodKind.PROTOCOL else 'json'}"


def share_method(
    connection: Connection,
    kind: MethodKind,
    *,
    hospital: int | None,
    author: int,
    title: str,
    description: str,
    content: str,
    evidence: str,
    now: datetime,
) -> int:
    """Share a protocol or a method with one's own hospital, to be granted to others; returns its number.

    Raises
    ------
    InputError
        ``archive.case-no-title``, ``archive.wrong-method``, ``archive.wrong-evidence``, and what reading a protocol
        raises.
    """
    clean, long = " ".join(storable(title).split()), storable(description).strip()
    if not clean or len(clean) > LONGEST_TITLE or len(long) > LONGEST_TEXT:
        raise InputError(NO_TITLE, count=LONGEST_TITLE)
    written, proof = storable(content).replace("\r\n", "\n"), storable(evidence).strip()
    if not written.strip() or max(len(written), len(proof)) > LONGEST_FILE:
        raise InputError(WRONG_METHOD, fault=text("it is empty or too large"))
    if kind is MethodKind.PROTOCOL:
        from bingcheng.protocol.library import parse  # noqa: PLC0415 - loads what checks protocols, seldom needed here

        parse(written, "protocol.toml")
    else:
        missing = sorted(REQUIRED - set(_json(written)))
        if missing:
            raise InputError(WRONG_METHOD, fault=text("'{name}' is missing", name=missing[0]))
    if proof:
        read_evidence(proof)
    row = {
        "kind": kind.value,
        "hospital": hospital,
        "author": author,
        "title": clean,
        "description": long,
        "content": written,
        "evidence": proof,
        "made_at": now,
    }
    table = tables.shared_method
    return int(connection.execute(insert(table).returning(table.c.id), row).scalar_one())


def withdraw_method(connection: Connection, number: int, now: datetime) -> None:
    """Share it no longer; what others took away stays with them."""
    table = tables.shared_method
    connection.execute(update(table).where(table.c.id == number).values(withdrawn_at=now))


def methods(connection: Connection, hospital: int | None, now: datetime) -> tuple[Method, ...]:
    """What a hospital (None: the province) shares, and what is given to it now; the latest first."""
    table = tables.shared_method
    own = table.c.hospital == hospital if hospital is not None else table.c.hospital.is_(None)
    query = select(table).where(
        table.c.withdrawn_at.is_(None), or_(own, reached(Given.METHOD, table.c.id, hospital, now), false())
    )
    return tuple(_method(row) for row in connection.execute(query.order_by(table.c.id.desc())))


def method(connection: Connection, number: int, hospital: int | None, now: datetime) -> Method:
    """One of them.

    Raises
    ------
    InputError
        ``archive.not-found``.
    """
    for one in methods(connection, hospital, now):
        if one.number == number:
            return one
    raise InputError(NO_SUCH_THING)


def _json(written: str) -> Mapping[str, object]:
    try:
        found = json.loads(written)
    except ValueError as error:
        raise InputError(WRONG_METHOD, fault=text("it is no JSON")) from error
    except RecursionError as error:
        raise InputError(WRONG_METHOD, fault=text("it is nested too deeply")) from error
    if not isinstance(found, dict):
        raise InputError(WRONG_METHOD, fault=text("it is no JSON object"))
    return found


def _method(row: Row[tuple[object, ...]]) -> Method:
    return Method(
        number=row.id,
        kind=MethodKind(row.kind),
        hospital=row.hospital,
        author=row.author,
        title=row.title,
        description=row.description,
        content=row.content,
        evidence=row.evidence,
        made_at=row.made_at,
    )
