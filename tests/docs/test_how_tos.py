"""The how-tos of CONTRIBUTING, followed to the letter: their code blocks are run as they stand there."""

from __future__ import annotations

import importlib
import sys
import tomllib

import numpy as np
import pytest

from bingcheng.core.case import Case, Methods
from bingcheng.core.finding import Outcome
from bingcheng.dicom.acquisition import CtAcquisition, Device
from bingcheng.engine.methods import PACKAGES, PLUGINS
from bingcheng.engine.verify import verified
from bingcheng.image.geometry import VolumeGeometry
from bingcheng.image.volume import Volume
from bingcheng.outputs.assessment import Assessment
from bingcheng.outputs.language import Language
from bingcheng.protocol.conformance import choose, judge
from bingcheng.protocol.library import load
from bingcheng.quantify.uncertainty.repetition import measured


def block(page, language: str, containing: str) -> str:
    (found,) = (code for code in page("CONTRIBUTING.md").code_blocks(language) if containing in code)
    return found


@pytest.fixture
def clinic(page, tmp_path, monkeypatch):
    """The measure of the how-to in a package of its own, installed with the entry point of the how-to."""
    point = tomllib.loads(block(page, "toml", "entry-points"))["project"]["entry-points"][PLUGINS]
    ((name, module),) = point.items()
    package = tmp_path / module
    package.mkdir()
    (package / "__init__.py").write_text("")
    (package / "equivalent_diameter.py").write_text(block(page, "python", "@measure("), "utf-8")
    metadata = tmp_path / "clinic_measures-1.0.dist-info"
    metadata.mkdir()
    (metadata / "METADATA").write_text("Metadata-Version: 2.1\nName: clinic-measures\nVersion: 1.0\n")
    (metadata / "entry_points.txt").write_text(f"[{PLUGINS}]\n{name} = {module}\n")
    monkeypatch.syspath_prepend(str(tmp_path))
    importlib.invalidate_caches()
    yield module
    for loaded in [key for key in sys.modules if key.split(".")[0] == module]:
        del sys.modules[loaded]


def test_the_example_measure_joins_the_catalogue_as_one_file(clinic):
    with_it, without = Methods.of(*PACKAGES, clinic), Methods.of(*PACKAGES)
    assert set(with_it.measures.keys()) - set(without.measures.keys()) == {"equivalent_diameter"}
    assert with_it.per_lesion(with_it.measures["equivalent_diameter"])


def test_the_entry_point_of_the_how_to_is_found(clinic):
    assert "equivalent_diameter" in Methods.of(*PACKAGES, entry_point_group=PLUGINS).measures


def test_the_reference_of_the_example_measure_is_met(clinic):
    (result,) = verified(Methods.of(clinic))
    assert result.met, result.value


def test_the_example_measure_has_an_uncertainty_without_more_ado(clinic):
    methods = Methods.of(*PACKAGES, clinic)
    entry = methods.measures["equivalent_diameter"]
    lesion = entry.references[0].case()["lesion"]
    grid = VolumeGeometry(shape=(24, 24, 24), spacing_mm=(1.0, 1.0, 1.0))
    voxels = np.zeros(grid.shape, dtype=np.float32)
    volume = Volume(voxels=voxels, geometry=grid, unit="[hnsf'U]")
    (value,) = measured(Case(methods, {"volume": volume}, modality="CT").with_lesion(lesion), [entry])
    assert value.value == pytest.approx(24.81402, rel=1e-6)
    # An outline is off by a layer of voxels at most: a side of 22 mm in place of 20, and 2.5 mm more in diameter.
    assert 0.0 < value.standard_uncertainty < 2.5


def scanned(thickness_mm: float | None) -> CtAcquisition:
    return CtAcquisition(
        modality="CT",
        device=Device(vendor="SIEMENS"),
        series_uid="1.2.3",
        image_type=("ORIGINAL", "PRIMARY", "AXIAL"),
        slice_thickness_mm=thickness_mm,
    )


@pytest.mark.parametrize(
    ("thickness_mm", "outcome"), [(1.5, Outcome.PASS), (3.0, Outcome.FAIL), (None, Outcome.UNKNOWN)]
)
def test_the_example_protocol_judges_an_exam(page, tmp_path, thickness_mm, outcome):
    path = tmp_path / "our_liver_ct.toml"
    path.write_text(block(page, "toml", "our_liver_ct"), "utf-8")
    protocol, exam = load(path), (scanned(thickness_mm),)
    assert choose((protocol,), exam) == (protocol,)
    (finding,) = (f for f in judge(protocol, exam) if f.criterion == "thickness")
    assert finding.outcome is outcome
    assert finding.source == "Imaging board of our hospital, minutes of January 2026, item 3"


def test_the_example_output_writes_what_to_do(page, tmp_path, monkeypatch):
    (tmp_path / "todo_list.py").write_text(block(page, "python", "def write_todo_list"), "utf-8")
    monkeypatch.syspath_prepend(str(tmp_path))
    write = importlib.import_module("todo_list").write_todo_list
    nothing = Assessment(version="0", identified=False, sites=(), exams=(), changes=(), comparison=(), refusals=())
    written = write(nothing, tmp_path / "out", Language.of("en"))
    assert written == tmp_path / "out" / "todo.txt"
    assert written.read_text("utf-8") == ""
    monkeypatch.delitem(sys.modules, "todo_list")
