"""Who knows the answer of a case that hides it: its author, and who asked for it or answered all its questions.

To them a search finds the case by its answer too; to all others that would tell it.
"""

from __future__ import annotations

from collections import defaultdict
from datetime import datetime

from sqlalchemy import Connection, insert, or_, select
from sqlalchemy.exc import IntegrityError

from bingcheng.archive.cases import tables
from bingcheng.archive.cases.case import Written
from bingcheng.archive.codec import decoded


def unlock(connection: Connection, person: int, case: int, now: datetime) -> None:
    """Keep that a person knows the answer of a case; the first time counts."""
    table = tables.case_unlocked
    known = select(table.c.case_id).where(table.c.person == person, table.c.case_id == case)
    if connection.scalar(known) is not None:
        return
    try:
        with connection.begin_nested():
            connection.execute(insert(table), {"person": person, "case_id": case, "at": now})
    except IntegrityError:
        return  # another request of the same person did in the same instant


def known_answers(connection: Connection, person: int | None) -> frozenset[int]:
    """The cases that hide an answer which a person knows."""
    if person is None:
        return frozenset()
    case, table = tables.shared_case.c, tables.case_unlocked.c
    unlocked = select(table.case_id).where(table.person == person)
    hiding = select(case.id).where(case.answer_words.is_not(None), or_(case.author == person, case.id.in_(unlocked)))
    return frozenset(connection.scalars(hiding))


def unlock_answered(connection: Connection) -> None:
    """Keep who answered all questions of a case that hides its answer: earlier releases kept only the answers."""
    case, given = tables.shared_case.c, tables.case_answer.c
    for number, record in connection.execute(select(case.id, case.record).where(case.answer_words.is_not(None))).all():
        asked = {one.name for one in decoded(Written, record).questions}
        said: defaultdict[int, dict[str, datetime]] = defaultdict(dict)
        query = select(given.person, given.question, given.at).where(given.case_id == number)
        for person, question, at in connection.execute(query):
            said[person][question] = at
        for person, answers in said.items():
            if asked and asked <= set(answers):
                unlock(connection, person, number, max(answers.values()))
