"""Pictures: square pixels, the shades that were given, outlines where the lesion is."""

from __future__ import annotations

import io

import numpy as np
import pytest
from PIL import Image

from bingcheng.outputs.colours import LESIONS, of_lesion, rgb
from bingcheng.outputs.quicklook.outline import outlines
from bingcheng.outputs.quicklook.picture import LARGEST_SIDE, Kind, picture

GREY = np.full((40, 60), 100, dtype=np.uint8)


def opened(made: bytes) -> Image.Image:
    return Image.open(io.BytesIO(made))


def test_pixels_become_square():
    made = opened(picture(GREY, pixel_mm=(3.0, 1.0), side=240, kind=Kind.PNG))
    assert made.size == (120, 240)  # 60 mm by 120 mm


@pytest.mark.parametrize("kind", list(Kind))
def test_the_kind_is_the_one_that_was_asked_for(kind):
    assert opened(picture(GREY, pixel_mm=(1.0, 1.0), side=60, kind=kind)).format == kind.name


def test_no_picture_is_larger_than_the_largest():
    assert max(opened(picture(GREY, pixel_mm=(1.0, 1.0), side=9000)).size) == LARGEST_SIDE


def test_shades_stay_as_they_are_where_nothing_is_scaled():
    ramp = np.arange(64 * 64, dtype=np.uint16).reshape(64, 64).astype(np.uint8)
    made = np.asarray(opened(picture(ramp, pixel_mm=(0.7, 0.7), side=64, kind=Kind.PNG)))
    assert (made == ramp).all()


def test_colours_stay_colours():
    red = np.zeros((8, 8, 3), dtype=np.uint8)
    red[..., 0] = 200
    made = np.asarray(opened(picture(red, pixel_mm=(1.0, 1.0), side=8, kind=Kind.PNG)))
    assert (made == red).all()


def test_an_outline_is_drawn_around_its_lesion_in_its_colour_and_nowhere_else():
    inside = np.zeros((64, 64), dtype=bool)
    inside[20:40, 10:30] = True
    (line,) = outlines(inside)
    shades = np.full((64, 64), 100, dtype=np.uint8)
    made = np.asarray(
        opened(picture(shades, pixel_mm=(1.0, 1.0), side=640, outlines=[(1, line)], kind=Kind.PNG))
    ).astype(int)
    coloured = (np.abs(made - np.array(rgb(of_lesion(1)))) < 8).all(axis=2)
    rows, columns = np.nonzero(coloured)
    assert (columns.min(), columns.max()) == pytest.approx((100, 300), abs=3)
    assert (rows.min(), rows.max()) == pytest.approx((200, 400), abs=3)
    assert not coloured[220:380, 120:280].any()
    assert (made[500:, 500:] == 100).all()


def test_the_seventh_lesion_has_the_colour_of_the_first():
    assert of_lesion(6) == of_lesion(0)
    assert len(set(LESIONS)) == 6


def test_a_colour_is_read_as_red_green_and_blue():
    assert rgb("#ffd447") == (255, 212, 71)
