"""Quantities of contrast: the delay, the phase by timing, the dose."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from bingcheng.core.errors import Owner, Problem, Undefined
from bingcheng.core.wording import text
from bingcheng.dicom.acquisition import Acquisition, AnyAcquisition
from bingcheng.protocol.attributes import ExamFacts, attribute
from bingcheng.protocol.values import Kind

PHASES = {
    "precontrast": text("before contrast"),
    "late_arterial": text("late arterial"),
    "portal_venous": text("portal venous"),
    "delayed": text("delayed"),
}
WINDOWS_S = (("late_arterial", 25.0, 45.0), ("portal_venous", 55.0, 100.0), ("delayed", 110.0, 900.0))
"""Delays after the start of injection that tell a phase of the liver: wide windows around customary fixed delays, so
that a phase scanned too late is still recognised and then judged. What lies between them stays undecided."""

NO_CONTRAST_START = Problem(
    code="protocol.no-contrast-start",
    says="the header does not say when the contrast injection began, so neither delay nor phase can be told",
    remedy="Have the injection time written (injector interface, ContrastBolusStartTime), or tell the phase by hand.",
    owner=Owner.TECHNOLOGIST,
)
BETWEEN_PHASES = Problem(
    code="protocol.between-phases",
    says="{delay_s} s after the start of injection lies between the contrast phases",
    remedy="Look at the aorta and the portal vein to tell the phase; agree on delays that fall into one phase.",
    owner=Owner.RADIOLOGIST,
)
FROM_THE_INJECTOR = text("Read it from the injector's log, or have the injector's interface write it into the header.")


@attribute("ContrastBolusAgent", label=text("contrast agent"), kind=Kind.WORD, owner=Owner.TECHNOLOGIST)
def contrast_agent(acquisition: Acquisition) -> str | None:
    """The contrast agent (0018,0010). Absence does not say that none was given."""
    return acquisition.contrast_agent


@attribute("derived.contrast_delay_s", label=text("delay after start of injection"), unit="s")
def contrast_delay(acquisition: Acquisition, exam: ExamFacts) -> float | None:
    """Seconds from the start of injection to the start of acquisition; negative before the injection.

    The series' own start of injection (0018,1042) counts, else the one that the other series of the exam agree on.
    """
    injected = acquisition.contrast_started_at or _agreed_start(exam.acquisitions)
    if injected is None or acquisition.started_at is None:
        raise Undefined(NO_CONTRAST_START)
    return (acquisition.started_at - injected).total_seconds()


@attribute("derived.contrast_phase", label=text("contrast phase"), kind=Kind.WORD, words=PHASES)
def contrast_phase(acquisition: Acquisition, exam: ExamFacts) -> str | None:
    """The phase of the liver by the delay alone (see `WINDOWS_S`)."""
    delay_s = contrast_delay(acquisition, exam)
    assert delay_s is not None
    if delay_s <= 0:
        return "precontrast"
    for phase, low_s, high_s in WINDOWS_S:
        if low_s <= delay_s <= high_s:
            return phase
    raise Undefined(BETWEEN_PHASES, delay_s=delay_s)


@attribute("derived.contrast_phases", label=text("contrast phases of the exam"), kind=Kind.WORDS, words=PHASES)
def contrast_phases(exam: ExamFacts) -> tuple[str, ...] | None:
    """All contrast phases of the exam's original CT and MR series.

    Undefined as soon as one series' phase is: the missing phase might be that one.
    """
    images = [a for a in exam.acquisitions if a.modality in {"CT", "MR"} and _is_image(a)]
    found = {contrast_phase(acquisition, exam) for acquisition in images}
    return tuple(sorted(phase for phase in found if phase)) if images else None


@attribute(
    "ContrastFlowRate",
    label=text("injection rate"),
    unit="ml/s",
    supply=FROM_THE_INJECTOR,
    owner=Owner.TECHNOLOGIST,
)
def flow_rate(acquisition: Acquisition) -> float | None:
    """Injection rate of the contrast agent (0018,1046)."""
    return acquisition.contrast_flow_ml_per_s


@attribute(
    "ContrastBolusIngredientConcentration",
    label=text("concentration of the contrast agent"),
    unit="mg/ml",
    supply=FROM_THE_INJECTOR,
    owner=Owner.TECHNOLOGIST,
)
def concentration(acquisition: Acquisition) -> float | None:
    """Milligrams of the active ingredient per millilitre (0018,1049)."""
    return acquisition.contrast_concentration_mg_per_ml


@attribute(
    "derived.contrast_ml_per_kg",
    label=text("contrast volume by body weight"),
    unit="ml/kg",
    tolerance=0.005,
    supply=FROM_THE_INJECTOR,
    owner=Owner.TECHNOLOGIST,
)
def contrast_by_weight(acquisition: Acquisition) -> float | None:
    """Contrast volume (0018,1041) over the patient's weight."""
    volume_ml, weight_kg = acquisition.contrast_volume_ml, acquisition.weight_kg
    return None if volume_ml is None or not weight_kg else volume_ml / weight_kg


def _agreed_start(acquisitions: Iterable[AnyAcquisition]) -> datetime | None:
    starts = {a.contrast_started_at for a in acquisitions if a.contrast_started_at is not None}
    return starts.pop() if len(starts) == 1 else None


def _is_image(acquisition: AnyAcquisition) -> bool:
    kind = [word.upper() for word in acquisition.image_type]
    return "LOCALIZER" not in kind and kind[:1] != ["DERIVED"]
