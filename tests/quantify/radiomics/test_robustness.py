"""The uncertainty of features: what is certain has none, what is noisy has more, and it holds what it says it holds."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from scipy import ndimage

from bingcheng.image.geometry import VolumeGeometry
from bingcheng.image.region import Region
from bingcheng.image.volume import Volume
from bingcheng.quantify.filters.boundary import Beyond, Boundary
from bingcheng.quantify.filters.gaussian import LaplacianOfGaussian
from bingcheng.quantify.filters.separable_wavelet import SeparableWavelet
from bingcheng.quantify.radiomics import robustness
from bingcheng.quantify.radiomics.chain import prepared
from bingcheng.quantify.radiomics.discretisation import FixedBinSize
from bingcheng.quantify.radiomics.extraction import features, values_of
from bingcheng.quantify.radiomics.feature import Family
from bingcheng.quantify.radiomics.interpolation import Interpolation
from bingcheng.quantify.radiomics.robustness import Repetitions, robust_features
from bingcheng.quantify.radiomics.settings import RadiomicsSettings
from bingcheng.quantify.radiomics.turning import turned

GRID = VolumeGeometry(shape=(30, 48, 48), spacing_mm=(2.0, 1.0, 1.0))
SIMPLE = RadiomicsSettings(
    families=(Family.MORPHOLOGY, Family.STATISTICS, Family.HISTOGRAM), discretisation=FixedBinSize(width=25.0)
)


def few(**how):
    """As few repetitions as there may be, where their number is not the point."""
    return Repetitions(**({"contours": 2, "rotations": 2, "noises": 2, "lattices": 2, "bins": 2} | how))


def distance_mm(centre=(29.0, 23.5, 23.5)):
    z, y, x = (
        (np.arange(n) * step - at).reshape([-1 if a == axis else 1 for a in range(3)])
        for axis, (n, step, at) in enumerate(zip(GRID.shape, GRID.spacing_mm, centre, strict=True))
    )
    return np.sqrt(z**2 + y**2 + x**2)


def lesion(radius_mm=10.0, centre=(29.0, 23.5, 23.5)):
    return Region.of(distance_mm(centre) <= radius_mm, GRID, label="lesion")


def image(seed=0, *, noise=0.0, centre=(29.0, 23.5, 23.5)):
    sharp = np.where(distance_mm(centre) <= 10.0, 60.0, -60.0)
    blurred = ndimage.gaussian_filter(sharp, (0.6, 1.2, 1.2))
    drawn = np.random.default_rng(seed).normal(0.0, noise, GRID.shape) if noise else 0.0
    return Volume(voxels=(blurred + drawn).astype(np.float32), geometry=GRID, unit="[hnsf'U]")


def test_the_same_seed_gives_the_same_uncertainty_on_any_number_of_threads():
    how = few(contours=4)
    one, two = (robust_features(image(noise=20.0), lesion(), SIMPLE, repetitions=how, workers=n) for n in (1, 2))
    assert one.standard_uncertainty == two.standard_uncertainty
    other = robust_features(image(noise=20.0), lesion(), SIMPLE, repetitions=how, seed=1)
    assert other.standard_uncertainty != one.standard_uncertainty


def test_a_uniform_image_leaves_nothing_to_doubt_but_the_outline():
    flat = Volume(voxels=np.full(GRID.shape, 40.0, dtype=np.float32), geometry=GRID, unit="[hnsf'U]")
    found = robust_features(flat, lesion(), SIMPLE)
    assert found.standard_uncertainty["morph_volume"] > 0.0
    parts = found.components["stat_mean"]
    assert parts["contour"] == pytest.approx(0.0, abs=1e-4)
    assert parts["rotation"] == pytest.approx(0.0, abs=1e-4)


def test_noise_is_as_large_as_repeated_scans_differ():
    noise = 20.0
    scans = [robust_features(image(s, noise=noise), lesion(), SIMPLE, repetitions=few(noises=8)) for s in range(6)]
    many = [features(image(100 + seed, noise=noise), lesion(), SIMPLE) for seed in range(60)]
    for tag in ("stat_mean", "stat_var", "stat_max"):
        seen = np.std([found[tag] for found in many], ddof=1)
        told = np.median([scan.components[tag]["noise"] for scan in scans])
        # Eight draws know a standard deviation to a quarter, and sixty to a tenth; three of both either way.
        assert 0.45 * seen < told < 2.2 * seen, tag


def test_more_noise_is_more_uncertainty():
    quiet, loud = (robust_features(image(noise=n), lesion(), SIMPLE, repetitions=few(noises=8)) for n in (5.0, 40.0))
    assert loud.components["stat_mean"]["noise"] > 3.0 * quiet.components["stat_mean"]["noise"]


def test_the_lattice_counts_only_where_voxels_are_interpolated():
    assert "lattice" not in robust_features(image(), lesion(), SIMPLE, repetitions=few()).components["stat_mean"]
    interpolated = RadiomicsSettings(
        families=SIMPLE.families,
        discretisation=SIMPLE.discretisation,
        interpolation=Interpolation(spacing_mm=(1.5, 1.5, 1.5)),
    )
    found = robust_features(image(), lesion(), interpolated, repetitions=few(lattices=4))
    assert found.components["morph_volume"]["lattice"] > 0.0
    # A lattice shifted by half a voxel changes the volume of a sphere of 10 mm by well under a per cent.
    assert found.components["morph_volume"]["lattice"] < 0.02 * found.result["morph_volume"]


def test_the_edges_of_bins_move_what_is_binned_and_nothing_else():
    found = robust_features(image(noise=20.0), lesion(), SIMPLE, repetitions=few())
    assert found.components["stat_mean"]["bins"] == 0.0
    assert found.components["morph_volume"]["bins"] == 0.0
    # The mean level lies half a bin higher and lower.
    assert found.components["ih_mean"]["bins"] == pytest.approx(0.5, abs=0.1)


def test_the_true_volume_of_a_sphere_lies_within_its_uncertainty():
    hits = 0
    centres = [(29.0 + dz, 23.5 + dy, 23.5 + 0.3) for dz in (0.0, 0.4, 0.9) for dy in (0.0, 0.25, 0.5)]
    shape_alone, how = replace(SIMPLE, families=(Family.MORPHOLOGY,)), few(contours=12, rotations=4)
    for centre in centres:
        scan = image(noise=10.0, centre=centre)
        found = robust_features(scan, lesion(centre=centre), shape_alone, repetitions=how)
        truth = 4.0 / 3.0 * np.pi * 10.0**3
        hits += abs(found.result["morph_volume"] - truth) <= 2.0 * found.standard_uncertainty["morph_volume"]
    assert hits >= 8


def test_an_image_without_background_leaves_the_noise_and_so_the_whole_unknown():
    whole = Region.of(np.ones(GRID.shape, dtype=bool), GRID, label="all")
    found = robust_features(image(noise=10.0), whole, SIMPLE, repetitions=few())
    assert found.components["stat_mean"]["noise"] is None
    assert found.standard_uncertainty["stat_mean"] is None


def test_progress_is_told():
    steps = []
    robust_features(image(), lesion(), SIMPLE, repetitions=few(), told=lambda done, total: steps.append((done, total)))
    assert steps[-1][0] == steps[-1][1] == len(steps)


def test_counts_are_even():
    with pytest.raises(ValueError, match="pairs"):
        Repetitions(noises=3)


def test_turning_by_nothing_changes_nothing():
    volume, region = image(noise=10.0), lesion()
    same = turned(volume, region, 0.0)
    assert same["volume"].voxels == pytest.approx(volume.voxels, abs=1e-3)
    assert np.array_equal(same["region"].inside, region.inside)
    assert same["region"].start == region.start


def test_a_turned_lesion_turns_with_its_image_and_keeps_its_size():
    inside = np.zeros(GRID.shape, dtype=bool)
    inside[10:20, 20:28, 12:36] = True
    region = Region.of(inside, GRID, label="bar")
    volume = Volume(voxels=np.where(inside, 100.0, 0.0).astype(np.float32), geometry=GRID, unit="1")
    found = turned(volume, region, 30.0)
    assert found["region"].inside.sum() == pytest.approx(inside.sum(), rel=0.05)
    mean = found["region"].values(found["volume"]).mean()
    assert mean > 90.0
    assert found["region"].mask.shape[1] > 12


def test_a_rotation_in_millimetres_keeps_a_circle_round_on_unequal_pixels():
    grid = VolumeGeometry(shape=(5, 40, 80), spacing_mm=(3.0, 2.0, 1.0))
    y, x = np.mgrid[:40, :80]
    inside = np.broadcast_to((y * 2.0 - 39.0) ** 2 + (x - 39.5) ** 2 <= 20.0**2, grid.shape)
    region = Region.of(np.pad(inside[1:4], ((1, 1), (0, 0), (0, 0))), grid, label="circle")
    volume = Volume(voxels=np.zeros(grid.shape, dtype=np.float32), geometry=grid, unit="1")
    again = turned(volume, region, 45.0)["region"]
    full = np.zeros(grid.shape, dtype=bool)
    full[again.box()] = again.inside
    assert np.count_nonzero(full[2] ^ inside[2]) < 0.03 * inside[2].sum()


def corner_lesion():
    return Region.of(distance_mm((6.0, 8.0, 39.0)) <= 7.0, GRID, label="in the corner")


def with_gaps(volume):
    voxels = volume.voxels.copy()
    voxels[14:16, 22:24, 18] = np.nan
    return Volume(voxels=voxels, geometry=volume.geometry, unit=volume.unit)


LATTICES = {
    "voxels as they are": SIMPLE,
    "CT": RadiomicsSettings.for_modality("CT"),
    "splines, far from the spacing": RadiomicsSettings(
        interpolation=Interpolation(spacing_mm=(3.1, 0.77, 1.3), image="cubic spline")
    ),
    "convolution, from the corner": RadiomicsSettings(
        interpolation=Interpolation(spacing_mm=(1.3, 1.3, 1.3), image="cubic convolution", alignment="origin")
    ),
    "fitted, in double precision": RadiomicsSettings(
        interpolation=Interpolation(spacing_mm=(1.7, 1.9, 0.6), alignment="fit"), precision="float64"
    ),
    "by slice": RadiomicsSettings(interpolation=Interpolation(spacing_mm=(None, 1.5, 1.5))),
    "large voxels": RadiomicsSettings(interpolation=Interpolation(spacing_mm=(5.0, 5.0, 5.0))),
    "a filter": RadiomicsSettings(
        interpolation=Interpolation(spacing_mm=(1.5, 1.5, 1.5)), filter=LaplacianOfGaussian(sigma_mm=3.0)
    ),
}


@pytest.mark.parametrize("settings", LATTICES.values(), ids=LATTICES)
@pytest.mark.parametrize("drawn", [lesion, corner_lesion])
@pytest.mark.parametrize("made", [image, lambda noise: with_gaps(image(noise=noise))], ids=["whole", "with gaps"])
def test_the_image_around_a_lesion_gives_exactly_the_value_of_the_whole_image(settings, drawn, made):
    """Perturbing by nothing changes nothing: not the lattice, not a bit of a value."""
    volume, region = made(noise=15.0), drawn()
    near = robustness._Near.of(volume, region, settings)
    assert near.whole
    assert near.volume.voxels.size < volume.voxels.size or drawn is lesion
    again = values_of(prepared(near.volume, near.region, settings, part=near.part).roi, settings)
    expected = features(volume, region, settings)
    assert {tag: value for tag, value in again.items() if isinstance(value, float)} == expected.numbers()
    assert prepared(near.volume, near.region, settings, part=near.part).geometry.origin_mm == pytest.approx(
        expected.geometry.origin_mm, abs=1e-9
    )


def test_a_filter_that_looks_at_the_whole_image_is_compared_with_what_it_gives_around_the_lesion():
    everywhere = RadiomicsSettings(
        families=(Family.STATISTICS,),
        interpolation=Interpolation(spacing_mm=(2.0, 2.0, 2.0)),
        filter=SeparableWavelet(wavelet="haar", bands="LLH", boundary=Boundary(beyond=Beyond.PERIODIC)),
    )
    volume, region = image(noise=15.0), lesion(6.0)
    near = robustness._Near.of(volume, region, everywhere)
    assert not near.whole
    found = robust_features(volume, region, everywhere)
    assert found.standard_uncertainty["stat_mean"] is not None
    # Nothing is repeated on more than what lies around the lesion.
    assert near.volume.voxels.size < volume.voxels.size


def test_where_noise_is_told_from_does_not_depend_on_how_far_interpolation_looks():
    volume, region = image(noise=15.0), lesion(6.0)
    noises = []
    for method in ("linear", "cubic spline"):
        settings = RadiomicsSettings(interpolation=Interpolation(spacing_mm=(1.5, 1.5, 1.5), image=method))
        near = robustness._Near.of(volume, region, settings)
        noises.append((near.explained().noise, near.explained().blur_mm))
    assert noises[0] == noises[1]
