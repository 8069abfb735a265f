"""Which series of an exam is the one that a protocol expects: told from facts, never from free-text names.

A predicate can be met, not met, or unknown. A series that meets all of them fills the role for sure; one that
contradicts any of them does not; one of which something isn't known may be it, and that doubt is handed on with the
finding.
"""

from __future__ import annotations

from dataclasses import dataclass

from bingcheng.core.errors import Owner
from bingcheng.core.wording import Text
from bingcheng.dicom.acquisition import AnyAcquisition
from bingcheng.protocol.demands import Evidence, holds
from bingcheng.protocol.model import IfUnknown, Role

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

    `confidence` orders candidates: 1 when every predicate is met, halved for each doubt, a tenth less for each
    preference that is not met. It is no probability.
    """

    acquisition: AnyAcquisition
    confidence: float
    doubts: tuple[Doubt, ...] = ()


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


def filling(role: Role, evidence: Evidence) -> Filling:
    """The series of the exam that fill `role`."""
    found = [c for c in (_candidate(role, a, evidence) for a in evidence.exam.acquisitions) if c is not None]
    found.sort(key=lambda c: (-c.confidence, c.acquisition.series_uid))
    return Filling(
        role=role,
        sure=tuple(c for c in found if not c.doubts),
        doubtful=tuple(c for c in found if c.doubts),
    )


def _candidate(role: Role, acquisition: AnyAcquisition, evidence: Evidence) -> Candidate | None:
    if acquisition.modality != role.modality:
        return None
    confidence = 1.0
    doubts: list[Doubt] = []
    for predicate in role.select:
        met, reading = holds(predicate, evidence, acquisition)
        if predicate.prefers:
            confidence *= 1.0 if met else UNMET_PREFERENCE_FACTOR
        elif met is False or (met is None and predicate.if_unknown is IfUnknown.REJECT):
            return None
        elif met is None and predicate.if_unknown is IfUnknown.DOUBT:
            confidence *= DOUBT_FACTOR
            assert reading.why is not None
            doubts.append(Doubt(why=reading.why, supply=reading.supply, owner=reading.owner))
    return Candidate(acquisition=acquisition, confidence=confidence, doubts=tuple(doubts))
