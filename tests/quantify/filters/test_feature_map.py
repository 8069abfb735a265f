from __future__ import annotations

import numpy as np
import pytest
from numpy.testing import assert_allclose

from bingcheng.core.errors import InputError
from bingcheng.image.geometry import VolumeGeometry
from bingcheng.image.region import Region
from bingcheng.image.volume import Volume
from bingcheng.quantify.filters.feature_map import feature_map
from bingcheng.quantify.filters.mean import Mean
from bingcheng.quantify.radiomics.discretisation import FixedBinSize
from bingcheng.quantify.radiomics.interpolation import Interpolation
from bingcheng.quantify.radiomics.settings import RadiomicsSettings

GRID = VolumeGeometry(shape=(7, 9, 10), spacing_mm=(2.0, 1.0, 1.0), origin_mm=(1.0, 2.0, 3.0))
SETTINGS = RadiomicsSettings(discretisation=FixedBinSize(width=25.0, lowest=0.0))


def image(voxels=None):
    if voxels is None:
        voxels = np.random.default_rng(0).uniform(0, 200, size=GRID.shape)
    return Volume(voxels=voxels.astype(np.float32), geometry=GRID, unit="[hnsf'U]")


def region(cut=0):
    mask = np.zeros(GRID.shape, dtype=bool)
    mask[1:6, 1:8, 2 : 9 - cut] = True
    mask[1, 1, 2] = False
    return Region.of(mask, GRID, label="lesion")


def windows(mask, radius):
    """For each voxel of the mask, the mask within the radius (z, y, x) of it."""
    for centre in np.argwhere(mask):
        box = tuple(slice(max(0, c - r), c + r + 1) for c, r in zip(centre, radius, strict=True))
        yield tuple(centre), box


def test_a_mean_in_a_window_is_the_mean_of_the_region_within_the_radius():
    lesion, volume = region(), image()
    found = feature_map(volume, lesion, "stat_mean", SETTINGS, 1)
    inside = volume.voxels[lesion.box()]
    for centre, box in windows(lesion.mask, (1, 1, 1)):
        assert found.voxels[centre] == pytest.approx(inside[box][lesion.mask[box]].mean(), rel=1e-5)
    assert found.unit == "[hnsf'U]"
    assert found.geometry.same_grid(lesion.geometry)
    assert np.array_equal(found.valid, lesion.mask)


def test_texture_by_slice_looks_at_its_slice_alone():
    lesion, volume = region(), image()
    changed = np.array(volume.voxels)
    changed[4] = 100
    tag = "cm_contrast_2_5D_comb"
    before = feature_map(volume, lesion, tag, SETTINGS, 1)
    after = feature_map(image(changed), lesion, tag, SETTINGS, 1)
    same = np.array([0, 1, 2, 4])  # the lesion begins at slice 1: slice 4 is its fourth
    assert_allclose(after.voxels[same], before.voxels[same])
    assert not after.voxels[3].any()  # constant: no contrast
    assert before.voxels[3].any()


def test_grey_levels_are_those_of_the_whole_region():
    # Two halves, each constant: level by level of its own window each would have one level and no difference.
    voxels = np.zeros(GRID.shape)
    voxels[:, :, 5:] = 100
    found = feature_map(image(voxels), region(), "cm_joint_avg_3D_comb", SETTINGS, 1)
    assert found.voxels[2, 3, 0] == pytest.approx(1)
    assert found.voxels[2, 3, -1] == pytest.approx(5)


def test_where_the_definition_gives_no_value_the_map_is_not_valid():
    mask = np.zeros(GRID.shape, dtype=bool)
    mask[2, 2, 2] = mask[2, 2, 7] = mask[2, 2, 8] = True
    found = feature_map(image(), Region.of(mask, GRID, label="dots"), "cm_contrast_3D_comb", SETTINGS, 1)
    assert not found.valid[0, 0, 0]
    assert found.valid[0, 0, 5:7].all()
    assert np.isfinite(found.voxels).all()


@pytest.mark.parametrize("tag", ["stat_mean", "cm_contrast_3D_comb", "szm_zs_entr_3D"])
def test_threads_do_not_change_a_value(tag):
    one = feature_map(image(), region(), tag, SETTINGS, 2)
    two = feature_map(image(), region(), tag, SETTINGS, 2, workers=2)
    assert np.array_equal(one.voxels, two.voxels)


def test_the_chain_comes_first():
    settings = RadiomicsSettings(
        interpolation=Interpolation(spacing_mm=(1.0, 1.0, 1.0)),
        filter=Mean(support_voxels=3),
        discretisation=FixedBinSize(width=25.0, lowest=0.0),
    )
    found = feature_map(image(np.full(GRID.shape, 60.0)), region(), "stat_mean", settings, 1)
    assert found.geometry.spacing_mm == (1.0, 1.0, 1.0)
    assert_allclose(found.voxels[found.valid], 60, rtol=1e-5)


def test_progress_is_told_to_the_end():
    told = []
    feature_map(image(), region(), "stat_mean", SETTINGS, 1, progress=lambda done, of: told.append((done, of)))
    assert told[-1] == (region().mask.sum(),) * 2


@pytest.mark.parametrize(
    ("changes", "code", "words"),
    [
        ({"tag": "cm_contrst_3D_comb"}, "feature-map-unknown-tag", "cm_contrast_3D_comb"),
        ({"radius_voxels": 0}, "feature-map-radius", "0"),
        ({"radius_voxels": -1}, "feature-map-radius", "-1"),
        ({"radius_voxels": 99}, "feature-map-radius", "25"),
        ({"most_windows": 10}, "feature-map-too-large", "10"),
    ],
)
def test_what_can_not_be_mapped_is_said(changes, code, words):
    options = {"tag": "stat_mean", "settings": SETTINGS, "radius_voxels": 1} | changes
    with pytest.raises(InputError) as refused:
        feature_map(image(), region(), **options)
    assert refused.value.code == f"quantify.{code}"
    assert words in str(refused.value)
