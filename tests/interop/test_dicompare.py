"""Side by side with dicompare 0.11.1: what it finds is found here too, and what it misses is found.

It is installed, once, into an environment of its own (see ``benchmarks/environments.py``).
"""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path

import numpy as np
import pydicom.data
import pytest
from benchmarks.environments import peer
from tests.protocol import exams_mr
from tests.protocol.test_enhanced_twin_judged import SCANNER, images_of, read_back

from bingcheng.cli.assess import Request, run_assess
from bingcheng.cli.exits import GATE
from bingcheng.core.finding import Outcome
from bingcheng.dicom.acquisition import CtAcquisition, PetAcquisition
from bingcheng.dicom.exam import Patient
from bingcheng.dicom.write.enhanced_mr import write_enhanced_mr
from bingcheng.dicom.write.header import StudyHeader, uid_of
from bingcheng.dicom.write.mr import write_mr
from bingcheng.dicom.write.pet import write_pet
from bingcheng.image.geometry import VolumeGeometry
from bingcheng.image.volume import Volume
from bingcheng.outputs.language import Language
from bingcheng.protocol.authoring.writing import written
from bingcheng.protocol.conformance import choose, judge
from bingcheng.protocol.interchange.dicompare_export import export_dicompare
from bingcheng.protocol.interchange.dicompare_import import import_dicompare
from bingcheng.protocol.library import protocol, protocols

LIMIT_S = 300
HEADING, FAILED = re.compile(r"^=== (.+?)  ->  "), re.compile(r"^  \[(FAIL|WARN)\] (\w+)")
STUDY = StudyHeader(uid=uid_of("interop"), patient=Patient(patient_id="I1"), performed_at=exams_mr.START)

ASKED = {
    "name": "Two series",
    "acquisitions": {
        "Axial T2": {
            "fields": [
                {"field": "RepetitionTime", "min": 3000, "max": 4000},
                {"field": "EchoTime", "value": 101, "tolerance": 10},
                {"field": "SliceThickness", "max": 2.5},
                {"field": "MagneticFieldStrength", "value": 3, "tolerance": 0.3},
                {"field": "FlipAngle", "value": 90, "tolerance": 2},
                {"field": "MRAcquisitionType", "value": "3D"},
                {"field": "PixelSpacing", "value": [0.3, 0.3], "tolerance": 0.1},
                {"field": "ManufacturerModelName", "value": "Skyra"},
                {"field": "ScanningSequence", "value": "GR"},
                {"field": "ProtocolName", "contains": "t2"},
            ]
        },
        "Axial DWI": {
            "fields": [
                {"field": "SliceThickness", "value": 4},
                {"field": "EchoTime", "max": 50},
                {"field": "RepetitionTime", "min": 3000},
                {"field": "InPlanePhaseEncodingDirection", "value": "NONE"},
                {"field": "PercentPhaseFieldOfView", "value": 60, "tolerance": 1, "severity": "warning"},
            ]
        },
    },
}
"""Some of it is met by the series below, some is not."""


@dataclass(frozen=True, slots=True)
class Told:
    """What dicompare printed, and its exit code."""

    code: int
    out: str
    error: str

    @property
    def findings(self) -> set[tuple[str, str]]:
        """Acquisition and field of what it calls a failure or a warning."""
        found, about = set(), ""
        for line in self.out.splitlines():
            if heading := HEADING.match(line):
                about = heading[1]
            elif failed := FAILED.match(line):
                found.add((about, failed[2]))
        return found


@pytest.fixture(scope="session")
def dicompare():
    try:
        python = peer("dicompare==0.11.1", compiled=False)
    except (subprocess.SubprocessError, OSError) as error:
        pytest.skip(f"dicompare can't be installed here: {type(error).__name__}")

    def check(folder: Path, asked: object) -> Told:
        schema = folder.parent / f"{folder.name}-schema.json"
        schema.write_text(asked if isinstance(asked, str) else json.dumps(asked))
        command = [python, "-m", "dicompare.cli.main", "check", str(folder), str(schema), "--auto-yes"]
        done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=LIMIT_S)
        return Told(done.returncode, done.stdout, done.stderr)

    return check


def series_of(*roles: str):
    made, _ = exams_mr.prostate()
    for number, name in enumerate(roles, start=1):
        one = made[name]
        yield (
            number,
            replace(one, series_uid=uid_of(one.series_uid), device=SCANNER, protocol_name=f"{name} t2 tse"[:16]),
        )


@pytest.fixture(scope="module")
def classic(tmp_path_factory):
    """An axial T2 and an axial diffusion series, with names."""
    folder = tmp_path_factory.mktemp("classic") / "exam"
    for number, one in series_of("T2W_AX", "DWI"):
        write_mr(images_of(one), one, STUDY, folder / str(number), series_number=number)
    return folder


