"""Which case a person may see or change; what may not be seen is as if it weren't there."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta

from fastapi import Request
from sqlalchemy import Connection, select

from bingcheng.archive.authorisation.action import Action
from bingcheng.archive.authorisation.actor import Actor
from bingcheng.archive.authorisation.decision import decide
from bingcheng.archive.authorisation.subject import Subject, SubjectKind
from bingcheng.archive.cases import tables
from bingcheng.archive.cases.case import Case, CaseStatus, case
from bingcheng.archive.cases.discussion import comments
from bingcheng.archive.cases.grants import Given, granted
from bingcheng.archive.cases.methods import Method, method
from bingcheng.archive.cases.notices import reads_cases
from bingcheng.archive.cases.opinions import day_at
from bingcheng.archive.cases.search import Reader, visible
from bingcheng.archive.people.hospital import hospitals
from bingcheng.archive.people.person import Person, persons
from bingcheng.archive.people.problems import NO_SUCH_THING
from bingcheng.core.errors import InputError
from bingcheng.server.pages.page import zone_of
from bingcheng.server.security.traced import saw_studies, traced
from bingcheng.server.site import Site

LARGEST_NUMBER = 2**31 - 1


def case_to(request: Request, connection: Connection, actor: Actor, number: int, action: Action, now: datetime) -> Case:
    """The case, if `actor` may do `action` to it now; noted for the audit trail with its studies.

    Drafts and withdrawn cases are seen by those who publish for their hospital alone.

    Raises
    ------
    InputError
        ``archive.not-found``: the same for a case that does not exist and for one that may not be seen.
    """
    if not 0 < number <= LARGEST_NUMBER:
        raise InputError(NO_SUCH_THING)
    known = case(connection, number)
    published = known.status is CaseStatus.PUBLISHED
    given = published and granted(connection, Given.CASE, number, actor.hospital, now)
    subject = Subject(kind=SubjectKind.CASE, hospital=known.hospital, case=number, granted=given)
    shut = not published and not decide(actor, Action.PUBLISH_CASE, subject).allowed and action in _READS
    if shut or not decide(actor, action, subject).allowed:
        raise InputError(NO_SUCH_THING)
    trace = traced(request)
    trace.case, trace.hospital = number, known.hospital
    table = tables.case_exam.c
    saw_studies(request, connection.scalars(select(table.study_uid).where(table.case_id == number)).all())
    return known


def method_to(request: Request, actor: Actor, number: int, where: Site) -> Method:
    """The shared protocol or method, if the actor's hospital may see it now; noted for the audit trail.

    Raises
    ------
    InputError
        ``archive.not-found``.
    """
    if not 0 < number <= LARGEST_NUMBER:
        raise InputError(NO_SUCH_THING)
    with where.workspace.reading() as connection:
        known = method(connection, number, actor.hospital, where.now())
    traced(request).subject, traced(request).hospital = f"shared/{number}", known.hospital
    return known


_READS = frozenset({Action.READ_CASE, Action.COMMENT, Action.ASK_OPINION, Action.MODERATE})


def may_to(actor: Actor, action: Action, known: Case) -> bool:
    """Whether `actor` may do something to a case of which it is known that it may be seen."""
    return decide(actor, action, Subject(kind=SubjectKind.CASE, hospital=known.hospital, case=known.number)).allowed


def reader_of(actor: Actor) -> Reader:
    """How a search knows the actor."""
    return Reader(hospital=actor.hospital, publishes=decide(actor, Action.PUBLISH_CASE).allowed, person=actor.person)


def readable_cases(connection: Connection, actor: Actor, numbers: Sequence[int], now: datetime) -> set[int]:
    """Those of these cases that the actor may read now."""
    table = tables.shared_case.c
    return set(connection.scalars(select(table.id).where(table.id.in_(numbers), visible(reader_of(actor), now))))


def person_number(actor: Actor) -> int:
    """The number of the person who asks; the guard of the route has made sure that there is one.

    Raises
    ------
    InputError
        ``archive.not-found``.
    """
    if actor.person is None:
        raise InputError(NO_SUCH_THING)
    return actor.person


def hospital_of(actor: Actor) -> int:
    """The number of the hospital of the person who asks.

    Raises
    ------
    InputError
        ``archive.not-found``: the person belongs to none.
    """
    if actor.hospital is None:
        raise InputError(NO_SUCH_THING)
    return actor.hospital


def people_of(connection: Connection, actor: Actor, known: Case, now: datetime) -> list[Person]:
    """Who may be named in a discussion by the actor: those who may read the case.

    Where a case does not show its hospital, others are not told who belongs to it, but for those who spoke.
    """
    hidden = actor.hospital != known.hospital and not known.written.show_hospital
    spoke = {one.person for one in comments(connection, known.number)} if hidden else set()
    given: dict[int | None, bool] = {known.hospital: True}
    found = []
    for one in persons(connection):
        if one.hospital not in given:
            given[one.hospital] = granted(connection, Given.CASE, known.number, one.hospital, now)
        named = not hidden or one.hospital != known.hospital or one.number in spoke
        if given[one.hospital] and named and reads_cases(one):
            found.append(one)
    return found


def people_by_number(connection: Connection) -> dict[int, str]:
    """How people are called."""
    return {one.number: one.name for one in persons(connection)}


def hospitals_by_number(connection: Connection) -> dict[int, str]:
    """How hospitals are called."""
    return {one.number: one.name for one in hospitals(connection)}


def today(where: Site) -> date:
    """The day where the installation is."""
    return day_at(where.now(), zone_of(where.settings))


def last_day(where: Site, end: datetime) -> date:
    """The last day of something that ends at a time (UTC)."""
    return day_at(end - timedelta(seconds=1), zone_of(where.settings))


def end_of_day(where: Site, written: str) -> datetime | None:
    """The end (UTC) of a day, where the installation is, that a form names; None of an empty one.

    Raises
    ------
    InputError
        ``archive.not-found`` if it is no day.
    """
    found = day_of(written)
    if found is None:
        return None
    # Of a time without a zone `astimezone` takes the machine's.
    midnight = datetime.combine(found + timedelta(days=1), datetime.min.time(), zone_of(where.settings))
    return midnight.astimezone(UTC).replace(tzinfo=None)


def day_of(written: str) -> date | None:
    """The day that a form names; None of an empty one.

    Raises
    ------
    InputError
        ``archive.not-found`` if it is no day.
    """
    if not written.strip():
        return None
    try:
        found = date.fromisoformat(written.strip())
    except ValueError as error:
        raise InputError(NO_SUCH_THING) from error
    if not date(2000, 1, 1) <= found <= date(2200, 1, 1):
        raise InputError(NO_SUCH_THING)
    return found
