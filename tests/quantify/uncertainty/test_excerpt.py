"""The part of a grid around a lesion: the same voxels at the same places in the patient."""

from __future__ import annotations

import numpy as np
import pytest

from bingcheng.image.geometry import VolumeGeometry
from bingcheng.image.region import Region
from bingcheng.image.volume import Volume
from bingcheng.quantify.uncertainty.excerpt import Excerpt

GRID = VolumeGeometry(
    shape=(20, 60, 50),
    spacing_mm=(5.0, 1.0, 1.5),
    origin_mm=(-20.0, 7.0, 100.0),
    axes=((0.0, 0.0, -1.0), (0.0, 1.0, 0.0), (1.0, 0.0, 0.0)),
)


def lesion(place):
    mask = np.zeros(GRID.shape, dtype=bool)
    mask[place] = True
    return Region.of(mask, GRID, label="lesion")


def test_margins_are_at_least_so_many_mm_and_four_voxels():
    found = Excerpt.around(lesion(np.s_[9:11, 30:33, 20:24]), 7.0)
    assert found.box == (slice(5, 15), slice(30 - 9, 33 + 9), slice(20 - 7, 24 + 7))


def test_it_ends_where_the_grid_ends():
    found = Excerpt.around(lesion(np.s_[0:20, 0:1, 49:50]), 12.0)
    assert found.box == (slice(0, 20), slice(0, 15), slice(39, 50))
    assert found.grid.shape == (20, 15, 11)


@pytest.mark.parametrize("gaps", [True, False])
def test_image_and_lesion_stay_where_they_are(gaps):
    drawn = lesion(np.s_[9:11, 30:33, 20:24])
    voxels = np.random.default_rng(0).normal(size=GRID.shape)
    volume = Volume(voxels=voxels, geometry=GRID, unit="1", valid=voxels > -1.0 if gaps else None)
    found = Excerpt.around(drawn, 7.0)
    image, region = found.of_volume(volume), found.of_region(drawn)
    assert region.values(image).tolist() == drawn.values(volume).tolist()
    assert region.geometry.to_mm((0, 0, 0)) == pytest.approx(drawn.geometry.to_mm((0, 0, 0)))
    assert (image.unit, np.shares_memory(image.voxels, voxels)) == ("1", True)
    if gaps:
        assert np.array_equal(image.valid, volume.valid[found.box])


def test_it_reaches_as_far_as_another_box_where_that_goes_further():
    found = Excerpt.around(lesion(np.s_[9:11, 30:33, 20:24]), 7.0)
    z, y, x = found.box
    assert found.reaching((slice(7, 13), y, slice(x.start + 1, x.stop)), GRID) is found
    further = found.reaching((slice(z.start - 2, z.stop - 4), y, slice(x.start, x.stop + 1)), GRID)
    assert further.box == (slice(3, 15), y, slice(13, 32))
    assert further.grid == GRID.box((3, 21, 13), (12, 21, 19))
