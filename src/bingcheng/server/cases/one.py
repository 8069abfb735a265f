"""``/cases/<number>``: one case with its images, numbers, quiz and discussion; to whom it is given and who saw it."""

from __future__ import annotations

import zipfile
from collections.abc import Iterator
from datetime import datetime
from typing import IO, Annotated, Any, cast

from fastapi import APIRouter, Depends, Form, Request
from sqlalchemy import Connection, func, select
from starlette.responses import JSONResponse, RedirectResponse, Response, StreamingResponse

from bingcheng.archive.audit.event_code import EventCode
from bingcheng.archive.audit.tables import audit_event, audit_study
from bingcheng.archive.authorisation.action import Action
from bingcheng.archive.authorisation.actor import Actor
from bingcheng.archive.authorisation.decision import decide
from bingcheng.archive.authorisation.spaces import case_space
from bingcheng.archive.cases.case import Case, CaseStatus
from bingcheng.archive.cases.discussion import comments, threads
from bingcheng.archive.cases.facts import case_exams, case_protocols, case_values
from bingcheng.archive.cases.grants import Audience, Given, grant, granted, grants, withdraw_grant
from bingcheng.archive.cases.notices import NoticeKind, tell, who_may
from bingcheng.archive.cases.opinions import opinions_of
from bingcheng.archive.cases.pictures import waiting
from bingcheng.archive.cases.problems import WRONG_AUDIENCE
from bingcheng.archive.cases.quiz import answer, answers
from bingcheng.archive.jobs.queue import OPEN, JobState
from bingcheng.archive.objects.instance import Instance
from bingcheng.archive.objects.objects import Objects
from bingcheng.archive.people.hospital_group import groups
from bingcheng.archive.people.problems import NO_SUCH_THING
from bingcheng.core.errors import InputError
from bingcheng.core.units import UNITS
from bingcheng.core.wording import text
from bingcheng.server.cases.making import case_job, progress_words
from bingcheng.server.cases.markdown import rendered
from bingcheng.server.cases.seen import (
    case_to,
    end_of_day,
    hospitals_by_number,
    may_to,
    people_by_number,
    person_number,
)
from bingcheng.server.cases.words import (
    AUDIENCE_WORDS,
    CONFORM_WORDS,
    LICENCES,
    OPINION_WORDS,
    STATUS_WORDS,
)
from bingcheng.server.exams.words import STATE_WORDS
from bingcheng.server.pages.page import page
from bingcheng.server.pages.told import Told, told
from bingcheng.server.security.refusal import status_of
from bingcheng.server.security.required import allowed
from bingcheng.server.security.traced import traced
from bingcheng.server.site import Site, site
from bingcheng.server.viewer.links import has_tumour_volume, study_link, tumour_volume_link

router = APIRouter(include_in_schema=False)
Where = Annotated[Site, Depends(site)]
Reading = Annotated[Actor, allowed(Action.READ_CASE, Action.MODERATE)]
Granting = Annotated[Actor, allowed(Action.GRANT_CASE)]
CHUNK = 1 << 20
MOST_READERS = 500


@router.get("/cases/{case_number}")
def shown(request: Request, case_number: int, actor: Reading, where: Where) -> Response:
    """The page."""
    return case_page(request, actor, where, case_number)


@router.get("/cases/{case_number}/progress")
def progress(request: Request, case_number: int, actor: Reading, where: Where) -> Response:
    """How far the de-identifying is."""
    traced(request).silent = True
    with where.workspace.reading() as connection:
        case_to(request, connection, actor, case_number, _reading(actor), where.now())
        job = case_job(connection, case_number)
    return JSONResponse(progress_words(request, job))


@router.post("/cases/{case_number}/quiz")
def answer_quiz(
    request: Request,
    case_number: int,
    actor: Annotated[Actor, allowed(Action.READ_CASE)],
    where: Where,
    question: Annotated[str, Form(max_length=32)] = "",
    choice: Annotated[str, Form(max_length=2)] = "",
) -> Response:
    """Answer a question."""
    with where.workspace.writing() as connection:
        known = case_to(request, connection, actor, case_number, Action.READ_CASE, where.now())
        asked = next((one for one in known.written.questions if one.name == question), None)
        if asked is None or not choice.isdecimal():
            raise InputError(NO_SUCH_THING)
        answer(connection, case_number, asked, int(choice), person=person_number(actor), now=where.now())
    return RedirectResponse(f"/cases/{case_number}#quiz", 303)


