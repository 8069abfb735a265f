"""Pictures of a case that wait for a person's look, and what the person decided about each."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import TYPE_CHECKING

from sqlalchemy import Connection, delete, func, insert, select, update

from bingcheng.archive.cases import tables
from bingcheng.archive.codec import decoded, encoded
from bingcheng.archive.deidentify.devices import Region
from bingcheng.archive.people.problems import NO_SUCH_THING
from bingcheng.core.errors import InputError
from bingcheng.core.wording import Text, text

if TYPE_CHECKING:
    from bingcheng.archive.deidentify.batch import Approval, Deidentified


class PictureDecision(StrEnum):
    """What a person decided."""

    WAITING = "waiting"
    SHOW = "show"
    """Shown, with its regions blanked, if there are any."""
    LEAVE_OUT = "leave-out"


@dataclass(frozen=True, slots=True, kw_only=True)
class WaitingPicture:
    """One object that de-identification holds back; UIDs of the original.

    Parameters
    ----------
    code : of the problem, e.g. ``archive.pixels-need-a-person``.
    refused : nobody can let it pass; it can only be left out.
    """

    study_uid: str
    series_uid: str
    sop_uid: str
    code: str
    reason: Text
    regions: tuple[Region, ...]
    decision: PictureDecision

    @property
    def refused(self) -> bool:
        """Whether it can only be left out."""
        return self.code not in ASKS


ASKS = frozenset(("archive.pixels-need-a-person", "archive.face-needs-a-person"))
"""What a person may decide; any other reason can't be overruled."""


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
        )
        for row in rows
    )


def waiting(connection: Connection, number: int) -> int:
    """How many objects of a case wait for a decision."""
    table = tables.case_picture.c
    query = select(func.count()).where(table.case_id == number, table.decision == PictureDecision.WAITING.value)
    return int(connection.scalar(query) or 0)


def hold_back(connection: Connection, number: int, series_uid: str, study_uid: str, one: Deidentified) -> None:
    """Note that an object waits; what was decided about it before holds no more if it still can't pass."""
    table = tables.case_picture
    connection.execute(delete(table).where(table.c.case_id == number, table.c.sop_uid == one.sop_instance_uid))
    reason = one.reason or (one.problem.reason if one.problem is not None else text("not known"))
    row = {
        "case_id": number,
        "study_uid": study_uid,
        "series_uid": series_uid,
        "sop_uid": one.sop_instance_uid,
        "code": one.problem.code if one.problem is not None else "",
        "reason": encoded(reason),
        "regions": _written(one.regions),
        "decision": PictureDecision.WAITING.value,
    }
    connection.execute(insert(table), row)


def decide_picture(
    connection: Connection,
    number: int,
    sop_uid: str,
    decision: PictureDecision,
    *,
    regions: Sequence[Region] = (),
    whole_series: bool = False,
    by: int,
    now: datetime,
) -> int:
    """Keep what a person decided about one object, or about all of its series that wait; returns about how many.

    Raises
    ------
    InputError
        ``archive.not-found``.
    """
    known = {one.sop_uid: one for one in pictures(connection, number)}
    first = known.get(sop_uid)
    if first is None or (decision is PictureDecision.SHOW and first.refused):
        raise InputError(NO_SUCH_THING)
    meant = [
        one.sop_uid
        for one in known.values()
        if one.sop_uid == sop_uid
        or (
            whole_series
            and (one.series_uid, one.code) == (first.series_uid, first.code)
            and one.decision is PictureDecision.WAITING
        )
    ]
    table = tables.case_picture
    values = {"decision": decision.value, "regions": _written(regions), "decided_by": by, "decided_at": now}
    for uid in meant:
        connection.execute(update(table).where(table.c.case_id == number, table.c.sop_uid == uid).values(values))
    return len(meant)


def approvals(connection: Connection, number: int) -> Mapping[str, Approval]:
    """What persons decided, as de-identification takes it: who looked at a picture has seen its face too."""
    from bingcheng.archive.deidentify.batch import Approval  # noqa: PLC0415 - heavy; the server never de-identifies

    return {
        one.sop_uid: Approval(regions=one.regions, face_allowed=True)
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
