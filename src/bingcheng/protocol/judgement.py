"""The judgement of one exam by one protocol: its roles, and each criterion on the series, the exam and the lesions."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace

from bingcheng.core.finding import Finding, Level, Outcome
from bingcheng.core.wording import text
from bingcheng.dicom.acquisition import AnyAcquisition
from bingcheng.protocol.attributes import About, FilledRole, FilledRoles, Reading
from bingcheng.protocol.demands import Evidence, Judged, holds, limit_text, surely, weigh, weigh_reading
from bingcheng.protocol.fingerprints import reconstruction_parts
from bingcheng.protocol.model import BaselineSeries, Criterion, Protocol, Role, Scope
from bingcheng.protocol.roles import Candidate, Filling, filling
from bingcheng.protocol.saying import criterion_finding, role_finding
from bingcheng.protocol.supplied import Correction

OF_ONE_EXAM = frozenset({Scope.SERIES, Scope.EXAM, Scope.PAIR})
Told = Mapping[str, Sequence[Correction]]
"""What people said about series, by their UID."""


class Judgement:
    """The judgement of one exam by one protocol; `before` is the baseline exam."""

    def __init__(
        self,
        protocol: Protocol,
        evidence: Evidence,
        before: Evidence | None,
        measured_on: frozenset[str],
        told: Told,
    ) -> None:
        self.protocol = protocol
        self.evidence = evidence
        self.before = before
        self.measured_on = measured_on
        said = _said_by_role(protocol, told)
        self.fillings = {role.id: filling(role, self.evidence, said.get(role.id)) for role in protocol.roles}
        self.chosen = {key: self._chosen(one) for key, one in self.fillings.items()}
        self._partners: dict[tuple[int, tuple[str, ...], bool], AnyAcquisition | None] = {}
        compared = {key for one in protocol.criteria if one.scope is Scope.PAIR for key in one.roles}
        self.earlier = (
            {}
            if self.before is None
            else {key: filling(protocol.role(key), self.before, said.get(key)) for key in compared}
        )

    def findings(self) -> Iterator[Finding]:
        """The roles first, then the criteria in the order of the file."""
        for one in self.fillings.values():
            of_role = [c.acquisition for group in self.chosen[one.role.id] for c in group]
            yield role_finding(self.protocol, one, of_role, self.measured_on)
        for criterion in self.protocol.criteria:
            if criterion.scope in (Scope.SERIES, Scope.PAIR):
                for key in criterion.roles:
                    yield from self._on_role(criterion, self.fillings[key])
            else:
                lesion, judged = self._on_exam(criterion)
                yield criterion_finding(self.protocol, criterion, judged, lesion=lesion)

    def _chosen(self, filled: Filling) -> tuple[tuple[Candidate, ...], ...]:
        """Groups of candidates: one finding a group. Sure ones stand alone, doubtful ones are weighed together."""
        if not filled.sure:
            return (filled.doubtful,) if filled.doubtful else ()
        if filled.role.each:
            return tuple((c,) for c in filled.sure)
        measured = tuple((c,) for c in filled.sure if c.acquisition.series_uid in self.measured_on)
        if measured or len(filled.sure) == 1:
            return measured or (filled.sure,)
        return ((min(filled.sure, key=lambda c: self._shortfall(filled.role, c)),),)

    def _shortfall(self, role: Role, candidate: Candidate) -> tuple[float, ...]:
        """How far a series is from meeting its role's criteria: the least wins; then the surest, then the thinnest.

        A series of which a person said that it is the one wins over all others.
        """
        required = failed = unknown = 0
        for criterion in self.protocol.criteria:
            if criterion.scope is Scope.SERIES and role.id in criterion.roles:
                if criterion.when and self._conditions(criterion, candidate.acquisition) is not None:
                    continue
                met, reading = holds(criterion, self.evidence, candidate.acquisition)
                if reading.value is not None and not reading.sure:
                    met = None
                required += met is False and criterion.level is Level.REQUIRED
                failed += met is False
                unknown += met is None
        thickness_mm = candidate.acquisition.slice_thickness_mm
        thickness = float("inf") if thickness_mm is None else thickness_mm
        return not candidate.told, required, failed, unknown, -candidate.confidence, thickness

    # On series

    def _on_role(self, criterion: Criterion, filled: Filling) -> Iterator[Finding]:
        groups = self.chosen[filled.role.id]
        for group in groups:
            judged, only = self._on_group(criterion, filled.role, group), group[0] if len(group) == 1 else None
            uid = None if only is None else only.acquisition.series_uid
            yield criterion_finding(self.protocol, criterion, judged, role=filled.role, series_uid=uid)
        if not groups:
            yield self.protocol.unfilled[criterion.id, filled.role.id]

    def _on_group(self, criterion: Criterion, role: Role, group: tuple[Candidate, ...]) -> Judged:
        """One judgement of all that may fill the role.

        A series that may be absent without a failure: if it is in doubt, what it would fail stays unknown.
        """
        if not group[0].doubts:
            return self._weigh(criterion, group[0])
        judged = [self._weigh(criterion, candidate) for candidate in group]
        agreed = len({one.outcome for one in judged}) == 1
        if agreed and (role.expected or judged[0].outcome is not Outcome.FAIL):
            return judged[0]
        doubt = group[0].doubts[0]
        if agreed:
            return replace(judged[0], outcome=Outcome.UNKNOWN, supply=doubt.supply, owner=doubt.owner, capped=True)
        reason = text("it depends on which of {count} series is meant: {why}", count=len(group), why=doubt.why)
        return Judged(
            outcome=Outcome.UNKNOWN, limit=judged[0].limit, reason=reason, supply=doubt.supply, owner=doubt.owner
        )

    def _weigh(self, criterion: Criterion, candidate: Candidate) -> Judged:
        acquisition = candidate.acquisition
        if criterion.scope is not Scope.PAIR:
            return self._conditions(criterion, acquisition) or weigh(criterion, self.evidence, acquisition)
        if self.before is None:
            reason = text("no earlier exam of this patient is at hand to compare with")
            return Judged(outcome=Outcome.NOT_APPLICABLE, reason=reason)
        met = self._conditions(criterion, acquisition)
        if met is not None:
            return met
        partner = self._partner(acquisition, criterion)
        if partner is None:
            reason = text("the baseline exam has no series to compare this one with")
            return Judged(outcome=Outcome.UNKNOWN, reason=reason, supply=criterion.advice, owner=criterion.owner)
        return weigh(criterion, self.evidence, acquisition, partner, self.before)

    def _partner(self, acquisition: AnyAcquisition, criterion: Criterion) -> AnyAcquisition | None:
        """The series of the baseline exam in the same role (or any, see `BaselineSeries`) made most like this one."""
        any_series = criterion.baseline_series is BaselineSeries.ANY
        key = (id(acquisition), criterion.roles, any_series)
        if key not in self._partners:
            found = [c for role in criterion.roles for c in self.earlier[role].candidates]
            if not found and any_series and self.before is not None:
                found = [Candidate(acquisition=a, confidence=0.0) for a in self.before.exam.acquisitions]
            self._partners[key] = _most_like(acquisition, found)
        return self._partners[key]

    # On the exam, on lesions, phantoms and programmes

    def _on_exam(self, criterion: Criterion) -> tuple[str | None, Judged]:
        """The judgement, and the lesion that decided it, if one did."""
        unmet = self._conditions(criterion, None)
        if unmet is not None:
            return None, unmet
        if criterion.bound.attribute.about is About.ROLES:
            return None, self._on_roles(criterion)
        if criterion.scope is Scope.LESION:
            worst = self._on_lesions(criterion)
            if worst is not None:
                return worst
        judged = weigh(criterion, self.evidence, None)
        if judged.outcome is Outcome.UNKNOWN and criterion.scope not in OF_ONE_EXAM:
            return None, replace(judged, outcome=Outcome.NOT_APPLICABLE)
        return None, judged

    def _on_roles(self, criterion: Criterion) -> Judged:
        """How the series that fill several roles stand to each other.

        One cause gives one failure: where an expected one is missing, that is found elsewhere, and there is nothing to
        compare. Where it is in doubt which series is meant, so is the comparison.
        """
        filled: list[FilledRole] = []
        for key in criterion.roles:
            one = self.fillings[key]
            if not one.candidates and one.role.expected:
                return _unfilled(one.role)
            if not one.sure and one.doubtful:
                doubt = one.doubtful[0].doubts[0]
                reason = text("it is in doubt which series is: {role}; {why}", role=one.role.named, why=doubt.why)
                return Judged(outcome=Outcome.UNKNOWN, reason=reason, supply=doubt.supply, owner=doubt.owner)
            first = [c.acquisition for group in self.chosen[key] for c in group]
            rest = [c.acquisition for c in one.sure if all(c.acquisition is not a for a in first)]
            filled.append(FilledRole(id=key, title=one.role.named, series=(*first, *rest)))
        roles = FilledRoles(roles=tuple(filled), exam=self.evidence.exam)
        return weigh_reading(criterion, self.evidence.reading_of_roles(criterion.bound.attribute, roles))

    def _on_lesions(self, criterion: Criterion) -> tuple[str, Judged] | None:
        """The lesion that meets the criterion worst; None if none was measured."""
        key = criterion.bound.attribute.key
        lesions = self.evidence.supplied.lesions
        judged = {
            name: weigh_reading(criterion, Reading.of(values[key])) for name, values in lesions.items() if key in values
        }
        if not judged:
            return None
        failing = [name for name, one in judged.items() if one.outcome is Outcome.FAIL]
        worst = max(failing or judged, key=lambda name: judged[name].distance or 0.0)
        if len(judged) == 1 or not failing:
            return worst, judged[worst]
        reason = text("{failing} of {count} lesions do not meet it", failing=len(failing), count=len(judged))
        return worst, replace(judged[worst], reason=reason)

    def _conditions(self, criterion: Criterion, acquisition: AnyAcquisition | None) -> Judged | None:
        """None if all conditions of `criterion` hold; otherwise what follows from that."""
        undecided: Judged | None = None
        for condition in criterion.when:
            met, reading = holds(condition, self.evidence, acquisition)
            if reading.value is not None and not reading.sure:
                met, reading = None, surely(reading, condition.bound.attribute)
            label = condition.bound.attribute.label
            asked = limit_text(condition, acquisition)
            if met is False:
                reason = text("asked only on a condition ({what}: {limit})", what=label, limit=asked)
                return Judged(outcome=Outcome.NOT_APPLICABLE, reason=reason)
            if met is None and reading.why is not None:
                reason = text(
                    "asked only on a condition ({what}: {limit}); {why}", what=label, limit=asked, why=reading.why
                )
                undecided = Judged(
                    outcome=Outcome.UNKNOWN, reason=reason, supply=reading.supply, owner=reading.owner, capped=True
                )
        return undecided


def _unfilled(role: Role) -> Judged:
    reason = text("no series fills the role: {role}", role=role.named)
    return Judged(outcome=Outcome.NOT_APPLICABLE, reason=reason)


def _said_by_role(protocol: Protocol, told: Told) -> dict[str, dict[str, bool]]:
    """What people said about series, by role of `protocol` and by UID."""
    said: dict[str, dict[str, bool]] = {}
    for uid, corrections in told.items():
        for one in corrections:
            if one.protocol == protocol.id:
                said.setdefault(one.role, {})[uid] = one.fills
    return said


def _most_like(acquisition: AnyAcquisition, found: Sequence[Candidate]) -> AnyAcquisition | None:
    """The series of `found` that differs in the fewest settings; then the surest, then by UID."""
    if len(found) <= 1:
        return found[0].acquisition if found else None
    mine = reconstruction_parts(acquisition)

    def unlike(candidate: Candidate) -> tuple[int, float, str]:
        theirs = reconstruction_parts(candidate.acquisition)
        differing = sum(a.value != b.value for a, b in zip(mine, theirs, strict=False))
        return differing + abs(len(mine) - len(theirs)), -candidate.confidence, candidate.acquisition.series_uid

    return min(found, key=unlike).acquisition
