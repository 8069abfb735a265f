"""The chain: what it makes of good and of bad images, and that it looks at no more of them than it must."""

from __future__ import annotations

import math
import tracemalloc
from dataclasses import dataclass, replace
from typing import ClassVar

import numpy as np
import pytest
from scipy import ndimage

from bingcheng.core.errors import InputError, Undefined
from bingcheng.image.geometry import VolumeGeometry
from bingcheng.image.region import Region
from bingcheng.image.volume import Volume
from bingcheng.quantify.radiomics.chain import prepared
from bingcheng.quantify.radiomics.discretisation import FixedBinNumber, FixedBinSize
from bingcheng.quantify.radiomics.feature import Family
from bingcheng.quantify.radiomics.interpolation import ImageMethod, Interpolation, MaskMethod
from bingcheng.quantify.radiomics.placing import Part, Variation
from bingcheng.quantify.radiomics.resegmentation import Resegmentation
from bingcheng.quantify.radiomics.settings import Precision, RadiomicsSettings

SHAPE = (12, 20, 22)
PLAIN = RadiomicsSettings()
FINER = RadiomicsSettings(interpolation=Interpolation(spacing_mm=(1.0, 1.5, 1.5)))
NO_PEAK = tuple(family for family in Family if family is not Family.LOCAL_INTENSITY)


@dataclass(frozen=True, kw_only=True)
class Smoothing:
    """A filter with a known reach."""

    name: ClassVar[str] = "smoothing"
    ibsi: ClassVar[str] = "none"
    reach: int | None = 2
    by_slice: bool = False
    unitless: bool = True

    def reach_voxels(self, spacing_mm):
        return None if self.reach is None else (self.reach,) * 3

    def response(self, voxels, spacing_mm):
        return ndimage.uniform_filter(voxels, 5, mode="nearest") / 1000.0

    def as_mapping(self):
        return {"name": self.name}


def grid(shape=SHAPE, spacing_mm=(3.0, 1.0, 1.0), **more):
    return VolumeGeometry(shape=shape, spacing_mm=spacing_mm, **more)


def volume(geometry=None, seed=0, **more):
    geometry = geometry or grid()
    voxels = np.random.default_rng(seed).normal(100.0, 20.0, geometry.shape).astype(np.float32)
    return Volume(voxels=voxels, geometry=geometry, unit="[hnsf'U]", **more)


def ellipsoid(geometry, radii=(3.2, 5.1, 6.3), centre=None):
    centre = [(n - 1) / 2.0 for n in geometry.shape] if centre is None else centre
    places = np.ogrid[tuple(slice(n) for n in geometry.shape)]
    inside = sum(((p - c) / r) ** 2 for p, c, r in zip(places, centre, radii, strict=True)) <= 1.0
    return Region.of(inside, geometry, label="lesion")


def test_without_interpolation_the_image_is_taken_as_it_is():
    image, lesion = volume(), ellipsoid(grid())
    found = prepared(image, lesion, PLAIN)
    roi = found.roi
    assert np.array_equal(roi.intensity, image.voxels[lesion.box()])
    assert np.array_equal(roi.morphological, lesion.mask)
    assert roi.intensity_mask is not None
    assert np.array_equal(roi.values, lesion.values(image))
    assert roi.surroundings.base is not None, "what lies around is a view of the image, not a copy"
    assert found.voxels == found.counted == np.count_nonzero(lesion.mask)
    assert found.geometry == lesion.geometry


def test_the_box_is_tight_though_the_region_is_not():
    geometry = grid()
    mask = np.zeros(SHAPE, dtype=np.float32)
    mask[2:10, 4:16, 4:18] = 0.2
    mask[5:7, 8:11, 9:12] = 0.5
    found = prepared(volume(geometry), Region.of(mask, geometry, label="fractions"), PLAIN)
    assert found.roi.morphological.shape == (2, 3, 3)
    assert found.geometry.origin_mm == pytest.approx(geometry.box((5, 8, 9), (2, 3, 3)).origin_mm)
    stricter = replace(PLAIN, partial_volume_threshold=0.2)
    assert prepared(volume(geometry), Region.of(mask, geometry, label="f"), stricter).roi.morphological.shape == (
        8,
        12,
        14,
    )


