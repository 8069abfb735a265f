"""What must not change a feature, and what must change it by how much."""

from __future__ import annotations

import math
import os
import subprocess
import sys
from itertools import permutations, product

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import ndimage

from bingcheng.core.errors import Undefined
from bingcheng.image.geometry import VolumeGeometry
from bingcheng.image.region import Region
from bingcheng.image.volume import Volume
from bingcheng.quantify.radiomics.discretisation import FixedBinNumber, FixedBinSize, NoDiscretisation
from bingcheng.quantify.radiomics.extraction import features
from bingcheng.quantify.radiomics.families import all_features
from bingcheng.quantify.radiomics.feature import Aggregation, Family
from bingcheng.quantify.radiomics.interpolation import ImageMethod, Interpolation
from bingcheng.quantify.radiomics.many_lesions import features_of_many
from bingcheng.quantify.radiomics.resegmentation import Resegmentation
from bingcheng.quantify.radiomics.robustness import Repetitions, robust_features
from bingcheng.quantify.radiomics.settings import Precision, RadiomicsSettings

EVERY = tuple(Aggregation)
BY_SLICE = tuple(one for one in Aggregation if one.by_slice)
ALL = RadiomicsSettings(
    discretisation=FixedBinNumber(count=12), volume_histogram=FixedBinNumber(count=200), aggregations=EVERY
)
SPACING = (2.5, 1.0, 1.5)
SUMS = 1e-9
"""Sums of double precision in another order: a thousand terms and a few divisions of similar numbers."""
SPECTRA = 2e-6
"""Moran's I and Geary's C come from transforms in single precision, stated to be exact to 1e-6."""
LOOSE = {
    "morph_moran_i": SPECTRA,
    "morph_geary_c": SPECTRA,
    # Khachiyan's method with the manual's tolerance of 0.001: a volume to twice that, axes to the root of it.
    "morph_vol_dens_mvee": 2e-3,
    "morph_area_dens_mvee": math.sqrt(2e-3),
}


def blob(seed=3, shape=(9, 11, 10)):
    """An uneven lesion off the edges, and textured whole intensities."""
    generator = np.random.default_rng(seed)
    field = ndimage.gaussian_filter(generator.standard_normal(shape), 1.5)
    mask = field > np.quantile(field, 0.6)
    mask[[0, -1]] = False
    mask[:, [0, -1]] = False
    mask[:, :, [0, -1]] = False
    voxels = 100.0 + 40.0 * ndimage.gaussian_filter(generator.standard_normal(shape), 0.7)
    return np.rint(voxels).astype(np.float32), mask


def measured(voxels, mask, chosen=ALL, spacing=SPACING):
    """The values by tag; the code of the reason where there is none."""
    grid = VolumeGeometry(shape=voxels.shape, spacing_mm=spacing)
    volume = Volume(voxels=voxels, geometry=grid, unit="[hnsf'U]")
    values = features(volume, Region.of(mask, grid, label="GTV"), chosen).values
    return {tag: value.code if isinstance(value, Undefined) else value for tag, value in values.items()}


def differences(found, expected, *, only=lambda _tag: True, scale=None):
    """Values further apart than their tolerance (of the larger one, or of `scale`)."""
    wrong = {}
    for tag, value in expected.items():
        if not only(tag):
            continue
        other = found[tag]
        if isinstance(value, str) or isinstance(other, str):
            if value != other:
                wrong[tag] = (other, value)
            continue
        size = max(abs(value), abs(other)) if scale is None else max(abs(value), scale)
        if not abs(other - value) <= LOOSE.get(tag, SUMS) * size + 1e-12:
            wrong[tag] = (other, value)
    return wrong


def in_volume(tag):
    return not tag.endswith(tuple(one.value for one in BY_SLICE))


# --- rotation, reflection, translation --------------------------------------------------------------------------

TURNS = [(order, flips) for order in permutations(range(3)) for flips in product((1, -1), repeat=3)]


def turned(array, order, flips):
    return np.ascontiguousarray(array.transpose(order)[tuple(slice(None, None, flip) for flip in flips)])


@pytest.mark.parametrize("order", list(permutations(range(3))))
def test_features_in_the_volume_do_not_change_by_right_angles_and_reflections(order):
    voxels, mask = blob()
    expected = measured(voxels, mask)
    for flips in product((1, -1), repeat=3):
        spacing = tuple(SPACING[axis] for axis in order)
        found = measured(turned(voxels, order, flips), turned(mask, order, flips), spacing=spacing)
        assert differences(found, expected, only=in_volume) == {}


