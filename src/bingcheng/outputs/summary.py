"""What an assessment comes to, in a few sentences: the headline and what to do first, for the page and the terminal."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum

from bingcheng.compare.change import Verdict
from bingcheng.compare.homogeneity import SiteRow
from bingcheng.compare.lesions import LesionChange
from bingcheng.core.errors import Owner
from bingcheng.core.finding import Finding, Level, Outcome
from bingcheng.core.refusal import SubjectKind
from bingcheng.core.units import unit
from bingcheng.core.wording import Fact, Text, text
from bingcheng.outputs.assessment import Assessment, ExamView
from bingcheng.outputs.language import several

VERDICT_ORDER = (Verdict.REAL, Verdict.NOT_COMPARABLE, Verdict.UNKNOWN, Verdict.WITHIN_REPEATABILITY)
OUTCOME_ORDER = (Outcome.FAIL, Outcome.UNKNOWN, Outcome.WAIVED, Outcome.PASS, Outcome.NOT_APPLICABLE)
LEVEL_ORDER = (Level.REQUIRED, Level.ACCEPTABLE, Level.RECOMMENDED, Level.IDEAL, Level.OPTIONAL)


UNNAMED = text("(hospital not named)")
"""Stands where the header names no hospital."""


class Topic(StrEnum):
    """What a priority speaks of, and so where more about it stands."""

    LESION = "lesion"
    EXAM = "exam"
    SITE = "site"


@dataclass(frozen=True, slots=True, kw_only=True)
class Priority:
    """One thing that somebody should look at or mend.

    Parameters
    ----------
    sentence : what it is.
    remedy, owner : what to do and who; None where looking is all there is to do.
    topic, subject : where more stands: the exam's label, the site's name, or the lesion's place in
        `Assessment.changes`, counted from 0, as a string.
    weight : the same number for the same urgency; lower comes first.
    """

    sentence: Text
    remedy: Text | None
    owner: Owner | None
    topic: Topic
    subject: str
    weight: int


def exam_outcome(exam: ExamView) -> Outcome | None:
    """Whether an exam was made as agreed: FAIL or UNKNOWN if a finding that gates says so, else PASS; None if unjudged.

    An exam whose findings are all "not applicable", or only about unverified limits, was judged by nobody: None.
    """
    gating = {finding.outcome for finding in exam.findings if finding.gates}
    for outcome in (Outcome.FAIL, Outcome.UNKNOWN):
        if outcome in gating:
            return outcome
    met = any(finding.outcome is Outcome.PASS for finding in exam.findings)
    return Outcome.PASS if met else None


def protocol_of(finding: Finding) -> Text:
    """What people call the finding's protocol; its identifier where no title was stored."""
    return finding.protocol_title or Text("{identifier}", {"identifier": finding.protocol})


def only_repeats(finding: Finding) -> bool:
    """Whether the reason says no more than what was found, what was asked, and how far apart they are."""
    if finding.reason is None or finding.measured is None or finding.limit is None:
        return False
    facts = finding.reason.facts
    return set(facts) <= {"measured", "limit", "distance"} and facts.get("limit") == finding.limit


def outside_by(finding: Finding) -> Text | None:
    """How far beyond the limit a failed finding is; None where there is no distance."""
    if finding.outcome is not Outcome.FAIL or finding.distance is None or finding.distance <= 0:
        return None
    symbol = unit(finding.unit or "1").symbol
    return (
        text("{distance} {unit} outside", distance=finding.distance, unit=symbol)
        if symbol
        else text("{distance} outside", distance=finding.distance)
    )


def by_urgency(findings: Iterable[Finding]) -> tuple[Finding, ...]:
    """Findings with those that stop a strict gate first, then by outcome, then by how much the criterion asks."""
    return tuple(
        sorted(
            findings,
            key=lambda f: (not f.gates, OUTCOME_ORDER.index(f.outcome), LEVEL_ORDER.index(f.level), f.criterion),
        )
    )


def lesion_count(assessment: Assessment) -> int:
    """The number of lesions, each counted once however often it was seen."""
    return len(_seen(assessment))


