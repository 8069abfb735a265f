"""The functional groups that all frames of an enhanced MR object share (PS3.3 C.8.13.5)."""

from __future__ import annotations

from pydicom.dataset import Dataset

from bingcheng.core.codes import Code
from bingcheng.dicom.acquisition import MrAcquisition
from bingcheng.dicom.write.header import coded, decimal, sequence
from bingcheng.image.geometry import VolumeGeometry

ABDOMEN = Code("818981001", "SCT", "Abdomen")
UNPAIRED = "U"


def shared_groups(facts: MrAcquisition, geometry: VolumeGeometry, data: Dataset) -> Dataset:
    """The item of the shared functional groups sequence; `data` is the object, whose description they repeat."""
    shared = Dataset()
    _plane(shared, facts, geometry)
    _timing(shared, facts)
    _coils(shared, facts)
    shared.MRModifierSequence = sequence(_modifier(facts))

    imaging = Dataset()
    imaging.MagnetizationTransfer = "ON_RESONANCE" if "MTC" in facts.sequence_variant else "NONE"
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
    if facts.contrast_agent is not None:
        use = Dataset()
        use.ContrastBolusAgentNumber = 1
        use.ContrastBolusAgentAdministered = "YES"
        use.ContrastBolusAgentDetected = "YES"
        use.ContrastBolusAgentPhase = "POST_CONTRAST"
        shared.ContrastBolusUsageSequence = sequence(use)
    return shared


def _modifier(facts: MrAcquisition) -> Dataset:
    """What prepares or shortens the sequence, from the classic words for it."""
    options, variants = set(facts.scan_options), set(facts.sequence_variant)
    modifier = Dataset()
    modifier.InversionRecovery = "YES" if "IR" in facts.scanning_sequence else "NO"
    if facts.inversion_time_ms is not None:
        modifier.InversionTimes = [float(facts.inversion_time_ms)]
    modifier.FlowCompensation = "OTHER" if "FC" in options else "NONE"
    if "FC" in options:
        modifier.FlowCompensationDirection = "PHASE"
    modifier.Spoiling = "RF" if "SP" in variants else "NONE"
    modifier.T2Preparation = "NO"
    modifier.SpectrallySelectedExcitation = "WATER" if facts.fat_suppression == "WATER_EXCITATION" else "NONE"
    modifier.SpatialPresaturation = "SLAB" if "SP" in options else "NONE"
    partial = {("PFP",): "PHASE", ("PFF",): "FREQUENCY", ("PFF", "PFP"): "COMBINATION"}
    direction = partial.get(tuple(sorted(options & {"PFP", "PFF"})))
    modifier.PartialFourier = "NO" if direction is None else "YES"
    if direction is not None:
        modifier.PartialFourierDirection = direction
    reduction = facts.parallel_reduction_factor
    modifier.ParallelAcquisition = "NO" if reduction is None else "YES"
    if reduction is not None:
        modifier.ParallelReductionFactorInPlane = float(reduction)
        modifier.ParallelReductionFactorOutOfPlane = 1.0
        modifier.ParallelReductionFactorSecondInPlane = 1.0
        modifier.ParallelAcquisitionTechnique = "SENSE"
    return modifier


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


def _coils(shared: Dataset, facts: MrAcquisition) -> None:
    receive = Dataset()
    receive.ReceiveCoilName = facts.receive_coil or "Torso"
    receive.ReceiveCoilManufacturerName = ""
    receive.ReceiveCoilType = facts.receive_coil_type or "SURFACE"
    receive.QuadratureReceiveCoil = "NO"
    if receive.ReceiveCoilType == "MULTICOIL":
        element = Dataset()
        element.MultiCoilElementName = receive.ReceiveCoilName
        element.MultiCoilElementUsed = "YES"
        receive.MultiCoilConfiguration = receive.ReceiveCoilName
        receive.MultiCoilDefinitionSequence = sequence(element)
    shared.MRReceiveCoilSequence = sequence(receive)
    transmit = Dataset()
    transmit.TransmitCoilName = "Body"
    transmit.TransmitCoilManufacturerName = ""
    transmit.TransmitCoilType = "BODY"
    shared.MRTransmitCoilSequence = sequence(transmit)
