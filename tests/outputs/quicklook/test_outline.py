"""The border of a lesion encloses exactly its pixels."""

from __future__ import annotations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from bingcheng.outputs.quicklook.outline import outlines


def area(line):
    x, y = line[:, 0], line[:, 1]
    return abs(float(np.sum(x[:-1] * y[1:] - x[1:] * y[:-1]))) / 2


@given(st.integers(0, 9), st.integers(0, 9), st.integers(1, 6), st.integers(1, 6))
@settings(max_examples=25)
def test_a_rectangle_s_border_lies_on_the_edges_of_its_pixels_and_cuts_off_its_corners(row, column, height, width):
    inside = np.zeros((16, 16), dtype=bool)
    inside[row : row + height, column : column + width] = True
    (line,) = outlines(inside)
    assert line[:, 0].min() == column
    assert line[:, 0].max() == column + width
    assert line[:, 1].min() == row
    assert line[:, 1].max() == row + height
    # At half membership each corner loses a triangle of half a pixel by half a pixel.
    assert abs(area(line) - (height * width - 4 * 0.125)) < 1e-9
    assert (line[0] == line[-1]).all()


def test_a_hole_has_a_border_of_its_own():
    inside = np.ones((7, 7), dtype=bool)
    inside[3, 3] = False
    assert len(outlines(inside)) == 2


def test_without_a_pixel_inside_there_is_no_border():
    assert outlines(np.zeros((4, 4), dtype=bool)) == ()
