"""MR series, one file a slice and volume (PS3.3 A.4), b-values, phases and durations where each vendor puts them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

from pydicom.dataset import Dataset
from pydicom.uid import MRImageStorage

from bingcheng.core.errors import InputError, Owner, Problem
from bingcheng.dicom.acquisition import MrAcquisition
from bingcheng.dicom.write.header import StudyHeader, contrast, decimal, grid, header, stored
from bingcheng.dicom.write.slices import write_slices
from bingcheng.image.volume import Stack, Volume

NOT_A_SERIES = Problem(
    code="dicom.not-a-diffusion-stack",
    says="only stacks along b_value or time can be written as a series, not along {axis}",
    remedy="Write each volume as its own series.",
    owner=Owner.DEVELOPER,
)

GE_B_OFFSET = 1_000_000_000
"""GE adds this to b-values of combined images."""

Mark = Callable[[Dataset], None]


def write_mr(
    images: Volume | Stack, facts: MrAcquisition, study: StudyHeader, folder: Path, *, series_number: int
) -> tuple[Path, ...]:
    """Write a volume, or a stack along b-value or time, as a classic MR series; signals are rounded to integers.

    The b-value stands where the vendor puts it: GE (0043,1039) with its offset of 1e9, Philips (2001,1003), Siemens
    (0019,100C), UIH (0065,1009), all others (0018,9087). The phases of a dynamic series have a temporal position; when
    each began stands in its acquisition time, with GE in the trigger time, beside the acquisition time of the first.

    Parameters
    ----------
    images : signals between 0 and 65535, (z, y, x) or a stack of such; times are in s after the first phase.
    facts, study, folder, series_number : as in `bingcheng.dicom.write.ct.write_ct`.

    Returns
    -------
    The files: all slices of the first volume in the order of z, then those of the next.

    Raises
    ------
    InputError
        ``dicom.no-start-time``, ``dicom.value-out-of-range``, ``dicom.not-a-diffusion-stack``.
    """
    paths: list[Path] = []
    for volume, own, mark in _volumes(images, facts):
        data = header(study, own, series_number=series_number, sop_class_uid=MRImageStorage)
        grid(data, volume.geometry, own)
        contrast(data, own)
        _sequence_facts(data, own)
        _duration(data, own)
        data.SpacingBetweenSlices = decimal(volume.geometry.spacing_mm[0])
        mark(data)
        paths += write_slices(data, volume.geometry, folder, _filler(volume), first=len(paths) + 1)
    return tuple(paths)


def _volumes(images: Volume | Stack, facts: MrAcquisition) -> list[tuple[Volume, MrAcquisition, Mark]]:
    """Each volume with its own facts, and what else marks its files."""
    if isinstance(images, Volume):
        return [(images, facts, lambda _: None)]
    if images.axis == "b_value":
        return [(volume, facts, _Weighted(b_value, facts)) for b_value, volume in images]
    if images.axis != "time":
        raise InputError(NOT_A_SERIES, axis=images.axis)
    begun = [facts if facts.device.vendor == "GE" else _later(facts, time) for time, _ in images]
    return [
        (volume, own, _Phase(number, len(images), time if facts.device.vendor == "GE" else None))
        for number, ((time, volume), own) in enumerate(zip(images, begun, strict=True), start=1)
    ]


def _later(facts: MrAcquisition, seconds: float) -> MrAcquisition:
    if facts.started_at is None:
        return facts
    return replace(facts, started_at=facts.started_at + timedelta(seconds=seconds))


class _Phase:
    """Marks the files of one phase of a dynamic series."""

    def __init__(self, number: int, count: int, delay_s: float | None) -> None:
        self._number, self._count, self._delay_s = number, count, delay_s

    def __call__(self, data: Dataset) -> None:
        data.TemporalPositionIdentifier = self._number
        data.NumberOfTemporalPositions = self._count
        if self._delay_s is not None:
            data.TriggerTime = decimal(self._delay_s * 1e3)


class _filler:  # noqa: N801 - reads as the function that it is
    """Puts the pixels of a slice of `volume` into a dataset."""

    def __init__(self, volume: Volume) -> None:
        self._volume = volume

    def __call__(self, data: Dataset, index: int) -> None:
        data.PixelData = stored(self._volume.voxels[index], slope=1.0, intercept=0.0).tobytes()


def options_of(facts: MrAcquisition) -> tuple[str, ...]:
    """The scan options, with the word for the fat suppression that they may lack."""
    word = {"SPECTRAL": "FS", "WATER_EXCITATION": "WE"}.get(facts.fat_suppression or "")
    return facts.scan_options if word is None or word in facts.scan_options else (*facts.scan_options, word)


def _sequence_facts(data: Dataset, facts: MrAcquisition) -> None:
    data.AcquisitionNumber = 1
    data.ScanningSequence = list(facts.scanning_sequence or ("RM",))
    data.SequenceVariant = list(facts.sequence_variant or ("NONE",))
    data.ScanOptions = list(options_of(facts)) or ""
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
    for keyword, word in (
        ("SequenceName", facts.sequence_name),
        ("InPlanePhaseEncodingDirection", facts.phase_direction),
        ("ReceiveCoilName", facts.receive_coil),
        # Attributes of enhanced objects, which newer software writes into classic ones too
        ("ReceiveCoilType", facts.receive_coil_type),
        ("AcquisitionContrast", facts.acquisition_contrast),
        ("ParallelReductionFactorInPlane", facts.parallel_reduction_factor),
    ):
        if word is not None:
            setattr(data, keyword, word)
    if facts.acquisition_matrix:
        frequency, phase = facts.acquisition_matrix
        # PS3.3 C.8.3.1: frequency rows, frequency columns, phase rows, phase columns; two of the four are zero
        column = facts.phase_direction == "COL"
        data.AcquisitionMatrix = [0, frequency, phase, 0] if column else [frequency, 0, 0, phase]


def _duration(data: Dataset, facts: MrAcquisition) -> None:
    """How long the run took, where the vendor puts it; what suppressed the fat, where only Philips says so."""
    vendor, seconds = facts.device.vendor, facts.acquisition_duration_s
    if vendor == "PHILIPS" and facts.fat_suppression in ("NONE", "SPECTRAL"):
        spir = "Y" if facts.fat_suppression == "SPECTRAL" else "N"
        data.private_block(0x2001, "Philips Imaging DD 001", create=True).add_new(0x21, "CS", spir)
        data.private_block(0x2005, "Philips MR Imaging DD 001", create=True).add_new(0x15, "CS", "N")
    if seconds is None:
        return
    if vendor == "PHILIPS":
        data.private_block(0x2005, "Philips MR Imaging DD 001", create=True).add_new(0x33, "FL", seconds)
    elif vendor == "GE":
        data.private_block(0x0019, "GEMS_ACQU_01", create=True).add_new(0x5A, "FL", seconds * 1e6)
    elif vendor == "SIEMENS":
        taken = f"TA {int(seconds) // 60:02d}:{int(seconds) % 60:02d}"
        data.private_block(0x0051, "SIEMENS MR HEADER", create=True).add_new(0x0A, "LO", taken)
    else:
        data.AcquisitionDuration = float(seconds)


class _Weighted:
    """Marks the files of one b-value as the vendor does."""

    def __init__(self, b_value: float, facts: MrAcquisition) -> None:
        self._b_value, self._vendor = b_value, facts.device.vendor

    def __call__(self, data: Dataset) -> None:
        b_value, vendor = self._b_value, self._vendor
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