@pytest.mark.parametrize("method", ImageMethod)
def test_the_lesions_place_in_the_image_is_kept_by_interpolation(method):
    """An image that rises linearly along x tells where each new voxel lies: its value is its position."""
    geometry = grid(origin_mm=(-30.0, 12.0, 7.0))
    place = geometry.to_mm(np.stack(np.meshgrid(*(np.arange(n) for n in SHAPE), indexing="ij"), axis=-1))[..., 0]
    image = Volume(voxels=place, geometry=geometry, unit="1")
    settings = RadiomicsSettings(
        interpolation=Interpolation(spacing_mm=(2.0, 0.7, 0.7), image=method),
        families=NO_PEAK,
        precision=Precision.DOUBLE,
    )
    found = prepared(image, ellipsoid(geometry), settings)
    box = found.geometry
    expect = box.to_mm(np.stack(np.meshgrid(*(np.arange(n) for n in box.shape), indexing="ij"), axis=-1))[..., 0]
    # A nearest voxel is up to half a voxel off; a spline's mirrored border leaves 0.268^7 of a voxel, 7 voxels inside.
    slack = {"nearest": 0.5 + 1e-9, "cubic spline": 1e-3}.get(method.value, 1e-9)
    assert found.roi.intensity == pytest.approx(expect, abs=slack)


def test_interpolation_keeps_the_volume_of_a_lesion():
    geometry = grid((24, 60, 60))
    lesion = ellipsoid(geometry, radii=(7.3, 20.2, 22.1))
    found = prepared(volume(geometry), lesion, FINER)
    voxel = math.prod(found.roi.spacing_mm)
    # Voxels on the surface are halved at random: sqrt(surface voxels) of them, far below a hundredth here.
    assert found.voxels * voxel == pytest.approx(np.count_nonzero(lesion.mask) * geometry.voxel_mm3, rel=0.01)


@pytest.mark.parametrize("settings", [PLAIN, FINER, replace(FINER, filter=Smoothing())])
def test_what_lies_far_away_changes_nothing(settings):
    geometry = grid((12, 80, 80))
    lesion = ellipsoid(geometry)
    near, far = volume(geometry), volume(geometry, seed=9)
    box = lesion.box((6, 16, 16))
    mixed = far.voxels.copy()
    mixed[box] = near.voxels[box]
    one, other = (prepared(v, lesion, settings).roi for v in (near, replace(near, voxels=mixed)))
    assert np.array_equal(one.intensity, other.intensity)
    assert np.array_equal(one.surroundings, other.surroundings)


def test_a_mask_at_the_images_border_is_as_good_as_others():
    geometry = grid()
    mask = np.ones(SHAPE, dtype=bool)
    found = prepared(volume(geometry), Region.of(mask, geometry, label="all"), FINER)
    assert found.roi.morphological.all()
    assert found.roi.morphological.shape == (36, 14, 15)
    assert found.roi.surroundings_start == (0, 0, 0)


@pytest.mark.parametrize("chosen", [None, Smoothing()])
def test_surroundings_hold_the_sphere_of_a_local_peak(chosen):
    """The filter's own reach comes on top: the response about the lesion is that of the whole image."""
    geometry = grid((40, 60, 60))
    settings = replace(PLAIN, filter=chosen)
    image, lesion = volume(geometry), ellipsoid(geometry)
    found = prepared(image, lesion, settings).roi
    whole = image.voxels if chosen is None else chosen.response(image.voxels, geometry.spacing_mm)
    reach = [math.ceil(6.2 / step) for step in geometry.spacing_mm]
    near = lesion.box((reach[0], reach[1], reach[2]))
    start = [s - low.start for s, low in zip(lesion.start, near, strict=True)]
    inner = tuple(
        slice(at - s, at - s + low.stop - low.start)
        for at, s, low in zip(found.surroundings_start, start, near, strict=True)
    )
    assert found.surroundings[inner] == pytest.approx(whole[near], rel=1e-6)
    without = prepared(image, lesion, replace(PLAIN, families=NO_PEAK)).roi
    assert without.surroundings.shape == without.intensity.shape


def test_rounding_makes_whole_numbers():
    chosen = Interpolation(spacing_mm=(1.0, 1.5, 1.5), rounding=True)
    found = prepared(volume(), ellipsoid(grid()), RadiomicsSettings(interpolation=chosen)).roi.intensity
    assert np.array_equal(found, np.rint(found))


