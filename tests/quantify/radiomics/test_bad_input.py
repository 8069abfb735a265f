"""Whatever comes in: a finite value, or an error with a code; no warning, no other error, no long wait."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bingcheng.core.errors import InputError, Undefined
from bingcheng.image.geometry import VolumeGeometry
from bingcheng.image.region import Region
from bingcheng.image.volume import Volume
from bingcheng.quantify.filters.feature_map import feature_map
from bingcheng.quantify.filters.gabor import Gabor
from bingcheng.quantify.filters.gaussian import Gaussian, LaplacianOfGaussian
from bingcheng.quantify.filters.laws import Laws
from bingcheng.quantify.filters.map import response_map
from bingcheng.quantify.filters.mean import Mean
from bingcheng.quantify.filters.nonseparable_wavelet import NonseparableWavelet
from bingcheng.quantify.filters.riesz import RieszTransform
from bingcheng.quantify.filters.separable_wavelet import SeparableWavelet
from bingcheng.quantify.radiomics.discretisation import FixedBinNumber, FixedBinSize, NoDiscretisation
from bingcheng.quantify.radiomics.extraction import features
from bingcheng.quantify.radiomics.feature import Aggregation, Family
from bingcheng.quantify.radiomics.interpolation import Alignment, ImageMethod, Interpolation, MaskMethod
from bingcheng.quantify.radiomics.resegmentation import Resegmentation
from bingcheng.quantify.radiomics.robustness import Repetitions, robust_features
from bingcheng.quantify.radiomics.settings import Precision, RadiomicsSettings

SHAPE = (7, 8, 9)
ALL = RadiomicsSettings(aggregations=tuple(Aggregation))
FEW = Repetitions(contours=2, rotations=2, noises=2, lattices=2, bins=2)
FILTERS = (
    Mean(support_voxels=5),
    Gaussian(sigma_mm=1.5),
    LaplacianOfGaussian(sigma_mm=2.0),
    Laws(kernels="L5E5S5", energy_distance_voxels=3, rotation_invariant=True),
    Gabor(sigma_mm=3.0, wavelength_mm=4.0, theta_step_deg=45.0, orthogonal_planes=True),
    SeparableWavelet(wavelet="db3", bands="LLH", level=2, rotation_invariant=True),
    NonseparableWavelet(level=2),
    RieszTransform(of=NonseparableWavelet(), order=(1, 1, 0)),
    RieszTransform(of=LaplacianOfGaussian(sigma_mm=2.0), order=(2, 0, 0), alignment_sigma_mm=1.0),
)
KINDS = ["riesz aligned" if getattr(one, "alignment_sigma_mm", None) else one.name for one in FILTERS]
ONE_VOXEL = {
    "quantify.autocorrelation-of-one-voxel",
    "quantify.shape-of-one-voxel",
    "quantify.texture-without-neighbours",
    "quantify.volume-histogram-too-coarse",
}
CONSTANT = {
    "quantify.autocorrelation-of-constant",
    "quantify.texture-of-one-level",
    "quantify.volume-histogram-too-coarse",
}
ONE_BIN = {
    "quantify.histogram-of-one-bin",
    "quantify.texture-of-one-level",
    "quantify.volume-histogram-too-coarse",
    "quantify.volume-histogram-without-range",
}
NO_INTENSITY = {"quantify.no-voxel-in-intensity-range", "quantify.texture-without-voxels"}


def noise(shape=SHAPE, seed=1):
    return np.random.default_rng(seed).normal(100.0, 30.0, shape).astype(np.float32)


def ball(shape=SHAPE, radius=3.0):
    offset = [np.arange(n) - (n - 1) / 2 for n in shape]
    z, y, x = np.meshgrid(*offset, indexing="ij")
    return z**2 + y**2 + x**2 <= radius**2


def drawn(*places):
    mask = np.zeros(SHAPE, dtype=bool)
    for place in places:
        mask[place] = True
    return mask


def volume_of(voxels, spacing=(1.0, 1.0, 1.0), valid=None):
    grid = VolumeGeometry(shape=voxels.shape, spacing_mm=spacing)
    return Volume(voxels=voxels, geometry=grid, unit="[hnsf'U]", valid=valid)


def lesion_of(mask, spacing=(1.0, 1.0, 1.0)):
    return Region.of(mask, VolumeGeometry(shape=mask.shape, spacing_mm=spacing), label="GTV")


def codes(values):
    """The codes of what has no value; every other value is a finite number."""
    numbers = [value for value in values.values() if not isinstance(value, Undefined)]
    assert all(type(value) is float and math.isfinite(value) for value in numbers)
    return {value.code for value in values.values() if isinstance(value, Undefined)}


def told(values):
    """The values with codes for what has none, so that two of them can be compared."""
    return {tag: value.code if isinstance(value, Undefined) else value for tag, value in values.items()}


def found(voxels, mask, chosen=ALL, spacing=(1.0, 1.0, 1.0), valid=None):
    """The codes of the features without a value."""
    result = features(volume_of(voxels, spacing, valid), lesion_of(mask, spacing), chosen)
    assert len(list(result.rows())) == len(result.values)
    return codes(result.values)


def outcome(call, *arguments):
    """What comes out, or the code of the error."""
    try:
        return call(*arguments), None
    except (InputError, Undefined) as error:
        assert str(error)  # noqa: PT017 - every error can be said
        return None, error.code


def refusal(call, *arguments):
    with pytest.raises((InputError, Undefined)) as caught:
        call(*arguments)
    return caught.value.code


BOXED = (slice(2, 5), slice(2, 6), slice(2, 6))
LESIONS = {
    "one voxel": (drawn((3, 3, 3)), ONE_VOXEL),
    "two neighbours": (
        drawn((3, 3, slice(3, 5))),
        {"quantify.shape-flat", "quantify.volume-histogram-too-coarse"},
    ),
    "two corners of the image": (
        drawn((0, 0, 0), (-1, -1, -1)),
        {"quantify.shape-flat", "quantify.texture-without-neighbours", "quantify.volume-histogram-too-coarse"},
    ),
    "one slice": (drawn((3, slice(1, 7), slice(1, 7))), {"quantify.shape-flat"}),
    "one row": (drawn((3, 3, slice(0, 9))), {"quantify.shape-flat", "quantify.volume-histogram-too-coarse"}),
    "one column": (
        drawn((slice(0, 7), 3, 3)),
        {"quantify.shape-flat", "quantify.texture-without-neighbours", "quantify.volume-histogram-too-coarse"},
    ),
    "two pieces": (drawn((1, slice(1, 7), slice(1, 7)), (5, slice(1, 7), slice(1, 7))), set()),
    "a chessboard": (np.indices(SHAPE).sum(axis=0) % 2 == 0, set()),
    "the whole image": (np.ones(SHAPE, dtype=bool), set()),
    **{
        f"at the {side} of axis {axis}": (
            drawn(tuple(edge if number == axis else one for number, one in enumerate(BOXED))),
            set(),
        )
        for axis in range(3)
        for side, edge in (("start", slice(0, 4)), ("end", slice(-4, None)))
    },
}


@pytest.mark.parametrize("name", LESIONS)
def test_a_lesion_of_any_extent_has_values_or_says_why_not(name):
    mask, missing = LESIONS[name]
    assert found(noise(), mask) == missing


@pytest.mark.parametrize("name", ["one voxel", "two corners of the image", "one row", "the whole image"])
def test_a_lesion_of_any_extent_has_an_uncertainty_or_none(name):
    mask, missing = LESIONS[name]
    robust = robust_features(volume_of(noise()), lesion_of(mask), ALL, repetitions=FEW)
    assert codes(robust.result.values) == missing
    known = [size for size in robust.standard_uncertainty.values() if size is not None]
    known += [size for parts in robust.components.values() for size in parts.values() if size is not None]
    assert all(math.isfinite(size) and size >= 0.0 for size in known)


def test_an_empty_lesion_has_no_features():
    nothing = np.zeros(SHAPE, dtype=bool)
    volume, region = volume_of(noise()), lesion_of(nothing)
    assert refusal(features, volume, region, ALL) == "quantify.lesion-without-voxels"
    assert refusal(robust_features, volume, region, ALL) == "quantify.lesion-without-voxels"
    assert refusal(feature_map, volume, region, "stat_mean", ALL, 1) == "quantify.lesion-without-voxels"
    assert refusal(response_map, volume, FILTERS[0], region) == "quantify.filter-region-empty"


@pytest.mark.parametrize("interpolation", [None, Interpolation(spacing_mm=(0.5, 0.5, 0.5))])
def test_an_image_without_voxels_has_no_features(interpolation):
    empty = np.zeros((0, 4, 4), dtype=np.float32)
    chosen = RadiomicsSettings(interpolation=interpolation)
    assert refusal(found, empty, empty > 0, chosen) == "quantify.lesion-without-voxels"
    assert refusal(response_map, volume_of(empty), FILTERS[0]) == "quantify.filter-needs-three-axes"


@pytest.mark.parametrize("gap", [np.nan, np.inf, -np.inf])
@pytest.mark.parametrize("kind", [np.float32, np.float64])
def test_a_voxel_without_a_finite_intensity_is_left_out(gap, kind):
    voxels = noise().astype(kind)
    voxels[3, 3, 4] = gap
    assert not found(voxels, ball())
    values = features(volume_of(voxels), lesion_of(ball()), ALL).values
    valid = np.ones(SHAPE, dtype=bool)
    valid[3, 3, 4] = False
    padded = features(volume_of(noise().astype(kind), valid=valid), lesion_of(ball()), ALL).values
    assert values == padded


@pytest.mark.parametrize("gap", [np.nan, np.inf, -np.inf])
def test_a_gap_does_not_spread_over_the_uncertainty(gap):
    voxels, valid = noise(), np.ones(SHAPE, dtype=bool)
    voxels[1, 1, 1], valid[1, 1, 1] = gap, False
    chosen = RadiomicsSettings(families=(Family.STATISTICS,))
    found_, padded = (
        robust_features(one, lesion_of(ball()), chosen, repetitions=FEW).standard_uncertainty
        for one in (volume_of(voxels), volume_of(noise(), valid=valid))
    )
    assert found_ == padded
    assert None not in found_.values()


@pytest.mark.parametrize("gap", [np.nan, np.inf, -np.inf])
def test_a_lesion_without_any_finite_intensity_keeps_its_shape_alone(gap):
    voxels = noise()
    voxels[ball()] = gap
    assert found(voxels, ball()) == NO_INTENSITY
    assert found(np.full(SHAPE, gap, dtype=np.float32), ball()) == NO_INTENSITY
    assert found(noise(), ball(), valid=np.zeros(SHAPE, dtype=bool)) == NO_INTENSITY
    robust = robust_features(volume_of(voxels), lesion_of(ball()), ALL, repetitions=FEW)
    assert codes(robust.result.values) == NO_INTENSITY


@pytest.mark.parametrize("method", ImageMethod)
def test_a_gap_is_left_out_by_every_interpolation(method):
    voxels = noise()
    voxels[3, 3, 4] = np.nan
    chosen = RadiomicsSettings(interpolation=Interpolation(spacing_mm=(0.8, 0.8, 0.8), image=method))
    assert not found(voxels, ball(), chosen)


@pytest.mark.parametrize(
    ("value", "more"),
    [
        (0.0, {"quantify.intensity-sum-zero", "quantify.mean-intensity-zero", "quantify.quartile-sum-zero"}),
        (-7.5, set()),
        (0.1, set()),
        (1e30, set()),
        (1e-30, set()),
    ],
)
def test_a_constant_intensity_has_no_spread_to_divide_by(value, more):
    assert found(np.full(SHAPE, value, dtype=np.float32), ball()) == CONSTANT | more


def test_negative_intensities_may_be_binned_by_number():
    assert not found(-noise(), ball())


@pytest.mark.parametrize("count", [1, 2, 1000, 100_000])
def test_any_allowed_number_of_bins_gives_values(count):
    chosen = RadiomicsSettings(discretisation=FixedBinNumber(count=count), volume_histogram=FixedBinNumber(count=count))
    more = {1: ONE_BIN, 2: {"quantify.volume-histogram-too-coarse"}}
    assert found(noise(), ball(), chosen) == more.get(count, set())


@pytest.mark.parametrize("width", [1e-300, 1e-12, 1e-3])
def test_bins_far_too_narrow_are_refused(width):
    for chosen in (
        RadiomicsSettings(discretisation=FixedBinSize(width=width)),
        RadiomicsSettings(volume_histogram=FixedBinSize(width=width)),
        RadiomicsSettings(discretisation=FixedBinSize(width=1.0, lowest=-1e300)),
    ):
        assert refusal(found, noise(), ball(), chosen) == "quantify.radiomics-too-many-levels"


@pytest.mark.parametrize("width", [1e6, 1e300])
def test_bins_far_too_wide_are_one_level(width):
    wide = FixedBinSize(width=width)
    chosen = RadiomicsSettings(discretisation=wide, volume_histogram=wide)
    assert found(noise(), ball(), chosen) == ONE_BIN


def test_a_histogram_of_endlessly_many_bins_up_to_the_range_s_end_is_refused():
    chosen = RadiomicsSettings(
        resegmentation=Resegmentation(high=1e300), volume_histogram=FixedBinSize(width=1e-9, lowest=100.0)
    )
    assert (
        refusal(found, np.full(SHAPE, 100.0, dtype=np.float32), ball(), chosen) == "quantify.radiomics-too-many-levels"
    )


def test_bins_that_begin_above_an_intensity_and_levels_that_are_none_are_refused():
    high = RadiomicsSettings(discretisation=FixedBinSize(width=5.0, lowest=1000.0))
    assert refusal(found, noise(), ball(), high) == "quantify.radiomics-below-first-bin"
    none = RadiomicsSettings(discretisation=NoDiscretisation())
    assert refusal(found, noise(), ball(), none) == "quantify.radiomics-not-levels"


@pytest.mark.parametrize("method", [FixedBinSize(width=5.0), FixedBinNumber(count=32), NoDiscretisation()])
def test_a_range_that_no_intensity_lies_in_leaves_the_shape_alone(method):
    chosen = RadiomicsSettings(resegmentation=Resegmentation(low=1e5), discretisation=method, volume_histogram=method)
    assert found(noise(), ball(), chosen) == NO_INTENSITY


def test_a_range_wider_than_single_precision_leaves_everything_in():
    # 1e300 has no place in single precision, where it would be infinite.
    chosen = RadiomicsSettings(resegmentation=Resegmentation(low=-1e300, high=1e300))
    plain = features(volume_of(noise()), lesion_of(ball()), RadiomicsSettings()).values
    assert features(volume_of(noise()), lesion_of(ball()), chosen).values == plain


@pytest.mark.parametrize("spacing", [(20.0, 1.0, 1.0), (1.0, 20.0, 1.0), (1.0, 1.0, 20.0), (10.0, 0.5, 0.5)])
def test_voxels_twenty_times_longer_than_wide_have_all_values(spacing):
    assert not found(noise(), ball(), spacing=spacing)
    cubes = RadiomicsSettings(interpolation=Interpolation(spacing_mm=(1.0, 1.0, 1.0)))
    assert not found(noise(), ball(), cubes, spacing=spacing)


@pytest.mark.parametrize("spacing", [(0.0, 1.0, 1.0), (1.0, -1.0, 1.0), (1.0, 1.0, math.nan), (math.inf, 1.0, 1.0)])
def test_voxels_without_a_size_are_refused(spacing):
    assert refusal(found, noise(), ball(), ALL, spacing) == "quantify.voxels-without-size"
    volume = volume_of(noise(), spacing)
    for chosen in FILTERS:
        assert refusal(response_map, volume, chosen) == "quantify.voxels-without-size"


def test_a_region_of_another_grid_or_beyond_the_image_is_refused():
    volume = volume_of(noise())
    cube = np.ones((3, 3, 3), dtype=bool)
    beyond = [Region(mask=cube, start=at, grid=volume.geometry, label="GTV") for at in ((-1, 2, 2), (2, 2, 7))]
    regions = [lesion_of(ball(), (1.0, 1.0, 2.0)), *beyond]
    for region in regions:
        for call in (features, robust_features):
            assert refusal(call, volume, region, ALL) == "quantify.radiomics-mask-on-other-grid"
        assert refusal(feature_map, volume, region, "stat_mean", ALL, 1) == "quantify.radiomics-mask-on-other-grid"
        assert refusal(response_map, volume, FILTERS[0], region) == "quantify.filter-region-on-other-grid"


def test_a_mask_of_fractions_belongs_from_the_threshold_on():
    part = np.where(ball(), np.float32(0.7), np.float32(0.0))
    part[ball(radius=1.5)] = 1.0
    assert not found(noise(), part)
    chosen = RadiomicsSettings(partial_volume_threshold=0.8)
    whole = features(volume_of(noise()), lesion_of(ball(radius=1.5)), RadiomicsSettings()).values
    assert features(volume_of(noise()), lesion_of(part), chosen).values == whole
    thin = np.where(ball(), np.float32(0.3), np.float32(0.0))
    assert refusal(found, noise(), thin) == "quantify.lesion-without-voxels"
    gaps = np.full((3, 3, 3), np.nan)
    volume = volume_of(noise())
    region = Region(mask=gaps, start=(1, 1, 1), grid=volume.geometry, label="GTV")
    assert refusal(features, volume, region, ALL) == "quantify.lesion-without-voxels"


@pytest.mark.parametrize(
    "kind", ["u1", "i1", "u2", "i2", ">i2", "u4", "i4", "u8", "i8", "f2", "f4", ">f4", "f8", ">f8"]
)
def test_every_number_type_and_layout_gives_the_same(kind):
    voxels = np.rint(noise()).clip(0, 120)
    plain = told(features(volume_of(voxels), lesion_of(ball()), ALL).values)
    other = voxels.astype(kind)
    other.flags.writeable = False
    for laid in (other, np.asfortranarray(other), np.repeat(other, 2, axis=2)[..., ::2], other[::-1].copy()[::-1]):
        assert told(features(volume_of(laid), lesion_of(ball()), ALL).values) == plain


def test_numbers_that_are_not_real_are_refused():
    for kind in (complex, object):
        volume = volume_of(noise().astype(kind))
        assert refusal(features, volume, lesion_of(ball()), ALL) == "quantify.intensities-not-real"
        assert refusal(response_map, volume, FILTERS[0]) == "quantify.intensities-not-real"


@pytest.mark.parametrize("size", [1e30, -1e30, 1e-30, 1e-40])
@pytest.mark.parametrize("precision", Precision)
def test_intensities_of_any_likely_size_give_all_values(size, precision):
    voxels = noise().astype(np.float64) / 100.0 * size
    chosen = RadiomicsSettings(precision=precision)
    assert not found(voxels, ball(), chosen)
    spline = Interpolation(spacing_mm=(0.7, 0.7, 0.7), image=ImageMethod.CUBIC_SPLINE)
    assert not found(voxels, ball(), RadiomicsSettings(precision=precision, interpolation=spline))


@pytest.mark.parametrize("size", [2e37, 3e38, 1e100, 1e300])
@pytest.mark.parametrize("precision", Precision)
def test_larger_intensities_than_can_be_computed_with_are_refused(size, precision):
    kind = np.float32 if size < 1e39 else np.float64
    voxels = np.where(noise() > 100.0, size, -size).astype(kind)
    volume, region, chosen = volume_of(voxels), lesion_of(ball()), RadiomicsSettings(precision=precision)
    for call in (features, robust_features):
        assert refusal(call, volume, region, chosen) == "quantify.intensity-too-large"
    assert refusal(response_map, volume, FILTERS[0]) == "quantify.intensity-too-large"
    # Where the scanner recorded nothing it does not matter what the file holds.
    assert found(voxels, ball(), chosen, valid=np.zeros(SHAPE, dtype=bool)) == NO_INTENSITY


def test_the_ends_of_whole_numbers_are_no_trouble():
    for kind in (np.int32, np.int64, np.uint64):
        ends = np.iinfo(kind)
        voxels = np.array([ends.min, ends.max], dtype=kind)[(noise() > 100.0).astype(int)]
        assert found(voxels, ball()) <= {"quantify.quartile-sum-zero", "quantify.volume-histogram-too-coarse"}


@pytest.mark.parametrize(
    "spacing",
    [(0.01, 0.01, 0.01), (1e-6, None, None), (1e-300, 1.0, 1.0), (5e-324, 5e-324, 5e-324)],
)
def test_voxels_far_too_small_are_refused_before_they_take_memory(spacing):
    chosen = RadiomicsSettings(interpolation=Interpolation(spacing_mm=spacing), families=(Family.STATISTICS,))
    assert refusal(found, noise(), ball(), chosen) == "quantify.radiomics-too-many-voxels"


@pytest.mark.parametrize("method", ImageMethod)
@pytest.mark.parametrize("alignment", Alignment)
def test_voxels_larger_than_the_image_hold_the_lesion_or_do_not(method, alignment):
    for size in (5.0, 50.0, 1e6):
        chosen = RadiomicsSettings(
            interpolation=Interpolation(spacing_mm=(size, size, size), image=method, alignment=alignment)
        )
        missing, code = outcome(found, noise(), ball(), chosen)
        assert missing is None or missing <= ONE_VOXEL | {"quantify.shape-flat"}
        assert code in (None, "quantify.lesion-without-voxels")
    chosen = RadiomicsSettings(interpolation=Interpolation(spacing_mm=(1e300, 1e300, 1e300)))
    assert refusal(found, noise(), ball(), chosen) == "quantify.voxels-without-size"


@pytest.mark.parametrize("chosen", FILTERS, ids=KINDS)
def test_a_filter_of_any_image_has_a_finite_response_or_is_refused(chosen):
    extreme = np.where(noise() > 100.0, 9e36, -9e36).astype(np.float32)
    one = lesion_of(drawn((3, 3, 3)))
    for voxels in (noise()[:1, :1, :1], noise()[:1], noise()[..., :1], noise()[:1, :1], ball(), noise()[::-1]):
        assert np.isfinite(response_map(volume_of(voxels), chosen).voxels).all()
    for gap in (np.nan, np.inf):
        voxels = noise()
        voxels[3, 3, 4] = gap
        response = response_map(volume_of(voxels), chosen)
        assert np.isfinite(response.voxels).all()
        assert np.count_nonzero(~response.valid) == 1
        assert np.isfinite(response_map(volume_of(np.full(SHAPE, gap)), chosen).voxels).all()
    assert response_map(volume_of(noise()), chosen, one).voxels.shape == (1, 1, 1)
    assert found(noise(), drawn((3, 3, 3)), RadiomicsSettings(filter=chosen)) <= ONE_VOXEL
    response, code = outcome(response_map, volume_of(extreme), chosen)
    assert code in (None, "quantify.filter-response-too-large")
    assert response is None or np.isfinite(response.voxels).all()
    _, code = outcome(found, extreme, ball(), RadiomicsSettings(filter=chosen))
    assert code in (None, "quantify.filter-response-too-large")


@pytest.mark.parametrize("tag", ["stat_mean", "stat_cov", "cm_contrast_2D_avg", "morph_moran_i", "loc_peak_loc"])
def test_a_feature_map_is_finite_and_valid_only_in_the_lesion(tag):
    gaps, zero = noise(), np.zeros(SHAPE, dtype=np.float32)
    gaps[ball(radius=1.0)] = np.nan
    for voxels in (noise(), gaps, zero, np.full(SHAPE, np.nan, dtype=np.float32)):
        for mask in (ball(radius=2.0), drawn((3, 3, 3)), drawn((0, 0, 0), (-1, -1, -1))):
            values = feature_map(volume_of(voxels), lesion_of(mask), tag, ALL, 1)
            assert np.isfinite(values.voxels).all()
            assert not (values.valid & ~lesion_of(mask).mask).any()


# --- anything at all --------------------------------------------------------------------------------------------

SIZES = st.tuples(*[st.integers(1, 6)] * 3)
STEPS = st.sampled_from([0.4, 1.0, 1.7, 20.0])
METHODS = st.one_of(
    st.builds(FixedBinNumber, count=st.sampled_from([1, 3, 32, 5000])),
    st.builds(
        FixedBinSize, width=st.sampled_from([1e-9, 0.5, 25.0, 1e9]), lowest=st.sampled_from([None, -1000.0, 50.0])
    ),
    st.just(NoDiscretisation()),
)
FLOATS = st.one_of(st.none(), st.sampled_from([-1e300, -50.0, 0.0, 30.0]))
INTERPOLATIONS = st.builds(
    Interpolation,
    spacing_mm=st.tuples(*[st.sampled_from([0.5, 1.0, 3.0, 1e5])] * 3),
    image=st.sampled_from(ImageMethod),
    mask=st.sampled_from(MaskMethod),
    alignment=st.sampled_from(Alignment),
    rounding=st.booleans(),
)
SETTINGS = st.builds(
    RadiomicsSettings,
    interpolation=st.one_of(st.none(), INTERPOLATIONS),
    partial_volume_threshold=st.sampled_from([1e-9, 0.5, 1.0]),
    resegmentation=st.builds(
        Resegmentation,
        low=FLOATS,
        high=st.sampled_from([None, 60.0, 1e300]),
        outlier_sd=st.sampled_from([None, 0.1, 3.0]),
    ),
    discretisation=METHODS,
    volume_histogram=METHODS,
    filter=st.one_of(st.none(), st.none(), st.sampled_from(FILTERS)),
    aggregations=st.just(tuple(Aggregation)),
    distance=st.sampled_from([1, 2]),
    neighbourhood_distance=st.sampled_from([1, 2]),
    coarseness=st.sampled_from([0, 1]),
    precision=st.sampled_from(Precision),
)


@st.composite
def images(draw):
    """A small image of whatever numbers, and a lesion in it."""
    shape, seed = draw(SIZES), draw(st.integers(0, 2**32 - 1))
    generator = np.random.default_rng(seed)
    kind = draw(st.sampled_from([np.float32, np.float64, np.int16, np.uint8]))
    levels = draw(st.sampled_from([1, 2, 100]))
    voxels = (generator.integers(-levels, levels + 1, shape) * draw(st.sampled_from([0.25, 1.0]))).astype(kind)
    if voxels.dtype.kind == "f":
        voxels *= kind(draw(st.sampled_from([1.0, 1e-20, 1e20, 1e36])))
        for gap in draw(st.sampled_from([(), (np.nan,), (np.inf, -np.inf, np.nan)])):
            voxels[generator.random(shape) < 0.1] = gap
    part = generator.random(shape)
    mask = part < draw(st.sampled_from([0.0, 0.2, 0.7, 1.1]))
    full = np.where(mask, part, 0.0).astype(np.float32) if draw(st.booleans()) else mask
    valid = generator.random(shape) < 0.8 if draw(st.booleans()) else None
    spacing = draw(st.tuples(STEPS, STEPS, STEPS))
    return volume_of(voxels, spacing, valid), lesion_of(full, spacing)


@settings(max_examples=150)
@given(image=images(), chosen=SETTINGS)
def test_anything_gives_finite_values_or_an_error_with_a_code(image, chosen):
    result, code = outcome(features, *image, chosen)
    if result is None:
        assert code.startswith("quantify.")
    else:
        codes(result.values)


@settings(max_examples=15)
@given(image=images(), chosen=SETTINGS)
def test_the_uncertainty_of_anything_is_finite_or_unknown(image, chosen):
    robust, code = outcome(lambda: robust_features(*image, chosen, repetitions=FEW))
    if robust is None:
        assert code.startswith("quantify.")
        return
    codes(robust.result.values)
    sizes = [size for parts in robust.components.values() for size in parts.values() if size is not None]
    assert all(math.isfinite(size) and size >= 0.0 for size in sizes)


@settings(max_examples=40)
@given(image=images(), chosen=st.sampled_from(FILTERS))
def test_the_response_map_of_anything_is_finite(image, chosen):
    response, code = outcome(response_map, image[0], chosen)
    if response is None:
        assert code.startswith("quantify.")
        return
    assert response.voxels.dtype == np.float32
    assert np.isfinite(response.voxels).all()
