"""``/admin/store``: how much is stored, what waits or failed, and deleting a study."""

from __future__ import annotations

import re
import shutil
from typing import Annotated, Literal

from fastapi import APIRouter, Depends, Form, Request
from sqlalchemy import Connection
from starlette.responses import RedirectResponse, Response

from bingcheng.archive.audit.event import EventAction
from bingcheng.archive.audit.event_code import EventCode
from bingcheng.archive.authorisation.action import Action
from bingcheng.archive.authorisation.actor import Actor
from bingcheng.archive.authorisation.decision import decide
from bingcheng.archive.authorisation.spaces import hospital_space
from bingcheng.archive.dimse.peers import peers
from bingcheng.archive.jobs.queue import (
    Job,
    JobState,
    ask_again,
    counts,
    failed,
    hasten,
    open_job,
    open_jobs,
    stop,
)
from bingcheng.archive.jobs.target import Target
from bingcheng.archive.objects.attributes import Level
from bingcheng.archive.objects.query import Query
from bingcheng.archive.objects.rows import StudyRow
from bingcheng.archive.people.problems import NO_SUCH_THING
from bingcheng.core.errors import InputError
from bingcheng.core.wording import Text, text
from bingcheng.server.dicom_admin.managed import managed_hospitals, own_space
from bingcheng.server.dicom_admin.problems import WRONG_ENDING
from bingcheng.server.dicom_admin.sending import wake
from bingcheng.server.dicom_admin.sizes import size_in_words
from bingcheng.server.dicom_admin.words import KIND_WORDS, LATER, RUNNING, WAITING
from bingcheng.server.pages.page import page
from bingcheng.server.pages.told import Told, told
from bingcheng.server.security.required import allowed
from bingcheng.server.security.traced import saw_studies, traced
from bingcheng.server.site import Site, site

router = APIRouter(include_in_schema=False)

Manager = Annotated[Actor, allowed(Action.MANAGE_HOSPITAL)]
Remover = Annotated[Actor, allowed(Action.DELETE_OBJECTS)]
Where = Annotated[Site, Depends(site)]
STUDIES_A_PAGE = 50
MOST_FAILED = 200
MOST_OPEN = 50
ENDING = 6
"""Characters of its UID that are typed to delete a study."""
_UID = re.compile(r"[0-9.]{1,64}")


