"""Making a case of exams: choosing series, deciding about pictures, writing, publishing, withdrawing."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Form, Request
from sqlalchemy import Connection, select
from starlette.concurrency import run_in_threadpool
from starlette.responses import RedirectResponse, Response

from bingcheng.archive import schema
from bingcheng.archive.audit.event_code import EventCode
from bingcheng.archive.authorisation.action import Action
from bingcheng.archive.authorisation.actor import Actor
from bingcheng.archive.authorisation.spaces import case_space
from bingcheng.archive.cases.case import (
    Case,
    CaseStatus,
    Written,
    case,
    change_case,
    make_case,
    set_status,
    versions,
)
from bingcheng.archive.cases.facts import case_exams
from bingcheng.archive.cases.free_text import check_texts
from bingcheng.archive.cases.grants import Given, grants
from bingcheng.archive.cases.pictures import waiting
from bingcheng.archive.cases.problems import CHANGED_MEANWHILE, NOT_READY, WITHDRAWN_ELSEWHERE
from bingcheng.archive.cases.search import MADE
from bingcheng.archive.cases.selection import Offered, choose, offered
from bingcheng.archive.cases.tables import case_selection
from bingcheng.archive.cases.terms import terms
from bingcheng.archive.jobs.queue import OPEN, Job, JobKind, JobState, ask, latest
from bingcheng.archive.ownership import owned_by
from bingcheng.archive.people.problems import NO_SUCH_THING
from bingcheng.core.errors import BingchengError, InputError
from bingcheng.core.wording import Text, text
from bingcheng.outputs.quicklook.window import CT_WINDOWS, OWN
from bingcheng.server.cases.choosing import chosen_of, offered_images
from bingcheng.server.cases.giving import tell_given
from bingcheng.server.cases.origin import check_not_withdrawn, check_own
from bingcheng.server.cases.seen import case_to, hospital_of, people_by_number, person_number
from bingcheng.server.cases.words import LICENCES, PROFILES
from bingcheng.server.cases.written import fields_of, quiz_as_words, written_of
from bingcheng.server.exams.seen import check_exam, with_others
from bingcheng.server.exams.words import STATE_WORDS
from bingcheng.server.pages.page import language_of, page
from bingcheng.server.pages.told import Told, told
from bingcheng.server.security.refusal import status_of
from bingcheng.server.security.required import allowed
from bingcheng.server.security.traced import traced
from bingcheng.server.site import Site, site

router = APIRouter(include_in_schema=False)
Publisher = Annotated[Actor, allowed(Action.PUBLISH_CASE)]
Where = Annotated[Site, Depends(site)]


@router.get("/cases/new")
def new_form(request: Request, actor: Publisher, where: Where, study: str = "") -> Response:
    """The form: which of the patient's exams and series the case shows."""
    if not study:
        traced(request).silent = True
        return page(request, "cases/choose.html.jinja", actor=actor)
    return _form(request, actor, where, study, {})


@router.post("/cases/new")
async def make(request: Request, actor: Publisher, where: Where) -> Response:
    """Make the draft, and ask for its images to be de-identified."""
    form = await request.form()
    fields = fields_of(form)
    series = [one for one in form.getlist("series") if isinstance(one, str)]
    return await run_in_threadpool(_make, request, actor, where, fields, series)


@router.get("/cases/{case_number}/edit")
def edit_form(request: Request, case_number: int, actor: Publisher, where: Where) -> Response:
    """The form: what is written about it."""
    return _edit(request, actor, where, case_number)


@router.post("/cases/{case_number}/edit")
async def edit(request: Request, case_number: int, actor: Publisher, where: Where) -> Response:
    """Write the next version."""
    fields = fields_of(await request.form())
    return await run_in_threadpool(_keep, request, actor, where, case_number, fields)


@router.post("/cases/{case_number}/restore")
def restore(
    request: Request,
    case_number: int,
    actor: Publisher,
    where: Where,
    version: Annotated[str, Form(max_length=9)] = "",
) -> Response:
    """Write an earlier version again."""
    with where.workspace.writing() as connection:
        known = case_to(request, connection, actor, case_number, Action.PUBLISH_CASE, where.now())
        check_own(connection, case_number)
        found = next((one for one in versions(connection, case_number) if str(one.version) == version), None)
        if found is None:
            raise InputError(NO_SUCH_THING)
        if known.status is CaseStatus.PUBLISHED:
            check_texts(connection, case_number, known.hospital, found.written.texts())
        change_case(connection, case_number, found.written, person=person_number(actor), now=where.now())
    return RedirectResponse(f"/cases/{case_number}/edit", 303)


