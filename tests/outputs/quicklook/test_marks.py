"""Sides of the patient and the scale of a picture (PS3.3 C.7.6.1.1.1)."""

from __future__ import annotations

import io
import math

import numpy as np
import pytest
from PIL import Image

from bingcheng.outputs.quicklook.marks import SMALLEST_SIDE, Marks, letters, marks_of, scale_mm
from bingcheng.outputs.quicklook.picture import Kind, picture


@pytest.mark.parametrize(
    ("direction", "expected"),
    [
        ((1, 0, 0), "L"),
        ((-1, 0, 0), "R"),
        ((0, 1, 0), "P"),
        ((0, -1, 0), "A"),
        ((0, 0, 1), "H"),
        ((0, 0, -1), "F"),
        ((math.cos(0.5), math.sin(0.5), 0), "LP"),
        ((math.cos(0.2), math.sin(0.2), 0), "L"),  # 11 degrees: as good as straight
        ((-0.5, -0.6, 0.62), "HAR"),
    ],
)
def test_a_direction_leads_to_sides_of_the_patient(direction, expected):
    assert letters(direction) == expected


@pytest.mark.parametrize(
    ("cosines", "expected"),
    [
        ((1, 0, 0, 0, 1, 0), ("R", "A", "L", "P")),  # axial, as one looks from the feet
        ((1, 0, 0, 0, 0, -1), ("R", "H", "L", "F")),  # coronal
        ((0, 1, 0, 0, 0, -1), ("A", "H", "P", "F")),  # sagittal
        (None, ("", "", "", "")),
    ],
)
def test_each_edge_is_named_as_every_viewer_names_it(cosines, expected):
    found = marks_of(cosines, measured=True)
    assert (found.left, found.top, found.right, found.bottom) == expected


@pytest.mark.parametrize(("width_mm", "expected"), [(400, 100), (250, 50), (35, 10), (4, 1), (1, None)])
def test_the_scale_is_a_round_length_that_fits(width_mm, expected):
    assert scale_mm(width_mm) == expected


def opened(marks: Marks | None, side: int = 640) -> np.ndarray:
    shades = np.full((100, 200), 60, dtype=np.uint8)
    made = picture(shades, pixel_mm=(2.0, 1.0), side=side, marks=marks, kind=Kind.PNG)
    return np.asarray(Image.open(io.BytesIO(made))).astype(int)


def test_the_scale_is_as_long_as_it_says():
    plain, shown = opened(Marks()), opened(Marks(measured=True))
    assert (plain == 60).all()
    row = np.flatnonzero((shown == 255).any(axis=1))[-1]
    columns = np.flatnonzero(shown[row] == 255)
    assert np.ptp(columns) == pytest.approx(50 * 640 / 200, abs=2)  # 5 cm of 20, in square pixels of 640


def test_marks_stand_at_the_edges():
    shown = opened(Marks(left="R", top="A", right="L", bottom="P")) != 60
    height, width = shown.shape
    for rows, columns in (
        (slice(height // 3, 2 * height // 3), slice(0, 60)),
        (slice(height // 3, 2 * height // 3), slice(width - 60, width)),
        (slice(0, 60), slice(width // 3, 2 * width // 3)),
        (slice(height - 60, height), slice(width // 3, 2 * width // 3)),
    ):
        assert shown[rows, columns].any()
    assert not shown[height // 3 : 2 * height // 3, width // 3 : 2 * width // 3].any()


def test_small_pictures_have_no_marks():
    assert (opened(Marks(left="R", measured=True), side=SMALLEST_SIDE - 1) == 60).all()
