"""Signal-to-noise ratios from air: what was put in comes out, or a reason why it can't be told."""

import math
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bingcheng.core.errors import Undefined
from bingcheng.image.volume import Stack, Volume
from bingcheng.quality import snr_air as of_air
from bingcheng.quality import snr_highest_b as of_highest_b
from bingcheng.quality.known_objects import magnitude_series, radius_mm, rician_cylinder
from bingcheng.quality.magnitude import RAYLEIGH_RATIO, _beta, _deviation_share, air_noise, blocks, tissue


def snr_air(volume, *image_type):
    return of_air.snr_air(**magnitude_series(volume, *image_type))


def snr_highest_b(stack, *image_type):
    return of_highest_b.snr_highest_b(stack, magnitude_series(stack.volumes[0], *image_type)["acquisition"])


def with_voxels(volume, voxels, valid=None):
    return Volume(voxels=voxels.astype(np.float32), geometry=volume.geometry, unit=volume.unit, valid=valid)


@pytest.mark.parametrize("channels", [1, 2, 4, 8])
@pytest.mark.parametrize("ratio", [5.0, 10.0, 20.0, 50.0, 100.0])
def test_ratios_of_5_to_100_with_one_or_many_channels(ratio, channels):
    found = snr_air(rician_cylinder(signal=7.0 * ratio, noise=7.0, channels=channels, seed=int(ratio)))
    # 1 %: some 2,000 blocks of 36 voxels of air fix sigma to 0.3 %, and the number of channels to 1 %.
    assert found.value == pytest.approx(ratio, rel=0.01)
    assert abs(found.value - ratio) < 3 * found.standard_uncertainty


@pytest.mark.parametrize("channels", [1, 3, 12])
def test_the_number_of_channels_is_read_from_the_air(channels):
    found = blocks(rician_cylinder(signal=200.0, noise=5.0, channels=channels))
    noise = air_noise(found, tissue(found))
    assert noise.channels == pytest.approx(channels, rel=0.05)
    assert noise.sigma == pytest.approx(5.0, rel=0.01)


@given(scale=st.floats(0.01, 1e4))
@settings(max_examples=10, deadline=None)
def test_the_scale_of_the_image_does_not_matter(scale):
    volume = rician_cylinder(signal=300.0, noise=10.0, shape=(2, 120, 120), diameter_mm=110.0)
    scaled = with_voxels(volume, volume.voxels * scale)
    assert snr_air(scaled).value == pytest.approx(snr_air(volume).value, rel=1e-4)


@given(turns=st.integers(0, 3))
@settings(max_examples=4, deadline=None)
def test_quarter_turns_change_nothing(turns):
    volume = rician_cylinder(signal=300.0, noise=10.0, shape=(3, 160, 160))
    turned = with_voxels(volume, np.ascontiguousarray(np.rot90(volume.voxels, turns, axes=(1, 2))))
    assert snr_air(turned).value == pytest.approx(snr_air(volume).value, rel=1e-6)


def test_whole_numbers_as_scanners_store_them_are_good_enough():
    volume = rician_cylinder(signal=100.0, noise=2.0)
    # Rounding adds a variance of 1/12 to the air's (0.655 x 2)^2: 2.4 % in the noise.
    assert snr_air(with_voxels(volume, np.round(volume.voxels))).value == pytest.approx(50.0, rel=0.035)


def test_a_ghost_in_part_of_the_air_is_passed_over():
    volume = rician_cylinder(signal=400.0, noise=10.0)
    ghosted = np.array(volume.voxels)
    ghosted[:, :20, 40:120] += 25.0
    assert snr_air(with_voxels(volume, ghosted)).value == pytest.approx(40.0, rel=0.02)


def test_a_corner_that_was_set_to_zero_is_passed_over():
    volume = rician_cylinder(signal=400.0, noise=10.0)
    cut = np.array(volume.voxels)
    cut[:, :24, :24] = 0.0
    assert snr_air(with_voxels(volume, cut)).value == pytest.approx(40.0, rel=0.02)


