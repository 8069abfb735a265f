"""Contradictions that the reader of headers noted, told to people."""

from __future__ import annotations

import ast
from dataclasses import replace
from pathlib import Path

import pytest
from tests.protocol.exams_ct_pet import F18_S, ct, pet

import bingcheng.dicom
from bingcheng.dicom.acquisition import Acquisition, Device
from bingcheng.protocol.attributes import ExamFacts, attributes
from bingcheng.protocol.quantities.contradictions import ENTRIES_OF, FOUND, Touches

COUNTS = {
    Touches.ENTRIES: "derived.wrong_entries",
    Touches.TIMES: "derived.time_contradictions",
    Touches.DECAY: "derived.decay_contradictions",
}


def fdg():
    return pet("1", tracer="FDG", half_life_s=F18_S, uptake_min=60.0, mbq_per_kg=3.5)


def read(key, series):
    return attributes()[key].read(ExamFacts(acquisitions=(series,)), series)


def noted():
    """The codes that the reader of headers notes, from its source; those put together in braces are patterns."""
    for path in sorted(Path(bingcheng.dicom.__file__).parent.rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr == "note":
                code = node.args[0]
                yield code.value if isinstance(code, ast.Constant) else code.values[0].value


def test_every_contradiction_that_is_noted_has_a_name_and_a_place():
    codes = list(noted())
    assert len(codes) > 20
    for code in codes:
        assert any(known.startswith(code) for known in FOUND), code
    assert all(any(known.startswith(code) for code in codes) for known in FOUND)


@pytest.mark.parametrize("code", FOUND)
def test_a_contradiction_counts_where_it_belongs_and_nowhere_else(code):
    series = replace(fdg(), contradictions=((code, "17"),))
    touches, name = FOUND[code]
    for place, key in COUNTS.items():
        reading = read(key, series)
        assert reading.value == (1.0 if touches is place else 0.0)
        if touches is place:
            assert str(reading.remark) == f"{name} (17)"
    assert read("derived.n_header_contradictions", series).value == (0.0 if touches is Touches.NOTHING else 1.0)


def test_several_are_all_named():
    series = replace(fdg(), contradictions=(("weight-in-grams", "70000"), ("dose-in-megabecquerel", "250")))
    reading = read("derived.wrong_entries", series)
    assert reading.value == 2.0
    assert str(reading.remark) == "weight in grams (70000), administered activity in MBq instead of Bq (250)"


def test_from_where_a_fact_was_read_is_no_contradiction():
    series = replace(
        fdg(), contradictions=(("scan-start-from-private-time", "GE"), ("injection-before-midnight", "1 h"))
    )
    assert read("derived.n_header_contradictions", series).value == 0.0


def test_what_a_readers_plug_in_notes_counts_although_nobody_knows_it():
    series = replace(ct("1"), contradictions=(("tube-on-fire", "yes"),))
    reading = read("derived.wrong_entries", series)
    assert reading.value == 1.0
    assert str(reading.remark) == "tube-on-fire (yes)"


@pytest.mark.parametrize("key", [*COUNTS.values(), "derived.n_header_contradictions"])
def test_an_empty_header_contradicts_nothing_because_it_says_nothing(key):
    assert read(key, Acquisition(modality="CT", device=Device(), series_uid="1")).value is None


def test_the_entries_that_are_looked_at_exist():
    known = {name for kind in (type(ct("1")), type(fdg())) for name in kind.__dataclass_fields__} | {"field_strength_t"}
    assert {entry for entries in ENTRIES_OF.values() for entry in entries} <= known
