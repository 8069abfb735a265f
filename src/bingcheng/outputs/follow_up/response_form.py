"""RECIST 1.1 as calculated, for other programs: sentences in the reader's language beside codes and numbers."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from bingcheng.compare.response_reading import PatientResponse, ResponseAt
from bingcheng.core.wording import Text
from bingcheng.outputs.follow_up.response_sheet import reasons_of

Say = Callable[[Text | str], str]


def response_as_json(one: PatientResponse, say: Say) -> dict[str, Any]:
    """One patient's answers for other programs; uncertainties are standard ones."""
    return {
        "patient": one.patient,
        "criteria": "RECIST 1.1",
        "modality": one.modality,
        "baseline_exam": one.baseline_uid,
        "baseline_mm": one.baseline_mm,
        "baseline_uncertainty_mm": one.uncertainty_mm,
        "baseline_sizes_mm": [target.size_mm for target in one.baseline],
        "targets": list(one.targets),
        "non_targets": list(one.non_targets),
        "remarks": [say(remark) for remark in one.remarks],
        "exams": [_point_as_json(point, say) for point in one.points],
    }


def _point_as_json(point: ResponseAt, say: Say) -> dict[str, Any]:
    answer = point.answer
    return {
        "exam": point.exam_uid,
        "response": answer.response.value,
        "of_targets": None if answer.targets is None else answer.targets.value,
        "of_non_targets": point.seen.non_targets.value,
        "new_lesion": point.seen.new.value,
        "sizes_mm": [target.size_mm for target in point.seen.targets],
        "sum_mm": answer.sum_mm,
        "sum_uncertainty_mm": point.uncertainty_mm,
        "percent_from_baseline": answer.baseline_percent,
        "percent_from_nadir": answer.nadir_percent,
        "reasons": [say(reason) for reason in reasons_of(point)],
        "needs_reader": bool(point.questions),
        "questions": [say(question) for question in point.questions],
    }