@router.get("/cases/{case_number}/objects.zip")
def download(
    request: Request, case_number: int, actor: Annotated[Actor, allowed(Action.READ_CASE)], where: Where
) -> Response:
    """The case's objects as files, where the grant allows it."""
    now = where.now()
    with where.workspace.reading() as connection:
        known = case_to(request, connection, actor, case_number, Action.READ_CASE, now)
        if not _downloads(connection, actor, known, now):
            raise InputError(NO_SUCH_THING)
        studies = [one.study_uid for one in case_exams(connection, case_number)]
    traced(request).code = EventCode.EXPORT
    stored = [one for uid in studies for one in where.objects.instances_of([case_space(case_number)], uid)]
    headers = {"content-disposition": f'attachment; filename="case-{case_number}.zip"'}
    return StreamingResponse(_zipped(where.objects, stored), media_type="application/zip", headers=headers)


@router.get("/cases/{case_number}/grants")
def grants_page(request: Request, case_number: int, actor: Granting, where: Where) -> Response:
    """To whom it is given."""
    return _grants(request, actor, where, case_number)


@router.post("/cases/{case_number}/grants")
def give(
    request: Request,
    case_number: int,
    actor: Granting,
    where: Where,
    audience: Annotated[str, Form(max_length=24)] = "",
    until: Annotated[str, Form(max_length=10)] = "",
    may_download: Annotated[bool, Form()] = False,
) -> Response:
    """Give it to a hospital, a group or the province."""
    now = where.now()
    with where.workspace.reading() as connection:
        case_to(request, connection, actor, case_number, Action.GRANT_CASE, now)
    try:
        kind, to = audience_of(audience)
        with where.workspace.writing() as connection:
            grant(
                connection,
                Given.CASE,
                case_number,
                kind,
                to=to,
                by=person_number(actor),
                now=now,
                expires_at=end_of_day(until),
                download=may_download,
            )
            if kind is Audience.HOSPITAL:
                people = [one.number for one in who_may(connection, Action.READ_CASE, to)]
                says = text("A case was given to your hospital.")
                tell(connection, people, NoticeKind.GRANT, says, link=f"/cases/{case_number}", now=now)
    except InputError as error:
        shown_error = InputError(WRONG_AUDIENCE) if error.code == NO_SUCH_THING.code else error
        return _grants(request, actor, where, case_number, problem=told(shown_error), status=status_of(shown_error))
    return RedirectResponse(f"/cases/{case_number}/grants", 303)


@router.post("/cases/{case_number}/grants/{grant_number}/withdraw")
def take_back(request: Request, case_number: int, grant_number: int, actor: Granting, where: Where) -> Response:
    """Take a grant back, from this moment on."""
    with where.workspace.writing() as connection:
        case_to(request, connection, actor, case_number, Action.GRANT_CASE, where.now())
        if not withdraw_grant(connection, Given.CASE, case_number, grant_number, where.now()):
            raise InputError(NO_SUCH_THING)
    return RedirectResponse(f"/cases/{case_number}/grants", 303)


def audience_of(written: str) -> tuple[Audience, int | None]:
    """What a form's choice means: ``province``, ``hospital/4`` or ``group/2``.

    Raises
    ------
    InputError
        ``archive.wrong-audience``.
    """
    kind, _, number = written.partition("/")
    known = {one.value: one for one in Audience}.get(kind)
    numbered = number.isdecimal() and len(number) < 10
    if known is None or (known is Audience.PROVINCE) == numbered or (known is not Audience.PROVINCE and not numbered):
        raise InputError(WRONG_AUDIENCE)
    return known, int(number) if numbered else None


def case_page(
    request: Request, actor: Actor, where: Site, number: int, *, problem: Told | None = None, status: int = 200
) -> Response:
    """The page of a case, with what was wrong with a form of it."""
    now = where.now()
    with where.workspace.reading() as connection:
        known = case_to(request, connection, actor, number, _reading(actor), now)
        exams, values = case_exams(connection, number), case_values(connection, number)
        own = actor.hospital == known.hospital
        values_of_page: dict[str, Any] = {
            "case": known,
            "own": own,
            "exams": exams,
            "lesions": _lesions(values),
            "protocols": case_protocols(connection, number),
            "quiz": [(one, answers(connection, number, one, actor.person)) for one in known.written.questions],
            "threads": threads(comments(connection, number)),
            "opinions": opinions_of(connection, number) if own else (),
            "downloads": _downloads(connection, actor, known, now),
            "waiting": waiting(connection, number) if own else 0,
            "job": case_job(connection, number) if own else None,
            "names": people_by_number(connection),
            "hospitals": hospitals_by_number(connection),
        }
    shown_studies = [one.study_uid for one in exams]
    modalities = {modality for one in exams for modality in one.modalities}
    return page(
        request,
        "cases/case.html.jinja",
        actor=actor,
        status=status,
        viewer=study_link(shown_studies) if shown_studies and known.status is CaseStatus.PUBLISHED else None,
        tumour_volume=tumour_volume_link(shown_studies[-1])
        if shown_studies and has_tumour_volume(modalities)
        else None,
        rendered=rendered,
        open=OPEN,
        State=JobState,
        Status=CaseStatus,
        state_words=STATE_WORDS,
        status_words=STATUS_WORDS,
        conform_words=CONFORM_WORDS,
        opinion_words=OPINION_WORDS,
        licences=dict(LICENCES),
        today=now.date(),
        units=UNITS,
        may_to=lambda action: may_to(actor, action, known),
        problem=problem,
        **values_of_page,
    )