def _seen(assessment: Assessment) -> set[tuple[str, str]]:
    """Patient and identifier of every lesion."""
    return {
        (exam.patient, lesion.followed_as)
        for exam in assessment.exams
        for series in exam.series
        for lesion in series.lesions
    } | {(change.patient, change.lesion) for change in assessment.changes}


def headline(assessment: Assessment) -> tuple[Text, ...]:
    """The answer in two to five sentences: lesions, protocol, hospitals, what was refused."""
    if not assessment.exams:
        nothing = text("No exam was found: give a folder that holds DICOM files of CT, MR or PET.")
        return tuple(sentence for sentence in (nothing, _refused(assessment)) if sentence)
    sentences = (_lesions(assessment), *_protocol(assessment.exams), _sites(assessment), _refused(assessment))
    return tuple(sentence for sentence in sentences if sentence is not None)


def joined(parts: Sequence[Text]) -> Text:
    """Texts in a row, parted as the reader's language parts a list; at least one."""
    whole = parts[0]
    for part in parts[1:]:
        whole = text("{first}, {second}", first=whole, second=part)
    return whole


def _lesions(assessment: Assessment) -> Text:
    seen = _seen(assessment)
    count = len(seen)
    exams = several("1 exam", "{count} exams", len(assessment.exams))
    if not count:
        return text("No lesion is marked in {exams}, so no tumour was measured.", exams=exams)
    lesions = several("1 lesion", "{count} lesions", count)
    patients = several("1 patient", "{count} patients", len({patient for patient, _ in seen}))
    verdicts = [_verdict_count(assessment.changes, verdict) for verdict in VERDICT_ORDER]
    parts = [part for part in verdicts if part is not None]
    once = count - len(assessment.changes)
    if once > 0:
        parts.append(several("1 seen once only", "{count} seen once only", once))
    return text("{lesions} in {patients}: {parts}.", lesions=lesions, patients=patients, parts=joined(parts))


def _verdict_count(changes: Iterable[LesionChange], verdict: Verdict) -> Text | None:
    count = sum(change.verdict is verdict for change in changes)
    if not count:
        return None
    if verdict is Verdict.REAL:
        return several("1 really changed", "{count} really changed", count)
    if verdict is Verdict.WITHIN_REPEATABILITY:
        return several("1 stayed within repeatability", "{count} stayed within repeatability", count)
    if verdict is Verdict.NOT_COMPARABLE:
        return several("1 can't be compared", "{count} can't be compared", count)
    return several("1 can't be judged", "{count} can't be judged", count)


def _protocol(exams: Sequence[ExamView]) -> tuple[Text, ...]:
    outcomes = [exam_outcome(exam) for exam in exams]
    judged = sum(outcome is not None for outcome in outcomes)
    if not judged:
        return (text("No protocol in use applies to these exams, so none was judged."),)
    of = several("1 judged exam", "{count} judged exams", judged)
    failed, unknown = outcomes.count(Outcome.FAIL), outcomes.count(Outcome.UNKNOWN)
    said = []
    if failed:
        said.append(text("{failed} of {exams} broke the protocol.", failed=failed, exams=of))
    if unknown:
        said.append(text("{unknown} of {exams} left a required criterion open.", unknown=unknown, exams=of))
    return tuple(said) or (text("Every required criterion was met in {exams}.", exams=of),)


def named_sites(rows: Iterable[SiteRow]) -> frozenset[str]:
    """The hospitals in `rows`; one without a name may be any of the others, so it does not count."""
    return frozenset(row.site for row in rows if row.site)


def judged(row: SiteRow) -> bool:
    """Whether something is known of how a scanner stands beside the others: too few exams say nothing."""
    return row.deviation is not None and (row.flagged or row.explanation is None)


def _sites(assessment: Assessment) -> Text | None:
    rows = assessment.comparison
    if not any(len(named_sites(row for row in rows if row.key == key)) > 1 for key in {row.key for row in rows}):
        return None
    flagged = {(row.site, row.key) for row in rows if row.flagged}
    if not flagged and not any(judged(row) for row in rows):
        return text("There are too few exams to say whether a hospital deviates from the others.")
    if not flagged:
        return text("No hospital stands out from the others in any compared measure.")
    sites = sorted({site for site, _ in flagged})
    return text(
        "{sites} from the others in {measures}.",
        sites=several("1 hospital deviates", "{count} hospitals deviate", len(sites)),
        measures=several("1 measure", "{count} measures", len({key for _, key in flagged})),
    )


