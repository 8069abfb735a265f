"""Signal-to-noise ratio of an MR image, with the noise from the air around the patient."""

from __future__ import annotations

from bingcheng.core.measure import Better, Estimate, Reference, ReferenceKind, measure
from bingcheng.dicom.acquisition import Acquisition
from bingcheng.image.volume import Volume
from bingcheng.quality.known_objects import magnitude_series, rician_cylinder
from bingcheng.quality.magnitude import air_noise, blocks, signal_to_noise, tissue
from bingcheng.quality.magnitude_origin import require_measured_air

WHY = "some 2,000 blocks of 36 voxels fix the noise to 0.3 %; the rest is for another random stream"


@measure(
    label="Signal-to-noise ratio (noise from air)",
    unit="1",
    modalities={"MR"},
    better=Better.HIGHER,
    revision=2,
    source="NEMA MS 1-2008, method 4 (air, SD / 0.655); many channels: Constantinides et al., MRM 1997;38:852",
    references=(
        Reference(
            name="uniform cylinder, one channel, SNR 20",
            case=lambda: magnitude_series(rician_cylinder(signal=200.0, noise=10.0, seed=1)),
            expect=20.0,
            rtol=0.02,
            kind=ReferenceKind.ANALYTIC,
            source="signal and noise that were put in",
            why=WHY,
        ),
        Reference(
            name="uniform cylinder, one channel, SNR 100",
            case=lambda: magnitude_series(rician_cylinder(signal=1000.0, noise=10.0, seed=2)),
            expect=100.0,
            rtol=0.02,
            kind=ReferenceKind.ANALYTIC,
            source="signal and noise that were put in",
            why=WHY,
        ),
        Reference(
            name="uniform cylinder, four channels, SNR 40",
            case=lambda: magnitude_series(rician_cylinder(signal=400.0, noise=10.0, channels=4, seed=3)),
            expect=40.0,
            rtol=0.02,
            kind=ReferenceKind.ANALYTIC,
            source="signal and noise that were put in",
            why=WHY,
        ),
    ),
)
def snr_air(volume: Volume, acquisition: Acquisition) -> Estimate:
    """The median signal of the tissue in view over the SD of the noise.

    The image is cut into square blocks (about 24 across). Tissue is what Otsu's threshold parts from the rest; the
    signal is the median over its inner blocks, the noise's own contribution subtracted. The noise is read from blocks
    of air that touch no tissue: the pooled SD there, over the share of sigma that the SD in air has (0.655 for one
    channel, towards 0.707 for many, told by the ratio of mean to SD in the same air). Of a diffusion series it is the
    SNR of the lowest b-value.

    Parameters
    ----------
    volume : magnitude image (z, y, x), any scale.
    acquisition : its image type tells whether air is still as it was measured.

    Returns
    -------
    Estimate
        1, > 0; does not change with the scale of the image. The standard uncertainty holds the scatter of the blocks,
        how far the noise differs between the air's sides (a faint ghost), and, with more than one effective channel,
        what averaging of magnitudes could have done to the noise in air.

    Raises
    ------
    Undefined
        ``quality.air-not-measured``, ``quality.not-a-magnitude``, ``quality.noise-evened-out``: by the image type.
        ``quality.background-masked``, ``quality.too-little-air``, ``quality.background-not-noise``,
        ``quality.no-signal``.

    Notes
    -----
    Parallel imaging makes noise vary over the image, so air tells little of the noise inside; filters and interpolation
    smooth it and raise the ratio. The median over the tissue in view depends on contrast and field of view: compare it
    within one protocol, or in a phantom. Two repeated images (NEMA method 1, Dietrich 2007) would need no air.
    """
    require_measured_air(acquisition)
    found = blocks(volume)
    bright = tissue(found)
    return signal_to_noise(found, bright, air_noise(found, bright))
