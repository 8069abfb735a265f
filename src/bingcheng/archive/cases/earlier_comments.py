"""Comments that were written before comments were searched for the patient's identity: looked through once.

As with new ones only those of the case's own hospital are; but they stand there already. So nothing is refused: the
moderators of the case are told where to look, and what was found stays open until one of them decides.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from datetime import datetime

from sqlalchemy import Connection, insert, select, update

from bingcheng.archive.authorisation.action import Action
from bingcheng.archive.cases import tables
from bingcheng.archive.cases.attached.file import PLAIN_TEXT
from bingcheng.archive.cases.free_text import found_in, identifiers, said_of
from bingcheng.archive.cases.notices import NoticeKind, tell, who_may
from bingcheng.archive.codec import encoded
from bingcheng.archive.people.tables import person as person_table
from bingcheng.core.wording import text


def search_earlier_comments(connection: Connection, now: datetime) -> int:
    """Look through all comments that are shown, and tell the moderators; returns in how many something was found."""
    said, about, who = tables.case_comment.c, tables.shared_case.c, person_table.c
    query = (
        select(said.id, said.case_id, said.at, said.words, about.hospital)
        .join_from(tables.case_comment, tables.shared_case, about.id == said.case_id)
        .join(person_table, who.id == said.person)
        .where(who.hospital == about.hospital, said.deleted_at.is_(None), said.hidden_at.is_(None))
        .order_by(said.case_id, said.id)
    )
    by_case = defaultdict(list)
    for row in connection.execute(query).all():
        by_case[row.case_id, row.hospital].append(row)
    told: set[int] = set()
    count = 0
    for (case, hospital), rows in by_case.items():
        known = identifiers(connection, case, hospital)
        for row in rows:
            places = list(found_in({"comment": row.words, **dict(_files(connection, row.id))}, known))
            if places:
                values = {"comment": row.id, "at": row.at, "because": encoded(said_of(places))}
                connection.execute(insert(tables.case_comment_found), values)
                told.add(hospital)
                count += 1
    says = text("Comments that were written before comments were searched may tell who the patient is.")
    for hospital in sorted(told):
        moderators = [one.number for one in who_may(connection, Action.MODERATE, hospital)]
        tell(connection, moderators, NoticeKind.MODERATION, says, link="/reported", now=now)
    return count


def settle_found(connection: Connection, comment: int, now: datetime) -> None:
    """Let what was found in a comment be open no longer."""
    table = tables.case_comment_found
    mine = (table.c.comment == comment, table.c.settled_at.is_(None))
    connection.execute(update(table).where(*mine).values(settled_at=now))


def _files(connection: Connection, comment: int) -> Iterator[tuple[str, str]]:
    """What can be read of the files of a comment: their names, and the words of those that are text."""
    file = tables.case_attachment.c
    rows = connection.execute(select(file.name, file.kind, file.content).where(file.comment == comment))
    for number, row in enumerate(rows, start=1):
        yield f"file {number}", row.name
        if row.kind == PLAIN_TEXT:
            yield f"content {number}", bytes(row.content).decode("utf-8", "replace")
