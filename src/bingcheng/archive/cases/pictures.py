"""Pictures of a case that wait for a person's look, and what the person decided about each.

A picture may wait for two things at once: text may be burned into it, and a face may be made of its series. A yes to
one is none to the other: each is asked, answered and kept by itself.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from types import MappingProxyType
from typing import TYPE_CHECKING

from sqlalchemy import Connection, delete, func, insert, select, update

from bingcheng.archive.cases import tables
from bingcheng.archive.cases.problems import NOT_ANSWERED, PICTURE_DECIDED_MEANWHILE
from bingcheng.archive.codec import decoded, encoded
from bingcheng.archive.deidentify.devices import Region
from bingcheng.archive.deidentify.faces import Face
from bingcheng.archive.deidentify.problems import FACE_NEEDS_A_PERSON, PIXELS_NEED_A_PERSON
from bingcheng.archive.people.problems import NO_SUCH_THING
from bingcheng.core.errors import InputError
from bingcheng.core.wording import Text, text

if TYPE_CHECKING:
    from bingcheng.archive.deidentify.batch import Approval, Deidentified
    from bingcheng.archive.objects.instance import Instance


class PictureDecision(StrEnum):
    """What a person decided."""

    WAITING = "waiting"
    SHOW = "show"
    """Shown, with its regions blanked, if there are any."""
    LEAVE_OUT = "leave-out"


class PictureQuestion(StrEnum):
    """What a person is asked about a picture; any other reason can't be overruled."""

    TEXT = "text"
    """Whether text that tells who it is stands in what would be shown."""
    FACE = "face"
    """Whether it may be shown although a face could be reconstructed."""


_QUESTIONS: Mapping[str, PictureQuestion] = MappingProxyType(
    {PIXELS_NEED_A_PERSON.code: PictureQuestion.TEXT, FACE_NEEDS_A_PERSON.code: PictureQuestion.FACE}
)


@dataclass(frozen=True, slots=True, kw_only=True)
class WaitingPicture:
    """One object that de-identification holds back; UIDs of the original.

    Parameters
    ----------
    code : of the problem, e.g. ``archive.pixels-need-a-person``.
    asks : what a person must say yes to before it is shown; empty where nobody can let it pass.
    allowed : what a person said yes to, now or when it was asked about before.
    """

    study_uid: str
    series_uid: str
    sop_uid: str
    code: str
    reason: Text
    regions: tuple[Region, ...]
    decision: PictureDecision
    asks: frozenset[PictureQuestion]
    allowed: frozenset[PictureQuestion] = frozenset()

    @property
    def refused(self) -> bool:
        """Whether it can only be left out."""
        return not self.asks

    @property
    def standing(self) -> str:
        """How it stands: another word whenever it waits for something else, or somebody decided otherwise."""
        words = (self.sop_uid, self.code, self.decision.value, _words(self.asks), _words(self.allowed))
        return hashlib.sha256("/".join((*words, _written(self.regions))).encode()).hexdigest()[:16]

    @property
    def reasons(self) -> tuple[Text, ...]:
        """Why it waits or may not leave: one sentence for each thing that is asked."""
        face = PictureQuestion.FACE in self.asks and self.code != FACE_NEEDS_A_PERSON.code
        return (self.reason, InputError(FACE_NEEDS_A_PERSON).reason) if face else (self.reason,)


def pictures(connection: Connection, number: int) -> tuple[WaitingPicture, ...]:
    """All objects of a case that wait or waited."""
    table = tables.case_picture
    rows = connection.execute(select(table).where(table.c.case_id == number).order_by(table.c.id))
    return tuple(
        WaitingPicture(
            study_uid=row.study_uid,
            series_uid=row.series_uid,
            sop_uid=row.sop_uid,
            code=row.code,
            reason=decoded(Text, row.reason),
            regions=_regions(row.regions),
            decision=PictureDecision(row.decision),
            asks=_asked(row.asks, row.code),
            allowed=_allowed(row.allowed, row.code, PictureDecision(row.decision)),
        )
        for row in rows
    )


def waiting(connection: Connection, number: int) -> int:
    """How many objects of a case wait for a decision."""
    table = tables.case_picture.c
    query = select(func.count()).where(table.case_id == number, table.decision == PictureDecision.WAITING.value)
    return int(connection.scalar(query) or 0)


def hold_back(
    connection: Connection,
    number: int,
    held: Instance,
    one: Deidentified,
    *,
    no_faces: bool,
    asked: Mapping[str, Approval] | None = None,
) -> None:
    """Note that an object waits, and for what; an earlier yes holds on for what it was said to, if that sufficed.

    Parameters
    ----------
    held : the original; of what can't be read `one` does not tell which it is.
    no_faces : whether the profile lets nothing pass of which a face could be reconstructed.
    asked : the decisions by which it was de-identified. What somebody decided since then stays decided.
    """
    if asked is not None and _decided_since(connection, number, held.sop_uid, asked):
        return
    table = tables.case_picture
    mine = (table.c.case_id == number, table.c.sop_uid == held.sop_uid)
    before = connection.execute(select(table).where(*mine)).one_or_none()
    connection.execute(delete(table).where(*mine))
    code = one.problem.code if one.problem is not None else ""
    blocking = {_QUESTIONS[code]} if code in _QUESTIONS else set()
    earlier = frozenset[PictureQuestion]()
    if before is not None:
        earlier = _allowed(before.allowed, before.code, PictureDecision(before.decision))
    allowed = earlier - blocking if blocking else frozenset[PictureQuestion]()
    asks = set(blocking)
    if blocking and no_faces and one.face is not Face.NO and PictureQuestion.FACE not in allowed:
        # Said of the text alone; what comes next would be known only when the text is answered.
        asks.add(PictureQuestion.FACE)
    reason = one.reason or (one.problem.reason if one.problem is not None else text("not known"))
    row = {
        "case_id": number,
        "study_uid": held.study_uid,
        "series_uid": held.series_uid,
        "sop_uid": held.sop_uid,
        "code": code,
        "reason": encoded(reason),
        "regions": _written(one.regions),
        "decision": PictureDecision.WAITING.value,
        "asks": _words(asks),
        "allowed": _words(allowed),
    }
    connection.execute(insert(table), row)


