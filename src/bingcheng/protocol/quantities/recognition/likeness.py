"""Which series of an exam are one acquisition made again: phases of a dynamic, a pair before and after contrast.

Attributes are compared from the ones that differ most often to the rarest, so that most pairs are told apart at once.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar, cast

from bingcheng.core.errors import Undefined
from bingcheng.dicom.acquisition import Acquisition, AnyAcquisition, CtAcquisition, MrAcquisition
from bingcheng.protocol.attributes import ExamFacts

T = TypeVar("T")

SAME = 0.02
"""Relative difference up to which two times or sizes are the same: consoles round, and adapt TR to the slices by a
step."""

SAME_PLACE_MM = 20.0
"""The table may have been moved, or the stack shifted a little, between the series before and after contrast."""

SAME_DIRECTION = 0.996
"""Cosine of 5 degrees: stacks that are laid out again by hand."""


def once(
    name: str, function: Callable[[AnyAcquisition, ExamFacts], T], acquisition: AnyAcquisition, exam: ExamFacts
) -> T:
    """What `function` gives for a series of an exam, worked out once an exam; also when it is undefined."""
    key = (name, id(acquisition))  # unique as long as the exam lives, which holds its series
    if key not in exam.memo:
        try:
            exam.memo[key] = function(acquisition, exam)
        except Undefined as unknown:
            exam.memo[key] = unknown
    found = exam.memo[key]
    if isinstance(found, Undefined):
        raise found.with_traceback(None)
    return cast("T", found)


def likes(acquisition: AnyAcquisition, exam: ExamFacts) -> tuple[AnyAcquisition, ...]:
    """The series of the exam that repeat `acquisition`, itself included, in the order in which they were started.

    Series without a start time are left out, but never `acquisition` itself.
    """
    return once("likes", _likes, acquisition, exam)


def _likes(acquisition: AnyAcquisition, exam: ExamFacts) -> tuple[AnyAcquisition, ...]:
    if acquisition.started_at is None:
        return (acquisition,)
    found = [
        other
        for other in exam.acquisitions
        if other is acquisition
        or (other.started_at is not None and same_settings(acquisition, other) and same_place(acquisition, other))
    ]
    return tuple(sorted(found, key=lambda one: (one.started_at, one.series_uid))) if len(found) > 1 else (acquisition,)


def same_settings(one: Acquisition, other: Acquisition) -> bool:
    """Whether two series were acquired and reconstructed alike, as far as the settings go that tell series apart."""
    if one.rows != other.rows or one.image_type != other.image_type or one.columns != other.columns:
        return False
    if not _close(one.slice_thickness_mm, other.slice_thickness_mm) or not _close(one.slice_count, other.slice_count):
        return False
    if isinstance(one, MrAcquisition) and isinstance(other, MrAcquisition):
        return _same_mr(one, other)
    if isinstance(one, CtAcquisition) and isinstance(other, CtAcquisition):
        return one.convolution_kernel == other.convolution_kernel and one.kvp_kv == other.kvp_kv
    return False


def same_place(one: Acquisition, other: Acquisition) -> bool:
    """Whether two stacks lie in the same plane about the same middle; unknown geometry does not speak against it."""
    if one.slice_normal is not None and other.slice_normal is not None:
        cosine = abs(sum(a * b for a, b in zip(one.slice_normal, other.slice_normal, strict=True)))
        if cosine < SAME_DIRECTION:
            return False
    if one.centre_mm is None or other.centre_mm is None:
        return True
    return max(abs(a - b) for a, b in zip(one.centre_mm, other.centre_mm, strict=True)) <= SAME_PLACE_MM


def _same_mr(one: MrAcquisition, other: MrAcquisition) -> bool:
    return (
        one.flip_angle_deg == other.flip_angle_deg
        and one.b_values_s_per_mm2 == other.b_values_s_per_mm2
        and one.dixon == other.dixon
        and _close(one.repetition_time_ms, other.repetition_time_ms)
        and len(one.echo_times_ms) == len(other.echo_times_ms)
        and all(_close(a, b) for a, b in zip(one.echo_times_ms, other.echo_times_ms, strict=True))
        and _close(one.inversion_time_ms, other.inversion_time_ms)
    )


def _close(one: float | None, other: float | None) -> bool:
    if one == other:
        return True
    if one is None or other is None:
        return False
    return abs(one - other) <= SAME * max(abs(one), abs(other))
