"""On which side of the injection of contrast agent a series lies, and whether it shows the hepatobiliary phase."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from functools import lru_cache

from bingcheng.core.errors import Owner, Problem, Undefined
from bingcheng.core.wording import text
from bingcheng.dicom.acquisition import Acquisition, AnyAcquisition, MrAcquisition
from bingcheng.protocol.attributes import ExamFacts, Told, attribute
from bingcheng.protocol.naming import CERTAINTY, picked
from bingcheng.protocol.quantities.contrast import ANSWERED_BY, NO_CONTRAST_START, delay_said, injection_start
from bingcheng.protocol.quantities.recognition.dynamic import FEWEST_PHASES, is_dynamic, starts_of
from bingcheng.protocol.quantities.recognition.likeness import likes, once
from bingcheng.protocol.quantities.recognition.ties import SEVERAL_POSSIBLE, settled
from bingcheng.protocol.quantities.recognition.weighting import weighting
from bingcheng.protocol.values import Kind, listed

TIMES = {
    "before": text("before the injection"),
    "first_after": text("first after the injection"),
    "later_after": text("later after the injection"),
}
SIDES = {"before": TIMES["before"], "after": text("after the injection")}
FROM_THE_INJECTOR = text(
    "Have the injection time written into the header (injector interface, ContrastBolusStartTime)."
)
BY_ORDER = 0.85
"""Certainty of what the presence of a contrast agent in some series of an exam tells: people enter it between two
series, and now and then one series too early or too late."""

DURING_INJECTION = Problem(
    code="protocol.injection-during-series",
    says="the injection began while the series was acquired, and the header does not tell the times of its volumes",
    remedy="Have the time of each volume written into the header, or state what the series holds: "
    "`bingcheng protocol answer derived.contrast_times=before,first_after,later_after --exam … --series …`.",
    owner=Owner.TECHNOLOGIST,
)
BASELINE_UNKNOWN = Problem(
    code="protocol.baseline-unknown",
    says="a contrast agent was given, but the header does not say after which volume of the dynamic",
    remedy="Have the injection time written (ContrastBolusStartTime), or read it from the injector's log and state it: "
    "`bingcheng protocol answer clinical.injection_time=10:23:45 --exam …`.",
    owner=Owner.TECHNOLOGIST,
)
AGENT_NOT_CARRIED_ON = Problem(
    code="protocol.agent-not-carried-on",
    says="an earlier series of the exam names a contrast agent and this one does not",
    remedy="Say whether this series was made after the injection; keep the agent entered until the end of the exam.",
    owner=Owner.TECHNOLOGIST,
)
AGENT_UNKNOWN = Problem(
    code="protocol.agent-unknown",
    says="the header does not name the contrast agent, so whether the liver takes it up is not known",
    remedy="Enter the agent's name at the console (for instance gadoxetate), or tell it by hand.",
    owner=Owner.TECHNOLOGIST,
)
UPTAKE_S = {"gadoxetate": 600.0, "gadobenate": 2700.0}
"""Delay from which the liver shows the agent: gadoxetate from 10 min (usually imaged at 20), gadobenate at 1 to 2 h.
Source: the agents' product information; LI-RADS v2018 asks for about 20 min with gadoxetate."""

AGENT_NAMES = {"gadoxetate": text("gadoxetate"), "gadobenate": text("gadobenate")}
AGENTS = {
    "gadoxetate": ("GADOXET", "PRIMOVIST", "EOVIST", "EOB", "普美显", "钆塞酸"),
    "gadobenate": ("GADOBEN", "MULTIHANCE", "BOPTA", "莫迪司", "钆贝葡胺"),
    "extracellular": (
        *("GADOBUTROL", "GADOVIST", "GADAVIST", "GADOTER", "DOTAREM", "CLARISCAN", "CYCLOLUX", "DOTAGRAF", "PROHANCE"),
        *("GADODIAMID", "OMNISCAN", "GADOPENTET", "MAGNEVIST", "GD-DTPA", "GADOPICLENOL", "ELUCIREM", "VUEWAY"),
        *("加乐显", "马根维显", "多它灵", "欧乃影", "钆喷酸", "钆布醇", "钆特酸", "钆双胺", "钆特醇"),
    ),
}


@attribute(
    "derived.contrast_times",
    label=text("position to the injection"),
    kind=Kind.WORDS,
    words=TIMES,
    owner=Owner.TECHNOLOGIST,
    supply=FROM_THE_INJECTOR,
    answered_by=ANSWERED_BY,
)
def contrast_times(acquisition: Acquisition, exam: ExamFacts) -> Told | None:
    """What a series holds: volumes before the injection, the first after it among the series made alike, later ones.

    By the time of injection where a header gives it; else by which series of the exam name a contrast agent.

    Raises
    ------
    Undefined
        ``protocol.no-contrast-start``, ``protocol.injection-during-series``, ``protocol.baseline-unknown``,
        ``protocol.agent-not-carried-on``, ``protocol.several-possible``.
    """
    return once("contrast times", _contrast_times, acquisition, exam)


