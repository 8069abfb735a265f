"""Reading protocol files: one clear error, with file and line, for whatever is wrong."""

from __future__ import annotations

import pickle  # noqa: TID251 - what multiprocessing uses, not a store

import pytest

from bingcheng.core.errors import InputError
from bingcheng.core.finding import Outcome
from bingcheng.protocol.conformance import judge
from bingcheng.protocol.library import load, parse, protocol, protocols

GOOD = """\
format = 1
id = "ours"
title = "Our liver CT"
version = "2026-1"
modality = "CT"
intent = "Follow liver tumours."
by_default = true

[sources.US]
citation = "Department agreement 2026"
read = "table"
locator = "page 3"

[[roles]]
id = "CT"
title = "Thin CT"
modality = "CT"
level = "recommended"
decisive = true
select = [
  { attribute = "derived.is_localiser", operator = "==", value = false },
  { attribute = "derived.is_original", operator = "==", value = true },
]
source = "US"
trust = "verified"
remedy = "Send the thin series."

[[criteria]]
id = "thickness"
title = "Slice thickness"
scope = "series"
roles = ["CT"]
attribute = "SliceThickness"
operator = "<="
value = 0.25
unit = "cm"
level = "required"
source = "US"
trust = "verified"
remedy = "Reconstruct at 2.5 mm."
owner = "technologist"

[[criteria]]
id = "kvp"
title = "Tube voltage"
scope = "series"
roles = ["CT"]
attribute = "KVP"
operator = "between"
value = [100, 140]
unit = "kV"
level = "recommended"
source = "US"
trust = "verified"
remedy = "Set 100 to 140 kV."
owner = "technologist"
"""


def refusal(old, new, count=-1):
    assert old in GOOD
    with pytest.raises(InputError) as caught:
        parse(GOOD.replace(old, new, count), "ours.toml")
    return caught.value


def test_a_hospital_reads_its_own_file(tmp_path, make):
    path = tmp_path / "ours.toml"
    path.write_text(GOOD, encoding="utf-8")
    assert load(path).criterion("thickness").unit == "cm"


def test_limits_in_another_unit_of_the_same_quantity_are_converted(make):
    ours = parse(GOOD, "ours.toml")
    findings = {f.criterion: f for f in judge(ours, [make.ct(slice_thickness_mm=3.0)])}
    assert findings["thickness"].outcome is Outcome.FAIL
    assert str(findings["thickness"].measured) == "0.3 cm"
    assert findings["thickness"].distance == pytest.approx(0.05)


