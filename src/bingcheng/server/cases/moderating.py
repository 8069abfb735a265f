"""What readers report and moderators hide, and let be seen again."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Depends, Form, Request
from starlette.responses import RedirectResponse, Response

from bingcheng.archive.authorisation.action import Action
from bingcheng.archive.authorisation.actor import Actor
from bingcheng.archive.cases.case import cases
from bingcheng.archive.cases.discussion import comment_of, earlier_words, hide_comment, show_comment
from bingcheng.archive.cases.notices import NoticeKind, tell, who_may
from bingcheng.archive.cases.reports import open_reports, report, settle
from bingcheng.core.errors import InputError
from bingcheng.core.wording import text
from bingcheng.server.cases.one import Draft
from bingcheng.server.cases.seen import case_to, hospital_of, people_by_number, person_number
from bingcheng.server.cases.talking import check_own_words, refused
from bingcheng.server.pages.page import page
from bingcheng.server.security.required import allowed
from bingcheng.server.site import Site, site

router = APIRouter(include_in_schema=False)
Where = Annotated[Site, Depends(site)]
Speaking = Annotated[Actor, allowed(Action.COMMENT)]
Moderating = Annotated[Actor, allowed(Action.MODERATE)]
Reason = Annotated[str, Form(max_length=1000)]


@router.get("/reported")
def reported(request: Request, actor: Moderating, where: Where) -> Response:
    """What readers reported about the cases of the moderator's hospital, and nobody settled yet."""
    with where.workspace.reading() as connection:
        found = open_reports(connection, hospital=hospital_of(actor))
        titles = {one.number: one.written.title for one in cases(connection, sorted({one.case for one in found}))}
        names = people_by_number(connection)
    return page(request, "cases/reported.html.jinja", actor=actor, reports=found, titles=titles, names=names)


@router.post("/cases/{case_number}/comments/{comment_number}/report")
def tell_moderators(
    request: Request, case_number: int, comment_number: int, actor: Speaking, where: Where, because: Reason = ""
) -> Response:
    """Report a comment to those who moderate the case."""
    try:
        with where.workspace.writing() as connection:
            known = case_to(request, connection, actor, case_number, Action.COMMENT, where.now())
            me = person_number(actor)
            check_own_words(connection, known, actor, {"reason": because})
            report(connection, case_number, comment_number, person=me, because=because, now=where.now())
            link = f"/cases/{case_number}#comment-{comment_number}"
            told = [one.number for one in who_may(connection, Action.MODERATE, known.hospital) if one.number != me]
            says = text("A comment on a case of your hospital was reported.")
            tell(connection, told, NoticeKind.MODERATION, says, link=link, now=where.now())
    except InputError as error:
        return refused(request, actor, where, case_number, error, Draft(words=because, reports=comment_number))
    return RedirectResponse(f"/cases/{case_number}?reported=1#comment-{comment_number}", 303)


@router.post("/cases/{case_number}/comments/{comment_number}/hide")
def hide(
    request: Request, case_number: int, comment_number: int, actor: Moderating, where: Where, because: Reason = ""
) -> Response:
    """Hide a comment, with a reason that readers see."""
    try:
        with where.workspace.writing() as connection:
            known = case_to(request, connection, actor, case_number, Action.MODERATE, where.now())
            number = person_number(actor)
            check_own_words(connection, known, actor, {"reason": because})
            hide_comment(connection, case_number, comment_number, by=number, because=because, now=where.now())
            settle(connection, comment_number, where.now())
    except InputError as error:
        return refused(request, actor, where, case_number, error, Draft(words=because, hides=comment_number))
    return RedirectResponse(f"/cases/{case_number}#comment-{comment_number}", 303)


@router.post("/cases/{case_number}/comments/{comment_number}/show")
def show(request: Request, case_number: int, comment_number: int, actor: Moderating, where: Where) -> Response:
    """Let a comment stand that is reported, or be seen again that was hidden."""
    with where.workspace.writing() as connection:
        case_to(request, connection, actor, case_number, Action.MODERATE, where.now())
        if comment_of(connection, case_number, comment_number).hidden_at is not None:
            show_comment(connection, case_number, comment_number)
        settle(connection, comment_number, where.now())
    return RedirectResponse(f"/cases/{case_number}#comment-{comment_number}", 303)


@router.get("/cases/{case_number}/comments/{comment_number}/earlier")
def earlier(request: Request, case_number: int, comment_number: int, actor: Moderating, where: Where) -> Response:
    """What a comment said before, and what is hidden of it: for moderators."""
    with where.workspace.reading() as connection:
        known = case_to(request, connection, actor, case_number, Action.MODERATE, where.now())
        said = comment_of(connection, case_number, comment_number)
        before = earlier_words(connection, comment_number)
        names = people_by_number(connection)
    return page(request, "cases/earlier.html.jinja", actor=actor, case=known, comment=said, before=before, names=names)