def _refused(assessment: Assessment) -> Text | None:
    # What is said of an exam as a whole that was used all the same (no lesion is marked) is nothing that was left out.
    of_exams = [
        refusal
        for exam in assessment.exams
        for refusal in exam.refusals
        if refusal.kind is not SubjectKind.EXAM or not exam.series
    ]
    count = sum(refusal.count for refusal in (*assessment.refusals, *of_exams))
    if not count:
        return None
    return several(
        "1 thing could not be used; the reason stands beside it.",
        "{count} things could not be used; the reason stands beside each.",
        count,
    )


def priorities(assessment: Assessment) -> tuple[Priority, ...]:
    """What to look at or mend, most urgent first: real changes, broken protocols, pairs to repeat, deviating sites."""
    found = [
        *_of_lesions(assessment.changes),
        *(priority for exam in assessment.exams for priority in _of_exam(exam)),
        *_of_sites(assessment.comparison),
    ]
    return tuple(sorted(found, key=lambda priority: priority.weight))


def _of_lesions(changes: Sequence[LesionChange]) -> Iterable[Priority]:
    for place, change in enumerate(changes):
        facts = {"lesion": change.label, "patient": change.patient}
        if change.verdict is Verdict.REAL:
            sentence = text("{lesion} of patient {patient} really changed.", **facts)
            weight = 0
        elif change.verdict is Verdict.NOT_COMPARABLE:
            sentence = text("{lesion} of patient {patient} can't be compared between the exams.", **facts)
            weight = 2
        elif change.verdict is Verdict.UNKNOWN:
            sentence = text("Whether {lesion} of patient {patient} changed can't be judged.", **facts)
            weight = 3
        else:
            continue
        yield Priority(
            sentence=sentence,
            remedy=None if change.lead is None else change.lead.remedy,
            owner=None,
            topic=Topic.LESION,
            subject=str(place),
            weight=weight,
        )


def _of_exam(exam: ExamView) -> Iterable[Priority]:
    gating = [finding for finding in by_urgency(exam.findings) if finding.gates]
    if not gating:
        return
    first = gating[0]
    failed = first.outcome is Outcome.FAIL
    facts: dict[str, Fact | Text] = {
        "exam": exam.label,
        "site": exam.site or UNNAMED,
        "protocol": protocol_of(first),
        "criterion": first.title,
    }
    sentence = (
        text("{exam} at {site} broke “{protocol}”: {criterion}.", **facts)
        if failed
        else text("{exam} at {site} leaves “{protocol}” open: {criterion}.", **facts)
    )
    yield Priority(
        sentence=sentence,
        remedy=first.remedy,
        owner=first.owner,
        topic=Topic.EXAM,
        subject=exam.label,
        weight=1 if failed else 4,
    )


def _of_sites(rows: Sequence[SiteRow]) -> Iterable[Priority]:
    for row in rows:
        if row.flagged:
            yield Priority(
                sentence=text("{site} deviates in {measure}.", site=row.site or UNNAMED, measure=Text(row.label)),
                remedy=row.explanation,
                owner=Owner.PHYSICIST,
                topic=Topic.SITE,
                subject=row.site,
                weight=3,
            )


def among_peers(finding: Finding) -> Text | None:
    """How the exam stands among the workspace's other exams in this criterion; None if there are none."""
    peers = finding.peers
    if peers is None:
        return None
    if peers.percentile is None:
        return text("{met} of {count} other exams meet it", met=peers.met, count=peers.count)
    if peers.percentile == 0:
        return text("{met} of {count} other exams meet it; all of them lie better", met=peers.met, count=peers.count)
    return text(
        "{met} of {count} other exams meet it; this one is better than {percent} % of them",
        met=peers.met,
        count=peers.count,
        percent=round(peers.percentile),
    )
