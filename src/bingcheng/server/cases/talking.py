"""What readers say about a case: comments, answers, files, and what moderators hide."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Annotated
from urllib.parse import quote

from fastapi import APIRouter, Depends, Form, Query, Request
from sqlalchemy import Connection
from starlette.concurrency import run_in_threadpool
from starlette.datastructures import FormData, UploadFile
from starlette.responses import JSONResponse, RedirectResponse, Response

from bingcheng.archive.authorisation.action import Action
from bingcheng.archive.authorisation.actor import Actor
from bingcheng.archive.cases.attached.file import LARGEST_MB, PLAIN_TEXT, CleanFile, cleaned
from bingcheng.archive.cases.attached.kept import MOST_ATTACHMENTS, attach, attachment
from bingcheng.archive.cases.case import Case
from bingcheng.archive.cases.discussion import (
    Anchor,
    comment,
    comment_of,
    delete_comment,
    edit_comment,
    mentioned,
    put_back_comment,
    tell_of,
)
from bingcheng.archive.cases.facts import case_values
from bingcheng.archive.cases.free_text import check_texts
from bingcheng.archive.cases.notices import NoticeKind, tell
from bingcheng.archive.people.person import person
from bingcheng.archive.people.problems import NO_SUCH_THING
from bingcheng.core.errors import InputError
from bingcheng.core.wording import text
from bingcheng.server.cases.one import Draft, case_page
from bingcheng.server.cases.places import shelves, spot_at
from bingcheng.server.cases.seen import case_to, hospitals_by_number, people_of, person_number
from bingcheng.server.cases.written import fields_of
from bingcheng.server.pages.told import told
from bingcheng.server.security.refusal import not_sent, status_of
from bingcheng.server.security.required import allowed
from bingcheng.server.security.traced import traced
from bingcheng.server.site import Site, site

router = APIRouter(include_in_schema=False)
Where = Annotated[Site, Depends(site)]
Speaking = Annotated[Actor, allowed(Action.COMMENT)]
LARGEST_NUMBER = 2**31
MOST_NAMES = 8
PLACE = ("about", "series", "image", "x", "y")
"""Fields that say where a thread hangs."""
LARGEST_FORM = (MOST_ATTACHMENTS * LARGEST_MB + 1) * 1_000_000


@router.post("/cases/{case_number}/comments")
async def say(
    request: Request,
    case_number: int,
    actor: Annotated[Actor, allowed(Action.COMMENT, form_bytes=LARGEST_FORM)],
    where: Where,
) -> Response:
    """Say something."""
    async with request.form(max_files=MOST_ATTACHMENTS + 1) as form:
        fields, files = fields_of(form), await _files(form)
    return await run_in_threadpool(_say, request, actor, where, case_number, fields, files)


@router.post("/cases/{case_number}/comments/{comment_number}")
def change(
    request: Request,
    case_number: int,
    comment_number: int,
    actor: Speaking,
    where: Where,
    words: Annotated[str, Form(max_length=20_000)] = "",
) -> Response:
    """Change one's own comment."""
    try:
        with where.workspace.writing() as connection:
            known = case_to(request, connection, actor, case_number, Action.COMMENT, where.now())
            before = comment_of(connection, case_number, comment_number)
            check_own_words(connection, known, actor, {"comment": words})
            edit_comment(connection, case_number, comment_number, words, person=person_number(actor), now=where.now())
            _tell_named(connection, actor, known, comment_number, where, told_before=before.told)
    except InputError as error:
        draft = Draft(words=words, changes=comment_number)
        return refused(request, actor, where, case_number, error, draft)
    return RedirectResponse(f"/cases/{case_number}#comment-{comment_number}", 303)


@router.post("/cases/{case_number}/comments/{comment_number}/delete")
def take_back(request: Request, case_number: int, comment_number: int, actor: Speaking, where: Where) -> Response:
    """Take one's own comment back."""
    with where.workspace.writing() as connection:
        case_to(request, connection, actor, case_number, Action.COMMENT, where.now())
        delete_comment(connection, case_number, comment_number, person=person_number(actor), now=where.now())
    return RedirectResponse(f"/cases/{case_number}#comment-{comment_number}", 303)


