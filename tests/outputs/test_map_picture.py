"""Pictures of maps: the colours are those of the values, and a map without values has no picture."""

from __future__ import annotations

import io

import numpy as np
import pytest
from PIL import Image

from bingcheng.core.errors import InputError
from bingcheng.image.geometry import VolumeGeometry
from bingcheng.image.volume import Volume
from bingcheng.outputs.map_picture import SIDE_PX, VIRIDIS, coloured, map_picture

GRID = VolumeGeometry(shape=(3, 20, 40), spacing_mm=(3.0, 2.0, 1.0))


def volume(voxels, **changed):
    return Volume(voxels=np.asarray(voxels, dtype=np.float32), geometry=GRID, unit="[hnsf'U]", **changed)


def seen(png):
    return np.asarray(Image.open(io.BytesIO(png)).convert("RGB"))


def test_the_ends_of_the_scale_have_the_first_and_last_colour():
    found = coloured(np.array([-5.0, 0.0, 10.0, 99.0]), 0.0, 10.0)
    assert [tuple(int(c) for c in row) for row in found] == [VIRIDIS[0], VIRIDIS[0], VIRIDIS[-1], VIRIDIS[-1]]


def test_pixels_are_square_whatever_the_voxels_are():
    picture = seen(map_picture(volume(np.arange(2400.0).reshape(GRID.shape))))
    # 20 rows of 2 mm and 40 columns of 1 mm: a square of 40 mm.
    assert picture.shape[0] == SIDE_PX


def test_voxels_without_a_value_show_the_image():
    values = np.full(GRID.shape, np.nan)
    values[1, :, :20] = 7.0
    under = volume(np.tile(np.linspace(0.0, 100.0, 40), (3, 20, 1)))
    picture = seen(map_picture(volume(values), under))
    assert tuple(picture[SIDE_PX // 2, 10]) == VIRIDIS[0]
    right = picture[SIDE_PX // 2, SIDE_PX - 10]
    assert right[0] == right[1] == right[2] > 50


def test_the_slice_with_most_values_is_shown():
    values = np.full(GRID.shape, np.nan)
    values[2] = np.linspace(0.0, 1.0, 40)
    picture = seen(map_picture(volume(values)))
    assert tuple(picture[10, 2]) == VIRIDIS[0]


def test_a_map_without_values_has_no_picture_but_a_reason():
    with pytest.raises(InputError) as caught:
        map_picture(volume(np.full(GRID.shape, np.nan)))
    assert caught.value.code == "outputs.map-without-values"