@pytest.mark.parametrize(("order", "flips"), [one for one in TURNS if one[0][0] == 0])
def test_features_by_slice_do_not_change_by_right_angles_in_the_slice_and_reflections(order, flips):
    voxels, mask = blob()
    spacing = tuple(SPACING[axis] for axis in order)
    found = measured(turned(voxels, order, flips), turned(mask, order, flips), spacing=spacing)
    assert differences(found, measured(voxels, mask)) == {}


def test_features_by_slice_do_change_when_slices_are_cut_another_way():
    voxels, mask = blob()
    expected = measured(voxels, mask)
    found = measured(turned(voxels, (1, 0, 2), (1, 1, 1)), turned(mask, (1, 0, 2), (1, 1, 1)))
    changed = differences(found, expected, only=lambda tag: not in_volume(tag))
    assert len(changed) > 0.8 * sum(not in_volume(tag) for tag in expected)


@settings(max_examples=10)
@given(shift=st.tuples(*[st.integers(0, 6)] * 3))
def test_a_lesion_may_lie_anywhere_in_the_image(shift):
    voxels, mask = blob()
    outer = [size + 6 for size in voxels.shape]
    image, place = np.full(outer, 90.0, dtype=np.float32), np.zeros(outer, dtype=bool)
    there = tuple(slice(low, low + size) for low, size in zip(shift, voxels.shape, strict=True))
    image[there], place[there] = voxels, mask
    here = tuple(slice(3, 3 + size) for size in voxels.shape)
    middle, inside = np.full(outer, 90.0, dtype=np.float32), np.zeros(outer, dtype=bool)
    middle[here], inside[here] = voxels, mask
    # A sphere of 6 mm ends at the image's edge, which lies nearer now.
    only = [tag for tag in measured(image, place) if not tag.startswith("loc_")]
    found, expected = measured(image, place), measured(middle, inside)
    assert {tag: found[tag] for tag in only} == {tag: expected[tag] for tag in only}


# --- intensities ------------------------------------------------------------------------------------------------

WITH_OFFSET = {
    "stat_mean",
    "stat_median",
    "stat_min",
    "stat_p10",
    "stat_p90",
    "stat_max",
    "loc_peak_loc",
    "loc_peak_glob",
}
"""Move by what is added to all intensities."""
NOT_BY_OFFSET = {"stat_cov", "stat_qcod", "stat_energy", "stat_rms", "morph_com", "morph_integ_int"}
"""Change by an offset in another way; all features that are in neither set don't change at all."""


def scaled(expected, factor, chosen):
    powers = {entry.tag: 0 if entry.in_bins else entry.feature.intensity_power for entry in all_features(chosen)}
    return {tag: value if isinstance(value, str) else value * factor ** powers[tag] for tag, value in expected.items()}


@pytest.mark.parametrize("factor", [0.25, 2.0, 3.0, 1000.0])
@pytest.mark.parametrize("width", [None, 7.0])
def test_a_value_scales_with_the_power_of_the_image_s_unit_that_it_is_in(factor, width):
    def chosen(size):
        if width is None:
            return ALL
        bins = FixedBinSize(width=width * size, lowest=-50.0 * size)
        return RadiomicsSettings(discretisation=bins, volume_histogram=bins, aggregations=EVERY)

    voxels, mask = blob()
    voxels = voxels.astype(np.float64)
    expected = scaled(measured(voxels, mask, chosen(1.0)), factor, chosen(1.0))
    found = measured(voxels * factor, mask, chosen(factor))
    assert differences(found, expected) == {}


@pytest.mark.parametrize("offset", [-300.0, -7.0, 1024.0])
@pytest.mark.parametrize("method", ["number", "size"])
def test_an_offset_moves_what_has_a_zero_and_nothing_else(offset, method):
    def chosen(by):
        if method == "number":
            return ALL
        bins = FixedBinSize(width=7.0, lowest=-50.0 + by)
        return RadiomicsSettings(discretisation=bins, volume_histogram=bins, aggregations=EVERY)

    voxels, mask = blob()
    expected, found = measured(voxels, mask, chosen(0.0)), measured(voxels + np.float32(offset), mask, chosen(offset))
    moved = WITH_OFFSET | ({"ivh_i10", "ivh_i90"} if method == "size" else set())
    expected = {tag: value + offset if tag in moved else value for tag, value in expected.items()}
    # Moments about the mean lose digits to an offset as large as the mean: relative to the spread they do not.
    assert differences(found, expected, only=lambda tag: tag not in NOT_BY_OFFSET, scale=abs(offset)) == {}
    assert differences(found, expected, only=lambda tag: tag in NOT_BY_OFFSET).keys() == NOT_BY_OFFSET


