"""Slices of a tilted gantry: moved over each other before interpolation; without it, only what can be told is told."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest

from bingcheng.core.errors import InputError, Undefined
from bingcheng.image.gantry_tilt import upright_region, upright_slices
from bingcheng.image.geometry import VolumeGeometry
from bingcheng.image.region import Region
from bingcheng.image.volume import Volume
from bingcheng.quantify.filters.feature_map import feature_map
from bingcheng.quantify.filters.gaussian import Gaussian
from bingcheng.quantify.filters.map import response_map
from bingcheng.quantify.radiomics.chain import prepared
from bingcheng.quantify.radiomics.diagnostics import diagnostics
from bingcheng.quantify.radiomics.discretisation import FixedBinSize
from bingcheng.quantify.radiomics.extraction import features
from bingcheng.quantify.radiomics.feature import Family
from bingcheng.quantify.radiomics.interpolation import Interpolation
from bingcheng.quantify.radiomics.many_lesions import features_of_many
from bingcheng.quantify.radiomics.robustness import robust_features
from bingcheng.quantify.radiomics.settings import RadiomicsSettings

DEGREES = 18.0
CENTRE, RADIUS_MM = np.array([3.0, -4.0, 2.0]), 16.0
AS_THEY_ARE = RadiomicsSettings(discretisation=FixedBinSize(width=20.0))
CUBES = replace(AS_THEY_ARE, interpolation=Interpolation(spacing_mm=(2.0, 2.0, 2.0)))
INTENSITIES = (Family.STATISTICS, Family.HISTOGRAM, Family.VOLUME_HISTOGRAM)


def grid(degrees: float = DEGREES) -> VolumeGeometry:
    """A gantry tilted about the patient's left-right axis, over a table that moves along the patient.

    The planes of its slices are 1.9 mm apart at any tilt.
    """
    t = math.radians(degrees)
    shape, spacing = (32, 72, 64), (1.9 / math.cos(t), 1.0, 1.1)
    axes = ((0.0, 0.0, 1.0), (0.0, math.cos(t), math.sin(t)), (1.0, 0.0, 0.0))
    about = VolumeGeometry(shape=shape, spacing_mm=spacing, axes=axes)
    middle = about.to_mm([(n - 1) / 2.0 for n in shape])
    return replace(about, origin_mm=tuple(float(c) for c in CENTRE + 0.3 - middle))


def positions(geometry):
    return geometry.to_mm(np.moveaxis(np.indices(geometry.shape), 0, -1))


def scene(degrees: float = DEGREES) -> tuple[Volume, Region]:
    """Waves of 25 mm and a ball, both fixed in the patient, as a gantry of this tilt would show them."""
    geometry = grid(degrees)
    p = positions(geometry)
    waves = 100.0 * np.sin(p @ np.array([0.25, 0.0, 0.05])) + 60.0 * np.cos(p @ np.array([0.05, 0.25, 0.0]))
    inside = np.linalg.norm(p - CENTRE, axis=-1) <= RADIUS_MM
    volume = Volume(voxels=np.rint(waves).astype(np.int16), geometry=geometry, unit="[hnsf'U]")
    return volume, Region.of(inside, geometry, label="ball")


def test_features_are_those_that_an_upright_gantry_gives():
    tilted, upright = features(*scene(), CUBES), features(*scene(0.0), CUBES)
    # The two gantries sample the same ball and waves in other planes: what is left is the sampling.
    for tag, rel in {
        "morph_volume": 0.015,
        "morph_sphericity": 0.01,
        "morph_pca_elongation": 0.02,
        "morph_pca_flatness": 0.02,
        "morph_diam": 0.03,
        "stat_var": 0.02,
        "cm_contrast_3D_comb": 0.02,
        "cm_joint_entr_3D_comb": 0.01,
        "rlm_lre_3D_comb": 0.06,
    }.items():
        assert tilted[tag] == pytest.approx(upright[tag], rel=rel), tag
    for tag in ("stat_mean", "loc_peak_glob"):
        assert tilted[tag] == pytest.approx(upright[tag], abs=2.0), tag
    assert tilted["morph_volume"] == pytest.approx(4.0 / 3.0 * math.pi * RADIUS_MM**3, rel=0.03)
    assert tilted["morph_pca_flatness"] > 0.97, "a ball, and no leaning one"


def test_the_answer_says_what_was_done():
    volume, region = scene()
    found = features(volume, region, CUBES)
    assert found.tilt_deg == pytest.approx(DEGREES)
    assert found.provenance.parameters["gantry_tilt"] == {
        "degrees": pytest.approx(DEGREES),
        "slices": "moved over each other by cubic splines",
    }
    told = diagnostics(volume, region, CUBES)
    assert told["gantry_tilt_init_img"] == pytest.approx(DEGREES)
    assert told["img_dim_y_init_img"] == 72
    assert told["img_dim_y_interp_img"] * 2.0 > 72 + 31 * 1.9 * math.tan(math.radians(DEGREES)) - 2.0
    assert told["morph_mask_vox_count_interp_roi"] == found.voxels
    straight = features(*scene(0.0), CUBES)
    assert straight.tilt_deg is None
    assert "gantry_tilt" not in straight.provenance.parameters
    assert "gantry_tilt_init_img" not in diagnostics(*scene(0.0), CUBES)


def test_the_lesions_box_is_where_the_lesion_is_in_the_patient():
    found = features(*scene(), CUBES).geometry
    middle = found.to_mm([(n - 1) / 2.0 for n in found.shape])
    assert middle == pytest.approx(CENTRE, abs=1.5)  # a box ends with a voxel of 2 mm on either side
    assert not found.sheared


def test_what_is_computed_around_the_lesion_is_what_the_whole_image_gives():
    volume, region = scene()
    around = prepared(volume, region, CUBES)
    whole = prepared(upright_slices(volume), upright_region(region, fractions=True), CUBES)
    assert around.geometry == whole.geometry
    assert np.array_equal(around.roi.morphological, whole.roi.morphological)
    # Splines forget what lies 18 voxels away to 5e-11; float32 rounds at 1e-5 of a CT number.
    assert around.roi.intensity == pytest.approx(whole.roi.intensity, abs=1e-3)


def test_many_lesions_of_a_tilted_image_have_the_values_of_each():
    volume, region = scene()
    smaller = Region.of(np.linalg.norm(positions(grid()) - CENTRE, axis=-1) <= 9.0, grid(), label="small")
    found = features_of_many(volume, [region, smaller], CUBES, workers=2)
    assert [one.numbers() for one in found] == [features(volume, one, CUBES).numbers() for one in (region, smaller)]


def test_without_interpolation_only_what_intensities_alone_tell_has_a_value():
    volume, region = scene()
    found = features(volume, region, AS_THEY_ARE)
    assert found["stat_mean"] == pytest.approx(float(region.values(volume).mean()))
    assert found.tilt_deg is None
    families = {row.family: [] for row in found.rows()}
    for row in found.rows():
        families[row.family].append(row)
    told = {family.name.lower() for family in INTENSITIES}
    for family, rows in families.items():
        for row in rows:
            if family in told:
                assert row.value is not None, row.tag
            else:
                assert isinstance(row.undefined, Undefined), row.tag
                assert row.undefined.code == "quantify.radiomics-sheared-grid"
    assert found.values.keys() == features(*scene(0.0), AS_THEY_ARE).values.keys()


def test_a_filter_or_a_map_of_askew_slices_is_refused():
    volume, region = scene()
    with pytest.raises(InputError) as caught:
        features(volume, region, replace(AS_THEY_ARE, filter=Gaussian(sigma_mm=2.0)))
    assert caught.value.code == "quantify.radiomics-sheared-grid"
    with pytest.raises(InputError) as caught:
        feature_map(volume, region, "stat_mean", AS_THEY_ARE, 2)
    assert caught.value.code == "quantify.radiomics-sheared-grid"
    with pytest.raises(InputError) as caught:
        response_map(volume, Gaussian(sigma_mm=2.0), region)
    assert caught.value.code == "quantify.filter-sheared-image"
    filtered = features(volume, region, replace(CUBES, filter=Gaussian(sigma_mm=2.0)))
    assert filtered["stat_var"] < features(volume, region, CUBES)["stat_var"]


@pytest.mark.parametrize("gap", [np.nan, np.inf])
def test_a_voxel_without_a_value_stays_one_and_spreads_no_further_than_interpolation_reaches(gap):
    volume, region = scene()
    voxels = volume.voxels.astype(np.float32)
    z, y, x = (start + size // 2 for start, size in zip(region.start, region.mask.shape, strict=True))
    voxels[z, y, x] = gap
    found = features(replace(volume, voxels=voxels), region, CUBES)
    assert 1 <= found.without_value <= 27
    assert found["stat_mean"] == pytest.approx(features(volume, region, CUBES)["stat_mean"], abs=1.0)


def test_a_lesion_at_the_edge_of_tilted_slices_counts_what_was_recorded():
    geometry = grid()
    p = positions(geometry)
    inside = np.linalg.norm(p - geometry.to_mm((16, 0, 30)), axis=-1) <= 10.0
    volume, _ = scene()
    found = features(volume, Region.of(inside, geometry, label="edge"), CUBES)
    assert 0 < found.counted <= found.voxels
    assert math.isfinite(found["stat_mean"])


def test_the_uncertainty_is_known_too():
    found = robust_features(*scene(), replace(CUBES, families=(Family.MORPHOLOGY, Family.STATISTICS)))
    assert found.result.tilt_deg == pytest.approx(DEGREES)
    for tag in ("morph_volume", "stat_mean"):
        assert set(found.components[tag]) == {"contour", "rotation", "noise", "lattice", "bins"}
        assert found.components[tag]["contour"] is not None
    assert 0.0 < found.components["morph_volume"]["lattice"] < 0.05 * found.result["morph_volume"]
    plain = robust_features(*scene(), replace(AS_THEY_ARE, families=(Family.MORPHOLOGY, Family.STATISTICS)))
    assert "morph_volume" not in plain.result.numbers()
    assert plain.components["stat_mean"]["contour"] > 0.0


def test_the_empty_lesion_of_a_tilted_image_is_told():
    volume, region = scene()
    nothing = Region.of(np.zeros(grid().shape, dtype=bool), grid(), label="none")
    for settings in (CUBES, AS_THEY_ARE):
        with pytest.raises(Undefined) as caught:
            features(volume, nothing, settings)
        assert caught.value.code == "quantify.lesion-without-voxels"
    assert region.grid.sheared
