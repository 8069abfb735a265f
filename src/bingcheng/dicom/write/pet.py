"""PET series, one file a slice (PS3.3 A.21), with the vendors' habits of timing and units."""

from __future__ import annotations

import math
from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from types import MappingProxyType

import numpy as np
from pydicom.dataset import Dataset
from pydicom.uid import PositronEmissionTomographyImageStorage

from bingcheng.core.codes import Code
from bingcheng.core.errors import InputError, Owner, Problem
from bingcheng.dicom.acquisition import PetAcquisition
from bingcheng.dicom.write.header import (
    StudyHeader,
    clock,
    coded,
    decimal,
    grid,
    header,
    sequence,
    stored,
)
from bingcheng.dicom.write.slices import write_slices
from bingcheng.image.volume import Volume

NO_COUNTS_FACTOR = Problem(
    code="dicom.no-counts-factor",
    says="a PET series in counts can't be written without the factor from counts to Bq/ml",
    remedy="Give `stored_unit_factor` in the acquisition facts.",
    owner=Owner.DEVELOPER,
)

F18 = Code("77004003", "SCT", "^18^Fluorine")
FDG = Code("35321007", "SCT", "Fluorodeoxyglucose F^18^")

# PS3.16 CID 19, 20 and 21: how the patient lies, by (0018,5100)
RECUMBENT = Code("102538003", "SCT", "recumbent")
POSTURES: Mapping[str, Code] = MappingProxyType(
    {"S": Code("40199007", "SCT", "supine"), "P": Code("1240000", "SCT", "prone")}
)
ENTRIES: Mapping[str, Code] = MappingProxyType(
    {"HF": Code("102540001", "SCT", "headfirst"), "FF": Code("102541002", "SCT", "feet-first")}
)


def write_pet(
    volume: Volume, facts: PetAcquisition, study: StudyHeader, folder: Path, *, series_number: int
) -> tuple[Path, ...]:
    """Write activity concentrations in Bq/ml, decayed to `facts.decay_reference_at`, as a PET series.

    Siemens, GE, UIH and Canon store BQML with a slope for each slice; Philips stores counts (CNTS) with one slope and
    puts the factors to Bq/ml and to SUV into private tags. GE and Siemens add their private scan times. Negative values
    are stored as zero, as iterative reconstructions do.

    Parameters
    ----------
    volume : Bq/ml, (z, y, x).
    facts : `units` decides what is stored; with CNTS `stored_unit_factor` is Bq/ml for one count.
    study, folder, series_number : as in `bingcheng.dicom.write.ct.write_ct`.

    Raises
    ------
    InputError
        ``dicom.no-start-time``, ``dicom.no-counts-factor``.
    """
    data = header(study, facts, series_number=series_number, sop_class_uid=PositronEmissionTomographyImageStorage)
    grid(data, volume.geometry, facts)
    _orientation(data)
    _series(data, facts, volume.geometry.shape[0])
    _isotope(data, facts)
    _vendor(data, facts)
    data.PixelRepresentation = 1
    data.RescaleIntercept = "0"
    factor = 1.0
    if facts.units == "CNTS":
        if facts.stored_unit_factor is None:
            raise InputError(NO_COUNTS_FACTOR)
        factor = facts.stored_unit_factor
    whole = float(volume.voxels.max()) / factor if facts.units == "CNTS" else None

    def fill(own: Dataset, index: int) -> None:
        values = np.maximum(volume.voxels[index], 0.0) / np.float32(factor)
        top = float(values.max()) if whole is None else whole
        slope = float(decimal(max(top, 1e-6) / 32760.0))
        own.RescaleSlope = decimal(slope)
        own.ImageIndex = index + 1
        own.PixelData = stored(values, slope=slope, intercept=0.0, signed=True).tobytes()

    return write_slices(data, volume.geometry, folder, fill)


