"""What the image around a lesion tells of its blur and noise, against images whose blur and noise were chosen."""

from __future__ import annotations

from functools import cache

import numpy as np
import pytest
from scipy import ndimage

from bingcheng.image.geometry import VolumeGeometry
from bingcheng.image.region import Region
from bingcheng.image.volume import Volume
from bingcheng.quantify.uncertainty.surroundings import explain, sharpened_for


@pytest.fixture(scope="module")
def seen(lesions):
    @cache
    def make(*, blur_mm=1.0, noise_hu=10.0, background_hu=-60.0, diameter_mm=24.0, spacing=(1.5, 0.8, 0.8), seed=0):
        generator = np.random.default_rng(seed)
        body = lesions.any_ellipsoid(generator, diameter_mm, spacing)
        image = lesions.ct(
            generator, body, spacing, lesion_hu=60.0, background_hu=background_hu, noise_hu=noise_hu, blur_mm=blur_mm
        )
        return image, lesions.careful_reader(body, image.geometry)

    return make


@pytest.mark.parametrize("blur_mm", [0.6, 1.0, 1.6, 2.4])
def test_the_blur_is_found_from_the_border(seen, blur_mm):
    # The contour's own error of up to half a voxel (0.4 mm) widens the border: in quadrature at most 0.4 mm.
    found = explain(*seen(blur_mm=blur_mm))
    assert 0.75 * blur_mm - 0.1 <= found.blur_mm <= np.hypot(1.1 * blur_mm, 0.4)


@pytest.mark.parametrize("background_hu", [-60.0, 110.0])
def test_lesion_and_background_are_told_from_each_other(seen, background_hu):
    image, lesion = seen(background_hu=background_hu)
    found = explain(image, lesion)
    beside = found.background[lesion.box()][~lesion.inside]
    # 4 % of a contrast of 120 HU: the drawn border is off by up to half a voxel, which blur and level share.
    assert found.level == pytest.approx(60.0, abs=5.0)
    assert beside.mean() == pytest.approx(background_hu, abs=5.0)


@pytest.mark.parametrize("noise_hu", [5.0, 20.0])
def test_the_noise_is_found_inside(seen, noise_hu):
    found = explain(*seen(noise_hu=noise_hu))
    assert found.noise == pytest.approx(noise_hu, rel=0.15)
    # It was smoothed by 0.7 voxel within the slice and not across.
    assert found.noise_smoothing_voxels[0] < 0.4
    assert found.noise_smoothing_voxels[1:] == pytest.approx((0.7, 0.7), abs=0.15)


def test_a_draw_of_noise_has_its_standard_deviation_and_correlation(seen):
    found = explain(*seen())
    draw = found.noise_like_it(np.random.default_rng(1))
    assert draw.std() == pytest.approx(found.noise, rel=0.05)
    correlation = np.corrcoef(draw[:, :, 1:].ravel(), draw[:, :, :-1].ravel())[0, 1]
    assert correlation == pytest.approx(np.exp(-1 / (4 * found.noise_smoothing_voxels[2] ** 2)), abs=0.05)


def test_the_sharpened_image_has_the_lesions_own_mean(seen):
    image, lesion = seen(blur_mm=1.5, noise_hu=1.0, background_hu=-800.0, diameter_mm=14.0)
    sharp = explain(image, lesion).sharpened[lesion.box()][lesion.inside].mean()
    blurred = lesion.values(image).mean()
    assert blurred < -100.0
    assert abs(sharp - 60.0) < 0.25 * abs(blurred - 60.0)


def test_a_sharp_image_stays_as_it_is():
    grid = VolumeGeometry(shape=(20, 30, 30), spacing_mm=(1.0, 1.0, 1.0))
    inside = np.zeros(grid.shape, bool)
    inside[6:14, 8:22, 8:22] = True
    voxels = np.where(inside, 50.0, 50.0).astype(np.float32)
    found = explain(Volume(voxels=voxels, geometry=grid, unit="[hnsf'U]"), Region.of(inside, grid, label="lesion"))
    assert found.level == pytest.approx(50.0, abs=1e-4)
    assert found.background == pytest.approx(50.0, abs=1e-4)
    assert found.noise == pytest.approx(0.0, abs=1e-6)


def test_a_lesion_without_surroundings_explains_nothing():
    grid = VolumeGeometry(shape=(6, 6, 6), spacing_mm=(1.0, 1.0, 1.0))
    everything = Region(mask=np.ones((6, 6, 6), bool), start=(0, 0, 0), grid=grid, label="all")
    image = Volume(voxels=np.ones((6, 6, 6), np.float32), geometry=grid, unit="[hnsf'U]")
    assert explain(image, everything) is None


def test_voxels_without_a_value_take_no_part(seen):
    image, lesion = seen()
    voxels, valid = np.array(image.voxels), np.ones(image.voxels.shape, bool)
    rows = slice(0, lesion.start[1] - 2)
    voxels[:, rows], valid[:, rows] = -2000.0, False
    found = explain(Volume(voxels=voxels, geometry=image.geometry, unit=image.unit, valid=valid), lesion)
    assert found.level == pytest.approx(60.0, abs=12.0)
    assert found.background[lesion.box()].min() > -100.0


