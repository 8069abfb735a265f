"""Quantities of whole-body MR, which is acquired in stations: how many slices each has, how far they reach together."""

from __future__ import annotations

from collections.abc import Sequence

from bingcheng.core.errors import Owner, Problem, Undefined
from bingcheng.core.wording import text
from bingcheng.dicom.acquisition import MrAcquisition
from bingcheng.protocol.attributes import ExamFacts, attribute
from bingcheng.protocol.quantities.recognition.likeness import SAME_DIRECTION

SEVERAL_STATIONS = Problem(
    code="protocol.several-stations",
    says="the series is {length_mm} mm long and so holds several stations, whose sizes the header does not give",
    remedy="Read the slices per station from the console, or send the stations as separate series.",
    owner=Owner.TECHNOLOGIST,
)
STATIONS_UNPLACED = Problem(
    code="protocol.stations-unplaced",
    says="the headers do not tell where the stations of diffusion lie, so how far they overlap is not known",
    remedy="Send the series again with the positions of their slices, or read the covered length from the console.",
    owner=Owner.TECHNOLOGIST,
)
STATION_MM = 500.0
"""No clinical magnet images more along its bore at once (the field of view of a station is at most 50 cm)."""


@attribute("derived.slices_per_station", label=text("slices per station"))
def slices_per_station(acquisition: MrAcquisition) -> float | None:
    """The number of slices of a series that is short enough to be one station."""
    count, interval_mm = acquisition.slice_count, acquisition.reconstruction_interval_mm
    if count is None or interval_mm is None:
        return None
    if count * interval_mm > STATION_MM:
        raise Undefined(SEVERAL_STATIONS, length_mm=count * interval_mm)
    return float(count)


@attribute("derived.dwi_coverage_mm", label=text("length covered by diffusion series"), unit="mm")
def dwi_coverage(exam: ExamFacts) -> float | None:
    """Length that the exam's original diffusion series cover together; where stations overlap it counts once.

    Raises
    ------
    Undefined
        ``protocol.stations-unplaced`` where several series don't say where along one direction they lie.
    """
    stations = [
        a
        for a in exam.acquisitions
        if isinstance(a, MrAcquisition)
        and max(a.b_values_s_per_mm2, default=0.0) > 0.0
        and a.slice_count is not None
        and a.reconstruction_interval_mm is not None
        and a.image_type[:1] != ("DERIVED",)
    ]
    if len(stations) < 2:
        return next((float(a.slice_count or 0) * (a.reconstruction_interval_mm or 0.0) for a in stations), None)
    return _union_mm(sorted(_extent_mm(a, stations[0]) for a in stations))


def _extent_mm(acquisition: MrAcquisition, reference: MrAcquisition) -> tuple[float, float]:
    """Where a station begins and ends along the normal of `reference`."""
    normal, first_mm, other = acquisition.slice_normal, acquisition.first_slice_mm, reference.slice_normal
    if normal is None or first_mm is None or other is None:
        raise Undefined(STATIONS_UNPLACED)
    cosine = sum(a * b for a, b in zip(normal, other, strict=True))
    if abs(cosine) < SAME_DIRECTION or acquisition.frame_of_reference_uid != reference.frame_of_reference_uid:
        raise Undefined(STATIONS_UNPLACED)
    interval_mm = acquisition.reconstruction_interval_mm or 0.0
    # Half a slice beyond the centres of the first and the last one.
    low_mm = first_mm - interval_mm / 2.0
    high_mm = low_mm + interval_mm * (acquisition.slice_count or 0)
    return (low_mm, high_mm) if cosine > 0 else (-high_mm, -low_mm)


def _union_mm(extents_mm: Sequence[tuple[float, float]]) -> float:
    """Length of the union of ascending intervals."""
    covered_mm, reached_mm = 0.0, float("-inf")
    for low_mm, high_mm in extents_mm:
        covered_mm += max(0.0, high_mm - max(low_mm, reached_mm))
        reached_mm = max(reached_mm, high_mm)
    return covered_mm
