"""``/patients`` and ``/patient/<pseudonym>``: a hospital's patients, and one over time."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated, Any

from fastapi import APIRouter, Depends, Request
from sqlalchemy import Connection, Row, func, or_, select
from starlette.responses import RedirectResponse, Response

from bingcheng.archive import schema
from bingcheng.archive.authorisation.action import Action
from bingcheng.archive.authorisation.actor import Actor
from bingcheng.archive.ownership import owned_by
from bingcheng.archive.people.problems import NO_SUCH_THING
from bingcheng.core.errors import InputError
from bingcheng.outputs.report.words import EXAM_WORDS, VERDICT_WORDS, style
from bingcheng.server.exams.results import results
from bingcheng.server.exams.seen import births_differ, met, now_called, of_patient
from bingcheng.server.pages.page import language_of, page
from bingcheng.server.pages.paging import back_to_last, page_asked, page_count
from bingcheng.server.security.required import allowed
from bingcheng.server.security.traced import saw_studies, traced
from bingcheng.server.site import Site, site

if TYPE_CHECKING:
    from bingcheng.outputs.assessment import MatchedExams

router = APIRouter(include_in_schema=False)
MOST = 50
LONGEST = 200
PSEUDONYM = re.compile(r"P-[A-Z2-7]{10}")


@router.get("/patients")
def listed(
    request: Request,
    actor: Annotated[Actor, allowed(Action.READ_EXAM)],
    where: Annotated[Site, Depends(site)],
    words: str = "",
    page_number: str = "1",
) -> Response:
    """The patients, those with most exams first."""
    number = page_asked(page_number)
    if actor.hospital is None:
        return page(request, "exams/nowhere.html.jinja", actor=actor)
    with where.workspace.reading() as connection:
        rows, total = patients(connection, actor.hospital, words, offset=(number - 1) * MOST)
    pages = page_count(total, MOST)
    if (last := back_to_last(request, number, pages)) is not None:
        return last
    traced(request).count = len(rows)
    return page(
        request,
        "exams/patients.html.jinja",
        actor=actor,
        rows=rows,
        total=total,
        words=words,
        named=named,
        number=number,
        pages=pages,
        first=(number - 1) * MOST + 1,
    )


def patients(
    connection: Connection, hospital: int, words: str, *, offset: int = 0, most: int = MOST
) -> tuple[Sequence[Row[Any]], int]:
    """The patients of a hospital in whose name, number or pseudonym all `words` stand; and how many there are."""
    exam, identity = schema.exam.c, schema.identity.c
    grouped = (
        select(
            exam.patient,
            func.count().label("exams"),
            func.min(exam.performed_at).label("first"),
            func.max(exam.performed_at).label("last"),
            func.count().over().label("total"),
        )
        .where(owned_by(connection, hospital))
        .group_by(exam.patient)
    )
    wanted = words[:LONGEST].split()
    if wanted:
        grouped = grouped.join(schema.identity, identity.patient == exam.patient)
    for word in wanted:
        columns = (identity.name, identity.patient_id, exam.patient)
        grouped = grouped.where(or_(*(func.lower(one).contains(word.lower(), autoescape=True) for one in columns)))
    # Who they are is looked up for those of the page alone.
    found = grouped.order_by(func.count().desc(), func.max(exam.performed_at).desc(), exam.patient)
    found_c = (some := found.offset(offset).limit(most).subquery()).c
    rows = connection.execute(
        select(some, identity.name, identity.patient_id.label("number"))
        .join(schema.identity, identity.patient == found_c.patient)
        .order_by(found_c.exams.desc(), found_c.last.desc(), found_c.patient)
    ).all()
    if rows or not offset:
        return rows, int(rows[0].total) if rows else 0
    return rows, int(connection.scalar(select(func.count()).select_from(grouped.subquery())) or 0)


def named(written: str) -> str:
    """A name as people write it, of what stands in a DICOM header (PS3.5, 6.2.1)."""
    return " ".join(written.partition("=")[0].replace("^", " ").split())


def _waiting(matched: Sequence[MatchedExams]) -> dict[str, int]:
    """How many links to an exam before need a reader, by the exam's UID."""
    found: Counter[str] = Counter()
    for one in matched:
        found[one.later_uid] += sum(view.link.needs_reader for view in one.links)
    return dict(found)


@router.get("/patient/{patient}")
def shown(
    request: Request,
    patient: str,
    actor: Annotated[Actor, allowed(Action.READ_EXAM)],
    where: Annotated[Site, Depends(site)],
) -> Response:
    """One patient's exams in time, and what became of each lesion."""
    if not PSEUDONYM.fullmatch(patient) or actor.hospital is None:
        raise InputError(NO_SUCH_THING)
    with where.workspace.reading() as connection:
        uids = of_patient(connection, actor.hospital, patient)
        now = None if uids else now_called(connection, actor.hospital, patient)
        differ, outcomes = births_differ(connection, uids), met(connection, uids)
    if now is not None:
        return RedirectResponse(f"/patient/{now}", 303)
    if not uids:
        raise InputError(NO_SUCH_THING)
    traced(request).patient = patient
    saw_studies(request, uids)
    from bingcheng.outputs.report.embedded import embedded  # noqa: PLC0415

    seen = results(where, uids, findings_of=())
    lesions = f"/patient/{patient}/lesions"
    pieces = embedded(seen, language_of(request), exam_path="/exam/{uid}", exams=(), links_path=lesions)
    return page(
        request,
        "exams/patient.html.jinja",
        actor=actor,
        seen=seen,
        pieces=pieces,
        patient=patient,
        lesions_path=lesions,
        waiting=_waiting(seen.follow_up),
        differ=differ,
        verdict_words=VERDICT_WORDS,
        exam_words=EXAM_WORDS,
        outcomes=outcomes,
        style=style,
    )
