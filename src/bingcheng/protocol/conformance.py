"""Whether an exam was made as agreed: every criterion of a protocol as a finding.

Rules that hold throughout:

- A required series that is absent fails; its criteria are then not applicable, so that one cause gives one failure.
- What no header says is UNKNOWN, with the reason and who can supply it; UNKNOWN is never PASS.
- Where several series fill a role (a thin and a thick reconstruction), the one that meets the role's criteria best is
  judged, since it is the one to work with; series that the caller has measured on (`measured_on`) are judged instead,
  each of them, since their numbers are only worth what they allow.
- Where it is in doubt which series fills a role, a criterion is decided only if all that may be it agree.
- Criteria about lesions, phantoms and the programme are not answered by an exam's headers; they are carried as not
  applicable with the reason, and judged when their value is supplied.
- A criterion whose condition can't be decided is UNKNOWN and asks no more than OPTIONAL, since nobody knows that it
  asks at all.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace

from bingcheng.core.finding import Finding, Level, Outcome
from bingcheng.core.wording import Text, text
from bingcheng.dicom.acquisition import AnyAcquisition
from bingcheng.protocol.demands import Evidence, Judged, holds, limit_text, weigh
from bingcheng.protocol.fingerprints import reconstruction_parts
from bingcheng.protocol.model import BaselineSeries, Criterion, Protocol, Role, Scope
from bingcheng.protocol.roles import Candidate, Filling, filling
from bingcheng.protocol.values import Value

OF_ONE_EXAM = frozenset({Scope.SERIES, Scope.EXAM, Scope.PAIR})


def applicable(protocol: Protocol, acquisitions: Sequence[AnyAcquisition]) -> bool:
    """Whether `protocol` speaks of such an exam: its decisive roles are, or may be, filled, and its conditions hold."""
    return _applicable(protocol, Evidence(acquisitions))


def choose(
    protocols: Iterable[Protocol], acquisitions: Sequence[AnyAcquisition], *, asked: Collection[str] = ()
) -> tuple[Protocol, ...]:
    """The protocols by which to judge an exam.

    Those that are judged by default and apply; and those that someone asked for (by identifier) as long as the exam has
    a series of their modality at all.
    """
    evidence = Evidence(acquisitions)
    modalities = {acquisition.modality for acquisition in acquisitions}
    return tuple(
        one
        for one in protocols
        if (one.id in asked and one.modality in modalities) or (one.by_default and _applicable(one, evidence))
    )


def judge(
    protocol: Protocol,
    acquisitions: Sequence[AnyAcquisition],
    *,
    baseline: Sequence[AnyAcquisition] | None = None,
    supplied: Mapping[str, Value] | None = None,
    measured_on: Collection[str] = (),
) -> tuple[Finding, ...]:
    """Every role and every criterion of `protocol`, judged on one exam; roles first, then in the order of the file.

    Parameters
    ----------
    protocol : by which to judge; whether it applies is the caller's question (`choose`).
    acquisitions : the facts of all image series of the exam.
    baseline : those of the earlier exam to which the criteria about pairs refer; None if there is none.
    supplied : values that no header holds, by attribute key and in its unit (see `Evidence`).
    measured_on : UIDs of series on which something was measured.

    Raises
    ------
    InputError
        ``protocol.unfit-supply``.
    """
    return judge_all((protocol,), acquisitions, baseline=baseline, supplied=supplied, measured_on=measured_on)


def judge_all(
    protocols: Iterable[Protocol],
    acquisitions: Sequence[AnyAcquisition],
    *,
    baseline: Sequence[AnyAcquisition] | None = None,
    supplied: Mapping[str, Value] | None = None,
    measured_on: Collection[str] = (),
) -> tuple[Finding, ...]:
    """The findings of several protocols on one exam, as `judge` gives them; facts are read once for all of them."""
    evidence = Evidence(acquisitions, supplied)
    before = None if baseline is None else Evidence(baseline)
    measured = frozenset(measured_on)
    return tuple(finding for one in protocols for finding in _Judgement(one, evidence, before, measured).findings())


class _Judgement:
    """The judgement of one exam by one protocol; `before` is the baseline exam."""

    def __init__(
        self,
        protocol: Protocol,
        evidence: Evidence,
        before: Evidence | None,
        measured_on: frozenset[str],
    ) -> None:
        self.protocol = protocol
        self.evidence = evidence
        self.before = before
        self.measured_on = measured_on
        self.fillings = {role.id: filling(role, self.evidence) for role in protocol.roles}
        self.chosen = {key: self._chosen(one) for key, one in self.fillings.items()}
        self._partners: dict[tuple[int, tuple[str, ...], bool], AnyAcquisition | None] = {}
        self.earlier = {} if self.before is None else {role.id: filling(role, self.before) for role in protocol.roles}

    def findings(self) -> Iterator[Finding]:
        for one in self.fillings.values():
            yield self._role_finding(one)
        for criterion in self.protocol.criteria:
            if criterion.roles:
                for key in criterion.roles:
                    yield from self._on_role(criterion, self.fillings[key])
            else:
                yield self._finding(criterion, self._on_exam(criterion))

    def _chosen(self, filled: Filling) -> tuple[tuple[Candidate, ...], ...]:
        """Groups of candidates: one finding a group. Sure ones stand alone, doubtful ones are weighed together."""
        if not filled.sure:
            return (filled.doubtful,) if filled.doubtful else ()
        measured = tuple((c,) for c in filled.sure if c.acquisition.series_uid in self.measured_on)
        if measured or len(filled.sure) == 1:
            return measured or (filled.sure,)
        return ((min(filled.sure, key=lambda c: self._shortfall(filled.role, c)),),)

    def _shortfall(self, role: Role, candidate: Candidate) -> tuple[float, ...]:
        """How far a series is from meeting its role's criteria: the least wins; then the surest, then the thinnest."""
        required = failed = unknown = 0
        for criterion in self.protocol.criteria:
            if criterion.scope is Scope.SERIES and role.id in criterion.roles:
                if criterion.when and self._conditions(criterion, candidate.acquisition) is not None:
                    continue
                met, _ = holds(criterion, self.evidence, candidate.acquisition)
                required += met is False and criterion.level is Level.REQUIRED
                failed += met is False
                unknown += met is None
        thickness_mm = candidate.acquisition.slice_thickness_mm
        return required, failed, unknown, -candidate.confidence, float("inf") if thickness_mm is None else thickness_mm

    # Roles

    def _role_finding(self, filled: Filling) -> Finding:
        role = filled.role
        outcome, reason, remedy, owner = Outcome.PASS, None, None, None
        measured: Text | None = text("{count} found", count=len(filled.sure))
        if filled.sure:
            reason = self._which(filled)
        elif filled.doubtful:
            doubt = filled.doubtful[0].doubts[0]
            outcome, remedy, owner, measured = Outcome.UNKNOWN, doubt.supply, doubt.owner, None
            reason = text("{count} series may be it, but {why}", count=len(filled.doubtful), why=doubt.why)
        elif role.required:
            outcome, remedy, owner = Outcome.FAIL, Text(role.remedy), role.owner
            reason = text("no series of this exam is one")
        else:
            outcome, reason = Outcome.NOT_APPLICABLE, text("not made; the protocol leaves it open")
        only = filled.candidates[0] if len(filled.candidates) == 1 else None
        return Finding(
            protocol=self.protocol.id,
            criterion=f"role.{role.id}",
            title=text("Expected series: {role}", role=Text(role.title)),
            outcome=outcome,
            level=Level.REQUIRED if role.required else Level.OPTIONAL,
            trust=role.trust,
            source=self.protocol.citations[f"role.{role.id}"],
            series_uid=None if only is None else only.acquisition.series_uid,
            measured=measured,
            limit=text("at least one") if role.required else None,
            reason=reason,
            remedy=remedy,
            owner=owner,
        )

    def _which(self, filled: Filling) -> Text | None:
        count = len(filled.sure)
        if count == 1:
            return None
        if any(c.acquisition.series_uid in self.measured_on for c in filled.sure):
            return text("of {count} series that fill this role, those measured on are judged", count=count)
        return text(
            "of {count} series that fill this role, the one that meets the protocol best is judged", count=count
        )

    # Criteria

    def _on_role(self, criterion: Criterion, filled: Filling) -> Iterator[Finding]:
        groups = self.chosen[filled.role.id]
        for group in groups:
            judged, only = self._on_group(criterion, filled.role, group), group[0] if len(group) == 1 else None
            uid = None if only is None else only.acquisition.series_uid
            yield self._finding(criterion, judged, role=filled.role, series_uid=uid)
        if not groups:
            reason = text("no series fills the role: {role}", role=Text(filled.role.title))
            yield self._finding(criterion, Judged(outcome=Outcome.NOT_APPLICABLE, reason=reason), role=filled.role)

    def _on_group(self, criterion: Criterion, role: Role, group: tuple[Candidate, ...]) -> Judged:
        """One judgement of all that may fill the role.

        An optional series may be absent altogether: if it is in doubt, what it would fail stays unknown.
        """
        if not group[0].doubts:
            return self._weigh(criterion, group[0])
        judged = [self._weigh(criterion, candidate) for candidate in group]
        agreed = len({one.outcome for one in judged}) == 1
        if agreed and (role.required or judged[0].outcome is not Outcome.FAIL):
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
            return Judged(outcome=Outcome.UNKNOWN, reason=reason, supply=Text(criterion.remedy), owner=criterion.owner)
        return weigh(criterion, self.evidence, acquisition, partner, self.before)

    def _on_exam(self, criterion: Criterion) -> Judged:
        unmet = self._conditions(criterion, None)
        if unmet is not None:
            return unmet
        judged = weigh(criterion, self.evidence, None)
        if judged.outcome is Outcome.UNKNOWN and criterion.scope not in OF_ONE_EXAM:
            return replace(judged, outcome=Outcome.NOT_APPLICABLE)
        return judged

    def _conditions(self, criterion: Criterion, acquisition: AnyAcquisition | None) -> Judged | None:
        """None if all conditions of `criterion` hold; otherwise what follows from that."""
        undecided: Judged | None = None
        for condition in criterion.when:
            met, reading = holds(condition, self.evidence, acquisition)
            label = condition.bound.attribute.label
            asked = limit_text(condition, acquisition)
            if met is False:
                reason = text("asked only where {what} is: {limit}", what=label, limit=asked)
                return Judged(outcome=Outcome.NOT_APPLICABLE, reason=reason)
            if met is None and reading.why is not None:
                reason = text("asked only where {what} is: {limit}; {why}", what=label, limit=asked, why=reading.why)
                undecided = Judged(
                    outcome=Outcome.UNKNOWN, reason=reason, supply=reading.supply, owner=reading.owner, capped=True
                )
        return undecided

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

    def _finding(
        self, criterion: Criterion, judged: Judged, *, role: Role | None = None, series_uid: str | None = None
    ) -> Finding:
        remedy = owner = None
        if judged.outcome is Outcome.FAIL:
            remedy, owner = Text(criterion.remedy), criterion.owner
        elif judged.outcome is not Outcome.PASS:
            remedy, owner = judged.supply, judged.owner
        title = Text(criterion.title)
        if role is not None and len(criterion.roles) > 1:
            title = text("{what} ({role})", what=title, role=Text(role.title))
        return Finding(
            protocol=self.protocol.id,
            criterion=criterion.id,
            title=title,
            outcome=judged.outcome,
            level=Level.OPTIONAL if judged.capped else criterion.level,
            trust=criterion.trust,
            source=self.protocol.citations[criterion.id],
            series_uid=series_uid,
            measured=judged.measured,
            limit=judged.limit,
            unit=criterion.unit,
            distance=judged.distance,
            reason=judged.reason,
            remedy=remedy,
            owner=owner,
        )


def _applicable(protocol: Protocol, evidence: Evidence) -> bool:
    if not all(holds(demand, evidence, None)[0] for demand in protocol.applies):
        return False
    return all(filling(role, evidence).candidates for role in protocol.roles if role.decisive)


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
