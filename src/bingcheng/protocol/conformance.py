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
- What a person said about a series goes before what its header says; what is waived is still judged, and then marked.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence

from bingcheng.core.finding import Finding
from bingcheng.dicom.acquisition import AnyAcquisition
from bingcheng.protocol.demands import Evidence, holds
from bingcheng.protocol.judgement import Judgement
from bingcheng.protocol.model import ANY_MODALITY, Protocol
from bingcheng.protocol.roles import filling
from bingcheng.protocol.saying import waived
from bingcheng.protocol.supplied import Correction, Supplied, Waiver


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
    return _chosen(protocols, Evidence(acquisitions), asked)


def judge(
    protocol: Protocol,
    acquisitions: Sequence[AnyAcquisition],
    *,
    baseline: Sequence[AnyAcquisition] | None = None,
    supplied: Supplied | None = None,
    supplied_at_baseline: Supplied | None = None,
    measured_on: Collection[str] = (),
    told: Mapping[str, Sequence[Correction]] | None = None,
    waivers: Collection[Waiver] = (),
) -> tuple[Finding, ...]:
    """Every role and every criterion of `protocol`, judged on one exam; roles first, then in the order of the file.

    Parameters
    ----------
    protocol : by which to judge; whether it applies is the caller's question (`choose`).
    acquisitions : the facts of all image series of the exam.
    baseline : those of the earlier exam to which the criteria about pairs refer; None if there is none.
    supplied, supplied_at_baseline : values that no header holds.
    measured_on : UIDs of series on which something was measured.
    told : what people said about series of both exams, by UID.
    waivers : those that hold for this exam today.
    """
    return judge_all(
        (protocol,),
        acquisitions,
        baseline=baseline,
        supplied=supplied,
        supplied_at_baseline=supplied_at_baseline,
        measured_on=measured_on,
        told=told,
        waivers=waivers,
    )


def judge_all(
    protocols: Iterable[Protocol],
    acquisitions: Sequence[AnyAcquisition],
    *,
    baseline: Sequence[AnyAcquisition] | None = None,
    supplied: Supplied | None = None,
    supplied_at_baseline: Supplied | None = None,
    measured_on: Collection[str] = (),
    told: Mapping[str, Sequence[Correction]] | None = None,
    waivers: Collection[Waiver] = (),
) -> tuple[Finding, ...]:
    """The findings of several protocols on one exam, as `judge` gives them; facts are read once for all of them."""
    evidence = Evidence(acquisitions, supplied, None if baseline is None else supplied_at_baseline)
    before = None if baseline is None else Evidence(baseline, supplied_at_baseline)
    return _judged(protocols, evidence, before, frozenset(measured_on), told or {}, waivers)


def judge_fitting(
    protocols: Iterable[Protocol],
    acquisitions: Sequence[AnyAcquisition],
    *,
    asked: Collection[str] = (),
    baseline: Sequence[AnyAcquisition] | None = None,
    supplied: Supplied | None = None,
    supplied_at_baseline: Supplied | None = None,
    measured_on: Collection[str] = (),
    told: Mapping[str, Sequence[Correction]] | None = None,
    waivers: Collection[Waiver] = (),
) -> tuple[Finding, ...]:
    """The findings of those protocols that fit the exam, or that are `asked` for, as `choose` and `judge` have them.

    Facts are read once for both, so that what is supplied also tells which protocols fit.
    """
    evidence = Evidence(acquisitions, supplied, None if baseline is None else supplied_at_baseline)
    before = None if baseline is None else Evidence(baseline, supplied_at_baseline)
    chosen = _chosen(protocols, evidence, asked)
    return _judged(chosen, evidence, before, frozenset(measured_on), told or {}, waivers)


def _chosen(protocols: Iterable[Protocol], evidence: Evidence, asked: Collection[str]) -> tuple[Protocol, ...]:
    modalities = {acquisition.modality for acquisition in evidence.exam.acquisitions}
    return tuple(
        one
        for one in protocols
        if (one.id in asked and (one.modality in modalities or one.modality == ANY_MODALITY))
        or (one.by_default and _applicable(one, evidence))
    )


def _judged(
    protocols: Iterable[Protocol],
    evidence: Evidence,
    before: Evidence | None,
    measured_on: frozenset[str],
    told: Mapping[str, Sequence[Correction]],
    waivers: Collection[Waiver],
) -> tuple[Finding, ...]:
    found = (finding for one in protocols for finding in Judgement(one, evidence, before, measured_on, told).findings())
    return tuple(waived(found, waivers) if waivers else found)


def _applicable(protocol: Protocol, evidence: Evidence) -> bool:
    if not protocol.roles or not all(holds(demand, evidence, None)[0] for demand in protocol.applies):
        return False
    return all(filling(role, evidence).candidates for role in protocol.roles if role.decisive)