def _reading(actor: Actor) -> Action:
    """By which right the page is read: moderators who read no cases see what they moderate."""
    return Action.READ_CASE if decide(actor, Action.READ_CASE).allowed else Action.MODERATE


def _lesions(values: Any) -> list[tuple[int, list[tuple[str, str, str, dict[int, Any]]]]]:
    """Values by lesion, then by measure and modality, then by exam."""
    found: dict[int, dict[tuple[str, str, str], dict[int, Any]]] = {}
    for one in values:
        if one.lesion is not None:
            row = found.setdefault(one.lesion, {}).setdefault((one.label, one.modality, one.unit), {})
            row.setdefault(one.exam, one)
    return [
        (lesion, [(label, modality, unit, by_exam) for (label, modality, unit), by_exam in rows.items()])
        for lesion, rows in sorted(found.items())
    ]


def _downloads(connection: Connection, actor: Actor, known: Case, now: datetime) -> bool:
    if known.status is not CaseStatus.PUBLISHED:
        return False
    if actor.hospital == known.hospital:
        return True
    return granted(connection, Given.CASE, known.number, actor.hospital, now, download=True)


def _grants(
    request: Request, actor: Actor, where: Site, number: int, *, problem: Told | None = None, status: int = 200
) -> Response:
    now = where.now()
    with where.workspace.reading() as connection:
        known = case_to(request, connection, actor, number, Action.GRANT_CASE, now)
        found = grants(connection, Given.CASE, number)
        names, places = people_by_number(connection), hospitals_by_number(connection)
        teams = {one.number: one.name for one in groups(connection)}
        readers = _readers(connection, number)
    return page(
        request,
        "cases/grants.html.jinja",
        actor=actor,
        status=status,
        case=known,
        grants=found,
        now=now,
        names=names,
        hospitals=places,
        teams=teams,
        readers=readers,
        audience_words=AUDIENCE_WORDS,
        Status=CaseStatus,
        today=now.date(),
        problem=problem,
    )


def _readers(connection: Connection, number: int) -> list[tuple[int, datetime, datetime, int]]:
    """Who saw the case, first and last when, and in how many events of the audit trail: its studies are its alone."""
    studies = [one.study_uid for one in case_exams(connection, number)]
    event, seen = audit_event.c, audit_study.c
    query = (
        select(event.person, func.min(event.at), func.max(event.at), func.count(func.distinct(event.id)))
        .join(audit_study, seen.event == event.id)
        .where(seen.study_uid.in_(studies), event.person.is_not(None), event.outcome == 0)
        .group_by(event.person)
        .order_by(func.max(event.at).desc())
        .limit(MOST_READERS)
    )
    return [(row[0], row[1], row[2], row[3]) for row in connection.execute(query)]


class _Pipe:
    """What a ZIP file is written to, piece by piece."""

    def __init__(self) -> None:
        self._pieces: list[bytes] = []

    def write(self, piece: bytes) -> int:
        self._pieces.append(bytes(piece))
        return len(piece)

    def flush(self) -> None:
        """Nothing to do."""

    def taken(self) -> bytes:
        joined = b"".join(self._pieces)
        self._pieces.clear()
        return joined


def _zipped(objects: Objects, stored: list[Instance]) -> Iterator[bytes]:
    pipe = _Pipe()
    with zipfile.ZipFile(cast("IO[bytes]", pipe), "w", zipfile.ZIP_STORED) as archive:
        for one in stored:
            name = f"{one.study_uid}/{one.series_uid}/{one.sop_uid}.dcm"
            with objects.open_bytes(one) as stream, archive.open(name, "w", force_zip64=True) as entry:
                while chunk := stream.read(CHUNK):
                    entry.write(chunk)
                    yield pipe.taken()
    yield pipe.taken()
