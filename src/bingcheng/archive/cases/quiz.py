"""The quiz of a case: each person answers a question once; how all answered is counted without names."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, func, insert, select

from bingcheng.archive.cases import tables
from bingcheng.archive.cases.case import Question
from bingcheng.archive.cases.problems import WRONG_STEP
from bingcheng.archive.people.problems import NO_SUCH_THING
from bingcheng.core.errors import InputError


@dataclass(frozen=True, slots=True, kw_only=True)
class Answered:
    """How a question was answered: how often each choice was taken, and by the one who asks (None: not yet)."""

    counts: tuple[int, ...]
    mine: int | None

    @property
    def total(self) -> int:
        """How many people answered."""
        return sum(self.counts)


def answer(connection: Connection, case: int, question: Question, choice: int, *, person: int, now: datetime) -> None:
    """Answer a question; the first answer stands.

    Raises
    ------
    InputError
        ``archive.not-found``, ``archive.case-wrong-step`` if the person answered it before.
    """
    if not 0 <= choice < len(question.choices):
        raise InputError(NO_SUCH_THING)
    if answers(connection, case, question, person).mine is not None:
        raise InputError(WRONG_STEP)
    row = {"case_id": case, "question": question.name, "person": person, "choice": choice, "at": now}
    connection.execute(insert(tables.case_answer), row)


def answers(connection: Connection, case: int, question: Question, person: int | None) -> Answered:
    """How a question was answered so far."""
    table = tables.case_answer.c
    this = (table.case_id == case, table.question == question.name)
    rows = connection.execute(select(table.choice, func.count()).where(*this).group_by(table.choice))
    counts = {row[0]: row[1] for row in rows}
    mine = connection.scalar(select(table.choice).where(*this, table.person == person))
    return Answered(counts=tuple(counts.get(number, 0) for number in range(len(question.choices))), mine=mine)