def test_a_masked_background_gives_a_reason():
    volume = rician_cylinder(signal=400.0, noise=10.0)
    masked = np.where(radius_mm(volume.geometry) < 80.0, volume.voxels, np.float32(0.0))
    with pytest.raises(Undefined) as caught:
        snr_air(with_voxels(volume, masked))
    assert caught.value.code == "quality.background-masked"
    valid = np.broadcast_to(radius_mm(volume.geometry) < 80.0, volume.voxels.shape)
    with pytest.raises(Undefined, match="background-masked"):
        snr_air(with_voxels(volume, volume.voxels, valid))


def test_an_offset_is_not_noise():
    volume = rician_cylinder(signal=400.0, noise=1.0)
    with pytest.raises(Undefined) as caught:
        snr_air(with_voxels(volume, volume.voxels + 100.0))
    assert caught.value.code == "quality.background-not-noise"


def test_a_field_of_view_full_of_tissue_has_no_air():
    generator = np.random.default_rng(0)
    volume = rician_cylinder(signal=400.0, noise=10.0)
    # Two tissues and no air: the darker one is taken for air and betrays itself by its ratio of mean to SD.
    dark = 200.0 + 200.0 * (radius_mm(volume.geometry) < 60.0) + 5.0 * generator.standard_normal(volume.voxels.shape)
    with pytest.raises(Undefined) as caught:
        snr_air(with_voxels(volume, dark))
    assert caught.value.code == "quality.background-not-noise"


@pytest.mark.parametrize("value", [0.0, 7.0])
def test_an_empty_image_has_no_signal(value):
    volume = rician_cylinder(signal=400.0, noise=10.0)
    with pytest.raises(Undefined) as caught:
        snr_air(with_voxels(volume, np.full(volume.voxels.shape, value)))
    assert caught.value.code == "quality.no-signal"


def test_noise_alone_has_no_signal():
    with pytest.raises(Undefined) as caught:
        snr_air(rician_cylinder(signal=0.0, noise=10.0))
    assert caught.value.code in {"quality.no-signal", "quality.too-little-air"}


def test_a_tiny_image_is_refused():
    with pytest.raises(Undefined, match=r"too-little-air|no-signal"):
        snr_air(rician_cylinder(signal=100.0, noise=5.0, shape=(1, 5, 5), diameter_mm=4.0))


def test_one_slice_is_enough():
    found = snr_air(rician_cylinder(signal=300.0, noise=10.0, shape=(1, 160, 160)))
    assert abs(found.value - 30.0) < 3 * found.standard_uncertainty


def decay(ratio, adc, b, seed=1):
    after = 10.0 * ratio * math.exp(-adc * b)
    volumes = tuple(rician_cylinder(signal=s, noise=10.0, seed=seed + k) for k, s in enumerate((10.0 * ratio, after)))
    return Stack(volumes=volumes, axis="b_value", values=(0.0, b), unit="s/mm2")


@pytest.mark.parametrize(("ratio", "b"), [(60.0, 400.0), (60.0, 800.0), (60.0, 1500.0), (20.0, 1500.0)])
def test_the_highest_b_follows_the_decay(measured, ratio, b):
    stack = decay(ratio, 1.1e-3, b)
    found = measured("snr_highest_b", **magnitude_series(stack.volumes[0]), diffusion=stack)
    expected = ratio * math.exp(-1.1e-3 * b)
    # Near SNR 4 the signal stands 4 sigma over the noise: its power is known to 1.5 % from 900 blocks.
    assert found.value == pytest.approx(expected, rel=0.015)
    assert measured("snr_air", **magnitude_series(stack.volumes[0])).value == pytest.approx(ratio, rel=0.01)


def test_signal_that_drowned_at_the_highest_b_is_said_so():
    with pytest.raises(Undefined) as caught:
        snr_highest_b(decay(10.0, 3e-3, 2000.0))
    assert caught.value.code == "quality.no-signal"


def test_one_b_value_is_no_diffusion_series():
    volume = rician_cylinder(signal=300.0, noise=10.0)
    with pytest.raises(Undefined) as caught:
        snr_highest_b(Stack(volumes=(volume,), axis="b_value", values=(0.0,), unit="s/mm2"))
    assert caught.value.code == "quality.one-b-value"