def test_single_and_double_precision_agree_to_single_precision():
    single, double = (
        prepared(volume(), ellipsoid(grid()), replace(FINER, precision=p)).roi.intensity
        for p in (Precision.SINGLE, Precision.DOUBLE)
    )
    assert (single.dtype, double.dtype) == (np.float32, np.float64)
    assert single == pytest.approx(double, rel=1e-7)


@pytest.mark.parametrize("dtype", [np.int16, np.uint8, np.float16, np.float64])
def test_any_number_type_of_image_will_do(dtype):
    image = volume()
    found = prepared(replace(image, voxels=np.rint(image.voxels).astype(dtype)), ellipsoid(grid()), PLAIN)
    assert found.roi.intensity.dtype == np.float32
    assert found.roi.levels.count == 32


# --- Re-segmentation, levels, filters ------------------------------------------------------------------------------


def test_resegmentation_leaves_the_morphological_mask_as_drawn():
    settings = replace(PLAIN, resegmentation=Resegmentation(low=100.0))
    found = prepared(volume(), ellipsoid(grid()), settings)
    assert np.array_equal(found.roi.morphological, ellipsoid(grid()).mask)
    assert found.counted < found.voxels
    assert found.roi.values.min() >= 100.0
    assert np.array_equal(found.roi.levels.index > 0, found.roi.intensity_mask)


def test_a_filter_is_judged_by_the_images_own_intensities():
    """IBSI 2: the mask is re-segmented before the filter; the range says nothing about the response's bins."""
    settings = replace(
        PLAIN,
        filter=Smoothing(),
        resegmentation=Resegmentation(low=90.0, high=110.0),
        discretisation=FixedBinSize(width=0.001),
    )
    image, lesion = volume(), ellipsoid(grid())
    roi = prepared(image, lesion, settings).roi
    plain = prepared(image, lesion, replace(settings, filter=None, discretisation=FixedBinNumber(count=8))).roi
    assert np.array_equal(roi.intensity_mask, plain.intensity_mask)
    whole = Smoothing().response(image.voxels, image.geometry.spacing_mm)
    assert roi.intensity == pytest.approx(whole[lesion.box()], rel=1e-6)
    assert roi.levels.lowest == pytest.approx(roi.values.min())


@pytest.mark.parametrize("reach", [2, None])
def test_a_filters_reach_is_kept_in_view(reach):
    image, lesion = volume(grid((30, 50, 50))), ellipsoid(grid((30, 50, 50)))
    whole = Smoothing().response(image.voxels, image.geometry.spacing_mm)
    roi = prepared(image, lesion, replace(PLAIN, filter=Smoothing(reach=reach), families=NO_PEAK)).roi
    assert roi.intensity == pytest.approx(whole[lesion.box()], rel=1e-6)


def test_a_shifted_grid_moves_the_voxels_and_not_the_lesion():
    geometry = grid((24, 60, 60))
    lesion = ellipsoid(geometry, radii=(7.3, 20.2, 22.1))
    still = prepared(volume(geometry), lesion, FINER)
    moved = prepared(volume(geometry), lesion, FINER, Variation(lattice_voxels=(0.25, 0.5, -0.5)))
    offset = (np.array(moved.geometry.origin_mm) - still.geometry.origin_mm) / (1.5, 1.5, 1.0)
    assert offset % 1.0 == pytest.approx([0.5, 0.5, 0.25])
    assert moved.voxels == pytest.approx(still.voxels, rel=0.01)


# --- Bad input ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("settings", [PLAIN, FINER])
def test_an_empty_mask_is_undefined(settings):
    geometry = grid()
    empty = Region.of(np.zeros(SHAPE, dtype=bool), geometry, label="none")
    faint = Region.of(np.full(SHAPE, 0.3, dtype=np.float32), geometry, label="faint")
    for region in (empty, faint):
        with pytest.raises(Undefined) as caught:
            prepared(volume(geometry), region, settings)
        assert caught.value.code == "quantify.lesion-without-voxels"


def test_a_lesion_that_falls_between_coarse_voxels_is_undefined():
    geometry = grid()
    mask = np.zeros(SHAPE, dtype=bool)
    mask[6, 10, 10] = True
    coarse = RadiomicsSettings(interpolation=Interpolation(spacing_mm=(9.0, 7.0, 7.0)))
    with pytest.raises(Undefined):
        prepared(volume(geometry), Region.of(mask, geometry, label="dot"), coarse)


