"""Findings from judgements: the sentences that a person reads, with measured value, limit, source and remedy."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import replace

from bingcheng.core.finding import Finding, Level, Outcome
from bingcheng.core.wording import Text, text
from bingcheng.dicom.acquisition import AnyAcquisition
from bingcheng.protocol.demands import Judged
from bingcheng.protocol.model import Criterion, Protocol, Role
from bingcheng.protocol.roles import Candidate, Filling
from bingcheng.protocol.supplied import Waiver
from bingcheng.protocol.values import listed


def role_finding(
    protocol: Protocol, filled: Filling, judged: Sequence[AnyAcquisition], measured_on: Collection[str]
) -> Finding:
    """Whether a series that `protocol` expects is there; `judged` are those of them on which criteria are judged."""
    role = filled.role
    outcome, reason, remedy, owner = Outcome.PASS, None, None, None
    measured: Text | None = text("{count} series", count=len(filled.sure)) if filled.sure else text("none")
    if filled.sure:
        reason = _which(filled, judged, measured_on)
    elif filled.doubtful:
        doubt = filled.doubtful[0].doubts[0]
        outcome, remedy, owner, measured = Outcome.UNKNOWN, doubt.supply, doubt.owner, None
        reason = text("{count} series may be it, but {why}", count=len(filled.doubtful), why=doubt.why)
    elif role.expected:
        outcome, remedy, owner = Outcome.FAIL, Text(role.remedy), role.owner
        reason = text("no series of this exam is one")
    else:
        outcome, reason = Outcome.NOT_APPLICABLE, text("not made; the protocol leaves it open")
    only = judged[0] if len(judged) == 1 else None
    return Finding(
        protocol=protocol.id,
        protocol_title=protocol.named,
        criterion=f"role.{role.id}",
        role=role.id,
        title=text("Expected series: {role}", role=role.named),
        outcome=outcome,
        level=role.level,
        trust=role.trust,
        source=protocol.citations[f"role.{role.id}"],
        series_uid=None if only is None else only.series_uid,
        measured=measured,
        limit=text("at least one") if role.expected else None,
        reason=reason,
        remedy=remedy,
        owner=owner,
    )


def criterion_finding(
    protocol: Protocol,
    criterion: Criterion,
    judged: Judged,
    *,
    role: Role | None = None,
    series_uid: str | None = None,
    lesion: str | None = None,
) -> Finding:
    """What one criterion came to."""
    remedy = owner = None
    if judged.outcome is Outcome.FAIL:
        remedy, owner = criterion.advice, criterion.owner
    elif judged.outcome is not Outcome.PASS:
        remedy, owner = judged.supply, judged.owner
    key = None if role is None else role.id
    return Finding(
        protocol=protocol.id,
        protocol_title=protocol.named,
        criterion=criterion.id,
        role=key,
        lesion=lesion,
        title=protocol.headings[criterion.id, key],
        outcome=judged.outcome,
        level=Level.OPTIONAL if judged.capped else criterion.level,
        trust=criterion.trust,
        source=protocol.citations[criterion.id],
        series_uid=series_uid,
        measured=judged.measured,
        limit=judged.limit,
        unit=criterion.unit,
        value=judged.value,
        distance=judged.distance,
        reason=judged.reason,
        remedy=remedy,
        owner=owner,
    )


def waived(findings: Iterable[Finding], waivers: Iterable[Waiver]) -> Iterator[Finding]:
    """`findings`, those that did not pass and need not to marked as waived, with who decided so, why and until when."""
    by_criterion = {(one.protocol, one.criterion): one for one in waivers}
    for finding in findings:
        waiver = by_criterion.get((finding.protocol, finding.criterion))
        if waiver is None or finding.outcome not in (Outcome.FAIL, Outcome.UNKNOWN):
            yield finding
            continue
        said = text("waived by {who} until {until}: {why}", who=waiver.by, until=waiver.until, why=waiver.why)
        reason = said if finding.reason is None else text("{said} ({reason})", said=said, reason=finding.reason)
        yield replace(finding, outcome=Outcome.WAIVED, reason=reason)


def _which(filled: Filling, judged: Sequence[AnyAcquisition], measured_on: Collection[str]) -> Text | None:
    """Which of the series that fill a role are judged, by their numbers."""
    count = len(filled.sure)
    if count == 1:
        return _recognised(filled.sure[0])
    numbers = listed([_number(one) for one in judged])
    if filled.role.each:
        return text("each of {count} series that fill this role is judged: {numbers}", count=count, numbers=numbers)
    if any(one.series_uid in measured_on for one in judged):
        return text(
            "of {count} series that fill this role, those measured on are judged: {numbers}",
            count=count,
            numbers=numbers,
        )
    return text(
        "of {count} series that fill this role, the one that meets the protocol best is judged: {numbers}",
        count=count,
        numbers=numbers,
    )


def _number(acquisition: AnyAcquisition) -> Text:
    if acquisition.series_number is None:
        return text("a series without a number")
    return text("series {number}", number=acquisition.series_number)


def _recognised(candidate: Candidate) -> Text | None:
    """From what the series was recognised, and how surely."""
    if not candidate.reasons:
        return None
    said = candidate.reasons[0]
    for reason in candidate.reasons[1:]:
        said = text("{first}; {next}", first=said, next=reason)
    if candidate.told:
        return said
    return text("recognised with {percent} % certainty: {why}", percent=round(100 * candidate.certainty), why=said)