@pytest.mark.slow
@pytest.mark.parametrize("shape", [(6, 160, 160), (4, 128, 192)], ids=["square", "wide"])
def test_the_truth_lies_within_two_standard_uncertainties(shape):
    pulls = []
    for seed in range(24):
        found = snr_air(rician_cylinder(signal=200.0, noise=10.0, shape=shape, seed=seed))
        pulls.append((found.value - 20.0) / found.standard_uncertainty)
    # Of 24 with a chance of 95 % each, fewer than 20 are covered once in 170 times; 24 squares average at most 1.90.
    assert np.count_nonzero(np.abs(pulls) <= 2.0) >= 20
    assert 0.41 < np.mean(np.square(pulls)) < 1.90


@pytest.mark.slow
@pytest.mark.parametrize("diameter_mm", [80.0, 120.0])
def test_a_weak_signal_in_one_slice_is_as_uncertain_as_it_says(diameter_mm):
    found = [
        snr_air(rician_cylinder(signal=50.0, noise=10.0, shape=(1, 160, 160), diameter_mm=diameter_mm, seed=seed))
        for seed in range(200)
    ]
    pulls = np.array([(one.value - 5.0) / one.standard_uncertainty for one in found])
    # 200 squares of unit variance average 0.76 to 1.28 in 99 % of all cases.
    assert 0.76 < np.mean(pulls**2) < 1.28
    # 95 %, less three binomial standard errors (1.5 %).
    assert np.mean(np.abs(pulls) <= 2.0) > 0.905


@pytest.mark.parametrize("share", [0.02, 0.03, 0.05])
def test_a_faint_ghost_in_the_air_widens_the_uncertainty(share):
    generator = np.random.default_rng(3)
    clean = rician_cylinder(signal=300.0, noise=0.0)
    true = clean.voxels + share * np.roll(clean.voxels, 80, axis=1)
    real, imaginary = 10.0 * generator.standard_normal((2, *true.shape))
    found = snr_air(with_voxels(clean, np.hypot(true + real, imaginary)))
    plain = snr_air(with_voxels(clean, np.hypot(clean.voxels + real, imaginary)))
    # A ghost along the rows lifts the noise above and below the object, not beside it: the truth of 30 is still held.
    assert abs(found.value - 30.0) < 2 * found.standard_uncertainty
    assert found.standard_uncertainty > 3 * plain.standard_uncertainty


DERIVED, ORIGINAL = ("DERIVED", "PRIMARY"), ("ORIGINAL", "PRIMARY")


@pytest.mark.parametrize(
    ("kind", "code"),
    [
        ((*DERIVED, "DIFFUSION", "ADC"), "quality.air-not-measured"),
        ((*ORIGINAL, "ADC_UNSPECIFIED", "ADC"), "quality.air-not-measured"),
        ((*DERIVED, "M", "ND", "SUB"), "quality.air-not-measured"),
        ((*ORIGINAL, "M", "ND", "SUB"), "quality.air-not-measured"),
        ((*DERIVED, "DIFFUSION", "CALC_BVALUE"), "quality.air-not-measured"),
        (("DERIVED", "SECONDARY", "OTHER"), "quality.air-not-measured"),
        ((*ORIGINAL, "P", "ND"), "quality.not-a-magnitude"),
        ((*ORIGINAL, "PHASE MAP", "P", "FFE"), "quality.not-a-magnitude"),
        ((*ORIGINAL, "M", "ND", "NORM"), "quality.noise-evened-out"),
        ((*DERIVED, "DIFFUSION", "TRACEW", "NORM"), "quality.noise-evened-out"),
        ((*ORIGINAL, "m", "nd", " norm "), "quality.noise-evened-out"),
    ],
    ids=str,
)
def test_air_that_is_not_as_measured_is_refused_whatever_it_looks_like(kind, code):
    volume = rician_cylinder(signal=300.0, noise=10.0)
    stack = decay(40.0, 1.1e-3, 800.0)
    for refused in (lambda: snr_air(volume, *kind), lambda: snr_highest_b(stack, *kind)):
        with pytest.raises(Undefined) as caught:
            refused()
        assert caught.value.code == code