@pytest.mark.parametrize("method", MaskMethod)
def test_one_voxel_becomes_its_size_in_finer_voxels(method):
    geometry = grid()
    mask = np.zeros(SHAPE, dtype=bool)
    mask[6, 10, 10] = True
    finer = RadiomicsSettings(interpolation=Interpolation(spacing_mm=(0.5, 0.25, 0.25), mask=method))
    found = prepared(volume(geometry), Region.of(mask, geometry, label="dot"), finer)
    expect = 6 * 4 * 4 if method is MaskMethod.NEAREST else None
    assert found.voxels == expect if expect else 0 < found.voxels < 96


def test_one_slice_and_one_column_are_images():
    for shape in ((1, 20, 20), (20, 1, 20), (1, 1, 1)):
        geometry = grid(shape)
        lesion = Region.of(np.ones(shape, dtype=bool), geometry, label="all")
        for settings in (
            PLAIN,
            FINER,
            replace(FINER, interpolation=replace(FINER.interpolation, image="cubic spline")),
        ):
            found = prepared(volume(geometry), lesion, settings)
            assert found.roi.morphological.all()
            assert np.isfinite(found.roi.intensity).all()


def test_slices_twenty_times_as_thick_as_pixels_are_wide():
    geometry = grid((5, 40, 40), (10.0, 0.5, 0.5))
    settings = RadiomicsSettings(interpolation=Interpolation(spacing_mm=(1.0, 1.0, 1.0), image="cubic spline"))
    found = prepared(volume(geometry), ellipsoid(geometry, radii=(1.5, 10.0, 10.0)), settings)
    assert found.roi.spacing_mm == (1.0, 1.0, 1.0)
    assert np.isfinite(found.roi.intensity).all()


def test_a_region_on_another_grid_is_refused():
    other = grid(origin_mm=(5.0, 0.0, 0.0))
    with pytest.raises(InputError) as caught:
        prepared(volume(), ellipsoid(other), PLAIN)
    assert caught.value.code == "quantify.radiomics-mask-on-other-grid"


def test_a_grid_that_is_equal_but_for_rounding_will_do():
    almost = grid(origin_mm=(1e-4, 0.0, 0.0))
    assert prepared(volume(), ellipsoid(almost), PLAIN).voxels > 0


@pytest.mark.parametrize("method", ImageMethod)
@pytest.mark.parametrize("alignment", ["centre", "origin", "fit"])
def test_a_part_of_an_image_is_interpolated_to_the_voxels_of_the_whole(method, alignment):
    image, lesion = volume(grid((30, 40, 44))), ellipsoid(grid((30, 40, 44)))
    settings = RadiomicsSettings(
        interpolation=Interpolation(spacing_mm=(2.2, 0.7, 1.3), image=method, alignment=alignment), families=NO_PEAK
    )
    start, shape = (3, 5, 6), (23, 33, 37)
    box = tuple(slice(s, s + n) for s, n in zip(start, shape, strict=True))
    geometry = image.geometry.box(start, shape)
    part = Volume(voxels=image.voxels[box], geometry=geometry, unit=image.unit)
    at = tuple(a - b for a, b in zip(lesion.start, start, strict=True))
    there = replace(lesion, start=at, grid=geometry)
    found = prepared(part, there, settings, part=Part(start=start, whole=image.geometry.shape))
    whole = prepared(image, lesion, settings)
    assert np.array_equal(found.roi.morphological, whole.roi.morphological)
    assert found.geometry.origin_mm == pytest.approx(whole.geometry.origin_mm, abs=1e-9)
    # Splines feel what lies beyond the part, less with each voxel; the other methods look a voxel or two far.
    exact = method is not ImageMethod.CUBIC_SPLINE
    assert found.roi.intensity == pytest.approx(whole.roi.intensity, abs=0.0 if exact else 0.02)
    if alignment == "centre":
        alone = prepared(part, there, settings)
        assert alone.geometry.origin_mm != pytest.approx(whole.geometry.origin_mm, abs=1e-3)


