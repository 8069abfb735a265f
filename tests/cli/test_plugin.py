"""A measure of a hospital's own: one file and an entry point, and it stands beside ours everywhere."""

from __future__ import annotations

import json

import pytest
from tests.engine.making import ct
from tests.engine.processes import finished, start

MEASURE = '''
"""How much brighter the lesion is than water."""

import numpy as np

from bingcheng.core.measure import Reference, ReferenceKind, measure
from bingcheng.image.phantoms.cases import sphere


def ball():
    volume, lesion = sphere(20.0, inside=100.0)
    return {"volume": volume, "lesion": lesion}


@measure(
    label="Greatest CT number of our ward",
    unit="[hnsf'U]",
    modalities={"CT"},
    source="Ward's own notes 7",
    references=[
        Reference(name="a ball of 100 HU", case=ball, expect=EXPECT, atol=1.0, kind=ReferenceKind.ANALYTIC, source="x")
    ],
)
def ward_hu_max(volume, lesion) -> float:
    """The largest CT number in the lesion."""
    return float(np.max(lesion.values(volume)))
'''


@pytest.fixture
def installed(tmp_path):
    """A package installed by hand: a file, and what an installer writes beside it."""

    def install(expect: float) -> str:
        site = tmp_path / "site"
        meta = site / "ward_measures-1.0.dist-info"
        meta.mkdir(parents=True, exist_ok=True)
        (site / "ward_measures.py").write_text(MEASURE.replace("EXPECT", repr(expect)))
        (meta / "METADATA").write_text("Metadata-Version: 2.1\nName: ward-measures\nVersion: 1.0\n")
        (meta / "entry_points.txt").write_text("[bingcheng.measures]\nward = ward_measures\n")
        return str(site)

    return install


def test_a_one_file_measure_appears_everywhere(installed, tmp_path):
    site, workspace = installed(100.0), tmp_path / "workspace"
    ct(tmp_path / "exam")
    listed = finished(start("measures", PYTHONPATH=site, COLUMNS="200"))
    assert "ward_hu_max" in listed[1]
    code, out, err = finished(start("assess", tmp_path / "exam", "-w", workspace, "--json", PYTHONPATH=site))
    assert code == 0, err
    (found,) = [
        one
        for exam in json.loads(out)["exams"]
        for series in exam["series"]
        for lesion in series["lesions"]
        for one in lesion["measurements"]
        if one["key"] == "ward_hu_max"
    ]
    assert 90 < found["value"] < 160  # 90 HU and noise of 12 HU over some 180 voxels
    report = (workspace / "report" / "index.html").read_text(encoding="utf-8")
    assert "Greatest CT number of our ward" in report
    assert "ward_hu_max" in (workspace / "tables" / "measurements.csv").read_text(encoding="utf-8")
    # Without the package, the exam is assessed anew: the methods are others.
    code, out, err = finished(start("assess", tmp_path / "exam", "-w", workspace, "--json"))
    assert code == 0, err
    assert "ward_hu_max" not in out


def test_verify_grades_a_plug_in_like_ours(installed):
    site = installed(250.0)
    code, out, err = finished(start("verify", "--json", PYTHONPATH=site))
    assert code == 1, err
    assert [one["measure"] for one in json.loads(out) if not one["met"]] == ["ward_hu_max"]


def test_a_broken_plug_in_is_named(installed, tmp_path):
    site = installed(1.0)
    (tmp_path / "site" / "ward_measures.py").write_text("import no_such_module")
    code, _, err = finished(start("measures", PYTHONPATH=site))
    assert code == 4
    assert "core.broken-plugin" in err
    assert "ward" in err
