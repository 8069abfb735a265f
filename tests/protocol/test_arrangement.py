"""Several roles of one exam: same places, same settings, in which order, in how many planes."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from bingcheng.core.wording import text
from bingcheng.protocol.attributes import ExamFacts, FilledRole, FilledRoles, attributes

AXIAL, SAGITTAL, CORONAL = (0.0, 0.0, 1.0), (1.0, 0.0, 0.0), (0.0, 1.0, 0.0)


@pytest.fixture
def series(make):
    def made(uid, minutes=0, **facts):
        placed = {
            "slice_normal": AXIAL,
            "first_slice_mm": -30.0,
            "slice_thickness_mm": 3.0,
            "reconstruction_interval_mm": 3.0,
            "slice_count": 20,
            "repetition_time_ms": 4000.0,
            "flip_angle_deg": 90.0,
            "inversion_time_ms": None,
            "frame_of_reference_uid": "1.9",
            "started_at": make.start + timedelta(minutes=minutes),
        }
        return make.dwi(series_uid=uid, **(placed | facts))

    return made


def reading(key, *groups):
    """What the quantity is for roles A, B, ... filled by the groups of series."""
    roles = tuple(
        FilledRole(id=name, title=text(name), series=tuple(group))
        for name, group in zip("ABCDEF", groups, strict=False)
    )
    exam = ExamFacts(acquisitions=tuple(one for group in groups for one in group))
    return attributes()[f"derived.{key}"].read(exam, filled=FilledRoles(roles=roles, exam=exam))


def test_stacks_at_the_same_places(series):
    assert reading("same_slice_locations", [series("1")], [series("2")]).value is True
    # Counted from the other end, and covering a part only.
    reverse = series("2", slice_normal=(0.0, 0.0, -1.0), first_slice_mm=-27.0)
    assert reading("same_slice_locations", [series("1")], [reverse]).value is True
    part = series("2", first_slice_mm=-21.0, slice_count=10)
    assert reading("same_slice_locations", [series("1")], [part]).value is True


@pytest.mark.parametrize(
    ("facts", "said"),
    [
        ({"first_slice_mm": -28.5}, "1.5 mm apart"),
        ({"reconstruction_interval_mm": 3.3}, "apart"),
        ({"slice_thickness_mm": 4.0}, "3 mm and of 4 mm"),
        ({"slice_normal": (0.0, 0.1, 0.995)}, "turned by"),
        ({"first_slice_mm": 200.0}, "different regions"),
        ({"frame_of_reference_uid": "1.8"}, "frames of reference"),
    ],
)
def test_stacks_at_other_places_say_how(series, facts, said):
    found = reading("same_slice_locations", [series("1")], [series("2", **facts)])
    assert found.value is False
    assert said in str(found.remark)
    assert "A and B" in str(found.remark)


def test_a_shift_within_half_a_millimetre_is_the_same_place(series):
    assert reading("same_slice_locations", [series("1")], [series("2", first_slice_mm=-29.6)]).value is True


@pytest.mark.parametrize("lacking", ["slice_normal", "first_slice_mm", "reconstruction_interval_mm", "slice_count"])
def test_without_positions_the_places_are_unknown(series, lacking):
    found = reading("same_slice_locations", [series("1")], [series("2", **{lacking: None})])
    assert found.value is None
    assert found.why is not None


def test_one_series_alone_can_not_be_compared(series):
    for key in ("same_slice_locations", "parameters_match", "in_order"):
        assert reading(key, [series("1")], []).value is None


@pytest.mark.parametrize(
    ("facts", "said"),
    [
        ({"repetition_time_ms": 4300.0}, "repetition time (4000 and 4300)"),
        ({"echo_times_ms": (80.0,)}, "echo time"),
        ({"flip_angle_deg": 60.0}, "flip angle"),
        ({"pixel_spacing_mm": (3.0, 3.5)}, "pixel size"),
        ({"acquisition_matrix": (128, 96)}, "acquired matrix"),
        ({"slice_normal": SAGITTAL}, "direction of the slices"),
    ],
)
def test_series_made_with_other_settings_say_which(series, facts, said):
    assert reading("parameters_match", [series("1")], [series("2")]).value is True
    found = reading("parameters_match", [series("1")], [series("2", **facts)])
    assert found.value is False
    assert said in str(found.remark)


def test_a_setting_that_no_header_gives_leaves_the_match_unknown_unless_another_differs(series):
    assert reading("parameters_match", [series("1")], [series("2", flip_angle_deg=None)]).value is None
    other = series("2", flip_angle_deg=None, echo_times_ms=(99.0,))
    assert reading("parameters_match", [series("1")], [other]).value is False


def test_the_order_is_that_of_the_starts(series):
    first, second, third = (series(str(n), minutes=n) for n in range(3))
    assert reading("in_order", [first], [second], [third]).value is True
    found = reading("in_order", [first], [third], [second])
    assert found.value is False
    assert "C was acquired before B" in str(found.remark)
    assert reading("in_order", [first], [replace(second, started_at=None)]).value is None


def test_before_and_after_the_injection(series, make):
    injected = make.start + timedelta(minutes=10)
    before, after = series("1"), series("2", minutes=12, contrast_started_at=injected)
    later = series("3", minutes=15)
    exam = [before], [after], [later]
    assert reading("before_injection", *exam).value is False
    assert reading("in_order_after_injection", [after], [later]).value is True
    assert reading("in_order_after_injection", [before], [after]).value is False
    assert reading("after_injection", [after], [later]).value is True
    assert reading("before_injection", [before], []).value is None  # nobody says when


def test_nobody_knows_the_injection_if_two_are_recorded(series, make):
    one = series("1", minutes=5, contrast_started_at=make.start)
    other = series("2", minutes=9, contrast_started_at=make.start + timedelta(minutes=4))
    assert reading("after_injection", [one], [other]).value is None


def test_without_the_time_of_injection_the_agent_tells_the_side(series):
    before, after = series("1"), series("2", minutes=12, contrast_agent="Gadobutrol", repetition_time_ms=600.0)
    later = series("3", minutes=15, contrast_agent="Gadobutrol", repetition_time_ms=900.0)
    assert reading("in_order_after_injection", [after], [later], [before]).value is False
    assert reading("in_order_after_injection", [after], [later]).value is None  # it stands in all there are
    assert reading("before_injection", [before], [after]).value is False
    assert reading("after_injection", [before, after], [later]).value is True


def test_one_series_of_a_role_at_the_right_place_is_enough(series, make):
    injected = make.start + timedelta(minutes=10)
    before, after = series("1"), series("2", minutes=12, contrast_started_at=injected)
    again, last = series("3", minutes=15), series("4", minutes=20)
    assert reading("before_injection", [again, before, after]).value is True
    assert reading("in_order_after_injection", [before, after], [again]).value is True
    found = reading("in_order_after_injection", [last], [before, after, again])
    assert found.value is False
    assert "B was acquired before A" in str(found.remark)


def test_planes_are_counted_over_all_series_of_the_roles(series):
    axial, sagittal = series("1"), series("2", slice_normal=SAGITTAL)
    coronal = series("3", slice_normal=CORONAL)
    assert reading("n_planes", [axial], [axial]).value == 1.0
    assert reading("n_planes", [axial], [sagittal, coronal]).value == 3.0
    assert reading("n_planes", [axial], [series("4", slice_normal=None)]).value is None
