"""Second opinions: asked of a hospital or one person of it, with a question and a day until when; then answered."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta, tzinfo
from enum import StrEnum

from sqlalchemy import Connection, Row, and_, insert, or_, select, update

from bingcheng.archive.authorisation.action import Action
from bingcheng.archive.cases import tables
from bingcheng.archive.cases.grants import readable
from bingcheng.archive.cases.notices import NoticeKind, tell, who_may
from bingcheng.archive.cases.problems import NO_WORDS, WRONG_AUDIENCE, WRONG_STEP
from bingcheng.archive.codec import decoded, encoded, storable
from bingcheng.archive.people.person import person as person_of
from bingcheng.archive.people.problems import NO_SUCH_THING
from bingcheng.core.errors import InputError
from bingcheng.core.wording import Text, text

LONGEST = 10_000
AHEAD = timedelta(days=3)
"""How long before its day a request is reminded of for the first time."""


class OpinionState(StrEnum):
    """How far a request is; OVERDUE is never stored: it is what an open request is after its day."""

    OPEN = "open"
    ACCEPTED = "accepted"
    ANSWERED = "answered"
    DECLINED = "declined"
    WITHDRAWN = "withdrawn"
    OVERDUE = "overdue"


UNDER_WAY = (OpinionState.OPEN, OpinionState.ACCEPTED)


class Confidence(StrEnum):
    """How sure a conclusion is."""

    LOW = "low"
    MODERATE = "moderate"
    HIGH = "high"


@dataclass(frozen=True, slots=True, kw_only=True)
class Conclusion:
    """An answer: what was seen, what it means, how sure that is, what to do; or why nothing is answered."""

    findings: str = ""
    impression: str = ""
    confidence: Confidence | None = None
    agrees: bool | None = None
    recommendation: str = ""
    reason: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Opinion:
    """One request and, once it is there, its answer."""

    number: int
    case: int
    asked_by: int
    asked_at: datetime
    question: str
    hospital: int
    person: int | None
    due_on: date | None
    stored_state: OpinionState
    answered_by: int | None
    answered_at: datetime | None
    conclusion: Conclusion | None

    def state(self, today: date) -> OpinionState:
        """How far it is today."""
        late = self.due_on is not None and self.due_on < today and self.stored_state in UNDER_WAY
        return OpinionState.OVERDUE if late else self.stored_state


def ask_opinion(
    connection: Connection,
    case: int,
    *,
    asked_by: int,
    question: str,
    hospital: int,
    person: int | None,
    due_on: date | None,
    now: datetime,
    today: date | None = None,
) -> int:
    """Ask for an opinion and tell those who are asked; returns the request's number. The case is granted apart.

    Parameters
    ----------
    today : the day where the installation is; UTC's without it.

    Raises
    ------
    InputError
        ``archive.no-words``, ``archive.wrong-audience``.
    """
    able = {one.number for one in who_may(connection, Action.COMMENT, hospital)}
    if (
        not able
        or (person is not None and person not in able)
        or (due_on is not None and due_on < (today or now.date()))
    ):
        raise InputError(WRONG_AUDIENCE)
    row = {
        "case_id": case,
        "asked_by": asked_by,
        "asked_at": now,
        "question": _said(question),
        "hospital": hospital,
        "person": person,
        "due_on": due_on,
        "state": OpinionState.OPEN.value,
        "conclusion": "",
    }
    table = tables.case_opinion
    number = int(connection.execute(insert(table).returning(table.c.id), row).scalar_one())
    says = _asks(connection, case, asked_by, of_one=person is not None)
    asked = [person] if person is not None else sorted(able)
    tell(connection, asked, NoticeKind.OPINION, says, link=f"/opinions/{number}", now=now)
    return number


def opinion(connection: Connection, number: int) -> Opinion:
    """The request of a number.

    Raises
    ------
    InputError
        ``archive.not-found``.
    """
    row = connection.execute(select(tables.case_opinion).where(tables.case_opinion.c.id == number)).one_or_none()
    if row is None:
        raise InputError(NO_SUCH_THING)
    return _opinion(row)


def opinions(connection: Connection, *, hospital: int | None, person: int | None) -> tuple[Opinion, ...]:
    """Requests to a hospital or of its cases, and those that a person made; the latest first."""
    table, cases = tables.case_opinion, tables.shared_case
    own = select(cases.c.id).where(cases.c.hospital == hospital)
    query = select(table).where(or_(table.c.hospital == hospital, table.c.asked_by == person, table.c.case_id.in_(own)))
    return tuple(_opinion(row) for row in connection.execute(query.order_by(table.c.id.desc())))


def opinions_of(connection: Connection, case: int) -> tuple[Opinion, ...]:
    """The requests about one case, the latest first."""
    table = tables.case_opinion
    rows = connection.execute(select(table).where(table.c.case_id == case).order_by(table.c.id.desc()))
    return tuple(_opinion(row) for row in rows)


def move_opinion(
    connection: Connection,
    number: int,
    state: OpinionState,
    *,
    by: int,
    now: datetime,
    conclusion: Conclusion | None = None,
) -> None:
    """Accept, answer, decline or withdraw a request; the other side is told.

    Raises
    ------
    InputError
        ``archive.case-wrong-step``, ``archive.no-words``.
    """
    known = opinion(connection, number)
    before = {OpinionState.ACCEPTED: (OpinionState.OPEN,)}.get(state, UNDER_WAY)
    if known.stored_state not in before or state in (OpinionState.OPEN, OpinionState.OVERDUE):
        raise InputError(WRONG_STEP)
    if state is OpinionState.ANSWERED:
        _said("" if conclusion is None else conclusion.impression)
    values = {
        "state": state.value,
        "answered_by": None if state is OpinionState.WITHDRAWN else by,
        "answered_at": now,
        "conclusion": "" if conclusion is None else encoded(_clean(conclusion)),
    }
    table = tables.case_opinion
    connection.execute(update(table).where(table.c.id == number).values(values))
    says = _moved(connection, state, by)
    told = [known.asked_by] if state is not OpinionState.WITHDRAWN else _asked(connection, known)
    tell(connection, [one for one in told if one != by], NoticeKind.OPINION, says, link=f"/opinions/{number}", now=now)


def remind(connection: Connection, now: datetime, *, zone: tzinfo | None = UTC) -> int:
    """Tell who is asked what is due soon, once, and from its day on once a day; and who asked, that it is overdue.

    Parameters
    ----------
    zone : in which days begin and end; None for the machine's own.

    Returns
    -------
    How many requests there were.
    """
    table, today = tables.case_opinion, day_at(now, zone)
    # Of a time without a zone `astimezone` takes the machine's.
    begun = datetime.combine(today, datetime.min.time(), zone).astimezone(UTC).replace(tzinfo=None)
    due = select(table).where(
        table.c.state.in_([one.value for one in UNDER_WAY]),
        or_(
            and_(table.c.due_on <= today, or_(table.c.reminded_at.is_(None), table.c.reminded_at < begun)),
            # Before the day once, and not on the day on which it was asked.
            and_(table.c.due_on <= today + AHEAD, table.c.reminded_at.is_(None), table.c.asked_at < begun),
        ),
    )
    rows = connection.execute(due).all()
    for row in rows:
        known = _opinion(row)
        late, link = known.state(today) is OpinionState.OVERDUE, f"/opinions/{known.number}"
        says = (
            text("A second opinion that was asked of you is overdue.")
            if late
            else text("A second opinion that was asked of you is due by {day}.", day=str(known.due_on))
        )
        can = answerable(connection, known, now)
        if can:
            tell(connection, _asked(connection, known), NoticeKind.OPINION, says, link=link, now=now)
        if late:
            says = (
                text("A second opinion that you asked for is overdue.")
                if can
                else text("A second opinion that you asked for is overdue: the case is not open to who should give it.")
            )
            tell(connection, [known.asked_by], NoticeKind.OPINION, says, link=link, now=now)
        connection.execute(update(table).where(table.c.id == known.number).values(reminded_at=now))
    return len(rows)


def answerable(connection: Connection, known: Opinion, now: datetime) -> bool:
    """Whether those who are asked may still read the case: nobody is reminded of what is shut."""
    case = tables.shared_case.c
    query = select(case.id).where(case.id == known.case, readable(known.hospital, now))
    return connection.scalar(query) is not None


def day_at(now: datetime, zone: tzinfo | None) -> date:
    """The day of a time (UTC) in a zone; None for the machine's own."""
    return now.replace(tzinfo=UTC).astimezone(zone).date()


