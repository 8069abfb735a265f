"""A measure of a hospital's own: one file and an entry point, and it stands beside ours everywhere."""

from __future__ import annotations

import importlib
import sys
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from tests.engine.making import ct
from tests.engine.processes import finished, start

from bingcheng.cli import verify
from bingcheng.engine import methods

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
def installed(tmp_path, monkeypatch):
    """A package installed by hand: a file, and what an installer writes beside it. Gone again when asked."""
    site = tmp_path / "site"

    @contextmanager
    def install(expect: float = 100.0, *, says: str = MEASURE) -> Iterator[str]:
        meta = site / "ward_measures-1.0.dist-info"
        meta.mkdir(parents=True)
        (site / "ward_measures.py").write_text(says.replace("EXPECT", repr(expect)))
        (meta / "METADATA").write_text("Metadata-Version: 2.1\nName: ward-measures\nVersion: 1.0\n")
        (meta / "entry_points.txt").write_text("[bingcheng.measures]\nward = ward_measures\n")
        with monkeypatch.context() as patched:
            patched.syspath_prepend(str(site))
            forget_what_is_installed()
            yield str(site)
        forget_what_is_installed()

    return install


def forget_what_is_installed():
    """What a new process would find out for itself."""
    sys.modules.pop("ward_measures", None)
    importlib.invalidate_caches()
    methods.installed.cache_clear()


@pytest.mark.slow
def test_a_one_file_measure_appears_everywhere(installed, bingcheng, tmp_path):
    workspace = tmp_path / "workspace"
    ct(tmp_path / "exam")
    with installed() as site:
        listed = finished(start("measures", PYTHONPATH=site, COLUMNS="200"))
        assert "ward_hu_max" in listed[1]
        said = bingcheng("assess", tmp_path / "exam", "--json")
        assert said.code == 0, said.err
    (found,) = [
        one
        for exam in said.json["exams"]
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
    said = bingcheng("assess", tmp_path / "exam", "--json")
    assert said.code == 0, said.err
    assert "ward_hu_max" not in said.out


def test_verify_grades_a_plug_in_like_ours(installed, bingcheng, monkeypatch):
    # Beside one room of ours, and without the values of the IBSI: that all of them are met is tested elsewhere.
    monkeypatch.setattr(methods, "PACKAGES", ("bingcheng.quantify.intensity.hounsfield",))
    monkeypatch.setattr(verify, "recomputed", lambda *_: ())
    with installed(250.0):
        said = bingcheng("verify", "--json")
    assert said.code == 1, said.err
    assert {one["measure"] for one in said.json if one["met"]} >= {"hu_mean"}
    assert [one["measure"] for one in said.json if not one["met"]] == ["ward_hu_max"]


def test_a_broken_plug_in_is_named(installed, bingcheng):
    with installed(says="import no_such_module"):
        said = bingcheng("measures")
    assert said.code == 4
    assert "core.broken-plugin" in said.err
    assert "ward" in said.err