def test_sharpening_along_the_drawn_outline_is_what_was_explained(seen):
    image, lesion = seen()
    found = explain(image, lesion)
    for sharp in sharpened_for(image, lesion, found):
        # The level is fitted in single precision: 1e-6 of 1e4 voxels of 60 HU.
        assert sharp == pytest.approx(found.sharpened, abs=1e-2)


def test_sharpening_along_a_larger_outline_fills_it(seen):
    image, lesion = seen(blur_mm=1.5, noise_hu=1.0, diameter_mm=20.0)
    larger = np.zeros(image.voxels.shape, bool)
    larger[lesion.box()] = lesion.inside
    larger = Region.of(ndimage.binary_dilation(larger), image.geometry, label="larger")
    found = explain(image, lesion)
    before = larger.values(image).mean()
    after = sharpened_for(image, larger, found)[0][larger.box()][larger.inside].mean()
    assert before < after < 75.0


def test_a_mask_of_fractions_is_sharpened_to_whole_voxels(lesions):
    generator = np.random.default_rng(4)
    body = lesions.any_ellipsoid(generator, 12.0, (1.5, 0.8, 0.8))
    image = lesions.ct(
        generator, body, (1.5, 0.8, 0.8), lesion_hu=60.0, background_hu=-800.0, noise_hu=1.0, blur_mm=0.9
    )
    parts = lesions.coverage(body, (1.5, 0.8, 0.8), image.geometry.shape)
    lesion = Region.of(parts, image.geometry, label="lesion")
    seen = lesion.values(image).mean()
    sharp = explain(image, lesion).sharpened[lesion.box()][lesion.inside].mean()
    assert seen < -40.0
    # What the blur and the voxels at the border took away is given back but for a fifth.
    assert abs(sharp - 60.0) < 0.2 * abs(seen - 60.0)


def test_bone_on_one_side_and_fat_on_the_other_each_blur_from_theirs(seen):
    image, lesion = seen(background_hu=-100.0, noise_hu=2.0, blur_mm=1.2)
    beyond = lesion.start[2] + lesion.mask.shape[2] + 1
    voxels = np.array(image.voxels)
    voxels[:, :, beyond:] = 400.0
    found = explain(Volume(voxels=voxels, geometry=image.geometry, unit=image.unit), lesion)
    z, y = (a + n // 2 for a, n in zip(lesion.start[:2], lesion.mask.shape[:2], strict=True))
    # One offset is shared by both sides; where the lesion is drawn half a voxel off, it takes up to a tenth of 300 HU.
    assert found.background[z, y, lesion.start[2] - 3] == pytest.approx(-100.0, abs=30.0)
    assert found.background[z, y, beyond + 2] == pytest.approx(400.0, abs=30.0)
    # Fat still blurs in on its own side: half of the 160 HU at the border, a good part of it one voxel inside.
    fatty = found.sharpened[z, y, lesion.start[2]] - image.voxels[z, y, lesion.start[2]]
    assert fatty > 20.0
    assert found.level == pytest.approx(60.0, abs=10.0)


def test_an_image_that_the_lesion_nearly_fills_is_explained_without_a_place_beside_it():
    grid = VolumeGeometry(shape=(8, 8, 8), spacing_mm=(1.0, 1.0, 1.0))
    inside = np.zeros(grid.shape, bool)
    inside[1:7, 1:7, 1:7] = True
    voxels = np.where(inside, 60.0, -60.0).astype(np.float32)
    found = explain(Volume(voxels=voxels, geometry=grid, unit="[hnsf'U]"), Region.of(inside, grid, label="lesion"))
    assert np.isfinite(found.background).all()
    assert found.level > 50.0


def test_a_lesion_smaller_than_drawn_holds_more(seen):
    image, lesion = seen(blur_mm=2.0, noise_hu=0.5, diameter_mm=7.0)
    found = explain(image, lesion)
    smaller = np.zeros(image.voxels.shape, bool)
    smaller[lesion.box()] = ndimage.binary_erosion(lesion.inside, ndimage.generate_binary_structure(3, 1))
    smaller = Region.of(smaller, image.geometry, label="smaller")
    held = [
        one.values(Volume(voxels=sharpened_for(image, one, found)[1], geometry=image.geometry, unit=image.unit)).mean()
        for one in (lesion, smaller)
    ]
    assert held[1] > held[0] + 20.0


def test_the_quiet_image_has_the_border_but_not_the_noise(seen):
    clean, _ = seen(noise_hu=0.0)
    image, lesion = seen(noise_hu=20.0)
    quiet = explain(image, lesion).quiet
    # Noise of 20 HU, smooth over 0.7 pixel, falls to a fifth or less; the outline's own error adds at the border.
    assert np.std((quiet - clean.voxels)[lesion.box()][lesion.inside]) < 8.0
    assert abs(np.mean((quiet - clean.voxels)[lesion.box()][lesion.inside])) < 4.0
