"""MR series, one file a slice and b-value (PS3.3 A.4), b-values where each vendor puts them."""

from __future__ import annotations

from pathlib import Path

from pydicom.dataset import Dataset
from pydicom.uid import MRImageStorage

from bingcheng.core.errors import InputError, Owner, Problem
from bingcheng.dicom.acquisition import MrAcquisition
from bingcheng.dicom.write.header import StudyHeader, contrast, decimal, grid, header, stored, write_slices
from bingcheng.image.volume import Stack, Volume

NOT_DIFFUSION = Problem(
    code="dicom.not-a-diffusion-stack",
    says="only stacks along b_value can be written as a series, not along {axis}",
    remedy="Write each volume as its own series.",
    owner=Owner.DEVELOPER,
)

GE_B_OFFSET = 1_000_000_000
"""GE adds this to b-values of combined images."""


def write_mr(
    images: Volume | Stack, facts: MrAcquisition, study: StudyHeader, folder: Path, *, series_number: int
) -> tuple[Path, ...]:
    """Write a volume, or a diffusion stack along b-value, as a classic MR series; signals are rounded to integers.

    The b-value stands where the vendor puts it: GE (0043,1039) with its offset of 1e9, Philips (2001,1003), Siemens
    (0019,100C), UIH (0065,1009), all others (0018,9087).

    Parameters
    ----------
    images : signals between 0 and 65535, (z, y, x) or a stack of such.
    facts, study, folder, series_number : as in `bingcheng.dicom.write.ct.write_ct`.

    Returns
    -------
    The files: all slices of the first volume in the order of z, then those of the next.

    Raises
    ------
    InputError
        ``dicom.no-start-time``, ``dicom.value-out-of-range``, ``dicom.not-a-diffusion-stack``.
    """
    if isinstance(images, Volume):
        pairs: list[tuple[float | None, Volume]] = [(None, images)]
    elif images.axis == "b_value":
        pairs = list(images)
    else:
        raise InputError(NOT_DIFFUSION, axis=images.axis)
    paths: list[Path] = []
    for b_value, volume in pairs:
        data = header(study, facts, series_number=series_number, sop_class_uid=MRImageStorage)
        grid(data, volume.geometry, facts)
        contrast(data, facts)
        _sequence_facts(data, facts)
        data.SpacingBetweenSlices = decimal(volume.geometry.spacing_mm[0])
        if b_value is not None:
            _diffusion(data, b_value, facts)
        paths += write_slices(data, volume.geometry, folder, _filler(volume), first=len(paths) + 1)
    return tuple(paths)


class _filler:  # noqa: N801 - reads as the function that it is
    """Puts the pixels of a slice of `volume` into a dataset."""

    def __init__(self, volume: Volume) -> None:
        self._volume = volume

    def __call__(self, data: Dataset, index: int) -> None:
        data.PixelData = stored(self._volume.voxels[index], slope=1.0, intercept=0.0).tobytes()


def _sequence_facts(data: Dataset, facts: MrAcquisition) -> None:
    data.AcquisitionNumber = 1
    data.ScanningSequence = list(facts.scanning_sequence or ("RM",))
    data.SequenceVariant = list(facts.sequence_variant or ("NONE",))
    data.ScanOptions = ""
    data.MRAcquisitionType = facts.acquisition_type or "2D"
    for keyword, value in (
        ("RepetitionTime", facts.repetition_time_ms),
        ("EchoTime", facts.echo_times_ms[0] if facts.echo_times_ms else None),
        ("InversionTime", facts.inversion_time_ms),
        ("FlipAngle", facts.flip_angle_deg),
        ("NumberOfAverages", facts.averages),
        ("PixelBandwidth", facts.pixel_bandwidth_hz),
        ("PercentPhaseFieldOfView", facts.percent_phase_fov),
        ("MagneticFieldStrength", facts.field_strength_t),
        ("ReconstructionDiameter", facts.reconstruction_diameter_mm),
    ):
        if value is not None:
            setattr(data, keyword, decimal(value))
    data.EchoTrainLength = facts.echo_train_length or ""
    if facts.sequence_name:
        data.SequenceName = facts.sequence_name
    direction = facts.phase_direction
    if direction:
        data.InPlanePhaseEncodingDirection = direction
    if facts.acquisition_matrix:
        frequency, phase = facts.acquisition_matrix
        # PS3.3 C.8.3.1: frequency rows, frequency columns, phase rows, phase columns; two of the four are zero
        data.AcquisitionMatrix = [0, frequency, phase, 0] if direction == "COL" else [frequency, 0, 0, phase]


def _diffusion(data: Dataset, b_value: float, facts: MrAcquisition) -> None:
    vendor = facts.device.vendor
    if vendor == "GE":
        block = data.private_block(0x0043, "GEMS_PARM_01", create=True)
        block.add_new(0x39, "IS", [round(b_value) + (GE_B_OFFSET if b_value else 0), 8, 0, 0])
    elif vendor == "PHILIPS":
        data.private_block(0x2001, "Philips Imaging DD 001", create=True).add_new(0x03, "FL", float(b_value))
    elif vendor == "SIEMENS":
        block = data.private_block(0x0019, "SIEMENS MR HEADER", create=True)
        block.add_new(0x0C, "IS", round(b_value))
        block.add_new(0x0D, "CS", "DIRECTIONAL" if b_value else "NONE")
    elif vendor == "UIH":
        data.private_block(0x0065, "Image Private Header", create=True).add_new(0x09, "FD", float(b_value))
    else:
        data.DiffusionBValue = float(b_value)