@router.post("/cases/{case_number}/prepare")
def prepare_again(request: Request, case_number: int, actor: Publisher, where: Where) -> Response:
    """De-identify the images again."""
    with where.workspace.writing() as connection:
        case_to(request, connection, actor, case_number, Action.PUBLISH_CASE, where.now())
        check_own(connection, case_number)
        ask_to_prepare(connection, case_number, where)
    wake(request)
    return RedirectResponse(f"/cases/{case_number}", 303)


@router.post("/cases/{case_number}/publish")
def publish(request: Request, case_number: int, actor: Publisher, where: Where) -> Response:
    """Publish it for the own hospital; others see it when it is given to them."""
    trace = traced(request)
    try:
        with where.workspace.writing() as connection:
            known = case_to(request, connection, actor, case_number, Action.PUBLISH_CASE, where.now())
            if not check_not_withdrawn(connection, case_number):
                _check_ready(connection, case_number)
            check_texts(connection, case_number, known.hospital, known.written.texts())
            set_status(connection, case_number, CaseStatus.PUBLISHED, where.now())
            standing = [one for one in grants(connection, Given.CASE, case_number) if one.holds(where.now())]
            audiences = [(one.audience, one.hospital or one.hospital_group) for one in standing]
            tell_given(connection, actor, Given.CASE, case_number, audiences, where.now())
    except InputError as error:
        if error.code in (NO_SUCH_THING.code, WITHDRAWN_ELSEWHERE.code):
            raise
        return _edit(request, actor, where, case_number, problem=told(error), status=status_of(error))
    trace.code = EventCode.EXPORT
    return RedirectResponse(f"/cases/{case_number}/grants", 303)


@router.post("/cases/{case_number}/withdraw")
def withdraw(request: Request, case_number: int, actor: Publisher, where: Where) -> Response:
    """Withdraw it: from this moment on nobody reads it."""
    with where.workspace.writing() as connection:
        case_to(request, connection, actor, case_number, Action.PUBLISH_CASE, where.now())
        set_status(connection, case_number, CaseStatus.WITHDRAWN, where.now())
    return RedirectResponse(f"/cases/{case_number}", 303)


def ask_to_prepare(connection: Connection, number: int, where: Site) -> None:
    """Put the de-identifying of a case's images into the queue."""
    first = connection.scalar(_first_study(number))
    if first is not None:
        ask(connection, JobKind.PUBLISH, case_space(number), first, where.now())


def case_job(connection: Connection, number: int) -> Job | None:
    """The last job of a case."""
    first, space = connection.scalar(_first_study(number)), case_space(number)
    return None if first is None else latest(connection, [space], [first]).get((space, first))


def _first_study(number: int) -> Any:
    table = case_selection.c
    return select(table.study_uid).where(table.case_id == number).order_by(table.id).limit(1)


def _check_ready(connection: Connection, number: int) -> None:
    job, held = case_job(connection, number), waiting(connection, number)
    if job is not None and job.state in OPEN:
        raise InputError(NOT_READY, what=text("its images are being de-identified"))
    if job is not None and job.state is JobState.FAILED:
        raise InputError(NOT_READY, what=text("de-identifying its images failed"))
    if held:
        raise InputError(NOT_READY, what=text("{count} of its images wait for a person's look", count=held))
    if not case_exams(connection, number):
        raise InputError(NOT_READY, what=text("it has no images"))


def _make(request: Request, actor: Actor, where: Site, fields: dict[str, str], series: Sequence[str]) -> Response:
    study, now, hospital = fields.get("study", ""), where.now(), hospital_of(actor)
    try:
        profile = next((name for name, _ in PROFILES if name == fields.get("profile")), PROFILES[0][0])
        with where.workspace.reading() as connection:
            studies = _studies(request, connection, actor, study)
            known = {one.series_uid: one for one in offered(connection, hospital, studies)}
        # Before anything is written: reading headers for the first time writes what is kept of them.
        chosen = chosen_of(request, where, hospital, [known[uid] for uid in series if uid in known], fields)
        written = written_of(fields)
        with where.workspace.writing() as connection:
            number = make_case(
                connection, hospital=hospital, author=person_number(actor), profile=profile, written=written, now=now
            )
            choose(connection, number, hospital, chosen)
            ask_to_prepare(connection, number, where)
    except BingchengError as error:
        if error.code == NO_SUCH_THING.code:
            raise
        return _form(request, actor, where, study, fields, series, problem=told(error), status=status_of(error))
    traced(request).case = number
    wake(request)
    return RedirectResponse(f"/cases/{number}", 303)


def _studies(request: Request, connection: Connection, actor: Actor, study: str) -> list[str]:
    """The exam and all others of its patient that the actor may see."""
    whose = check_exam(request, connection, actor, study, Action.READ_EXAM)
    return [study] if whose is None else list(with_others(connection, actor, whose, study))


