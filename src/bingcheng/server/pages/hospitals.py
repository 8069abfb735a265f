"""Hospitals: names, spellings that scanners write, who numbers patients, groups, what others may in an emergency."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated

from fastapi import APIRouter, Depends, Form, Request
from sqlalchemy import Connection, select
from starlette.responses import RedirectResponse, Response

from bingcheng.archive.assumed_issuer import Regrouped
from bingcheng.archive.authorisation.action import Action
from bingcheng.archive.authorisation.actor import Actor
from bingcheng.archive.authorisation.decision import decide
from bingcheng.archive.authorisation.subject import Subject, SubjectKind
from bingcheng.archive.batches import batches
from bingcheng.archive.exam_owner import HOSPITALS
from bingcheng.archive.jobs.queue import JobKind, ask
from bingcheng.archive.objects.tables import stored_study
from bingcheng.archive.people.hospital import (
    LONGEST_ISSUER,
    Hospital,
    add_spelling,
    change_hospital,
    hospital,
    hospitals,
    make_hospital,
    remove_spelling,
    set_issuer,
    unclaimed_sites,
)
from bingcheng.archive.people.hospital_group import groups, make_group, remove_group
from bingcheng.archive.people.problems import NO_SUCH_THING
from bingcheng.archive.stated_issuers import stated_issuers
from bingcheng.core.errors import InputError
from bingcheng.core.wording import Text, text
from bingcheng.server.pages.page import page
from bingcheng.server.pages.told import Told, told
from bingcheng.server.pages.undo import Undo
from bingcheng.server.security.required import allowed
from bingcheng.server.security.traced import traced
from bingcheng.server.site import Site, site

router = APIRouter(include_in_schema=False)

All = Annotated[Actor, allowed(Action.MANAGE_HOSPITALS)]
One = Annotated[Actor, allowed(Action.MANAGE_HOSPITAL)]
Where = Annotated[Site, Depends(site)]


@router.get("/admin/hospitals")
def all_hospitals(request: Request, actor: One, where: Where) -> Response:
    """The list for the operator; an administrator gets to the own hospital."""
    if not decide(actor, Action.MANAGE_HOSPITALS).allowed:
        return RedirectResponse(f"/admin/hospitals/{actor.hospital}", 303)
    return _list(request, actor, where)


@router.post("/admin/hospitals")
def make(
    request: Request,
    actor: All,
    where: Where,
    name: Annotated[str, Form(max_length=200)] = "",
    code: Annotated[str, Form(max_length=32)] = "",
) -> Response:
    """Make a hospital."""
    try:
        with where.workspace.writing() as connection:
            made = make_hospital(connection, name=name, code=code, now=where.now())
    except InputError as error:
        return _list(request, actor, where, problem=told(error))
    return RedirectResponse(f"/admin/hospitals/{made}", 303)


@router.post("/admin/groups")
def make_one_group(
    request: Request,
    actor: All,
    where: Where,
    name: Annotated[str, Form(max_length=200)] = "",
    member: Annotated[list[int] | None, Form()] = None,
) -> Response:
    """Make a group of hospitals."""
    try:
        with where.workspace.writing() as connection:
            known = {one.number for one in hospitals(connection)}
            make_group(connection, name, known.intersection(member or ()))
    except InputError as error:
        return _list(request, actor, where, problem=told(error))
    return RedirectResponse("/admin/hospitals", 303)


@router.post("/admin/groups/{group}/remove")
def remove_one_group(group: int, _: All, where: Where) -> Response:
    """Remove a group; its hospitals stay."""
    with where.workspace.writing() as connection:
        remove_group(connection, group)
    return RedirectResponse("/admin/hospitals", 303)


@router.get("/admin/hospitals/{hospital_number}")
def one_hospital(request: Request, hospital_number: int, actor: One, where: Where) -> Response:
    """One hospital."""
    return _hospital_page(request, actor, where, hospital_number)


@router.post("/admin/hospitals/{hospital_number}")
def change(
    request: Request,
    hospital_number: int,
    actor: One,
    where: Where,
    name: Annotated[str, Form(max_length=200)] = "",
    emergency: Annotated[bool, Form()] = False,
    disabled: Annotated[bool, Form()] = False,
) -> Response:
    """Change the name, and whether others may open exams in an emergency; the operator may shut the hospital."""
    shuts = decide(actor, Action.MANAGE_HOSPITALS).allowed
    try:
        with where.workspace.writing() as connection:
            known = _managed(connection, actor, hospital_number)
            shut = disabled if shuts else known.disabled
            change_hospital(
                connection, hospital_number, name=name, emergency=emergency, disabled_at=where.now() if shut else None
            )
    except InputError as error:
        return _hospital_page(request, actor, where, hospital_number, problem=told(error))
    _tell(request, hospital_number)
    return RedirectResponse(f"/admin/hospitals/{hospital_number}", 303)


@router.post("/admin/hospitals/{hospital_number}/spellings")
def spell(
    request: Request,
    hospital_number: int,
    actor: All,
    where: Where,
    spelling: Annotated[str, Form(max_length=300)] = "",
    remove: Annotated[bool, Form()] = False,
) -> Response:
    """Let exams with that name belong to the hospital, or to nobody again.

    Only the operator says so: a hospital that could claim another's name would get its exams.
    """
    try:
        with where.workspace.writing() as connection:
            _managed(connection, actor, hospital_number)
            (remove_spelling if remove else add_spelling)(connection, hospital_number, spelling)
    except InputError as error:
        return _hospital_page(request, actor, where, hospital_number, problem=told(error))
    _tell(request, hospital_number)
    if remove:
        undo = Undo(
            says=text("Exams with the name {name} belong to nobody now, so nobody sees them.", name=spelling),
            action=f"/admin/hospitals/{hospital_number}/spellings",
            values=(("spelling", spelling),),
        )
        return _hospital_page(request, actor, where, hospital_number, undo=undo)
    return RedirectResponse(f"/admin/hospitals/{hospital_number}", 303)


@router.post("/admin/hospitals/{hospital_number}/issuer")
def number_patients(
    request: Request,
    hospital_number: int,
    actor: All,
    where: Where,
    issuer: Annotated[str, Form(max_length=300)] = "",
) -> Response:
    """Say of whom patient numbers are that name no issuer.

    Only the operator does: a hospital that could name another's issuer would find that one's patients among its own.
    """
    try:
        with where.workspace.writing() as connection:
            before = _managed(connection, actor, hospital_number).issuer
            found = set_issuer(connection, hospital_number, issuer)
            _ask_for_one(connection, f"{HOSPITALS}{hospital_number}", found.moved, where)
    except InputError as error:
        return _hospital_page(request, actor, where, hospital_number, problem=told(error))
    background = getattr(request.app.state, "background", None)
    if background is not None:
        background.wake()
    _tell(request, hospital_number)
    undo = Undo(
        says=_regrouped(issuer.strip(), found),
        action=f"/admin/hospitals/{hospital_number}/issuer",
        values=(("issuer", before),),
    )
    return _hospital_page(request, actor, where, hospital_number, undo=undo, found=found)


def _ask_for_one(connection: Connection, space: str, moved: Sequence[str], where: Site) -> None:
    """Ask for one of the exams to be assessed again: that run judges all and matches them with their new neighbours."""
    held = stored_study.c
    for some in batches(moved):
        here = select(held.study_uid).where(held.space == space, held.study_uid.in_(some)).limit(1)
        study_uid = connection.scalar(here)
        if study_uid is not None:
            ask(connection, JobKind.ASSESS, space, study_uid, where.now())
            return


def _regrouped(issuer: str, found: Regrouped) -> Text:
    moved, joined = len(found.moved), found.joined
    if not issuer:
        return text(
            "Numbers without an issuer stand by themselves. Exams that came to another patient: {moved}.", moved=moved
        )
    return text(
        "Numbers without an issuer are read as of {issuer}. Exams that came to another patient: {moved}; patients that "
        "stood here more than once and are one now: {joined}.",
        issuer=issuer,
        moved=moved,
        joined=joined,
    )


def _managed(connection: Connection, actor: Actor, number: int) -> Hospital:
    subject = Subject(kind=SubjectKind.HOSPITAL, hospital=number)
    if not decide(actor, Action.MANAGE_HOSPITAL, subject).allowed:
        raise InputError(NO_SUCH_THING)
    return hospital(connection, number)


def _tell(request: Request, number: int) -> None:
    trace = traced(request)
    trace.hospital, trace.subject = number, f"hospital/{number}"


def _list(request: Request, actor: Actor, where: Site, *, problem: Told | None = None) -> Response:
    with where.workspace.reading() as connection:
        found, grouped = hospitals(connection), groups(connection)
        unclaimed = unclaimed_sites(connection)
    return page(
        request,
        "hospitals.html.jinja",
        actor=actor,
        status=200 if problem is None else 400,
        hospitals=found,
        groups=grouped,
        names={one.number: one.name for one in found},
        unclaimed=unclaimed,
        problem=problem,
    )


def _hospital_page(
    request: Request,
    actor: Actor,
    where: Site,
    number: int,
    *,
    problem: Told | None = None,
    undo: Undo | None = None,
    found: Regrouped | None = None,
) -> Response:
    with where.workspace.reading() as connection:
        known = _managed(connection, actor, number)
        unclaimed = unclaimed_sites(connection) if decide(actor, Action.MANAGE_HOSPITALS).allowed else ()
        stated = dict(stated_issuers(connection, number))
    return page(
        request,
        "hospital_settings.html.jinja",
        actor=actor,
        status=200 if problem is None else 400,
        hospital=known,
        unclaimed=unclaimed,
        silent=stated.pop("", 0),
        stated=sorted(stated.items()),
        longest_issuer=LONGEST_ISSUER,
        regrouped=found or Regrouped(),
        problem=problem,
        undo=undo,
    )