@router.get("/admin/store")
def store(request: Request, actor: Manager, where: Where, uid: str = "", part: int = 1) -> Response:
    """What is stored; the studies only for those who may delete them."""
    with where.workspace.reading() as connection:
        homes = {hospital_space(one.number): one.name for one in managed_hospitals(connection, actor)}
        states = counts(connection, list(homes))
        wrong = failed(connection, list(homes), most=MOST_FAILED)
        still = open_jobs(connection, list(homes), most=MOST_OPEN)
        titles = _titles(connection, (*wrong, *still))
    lists = decide(actor, Action.DELETE_OBJECTS).allowed and actor.hospital is not None
    at = min(max(part, 1), 1_000_000)
    studies, count = _studies(where, own_space(actor), uid.strip(), at) if lists else ([], 0)
    saw_studies(request, [one.study_uid for one in studies])
    return page(
        request,
        "dicom/store.html.jinja",
        actor=actor,
        statistics=where.objects.statistics(list(homes)) if homes else [],
        homes=homes,
        disk=shutil.disk_usage(where.workspace.folder),
        amounts=(
            (text("Waiting"), states[JobState.WAITING]),
            (text("Running"), states[JobState.RUNNING]),
            (text("Failed"), len(wrong)),
        ),
        failed=wrong,
        open_jobs=still,
        open_words=_open_words,
        kind_words=KIND_WORDS,
        titles=titles,
        lists=lists,
        studies=studies,
        count=count,
        uid=uid,
        part=at,
        parts=max(-(-count // STUDIES_A_PAGE), 1),
        size_in_words=size_in_words,
    )


@router.post("/admin/store/retry")
def retry(request: Request, actor: Manager, where: Where, job: Annotated[str, Form(max_length=16)] = "") -> Response:
    """Ask for what failed once more: for one job, or without a number for all."""
    with where.workspace.writing() as connection:
        homes = [hospital_space(one.number) for one in managed_hospitals(connection, actor)]
        again = [one for one in failed(connection, homes, most=MOST_FAILED) if job in ("", str(one.number))]
        for one in again:
            ask_again(connection, one, where.now())
    trace = traced(request)
    trace.code, trace.subject, trace.count = EventCode.APPLICATION_ACTIVITY, "jobs", len(again)
    saw_studies(request, [one.study_uid for one in again])
    wake(request)
    return RedirectResponse("/admin/store", 303)


@router.post("/admin/store/jobs")
def change_job(
    request: Request,
    actor: Manager,
    where: Where,
    job: Annotated[int, Form()],
    what: Annotated[Literal["stop", "first"], Form()] = "first",
) -> Response:
    """Stop a job that is open, or let it be done before all others."""
    with where.workspace.writing() as connection:
        homes = [hospital_space(one.number) for one in managed_hospitals(connection, actor)]
        found = open_job(connection, homes, job)
        if found is not None and what == "stop":
            stop(connection, found.number, where.now())
        elif found is not None:
            hasten(connection, found.number)
    trace = traced(request)
    trace.code, trace.subject = EventCode.APPLICATION_ACTIVITY, "jobs"
    saw_studies(request, [] if found is None else [found.study_uid])
    wake(request)
    return RedirectResponse("/admin/store#jobs-title", 303)


@router.get("/admin/store/{study_uid}")
def one_study(request: Request, study_uid: str, actor: Remover, where: Where) -> Response:
    """A stored study, and the form to delete it."""
    return _study_page(request, study_uid, actor, where)


@router.post("/admin/store/{study_uid}")
def delete_study(
    request: Request,
    study_uid: str,
    actor: Remover,
    where: Where,
    ending: Annotated[str, Form(max_length=64)] = "",
) -> Response:
    """Delete a study for good."""
    found = _study(where, actor, study_uid)
    if ending.strip() != found.study_uid[-ENDING:]:
        return _study_page(request, study_uid, actor, where, problem=told(InputError(WRONG_ENDING)))
    trace = traced(request)
    trace.event_action = EventAction.DELETE
    trace.count = where.objects.remove(found.space, found.study_uid)
    return RedirectResponse("/admin/store", 303)


def _studies(where: Site, space: str, uid: str, part: int) -> tuple[list[StudyRow], int]:
    """One page of the studies of a space, the newest first, and how many there are."""
    if uid and not _UID.fullmatch(uid):
        return [], 0
    match = {"StudyInstanceUID": uid} if uid else {}
    asked = Query(match=match, limit=STUDIES_A_PAGE, offset=(part - 1) * STUDIES_A_PAGE)
    return where.objects.studies(asked, [space]), where.objects.count(Level.STUDY, asked, [space])


def _study(where: Site, actor: Actor, uid: str) -> StudyRow:
    found, _ = _studies(where, own_space(actor), uid, 1) if _UID.fullmatch(uid) else ([], 0)
    if not found:
        raise InputError(NO_SUCH_THING)
    return found[0]


def _study_page(request: Request, uid: str, actor: Actor, where: Site, *, problem: Told | None = None) -> Response:
    return page(
        request,
        "dicom/stored_study.html.jinja",
        actor=actor,
        status=200 if problem is None else 400,
        study=_study(where, actor, uid),
        ending=ENDING,
        size_in_words=size_in_words,
        problem=problem,
    )


def _open_words(job: Job) -> Text:
    """How far a job is that is not over."""
    if job.state is JobState.RUNNING:
        return job.step or RUNNING
    return LATER if job.reason is not None else WAITING


def _titles(connection: Connection, jobs: tuple[Job, ...]) -> dict[int, str]:
    """The title of the peer to which each of the jobs sends, by the job's number."""
    known = {one.number: one.ae_title for one in peers(connection)}
    aims = {one.number: Target.of(one.target).peer for one in jobs if one.target is not None}
    return {number: known.get(peer, "–") for number, peer in aims.items()}