def _form(
    request: Request,
    actor: Actor,
    where: Site,
    study: str,
    fields: dict[str, str],
    ticked: Sequence[str] | None = None,
    *,
    problem: Told | None = None,
    status: int = 200,
) -> Response:
    hospital = hospital_of(actor)
    with where.workspace.reading() as connection:
        studies = _studies(request, connection, actor, study)
        series = offered(connection, hospital, studies)
        exam = schema.exam.c
        mine = owned_by(connection, hospital)
        rows = connection.execute(select(exam.uid, exam.performed_at).where(exam.uid.in_(studies), mine))
        performed = {row.uid: row.performed_at for row in rows}
    return page(
        request,
        "cases/new.html.jinja",
        stacks=offered_images(request, where, hospital, study),
        windows=CT_WINDOWS,
        own=OWN,
        actor=actor,
        status=status,
        study=study,
        series=series,
        exams=_by_exam(series, study),
        ticked=[one.series_uid for one in series if one.study_uid == study] if ticked is None else ticked,
        performed=performed,
        fields=fields,
        profiles=PROFILES,
        licences=LICENCES,
        terms=terms(),
        problem=problem,
    )


def _by_exam(series: Sequence[Offered], study: str) -> list[tuple[str, dict[str, list[Offered]]]]:
    """The series of each exam, images and what was made of them apart; the exam from which one comes stands first."""
    found: dict[str, dict[str, list[Offered]]] = {}
    for one in sorted(series, key=lambda one: one.study_uid != study):
        parts = found.setdefault(one.study_uid, {"images": [], "made": []})
        parts["made" if one.modality in MADE else "images"].append(one)
    return list(found.items())


def _edit(
    request: Request,
    actor: Actor,
    where: Site,
    number: int,
    *,
    written: Written | None = None,
    quiz: str | None = None,
    meanwhile: bool = False,
    problem: Told | None = None,
    status: int = 200,
) -> Response:
    """The form, with what was written when it was refused; `meanwhile`: since somebody else saved another text."""
    with where.workspace.reading() as connection:
        known = case_to(request, connection, actor, number, Action.PUBLISH_CASE, where.now())
        check_own(connection, number)
        history = versions(connection, number)
        names = people_by_number(connection)
    said = written or known.written
    return page(
        request,
        "cases/edit.html.jinja",
        actor=actor,
        status=status,
        case=known,
        written=said,
        quiz=quiz_as_words(said.questions) if quiz is None else quiz,
        meanwhile=meanwhile,
        quiz_now=quiz_as_words(known.written.questions),
        versions=history,
        names=names,
        licences=LICENCES,
        terms=terms(),
        problem=problem,
    )


def _check_same(connection: Connection, known: Case, seen: str) -> None:
    """Raise if a case says something else than the version that the writer had before him; key images apart.

    Raises
    ------
    InputError
        ``archive.case-changed-meanwhile``.
    """
    before = next((one.written for one in versions(connection, known.number) if str(one.version) == seen), None)
    if before is not None and replace(before, key_images=()) != replace(known.written, key_images=()):
        raise InputError(CHANGED_MEANWHILE)


def _keep(request: Request, actor: Actor, where: Site, number: int, fields: dict[str, str]) -> Response:
    # The quiz apart: one wrong line of it must not cost all the rest that was written.
    quiz, written = fields.get("quiz", ""), written_of({**fields, "quiz": ""})
    with where.workspace.reading() as connection:
        case_to(request, connection, actor, number, Action.PUBLISH_CASE, where.now())
        check_own(connection, number)
    try:
        written = written_of(fields)
        with where.workspace.writing() as connection:
            known = case(connection, number)
            _check_same(connection, known, fields.get("version", ""))
            # Key images are marked at the images, not written here.
            written = replace(written, key_images=known.written.key_images)
            if known.status is CaseStatus.PUBLISHED:
                check_texts(connection, number, known.hospital, written.texts())
            change_case(connection, number, written, person=person_number(actor), now=where.now())
    except InputError as error:
        return _edit(
            request,
            actor,
            where,
            number,
            written=written,
            quiz=quiz,
            meanwhile=error.code == CHANGED_MEANWHILE.code,
            problem=told(error),
            status=status_of(error),
        )
    return RedirectResponse(f"/cases/{number}", 303)


def wake(request: Request) -> None:
    """Let the background look now for what was asked for."""
    background = getattr(request.app.state, "background", None)
    if background is not None:
        background.wake()


def progress_words(request: Request, job: Job | None) -> dict[str, object]:
    """How far a job is, for a page that waits for it."""
    if job is None:
        return {"state": None}
    language = language_of(request)
    step: Text | str = "" if job.step is None else job.step
    return {
        "state": job.state.value,
        "says": language.say(STATE_WORDS[job.state]),
        "step": language.say(step) if step else "",
        "done": job.done,
        "total": job.total,
        "open": job.state in OPEN,
    }
