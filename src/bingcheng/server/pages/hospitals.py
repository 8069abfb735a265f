"""Hospitals: their names, the spellings that scanners write, groups of them, and what others may do in an emergency."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Depends, Form, Request
from sqlalchemy import Connection
from starlette.responses import RedirectResponse, Response

from bingcheng.archive.authorisation.action import Action
from bingcheng.archive.authorisation.actor import Actor
from bingcheng.archive.authorisation.decision import decide
from bingcheng.archive.authorisation.subject import Subject, SubjectKind
from bingcheng.archive.people.hospital import (
    Hospital,
    add_spelling,
    change_hospital,
    hospital,
    hospitals,
    make_hospital,
    remove_spelling,
    unclaimed_sites,
)
from bingcheng.archive.people.hospital_group import groups, make_group, remove_group
from bingcheng.archive.people.problems import NO_SUCH_THING
from bingcheng.core.errors import InputError
from bingcheng.core.wording import text
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
) -> Response:
    with where.workspace.reading() as connection:
        found = _managed(connection, actor, number)
        unclaimed = unclaimed_sites(connection) if decide(actor, Action.MANAGE_HOSPITALS).allowed else ()
    return page(
        request,
        "hospital_settings.html.jinja",
        actor=actor,
        status=200 if problem is None else 400,
        hospital=found,
        unclaimed=unclaimed,
        problem=problem,
        undo=undo,
    )
