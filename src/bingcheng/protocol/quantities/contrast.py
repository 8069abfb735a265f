"""Quantities of the contrast agent: which, how much, how fast, and how long before the images."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import cast

from bingcheng.core.errors import Owner, Problem, Undefined
from bingcheng.core.wording import Text, text
from bingcheng.dicom.acquisition import Acquisition
from bingcheng.protocol.attributes import ExamFacts, Reading, attribute
from bingcheng.protocol.quantities.outside.clinical import INJECTION_TIME
from bingcheng.protocol.values import Kind

NO_CONTRAST_START = Problem(
    code="protocol.no-contrast-start",
    says="the header does not say when the contrast injection began, so neither delay nor phase can be told",
    remedy="Have the injection time written (injector interface, ContrastBolusStartTime), or read it from the "
    "injector's log and state it: `bingcheng protocol answer clinical.injection_time=10:23:45 --exam …`.",
    owner=Owner.TECHNOLOGIST,
)
ANSWERED_BY = (INJECTION_TIME.key,)
"""What somebody can tell instead of the header, for all quantities that rest on the start of the injection."""
FROM_THE_INJECTOR = text("Read it from the injector's log, or have the injector's interface write it into the header.")


@attribute("ContrastBolusAgent", label=text("contrast agent"), kind=Kind.WORD, owner=Owner.TECHNOLOGIST)
def contrast_agent(acquisition: Acquisition) -> str | None:
    """The contrast agent (0018,0010). Absence does not say that none was given."""
    return acquisition.contrast_agent


@attribute("derived.contrast_delay_s", label=text("delay after start of injection"), unit="s", answered_by=ANSWERED_BY)
def contrast_delay(acquisition: Acquisition, exam: ExamFacts) -> float | None:
    """Seconds from the start of injection to the start of acquisition; negative before the injection.

    The series' own start of injection (0018,1042) counts, else the one that the other series of the exam agree on.
    """
    injected = injection_start(acquisition, exam)
    if injected is None or acquisition.started_at is None:
        raise Undefined(NO_CONTRAST_START)
    return (acquisition.started_at - injected).total_seconds()


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


def delay_said(delay_s: float) -> Text:
    """How long before or after the start of injection."""
    if delay_s < 0:
        return text("{delay_s} s before the start of injection", delay_s=-delay_s)
    return text("{delay_s} s after the start of injection", delay_s=delay_s)


def injection_start(acquisition: Acquisition, exam: ExamFacts) -> datetime | None:
    """When the injection began that a series shows.

    Its own entry (0018,1042), else the one on which the other series agree, else the time of day that a person stated,
    on that side of midnight which is nearer to the exam.
    """
    if acquisition.contrast_started_at is not None:
        return acquisition.contrast_started_at
    key = ("agreed start of injection", 0)
    if key not in exam.memo:
        starts = {a.contrast_started_at for a in exam.acquisitions if a.contrast_started_at is not None}
        exam.memo[key] = starts.pop() if len(starts) == 1 else None if starts else _stated_start(exam)
    return cast("datetime | None", exam.memo[key])


def _stated_start(exam: ExamFacts) -> datetime | None:
    stated = Reading.of(exam.answered.get(INJECTION_TIME.key, "")).value
    begun = min((a.started_at for a in exam.acquisitions if a.started_at is not None), default=None)
    if not stated or begun is None:
        return None
    hours, minutes, *seconds = (int(part) for part in str(stated).split(":"))
    at = begun.replace(hour=hours, minute=minutes, second=seconds[0] if seconds else 0, microsecond=0)
    return min((at + timedelta(days=day) for day in (-1, 0, 1)), key=lambda one: abs(one - begun))