def _orientation(data: Dataset) -> None:
    """How the patient lies, in codes: PS3.3 C.8.4.6, which forbids (0018,5100) beside them."""
    position = str(data.get("PatientPosition", ""))
    data.PatientOrientationCodeSequence = sequence()
    data.PatientGantryRelationshipCodeSequence = sequence()
    if position[:2] in ENTRIES and position[2:] in POSTURES:
        item = coded(RECUMBENT)
        item.PatientOrientationModifierCodeSequence = sequence(coded(POSTURES[position[2:]]))
        data.PatientOrientationCodeSequence.append(item)
        data.PatientGantryRelationshipCodeSequence.append(coded(ENTRIES[position[:2]]))
    if "PatientPosition" in data:
        del data.PatientPosition


def _series(data: Dataset, facts: PetAcquisition, slices: int) -> None:
    data.Units = facts.units or "BQML"
    data.CountsSource = "EMISSION"
    data.SeriesType = ["WHOLE BODY", "IMAGE"]
    data.NumberOfSlices = slices
    data.CorrectedImage = list(facts.corrections)
    data.DecayCorrection = facts.decay_correction or "NONE"
    data.CollimatorType = "NONE"
    for keyword, value in (
        ("AttenuationCorrectionMethod", "measured,CT" if facts.attenuation_corrected else None),
        ("ScatterCorrectionMethod", "Model-based" if "SCAT" in facts.corrections else None),
        ("ReconstructionMethod", facts.reconstruction_method),
        ("ConvolutionKernel", facts.filter),
        ("RandomsCorrectionMethod", "DLYD" if "RAN" in facts.corrections else "NONE"),
    ):
        if value:
            setattr(data, keyword, value)
    if facts.reconstruction_diameter_mm is not None:
        data.ReconstructionDiameter = decimal(facts.reconstruction_diameter_mm)
    duration_s = facts.frame_duration_s or 0.0
    data.ActualFrameDuration = round(duration_s * 1e3)
    half_life_s = facts.half_life_s or math.inf
    decay = math.log(2.0) / half_life_s * duration_s
    # PS3.3 C.8.9.4.1.5: the time at which the decay rate is that of the frame's mean, from the series' reference
    mean_s = duration_s / decay * math.log(decay / (1.0 - math.exp(-decay))) if decay > 0 else duration_s / 2
    data.FrameReferenceTime = decimal(mean_s * 1e3)
    data.DecayFactor = decimal(decay / (1.0 - math.exp(-decay)) if decay > 0 else 1.0)


def _isotope(data: Dataset, facts: PetAcquisition) -> None:
    item = Dataset()
    item.Radiopharmaceutical = facts.radiopharmaceutical or "Fluorodeoxyglucose"
    item.RadionuclideCodeSequence = sequence(coded(F18))
    item.RadiopharmaceuticalCodeSequence = sequence(coded(FDG))
    if facts.half_life_s is not None:
        item.RadionuclideHalfLife = decimal(facts.half_life_s)
        item.RadionuclidePositronFraction = "0.967"
    if facts.injected_dose_bq is not None:
        item.RadionuclideTotalDose = decimal(facts.injected_dose_bq)
    if facts.injected_at is not None:
        item.RadiopharmaceuticalStartTime = clock(facts.injected_at)
        item.RadiopharmaceuticalStartDateTime = _moment(facts.injected_at)
    data.RadiopharmaceuticalInformationSequence = sequence(item)


def _vendor(data: Dataset, facts: PetAcquisition) -> None:
    reference = facts.decay_reference_at or facts.started_at
    if facts.device.vendor == "SIEMENS" and reference is not None:
        data.private_block(0x0071, "SIEMENS MED PT", create=True).add_new(0x22, "DT", _moment(reference))
    if facts.device.vendor == "GE" and reference is not None:
        data.private_block(0x0009, "GEMS_PETD_01", create=True).add_new(0x0D, "DT", _moment(reference))
    if facts.device.vendor == "PHILIPS":
        block = data.private_block(0x7053, "Philips PET Private Group", create=True)
        if facts.suv_factor is not None:
            block.add_new(0x00, "DS", decimal(facts.suv_factor))
        if facts.stored_unit_factor is not None:
            block.add_new(0x09, "DS", decimal(facts.stored_unit_factor))


def _moment(moment: datetime) -> str:
    return moment.strftime("%Y%m%d%H%M%S.%f")[:21]
