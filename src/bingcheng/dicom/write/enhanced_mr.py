"""A diffusion stack as one Enhanced MR multi-frame object (PS3.3 A.36)."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from pydicom.dataset import Dataset
from pydicom.uid import EnhancedMRImageStorage

from bingcheng.core.codes import Code
from bingcheng.dicom.acquisition import MrAcquisition
from bingcheng.dicom.write.header import (
    StudyHeader,
    coded,
    decimal,
    header,
    pixel_format,
    save,
    sequence,
    stored,
    uid_of,
)
from bingcheng.image.geometry import VolumeGeometry
from bingcheng.image.volume import Stack

ABDOMEN = Code("818981001", "SCT", "Abdomen")
UNPAIRED = "U"


def write_enhanced_mr(
    stack: Stack, facts: MrAcquisition, study: StudyHeader, folder: Path, *, series_number: int
) -> Path:
    """Write a stack along b-value as one multi-frame file; frames run through z within each b-value.

    What all frames share (spacing, orientation, timing) stands in the shared functional groups; position, b-value and
    dimension indices stand with each frame.

    Parameters
    ----------
    stack : signals between 0 and 65535 along ``b_value``.
    facts, study, folder, series_number : as in `bingcheng.dicom.write.ct.write_ct`.

    Raises
    ------
    InputError
        ``dicom.no-start-time``, ``dicom.value-out-of-range``.
    """
    geometry = stack.geometry
    data = header(study, facts, series_number=series_number, sop_class_uid=EnhancedMRImageStorage)
    data.SOPInstanceUID = uid_of(facts.series_uid, "instance", "1")
    data.InstanceNumber = 1
    # multi-frame objects give acquisition times as date-times, in the object and in each frame
    del data.AcquisitionDate, data.AcquisitionTime
    data.ImageType = ["ORIGINAL", "PRIMARY", "DIFFUSION", "NONE"]
    _object(data, facts, geometry)
    data.SharedFunctionalGroupsSequence = sequence(_shared(facts, geometry, data))
    data.PerFrameFunctionalGroupsSequence = sequence(
        *(
            _frame(facts, geometry, slice_index=z, b_index=order, b_value=b_value, moment=data.AcquisitionDateTime)
            for order, (b_value, _) in enumerate(stack)
            for z in range(geometry.shape[0])
        )
    )
    data.NumberOfFrames = len(stack) * geometry.shape[0]
    _dimensions(data, facts)
    pixels = np.stack([stored(volume.voxels, slope=1.0, intercept=0.0) for _, volume in stack])
    data.PixelData = pixels.tobytes()
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / "00001.dcm"
    save(data, path)
    return path


def _object(data: Dataset, facts: MrAcquisition, geometry: VolumeGeometry) -> None:
    assert facts.started_at is not None
    pixel_format(data, geometry)
    data.FrameOfReferenceUID = geometry.frame_of_reference_uid or uid_of(facts.series_uid, "frame of reference")
    data.PositionReferenceIndicator = ""
    data.AcquisitionDateTime = facts.started_at.strftime("%Y%m%d%H%M%S.%f")[:21]
    data.AcquisitionNumber = 1
    data.AcquisitionDuration = 180.0
    data.AcquisitionContrast = "DIFFUSION"
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
    data.PulseSequenceName = facts.sequence_name or "DWI_EPI"
    data.EchoPulseSequence = "SPIN"
    data.MultipleSpinEcho = "NO"
    data.MultiPlanarExcitation = "NO"
    data.PhaseContrast = "NO"
    data.TimeOfFlightContrast = "NO"
    data.SteadyStatePulseSequence = "NONE"
    data.EchoPlanarPulseSequence = "YES"
    data.SaturationRecovery = "NO"
    data.SpectrallySelectedSuppression = "FAT"
    data.OversamplingPhase = "NONE"
    data.GeometryOfKSpaceTraversal = "RECTILINEAR"
    data.SegmentedKSpaceTraversal = "SINGLE"
    data.RectilinearPhaseEncodeReordering = "LINEAR"
    data.MRAcquisitionType = facts.acquisition_type or "2D"
    data.NumberOfKSpaceTrajectories = 1
    data.AcquisitionContextSequence = sequence()


def _shared(facts: MrAcquisition, geometry: VolumeGeometry, data: Dataset) -> Dataset:
    shared = Dataset()
    _plane(shared, facts, geometry)
    _timing(shared, facts)
    _coils(shared)

    modifier = Dataset()
    modifier.InversionRecovery = "NO"
    modifier.FlowCompensation = "NONE"
    modifier.Spoiling = "NONE"
    modifier.T2Preparation = "NO"
    modifier.SpectrallySelectedExcitation = "NONE"
    modifier.SpatialPresaturation = "NONE"
    modifier.PartialFourier = "NO"
    modifier.ParallelAcquisition = "NO"
    shared.MRModifierSequence = sequence(modifier)

    imaging = Dataset()
    imaging.MagnetizationTransfer = "NONE"
    imaging.BloodSignalNulling = "NO"
    imaging.Tagging = "NONE"
    imaging.TransmitterFrequency = 42.577478 * (facts.field_strength_t or 3.0)
    imaging.PixelBandwidth = float(facts.pixel_bandwidth_hz or 0.0)
    shared.MRImagingModifierSequence = sequence(imaging)

    kind = Dataset()
    kind.FrameType = list(data.ImageType)
    for keyword in (
        "PixelPresentation",
        "VolumetricProperties",
        "VolumeBasedCalculationTechnique",
        "ComplexImageComponent",
        "AcquisitionContrast",
    ):
        setattr(kind, keyword, getattr(data, keyword))
    shared.MRImageFrameTypeSequence = sequence(kind)
    return shared


def _plane(shared: Dataset, facts: MrAcquisition, geometry: VolumeGeometry) -> None:
    spacing = geometry.spacing_mm
    measures = Dataset()
    measures.PixelSpacing = [decimal(spacing[1]), decimal(spacing[2])]
    measures.SliceThickness = decimal(spacing[0] if facts.slice_thickness_mm is None else facts.slice_thickness_mm)
    measures.SpacingBetweenSlices = decimal(spacing[0])
    shared.PixelMeasuresSequence = sequence(measures)

    orientation = Dataset()
    orientation.ImageOrientationPatient = [decimal(c) for c in (*geometry.axes[2], *geometry.axes[1])]
    shared.PlaneOrientationSequence = sequence(orientation)

    anatomy = Dataset()
    anatomy.FrameLaterality = UNPAIRED
    anatomy.AnatomicRegionSequence = sequence(coded(ABDOMEN))
    shared.FrameAnatomySequence = sequence(anatomy)

    values = Dataset()
    values.RescaleIntercept, values.RescaleSlope, values.RescaleType = "0", "1", "US"
    shared.PixelValueTransformationSequence = sequence(values)

    window = Dataset()
    window.WindowCenter, window.WindowWidth = "300", "600"
    shared.FrameVOILUTSequence = sequence(window)


def _timing(shared: Dataset, facts: MrAcquisition) -> None:
    timing = Dataset()
    timing.RepetitionTime = decimal(facts.repetition_time_ms or 0.0)
    timing.FlipAngle = decimal(facts.flip_angle_deg or 90.0)
    timing.EchoTrainLength = facts.echo_train_length or 1
    timing.RFEchoTrainLength = 0
    timing.GradientEchoTrainLength = facts.echo_train_length or 1
    rate = Dataset()
    rate.SpecificAbsorptionRateDefinition = "WHOLE_BODY"
    rate.SpecificAbsorptionRateValue = 0.0
    timing.SpecificAbsorptionRateSequence = sequence(rate)
    timing.GradientOutputType = "DB_DT"
    timing.GradientOutput = 0.0
    timing.OperatingModeSequence = sequence()
    for kind, mode in (("STATIC FIELD", "IEC_FIRST_LEVEL"), ("RF", "IEC_NORMAL"), ("GRADIENT", "IEC_NORMAL")):
        item = Dataset()
        item.OperatingModeType, item.OperatingMode = kind, mode
        timing.OperatingModeSequence.append(item)
    shared.MRTimingAndRelatedParametersSequence = sequence(timing)

    echo = Dataset()
    echo.EffectiveEchoTime = float(facts.echo_times_ms[0]) if facts.echo_times_ms else 0.0
    shared.MREchoSequence = sequence(echo)

    averages = Dataset()
    averages.NumberOfAverages = decimal(facts.averages or 1.0)
    shared.MRAveragesSequence = sequence(averages)

    view = Dataset()
    view.InPlanePhaseEncodingDirection = "COLUMN" if facts.phase_direction == "COL" else "ROW"
    frequency, phase = facts.acquisition_matrix or (0, 0)
    view.MRAcquisitionFrequencyEncodingSteps = frequency
    view.MRAcquisitionPhaseEncodingStepsInPlane = phase
    view.PercentSampling = "100"
    view.PercentPhaseFieldOfView = decimal(facts.percent_phase_fov or 100.0)
    shared.MRFOVGeometrySequence = sequence(view)


def _coils(shared: Dataset) -> None:
    receive = Dataset()
    receive.ReceiveCoilName = "Torso"
    receive.ReceiveCoilManufacturerName = ""
    receive.ReceiveCoilType = "SURFACE"
    receive.QuadratureReceiveCoil = "NO"
    shared.MRReceiveCoilSequence = sequence(receive)
    transmit = Dataset()
    transmit.TransmitCoilName = "Body"
    transmit.TransmitCoilManufacturerName = ""
    transmit.TransmitCoilType = "BODY"
    shared.MRTransmitCoilSequence = sequence(transmit)


def _frame(
    facts: MrAcquisition, geometry: VolumeGeometry, *, slice_index: int, b_index: int, b_value: float, moment: str
) -> Dataset:
    frame = Dataset()
    content = Dataset()
    content.FrameAcquisitionNumber = 1
    content.FrameReferenceDateTime = moment
    content.FrameAcquisitionDateTime = moment
    content.FrameAcquisitionDuration = 1000.0
    content.StackID = "1"
    content.InStackPositionNumber = slice_index + 1
    content.DimensionIndexValues = [1, slice_index + 1, b_index + 1]
    frame.FrameContentSequence = sequence(content)

    plane = Dataset()
    position = np.round(geometry.to_mm((slice_index, 0, 0)), 6)
    plane.ImagePositionPatient = [decimal(float(c) + 0.0) for c in position]
    frame.PlanePositionSequence = sequence(plane)

    diffusion = Dataset()
    diffusion.DiffusionBValue = float(b_value)
    diffusion.DiffusionDirectionality = "ISOTROPIC" if b_value else "NONE"
    frame.MRDiffusionSequence = sequence(diffusion)
    if facts.device.vendor == "PHILIPS":
        # Philips repeats its classic private b-value beside the standard one
        frame.private_block(0x2001, "Philips Imaging DD 001", create=True).add_new(0x03, "FL", float(b_value))
    return frame


def _dimensions(data: Dataset, facts: MrAcquisition) -> None:
    organisation = Dataset()
    organisation.DimensionOrganizationUID = uid_of(facts.series_uid, "dimensions")
    data.DimensionOrganizationSequence = sequence(organisation)
    data.DimensionIndexSequence = sequence()
    for pointer, group in (
        (0x00209056, 0x00209111),  # stack, in the frame's content
        (0x00209057, 0x00209111),  # position in the stack
        (0x00189087, 0x00189117),  # b-value, in the frame's diffusion
    ):
        item = Dataset()
        item.DimensionIndexPointer = pointer
        item.FunctionalGroupPointer = group
        item.DimensionOrganizationUID = organisation.DimensionOrganizationUID
        data.DimensionIndexSequence.append(item)
