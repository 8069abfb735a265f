import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bingcheng.core.errors import Undefined
from bingcheng.image.geometry import VolumeGeometry
from bingcheng.image.volume import Volume
from bingcheng.quantify.lesion.hot_spot import beside, climbed
from bingcheng.quantify.lesion.neighbourhood import Neighbourhood
from bingcheng.quantify.lesion.prompt import Click, nearest_voxel


def highest_voxel(volume):
    return tuple(int(i) for i in np.unravel_index(np.argmax(volume.voxels), volume.voxels.shape))


def test_a_click_anywhere_in_a_lesion_climbs_to_its_highest_voxel(drawn):
    volume, truth, _ = drawn.pet_sphere(40.0, 6.0)
    generator = np.random.default_rng(3)
    inside = np.argwhere(drawn.full(truth))
    for voxel in inside[generator.integers(0, len(inside), 12)]:
        click = Click(position_mm=tuple(volume.geometry.to_mm(voxel)))
        assert climbed(volume, click) == highest_voxel(volume)


def test_a_click_next_to_a_small_lesion_still_finds_it(drawn):
    volume, _, centre = drawn.pet_sphere(12.0, 8.0)
    # 4 mm beyond its border: the blurred flank, within the precision of a click.
    click = Click(position_mm=(centre[0] + 9.0, centre[1], centre[2]))
    found = climbed(volume, click)
    assert np.abs(np.subtract(found, nearest_voxel(centre, volume.geometry))).max() <= 1


@pytest.mark.parametrize("place", [(35.0, 35.0, 35.0), (-35.0, 20.0, 0.0), (0.0, 0.0, -38.0)])
@pytest.mark.parametrize("relative_sd", [0.05, 0.15, 0.3])
def test_a_click_on_even_background_says_so(drawn, place, relative_sd):
    volume, _, _ = drawn.pet_sphere(20.0, 6.0, relative_sd=relative_sd)
    with pytest.raises(Undefined) as caught:
        climbed(volume, Click(position_mm=place))
    assert caught.value.code == "quantify.click-on-background"
    assert "box" in caught.value.problem.remedy


def test_it_does_not_climb_over_a_valley_below_seventy_per_cent():
    geometry = VolumeGeometry(shape=(21, 21, 60), spacing_mm=(3.0, 3.0, 3.0))
    voxels = np.full(geometry.shape, 1.0, dtype=np.float32)
    voxels[8:13, 8:13, 8:16] = 5.0
    voxels[8:13, 8:13, 16:24] = 3.4  # 68 % of 5
    voxels[8:13, 8:13, 24:32] = 9.0
    volume = Volume(voxels=voxels, geometry=geometry, unit="g/ml")
    index = climbed(volume, Click(position_mm=tuple(geometry.to_mm((10, 10, 10)))))
    assert voxels[index] == 5.0
    voxels = voxels.copy()
    voxels[8:13, 8:13, 16:24] = 3.6  # 72 %
    joined = Volume(voxels=voxels, geometry=geometry, unit="g/ml")
    assert voxels[climbed(joined, Click(position_mm=tuple(geometry.to_mm((10, 10, 10)))))] == 9.0


def test_a_click_where_nothing_was_recorded_says_so(drawn):
    volume, _, centre = drawn.pet_sphere(20.0, 6.0)
    blind = Volume(
        voxels=volume.voxels, geometry=volume.geometry, unit="g/ml", valid=np.zeros(volume.voxels.shape, dtype=bool)
    )
    with pytest.raises(Undefined, match=r"quantify\.prompt-without-image"):
        climbed(blind, Click(position_mm=centre))


def test_the_background_leaves_out_other_hot_lesions(drawn):
    volume, truth, _ = drawn.pet_sphere(30.0, 6.0, relative_sd=0.0)
    voxels = np.array(volume.voxels)
    box = truth.box()
    voxels[box[0], box[1], box[2].stop + 3 : box[2].stop + 6] = 7.0
    hood = Neighbourhood.of(
        Volume(voxels=voxels, geometry=volume.geometry, unit="g/ml"), tuple(slice(0, n) for n in voxels.shape)
    )
    values = beside(hood, drawn.full(truth), below=3.0)
    assert values.max() < 3.0
    assert np.median(values) == pytest.approx(1.0, abs=0.1)


@settings(max_examples=15, deadline=None)
@given(factor=st.floats(0.1, 50.0), seed=st.integers(0, 50))
def test_scaling_the_image_moves_no_hot_spot(drawn, factor, seed):
    volume, _, centre = drawn.pet_sphere(20.0, 5.0, seed=seed)
    scaled = Volume(voxels=volume.voxels * np.float32(factor), geometry=volume.geometry, unit="g/ml")
    assert climbed(volume, Click(position_mm=centre)) == climbed(scaled, Click(position_mm=centre))
