"""What would take hours or all memory is refused before it begins; what people draw is not."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from bingcheng.core.errors import InputError
from bingcheng.image.geometry import VolumeGeometry, require_possible
from bingcheng.image.membership import require_room, resampled
from bingcheng.image.polygon import coverage

DRAWN = VolumeGeometry(shape=(6, 8, 8), spacing_mm=(5.0, 4.0, 4.0))


def ring(radius, points):
    turn = np.linspace(0.0, 2.0 * np.pi, points, endpoint=False)
    return np.column_stack((50.0 + radius * np.cos(turn), 50.0 + radius * np.sin(turn)))


@pytest.mark.parametrize(
    ("shape", "spacing_mm"),
    [
        ((10, 10, 10), (0.001, 1.0, 1.0)),
        ((10, 10, 10), (1.0, 1.0, 501.0)),
        ((1, 512, 512), (1e30, 0.7, 0.7)),
        ((10, 10, 10), (1.0, float("nan"), 1.0)),
    ],
)
def test_no_patient_has_such_an_image(shape, spacing_mm):
    with pytest.raises(InputError) as raised:
        require_possible(shape, spacing_mm)
    assert raised.value.code == "image.impossible-size"


@pytest.mark.parametrize(
    ("shape", "spacing_mm"),
    [((1500, 512, 512), (1.0, 0.98, 0.98)), ((1, 512, 512), (40.0, 0.7, 0.7)), ((80, 500, 500), (0.02, 0.02, 0.02))],
)
def test_a_patient_may_have_such_an_image(shape, spacing_mm):
    require_possible(shape, spacing_mm)


@pytest.mark.parametrize("step_mm", [0.02, 4000.0])
def test_a_region_is_not_carried_to_a_grid_on_which_it_would_take_all_memory_or_hours(step_mm):
    mask = np.ones(DRAWN.shape, dtype=bool)
    with pytest.raises(InputError) as raised:
        resampled(mask, DRAWN, replace(DRAWN, spacing_mm=(step_mm, step_mm, step_mm)))
    assert raised.value.code == "image.region-too-large"


def test_a_region_may_take_twice_the_voxels_of_its_image():
    require_room((600, 512, 512), VolumeGeometry(shape=(400, 512, 512), spacing_mm=(1.0, 1.0, 1.0)))


def test_holes_and_islands_are_told_as_deep_as_they_lie():
    areas = [coverage([ring(40.0 - k, 40) for k in range(depth)])[0].sum() for depth in (1, 2, 3)]
    unit = 0.5 * 40 * np.sin(2.0 * np.pi / 40)  # the area of a polygon of 40 corners in a circle of radius 1
    expected = [unit * 1600.0, unit * (1600.0 - 39.0**2), unit * (1600.0 - 39.0**2 + 38.0**2)]
    assert areas == pytest.approx(expected, rel=1e-5)


def test_contours_within_contours_that_nobody_draws_are_refused_before_they_are_compared():
    with pytest.raises(InputError) as raised:
        coverage([ring(40.0 - 0.1 * k, 1500) for k in range(80)])
    assert raised.value.code == "image.contours-too-intricate"
    assert "80 contours with 120000 points" in str(raised.value)


def test_many_contours_beside_each_other_are_no_burden():
    beside = [ring(0.3, 200) + np.array((k % 40, k // 40)) for k in range(400)]
    assert coverage(beside)[0].sum() == pytest.approx(400 * 0.5 * 200 * np.sin(2.0 * np.pi / 200) * 0.09, rel=1e-4)
