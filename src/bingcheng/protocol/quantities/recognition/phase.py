"""The phase of contrast enhancement: by the delay where the header tells it, else as the image shows it."""

from __future__ import annotations

from bingcheng.core.errors import Owner, Problem, Undefined
from bingcheng.core.wording import text
from bingcheng.dicom.acquisition import Acquisition, AnyAcquisition, MrAcquisition
from bingcheng.protocol.attributes import ExamFacts, ImageValues, Told, attribute, outside
from bingcheng.protocol.quantities.contrast import ANSWERED_BY, NO_CONTRAST_START, delay_said, injection_start
from bingcheng.protocol.quantities.recognition.injection import after_contrast, hepatobiliary
from bingcheng.protocol.quantities.recognition.likeness import once
from bingcheng.protocol.quantities.recognition.ties import settled
from bingcheng.protocol.values import Kind

PHASES = {
    "precontrast": text("before contrast"),
    "early_arterial": text("early arterial"),
    "late_arterial": text("late arterial"),
    "pancreatic": text("pancreatic"),
    "portal_venous": text("portal venous"),
    "nephrographic": text("nephrographic"),
    "delayed": text("delayed"),
    "excretory": text("excretory"),
    "transitional": text("transitional"),
    "hepatobiliary": text("hepatobiliary"),
}
WINDOWS_S = (
    ("early_arterial", 15.0, 25.0),
    ("late_arterial", 25.0, 45.0),
    ("portal_venous", 55.0, 100.0),
    ("delayed", 110.0, 900.0),
)
"""Delays after the start of injection that tell a phase of the liver: wide windows around customary fixed delays, so
that a phase scanned too late is still recognised and then judged. What lies between them stays undecided."""

ORGAN_WINDOWS_S = (
    *WINDOWS_S,
    ("pancreatic", 35.0, 70.0),
    ("nephrographic", 80.0, 180.0),
    ("excretory", 240.0, 1800.0),
)
"""The windows of all organs; they overlap. Pancreatic 40 to 50 s, acceptable 40 to 70 s (as the pancreas protocol
cites); nephrographic 80 to 120 s and excretory from 5 min (ACR Appropriateness and CT urography practice), each
with room for a scan that came early or late."""

EDGE_S = 3.0
"""A bolus is not timed better than that: nearer to the edge of its window a phase is told less surely."""

BETWEEN_PHASES = Problem(
    code="protocol.between-phases",
    says="{delay_s} s after the start of injection lies between the contrast phases",
    remedy="Look at the aorta and the portal vein to tell the phase; agree on delays that fall into one phase.",
    owner=Owner.RADIOLOGIST,
)
IN_THE_IMAGE = (
    "precontrast",
    "early_arterial",
    "late_arterial",
    "portal_venous",
    "nephrographic",
    "delayed",
    "excretory",
)
"""The phases that the CT numbers of vessels and organs tell apart."""

PROBABLE = 0.8
"""Below this probability an image leaves its phase open."""


def _phase_in_the_image(image: ImageValues) -> Told | None:
    """The most probable phase by the CT numbers, if it is probable enough."""
    probability = {phase: image.values[key] for phase, key in zip(IN_THE_IMAGE, _PROBABILITIES, strict=True)}
    phase = max(probability, key=probability.__getitem__)
    if probability[phase] < PROBABLE:
        return None
    remark = text(
        "the enhancement in the image shows: {phase} ({percent} %)",
        phase=PHASES[phase],
        percent=round(100 * probability[phase]),
    )
    return Told(phase, remark, probability[phase])


_PROBABILITIES = tuple(f"contrast_phase_probability.{phase}" for phase in IN_THE_IMAGE)
IMAGE_PHASE = outside(
    "image.contrast_phase",
    label=text("contrast phase as the image shows it"),
    kind=Kind.WORD,
    words=PHASES,
    measures=_PROBABILITIES,
    convert=_phase_in_the_image,
    why=text("the enhancement of aorta, portal vein and kidneys was not measured in this series, or tells no phase"),
    supply=text("Measure the enhancement, or look at the aorta and the portal vein and enter the phase."),
    owner=Owner.RADIOLOGIST,
)


@attribute(
    "derived.contrast_phase", label=text("contrast phase"), kind=Kind.WORD, words=PHASES, answered_by=ANSWERED_BY
)
def contrast_phase(acquisition: Acquisition, exam: ExamFacts) -> Told:
    """The phase of the liver: by the delay (see `WINDOWS_S`), else as the image shows it, else by agent and name.

    The hepatobiliary phase of MR needs an agent that the liver takes up. Where the delay is unknown, the presence of
    the agent tells before from after; which phase after it then only a name says.

    Raises
    ------
    Undefined
        ``protocol.no-contrast-start``, ``protocol.between-phases``, ``protocol.several-possible``.
    """
    return once("phase", _contrast_phase, acquisition, exam)