def test_what_a_part_does_not_hold_is_its_outermost_voxels():
    image, lesion = volume(grid((30, 40, 44))), ellipsoid(grid((30, 40, 44)))
    tight = lesion.geometry
    part = Volume(voxels=image.voxels[lesion.box()], geometry=tight, unit=image.unit)
    there = replace(lesion, start=(0, 0, 0), grid=tight)
    for settings in (PLAIN, FINER, replace(FINER, filter=Smoothing()), replace(PLAIN, filter=Smoothing(reach=None))):
        found = prepared(part, there, settings, part=Part(start=lesion.start, whole=image.geometry.shape))
        assert np.array_equal(found.roi.morphological, prepared(image, lesion, settings).roi.morphological)
        assert np.isfinite(found.roi.intensity).all()


@pytest.mark.parametrize("settings", [PLAIN, FINER, replace(FINER, filter=Smoothing())])
@pytest.mark.parametrize("gap", [np.nan, np.inf, -np.inf])
def test_voxels_without_a_number_do_not_count_and_do_not_spread(settings, gap):
    image, lesion = volume(), ellipsoid(grid())
    voxels = image.voxels.copy()
    voxels[6, 10, 10:12] = gap
    found = prepared(replace(image, voxels=voxels), lesion, settings)
    assert found.without_value > 0
    assert found.counted == found.voxels - found.without_value
    assert np.array_equal(np.isfinite(found.roi.intensity), found.roi.intensity_mask | ~found.roi.morphological)
    assert np.array_equal(found.roi.morphological, prepared(image, lesion, settings).roi.morphological)
    marked = replace(image, voxels=np.where(np.isfinite(voxels), voxels, -3024.0), valid=np.isfinite(voxels))
    again = prepared(marked, lesion, settings)
    assert np.array_equal(again.roi.intensity, found.roi.intensity, equal_nan=True)
    assert np.array_equal(again.roi.intensity_mask, found.roi.intensity_mask)


def test_a_number_that_is_none_does_not_count_though_it_is_marked_as_valid():
    image, lesion = volume(), ellipsoid(grid())
    voxels = image.voxels.copy()
    voxels[6, 10, 10] = np.nan
    valid = np.ones(SHAPE, dtype=bool)
    valid[6, 10, 11] = False
    assert prepared(replace(image, voxels=voxels, valid=valid), lesion, PLAIN).without_value == 2


def test_a_new_voxel_counts_where_it_rests_on_recorded_ones_alone():
    image, lesion = volume(), ellipsoid(grid())
    valid = np.ones(SHAPE, dtype=bool)
    valid[:, 10, :] = False
    settings = RadiomicsSettings(interpolation=Interpolation(spacing_mm=(None, 0.5, None)))
    found = prepared(replace(image, valid=valid), lesion, settings)
    rows = found.geometry.to_mm(np.stack([np.zeros(n := found.geometry.shape[1]), np.arange(n), np.zeros(n)], axis=-1))[
        :, 1
    ]
    near = np.abs(rows - 10.0) < 1.0
    assert not found.roi.intensity_mask[:, near].any()
    assert np.array_equal(found.roi.intensity_mask[:, ~near], found.roi.morphological[:, ~near])


def test_a_lesion_without_any_recorded_voxel_has_an_empty_intensity_mask():
    image, lesion = volume(), ellipsoid(grid())
    found = prepared(replace(image, valid=np.zeros(SHAPE, dtype=bool)), lesion, PLAIN)
    assert (found.counted, found.without_value) == (0, found.voxels)
    assert not found.roi.levels.index.any()


def test_memory_stays_below_six_times_the_cropped_lesion():
    """In a large image: neither copied nor converted as a whole. Float32 voxels of the lesion's box are the measure."""
    geometry = grid((100, 200, 200), (1.0, 1.0, 1.0))
    image = Volume(voxels=np.zeros(geometry.shape, dtype=np.int16), geometry=geometry, unit="[hnsf'U]")
    lesion = ellipsoid(geometry, radii=(30.0, 30.0, 30.0))
    box = lesion.mask.size * 4
    for settings in (PLAIN, replace(FINER, interpolation=Interpolation(spacing_mm=(2.0, 2.0, 2.0)))):
        prepared(image, lesion, settings)
        tracemalloc.start()
        prepared(image, lesion, settings)
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        assert peak < 6 * box
