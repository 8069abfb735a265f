"""CT series and their localisers, one file a slice (PS3.3 A.3)."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from pydicom.dataset import Dataset
from pydicom.uid import CTImageStorage

from bingcheng.core.codes import Code
from bingcheng.dicom.acquisition import CtAcquisition
from bingcheng.dicom.write.header import (
    StudyHeader,
    coded,
    contrast,
    decimal,
    grid,
    header,
    sequence,
    stored,
)
from bingcheng.dicom.write.slices import write_slices
from bingcheng.image.volume import Volume

AIR_HU = -1024.0
"""The least CT number that twelve-bit scanners store."""

MOST_HU = 3071.0

GE_PADDING = -2000
"""What GE stores, as a signed value, outside the reconstructed circle."""

# PS3.16 CID 4052: the phantom that CTDIvol refers to, by its diameter in cm
CTDI_PHANTOMS = (
    (16.0, Code("113690", "DCM", "IEC Head Dosimetry Phantom")),
    (32.0, Code("113691", "DCM", "IEC Body Dosimetry Phantom")),
)


def write_ct(
    volume: Volume, facts: CtAcquisition, study: StudyHeader, folder: Path, *, series_number: int
) -> tuple[Path, ...]:
    """Write a volume in HU as a CT series; values are rounded to 1 HU and kept within -1024 and 3071 HU.

    GE stores signed values and pads the corners outside the reconstructed circle; the others store unsigned values
    with an intercept of -1024. Voxels that are not `valid` become padding.

    Parameters
    ----------
    volume : in HU, (z, y, x).
    facts : how it was acquired; facts that are None are not written.
    study : the study and patient.
    folder : where to; made if absent.
    series_number : as shown on the console.

    Returns
    -------
    The files, in the order of z.

    Raises
    ------
    InputError
        ``dicom.no-start-time``.
    """
    data = header(study, facts, series_number=series_number, sop_class_uid=CTImageStorage)
    grid(data, volume.geometry, facts)
    contrast(data, facts)
    _scan(data, facts)
    _dose(data, facts)
    signed = facts.device.vendor == "GE"
    data.PixelRepresentation = int(signed)
    data.RescaleIntercept, data.RescaleSlope, data.RescaleType = "-1024", "1", "HU"
    data.WindowCenter, data.WindowWidth = "40", "400"
    if signed or volume.valid is not None:
        data.PixelPaddingValue = GE_PADDING if signed else 0
    padding = _padding(volume, circle=signed)

    def fill(own: Dataset, index: int) -> None:
        values = np.clip(volume.voxels[index], AIR_HU, MOST_HU)
        pixels = stored(values, slope=1.0, intercept=AIR_HU, signed=signed)
        outside = padding(index)
        if outside is not None:
            pixels[outside] = data.PixelPaddingValue
        own.PixelData = pixels.tobytes()

    return write_slices(data, volume.geometry, folder, fill)


def write_localiser(
    image: Volume, facts: CtAcquisition, study: StudyHeader, folder: Path, *, series_number: int
) -> Path:
    """Write one projection image (1, y, x) as the localiser of a CT exam; its type says LOCALIZER."""
    marked = replace(facts, image_type=("ORIGINAL", "PRIMARY", "LOCALIZER"), contrast_agent=None)
    return write_ct(image, marked, study, folder, series_number=series_number)[0]


def _scan(data: Dataset, facts: CtAcquisition) -> None:
    data.AcquisitionNumber = 1
    data.KVP = "" if facts.kvp_kv is None else decimal(facts.kvp_kv)
    for keyword, value in (
        ("DataCollectionDiameter", 500.0),
        ("ReconstructionDiameter", facts.reconstruction_diameter_mm),
        ("GantryDetectorTilt", facts.gantry_tilt_deg),
    ):
        if value is not None:
            setattr(data, keyword, decimal(value))
    for keyword, value in (
        ("XRayTubeCurrent", facts.tube_current_ma),
        ("Exposure", facts.exposure_mas),
        ("ExposureTime", None if facts.rotation_time_s is None else facts.rotation_time_s * 1e3),
    ):
        if value is not None:
            setattr(data, keyword, round(value))
    for keyword, value in (
        ("RevolutionTime", facts.rotation_time_s),
        ("SpiralPitchFactor", facts.pitch),
        ("TotalCollimationWidth", facts.total_collimation_mm),
        ("SingleCollimationWidth", facts.single_collimation_mm),
    ):
        if value is not None:
            setattr(data, keyword, float(value))
    if facts.scan_options:
        data.ScanOptions = list(facts.scan_options)
    if facts.acquisition_type:
        data.AcquisitionType = facts.acquisition_type
    if facts.convolution_kernel:
        data.ConvolutionKernel = facts.convolution_kernel.split("\\")


def _dose(data: Dataset, facts: CtAcquisition) -> None:
    if facts.exposure_modulation:
        data.ExposureModulationType = facts.exposure_modulation
    if facts.ctdi_vol_mgy is not None:
        data.CTDIvol = float(facts.ctdi_vol_mgy)
    if facts.irradiation_event_uids:
        data.IrradiationEventUID = list(facts.irradiation_event_uids)
    for diameter_cm, code in CTDI_PHANTOMS:
        if facts.ctdi_phantom_cm == diameter_cm:
            data.CTDIPhantomTypeCodeSequence = sequence(coded(code))


class _padding:  # noqa: N801 - reads as the function that it is
    """Which pixels of a slice were not reconstructed: outside the circle that fills the image, or not valid."""

    def __init__(self, volume: Volume, *, circle: bool) -> None:
        self._valid = volume.valid
        self._corners: NDArray[np.bool_] | None = None
        if circle:
            rows, columns = volume.geometry.shape[1:]
            y, x = np.ogrid[:rows, :columns]
            centre_y, centre_x = (rows - 1) / 2, (columns - 1) / 2
            self._corners = np.hypot(y - centre_y, x - centre_x) > min(rows, columns) / 2

    def __call__(self, index: int) -> NDArray[np.bool_] | None:
        if self._valid is None:
            return self._corners
        invalid: NDArray[np.bool_] = ~self._valid[index]
        return invalid if self._corners is None else invalid | self._corners