@attribute(
    "derived.possible_phases",
    label=text("contrast phases that the delay allows"),
    kind=Kind.WORDS,
    words=PHASES,
    owner=Owner.TECHNOLOGIST,
    answered_by=ANSWERED_BY,
)
def possible_phases(acquisition: Acquisition, exam: ExamFacts) -> Told:
    """Every phase, of whatever organ, into which a series falls: 42 s is late arterial for the liver and pancreatic.

    Raises
    ------
    Undefined
        as `contrast_phase`.
    """
    delay_s = _delay_s(acquisition, exam)
    found = () if delay_s is None or delay_s <= 0 else tuple(p for p, a, b in ORGAN_WINDOWS_S if a <= delay_s <= b)
    if found:
        return Told(found, delay_said(delay_s or 0.0))
    one = contrast_phase(acquisition, exam)
    assert isinstance(one.value, str)
    return Told((one.value,), one.remark, one.certainty)


@attribute(
    "derived.contrast_phases",
    label=text("contrast phases of the exam"),
    kind=Kind.WORDS,
    words=PHASES,
    answered_by=ANSWERED_BY,
)
def contrast_phases(exam: ExamFacts) -> Told | None:
    """All contrast phases of the exam's original CT and MR series.

    Undefined as soon as one series' phase is: the missing phase might be that one.
    """
    images = [a for a in exam.acquisitions if a.modality in {"CT", "MR"} and _is_image(a)]
    if not images:
        return None
    told = [contrast_phase(acquisition, exam) for acquisition in images]
    found = tuple(sorted({str(one.value) for one in told}))
    return Told(found, None, min(one.certainty for one in told))


def _contrast_phase(acquisition: AnyAcquisition, exam: ExamFacts) -> Told:
    delay_s = _delay_s(acquisition, exam)
    by_time = None if delay_s is None else _by_delay(acquisition, exam, delay_s)
    if by_time is not None:
        return by_time
    seen = exam.measured_in(acquisition, IMAGE_PHASE.key)
    told = seen if isinstance(seen, Told) else Told(seen, None) if seen is not None else None
    if told is not None and told.value in PHASES:
        return Told(told.value, told.remark or text("as the enhancement in the image shows"), told.certainty)
    if delay_s is not None:
        raise Undefined(BETWEEN_PHASES, delay_s=delay_s)
    return _without_delay(acquisition, exam)


def _delay_s(acquisition: Acquisition, exam: ExamFacts) -> float | None:
    injected = injection_start(acquisition, exam)
    if injected is None or acquisition.started_at is None:
        return None
    return (acquisition.started_at - injected).total_seconds()


def _by_delay(acquisition: Acquisition, exam: ExamFacts, delay_s: float) -> Told | None:
    reason = delay_said(delay_s)
    if delay_s <= 0:
        return Told("precontrast", reason)
    if isinstance(acquisition, MrAcquisition) and delay_s > WINDOWS_S[-1][1] and _is_hepatobiliary(acquisition, exam):
        return Told("hepatobiliary", reason)
    for phase, low_s, high_s in WINDOWS_S:
        if low_s <= delay_s <= high_s:
            return Told(phase, reason, 0.9 if min(delay_s - low_s, high_s - delay_s) < EDGE_S else 1.0)
    return None


def _is_hepatobiliary(acquisition: MrAcquisition, exam: ExamFacts) -> bool:
    try:
        told = hepatobiliary(acquisition, exam)
    except Undefined:
        return False
    return bool(told.value)


def _without_delay(acquisition: Acquisition, exam: ExamFacts) -> Told:
    try:
        after = after_contrast(acquisition, exam)
    except Undefined:
        after = None
    if after is None:
        raise Undefined(NO_CONTRAST_START)
    if after.value is False:
        return Told("precontrast", after.remark, after.certainty)
    possible = tuple(phase for phase in PHASES if phase != "precontrast")
    reason = text("after the injection, but nothing tells how long after it")
    return settled("phase", possible, acquisition, reason=reason, words=PHASES, certainty=after.certainty)


def _is_image(acquisition: AnyAcquisition) -> bool:
    kind = [word.upper() for word in acquisition.image_type]
    return "LOCALIZER" not in kind and kind[:1] != ["DERIVED"]