@pytest.fixture(scope="module")
def enhanced(tmp_path_factory):
    """The T2 alone, as one multi-frame file whose thickness and TR stand in the shared functional groups."""
    folder = tmp_path_factory.mktemp("enhanced") / "exam"
    folder.mkdir()
    for number, one in series_of("T2W_AX"):
        write_enhanced_mr(images_of(one), one, STUDY, folder, series_number=number)
    return folder


def failures(folder: Path, asked: object, *outcomes: Outcome) -> set[tuple[str, str]]:
    """Acquisition and field (or ``series``) of what fails here."""
    imported, _ = import_dicompare(json.dumps(asked), "asked.json")
    wanted = outcomes or (Outcome.FAIL,)
    titles = {role.id: role.title for role in imported.roles}
    return {
        (
            titles[one.role],
            "series" if one.criterion.startswith("role.") else one.criterion.removeprefix(f"{one.role}_"),
        )
        for one in judge(imported, read_back(folder))
        if one.outcome in wanted
    }


@pytest.mark.slow
def test_everything_that_dicompare_finds_is_found(dicompare, classic):
    theirs = dicompare(classic, ASKED).findings
    assert len(theirs) >= 8, theirs
    assert theirs <= failures(classic, ASKED)


def test_what_is_exported_says_the_same_there(dicompare, classic):
    text, remarks = export_dicompare(protocol("prostate_mpmri_pirads21"))
    told = dicompare(classic, text)
    assert told.code == 0, told.error
    assert "=== Axial T2  ->  " in told.out
    assert remarks, "derived quantities have no place in a schema"


# The five traps


def test_anonymised_files_of_one_image_give_findings_not_a_traceback(dicompare, tmp_path):
    folder = tmp_path / "small"
    folder.mkdir()
    for name in ("CT_small.dcm", "MR_small.dcm"):
        shutil.copy(pydicom.data.get_testdata_file(name), folder)
    assert "Traceback" in dicompare(folder, ASKED).error
    ours = read_back(folder)
    assert {one.modality for one in ours} == {"CT", "MR"}
    for one in ours:
        assert all(judge(asked, [one]) for asked in protocols() if asked.modality == one.modality)


def test_values_in_shared_groups_and_a_missing_series_are_found_and_stop_a_gate(dicompare, enhanced, tmp_path):
    told = dicompare(enhanced, ASKED)
    assert told.code == 0  # whatever it finds
    assert ("Axial T2", "SliceThickness") not in told.findings
    assert "unmapped" in told.out
    found = failures(enhanced, ASKED)
    assert {("Axial T2", "SliceThickness"), ("Axial T2", "RepetitionTime"), ("Axial DWI", "series")} <= found
    own = tmp_path / "asked.toml"
    own.write_text(written(import_dicompare(json.dumps(ASKED), "asked.json")[0]), encoding="utf-8")
    request = Request(
        paths=(enhanced,), workspace=tmp_path / "w", strict=True, quiet=True, own_protocols=(own,), workers=1
    )
    assert run_assess(request, Language.of("en")) == GATE


def test_a_pet_series_is_not_judged_by_a_ct_protocol(dicompare, tmp_path):
    grid = VolumeGeometry(
        shape=(2, 8, 8), spacing_mm=(3.0, 4.0, 4.0), origin_mm=(0, 0, 0), frame_of_reference_uid="2.25.7"
    )
    facts = PetAcquisition(
        modality="PT",
        device=SCANNER,
        series_uid=uid_of("interop pet"),
        protocol_name="Liver CT",
        series_description="Liver CT",
        started_at=datetime(2026, 3, 2, 10, 0),  # noqa: DTZ001 - a scanner's local time
        slice_thickness_mm=3.0,
        units="BQML",
    )
    volume = Volume(voxels=np.full(grid.shape, 100.0, dtype=np.float32), geometry=grid, unit="Bq/ml")
    folder = tmp_path / "pet"
    write_pet(volume, facts, STUDY, folder, series_number=1)
    asked = {
        "name": "CT",
        "acquisitions": {
            "Liver CT": {"fields": [{"field": "Modality", "value": "CT"}, {"field": "SliceThickness", "max": 5}]}
        },
    }
    assert "=== Liver CT  ->  " in dicompare(folder, asked).out  # it judges it all the same
    ours = read_back(folder)
    assert not isinstance(ours[0], CtAcquisition)
    imported, _ = import_dicompare(json.dumps(asked), "asked.json")
    assert choose([*protocols(), imported], ours, asked={imported.id, "liver_ct_lirads2018"}) == choose(
        protocols(), ours
    )
    assert failures(folder, asked) == {("Liver CT", "series")}