def test_bins_of_one_size_without_a_fixed_begin_follow_the_lesion():
    voxels, mask = blob()
    loose = RadiomicsSettings(discretisation=FixedBinSize(width=7.0), aggregations=EVERY, families=("cooccurrence",))
    assert measured(voxels, mask, loose) == measured(voxels + np.float32(500.0), mask, loose)


@settings(max_examples=15)
@given(
    seed=st.integers(0, 10**6),
    method=st.sampled_from(ImageMethod),
    spacing=st.sampled_from([None, (2.0, 2.0, 2.0), (1.0, 1.0, 1.0)]),
)
def test_single_and_double_precision_agree(seed, method, spacing):
    voxels, mask = blob(seed)
    voxels = voxels + np.random.default_rng(seed).random(voxels.shape, dtype=np.float32)
    found = {
        precision: measured(
            voxels,
            mask,
            RadiomicsSettings(
                interpolation=None if spacing is None else Interpolation(spacing_mm=spacing, image=method),
                discretisation=FixedBinNumber(count=8),
                volume_histogram=NoDiscretisation(),
                aggregations=EVERY,
                precision=precision,
            ),
        )
        for precision in Precision
    }
    # Where a definition cuts (bins, order statistics, thresholds) an intensity on the cut may fall on either side.
    cut = ("stat_rmad", "ih_", "ivh_", "cm_", "rlm_", "szm_", "dzm_", "ngt_", "ngl_")
    single, double = (found[one] for one in Precision)
    for tag, value in double.items():
        if not tag.startswith(cut):
            assert single[tag] == value or abs(single[tag] - value) <= 1e-6 * max(1.0, abs(value)), tag
    # With eight bins hardly any does: the texture of this lesion stays alike by far more than that.
    for tag, value in double.items():
        if tag.startswith(("cm_", "rlm_", "ngl_")) and not isinstance(value, str):
            assert abs(single[tag] - value) <= 0.05 * max(1.0, abs(value)), tag


# --- extent -----------------------------------------------------------------------------------------------------

SHAPES = {
    "sphere": ((10.0, 10.0, 10.0), lambda z, y, x: z**2 + y**2 + x**2 <= 1.0, 4.0 / 3.0 * math.pi, 5.0),
    "ellipsoid": ((14.0, 9.0, 6.0), lambda z, y, x: z**2 + y**2 + x**2 <= 1.0, 4.0 / 3.0 * math.pi, 5.0),
    "box": ((12.0, 8.0, 6.0), lambda z, y, x: np.maximum(np.maximum(abs(z), abs(y)), abs(x)) <= 1.0, 8.0, 3.0),
}
"""Half-lengths in mm, who belongs, volume over their product, and their square over the variance along each."""


