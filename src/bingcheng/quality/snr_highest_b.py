"""Signal-to-noise ratio of the strongest diffusion weighting."""

from __future__ import annotations

import numpy as np

from bingcheng.core.errors import Owner, Problem, Undefined
from bingcheng.core.measure import Better, Estimate, Givens, Reference, ReferenceKind, measure
from bingcheng.dicom.acquisition import Acquisition
from bingcheng.image.volume import Stack
from bingcheng.quality.known_objects import magnitude_series, rician_cylinder
from bingcheng.quality.magnitude import air_noise, blocks, signal_to_noise, tissue
from bingcheng.quality.magnitude_origin import require_measured_air

ONE_B_VALUE = Problem(
    code="quality.one-b-value",
    says="the series has one b-value only",
    remedy="Send all b-values of the diffusion series together.",
    owner=Owner.TECHNOLOGIST,
)

WHY = "some 2,000 blocks of 36 voxels fix noise and signal to 0.5 % at SNR 5; the rest is for another random stream"


def _decay(b_s_per_mm2: float, adc_mm2_per_s: float) -> Givens:
    """A cylinder with SNR 40 at b = 0."""
    after = 400.0 * float(np.exp(-b_s_per_mm2 * adc_mm2_per_s))
    volumes = (
        rician_cylinder(signal=400.0, noise=10.0, seed=1),
        rician_cylinder(signal=after, noise=10.0, seed=2),
    )
    stack = Stack(volumes=volumes, axis="b_value", values=(0.0, b_s_per_mm2), unit="s/mm2")
    return {**magnitude_series(volumes[0]), "diffusion": stack}


@measure(
    label="Signal-to-noise ratio at the highest b-value (noise from air)",
    unit="1",
    modalities={"MR"},
    better=Better.HIGHER,
    revision=2,
    source="as snr_air; tissue found on the lowest b-value",
    references=(
        Reference(
            name="ADC 1.1e-3 mm2/s, b 800",
            case=lambda: _decay(800.0, 1.1e-3),
            expect=40.0 * float(np.exp(-0.88)),
            rtol=0.02,
            kind=ReferenceKind.ANALYTIC,
            source="mono-exponential decay that was put in",
            why=WHY,
        ),
        Reference(
            name="ADC 2.0e-3 mm2/s, b 1000",
            case=lambda: _decay(1000.0, 2.0e-3),
            expect=40.0 * float(np.exp(-2.0)),
            rtol=0.03,
            kind=ReferenceKind.ANALYTIC,
            source="mono-exponential decay that was put in",
            why=WHY,
        ),
    ),
)
def snr_highest_b(diffusion: Stack, acquisition: Acquisition) -> Estimate:
    """The median signal at the highest b-value, over the tissue that the lowest shows, over the SD of the noise.

    As `snr_air`, but which blocks show tissue is decided on the lowest b-value, where there is more signal. Below
    about 3 the ADC is biased low, because the noise lifts the signal of the highest b-value.

    Parameters
    ----------
    diffusion : magnitude images along b-value.
    acquisition : as for `snr_air`.

    Returns
    -------
    Estimate
        1, > 0, with the standard uncertainty of `snr_air`.

    Raises
    ------
    Undefined
        ``quality.air-not-measured``, ``quality.not-a-magnitude``, ``quality.noise-evened-out``: by the image type.
        ``quality.one-b-value``, ``quality.background-masked``, ``quality.too-little-air``,
        ``quality.background-not-noise``, ``quality.no-signal``.

    Notes
    -----
    As for `snr_air`. Images that were averaged over directions or repeats after taking the magnitude hide signal below
    the noise; the share of the noise that is subtracted is then approximate.
    """
    if len(diffusion) < 2:
        raise Undefined(ONE_B_VALUE)
    require_measured_air(acquisition)
    bright = tissue(blocks(diffusion.volumes[0]))
    found = blocks(diffusion.volumes[-1])
    return signal_to_noise(found, bright, air_noise(found, bright))
