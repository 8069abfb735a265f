"""The ADC: exact without noise, least squares with it, and no value where the b-values can't give one."""

from __future__ import annotations

import csv
from pathlib import Path

import numpy as np
import pydicom
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import ndimage, optimize

from bingcheng.core.errors import Undefined
from bingcheng.image.geometry import VolumeGeometry
from bingcheng.image.region import Region
from bingcheng.image.volume import Stack, Volume
from bingcheng.quantify.diffusion import adc, adc_distribution, adc_mean

TISSUES = Path(__file__).parents[1] / "reference" / "adc_ivim_tissues.csv"


def stack(b_values, signals, valid=None):
    """A stack from signals (b, z, y, x)."""
    signals = np.asarray(signals, dtype=np.float32)
    grid = VolumeGeometry(shape=signals.shape[1:], spacing_mm=(5.0, 2.0, 2.0))
    volumes = tuple(Volume(voxels=s, geometry=grid, unit="{arbitrary}", valid=valid) for s in signals)
    return Stack(volumes=volumes, axis="b_value", values=tuple(map(float, b_values)), unit="s/mm2")


def decays(b_values, diffusivity, s0=1000.0):
    b = np.reshape(b_values, (-1, 1, 1, 1))
    return s0 * np.exp(-b * np.asarray(diffusivity))


@given(
    diffusivity=st.floats(0.05e-3, 3.5e-3),
    s0=st.floats(1.0, 1e5),
    b_values=st.sets(st.integers(0, 1500), min_size=2, max_size=8).filter(lambda b: max(b) - min(b) >= 300),
)
@settings(max_examples=60, deadline=None)
def test_without_noise_the_diffusivity_comes_back(diffusivity, s0, b_values):
    b_values = sorted(b_values)
    found = adc(stack(b_values, decays(b_values, np.full((1, 1, 1), diffusivity), s0)))
    # Signals are float32: 6e-8 each, over a span of at least 300 s/mm2.
    assert found.valid.all()
    assert found.voxels[0, 0, 0] == pytest.approx(diffusivity, rel=1e-5, abs=2e-9)


@given(gain=st.floats(1e-3, 1e3))
@settings(max_examples=10, deadline=None)
def test_the_receiver_gain_does_not_matter(gain):
    b = (0, 200, 800)
    signals = decays(b, np.full((1, 2, 2), 1e-3)) + np.random.default_rng(0).normal(0, 20, (3, 1, 2, 2))
    assert adc(stack(b, gain * signals)).voxels == pytest.approx(adc(stack(b, signals)).voxels, rel=1e-4)


def test_noisy_signals_give_the_least_squares_fit():
    generator = np.random.default_rng(1)
    b = np.array((0.0, 50.0, 200.0, 400.0, 600.0, 800.0))
    signals = decays(b, generator.uniform(0.4e-3, 2.5e-3, (1, 4, 10))) + generator.normal(0, 40, (6, 1, 4, 10))
    found = adc(stack(b, signals)).voxels.ravel()
    for v, own in enumerate(signals.reshape(6, -1).T.astype(np.float32)):
        fit, _ = optimize.curve_fit(lambda x, s, d: s * np.exp(-x * 1e-3 * d), b, own, p0=(1000.0, 1.0))
        assert found[v] == pytest.approx(fit[1] * 1e-3, rel=1e-4, abs=1e-8)


def test_the_scanner_reports_what_we_fit_on_a_diffusion_phantom(reference_data):
    folder = reference_data / "08_mr_phantoms" / "dwi"
    images = {}
    for path in (folder / "DIFFUSION_PHASE").glob("*.dcm"):
        instance = pydicom.dcmread(path)
        diffusion = instance.PerFrameFunctionalGroupsSequence[0].MRDiffusionSequence[0]
        images[float(diffusion.DiffusionBValue)] = instance.pixel_array.astype(np.float32)
    assert len(images) == 11
    b_values = sorted(images)
    found = adc(stack(b_values, [images[b][None] for b in b_values]))
    scanner = pydicom.dcmread(folder / "DIFFUSION_PHASE_ADC" / "1.dcm").pixel_array * 1e-6
    water = ndimage.binary_erosion((images[0.0] > 60.0) & (scanner > 0.0), iterations=2)
    assert np.count_nonzero(water) > 2000
    assert found.voxels[0][water].mean() == pytest.approx(scanner[water].mean(), rel=0.04)


def tissues():
    with TISSUES.open() as stream:
        return list(csv.DictReader(row for row in stream if not row.startswith("#")))


@pytest.mark.parametrize("row", tissues(), ids=lambda row: row["tissue"])
def test_at_high_b_the_fit_finds_the_tissue_diffusivity_of_the_osipi_signals(row):
    # Above 200 s/mm2 the perfusion fraction has decayed: exp(-250 x 0.01) = 8 % of f <= 0.2 is left, on top of which
    # stands the noise of 0.0005 to 0.02 of the signal.
    signals = [float(value) for value in row["signals"].split()]
    b = [float(value) for value in row["b_values_s_per_mm2"].split()]
    found = adc(stack(b, np.reshape(signals, (-1, 1, 1, 1)))).voxels[0, 0, 0]
    assert found == pytest.approx(float(row["d_mm2_per_s"]), rel=float(row["rtol"]))


def test_b_values_beyond_the_mono_exponential_range_are_not_used():
    b = (0, 400, 800, 2500)
    signals = decays(b, np.full((1, 1, 1), 1e-3))
    signals[-1] = 400.0
    assert adc(stack(b, signals)).voxels[0, 0, 0] == pytest.approx(1e-3, rel=1e-5)


@pytest.mark.parametrize(
    ("b_values", "code"),
    [
        ((800,), "quantify.too-few-b-values"),
        ((0, 2000, 3000), "quantify.too-few-b-values"),
        ((0, 50, 100), "quantify.narrow-b-range"),
    ],
)
def test_b_values_that_give_no_adc_are_named(b_values, code):
    with pytest.raises(Undefined) as caught:
        adc(stack(b_values, decays(b_values, np.full((1, 1, 1), 1e-3))))
    assert caught.value.code == code


def test_voxels_without_signal_are_not_valid_and_are_left_out_of_a_lesion():
    b = (0, 800)
    signals = decays(b, np.full((1, 3, 3), 1e-3))
    signals[:, 0, 0, 0] = 0.0
    signals[1, 0, 0, 1] = 0.0
    signals[:, 0, 0, 2] = (1.0, 1e-9)
    found = adc(stack(b, signals))
    assert found.valid[0].tolist() == [[False] * 3, [True] * 3, [True] * 3]
    lesion = Region(mask=np.ones((1, 3, 3), bool), start=(0, 0, 0), grid=found.geometry, label="lesion")
    assert adc_mean(found, lesion) == pytest.approx(1.0, rel=1e-5)
    assert adc_distribution(found, lesion)["median"] == pytest.approx(1.0, rel=1e-5)
    top = Region(mask=np.ones((1, 1, 3), bool), start=(0, 0, 0), grid=found.geometry, label="top")
    with pytest.raises(Undefined) as caught:
        adc_mean(found, top)
    assert caught.value.code == "quantify.no-diffusion-signal"


def test_padding_stays_padding():
    valid = np.array([[[True, False]]])
    found = adc(stack((0, 800), decays((0, 800), np.full((1, 1, 2), 1e-3)), valid=valid))
    assert found.valid.tolist() == valid.tolist()