def _contrast_times(acquisition: AnyAcquisition, exam: ExamFacts) -> Told | None:
    if acquisition.started_at is None:
        return None
    injected = injection_start(acquisition, exam)
    return _by_agent(acquisition, exam) if injected is None else _by_time(acquisition, exam, injected)


@attribute(
    "derived.after_contrast",
    label=text("after the injection of contrast agent"),
    kind=Kind.FLAG,
    owner=Owner.TECHNOLOGIST,
    supply=FROM_THE_INJECTOR,
    answered_by=ANSWERED_BY,
)
def after_contrast(acquisition: Acquisition, exam: ExamFacts) -> Told | None:
    """Whether a series holds images after the injection."""
    try:
        told = contrast_times(acquisition, exam)
    except Undefined as unknown:
        if unknown.problem is BASELINE_UNKNOWN:
            return Told(True, text("the header names a contrast agent"), BY_ORDER)
        raise
    return None if told is None else Told(told.value != ("before",), told.remark, told.certainty)


@attribute(
    "derived.first_post_end_s",
    label=text("end of the first images after contrast, after the end of the injection"),
    unit="s",
    tolerance=1.0,
    why=text("the header does not tell when it was injected, or the series does not hold the first images after that"),
    supply=FROM_THE_INJECTOR,
    owner=Owner.TECHNOLOGIST,
    answered_by=ANSWERED_BY,
)
def first_post_end(acquisition: Acquisition, exam: ExamFacts) -> float | None:
    """Seconds from the end of the injection to the end of the first volume after its start.

    The injection ends at ContrastBolusStopTime (0018,1043), or after volume over rate (0018,1041)/(0018,1046).
    """
    injected = injection_start(acquisition, exam)
    if injected is None or acquisition.started_at is None:
        return None
    moments = _moments(likes(acquisition, exam), injected)
    own = [moment for moment in starts_of(acquisition) if moment >= injected]
    stopped = _injection_end(acquisition, exam, injected)
    if not own or own[0] != moments[0] or stopped is None:
        return None
    ended = own[1] if len(own) > 1 else acquisition.ended_at
    return None if ended is None else (ended - stopped).total_seconds()


@attribute(
    "derived.hepatobiliary", label=text("hepatobiliary phase"), kind=Kind.FLAG, owner=Owner.TECHNOLOGIST,
    supply=FROM_THE_INJECTOR, answered_by=ANSWERED_BY,
)  # fmt: skip
def hepatobiliary(acquisition: MrAcquisition, exam: ExamFacts) -> Told:
    """Whether a T1-weighted series was made when the liver had taken up a hepatobiliary agent (`UPTAKE_S`).

    Raises
    ------
    Undefined
        ``protocol.agent-unknown``, ``protocol.no-contrast-start``, and those of the weighting.
    """
    agent = _agent(acquisition, exam)
    if agent == "extracellular":
        return Told(False, text("the contrast agent stays outside of the liver cells"))
    injected = injection_start(acquisition, exam)
    if injected is None or acquisition.started_at is None:
        return _hepatobiliary_by_name(acquisition, agent)
    delay_s = (acquisition.started_at - injected).total_seconds()
    if delay_s < UPTAKE_S["gadoxetate"]:
        return Told(False, delay_said(delay_s))
    weighted = weighting(acquisition)
    if weighted.value != "t1":
        return Told(False, weighted.remark, weighted.certainty)
    if agent is None:
        raise Undefined(AGENT_UNKNOWN)
    remark = text("{agent}, {when}", agent=AGENT_NAMES[agent], when=delay_said(delay_s))
    return Told(delay_s >= UPTAKE_S[agent], remark, weighted.certainty)


def _hepatobiliary_by_name(acquisition: MrAcquisition, agent: str | None) -> Told:
    if (
        agent is None
        or picked("phase", ("hepatobiliary",), acquisition) is None
        or weighting(acquisition).value != "t1"
    ):
        raise Undefined(NO_CONTRAST_START)
    return Told(True, text("a hepatobiliary agent, and the name of the series says so"), CERTAINTY)


def _by_time(acquisition: AnyAcquisition, exam: ExamFacts, injected: datetime) -> Told:
    starts = starts_of(acquisition)
    if len(starts) == 1 and starts[0] < injected:
        # A small part of a scan after the start of injection is still one without contrast: arms take 10 s to pass.
        ended = acquisition.ended_at
        if (ended is not None and ended > injected + timedelta(seconds=10)) or _is_untimed_dynamic(acquisition, exam):
            raise Undefined(DURING_INJECTION)
    first = next(iter(_moments(likes(acquisition, exam), injected)), None)
    found = {"before" if s < injected else "first_after" if s == first else "later_after" for s in starts}
    reason = delay_said((starts[0] - injected).total_seconds())
    return Told(tuple(word for word in TIMES if word in found), reason)


