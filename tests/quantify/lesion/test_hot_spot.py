import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bingcheng.core.errors import Undefined
from bingcheng.image.geometry import VolumeGeometry
from bingcheng.image.phantoms.render import paint, region_of
from bingcheng.image.phantoms.shapes import sphere_of
from bingcheng.image.volume import Volume
from bingcheng.quantify.lesion.hot_spot import beside, climbed
from bingcheng.quantify.lesion.neighbourhood import Neighbourhood
from bingcheng.quantify.lesion.prompt import Click, PromptKind, nearest_voxel
from bingcheng.quantify.lesion.segment import methods_for, segment


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


PET_METHODS = [one.key for one in methods_for("PT") if one.key != "pet_percist" and PromptKind.CLICK in one.prompts]


def lesion_in_an_organ(drawn):
    """A sphere of 20 mm and uptake 6 in an organ of 110 mm and uptake 1, beyond which is next to none."""
    geometry = VolumeGeometry(shape=(45, 45, 45), spacing_mm=(4.0, 4.0, 4.0))
    voxels = np.full(geometry.shape, 0.1, dtype=np.float32)
    middle = tuple(float(v) for v in geometry.to_mm((22, 22, 22)))
    lesion = sphere_of(20.0, (middle[0] + 25.0, *middle[1:]))
    for ball, value in ((sphere_of(110.0, middle), 1.0), (lesion, 6.0)):
        paint(voxels, geometry, ball, value, (2.8, 2.8, 2.8))
    voxels *= np.random.default_rng(0).normal(1.0, 0.02, geometry.shape).astype(np.float32)
    truth = drawn.full(region_of(lesion, geometry, label="truth"))
    return Volume(voxels=voxels, geometry=geometry, unit="g/ml"), truth, lesion.centre_mm


@pytest.mark.parametrize("key", PET_METHODS)
def test_a_click_on_quiet_background_draws_no_lesion_far_off(drawn, key):
    # So quiet that 70 % of each value joins the whole organ to the lesion in it.
    volume, truth, (x, y, z) = lesion_in_an_organ(drawn)
    for away_mm in (26.0, 40.0, 60.0):
        with pytest.raises(Undefined) as caught:
            segment(volume, Click(position_mm=(x - away_mm, y, z)), key)
        assert caught.value.code == "quantify.click-far-off"
        # Methods draw it from 4 to 14 mm about its middle.
        assert caught.value.reason.facts["distance"] == pytest.approx(away_mm - 9.0, abs=5.0)
    beside_it = Click(position_mm=(x, y + 16.0, z))  # 6 mm beyond its border
    assert (drawn.full(segment(volume, beside_it, key)) & truth).any()


def test_a_click_on_the_cool_side_of_an_uneven_tumour_draws_the_whole_of_it(drawn):
    volume, truth, centre = drawn.pet_sphere(50.0, 4.0, relative_sd=0.05)
    core = sphere_of(20.0, (centre[0] + 12.5, *centre[1:]))
    voxels = np.array(volume.voxels)
    paint(voxels, volume.geometry, core, 12.0, (2.8, 2.8, 2.8))
    uneven = Volume(voxels=voxels, geometry=volume.geometry, unit="g/ml")
    click = Click(position_mm=(centre[0] - 18.0, *centre[1:]))
    assert uneven.voxels[climbed(uneven, click)] > 9.0  # 30 mm away
    found, wanted = drawn.full(segment(uneven, click, "pet_background_corrected")), drawn.full(truth)
    assert (found & wanted).sum() > 0.9 * wanted.sum()


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