@pytest.mark.parametrize(
    "kind",
    [
        (*ORIGINAL, "M", "ND"),
        (*ORIGINAL, "M", "DIS2D"),
        (*ORIGINAL, "M", "ND", "DIS3D"),
        (*ORIGINAL, "M_SE", "M", "SE"),
        (*ORIGINAL, "OTHER"),
        (*ORIGINAL, "DIFFUSION", "NONE"),
        (*DERIVED, "DIFFUSION", "TRACEW"),
    ],
    ids=str,
)
def test_magnitudes_as_vendors_name_them_are_measured(kind):
    assert snr_air(rician_cylinder(signal=300.0, noise=10.0), *kind).value == pytest.approx(30.0, rel=0.02)


def test_a_b_value_that_was_computed_has_no_noise_of_its_own():
    stack = decay(40.0, 1.1e-3, 800.0)
    acquisition = replace(magnitude_series(stack.volumes[0])["acquisition"], synthetic_b=True)
    with pytest.raises(Undefined) as caught:
        of_highest_b.snr_highest_b(stack, acquisition)
    assert caught.value.code == "quality.air-not-measured"


def test_a_trace_image_is_as_uncertain_as_its_averaging_of_magnitudes_leaves_it():
    directions = [rician_cylinder(signal=300.0, noise=10.0, seed=seed).voxels for seed in range(3)]
    volume = rician_cylinder(signal=300.0, noise=10.0)
    # The geometric mean of three directions: in tissue the noise falls by sqrt(3).
    trace = np.exp(np.mean(np.log(directions), axis=0))
    found = snr_air(with_voxels(volume, trace), *DERIVED, "DIFFUSION", "TRACEW")
    assert abs(found.value - 30.0 * math.sqrt(3.0)) < 2 * found.standard_uncertainty
    assert found.standard_uncertainty < 0.05 * found.value


def test_half_a_background_that_was_set_to_a_number_is_no_noise():
    volume = rician_cylinder(signal=400.0, noise=10.0)
    masked = np.where(radius_mm(volume.geometry) < 80.0, volume.voxels, np.float32(17.0))
    with pytest.raises(Undefined) as caught:
        snr_air(with_voxels(volume, masked))
    assert caught.value.code == "quality.background-masked"


def test_in_air_of_one_channel_the_deviation_is_that_of_a_rayleigh_distribution():
    assert _deviation_share(1.0) == pytest.approx(math.sqrt(2.0 - math.pi / 2.0), rel=1e-12)
    assert _beta(1.0) == pytest.approx(math.sqrt(math.pi / 2.0), rel=1e-12)
    assert pytest.approx(math.sqrt(math.pi / (4.0 - math.pi)), abs=1e-4) == RAYLEIGH_RATIO
    # With many channels the magnitude in air is normal, of variance 1/2 in the limit of the chi distribution.
    assert _deviation_share(1e5) == pytest.approx(math.sqrt(0.5), rel=1e-3)


@pytest.mark.slow
@pytest.mark.parametrize(("ratio", "b", "channels"), [(60.0, 800.0, 1), (30.0, 1500.0, 1), (40.0, 800.0, 4)])
def test_the_highest_b_holds_the_truth_over_many_scans(ratio, b, channels):
    expected = ratio * math.exp(-1.1e-3 * b)
    found = []
    for seed in range(40):
        volumes = tuple(
            rician_cylinder(signal=10.0 * one, noise=10.0, channels=channels, seed=100 * seed + k, shape=(2, 160, 160))
            for k, one in enumerate((ratio, expected))
        )
        found.append(snr_highest_b(Stack(volumes=volumes, axis="b_value", values=(0.0, b), unit="s/mm2")))
    values = np.array([one.value for one in found])
    pulls = (values - expected) / [one.standard_uncertainty for one in found]
    # 95 % of 40 with at most three binomial standard errors less: 34 at least.
    assert np.count_nonzero(np.abs(pulls) <= 2.0) >= 34
    # 700 blocks of 36 voxels fix sigma to 0.5 %; three standard errors of 40 such are 0.3 %, and channels add 1 %.
    assert values.mean() == pytest.approx(expected, rel=0.015)
