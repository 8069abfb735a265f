"""Enhanced MR objects and the classic series of the same acquisitions are judged alike, criterion by criterion."""

from __future__ import annotations

from dataclasses import replace
from math import ceil
from pathlib import Path

import numpy as np
import pytest
from tests.protocol import exams_mr

from bingcheng.core.finding import Finding, Outcome
from bingcheng.dicom.acquisition import AnyAcquisition, Device, MrAcquisition
from bingcheng.dicom.exam import Patient
from bingcheng.dicom.facts.acquired import acquisition
from bingcheng.dicom.grouping.exams import exams
from bingcheng.dicom.index.scan import index
from bingcheng.dicom.write.enhanced_mr import write_enhanced_mr
from bingcheng.dicom.write.header import StudyHeader, uid_of
from bingcheng.dicom.write.mr import write_mr
from bingcheng.image.geometry import VolumeGeometry
from bingcheng.image.volume import Stack, Volume
from bingcheng.protocol.conformance import judge
from bingcheng.protocol.library import protocol
from bingcheng.protocol.supplied import Supplied

SIDE = 6
"""Pixels along a side: what is judged is the header."""
MOST_SLICES, MOST_VOLUMES = 3, 3
SCANNER = Device(vendor="PHILIPS", manufacturer="Philips", model="Ingenia", serial_number="41999")
"""A vendor whose classic headers say, as enhanced ones do, that fat was not suppressed."""


def geometry_of(one: MrAcquisition) -> VolumeGeometry:
    """The grid of a series: its place, direction, interval and field of view, with fewer slices and coarse pixels."""
    normal = np.array(one.slice_normal)
    across = np.cross(np.roll(np.abs(normal), 1), normal)
    across /= np.linalg.norm(across)
    down = np.cross(normal, across)
    field_mm = one.rows * one.pixel_spacing_mm[0]
    corner = normal * one.first_slice_mm - (across + down) * field_mm / 2.0
    return VolumeGeometry(
        shape=(min(one.slice_count, MOST_SLICES), SIDE, SIDE),
        spacing_mm=(one.reconstruction_interval_mm, field_mm / SIDE, field_mm / SIDE),
        origin_mm=tuple(corner.tolist()),
        axes=tuple(tuple(axis.tolist()) for axis in (normal, down, across)),
        frame_of_reference_uid="2.25.4242",
    )


def images_of(one: MrAcquisition) -> Volume | Stack:
    """One volume a b-value or a phase."""
    grid = geometry_of(one)
    volume = Volume(voxels=np.full(grid.shape, 100.0, dtype=np.float32), geometry=grid, unit="1")
    along, values = ("b_value", one.b_values_s_per_mm2) if one.b_values_s_per_mm2 else ("time", one.volume_times_s)
    if not values:
        return volume
    step = ceil(len(values) / MOST_VOLUMES) if along == "time" else 1
    unit = "s/mm2" if along == "b_value" else "s"
    return Stack(volumes=(volume,) * len(values[::step]), axis=along, values=values[::step], unit=unit)


def read_back(folder: Path) -> list[AnyAcquisition]:
    return [acquisition(series) for exam in exams(index([folder])).exams for series in exam.series]


def written(folder: Path, series: list[AnyAcquisition]) -> tuple[list[AnyAcquisition], list[AnyAcquisition]]:
    """The facts of an exam that was written in the classic and in the enhanced way and read again."""
    study = StudyHeader(uid=uid_of("twins"), patient=Patient(patient_id="T1"), performed_at=exams_mr.START)
    for one in series:
        facts = replace(one, series_uid=uid_of(one.series_uid), device=SCANNER)
        number = one.series_number
        write_mr(images_of(one), facts, study, folder / "classic" / str(number), series_number=number)
        write_enhanced_mr(images_of(one), facts, study, folder / "enhanced" / str(number), series_number=number)
    return read_back(folder / "classic"), read_back(folder / "enhanced")


def said(finding: Finding) -> Finding:
    """A finding without the remark on what passed: enhanced objects state more than classic ones have words for."""
    return replace(finding, reason=None) if finding.outcome is Outcome.PASS else finding


@pytest.mark.parametrize("name", exams_mr.CONFORMING)
def test_both_kinds_of_objects_get_the_same_findings(tmp_path, name):
    roles, supplied = exams_mr.CONFORMING[name]()
    series = list({one.series_uid: one for one in roles.values()}.values())
    classic, enhanced = written(tmp_path, series)
    assert len(classic) == len(enhanced) == len(series)
    of_classic, of_enhanced = (
        [said(f) for f in judge(protocol(name), read, baseline=read, supplied=Supplied(exam=supplied))]
        for read in (classic, enhanced)
    )
    assert of_enhanced == of_classic
    outcomes = [finding.outcome for finding in of_classic]
    # Fewer slices, fewer phases and what no header holds leave a few criteria open or failed, the same ones in both.
    assert outcomes.count(Outcome.PASS) >= 0.7 * len(outcomes)
