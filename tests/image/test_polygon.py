from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bingcheng.image.polygon import coverage, signed_area


def square(low: float, high: float) -> np.ndarray:
    return np.array([(low, low), (low, high), (high, high), (high, low)], dtype=float)


def placed(covered: np.ndarray, start: tuple[int, int], shape=(60, 60), shift=20) -> np.ndarray:
    full = np.zeros(shape)
    rows, columns = covered.shape
    full[start[0] + shift : start[0] + shift + rows, start[1] + shift : start[1] + shift + columns] = covered
    return full


def test_square_between_pixel_centres_covers_quarters_halves_and_wholes():
    covered, start = coverage([square(0.0, 2.0)])
    assert start == (0, 0)
    expected = np.array([[0.25, 0.5, 0.25], [0.5, 1.0, 0.5], [0.25, 0.5, 0.25]])
    assert covered[:3, :3] == pytest.approx(expected)
    assert covered.sum() == pytest.approx(4.0)


stars = st.integers(3, 24).flatmap(
    lambda n: st.tuples(
        st.lists(st.floats(0.5, 12.0), min_size=n, max_size=n), st.floats(-5, 5), st.floats(-5, 5), st.booleans()
    )
)


@settings(deadline=None)
@given(stars)
def test_area_is_exact_and_no_pixel_exceeds_one_for_any_outline_that_does_not_cross_itself(star):
    radii, row, column, reverse = star
    angle = np.linspace(0, 2 * np.pi, len(radii), endpoint=False)
    outline = np.c_[row + np.array(radii) * np.sin(angle), column + np.array(radii) * np.cos(angle)]
    outline = outline[::-1] if reverse else outline
    covered, _ = coverage([outline])
    # float32 keeps each pixel to 6e-8; the sums are over fewer than 1000 pixels.
    assert covered.sum(dtype=float) == pytest.approx(abs(signed_area(outline)), abs=1e-4)
    assert covered.min() >= 0.0
    assert covered.max() <= 1.0


@settings(deadline=None)
@given(st.floats(-3, 3), st.floats(-3, 3), st.integers(-4, 4))
def test_shift_by_whole_pixels_shifts_the_coverage(row, column, whole):
    outline = square(0, 7.3) * (1.0, 0.6) + (row, column)
    first, start = coverage([outline])
    second, moved = coverage([outline + whole])
    assert placed(second, (moved[0] - whole, moved[1] - whole)) == pytest.approx(placed(first, start), abs=1e-5)


def test_hole_and_island_follow_the_even_odd_rule_whatever_way_they_are_drawn():
    outlines = [square(0, 12), square(2, 10)[::-1], square(4, 8)]
    area = 144 - 64 + 16
    for turned in (outlines, [outline[::-1] for outline in outlines], outlines[::-1]):
        assert coverage(turned)[0].sum(dtype=float) == pytest.approx(area, abs=1e-4)


def test_neighbours_that_share_a_border_fill_its_pixels():
    left = np.array([(0, 0), (0, 3), (6, 3), (6, 0)], dtype=float)
    covered, _ = coverage([left, left + np.array([0.0, 3.0])])
    assert covered.sum(dtype=float) == pytest.approx(36, abs=1e-4)
    assert covered[2, 3] == pytest.approx(1.0)


def test_repeated_outline_counts_once():
    assert coverage([square(0, 5), square(0, 5)])[0].sum() == pytest.approx(25)


@pytest.mark.parametrize("outlines", [[], [np.zeros((2, 2))], [np.array([(0, 0), (1, 1), (2, 2)], dtype=float)]])
def test_outlines_without_an_area_cover_nothing(outlines):
    assert coverage(outlines)[0].size == 0
