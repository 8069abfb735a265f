"""``/patient/<pseudonym>/lesions``: which lesion is which in a patient's exams, to confirm and to correct.

What is decided here stands in the table that ``bingcheng lesions`` writes, and verdicts, responses and files are made
from it whenever somebody looks at them: a decision holds everywhere as soon as it is kept.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Annotated

from fastapi import APIRouter, Depends, Form, Request
from sqlalchemy import Connection
from starlette.responses import RedirectResponse, Response

from bingcheng.archive.audit.event import EventAction
from bingcheng.archive.authorisation.action import Action
from bingcheng.archive.authorisation.actor import Actor
from bingcheng.archive.authorisation.decision import decide as may
from bingcheng.archive.matchings import Decision, decisions, drawn_exams
from bingcheng.archive.people.problems import NO_SUCH_THING
from bingcheng.archive.waiting_links import patients_that_wait
from bingcheng.core.errors import InputError, Owner, Problem
from bingcheng.core.wording import Text, text
from bingcheng.server.exams.patient import PSEUDONYM
from bingcheng.server.exams.results import results
from bingcheng.server.exams.seen import now_called, of_patient, received_here
from bingcheng.server.follow_up.words import said
from bingcheng.server.pages.page import language_of, page
from bingcheng.server.pages.told import Told, told
from bingcheng.server.pages.undo import Undo
from bingcheng.server.security.required import allowed
from bingcheng.server.security.traced import saw_studies, traced
from bingcheng.server.site import Site, site

if TYPE_CHECKING:
    from bingcheng.engine.follow_up.keeping import Keeping, Shown, Who

NOTHING_DECIDED = Problem(
    code="server.no-lesion-decision",
    says="it is not said what is to hold of which lesions",
    remedy="Choose at least one lesion of each exam, or press one of the buttons beside a link.",
    owner=Owner.RADIOLOGIST,
)
LONGEST_WHY = 500
MOST_CHOSEN = 200
NEXT_AMONG = 200
"""Patients among whom the next one is looked for; behind them it begins anew."""

router = APIRouter(include_in_schema=False)
Where = Annotated[Site, Depends(site)]
Reader = Annotated[Actor, allowed(Action.READ_EXAM)]
Decider = Annotated[Actor, allowed(Action.LINK_LESIONS)]


class Step(StrEnum):
    """What a person asks for."""

    CONFIRM = "confirm"
    """What the row says holds: its lesions are one, or its lesion is new, or has vanished."""
    APART = "apart"
    LINK = "link"
    """The chosen lesions, and no others, are one."""
    TAKE_BACK = "take-back"


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """The form of a row.

    Parameters
    ----------
    before, after : names of the row's lesions.
    chosen_before, chosen_after : of those that were chosen to be linked.
    number : of the decision that is taken back.
    pair : number of the pair of exams on the page, which is shown again.
    """

    step: str
    earlier: str
    later: str
    mark: str
    before: tuple[str, ...]
    after: tuple[str, ...]
    chosen_before: tuple[str, ...]
    chosen_after: tuple[str, ...]
    why: str
    number: str
    pair: str


Names = Annotated[list[str] | None, Form(max_length=MOST_CHOSEN)]


def asked(
    step: Annotated[str, Form(max_length=16)] = "",
    earlier: Annotated[str, Form(max_length=64)] = "",
    later: Annotated[str, Form(max_length=64)] = "",
    mark: Annotated[str, Form(max_length=32)] = "",
    before: Names = None,
    after: Names = None,
    chosen_before: Names = None,
    chosen_after: Names = None,
    why: Annotated[str, Form(max_length=LONGEST_WHY)] = "",
    number: Annotated[str, Form(max_length=9)] = "",
    pair: Annotated[str, Form(max_length=9)] = "",
) -> Asked:
    """The form of a request."""
    return Asked(
        step=step,
        earlier=earlier,
        later=later,
        mark=mark,
        before=tuple(before or ()),
        after=tuple(after or ()),
        chosen_before=tuple(chosen_before or ()),
        chosen_after=tuple(chosen_after or ()),
        why=" ".join(why.split()),
        number=number,
        pair=pair,
    )


@router.get("/patient/{patient}/lesions")
def shown(
    request: Request, patient: str, actor: Reader, where: Where, done: str = "", pair: str = "", row: str = ""
) -> Response:
    """The page.

    Parameters
    ----------
    done : number of a decision that was just made, which the page offers to take back.
    pair, row : the pair of exams that is asked for, and the row whose lesions are to be linked with others.
    """
    with where.workspace.reading() as connection:
        now = _now_called(connection, actor, patient)
    if now is not None:
        return RedirectResponse(f"/patient/{now}/lesions", 303)
    return _page(request, actor, where, patient, done=_number(done), pair=_number(pair), row=_number(row))


@router.post("/patient/{patient}/lesions")
def decide(
    request: Request, patient: str, actor: Decider, where: Where, form: Annotated[Asked, Depends(asked)]
) -> Response:
    """Keep what a person says of lesions of two exams, or take it back."""
    with where.workspace.reading() as connection:
        uids = _exams(connection, actor, patient)
    trace = traced(request)
    trace.patient, trace.event_action = patient, EventAction.UPDATE
    try:
        number = _decided(where, actor, uids, form)
    except InputError as error:
        return _page(request, actor, where, patient, problem=told(error), pair=_number(form.pair))
    trace.subject = f"lesion-decision/{number}"
    saw_studies(request, [uid for uid in (form.earlier, form.later) if uid in uids])
    return RedirectResponse(f"/patient/{patient}/lesions?done={number}&pair={_number(form.pair)}", 303)


def _decided(where: Site, actor: Actor, uids: Sequence[str], form: Asked) -> int:
    """Do what a form asks; returns the number of the decision."""
    # Only where somebody decides: a server that only receives never loads what knows lesions.
    from bingcheng.engine.follow_up.keeping import Keeping, Shown, Who, take_back  # noqa: PLC0415

    if form.step == Step.TAKE_BACK:
        return take_back(where.workspace, _number(form.number), where.now(), by=actor.name, among=uids).number
    if form.earlier not in uids or form.later not in uids:
        raise InputError(NOTHING_DECIDED)
    return _kept(
        Keeping(where.workspace, uids),
        form,
        Who(by=actor.name, at=where.now(), why=form.why),
        Shown(earlier_uid=form.earlier, later_uid=form.later, mark=form.mark),
    )


def _kept(keeping: Keeping, form: Asked, who: Who, seen: Shown) -> int:
    before = [(form.earlier, name) for name in form.before]
    after = [(form.later, name) for name in form.after]
    if form.step == Step.LINK:
        chosen = (
            [(form.earlier, name) for name in form.chosen_before],
            [(form.later, name) for name in form.chosen_after],
        )
        if all(chosen):
            return keeping.link([*chosen[0], *chosen[1]], who, seen)
    elif form.step == Step.CONFIRM and before and after:
        return keeping.link([*before, *after], who, seen)
    elif form.step == Step.CONFIRM and len(after) == 1:
        return keeping.new(after[0], who, seen)
    elif form.step == Step.CONFIRM and len(before) == 1:
        return keeping.vanished(before[0], who, seen)
    elif form.step == Step.APART and before and after:
        return keeping.unlink([*before, *after], who, seen)
    raise InputError(NOTHING_DECIDED)


def _page(
    request: Request,
    actor: Actor,
    where: Site,
    patient: str,
    *,
    done: int = 0,
    pair: int = 0,
    row: int = 0,
    problem: Told | None = None,
) -> Response:
    # What shows lesions is large; a server that only receives never loads it.
    from bingcheng.engine.follow_up.review import review  # noqa: PLC0415
    from bingcheng.engine.follow_up.shown import FollowUp  # noqa: PLC0415
    from bingcheng.outputs.report.embedded import surroundings  # noqa: PLC0415
    from bingcheng.outputs.report.slices import Slices  # noqa: PLC0415
    from bingcheng.server.follow_up.shown import Showing  # noqa: PLC0415

    with where.workspace.reading() as connection:
        uids = _exams(connection, actor, patient)
        drawn = drawn_exams(connection, uids)
        found = review(drawn, FollowUp.stored(connection, uids))
        decided = decisions(connection, uids, undone=True)
        received = [uid for uid in uids if received_here(connection, actor, uid)]
        following = _next_that_waits(connection, actor, patient)
    traced(request).patient = patient
    saw_studies(request, uids)
    seen, language = results(where, uids, findings_of=()), language_of(request)
    slices = Slices(language)
    pairs = Showing(seen.exams, decided, slices, language, received).pairs(found, pair=pair, row=row)
    labels = {(exam.uid, lesion.lesion): lesion.label for exam in drawn for lesion in reversed(exam.lesions)}
    words = {one.number: _said(one, labels) for one in decided}
    return page(
        request,
        "follow_up/lesions.html.jinja",
        actor=actor,
        status=200 if problem is None else 400,
        patient=patient,
        called=seen.exams[0].patient,
        pairs=pairs,
        waiting=sum(one.waiting for one in found),
        following=following,
        decided=tuple(reversed(decided)),
        words=words,
        exams={exam.uid: exam for exam in seen.exams},
        surroundings=surroundings(slices, language),
        longest_why=LONGEST_WHY,
        problem=problem,
        undo=_undo(patient, next((one for one in decided if one.number == done), None), words),
        taken_back=next((words[one.number] for one in decided if one.number == done and one.undone_at), None),
    )


def _next_that_waits(connection: Connection, actor: Actor, patient: str) -> str | None:
    """Pseudonym of the patient who waits behind this one; of one who doesn't wait any more, the first that does."""
    if actor.hospital is None or not may(actor, Action.LINK_LESIONS).allowed:
        return None
    rows, _ = patients_that_wait(connection, actor.hospital, most=NEXT_AMONG)
    waiting = [row.patient for row in rows]
    at = waiting.index(patient) + 1 if patient in waiting else 0
    return next((one for one in (*waiting[at:], *waiting) if one != patient), None)


