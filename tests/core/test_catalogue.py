"""One new file adds one new thing, doubles are refused, and nothing registers at import."""

from __future__ import annotations

import sys
from textwrap import dedent

import pytest

from bingcheng.core.case import Methods
from bingcheng.core.catalogue import Catalogue
from bingcheng.core.errors import CatalogueError, Problem
from bingcheng.core.measure import Measure

MEASURE = """
from bingcheng.core.measure import Reference, ReferenceKind, measure
REFERENCE = Reference(name="n", case=dict, expect=1.0, kind=ReferenceKind.ANALYTIC, source="s")

@measure(label="L", unit="1", modalities={"CT"}, source="s", references=[REFERENCE])
def NAME(INPUTS) -> float:
    return 1.0
"""
DERIVED = """
from bingcheng.core.derived import derived

@derived
def NAME(INPUTS) -> float:
    return 1.0
"""


@pytest.fixture
def package(tmp_path, monkeypatch):
    """Writes a package of files and gives its name; forgotten after the test."""
    monkeypatch.syspath_prepend(str(tmp_path))

    def write(**files):
        folder = tmp_path / "somebodys"
        folder.mkdir()
        (folder / "__init__.py").write_text("")
        for name, content in files.items():
            (folder / f"{name}.py").write_text(dedent(content))
        return "somebodys"

    yield write
    for name in [name for name in sys.modules if name.split(".")[0] == "somebodys"]:
        del sys.modules[name]


def made(kind, name, inputs="volume"):
    return kind.replace("NAME", name).replace("INPUTS", inputs)


def test_a_file_with_a_described_function_is_found(package):
    found = Catalogue.of(Measure, package(one=made(MEASURE, "one"), two=made(MEASURE, "two")))
    assert found.keys() == ("one", "two")
    assert found["one"].inputs == ("volume",)


def test_a_function_imported_into_another_module_is_found_once(package):
    again = "from somebodys.one import one\n"
    assert Catalogue.of(Measure, package(one=made(MEASURE, "one"), other=again)).keys() == ("one",)


def test_the_same_key_twice_is_refused_with_both_places(package):
    with pytest.raises(CatalogueError, match=r"somebodys\.a.*somebodys\.b") as refused:
        Catalogue.of(Measure, package(a=made(MEASURE, "same"), b=made(MEASURE, "same")))
    assert refused.value.code == "core.duplicate-key"


def test_an_input_that_nobody_makes_is_refused_by_name(package):
    with pytest.raises(CatalogueError, match="voluem") as refused:
        Methods.of(package(one=made(MEASURE, "one", "voluem")))
    assert refused.value.code == "core.unknown-input"


def test_derived_inputs_in_a_circle_are_refused_with_the_way_round(package):
    with pytest.raises(CatalogueError, match="a -> b -> a") as refused:
        Methods.of(package(a=made(DERIVED, "a", "b"), b=made(DERIVED, "b", "a")))
    assert refused.value.code == "core.circular-input"


def test_a_measure_through_which_the_lesion_comes_in_is_a_lesions_measure(package):
    methods = Methods.of(
        package(
            size=made(MEASURE, "size", "outline"), outline=made(DERIVED, "outline", "lesion"), all=made(MEASURE, "all")
        )
    )
    assert methods.per_lesion(methods.measures["size"])
    assert not methods.per_lesion(methods.measures["all"])
    assert methods.needs(methods.measures["size"]) == {"lesion"}


def test_a_broken_plugin_is_named(package, tmp_path, monkeypatch):
    package(broken="raise RuntimeError('no')")
    about = tmp_path / "somebodys-1.0.dist-info"
    about.mkdir()
    (about / "METADATA").write_text("Metadata-Version: 2.1\nName: somebodys\nVersion: 1.0\n")
    (about / "entry_points.txt").write_text("[a.group]\nmine = somebodys.broken\n")
    with pytest.raises(CatalogueError, match="mine") as refused:
        Catalogue.of(Measure, entry_point_group="a.group")
    assert refused.value.code == "core.broken-plugin"


def test_every_problem_of_the_package_has_its_own_code_of_the_right_form():
    floors = (
        "core",
        "image",
        "dicom",
        "protocol",
        "quality",
        "quantify",
        "compare",
        "outputs",
        "archive",
        "engine",
        "cli",
    )
    problems = Catalogue.of(Problem, *(f"bingcheng.{floor}" for floor in floors))
    assert len(problems) > 50
    for problem in problems:
        floor, _, words = problem.code.partition(".")
        assert floor in floors
        assert words
        assert words == words.lower()
        assert problem.says
        assert problem.remedy
