"""``/exam/<uid>``: one exam with what to do, its quality, its measurements and what changed since the one before."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Request
from sqlalchemy import Connection, func, or_, select
from starlette.concurrency import run_in_threadpool
from starlette.responses import JSONResponse, RedirectResponse, Response

from bingcheng.archive import schema
from bingcheng.archive.audit.event import EventAction
from bingcheng.archive.authorisation.action import Action
from bingcheng.archive.authorisation.actor import Actor
from bingcheng.archive.authorisation.decision import ONLY_TO_LOOK_AT, Ground, decide
from bingcheng.archive.authorisation.role import Role
from bingcheng.archive.authorisation.subject import Subject, SubjectKind
from bingcheng.archive.exam_sources import sources_of
from bingcheng.archive.jobs.queue import OPEN, Job, JobKind, JobState, ask, latest, stop
from bingcheng.archive.objects.tables import stored_instance, stored_series, stored_study
from bingcheng.archive.ownership import HOSPITALS, owner
from bingcheng.server.dicom_admin.sending import choice_of
from bingcheng.server.exams.results import results
from bingcheng.server.exams.seen import check_exam, received_here, with_others
from bingcheng.server.exams.words import RECEIVING, STAGE_WORDS, Stage, stage_of, words_of
from bingcheng.server.pages.page import language_of, page
from bingcheng.server.security.required import allowed
from bingcheng.server.security.traced import traced
from bingcheng.server.site import Site, site
from bingcheng.server.viewer.drawn import drawings
from bingcheng.server.viewer.links import has_tumour_volume, study_link, tumour_volume_link

router = APIRouter(include_in_schema=False)
SEGMENTATION, REPORT = "1.2.840.10008.5.1.4.1.1.66.4", "1.2.840.10008.5.1.4.1.1.88"
NO_PICTURES = frozenset({"SEG", "SR", "RTSTRUCT", "PR", "KO", "DOC", ""})
"""Modalities of series without images to leaf through."""
CHANGES_FIRST = frozenset({Role.RADIOLOGIST})
"""Who wants to see first what changed; the others first see what is to be done."""


@router.get("/exam/{study_uid}")
async def shown(
    request: Request,
    study_uid: str,
    actor: Annotated[Actor, allowed(Action.READ_EXAM)],
    where: Annotated[Site, Depends(site)],
) -> Response:
    """The page."""
    return await run_in_threadpool(_page, request, study_uid, actor, where)


@router.get("/exam/{study_uid}/progress")
def progress(
    request: Request,
    study_uid: str,
    actor: Annotated[Actor, allowed(Action.READ_EXAM)],
    where: Annotated[Site, Depends(site)],
) -> Response:
    """How far the exam's job is, for the page that waits for it."""
    traced(request).silent = True
    language = language_of(request)
    with where.workspace.reading() as connection:
        whose = check_exam(request, connection, actor, study_uid, Action.READ_EXAM)
        job = _job(connection, actor, study_uid)
        images = _image_count(connection, actor, study_uid)
    stage = stage_of(job)
    waits = whose is None and images > 0 if job is None else job.state in OPEN
    says = words_of(job)
    return JSONResponse(
        {
            "state": None if job is None else job.state.value,
            "says": language.say(says),
            "step": "" if job is None or job.step is None else language.say(job.step),
            "done": 0 if job is None else job.done,
            "total": 0 if job is None else job.total,
            "images": language.plural("1 image", "{count} images", images),
            "stage": None if stage is None else stage.value,
            "open": waits,
        }
    )


@router.post("/exam/{study_uid}/judge")
def judge_again(
    request: Request,
    study_uid: str,
    actor: Annotated[Actor, allowed(Action.JUDGE_EXAM)],
    where: Annotated[Site, Depends(site)],
) -> Response:
    """Ask for the exam to be assessed again; for one whose images are absent, to be brought in from its folder."""
    traced(request).event_action = EventAction.EXECUTE
    with where.workspace.writing() as connection:
        check_exam(request, connection, actor, study_uid, Action.JUDGE_EXAM)
        if received_here(connection, actor, study_uid):
            space = f"{HOSPITALS}{actor.hospital}"
            ask(connection, JobKind.ASSESS, space, study_uid, where.now(), urgent=True)
        elif _comes_from_a_folder(connection, actor, study_uid):
            space = f"{HOSPITALS}{actor.hospital}"
            ask(connection, JobKind.BRING_IN, space, study_uid, where.now(), urgent=True)
    background = getattr(request.app.state, "background", None)
    if background is not None:
        background.wake()
    return RedirectResponse(f"/exam/{study_uid}", 303)


@router.post("/exam/{study_uid}/judge/stop")
def stop_judging(
    request: Request,
    study_uid: str,
    actor: Annotated[Actor, allowed(Action.JUDGE_EXAM)],
    where: Annotated[Site, Depends(site)],
) -> Response:
    """Take back that the exam is to be assessed; results of before stay."""
    traced(request).event_action = EventAction.EXECUTE
    with where.workspace.writing() as connection:
        check_exam(request, connection, actor, study_uid, Action.JUDGE_EXAM)
        job = _job(connection, actor, study_uid)
        if job is not None and job.kind is JobKind.ASSESS:
            stop(connection, job.number, where.now())
    return RedirectResponse(f"/exam/{study_uid}", 303)


