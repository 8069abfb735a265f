"""``/exam/<uid>/send``: an exam sent to a peer of the hospital, and how far that is."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Literal

from fastapi import APIRouter, Depends, Form, Request
from sqlalchemy import Connection
from starlette.responses import JSONResponse, RedirectResponse, Response

from bingcheng.archive.audit.event import EventAction
from bingcheng.archive.audit.event_code import EventCode
from bingcheng.archive.authorisation.action import Action
from bingcheng.archive.authorisation.actor import Actor
from bingcheng.archive.authorisation.decision import decide
from bingcheng.archive.authorisation.spaces import hospital_space
from bingcheng.archive.dimse.peers import Peer, peers
from bingcheng.archive.jobs.queue import OPEN, Job, JobKind, JobState, ask, ask_again, hasten, sendings, stop
from bingcheng.archive.jobs.target import Target
from bingcheng.archive.people.problems import NO_SUCH_THING
from bingcheng.core.errors import InputError
from bingcheng.core.wording import Text
from bingcheng.server.dicom_admin.managed import own_space
from bingcheng.server.dicom_admin.problems import NO_SUCH_TARGET
from bingcheng.server.dicom_admin.words import SENDING_WORDS, SENT_LATER
from bingcheng.server.exams.seen import check_exam, received_here
from bingcheng.server.pages.page import language_of
from bingcheng.server.security.required import allowed
from bingcheng.server.security.traced import traced
from bingcheng.server.site import Site, site

router = APIRouter(include_in_schema=False)
Where = Annotated[Site, Depends(site)]
SHOWN = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class Sending:
    """One time that an exam was sent, or is to be.

    Parameters
    ----------
    title : of the peer; a dash if it was removed since.
    """

    job: Job
    title: str

    @property
    def says(self) -> Text:
        """How far it is."""
        return SENT_LATER if self.later else SENDING_WORDS[self.job.state]

    @property
    def later(self) -> bool:
        """Whether the peer did not let it be done, and it waits for its next try."""
        return self.job.state is JobState.WAITING and self.job.reason is not None

    @property
    def open(self) -> bool:
        """Whether it is still to come or under way."""
        return self.job.state in OPEN

    @property
    def stopped(self) -> bool:
        """Whether a person did not want it any more."""
        return self.job.state is JobState.STOPPED

    @property
    def failed(self) -> bool:
        """Whether it went wrong."""
        return self.job.state is JobState.FAILED


@dataclass(frozen=True, slots=True, kw_only=True)
class Choice:
    """What an exam's page offers and tells.

    Parameters
    ----------
    targets : peers to which the exam can be sent.
    sendings : the last times that it was, the latest first.
    """

    targets: tuple[Peer, ...]
    sendings: tuple[Sending, ...]


def choice_of(connection: Connection, actor: Actor, study_uid: str) -> Choice | None:
    """What `actor` may send, and sees of it; None if the objects are not the own hospital's or may not be sent."""
    if actor.hospital is None or not decide(actor, Action.SEND_OBJECTS).allowed:
        return None
    if not received_here(connection, actor, study_uid):
        return None
    space = hospital_space(actor.hospital)
    known = peers(connection, [space])
    titles = {one.number: one.ae_title for one in known}
    return Choice(
        targets=tuple(one for one in known if one.host is not None),
        sendings=tuple(
            Sending(job=job, title=titles.get(Target.of(job.target or "").peer, "–"))
            for job in sendings(connection, space, study_uid, most=SHOWN)
        ),
    )


@router.post("/exam/{study_uid}/send")
def send(
    request: Request,
    study_uid: str,
    actor: Annotated[Actor, allowed(Action.SEND_OBJECTS)],
    where: Where,
    peer: Annotated[str, Form(max_length=16)] = "",
    derived: Annotated[bool, Form()] = False,
) -> Response:
    """Ask for the exam to be sent."""
    with where.workspace.writing() as connection:
        check_exam(request, connection, actor, study_uid, Action.SEND_OBJECTS)
        choice = choice_of(connection, actor, study_uid)
        if choice is None:
            raise InputError(NO_SUCH_THING)
        chosen = next((one for one in choice.targets if str(one.number) == peer), None)
        if chosen is None:
            raise InputError(NO_SUCH_TARGET)
        target = Target(peer=chosen.number, derived=derived).written()
        ask(connection, JobKind.SEND, own_space(actor), study_uid, where.now(), target=target)
    trace = traced(request)
    trace.code, trace.event_action, trace.subject = EventCode.EXPORT, EventAction.EXECUTE, target
    wake(request)
    return RedirectResponse(f"/exam/{study_uid}#sending", 303)


@router.post("/exam/{study_uid}/sendings/{sending}")
def change(
    request: Request,
    study_uid: str,
    sending: int,
    actor: Annotated[Actor, allowed(Action.SEND_OBJECTS)],
    where: Where,
    what: Annotated[Literal["stop", "now"], Form()] = "now",
) -> Response:
    """Stop a sending that is open, or try one now that failed or waits for its next try."""
    with where.workspace.writing() as connection:
        check_exam(request, connection, actor, study_uid, Action.SEND_OBJECTS)
        choice = choice_of(connection, actor, study_uid)
        found = next((one.job for one in choice.sendings if one.job.number == sending), None) if choice else None
        if found is None:
            raise InputError(NO_SUCH_THING)
        if what == "stop":
            stop(connection, found.number, where.now())
        elif found.state is JobState.WAITING:
            hasten(connection, found.number)
        elif found.state not in OPEN:
            ask_again(connection, found, where.now())
    trace = traced(request)
    trace.code, trace.event_action, trace.subject = EventCode.EXPORT, EventAction.EXECUTE, found.target or ""
    wake(request)
    return RedirectResponse(f"/exam/{study_uid}#sending", 303)


def wake(request: Request) -> None:
    """Let what was asked for begin at once."""
    background = getattr(request.app.state, "background", None)
    if background is not None:
        background.wake()


@router.get("/exam/{study_uid}/sendings")
def progress(
    request: Request,
    study_uid: str,
    actor: Annotated[Actor, allowed(Action.SEND_OBJECTS)],
    where: Where,
) -> Response:
    """How far it is, for the page that waits for it."""
    traced(request).silent = True
    language = language_of(request)
    with where.workspace.reading() as connection:
        check_exam(request, connection, actor, study_uid, Action.SEND_OBJECTS)
        choice = choice_of(connection, actor, study_uid)
    found = () if choice is None else choice.sendings
    return JSONResponse(
        [
            {"number": one.job.number, "says": language.say(one.says), "open": one.open, "later": one.later}
            | {"done": one.job.done, "total": one.job.total}
            for one in found
        ]
    )