WRONG = {
    "misspelt key": ('level = "required"', 'levle = "required"', "unknown-key", "levle"),
    "missing key": ('level = "required"\n', "", "missing-key", "[[criteria]]"),
    "unknown key": ('level = "required"', 'level = "required"\ncolour = "red"', "unknown-key", "colour"),
    "unknown level": ('level = "required"', 'level = "urgent"', "wrong-value", "urgent"),
    "braces": ('title = "Thin CT"', 'title = "Thin {CT}"', "wrong-value", "{CT}"),
    "later format": ("format = 1", "format = 2", "wrong-value", "format"),
    "unit of another quantity": ('unit = "cm"', 'unit = "ms"', "wrong-unit", '"ms"'),
    "unit that nobody knows": ('unit = "cm"', 'unit = "furlong"', "wrong-unit", "furlong"),
    "no unit": ('unit = "cm"\n', "", "no-unit", "SliceThickness"),
    "contradictory range": ("[100, 140]", "[140, 100]", "contradictory-range", "[140, 100]"),
    "one number for a range": ("[100, 140]", "120", "wrong-limit", "value = 120"),
    "a word for a number": ("value = 0.25", 'value = "thin"', "wrong-limit", '"thin"'),
    "no limit": ("value = 0.25\n", "", "wrong-limit", "[[criteria]]"),
    "two limits": ("value = 0.25", "value = 0.25\nby_vendor = { GE = 0.3 }", "two-limits", "by_vendor"),
    "unknown attribute": ('"KVP"', '"KiloVolts"', "unknown-attribute", "KiloVolts"),
    "unknown operator": ('operator = "<="', 'operator = "=<"', "unknown-operator", "=<"),
    "unfit operator": ('operator = "<="', 'operator = "any_in"', "unfit-operator", "any_in"),
    "no baseline": ('"<="\nvalue = 0.25', '"same_as_baseline"', "no-baseline", "same_as_baseline"),
    "unknown role": ('roles = ["CT"]', 'roles = ["PET"]', "unknown-role", '["PET"]'),
    "no role": ('roles = ["CT"]\n', "", "no-role", "[[criteria]]"),
    "needless role": ('scope = "series"', 'scope = "exam"', "needless-role", 'roles = ["CT"]'),
    "wrong scope": ('scope = "series"\nroles = ["CT"]', 'scope = "phantom"', "wrong-scope", "SliceThickness"),
    "unknown source": (
        'source = "US"\ntrust = "verified"\nremedy = "Set',
        'source = "UK"\ntrust = "verified"\nremedy = "Set',
        "unknown-source",
        '"UK"',
    ),
    "no locator": ('locator = "page 3"\n', "", "no-locator", 'source = "US"'),
    "duplicate": ('id = "kvp"', 'id = "thickness"', "duplicate-id", 'id = "thickness"'),
    "no decisive role": ("decisive = true", "decisive = false", "no-decisive-role", "decisive"),
    "unknown attribute in a predicate": ("is_original", "is_nice", "misspelt-attribute", "is_nice"),
    "unfit operator in a predicate": (
        'is_original", operator = "=="',
        'is_original", operator = ">="',
        "unfit-operator",
        "is_original",
    ),
    "unknown word": (
        '"KVP"\noperator = "between"\nvalue = [100, 140]\nunit = "kV"',
        '"derived.scan_mode"\noperator = "=="\nvalue = "spiral"',
        "unknown-word",
        "spiral",
    ),
    "another modality": (
        '"KVP"\noperator = "between"\nvalue = [100, 140]\nunit = "kV"',
        '"EchoTime"\noperator = "between"\nvalue = [100, 140]\nunit = "ms"',
        "wrong-modality",
        "EchoTime",
    ),
}


@pytest.mark.parametrize(("old", "new", "code", "on_line"), WRONG.values(), ids=list(WRONG))
def test_what_is_wrong_is_told_with_its_line(old, new, code, on_line):
    error = refusal(old, new, count=1)
    assert error.code == f"protocol.{code}"
    line = GOOD.replace(old, new, 1).splitlines()[int(error.reason.facts["line"]) - 1]
    assert on_line in line
    assert "ours.toml" in str(error)


def test_text_that_is_no_toml_is_refused_with_its_line():
    error = refusal("format = 1", "format : 1")
    assert error.code == "protocol.not-toml"
    assert "line 1" in str(error)


def test_a_file_that_is_absent_or_not_text_is_refused_without_its_folder(tmp_path):
    binary = tmp_path / "binary.toml"
    binary.write_bytes(b"\xff\xfe\x00\x01")
    for path in (tmp_path / "absent.toml", binary):
        with pytest.raises(InputError, match=r"protocol\.unreadable-file") as caught:
            load(path)
        assert str(tmp_path) not in str(caught.value)


def test_an_unknown_protocol_is_refused_with_the_ones_there_are():
    with pytest.raises(InputError, match="ct_response_recist11"):
        protocol("recist2")


def test_a_protocol_that_was_used_travels_to_another_process(make):
    before = judge(protocol("ct_response_recist11"), [make.ct()])
    there = pickle.loads(pickle.dumps(protocol("ct_response_recist11")))  # noqa: S301 - as multiprocessing does
    assert judge(there, [make.ct()]) == before


def test_identifiers_are_unique_over_the_library():
    names = [p.id for p in protocols()]
    assert names == sorted(set(names))


@pytest.mark.parametrize(
    ("old", "new", "meant"),
    [
        ('level = "required"', 'levle = "required"', "level"),
        ("by_default = true", "by_defualt = true", "by_default"),
        ("citation =", "citaton =", "citation"),
        ('operator = "==", value = false', 'operater = "==", value = false', "operator"),
    ],
)
def test_a_misspelt_key_is_told_with_the_one_that_was_meant(old, new, meant):
    assert f"nearest are {meant}" in str(refusal(old, new, count=1))