def _by_agent(acquisition: AnyAcquisition, exam: ExamFacts) -> Told:
    named = [a for a in exam.acquisitions if a.contrast_agent and a.modality == acquisition.modality and a.started_at]
    if not named:
        raise Undefined(NO_CONTRAST_START)
    others = [a for a in exam.acquisitions if a.modality == acquisition.modality]
    if len(named) == len(others) and len({a.started_at for a in named}) > 1:
        return _by_name(acquisition, exam)
    assert acquisition.started_at is not None
    if not acquisition.contrast_agent:
        if any(a.started_at is not None and a.started_at <= acquisition.started_at for a in named):
            raise Undefined(AGENT_NOT_CARRIED_ON)
        reason = text("later series of the exam name a contrast agent and this one does not")
        return Told(("before",), reason, BY_ORDER)
    group = likes(acquisition, exam)
    untimed = len(acquisition.volume_times_s) >= FEWEST_PHASES or _is_untimed_dynamic(acquisition, exam)
    if all(one.contrast_agent for one in group):
        # The agent stands in the protocol step, from its first phase on, which may well lie before the injection.
        if len(group) > 1 and group[0] is acquisition:
            return _by_name(acquisition, exam)
        if len(group) > 1 or untimed:
            raise Undefined(BASELINE_UNKNOWN)
    reason = text("this series names a contrast agent")
    return Told(_after(acquisition, [one for one in group if one.contrast_agent]), reason, BY_ORDER)


def _by_name(acquisition: AnyAcquisition, exam: ExamFacts) -> Told:
    """Where the agent stands in all series, or in all that are made alike, it tells no order."""
    reason = text("the contrast agent stands in several series, and none says when it was injected")
    group = likes(acquisition, exam)
    if len(group) > 1 and len({_named_side(one) for one in group}) == 1:
        # One name for the series before and after it, as consoles give it to the phases of one protocol step.
        raise Undefined(SEVERAL_POSSIBLE, reason=reason, possible=listed(list(SIDES.values())))
    told = settled("contrast", tuple(SIDES), acquisition, reason=reason, words=SIDES, certainty=1.0)
    if told.value == "before":
        return Told(("before",), told.remark, told.certainty)
    others = [one for one in group if one is not acquisition and _named_side(one) != "before"]
    return Told(_after(acquisition, [acquisition, *others]), told.remark, told.certainty)


def _named_side(acquisition: AnyAcquisition) -> str | None:
    mention = picked("contrast", tuple(SIDES), acquisition)
    return None if mention is None else mention.value


def _after(acquisition: AnyAcquisition, group: Sequence[AnyAcquisition]) -> tuple[str, ...]:
    first = min(moment for one in group for moment in starts_of(one))
    found = {"first_after" if moment == first else "later_after" for moment in starts_of(acquisition)}
    return tuple(word for word in TIMES if word in found)


def _is_untimed_dynamic(acquisition: AnyAcquisition, exam: ExamFacts) -> bool:
    """Whether a series has several volumes of which nothing tells the times."""
    if len(acquisition.volume_times_s) >= FEWEST_PHASES or (acquisition.volume_count or 1) < FEWEST_PHASES:
        return False
    dynamic = is_dynamic(acquisition, exam)
    return dynamic is None or dynamic is True or (isinstance(dynamic, Told) and dynamic.value is True)


def _moments(group: Sequence[AnyAcquisition], injected: datetime) -> list[datetime]:
    """When the volumes of like series were begun, from the injection on, ascending."""
    return sorted(moment for one in group for moment in starts_of(one) if moment >= injected)


def _injection_end(acquisition: Acquisition, exam: ExamFacts, injected: datetime) -> datetime | None:
    for one in (acquisition, *exam.acquisitions):
        if one.contrast_stopped_at is not None and injection_start(one, exam) == injected:
            return one.contrast_stopped_at
    for one in (acquisition, *exam.acquisitions):
        if one.contrast_volume_ml and one.contrast_flow_ml_per_s:
            return injected + timedelta(seconds=one.contrast_volume_ml / one.contrast_flow_ml_per_s)
    return None


def _agent(acquisition: Acquisition, exam: ExamFacts) -> str | None:
    """The kind of contrast agent that a series names, else the one that the other series of the exam agree on."""
    own = _kind_of(acquisition.contrast_agent)
    if own is not None or acquisition.contrast_agent:
        return own
    kinds = {_kind_of(one.contrast_agent) for one in exam.acquisitions if one.contrast_agent}
    return kinds.pop() if len(kinds) == 1 else None


@lru_cache(maxsize=1024)
def _kind_of(agent: str | None) -> str | None:
    name = (agent or "").upper()
    found = [kind for kind, words in AGENTS.items() if any(word in name for word in words)]
    return found[0] if len(found) == 1 else None