@router.post("/cases/{case_number}/comments/{comment_number}/put-back")
def put_back(request: Request, case_number: int, comment_number: int, actor: Speaking, where: Where) -> Response:
    """Put one's own comment back that one took back."""
    with where.workspace.writing() as connection:
        case_to(request, connection, actor, case_number, Action.COMMENT, where.now())
        put_back_comment(connection, case_number, comment_number, person=person_number(actor))
    return RedirectResponse(f"/cases/{case_number}#comment-{comment_number}", 303)


@router.get("/cases/{case_number}/people")
def people(
    request: Request, case_number: int, actor: Speaking, where: Where, begins: Annotated[str, Query(max_length=64)] = ""
) -> Response:
    """Who can be named in the discussion: whose name, or a word of it, begins so."""
    traced(request).silent = True
    wanted = begins.casefold().strip()
    with where.workspace.reading() as connection:
        known = case_to(request, connection, actor, case_number, Action.COMMENT, where.now())
        found = people_of(connection, actor, known, where.now())
        places = hospitals_by_number(connection)
    names = sorted(
        (one.name, places.get(one.hospital or 0, ""))
        for one in found
        if one.number != actor.person and any(word.startswith(wanted) for word in _beginnings(one.name))
    )
    return JSONResponse([{"name": name, "hospital": place} for name, place in names[:MOST_NAMES]])


@router.get("/cases/{case_number}/attachments/{attachment_number}")
def file(
    request: Request,
    case_number: int,
    attachment_number: int,
    actor: Annotated[Actor, allowed(Action.READ_CASE)],
    where: Where,
) -> Response:
    """A file, always to be saved: no browser opens it in our name."""
    with where.workspace.reading() as connection:
        case_to(request, connection, actor, case_number, Action.READ_CASE, where.now())
        known, content = attachment(connection, case_number, attachment_number)
    named = f"attachment; filename*=UTF-8''{quote(known.name)}"
    return Response(
        content,
        media_type="application/octet-stream",
        headers={"content-disposition": named, "content-security-policy": "default-src 'none'; sandbox"},
    )


async def _files(form: FormData) -> list[tuple[str, bytes]]:
    """The files of a form; what is larger than allowed is not read to its end."""
    sent = [one for one in form.getlist("file") if isinstance(one, UploadFile) and one.filename]
    return [(one.filename or "", await one.read(LARGEST_MB * 1_000_000 + 1)) for one in sent]


def _say(
    request: Request, actor: Actor, where: Site, number: int, form: Mapping[str, str], files: list[tuple[str, bytes]]
) -> Response:
    words, now = form.get("words", ""), where.now()
    answered = _number(form.get("answers", ""))
    try:
        with where.workspace.reading() as connection:
            known = case_to(request, connection, actor, number, Action.COMMENT, now)
            # Before anything is written: reading headers for the first time writes what is kept of them.
            anchor = None if answered is not None else _anchor(request, connection, where, known, form)
        # Nor does anybody wait for the database while files are cleaned.
        clean = [cleaned(name, content) for name, content in files]
        with where.workspace.writing() as connection:
            known = case_to(request, connection, actor, number, Action.COMMENT, now)
            check_own_words(connection, known, actor, {"comment": words})
            for (name, _), one in zip(files, clean, strict=True):
                check_own_words(connection, known, actor, _of_file(name, one))
            said = comment(
                connection,
                number,
                person=person_number(actor),
                words=words,
                now=now,
                anchor=anchor,
                answers=answered,
            )
            for one in clean:
                attach(connection, said, one)
            _tell(connection, actor, known, said, answered, where)
    except InputError as error:
        place = {name: form.get(name, "") for name in PLACE}
        draft = Draft(words=words, answers=answered, place=place, files=bool(files))
        return refused(request, actor, where, number, error, draft)
    return RedirectResponse(f"/cases/{number}#comment-{said}", 303)


