"""The files that hang at comments, as they are kept: each cleaned before, and what was taken out told beside it."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, Row, insert, select, update

from bingcheng.archive.cases import tables
from bingcheng.archive.cases.attached.file import LARGEST_MB, CleanFile, cleaned
from bingcheng.archive.cases.attached.taken import Taken
from bingcheng.archive.cases.problems import NOT_CLEANED, WRONG_ATTACHMENT
from bingcheng.archive.people.problems import NO_SUCH_THING
from bingcheng.core.errors import InputError
from bingcheng.core.wording import text

MOST_ATTACHMENTS = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class Attachment:
    """A file that hangs at a comment; its kind is told by its content.

    Parameters
    ----------
    size : bytes.
    taken : what was taken out of it; None of a file of an earlier release that couldn't be cleaned: nobody gets it.
    """

    number: int
    comment: int
    name: str
    kind: str
    size: int
    taken: tuple[Taken, ...] | None


def attach(connection: Connection, number: int, file: CleanFile) -> int:
    """Hang a file at a comment; returns its number.

    Raises
    ------
    InputError
        ``archive.wrong-attachment``: there are enough.
    """
    table = tables.case_attachment
    hanging = connection.scalars(select(table.c.id).where(table.c.comment == number)).all()
    if len(hanging) >= MOST_ATTACHMENTS:
        raise InputError(WRONG_ATTACHMENT, size_mb=LARGEST_MB)
    row = {"comment": number, "name": file.name, **_columns(file)}
    return int(connection.execute(insert(table).returning(table.c.id), row).scalar_one())


def attachments(connection: Connection, comments: Sequence[int]) -> Mapping[int, list[Attachment]]:
    """The files that hang at these comments, by comment."""
    table, found = tables.case_attachment.c, defaultdict[int, list[Attachment]](list)
    listed = select(table.id, table.comment, table.name, table.kind, table.size, table.taken).order_by(table.id)
    for row in connection.execute(listed.where(table.comment.in_(comments))):
        found[row.comment].append(_attachment(row))
    return found


def attachment(connection: Connection, case: int, number: int) -> tuple[Attachment, bytes]:
    """A file that hangs at a comment of a case which readers see.

    Raises
    ------
    InputError
        ``archive.not-found``; ``archive.attachment-not-cleaned``: it is of an earlier release and couldn't be cleaned.
    """
    file, said = tables.case_attachment.c, tables.case_comment.c
    query = select(tables.case_attachment).join(tables.case_comment, said.id == file.comment)
    shown = (said.case_id == case, said.deleted_at.is_(None), said.hidden_at.is_(None))
    row = connection.execute(query.where(file.id == number, *shown)).one_or_none()
    if row is None:
        raise InputError(NO_SUCH_THING)
    known = _attachment(row)
    if known.taken is None:
        raise InputError(NOT_CLEANED, why=text("it was attached before files were cleaned"))
    return known, bytes(row.content)


def clean_kept(connection: Connection) -> None:
    """Clean the files that were attached before files were: those that can't be stay, and nobody gets them."""
    table = tables.case_attachment
    for number in connection.scalars(select(table.c.id).where(table.c.taken.is_(None))).all():
        row = connection.execute(select(table.c.name, table.c.content).where(table.c.id == number)).one()
        try:
            file = cleaned(row.name, bytes(row.content))
        except InputError:
            continue
        connection.execute(update(table).where(table.c.id == number).values(_columns(file)))


def _columns(file: CleanFile) -> dict[str, object]:
    taken = " ".join(one.value for one in Taken if one in file.taken)
    return {"kind": file.kind, "size": len(file.content), "content": file.content, "taken": taken}


def _attachment(row: Row[*tuple[Any, ...]]) -> Attachment:
    taken = None if row.taken is None else tuple(map(Taken, row.taken.split()))
    return Attachment(number=row.id, comment=row.comment, name=row.name, kind=row.kind, size=row.size, taken=taken)