def _decided_since(connection: Connection, number: int, sop_uid: str, asked: Mapping[str, Approval]) -> bool:
    """Whether somebody decided about an object after its de-identification began."""
    now = approvals(connection, number).get(sop_uid)
    return sop_uid in left_out(connection, number) or (now is not None and now != asked.get(sop_uid))


def decide_picture(
    connection: Connection,
    number: int,
    sop_uid: str,
    decision: PictureDecision,
    *,
    allowed: Collection[PictureQuestion] = (),
    regions: Sequence[Region] = (),
    whole_series: bool = False,
    alike: Collection[str] | None = None,
    seen: str = "",
    by: int,
    now: datetime,
) -> int:
    """Keep what a person decided about one object, or about all of its series that wait for the same.

    Parameters
    ----------
    allowed : what the person said yes to; to show a picture, all that is asked about it.
    regions : what is blanked. Where the text was not asked about, the regions of the device stay whatever is said.
    alike : of its series the pictures in which the same place is the same region; all where it isn't said.
    seen : how it stood when the person looked at it (`WaitingPicture.standing`); empty where that isn't known.

    Returns
    -------
    how many it was decided about.

    Raises
    ------
    InputError
        ``archive.not-found``, ``archive.case-picture-not-answered``, ``archive.case-picture-decided-meanwhile``.
    """
    known = {one.sop_uid: one for one in pictures(connection, number)}
    first = known.get(sop_uid)
    if first is None or (decision is PictureDecision.SHOW and first.refused):
        raise InputError(NO_SUCH_THING)
    if decision is PictureDecision.SHOW and not first.asks <= set(allowed):
        raise InputError(NOT_ANSWERED)
    if seen not in ("", first.standing) and not _is_so(first, decision, regions):
        raise InputError(PICTURE_DECIDED_MEANWHILE)
    others = (one for one in known.values() if one is not first and (alike is None or one.sop_uid in alike))
    meant = [first, *(one for one in others if whole_series and _waits_for_the_same(one, first))]
    table = tables.case_picture
    for one in meant:
        values = {
            "decision": decision.value,
            "decided_by": by,
            "decided_at": now,
            **(_shown(one, regions, looked=one is first) if decision is PictureDecision.SHOW else {}),
        }
        connection.execute(
            update(table).where(table.c.case_id == number, table.c.sop_uid == one.sop_uid).values(values)
        )
    return len(meant)


def _is_so(one: WaitingPicture, decision: PictureDecision, regions: Sequence[Region]) -> bool:
    """Whether a picture stands already as somebody wants it."""
    return one.decision is decision and (decision is PictureDecision.LEAVE_OUT or one.regions == tuple(regions))


def _waits_for_the_same(one: WaitingPicture, first: WaitingPicture) -> bool:
    same = (one.series_uid, one.code, one.asks) == (first.series_uid, first.code, first.asks)
    return same and one.decision is PictureDecision.WAITING


def _shown(one: WaitingPicture, regions: Sequence[Region], *, looked: bool) -> dict[str, str]:
    """What is kept of a yes. Who was asked about a face alone may have more of the picture blanked, never less."""
    kept, allowed = tuple(regions), one.allowed | one.asks
    if PictureQuestion.TEXT not in one.asks:
        kept = tuple(dict.fromkeys((*one.regions, *kept))) if looked else one.regions
        allowed |= {PictureQuestion.TEXT} if kept != one.regions else set()
    return {"regions": _written(kept), "allowed": _words(allowed)}


def approvals(connection: Connection, number: int) -> Mapping[str, Approval]:
    """What persons decided, as de-identification takes it: each yes for what was asked, and for nothing else."""
    from bingcheng.archive.deidentify.batch import Approval  # noqa: PLC0415 - heavy; the server never de-identifies

    return {
        one.sop_uid: Approval(
            regions=one.regions if PictureQuestion.TEXT in one.allowed else None,
            face_allowed=PictureQuestion.FACE in one.allowed,
        )
        for one in pictures(connection, number)
        if one.decision is PictureDecision.SHOW
    }


def left_out(connection: Connection, number: int) -> frozenset[str]:
    """The objects that a person left out."""
    return frozenset(one.sop_uid for one in pictures(connection, number) if one.decision is PictureDecision.LEAVE_OUT)


def _written(regions: Sequence[Region]) -> str:
    return json.dumps([[one.x, one.y, one.width, one.height] for one in regions])


def _regions(stored: str) -> tuple[Region, ...]:
    return tuple(Region(x=x, y=y, width=width, height=height) for x, y, width, height in json.loads(stored))


def _words(questions: Collection[PictureQuestion]) -> str:
    return " ".join(sorted(questions))


def _asked(stored: str | None, code: str) -> frozenset[PictureQuestion]:
    """What is asked; of a row of an earlier release, which tells none of it, what its code says."""
    if stored is None:
        return frozenset((_QUESTIONS[code],)) if code in _QUESTIONS else frozenset()
    return frozenset(PictureQuestion(one) for one in stored.split())


def _allowed(stored: str | None, code: str, decision: PictureDecision) -> frozenset[PictureQuestion]:
    if stored is None:
        return _asked(None, code) if decision is PictureDecision.SHOW else frozenset()
    return frozenset(PictureQuestion(one) for one in stored.split())
