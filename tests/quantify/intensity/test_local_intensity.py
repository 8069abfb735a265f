"""Local and global peaks against means over every voxel of the sphere."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bingcheng.quantify.intensity.local_intensity import FEATURES, RADIUS_MM, local_intensity

SPACINGS = [(1.0, 1.0, 1.0), (3.0, 1.0, 1.5), (5.0, 0.5, 0.5), (10.0, 10.0, 10.0), (0.4, 8.0, 2.0)]


def sphere_means(image, start, inside, spacing_mm):
    """The mean about each voxel of the mask, of those voxels of the image within the radius that have a value."""
    places = np.argwhere(np.isfinite(image))
    values = image[np.isfinite(image)].astype(np.float64)
    means = np.full(inside.shape, -np.inf)
    for place in np.argwhere(inside):
        near = np.square((places - place - start) * spacing_mm).sum(axis=1) <= RADIUS_MM**2
        means[tuple(place)] = values[near].mean()
    return means


def test_both_values_of_the_digital_phantom(phantom, agrees):
    assert agrees("loc_", local_intensity(phantom)) == len(FEATURES) == 2


@settings(max_examples=20)
@given(
    st.integers(0, 10_000),
    st.sampled_from(SPACINGS),
    st.tuples(*[st.integers(0, 9)] * 6),
    st.booleans(),
    st.sampled_from([np.float32, np.float64]),
)
def test_they_are_means_over_the_sphere(roi_of, seed, spacing_mm, margins, holes, kind):
    generator = np.random.default_rng(seed)
    inside = generator.random((3, 4, 5)) < 0.5
    inside[1, 2, 3] = True
    before, after = margins[:3], margins[3:]
    shape = [n + a + b for n, a, b in zip(inside.shape, before, after, strict=True)]
    image = generator.normal(40.0, 30.0, shape).astype(kind)
    box = tuple(slice(a, a + n) for a, n in zip(before, inside.shape, strict=True))
    if holes:
        lost = generator.random(shape) < 0.1
        lost[box] &= ~inside
        image[lost] = np.nan
    found = local_intensity(roi_of(image[box], inside=inside, spacing_mm=spacing_mm, surroundings=image, start=before))
    means = sphere_means(image, before, inside, spacing_mm)
    hottest = np.argmax(np.where(inside, image[box], -np.inf))
    assert found["loc_peak_loc"] == pytest.approx(means.flat[hottest], rel=1e-12)
    assert found["loc_peak_glob"] == pytest.approx(means.max(), rel=1e-12)


def test_of_several_hottest_voxels_the_highest_mean_is_taken(roi_of):
    image = np.zeros((1, 1, 60))
    image[0, 0, [10, 40]] = 9.0
    image[0, 0, 41] = 3.0
    found = local_intensity(roi_of(image))
    # 13 voxels of 1 mm lie within 6.2 mm.
    assert found["loc_peak_loc"] == found["loc_peak_glob"] == pytest.approx(12.0 / 13.0)


def test_a_voxel_just_at_the_radius_counts_and_one_beyond_does_not(roi_of):
    for step_mm, expect in ((RADIUS_MM, (9.0 + 3.0) / 2), (RADIUS_MM * 1.001, 9.0)):
        found = local_intensity(roi_of(np.array([9.0, 3.0]), spacing_mm=(1.0, 1.0, step_mm)))
        assert found["loc_peak_loc"] == pytest.approx(expect)


def test_a_constant_image_has_its_value_as_peak(roi_of):
    found = local_intensity(roi_of(np.full((9, 9, 9), 7.0, dtype=np.float32)))
    assert found == {"loc_peak_loc": 7.0, "loc_peak_glob": 7.0}


def test_what_lies_around_the_lesion_counts(roi_of):
    image = np.full((21, 21, 21), 1.0)
    image[10, 10, 10] = 2.0
    box = image[10:11, 10:11, 10:11]
    found = local_intensity(roi_of(box, surroundings=image, start=(10, 10, 10)))
    within = sum(
        z * z + y * y + x * x <= RADIUS_MM**2 for z in range(-7, 8) for y in range(-7, 8) for x in range(-7, 8)
    )
    assert found["loc_peak_loc"] == pytest.approx(1.0 + 1.0 / within)


def test_an_empty_intensity_mask_has_none(roi_of):
    found = local_intensity(roi_of(np.ones(3), inside=np.zeros((1, 1, 3), dtype=bool)))
    assert {value.code for value in found.values()} == {"quantify.no-voxel-in-intensity-range"}


def test_the_local_peak_stays_at_the_hottest_voxel(roi_of):
    image = np.zeros((1, 1, 60))
    image[0, 0, 10] = 9.0
    image[0, 0, 38:43] = 8.9
    found = local_intensity(roi_of(image))
    assert found["loc_peak_loc"] == pytest.approx(9.0 / 13.0)
    assert found["loc_peak_glob"] == pytest.approx(5.0 * 8.9 / 13.0)