def solid(name, step):
    halves, belongs, _, _ = SHAPES[name]
    # Off the grid's symmetry, and odd, so that no voxel centre lies on the surface of the box.
    shape = [2 * int(half / step + 2) + 1 for half in halves]
    index = np.meshgrid(*[np.arange(n) - (n // 2) + 0.137 for n in shape], indexing="ij")
    mask = belongs(*[step * at / half for at, half in zip(index, halves, strict=True)])
    chosen = RadiomicsSettings(families=(Family.MORPHOLOGY,))
    return measured(np.ones(mask.shape, dtype=np.float32), mask, chosen, (step, step, step))


@pytest.mark.parametrize("name", SHAPES)
def test_shape_tends_to_that_of_the_analytic_body(name):
    halves, _, unit_volume, ratio = SHAPES[name]
    volume = unit_volume * math.prod(halves)
    longest = 2.0 * max(halves) if name != "box" else 2.0 * math.hypot(*halves)
    axes = dict(zip(("maj", "min", "least"), sorted(halves, reverse=True), strict=True))
    misses = []
    for step in (2.0, 1.0, 0.5, 0.25):
        found = solid(name, step)
        # A surface is known to half a voxel on each side, and a length to a voxel.
        assert abs(found["morph_diam"] - longest) <= math.sqrt(3.0) * step
        for axis, half in axes.items():
            assert abs(found[f"morph_pca_{axis}_axis"] - 4.0 * half / math.sqrt(ratio)) <= step
        misses.append(abs(found["morph_volume"] / volume - 1.0))
        assert abs(found["morph_vol_approx"] / volume - 1.0) <= step * sum(1.0 / (2.0 * half) for half in halves)
    assert misses[-1] < misses[0]
    assert misses[-1] <= 0.01 or name == "box"


def test_the_surface_of_an_upright_box_is_its_own_but_for_the_edges():
    for step in (1.0, 0.5, 0.25):
        found = solid("box", step)
        counted = np.array([2.0 * int(half / step) for half in SHAPES["box"][0]])
        assert found["morph_vol_approx"] == pytest.approx(math.prod(counted * step), rel=0.3)
        area = 8.0 * sum(a * b for a, b in ((12.0, 8.0), (8.0, 6.0), (12.0, 6.0)))
        # Corners cut by half a voxel take less than a voxel's width off along the 208 mm of edges.
        assert abs(found["morph_area_mesh"] - area) <= 208.0 * step


@settings(max_examples=10)
@given(seed=st.integers(0, 10**6))
def test_a_grown_lesion_is_never_smaller(seed):
    voxels, mask = blob(seed)
    grown = ndimage.binary_dilation(mask)
    small, large = measured(voxels, mask), measured(voxels, grown)
    for tag in ("morph_volume", "morph_vol_approx", "morph_diam", "stat_max", "stat_range", "loc_peak_glob"):
        assert large[tag] >= small[tag]
    assert large["stat_min"] <= small["stat_min"]
    assert large["stat_energy"] >= small["stat_energy"]


# --- repetition -------------------------------------------------------------------------------------------------

CHAIN = RadiomicsSettings(
    interpolation=Interpolation(spacing_mm=(1.3, 1.3, 1.3), image=ImageMethod.CUBIC_SPLINE),
    resegmentation=Resegmentation(outlier_sd=3.0),
    aggregations=EVERY,
)


def lesions(count=6):
    voxels, _ = blob(shape=(14, 16, 15))
    grid = VolumeGeometry(shape=voxels.shape, spacing_mm=SPACING)
    regions = [Region.of(blob(seed, voxels.shape)[1], grid, label=str(seed)) for seed in range(count)]
    return Volume(voxels=voxels, geometry=grid, unit="[hnsf'U]"), regions


def as_hex(values):
    """Values to the last bit."""
    return {tag: value.code if isinstance(value, Undefined) else value.hex() for tag, value in values.items()}


def test_the_number_of_threads_changes_no_bit():
    volume, regions = lesions()
    alone = [as_hex(one.values) for one in features_of_many(volume, regions, CHAIN)]
    for workers in (2, 5):
        together = [as_hex(one.values) for one in features_of_many(volume, regions, CHAIN, workers=workers)]
        assert together == alone
    few = Repetitions(contours=4, rotations=2, noises=2, lattices=2, bins=2)
    robust = [robust_features(volume, regions[0], CHAIN, repetitions=few, workers=workers) for workers in (1, 3)]
    assert robust[0].standard_uncertainty == robust[1].standard_uncertainty
    assert dict(robust[0].components) == dict(robust[1].components)


SCRIPT = """
import sys
sys.path.insert(0, sys.argv[1])
from test_properties import CHAIN, as_hex, lesions
from bingcheng.quantify.radiomics.many_lesions import features_of_many
for one in features_of_many(*lesions(2), CHAIN, workers=2):
    print(sorted(as_hex(one.values).items()))
"""


def test_another_process_computes_the_same_bits():
    volume, regions = lesions(2)
    here = [str(sorted(as_hex(one.values).items())) for one in features_of_many(volume, regions, CHAIN)]
    folder = os.path.dirname(__file__)  # noqa: PTH120 - handed to another process as text
    run = subprocess.run(
        [sys.executable, "-c", SCRIPT, folder],
        capture_output=True,
        text=True,
        check=True,
        env=os.environ | {"PYTHONHASHSEED": "77"},
    )
    assert run.stdout.splitlines() == here
