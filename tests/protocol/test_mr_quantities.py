"""Quantities of MR series: coil, field strength, phases of fat and water, isotropic voxels."""

from __future__ import annotations

from dataclasses import replace

import pytest
from tests.protocol import exams_mr

from bingcheng.protocol.attributes import ExamFacts, attributes
from bingcheng.protocol.demands import Evidence, holds
from bingcheng.protocol.library import protocol


def read(key, series, *others):
    return attributes()[key].read(ExamFacts(acquisitions=(series, *others)), series)


@pytest.mark.parametrize(
    ("name", "kind", "told"),
    [
        ("BODY", None, "body"),
        ("Q-BODY", None, "body"),
        ("WHOLEBODY", None, "body"),
        ("BodyArray_30", None, "BODYARRAY_30"),
        (None, "BODY", "body"),
        ("MULTI COIL", "BODY", "body"),
        (None, "MULTICOIL", "MULTICOIL"),
        ("HeadNeck_20", "MULTICOIL", "HEADNECK_20"),
        (None, None, None),
        (" ", None, None),
    ],
)
def test_the_body_coil_is_told_from_others_by_its_type_or_by_vendors_names(name, kind, told):
    series = exams_mr.t2(1, 0, receive_coil=name, receive_coil_type=kind)
    assert read("derived.coil_type", series).value == told


@pytest.mark.parametrize(
    ("name", "dedicated"),
    [
        ("Breast_18", True),
        ("8CH BREAST", True),
        ("Mammaspule", True),
        ("BODY", False),
        ("MULTI COIL", None),
        (None, None),
    ],
)
def test_a_breast_coil_is_one_only_where_its_name_says_so(name, dedicated):
    series = exams_mr.t1_volume(1, 0, receive_coil=name)
    assert read("derived.dedicated_breast_coil", series).value is dedicated


@pytest.mark.parametrize("tesla", [1.494, 1.5, 2.89, 2.89362, 3.0])
def test_what_vendors_write_for_magnets_of_one_and_a_half_and_three_tesla_is_that_field(tesla):
    criterion = protocol("liver_mr_lirads2018").criterion("field")
    series = exams_mr.t1_volume(1, 0, field_strength_t=tesla)
    assert holds(criterion, Evidence([series]), series)[0] is True


@pytest.mark.parametrize("tesla", [0.35, 1.0, 1.2, 7.0])
def test_other_magnets_are_not(tesla):
    criterion = protocol("liver_mr_lirads2018").criterion("field")
    series = exams_mr.t1_volume(1, 0, field_strength_t=tesla)
    assert holds(criterion, Evidence([series]), series)[0] is False


def dual_echo(echo_ms, number=1, **facts):
    made = {"acquisition_type": "2D", "repetition_time_ms": 140.0, "flip_angle_deg": 70.0, "field_strength_t": 1.5}
    return exams_mr.t1_volume(number, 5, echo_times_ms=(echo_ms,), fat_suppression="NONE", **(made | facts))


def test_opposed_and_in_phase_echoes_are_found_beside_each_other():
    # Water and fat lie 3.4 ppm apart, 217 Hz at 1.5 T: half a turn takes 2.3 ms, a whole one 4.6 ms.
    opposed, in_phase = dual_echo(2.3), dual_echo(4.6, 2)
    assert read("derived.in_or_opposed_phase", opposed, in_phase).value is True
    assert read("derived.in_or_opposed_phase", in_phase, opposed).value is True
    assert read("derived.in_or_opposed_phase", in_phase).value is False  # alone, an echo time means nothing


@pytest.mark.parametrize(("images", "held"), [(("WATER", "FAT"), False), (("WATER", "OPPOSED_PHASE"), True)])
def test_a_dixon_series_counts_if_it_holds_such_images(images, held):
    series = exams_mr.t1_volume(1, 0, dixon=images, fat_suppression="DIXON")
    assert read("derived.in_or_opposed_phase", series).value is held


@pytest.mark.parametrize("missing", [{"field_strength_t": None}, {"echo_times_ms": ()}])
def test_without_field_strength_or_echo_time_nobody_knows_the_phase_of_fat(missing):
    pair = [replace(dual_echo(te, n), **missing) for n, te in ((1, 2.3), (2, 4.6))]
    assert read("derived.in_or_opposed_phase", *pair).value is None
    spin_echo = exams_mr.t2(3, 9, **missing)
    assert read("derived.in_or_opposed_phase", spin_echo).value is False


def test_interpolation_makes_no_voxel_isotropic():
    volume = exams_mr.mprage(1, 0)
    assert read("derived.isotropic", volume).value is True
    interpolated = replace(volume, rows=512, columns=512, pixel_spacing_mm=(0.5, 0.5), reconstruction_interval_mm=0.5)
    told = read("derived.isotropic", interpolated)
    assert told.value is False
    assert str(told.remark) == "1 x 1 x 0.5 mm"