def _exams(connection: Connection, actor: Actor, patient: str) -> Sequence[str]:
    """The UIDs of the patient's exams that belong to the actor's hospital.

    Raises
    ------
    InputError
        ``archive.not-found``: the same for a patient who is not there and for one of another hospital.
    """
    if not PSEUDONYM.fullmatch(patient) or actor.hospital is None:
        raise InputError(NO_SUCH_THING)
    uids = of_patient(connection, actor.hospital, patient)
    if not uids:
        raise InputError(NO_SUCH_THING)
    return uids


def _now_called(connection: Connection, actor: Actor, patient: str) -> str | None:
    """Another pseudonym under which all exams of the patient stand now; None for a patient who is there."""
    if not PSEUDONYM.fullmatch(patient) or actor.hospital is None:
        return None
    if of_patient(connection, actor.hospital, patient):
        return None
    return now_called(connection, actor.hospital, patient)


def _number(written: str) -> int:
    """A number of an address or a form; 0, which nothing has, for what is none."""
    return int(written) if written.isascii() and written.isdecimal() and len(written) < 10 else 0


def _said(one: Decision, labels: dict[tuple[str, str], str]) -> Text:
    before = [labels.get((one.earlier_uid, name), name) for name in one.edit.before]
    after = [labels.get((one.later_uid, name), name) for name in one.edit.after]
    return said(one.edit.action, before, after)


def _undo(patient: str, made: Decision | None, words: dict[int, Text]) -> Undo | None:
    if made is None or made.undone_at is not None:
        return None
    return Undo(
        says=text("Kept: {what}. Verdicts and responses follow it from now on.", what=words[made.number]),
        action=f"/patient/{patient}/lesions",
        values=(("step", Step.TAKE_BACK.value), ("number", str(made.number))),
    )
