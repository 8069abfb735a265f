"""Conditions of two exams: what breaks comparability, what widens limits, and what a missing one means."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bingcheng.compare.comparability import Severity, rules, rules_of
from bingcheng.core.errors import CatalogueError
from bingcheng.core.finding import Trust

CT = {"slice_thickness_mm": 1.25, "kernel": "B30f", "contrast": "Iohexol", "device": "SIEMENS Force 1a2b"}
PT = {"uptake_min": 60.0, "reconstruction": "OSEM 3i21s TOF 5 mm", "device": "GE MI 3c4d"}
MR = {"b_values_s_per_mm2": (0.0, 400.0, 800.0), "device": "UIH uMR 5e6f", "field_strength_t": 3.0}
thicknesses = st.floats(min_value=0.3, max_value=10.0)
uptakes = st.floats(min_value=20.0, max_value=150.0)


def compare(measure, modality, before, after):
    return rules().compare(measure, modality, before, after)


@pytest.mark.parametrize(
    ("measure", "modality", "kept"), [("volume", "CT", CT), ("suv_peak", "PT", PT), ("adc_mean", "MR", MR)]
)
def test_the_same_protocol_twice_is_comparable(measure, modality, kept):
    found = compare(measure, modality, kept, dict(kept))
    assert (found.broken, found.unknown, found.widened_percent) == ((), (), 0.0)


@pytest.mark.parametrize(
    ("measure", "modality", "kept", "changed", "words"),
    [
        ("volume", "CT", CT, {"slice_thickness_mm": 5.0}, "5 mm"),
        ("volume", "CT", CT, {"kernel": "B70f"}, "B70f"),
        ("volume", "CT", CT, {"contrast": "none"}, "none"),
        ("suv_peak", "PT", PT, {"uptake_min": 95.0}, "95 min"),
        ("suv_peak", "PT", PT, {"reconstruction": "FBP"}, "FBP"),
        ("suv_peak", "PT", PT, {"device": "another"}, "another"),
        ("adc_mean", "MR", MR, {"b_values_s_per_mm2": (0.0, 1000.0)}, "0, 1000"),
    ],
)
def test_a_broken_condition_is_named_with_both_values_and_a_remedy(measure, modality, kept, changed, words):
    found = compare(measure, modality, kept, kept | changed)
    assert len(found.broken) == len(found.remedies) == 1
    assert words in str(found.broken[0])


def test_all_that_is_broken_is_named_not_just_the_first():
    found = compare("volume", "CT", CT, CT | {"slice_thickness_mm": 5.0, "kernel": "B70f", "contrast": "none"})
    assert len(found.broken) == len(found.remedies) == 3


@pytest.mark.parametrize(
    ("measure", "modality", "kept", "name"),
    [
        ("volume", "CT", CT, "slice_thickness_mm"),
        ("volume", "CT", CT, "kernel"),
        ("suv_peak", "PT", PT, "uptake_min"),
        ("suv_peak", "PT", PT, "reconstruction"),
        ("adc_mean", "MR", MR, "b_values_s_per_mm2"),
        ("adc_mean", "MR", MR, "device"),
    ],
)
@pytest.mark.parametrize("side", ["before", "after", "both"])
def test_a_condition_that_is_not_recorded_is_never_taken_as_agreeing(measure, modality, kept, name, side):
    without = kept | {name: None}
    pair = {"before": (without, kept), "after": (kept, without), "both": (without, without)}[side]
    assert compare(measure, modality, *pair).unknown
    absent = {key: value for key, value in kept.items() if key != name}
    assert compare(measure, modality, kept, absent).unknown


def test_contrast_that_neither_exam_names_is_said_but_stops_nothing():
    plain = CT | {"contrast": None}
    assert compare("volume", "CT", plain, plain).unknown == ()
    assert "contrast" in str(compare("volume", "CT", plain, plain).noted[0])
    assert compare("volume", "CT", CT, plain).unknown != ()


@pytest.mark.parametrize(("after_mm", "outcome"), [(1.25, "same"), (1.5, "same"), (2.5, "widened"), (5.0, "broken")])
def test_slice_thickness_agrees_widens_or_breaks_with_its_difference(after_mm, outcome):
    found = compare("volume", "CT", CT, CT | {"slice_thickness_mm": after_mm})
    assert (bool(found.broken), found.widened_percent) == {
        "same": (False, 0.0),
        "widened": (False, 6.0),
        "broken": (True, 0.0),
    }[outcome]


def test_sharpness_measured_alike_overrules_the_name_of_the_kernel():
    sharp = CT | {"edge_f50_per_mm": 0.40}
    assert compare("volume", "CT", sharp, CT | {"kernel": "STANDARD", "edge_f50_per_mm": 0.43}).broken == ()
    assert compare("volume", "CT", sharp, CT | {"kernel": "STANDARD", "edge_f50_per_mm": 0.60}).broken != ()
    assert compare("volume", "CT", sharp, CT | {"kernel": "STANDARD"}).broken != ()


def test_a_kernel_is_the_same_however_it_is_spelt():
    assert compare("volume", "CT", CT, CT | {"kernel": " b30F "}).broken == ()


@pytest.mark.parametrize("b_values", [(800.0, 0.0, 400.0), (0, 400, 800), (0.0, 400.0, 799.0)])
def test_b_values_are_the_same_in_any_order_and_however_headers_round_them(b_values):
    assert compare("adc_mean", "MR", MR, MR | {"b_values_s_per_mm2": b_values}).broken == ()


@pytest.mark.parametrize("b_values", [(0.0, 800.0), (0.0, 400.0, 1000.0), (50.0, 400.0, 800.0)])
def test_another_set_of_b_values_breaks(b_values):
    assert compare("adc_mean", "MR", MR, MR | {"b_values_s_per_mm2": b_values}).broken != ()


def test_another_mr_scanner_widens_the_limits():
    found = compare("adc_mean", "MR", MR, MR | {"device": "another"})
    assert (found.broken, found.widened_percent) == ((), 9.0)
    assert "9 %" in str(found.noted[0])


def test_ten_minutes_of_uptake_are_still_the_same():
    assert compare("suv_peak", "PT", PT, PT | {"uptake_min": 70.0}).broken == ()
    assert compare("suv_peak", "PT", PT, PT | {"uptake_min": 70.1}).broken != ()


@given(first=thicknesses, second=thicknesses)
def test_comparability_does_not_depend_on_which_exam_came_first(first, second):
    there = compare("volume", "CT", CT | {"slice_thickness_mm": first}, CT | {"slice_thickness_mm": second})
    back = compare("volume", "CT", CT | {"slice_thickness_mm": second}, CT | {"slice_thickness_mm": first})
    assert (len(there.broken), there.widened_percent) == (len(back.broken), back.widened_percent)


@given(near=uptakes, far=uptakes)
def test_a_larger_difference_is_never_judged_more_leniently(near, far):
    near, far = sorted((abs(near - 60.0), abs(far - 60.0)))
    nearer = compare("suv_peak", "PT", PT, PT | {"uptake_min": 60.0 + near})
    farther = compare("suv_peak", "PT", PT, PT | {"uptake_min": 60.0 + far})
    assert len(nearer.broken) <= len(farther.broken)


def test_every_rule_is_cited_and_nothing_unverified_breaks_or_widens():
    for rule in rules().rules:
        assert rule.source
        assert rule.trust is not Trust.UNVERIFIED or rule.severity is Severity.NOTED
        assert rule.remedy


RULE = """
schema = 1
[[condition]]
name = "kernel"
label = "kernel"
unit = ""
[[rule]]
id = "a"
modality = "CT"
measures = ["volume"]
condition = "kernel"
agree = "equal"
severity = "breaks"
if_missing = "unknown"
reason = "{before}, {after}"
because = "missing"
remedy = "remedy"
source = "Ours"
trust = "verified"
"""


def test_a_hospital_may_bring_its_own_rules(tmp_path):
    (tmp_path / "ours.toml").write_text(RULE, "utf-8")
    found = rules_of(tmp_path / "ours.toml").compare("volume", "CT", {"kernel": "A"}, {"kernel": "B"})
    assert [str(reason) for reason in found.broken] == ["A, B"]


@pytest.mark.parametrize(
    ("written", "named"),
    [
        (RULE.replace('"verified"', '"unverified"'), "unverified source"),
        (RULE.replace('agree = "equal"', 'agree = "ratio"'), "same_within"),
        (RULE.replace('agree = "equal"', 'agree = "ratio"\nsame_within = 2.0\nbreaks_beyond = 1.5'), "breaks before"),
        (RULE.replace('"breaks"', '"widens"'), "by nothing"),
        (RULE.replace('condition = "kernel"', 'condition = "kernal"'), "kernal"),
    ],
)
def test_a_rule_that_contradicts_itself_is_refused(tmp_path, written, named):
    (tmp_path / "ours.toml").write_text(written, "utf-8")
    with pytest.raises(CatalogueError, match="broken-rules") as caught:
        rules_of(tmp_path / "ours.toml")
    assert named in str(caught.value)