def _page(request: Request, uid: str, actor: Actor, where: Site) -> Response:
    with where.workspace.reading() as connection:
        hospital = check_exam(request, connection, actor, uid, Action.READ_EXAM)
        job = _job(connection, actor, uid)
        choice = choice_of(connection, actor, uid)
        objects = _objects(connection, actor if hospital is None else hospital, uid)
        space = f"{HOSPITALS}{_number(actor if hospital is None else hospital)}"
        uids: Sequence[str] = () if hospital is None else with_others(connection, actor, hospital, uid)
        patient = connection.scalar(select(schema.exam.c.patient).where(schema.exam.c.uid == uid))
        only_look = _only_to_look_at(actor, actor.hospital if hospital is None else hospital, uid)
    drawn = drawings(where.objects, space, uid)
    common: dict[str, Any] = {
        "uid": uid,
        "job": job,
        "objects": objects,
        "drawings": drawn,
        "only_look": ONLY_TO_LOOK_AT if only_look else None,
        "sending_choice": choice,
        "state_says": words_of(job),
        "stages": tuple(Stage),
        "stage_words": STAGE_WORDS,
        "stage": stage_of(job),
        "receiving": RECEIVING if job is None and hospital is None and not objects["elsewhere"] else None,
        "open": OPEN,
        "State": JobState,
    }
    if hospital is None:
        return page(request, "exams/unassessed.html.jinja", actor=actor, **common)
    # What renders results is large; a server that only receives never loads it.
    from bingcheng.outputs.report.embedded import embedded  # noqa: PLC0415

    seen = results(where, uids, findings_of=[uid])
    links_path = f"/patient/{patient}/lesions"
    pieces = embedded(
        seen, language_of(request), exam_path="/exam/{uid}", exams=(uid,), lesions_of=uid, links_path=links_path
    )
    order = [view.uid for view in seen.exams]
    at = order.index(uid)
    return page(
        request,
        "exams/exam.html.jinja",
        actor=actor,
        pieces=pieces,
        view=seen.exams[at],
        changes=[(card, html) for _, card, html in pieces.lesions],
        before=order[at - 1] if at else None,
        after=order[at + 1] if at + 1 < len(order) else None,
        patient=patient if len(order) > 1 else None,
        has_dose=seen.dose is not None and any(one.record.exam_uid == uid for one in seen.dose.exams),
        has_radiomics=any(one.radiomics for series in seen.exams[at].series for one in series.lesions),
        changes_first=bool(actor.roles & CHANGES_FIRST),
        **common,
    )


def _only_to_look_at(actor: Actor, hospital: int | None, uid: str) -> bool:
    """Whether an exam is seen by no right, but because it was opened in an emergency."""
    subject = Subject(kind=SubjectKind.EXAM, hospital=hospital, study_uid=uid)
    return decide(actor, Action.READ_EXAM, subject).ground is Ground.BROKEN_GLASS


def _job(connection: Connection, actor: Actor, uid: str) -> Job | None:
    if actor.hospital is None:
        return None
    space = f"{HOSPITALS}{actor.hospital}"
    return latest(connection, [space], [uid]).get((space, uid))


def _comes_from_a_folder(connection: Connection, actor: Actor, uid: str) -> bool:
    """Whether an exam of the actor's hospital was assessed from a folder that is known."""
    mine = actor.hospital is not None and owner(connection, uid) == actor.hospital
    return mine and bool(sources_of(connection, uid))


def _image_count(connection: Connection, actor: Actor, uid: str) -> int:
    """How many images of an exam the actor's hospital has received."""
    series, study = stored_series.c, stored_study.c
    query = (
        select(func.sum(series.series_instance_count))
        .join(stored_study, study.id == series.study_id)
        .where(study.space == f"{HOSPITALS}{actor.hospital}", study.study_uid == uid)
        .where(series.modality_key.not_in(NO_PICTURES))
    )
    return int(connection.scalar(query) or 0)


def _number(whose: Actor | int) -> int | None:
    return whose if isinstance(whose, int) else whose.hospital


def _objects(connection: Connection, whose: Actor | int, uid: str) -> dict[str, object]:
    """What the archive holds of the exam: how many images, and the objects made of it or sent with it."""
    space = f"{HOSPITALS}{_number(whose)}"
    series, held = stored_series.c, stored_instance.c
    inside = stored_series.join(stored_study, stored_study.c.id == series.study_id)
    mine = (stored_study.c.space == space, stored_study.c.study_uid == uid)
    # Images are counted with their series: of a study with thousands no row is read here.
    counted = select(series.series_uid, series.modality_key, series.series_instance_count).select_from(inside)
    rows = connection.execute(counted.where(*mine).order_by(series.number, series.id)).all()
    pictures = Counter(
        {row.series_uid: row.series_instance_count for row in rows if row.modality_key not in NO_PICTURES}
    )
    described = select(series.series_description_key, series.modality_key, held.sop_uid)
    made = (
        described.select_from(inside.join(stored_instance, held.series_id == series.id))
        .where(*mine, or_(held.sop_class_uid == SEGMENTATION, held.sop_class_uid.startswith(REPORT)))
        .order_by(series.number, held.instance_number)
    )
    outlined = connection.scalars(
        select(schema.lesion.c.series_uid)
        .where(schema.lesion.c.exam_uid == uid)
        .group_by(schema.lesion.c.series_uid)
        .order_by(func.count().desc(), func.min(schema.lesion.c.id))
    )
    # To begin with: where most lesions are outlined, else where most images are; seldom the localiser, which is first.
    begin = next(
        (one for one in outlined if one in pictures), max(pictures, key=lambda one: pictures[one], default=None)
    )
    modalities = sorted({row.modality_key for row in rows if row.modality_key})
    return {
        "images": pictures.total(),
        "made": connection.execute(made).all(),
        "modalities": modalities,
        "viewer": study_link([uid], series=begin),
        "tumour_volume": tumour_volume_link(uid) if has_tumour_volume(modalities) else None,
        "elsewhere": owner(connection, uid) not in (None, _number(whose)),
        "in_a_folder": bool(sources_of(connection, uid)),
    }