def refused(
    request: Request, actor: Actor, where: Site, number: int, error: InputError, draft: Draft | None = None
) -> Response:
    """The page of the case with what was wrong, and with what somebody was writing."""
    if error.code == NO_SUCH_THING.code:
        not_sent(request, "" if draft is None else draft.words)
        raise error
    return case_page(request, actor, where, number, problem=told(error), draft=draft, status=status_of(error))


def check_own_words(connection: Connection, known: Case, actor: Actor, texts: Mapping[str, str]) -> None:
    """Raise if what people of the case's own hospital write tells who the patient is.

    Others don't know who it is, and an answer would tell them.

    Raises
    ------
    InputError
        ``archive.case-tells-who``.
    """
    if actor.hospital == known.hospital:
        check_texts(connection, known.number, known.hospital, texts)


def _of_file(name: str, clean: CleanFile) -> dict[str, str]:
    """What can be read of a file: the name that it had, and its words where it is text."""
    said = {"file": name}
    if clean.kind == PLAIN_TEXT:
        said["content"] = clean.content.decode("utf-8")
    return said


def _beginnings(name: str) -> list[str]:
    """What one may begin to write to mean somebody: the name, each of its words, and in Chinese each rest of it."""
    low = name.casefold()
    words = [low, *low.split()]
    return words if low.isascii() else [*words, *(low[at:] for at in range(1, len(low)))]


def _anchor(request: Request, connection: Connection, where: Site, known: Case, form: Mapping[str, str]) -> Anchor:
    """Where the thread hangs: ``lesion/2``, ``key/3`` (a key image), a place of an image, or the whole case.

    Raises
    ------
    InputError
        ``archive.case-no-such-image``; ``archive.not-found``: the case has no such lesion or key image.
    """
    kind, _, said = form.get("about", "").partition("/")
    number = _number(said)
    if kind == "lesion" and any(one.lesion == number for one in case_values(connection, known.number)):
        return Anchor(lesion=number)
    if kind == "key" and number is not None and 0 < number <= len(known.written.key_images):
        image = known.written.key_images[number - 1]
        return Anchor(sop_uid=image.sop_uid, frame=image.frame, x=image.x, y=image.y)
    if kind == "image":
        place = [form.get(name, "") for name in ("series", "image", "x", "y")]
        spot = spot_at(shelves(request, connection, where, known.number), *place)
        return Anchor(sop_uid=spot.sop_uid, frame=spot.frame, x=spot.x, y=spot.y)
    if kind:
        raise InputError(NO_SUCH_THING)
    return Anchor()


def _tell(connection: Connection, actor: Actor, known: Case, said: int, answered: int | None, where: Site) -> None:
    now, link, me = where.now(), f"/cases/{known.number}#comment-{said}", person_number(actor)
    name = person(connection, me).name
    told_already = {me, *_tell_named(connection, actor, known, said, where)}
    if answered is not None:
        other_number = comment_of(connection, known.number, answered).person
        if other_number not in told_already:
            told_already.add(other_number)
            says = text("{person} answered your comment on a case.", person=name)
            tell(connection, [other_number], NoticeKind.REPLY, says, link=link, now=now)
    if known.author not in told_already:
        says = text("{person} commented on a case of yours.", person=name)
        tell(connection, [known.author], NoticeKind.COMMENT, says, link=link, now=now)


def _tell_named(
    connection: Connection, actor: Actor, known: Case, said: int, where: Site, *, told_before: Sequence[int] = ()
) -> tuple[int, ...]:
    """Tell those whom a comment names, and keep who they are. Nobody is told of a case that he may not read."""
    now, words = where.now(), comment_of(connection, known.number, said).words
    named = mentioned(words, people_of(connection, actor, known, now)) if "@" in words else ()
    named = tuple(one for one in named if one != actor.person)
    tell_of(connection, said, named)
    link, new = f"/cases/{known.number}#comment-{said}", [one for one in named if one not in told_before]
    says = text("{person} mentions you in a case.", person=person(connection, person_number(actor)).name)
    tell(connection, new, NoticeKind.MENTION, says, link=link, now=now)
    return named


def _number(words: str) -> int | None:
    return int(words) if words.isascii() and words.isdecimal() and int(words[:12]) < LARGEST_NUMBER else None
