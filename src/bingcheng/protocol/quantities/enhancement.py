"""Whether the enhancement that a CT shows is the one that its header declares."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from bingcheng.core.errors import Owner, Problem, Undefined
from bingcheng.core.wording import Text, text
from bingcheng.dicom.acquisition import Acquisition, CtAcquisition
from bingcheng.protocol.attributes import ExamFacts, Told, attribute
from bingcheng.protocol.naming import CERTAINTY, picked
from bingcheng.protocol.quantities.contrast import delay_said, injection_start
from bingcheng.protocol.quantities.recognition.phase import IMAGE_PHASE, ORGAN_WINDOWS_S, PHASES
from bingcheng.protocol.values import Kind, listed

CONTRADICTS = 0.95
"""Probability of a phase from which on the image is held against the header."""

NEIGHBOURS: Mapping[str, frozenset[str]] = MappingProxyType(
    {
        "precontrast": frozenset({"precontrast"}),
        "early_arterial": frozenset({"early_arterial", "late_arterial"}),
        "late_arterial": frozenset({"early_arterial", "late_arterial"}),
        "pancreatic": frozenset({"late_arterial", "portal_venous"}),
        "portal_venous": frozenset({"portal_venous", "nephrographic"}),
        "nephrographic": frozenset({"portal_venous", "nephrographic", "delayed"}),
        "delayed": frozenset({"nephrographic", "delayed", "excretory"}),
        "excretory": frozenset({"delayed", "excretory"}),
    }
)
"""What an image of a declared phase may show: phases flow into each other, and hearts pump at different speeds."""

RATHER = Problem(
    code="protocol.phase-rather-another",
    says="the image rather shows: {seen}, with {percent} %, which is too little to hold it against the header",
    remedy="Look at the aorta, the portal vein and the kidneys and say which phase it is.",
    owner=Owner.RADIOLOGIST,
)
NO_AGENT = frozenset({"NO", "NONE", "WITHOUT", "N/A", "NA", "NATIVE", "OHNE", "KEIN", "无", "否", "平扫"})
"""What people write in the entry of the agent where none was given."""


@attribute(
    "derived.declared_phases",
    label=text("declared contrast phase"),
    kind=Kind.WORDS,
    words=PHASES,
    why=text("neither the time of injection nor the name of the series tells a contrast phase"),
    owner=Owner.TECHNOLOGIST,
)
def declared_phases(acquisition: Acquisition, exam: ExamFacts) -> Told | None:
    """The phases into which a series falls by its delay (see `ORGAN_WINDOWS_S`), else the one that its name speaks of.

    None between the windows, and where neither a delay nor one phase's name is written.
    """
    injected = injection_start(acquisition, exam)
    if injected is not None and acquisition.started_at is not None:
        delay_s = (acquisition.started_at - injected).total_seconds()
        found = tuple(phase for phase, low_s, high_s in ORGAN_WINDOWS_S if low_s <= delay_s <= high_s)
        if delay_s <= 0:
            found = ("precontrast",)
        if "portal_venous" in found:
            # The late end of the pancreatic window, when the arteries have had their turn for every organ.
            found = tuple(phase for phase in found if phase != "pancreatic")
        return Told(found, delay_said(delay_s)) if found else None
    mention = picked("phase", tuple(PHASES), acquisition)
    if mention is None:
        return None
    return Told((mention.value,), text("the name of the series says '{word}'", word=mention.word), CERTAINTY)


@attribute(
    "derived.phase_agrees",
    label=text("declared contrast phase and enhancement agree"),
    kind=Kind.FLAG,
    why=text("the contrast phase was not declared, or the enhancement was not measured in the image"),
    owner=Owner.RADIOLOGIST,
)
def phase_agrees(acquisition: CtAcquisition, exam: ExamFacts) -> Told | None:
    """Whether the image shows a phase that the declared delay or name allows (see `NEIGHBOURS`).

    Raises
    ------
    Undefined
        ``protocol.phase-rather-another``.
    """
    declared, seen = declared_phases(acquisition, exam), _seen(acquisition, exam)
    if declared is None or seen is None:
        return None
    assert isinstance(declared.value, tuple)
    phases = [str(phase) for phase in declared.value]
    allowed = frozenset[str]().union(*(NEIGHBOURS.get(phase, frozenset()) for phase in phases))
    if str(seen.value) not in allowed and seen.certainty < CONTRADICTS:
        raise Undefined(RATHER, seen=PHASES[str(seen.value)], percent=round(100 * seen.certainty))
    remark = text(
        "declared: {declared} ({why}); the image shows: {seen}",
        declared=listed([PHASES[phase] for phase in phases]),
        why=declared.remark or text("as entered"),
        seen=PHASES[str(seen.value)],
    )
    return Told(str(seen.value) in allowed, remark)


@attribute(
    "derived.contrast_agrees",
    label=text("declared contrast agent and enhancement agree"),
    kind=Kind.FLAG,
    why=IMAGE_PHASE.why,
    supply=IMAGE_PHASE.supply,
    owner=Owner.RADIOLOGIST,
)
def contrast_agrees(acquisition: CtAcquisition, exam: ExamFacts) -> Told | None:
    """Whether the vessels are enhanced where the header names a contrast agent, and only there.

    The agent's entry belongs into images in which contrast was used, and only into those (PS3.3 A.3.3, C.7.6.4).

    Raises
    ------
    Undefined
        ``protocol.phase-rather-another``.
    """
    seen = _seen(acquisition, exam)
    if seen is None:
        return None
    agent = (acquisition.contrast_agent or "").strip()
    named = bool(agent) and agent.upper() not in NO_AGENT
    enhanced = seen.value != "precontrast"
    if named is not enhanced and seen.certainty < CONTRADICTS:
        raise Undefined(RATHER, seen=PHASES[str(seen.value)], percent=round(100 * seen.certainty))
    return Told(named is enhanced, _how(named=named, enhanced=enhanced))


def _how(*, named: bool, enhanced: bool) -> Text:
    if named and not enhanced:
        return text("the header names a contrast agent, and the vessels are not enhanced")
    if enhanced and not named:
        return text("the vessels are enhanced, and the header names no contrast agent")
    return text("the header names a contrast agent") if named else text("the header names no contrast agent")


def _seen(acquisition: CtAcquisition, exam: ExamFacts) -> Told | None:
    """What phase the image shows: a word of `PHASES` with its probability."""
    measured = exam.measured_in(acquisition, IMAGE_PHASE.key)
    seen = measured if isinstance(measured, Told) or measured is None else Told(measured, None)
    return seen if seen is not None and seen.value in PHASES else None
