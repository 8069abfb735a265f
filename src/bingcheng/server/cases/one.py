"""``/cases/<number>``: one case with its images, numbers, quiz and discussion; and as its readers will see it."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Form, Request
from sqlalchemy import Connection
from starlette.responses import JSONResponse, RedirectResponse, Response, StreamingResponse

from bingcheng.archive.audit.event_code import EventCode
from bingcheng.archive.authorisation.action import Action
from bingcheng.archive.authorisation.actor import Actor
from bingcheng.archive.authorisation.decision import decide
from bingcheng.archive.authorisation.spaces import case_space
from bingcheng.archive.cases.case import Case, CaseStatus
from bingcheng.archive.cases.changes import case_changes
from bingcheng.archive.cases.collections import Collection, collections, items
from bingcheng.archive.cases.discussion import Comment, comments, threads, unmet
from bingcheng.archive.cases.facts import CaseExam, case_exams, case_protocols, case_values
from bingcheng.archive.cases.grants import Given, granted
from bingcheng.archive.cases.opinions import opinions_of
from bingcheng.archive.cases.pictures import waiting
from bingcheng.archive.cases.quiz import answer, answers
from bingcheng.archive.cases.reading_list import keep_opened, kept, opened
from bingcheng.archive.cases.reports import Report, open_reports
from bingcheng.archive.cases.unlocking import unlock
from bingcheng.archive.jobs.queue import OPEN, JobState
from bingcheng.archive.people.problems import NO_SUCH_THING
from bingcheng.core.errors import InputError
from bingcheng.server.cases.images import anchored, marked
from bingcheng.server.cases.making import case_job, progress_words
from bingcheng.server.cases.markdown import rendered
from bingcheng.server.cases.numbers import lesion_numbers, protocol_name
from bingcheng.server.cases.objects_zip import zipped
from bingcheng.server.cases.origin import origin
from bingcheng.server.cases.places import shelves
from bingcheng.server.cases.seen import (
    case_to,
    hospitals_by_number,
    may_to,
    people_by_number,
    people_of,
    person_number,
    readable_cases,
    today,
)
from bingcheng.server.cases.words import CONFORM_WORDS, LICENCES, OPINION_WORDS, STATUS_WORDS, TAKEN_WORDS
from bingcheng.server.exams.words import STATE_WORDS
from bingcheng.server.pages.page import language_of, page
from bingcheng.server.pages.told import Told
from bingcheng.server.security.required import allowed
from bingcheng.server.security.traced import traced
from bingcheng.server.site import Site, site
from bingcheng.server.viewer.links import has_tumour_volume, study_link, tumour_volume_link

router = APIRouter(include_in_schema=False)
Where = Annotated[Site, Depends(site)]
Reading = Annotated[Actor, allowed(Action.READ_CASE, Action.MODERATE)]


@dataclass(frozen=True, slots=True, kw_only=True)
class Draft:
    """What somebody was writing in the discussion when it was refused.

    Parameters
    ----------
    answers, changes, hides, reports : the number of the comment that it is about; all None for a new thread.
    place : where the thread would hang, as the form says it.
    files : whether files were to hang at it, which must be chosen again.
    """

    words: str
    answers: int | None = None
    changes: int | None = None
    hides: int | None = None
    reports: int | None = None
    place: Mapping[str, str] = field(default_factory=dict)
    files: bool = False

    @property
    def begins(self) -> bool:
        """Whether it was to begin a thread."""
        return self.answers is self.changes is self.hides is self.reports is None


@router.get("/cases/{case_number}")
def shown(
    request: Request, case_number: int, actor: Reading, where: Where, collection: str = "", reported: str = ""
) -> Response:
    """The page; in a collection, with the way to its other cases. `reported` says that a comment just was."""
    answer = case_page(request, actor, where, case_number, collection=collection, reported=bool(reported))
    _keep_opened(where, actor, case_number)
    return answer


def _keep_opened(where: Site, actor: Actor, number: int) -> None:
    """Keep that a person opened a case: it is new to him or her no longer. Only the first time is written."""
    if actor.person is None:
        return
    with where.workspace.reading() as connection:
        known = opened(connection, actor.person, [number])
    if not known:
        with where.workspace.writing() as connection:
            keep_opened(connection, actor.person, number, where.now())


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
        person, now = person_number(actor), where.now()
        answer(connection, case_number, asked, int(choice), person=person, now=now)
        if all(answers(connection, case_number, one, person).mine is not None for one in known.written.questions):
            unlock(connection, person, case_number, now)
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

    def check() -> None:
        moment = where.now()
        with where.workspace.reading() as connection:
            now_known = case_to(request, connection, actor, case_number, Action.READ_CASE, moment)
            if not _downloads(connection, actor, now_known, moment):
                raise InputError(NO_SUCH_THING)

    stored = [one for uid in studies for one in where.objects.instances_of([case_space(case_number)], uid)]
    headers = {"content-disposition": f'attachment; filename="case-{case_number}.zip"'}
    return StreamingResponse(zipped(where.objects, stored, check), media_type="application/zip", headers=headers)


@router.get("/cases/{case_number}/preview")
def preview(
    request: Request, case_number: int, actor: Annotated[Actor, allowed(Action.PUBLISH_CASE)], where: Where
) -> Response:
    """The page as readers elsewhere see it, or will see it; nothing on it can be sent."""
    with where.workspace.reading() as connection:
        case_to(request, connection, actor, case_number, Action.PUBLISH_CASE, where.now())
    return case_page(request, actor, where, case_number, preview=True)


def case_page(
    request: Request,
    actor: Actor,
    where: Site,
    number: int,
    *,
    preview: bool = False,
    collection: str = "",
    reported: bool = False,
    problem: Told | None = None,
    draft: Draft | None = None,
    status: int = 200,
) -> Response:
    """The page of a case, with what was wrong with a form of it.

    Parameters
    ----------
    preview : as somebody of another hospital sees it who only reads.
    collection : number of the collection in which it is read, as the address says it.
    draft : what somebody was writing when it was refused; it stands in its form again.
    """
    now = where.now()
    with where.workspace.reading() as connection:
        known = case_to(request, connection, actor, number, _reading(actor), now)
        own = actor.hospital == known.hospital and not preview
        came = origin(connection, number)
        values = _values(request, connection, actor, where, known)
        values |= {
            "case": known,
            "own": own,
            "origin": came,
            "writes": own and came is None and may_to(actor, Action.PUBLISH_CASE, known),
            "quiz": [
                (one, answers(connection, number, one, None if preview else actor.person))
                for one in known.written.questions
            ],
            "opinions": opinions_of(connection, number) if own else (),
            "downloads": not preview and _downloads(connection, actor, known, now),
            "waiting": waiting(connection, number) if own else 0,
            "job": case_job(connection, number) if own else None,
            "course": _course(connection, actor, number, collection, now),
            "kept": None if preview or actor.person is None else kept(connection, actor.person, number),
            "reports": _reports(connection, known) if not preview and may_to(actor, Action.MODERATE, known) else {},
            "collections": () if preview else _collections(connection, actor, number, now),
        }
    pictured = known.status is CaseStatus.PUBLISHED or may_to(actor, Action.PUBLISH_CASE, known)
    return page(
        request,
        "cases/case.html.jinja",
        actor=actor,
        status=status,
        preview=preview,
        rendered=rendered,
        open=OPEN,
        State=JobState,
        Status=CaseStatus,
        state_words=STATE_WORDS,
        status_words=STATUS_WORDS,
        conform_words=CONFORM_WORDS,
        protocol_name=protocol_name,
        opinion_words=OPINION_WORDS,
        taken_words=TAKEN_WORDS,
        licences=dict(LICENCES),
        today=today(where),
        draft=draft,
        reported=reported,
        may_to=lambda action: not preview and may_to(actor, action, known),
        problem=problem,
        **_viewing(values["exams"], pictured=pictured and known.status is not CaseStatus.WITHDRAWN),
        **values,
    )


def _values(request: Request, connection: Connection, actor: Actor, where: Site, known: Case) -> dict[str, Any]:
    """What everybody who reads a case sees of it."""
    said = comments(connection, known.number)
    needed = known.written.key_images or any(one.anchor.sop_uid for one in said)
    reads = known.status is not CaseStatus.WITHDRAWN and decide(actor, Action.READ_CASE).allowed
    shelf = shelves(request, connection, where, known.number) if needed and reads else {}
    return {
        "exams": case_exams(connection, known.number),
        "lesions": lesion_numbers(
            case_values(connection, known.number), case_changes(connection, known.number), language_of(request)
        ),
        "protocols": case_protocols(connection, known.number),
        "threads": threads(said),
        "untold": _untold(connection, actor, known, said, where.now()),
        "spots": anchored(shelf, said),
        "keys": marked(shelf, known),
        "key_numbers": {one: number for number, one in enumerate(known.written.key_images, start=1)},
        "names": people_by_number(connection),
        "hospitals": hospitals_by_number(connection),
    }


def _untold(
    connection: Connection, actor: Actor, known: Case, said: Sequence[Comment], now: datetime
) -> Mapping[int, tuple[str, ...]]:
    """Whom the reader's own comments name and who can't be told of them, by comment."""
    mine = [one for one in said if one.person == actor.person and one.shown and "@" in one.words]
    people = people_of(connection, actor, known, now) if mine else []
    found = {one.number: unmet(one.words, people) for one in mine}
    return {number: names for number, names in found.items() if names}


def _reports(connection: Connection, known: Case) -> Mapping[int, list[Report]]:
    """What is reported and not settled, by comment."""
    found: defaultdict[int, list[Report]] = defaultdict(list)
    for one in open_reports(connection, case=known.number):
        found[one.comment].append(one)
    return found


def _collections(connection: Connection, actor: Actor, number: int, now: datetime) -> list[Collection]:
    """The collections of the actor's hospital into which the case can be put."""
    if not decide(actor, Action.PUBLISH_CASE).allowed:
        return []
    own = (one for one in collections(connection, actor.hospital, now) if one.hospital == actor.hospital)
    return [one for one in own if all(item.case != number for item in items(connection, one.number))]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Course:
    """Where a case stands among those of a collection that the reader may see; None at either end."""

    collection: Collection
    place: int
    count: int
    before: int | None
    after: int | None


