"""RECIST 1.1 over four exams of one patient, as an assessment holds it: shrinking, not evaluable, and a new lesion."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise

from tests.compare.conftest import observation
from tests.compare.matched import followed

from bingcheng.compare.response_missing import WithoutResponse
from bingcheng.compare.response_reading import PatientResponse, patient_responses
from bingcheng.core.wording import text
from bingcheng.outputs.assessment import Assessment, ExamView

LESIONS = {
    0: {"liver": 48.0, "lung": 32.1, "Lymph node, axilla": 24.0, "small": 7.0},
    56: {"liver": 33.0, "lung": 21.0, "Lymph node, axilla": 15.0, "small": 7.0},
    112: {"liver": 30.0, "small": 6.0},
    168: {"liver": 29.0, "lung": 20.0, "Lymph node, axilla": 12.0, "small": 6.0, "bone": 15.0},
}
"""Longest diameters by day; short axes are two thirds of them."""


def response(lesions: dict[int, dict[str, float]] = LESIONS, *, uncertainty: float | None = 0.5) -> PatientResponse:
    """What is calculated: at day 112 nothing tells of two targets, at day 168 the images call "bone" new."""
    seen = [
        observation(key, share * size, day=day, lesion=name, uncertainty=uncertainty)
        for day, sizes in lesions.items()
        for name, size in sizes.items()
        for key, share in (("longest_diameter", 1.0), ("short_axis", 2.0 / 3.0))
    ]
    days = list(lesions)
    pairs = [
        (
            before,
            after,
            [*(((one,), (one,)) for one in both), *(((), (one,)) for one in lesions[after] if one == "bone")],
            {},
        )
        for before, after in pairwise(days)
        if (both := [name for name in lesions[before] if name in lesions[after]])
    ]
    (found,) = patient_responses(seen, tracks=followed(lesions, *pairs))
    return found


def exams(lesions: dict[int, dict[str, float]] = LESIONS, *, first: int = 1) -> tuple[ExamView, ...]:
    """The exams in which it was calculated."""
    return tuple(
        ExamView(
            uid=f"P1.{day}",
            label=f"E{number:02d}",
            patient="P1",
            site="Hospital A",
            day=day,
            performed_on=None,
            description="Follow-up",
            series=(),
            findings=(),
            refusals=(),
        )
        for number, day in enumerate(lesions, start=first)
    )


def with_response(assessment: Assessment) -> Assessment:
    """An assessment that also holds these exams with their response, and two patients without one."""
    why = text("RECIST 1.1 measures on CT or MR, and no lesion is drawn there.")
    return replace(
        assessment,
        exams=(*assessment.exams, *exams(first=len(assessment.exams) + 1)),
        responses=(response(),),
        without_response=tuple(WithoutResponse(patient=patient, reason=why) for patient in ("P-003", "P-006")),
    )
