"""Which series of an exam is the one that a protocol expects: told from facts; names only break ties.

A predicate can be met, not met, or unknown. A series that meets all of them fills the role for sure; one that
contradicts any of them does not; one of which something isn't known, or is known with too little certainty, may be it,
and that doubt is handed on with the finding. What a person said about a series goes before all of it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from bingcheng.core.errors import Owner
from bingcheng.core.wording import Text, text
from bingcheng.dicom.acquisition import AnyAcquisition
from bingcheng.protocol.attributes import SURE, TELL_WHICH, Reading, told_barely
from bingcheng.protocol.demands import Evidence, holds
from bingcheng.protocol.model import IfUnknown, Predicate, Role

DOUBT_FACTOR = 0.5
UNMET_PREFERENCE_FACTOR = 0.9


@dataclass(frozen=True, slots=True, kw_only=True)
class Doubt:
    """Something about a series that its header does not say: why, what to do, and who can."""

    why: Text
    supply: Text | None
    owner: Owner | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Candidate:
    """A series that fills a role, or may.

    `confidence` orders candidates: the certainties of what was recognised multiplied, halved for each doubt, a tenth
    less for each preference that is not met. `certainty` is that of the least certain fact; `reasons` say from what
    the series was recognised. `told` is whether a person said so.
    """

    acquisition: AnyAcquisition
    confidence: float
    certainty: float = 1.0
    doubts: tuple[Doubt, ...] = ()
    reasons: tuple[Text, ...] = ()
    told: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Filling:
    """Who fills a role: for sure, or perhaps. Both in the order of confidence."""

    role: Role
    sure: tuple[Candidate, ...]
    doubtful: tuple[Candidate, ...]

    @property
    def candidates(self) -> tuple[Candidate, ...]:
        """The sure ones, or, without any, the doubtful ones."""
        return self.sure or self.doubtful


def filling(role: Role, evidence: Evidence, told: Mapping[str, bool] | None = None) -> Filling:
    """The series of the exam that fill `role`; `told` is what a person said of series, by their UID."""
    said = told or {}
    found = [c for a in evidence.exam.acquisitions if (c := _candidate(role, a, evidence, said)) is not None]
    found.sort(key=lambda c: (not c.told, -c.confidence, c.acquisition.series_uid))
    return Filling(
        role=role,
        sure=tuple(c for c in found if not c.doubts),
        doubtful=tuple(c for c in found if c.doubts),
    )


def _candidate(
    role: Role, acquisition: AnyAcquisition, evidence: Evidence, told: Mapping[str, bool]
) -> Candidate | None:
    if acquisition.modality != role.modality:
        return None
    said = told.get(acquisition.series_uid)
    if said is not None:
        reason = text("a person said that it is this series")
        return Candidate(acquisition=acquisition, confidence=1.0, reasons=(reason,), told=True) if said else None
    confidence = certainty = 1.0
    doubts: list[Doubt] = []
    reasons: list[Text] = []
    for predicate in role.select:
        met, reading = holds(predicate, evidence, acquisition)
        if predicate.prefers:
            confidence *= 1.0 if met else UNMET_PREFERENCE_FACTOR
            continue
        doubt = None if met is not None and reading.certainty >= SURE else _doubt(predicate, met, reading)
        if doubt is None and (met is False or (met is None and predicate.if_unknown is IfUnknown.REJECT)):
            return None
        if doubt is not None:
            confidence *= DOUBT_FACTOR
            doubts.append(doubt)
        elif met:
            confidence *= reading.certainty
            certainty = min(certainty, reading.certainty)
            if reading.remark is not None:
                reasons.append(reading.remark)
    return Candidate(
        acquisition=acquisition,
        confidence=confidence,
        certainty=certainty,
        doubts=tuple(doubts),
        reasons=tuple(dict.fromkeys(reasons)),
    )


def _doubt(predicate: Predicate, met: bool | None, reading: Reading) -> Doubt | None:
    """What is not known well enough about a series to say whether it meets `predicate`; None if it is."""
    if met is None:
        if predicate.if_unknown is not IfUnknown.DOUBT:
            return None
        assert reading.why is not None
        return Doubt(why=reading.why, supply=reading.supply, owner=reading.owner)
    if reading.certainty >= SURE or predicate.if_unknown is IfUnknown.ACCEPT:
        return None
    return Doubt(why=told_barely(predicate.bound.attribute, reading), supply=TELL_WHICH, owner=Owner.TECHNOLOGIST)
