"""What people stated, as far as it holds for one exam on one day."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date

from bingcheng.archive.records import ExamFacts
from bingcheng.archive.statements import Kept, Statement, StatementKind, holding
from bingcheng.core.wording import text
from bingcheng.dicom.acquisition import Acquisition
from bingcheng.protocol.attributes import Supply, Told, attributes
from bingcheng.protocol.fingerprints import device
from bingcheng.protocol.memory import signatures
from bingcheng.protocol.supplied import Correction, Waiver
from bingcheng.protocol.values import is_number, of_kind


@dataclass(frozen=True, slots=True)
class Stated:
    """All statements that hold, by kind."""

    waivers: tuple[Statement, ...]
    corrections: tuple[Statement, ...]
    answers: tuple[Statement, ...]

    @staticmethod
    def of(kept: Iterable[Kept]) -> Stated:
        """The statements of `kept` that are not withdrawn."""
        held = tuple(kept)
        return Stated(
            *(holding(held, kind) for kind in (StatementKind.WAIVER, StatementKind.CORRECTION, StatementKind.ANSWER))
        )

    def waivers_of(self, exam: ExamFacts, devices: frozenset[str], today: date) -> tuple[Waiver, ...]:
        """The waivers that hold for `exam` today."""
        return tuple(
            Waiver(
                protocol=one.protocol or "",
                criterion=one.subject,
                by=one.by,
                why=one.why,
                until="" if one.until is None else one.until.isoformat(),
            )
            for one in self.waivers
            if _for(one, exam, devices) and (one.until is None or today <= one.until)
        )

    def told_of(self, acquisitions: Sequence[Acquisition], exam_uid: str) -> dict[str, list[Correction]]:
        """What people said about series, by UID: those of this exam, and those of its scanner that are made alike."""
        found: dict[str, list[Correction]] = defaultdict(list)
        if not self.corrections:
            return found
        signed = signatures(acquisitions)
        for acquisition in acquisitions:
            scanner = device(acquisition)
            for one in self.corrections:
                here = one.exam_uid == exam_uid or (one.exam_uid is None and one.device == scanner is not None)
                if here and one.signature == signed[acquisition.series_uid]:
                    correction = Correction(protocol=one.protocol or "", role=one.subject, fills=one.fills)
                    found[acquisition.series_uid].append(correction)
        return found

    def answers_to(self, exam: ExamFacts, devices: frozenset[str]) -> dict[str, Supply]:
        """What people answered about `exam`; what is said of the exam goes before what holds for its hospital."""
        found: dict[str, Supply] = {}
        of_exams = (one for one in self.answers if one.signature is None)
        general_first = sorted(of_exams, key=lambda one: (one.exam_uid is not None, one.site is not None))
        for one in general_first:
            value = _aged(one, exam) if _for(one, exam, devices) else None
            if value is not None:
                found[one.subject] = Told(value=value, remark=text("answered by {who}", who=one.by))
        return found

    def answers_of_series(self, exam: ExamFacts, acquisitions: Sequence[Acquisition]) -> dict[str, dict[str, Supply]]:
        """What people answered about single series of `exam`, by their UID."""
        mine = [one for one in self.answers if one.signature is not None and one.exam_uid == exam.uid]
        if not mine:
            return {}
        found: dict[str, dict[str, Supply]] = defaultdict(dict)
        for uid, signature in signatures(acquisitions).items():
            for one in mine:
                value = _aged(one, exam) if one.signature == signature else None
                if value is not None:
                    found[uid][one.subject] = Told(value=value, remark=text("answered by {who}", who=one.by))
        return found


def _for(statement: Statement, exam: ExamFacts, devices: frozenset[str]) -> bool:
    return (
        statement.exam_uid in (None, exam.uid)
        and statement.site in (None, exam.site)
        and (statement.device is None or statement.device in devices)
    )


def _aged(answer: Statement, exam: ExamFacts) -> bool | float | str | tuple[float, ...] | tuple[str, ...] | None:
    """The answer as it stands on the day of the exam; None if the quantity is no longer known to this release."""
    known, value = attributes(), answer.value
    if answer.subject not in known or value is None or not of_kind(value, known[answer.subject].kind):
        return None
    if not known[answer.subject].ages or not is_number(value) or not isinstance(value, int | float):
        return value
    if exam.performed_at is None:
        return None
    days = value + (exam.performed_at.date() - answer.made_at.date()).days
    return float(days) if days >= 0 else None  # of an exam before the event nothing is known