def _asks(connection: Connection, case: int, asked_by: int, *, of_one: bool) -> Text:
    """What those are told who are asked: by whom, unless the case does not show it."""
    table = tables.shared_case.c
    if not connection.scalar(select(table.show_hospital).where(table.id == case)):
        nameless = text("A second opinion is asked of you.")
        return nameless if of_one else text("A second opinion is asked of your hospital.")
    name = person_of(connection, asked_by).name
    if of_one:
        return text("{person} asks you for a second opinion.", person=name)
    return text("{person} asks your hospital for a second opinion.", person=name)


def _moved(connection: Connection, state: OpinionState, by: int) -> Text:
    """What the other side is told of a step."""
    name = person_of(connection, by).name
    says = {
        OpinionState.ACCEPTED: text("{person} will give the second opinion that you asked for.", person=name),
        OpinionState.ANSWERED: text("{person} gave the second opinion that you asked for.", person=name),
        OpinionState.DECLINED: text("{person} declined to give the second opinion that you asked for.", person=name),
    }
    return says.get(state, text("A second opinion is no longer asked of you."))


def _asked(connection: Connection, known: Opinion) -> Iterable[int]:
    if known.person is not None:
        return [] if person_of(connection, known.person).disabled else [known.person]
    return [one.number for one in who_may(connection, Action.COMMENT, known.hospital)]


def _clean(said: Conclusion) -> Conclusion:
    long = (said.findings, said.impression, said.recommendation, said.reason)
    if any(len(one) > LONGEST for one in long):
        raise InputError(NO_WORDS, count=LONGEST)
    findings, impression, recommendation, reason = (storable(one).strip() for one in long)
    return Conclusion(
        findings=findings,
        impression=impression,
        confidence=said.confidence,
        agrees=said.agrees,
        recommendation=recommendation,
        reason=reason,
    )


def _opinion(row: Row[tuple[object, ...]]) -> Opinion:
    return Opinion(
        number=row.id,
        case=row.case_id,
        asked_by=row.asked_by,
        asked_at=row.asked_at,
        question=row.question,
        hospital=row.hospital,
        person=row.person,
        due_on=row.due_on,
        stored_state=OpinionState(row.state),
        answered_by=row.answered_by,
        answered_at=row.answered_at,
        conclusion=decoded(Conclusion, row.conclusion) if row.conclusion else None,
    )


def _said(words: str) -> str:
    said = storable(words).strip()
    if not said or len(said) > LONGEST:
        raise InputError(NO_WORDS, count=LONGEST)
    return said
