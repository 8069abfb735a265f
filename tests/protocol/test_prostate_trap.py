"""The prostate trap: an interpolated pixel that looks fine, and the acquired one that is not."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from tests.protocol import exams_mr

from bingcheng.core.finding import Outcome
from bingcheng.dicom.exam import Patient
from bingcheng.dicom.facts.acquired import acquisition
from bingcheng.dicom.grouping.exams import exams
from bingcheng.dicom.index.scan import index
from bingcheng.dicom.write.enhanced_mr import write_enhanced_mr
from bingcheng.dicom.write.header import StudyHeader, uid_of
from bingcheng.dicom.write.mr import write_mr
from bingcheng.image.geometry import VolumeGeometry
from bingcheng.image.volume import Volume
from bingcheng.protocol.conformance import judge
from bingcheng.protocol.library import protocol

FIELD_MM, SHOWN, ACQUIRED = 140.0, 512, (304, 234)
PIRADS = protocol("prostate_mpmri_pirads21")
FACTS = exams_mr.t2(1, 0, body_part="PROSTATE", acquisition_matrix=ACQUIRED, percent_phase_fov=100.0)


def read_back(folder, write):
    """The facts of a T2 series of 3 slices, shown with 512 x 512 pixels of 0.27 mm."""
    grid = VolumeGeometry(
        shape=(3, SHOWN, SHOWN),
        spacing_mm=(3.0, FIELD_MM / SHOWN, FIELD_MM / SHOWN),
        origin_mm=(0.0, 0.0, 0.0),
        axes=((0.0, 0.0, 1.0), (0.0, 1.0, 0.0), (1.0, 0.0, 0.0)),
        frame_of_reference_uid="2.25.1",
    )
    image = Volume(voxels=np.ones(grid.shape, dtype=np.float32), geometry=grid, unit="1")
    study = StudyHeader(uid=uid_of("trap"), patient=Patient(patient_id="P"), performed_at=exams_mr.START)
    write(image, replace(FACTS, series_uid=uid_of("trap", "t2")), study, folder, series_number=1)
    (exam,) = exams(index([folder])).exams
    return [acquisition(series) for series in exam.series]


def judged(series):
    return {finding.criterion: finding for finding in judge(PIRADS, series)}


@pytest.mark.parametrize("write", [write_mr, write_enhanced_mr])
def test_the_acquired_pixel_fails_where_the_interpolated_one_would_pass(tmp_path, write):
    (t2,) = read_back(tmp_path, write)
    limit_mm = PIRADS.criterion("t2.inplane_freq").value
    assert max(t2.pixel_spacing_mm) < limit_mm
    found = judged([t2])["t2.inplane_freq"]
    assert found.outcome is Outcome.FAIL
    assert found.value == pytest.approx(FIELD_MM / 304)
    assert str(found.measured).startswith("0.46")
    assert found.distance == pytest.approx(FIELD_MM / 304 - 0.4)
    assert "interpolation does not count" in str(found.remedy)


@pytest.mark.parametrize("write", [write_mr, write_enhanced_mr])
def test_the_phase_direction_has_its_own_limit_and_passes(tmp_path, write):
    found = judged(read_back(tmp_path, write))["t2.inplane_phase"]
    assert found.outcome is Outcome.PASS
    assert found.value == pytest.approx(FIELD_MM / 234)


@pytest.mark.parametrize("missing", ["acquisition_matrix", "phase_direction"])
def test_a_pixel_that_no_header_tells_is_unknown_never_passed(missing):
    stripped = replace(FACTS, rows=SHOWN, columns=SHOWN, pixel_spacing_mm=(0.27, 0.27), **{missing: None})
    for criterion in ("t2.inplane_freq", "t2.inplane_phase"):
        found = judged([stripped])[criterion]
        assert found.outcome is Outcome.UNKNOWN
        assert "console" in str(found.remedy)


def test_a_matrix_that_is_fine_enough_passes():
    fine = replace(FACTS, rows=SHOWN, columns=SHOWN, pixel_spacing_mm=(FIELD_MM / SHOWN,) * 2)
    fine = replace(fine, acquisition_matrix=(352, 234))
    assert judged([fine])["t2.inplane_freq"].outcome is Outcome.PASS
