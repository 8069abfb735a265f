"""An MR volume or stack as one Enhanced MR multi-frame object (PS3.3 A.36)."""

from __future__ import annotations

from datetime import datetime, timedelta
from pathlib import Path

import numpy as np
from pydicom.dataset import Dataset
from pydicom.uid import EnhancedMRImageStorage

from bingcheng.core.codes import Code
from bingcheng.core.errors import InputError
from bingcheng.dicom.acquisition import MrAcquisition
from bingcheng.dicom.write.enhanced_mr_groups import shared_groups
from bingcheng.dicom.write.header import (
    StudyHeader,
    coded,
    decimal,
    header,
    injection,
    pixel_format,
    save,
    sequence,
    stored,
    uid_of,
)
from bingcheng.dicom.write.mr import NOT_A_SERIES
from bingcheng.image.geometry import VolumeGeometry
from bingcheng.image.volume import Stack, Volume

AGENT_SCHEME = "99BINGCHENG"
INTRAVENOUS = Code("47625008", "SCT", "Intravenous route")  # PS3.16 CID 11
GADOLINIUM = Code("45215003", "SCT", "Gadolinium")  # PS3.16 CID 13
DURATION_S = 180.0
"""What stands in the object where the facts know no duration: the attribute must not be empty (type 1C)."""

_ALONG = {"b_value": (0x00189087, 0x00189117), "time": (0x00209128, 0x00209111)}
"""Dimension pointers: b-value in the frame's diffusion, temporal position in the frame's content."""


def write_enhanced_mr(
    images: Volume | Stack, facts: MrAcquisition, study: StudyHeader, folder: Path, *, series_number: int
) -> Path:
    """Write a volume, or a stack along b-value or time, as one multi-frame file; frames run through z in each volume.

    What all frames share (spacing, orientation, timing) stands in the shared functional groups; position, b-value or
    temporal position, and dimension indices stand with each frame.

    Parameters
    ----------
    images : signals between 0 and 65535; times are in s after the first phase.
    facts, study, folder, series_number : as in `bingcheng.dicom.write.ct.write_ct`.

    Raises
    ------
    InputError
        ``dicom.no-start-time``, ``dicom.value-out-of-range``, ``dicom.not-a-diffusion-stack``.
    """
    axis, volumes = _volumes(images)
    geometry = images.geometry
    data = header(study, facts, series_number=series_number, sop_class_uid=EnhancedMRImageStorage)
    data.SOPInstanceUID = uid_of(facts.series_uid, "instance", "1")
    data.InstanceNumber = 1
    # multi-frame objects give acquisition times as date-times, in the object and in each frame
    del data.AcquisitionDate, data.AcquisitionTime
    data.ImageType = _image_type(facts, axis)
    _object(data, facts, geometry, axis)
    _pulses(data, facts)
    _agent(data, facts)
    data.SharedFunctionalGroupsSequence = sequence(shared_groups(facts, geometry, data))
    data.PerFrameFunctionalGroupsSequence = sequence(
        *(
            _frame(facts, geometry, axis, slice_index=z, order=order, value=value)
            for order, (value, _) in enumerate(volumes)
            for z in range(geometry.shape[0])
        )
    )
    data.NumberOfFrames = len(volumes) * geometry.shape[0]
    _dimensions(data, facts, axis)
    pixels = np.stack([stored(volume.voxels, slope=1.0, intercept=0.0) for _, volume in volumes])
    data.PixelData = pixels.tobytes()
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / "00001.dcm"
    save(data, path)
    return path


def _volumes(images: Volume | Stack) -> tuple[str, list[tuple[float, Volume]]]:
    """Along what the volumes differ, and each with its value; of a single one along nothing."""
    if isinstance(images, Volume):
        return "", [(0.0, images)]
    if images.axis not in _ALONG:
        raise InputError(NOT_A_SERIES, axis=images.axis)
    return images.axis, list(images)


def _image_type(facts: MrAcquisition, axis: str) -> list[str]:
    """Four values, as enhanced objects must have (PS3.3 C.8.16.1): the facts' own if they are four."""
    flavour = {"b_value": "DIFFUSION", "time": "DYNAMIC"}.get(axis, "VOLUME")
    return list(facts.image_type) if len(facts.image_type) == 4 else ["ORIGINAL", "PRIMARY", flavour, "NONE"]


def _object(data: Dataset, facts: MrAcquisition, geometry: VolumeGeometry, axis: str) -> None:
    assert facts.started_at is not None
    pixel_format(data, geometry)
    data.FrameOfReferenceUID = geometry.frame_of_reference_uid or uid_of(facts.series_uid, "frame of reference")
    data.PositionReferenceIndicator = ""
    data.AcquisitionDateTime = _stamp(facts.started_at)
    data.AcquisitionNumber = 1
    data.AcquisitionDuration = float(
        DURATION_S if facts.acquisition_duration_s is None else facts.acquisition_duration_s
    )
    data.AcquisitionContrast = facts.acquisition_contrast or ("DIFFUSION" if axis == "b_value" else "UNKNOWN")
    data.ComplexImageComponent = "MAGNITUDE"
    data.PixelPresentation = "MONOCHROME"
    data.VolumetricProperties = "VOLUME"
    data.VolumeBasedCalculationTechnique = "NONE"
    data.ContentQualification = "RESEARCH"
    data.ResonantNucleus = "1H"
    data.KSpaceFiltering = "NONE"
    data.ApplicableSafetyStandardAgency = "IEC"
    if facts.field_strength_t is not None:
        data.MagneticFieldStrength = float(facts.field_strength_t)
    data.BurnedInAnnotation = "NO"
    data.LossyImageCompression = "00"
    data.PresentationLUTShape = "IDENTITY"
    data.AcquisitionContextSequence = sequence()