def _course(connection: Connection, actor: Actor, number: int, asked: str, now: datetime) -> _Course | None:
    meant = int(asked) if asked.isascii() and asked.isdecimal() and len(asked) < 10 else 0
    found = next((one for one in collections(connection, actor.hospital, now) if one.number == meant), None)
    if found is None:
        return None
    order = [one.case for one in items(connection, meant)]
    shown = readable_cases(connection, actor, order, now)
    order = [one for one in order if one in shown]
    if number not in order:
        return None
    at = order.index(number)
    return _Course(
        collection=found,
        place=at + 1,
        count=len(order),
        before=order[at - 1] if at else None,
        after=order[at + 1] if at + 1 < len(order) else None,
    )


def _viewing(exams: Sequence[CaseExam], *, pictured: bool) -> dict[str, Any]:
    """Where the images are seen; nowhere while nobody may see them."""
    studies = [one.study_uid for one in exams] if pictured else []
    modalities = {modality for one in exams for modality in one.modalities}
    return {
        "viewer": study_link(studies) if studies else None,
        "tumour_volume": tumour_volume_link(studies[-1]) if studies and has_tumour_volume(modalities) else None,
    }


def _reading(actor: Actor) -> Action:
    """By which right the page is read: moderators who read no cases see what they moderate."""
    return Action.READ_CASE if decide(actor, Action.READ_CASE).allowed else Action.MODERATE


def _downloads(connection: Connection, actor: Actor, known: Case, now: datetime) -> bool:
    if known.status is not CaseStatus.PUBLISHED:
        return False
    if actor.hospital == known.hospital:
        return True
    return granted(connection, Given.CASE, known.number, actor.hospital, now, download=True)