def _pulses(data: Dataset, facts: MrAcquisition) -> None:
    """The pulse sequence (PS3.3 C.8.13.4); of a series whose kind is unknown, a spin echo with EPI."""
    kinds = set(facts.scanning_sequence)
    variants = set(facts.sequence_variant)
    data.PulseSequenceName = facts.sequence_name or "DWI_EPI"
    data.EchoPulseSequence = "BOTH" if {"SE", "GR"} <= kinds else "GRADIENT" if "GR" in kinds else "SPIN"
    if data.EchoPulseSequence != "GRADIENT":
        data.MultipleSpinEcho = "NO"
    data.MultiPlanarExcitation = "NO"
    data.PhaseContrast = "NO"
    data.TimeOfFlightContrast = "NO"
    data.SteadyStatePulseSequence = "FREE_PRECESSION" if "SS" in variants else "NONE"
    data.EchoPlanarPulseSequence = "YES" if "EP" in kinds or not kinds else "NO"
    data.SaturationRecovery = "NO"
    # read-outs by EPI need it; the attribute must not be absent (type 1C)
    saturated = facts.fat_suppression == "SPECTRAL" or (facts.fat_suppression is None and "GR" not in kinds)
    data.SpectrallySelectedSuppression = "FAT" if saturated else "NONE"
    data.OversamplingPhase = "2D" if "OSP" in variants else "NONE"
    data.GeometryOfKSpaceTraversal = "RECTILINEAR"
    data.SegmentedKSpaceTraversal = "PARTIAL" if "SK" in variants else "SINGLE"
    data.RectilinearPhaseEncodeReordering = "LINEAR"
    data.MRAcquisitionType = facts.acquisition_type or "2D"
    data.NumberOfKSpaceTrajectories = 1


def _agent(data: Dataset, facts: MrAcquisition) -> None:
    """The contrast agent (PS3.3 C.7.6.4b), whose name is coded in a scheme of this program's own."""
    if facts.contrast_agent is None:
        return
    value = uid_of("contrast agent", facts.contrast_agent)[-16:]
    agent = coded(Code(value, AGENT_SCHEME, facts.contrast_agent))
    agent.ContrastBolusAgentNumber = 1
    agent.ContrastBolusAdministrationRouteSequence = sequence(coded(INTRAVENOUS))
    agent.ContrastBolusIngredientCodeSequence = sequence(coded(GADOLINIUM))
    agent.ContrastBolusVolume = "" if facts.contrast_volume_ml is None else decimal(facts.contrast_volume_ml)
    concentration = facts.contrast_concentration_mg_per_ml
    agent.ContrastBolusIngredientConcentration = "" if concentration is None else decimal(concentration)
    profile = Dataset()
    injection(profile, facts)
    if "ContrastBolusVolume" not in profile:
        profile.ContrastBolusVolume = ""
    agent.ContrastAdministrationProfileSequence = sequence(profile)
    data.ContrastBolusAgentSequence = sequence(agent)


def _stamp(moment: datetime) -> str:
    return moment.strftime("%Y%m%d%H%M%S.%f")[:21]


def _frame(
    facts: MrAcquisition, geometry: VolumeGeometry, axis: str, *, slice_index: int, order: int, value: float
) -> Dataset:
    assert facts.started_at is not None
    frame = Dataset()
    content = Dataset()
    content.FrameAcquisitionNumber = 1
    moment = _stamp(facts.started_at + timedelta(seconds=value if axis == "time" else 0.0))
    content.FrameReferenceDateTime = moment
    content.FrameAcquisitionDateTime = moment
    content.FrameAcquisitionDuration = 1000.0
    content.StackID = "1"
    content.InStackPositionNumber = slice_index + 1
    content.DimensionIndexValues = [1, slice_index + 1, *([order + 1] if axis else [])]
    if axis == "time":
        content.TemporalPositionIndex = order + 1
    frame.FrameContentSequence = sequence(content)

    plane = Dataset()
    position = np.round(geometry.to_mm((slice_index, 0, 0)), 6)
    plane.ImagePositionPatient = [decimal(float(c) + 0.0) for c in position]
    frame.PlanePositionSequence = sequence(plane)
    if axis == "b_value":
        _weight(frame, facts, value)
    return frame


def _weight(frame: Dataset, facts: MrAcquisition, b_value: float) -> None:
    diffusion = Dataset()
    diffusion.DiffusionBValue = float(b_value)
    diffusion.DiffusionDirectionality = "ISOTROPIC" if b_value else "NONE"
    frame.MRDiffusionSequence = sequence(diffusion)
    if facts.device.vendor == "PHILIPS":
        # Philips repeats its classic private b-value beside the standard one
        frame.private_block(0x2001, "Philips Imaging DD 001", create=True).add_new(0x03, "FL", float(b_value))


def _dimensions(data: Dataset, facts: MrAcquisition, axis: str) -> None:
    organisation = Dataset()
    organisation.DimensionOrganizationUID = uid_of(facts.series_uid, "dimensions")
    data.DimensionOrganizationSequence = sequence(organisation)
    data.DimensionIndexSequence = sequence()
    # stack and position in the stack, in the frame's content; then what the volumes differ in
    for pointer, group in ((0x00209056, 0x00209111), (0x00209057, 0x00209111), *([_ALONG[axis]] if axis else [])):
        item = Dataset()
        item.DimensionIndexPointer = pointer
        item.FunctionalGroupPointer = group
        item.DimensionOrganizationUID = organisation.DimensionOrganizationUID
        data.DimensionIndexSequence.append(item)
