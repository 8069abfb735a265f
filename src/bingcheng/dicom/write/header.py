"""What all images of a series have in common: patient, study, series, equipment, frame of reference, plane."""

from __future__ import annotations

import hashlib
import uuid
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.sequence import Sequence
from pydicom.uid import UID, ExplicitVRLittleEndian

from bingcheng.core.codes import Code
from bingcheng.core.errors import InputError, Owner, Problem
from bingcheng.dicom.acquisition import Acquisition
from bingcheng.dicom.exam import Patient
from bingcheng.image.geometry import VolumeGeometry

NO_START = Problem(
    code="dicom.no-start-time",
    says="a {modality} series can't be written without the time at which its acquisition started",
    remedy="Give `started_at` in the acquisition facts.",
    owner=Owner.DEVELOPER,
)
OUT_OF_RANGE = Problem(
    code="dicom.value-out-of-range",
    says="values from {least} to {most} don't fit into 16 bits with slope {slope} and intercept {intercept}",
    remedy="Give another rescale slope, or scale the values.",
    owner=Owner.DEVELOPER,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class StudyHeader:
    """The study that a series belongs to.

    `performed_at` is the study's date and time; `number` is the study's ID as the scanner counts. Identity is
    written as it stands: these are files of the hospital's own archive.
    """

    uid: str
    patient: Patient
    performed_at: datetime
    description: str = ""
    number: str = "1"
    accession_number: str = ""


def uid_of(*parts: str) -> str:
    """The UID that belongs to these names: the same names give the same UID, on any machine.

    A UUID of version 5 made from SHA-256 under the root 2.25 (PS3.5 B.2).
    """
    digest = hashlib.sha256("\x1f".join(parts).encode()).digest()
    return f"2.25.{uuid.UUID(bytes=digest[:16], version=5).int}"


def coded(code: Code) -> Dataset:
    """The item of a code sequence (PS3.3 section 8.8)."""
    item = Dataset()
    item.CodeValue = code.value
    item.CodingSchemeDesignator = code.scheme
    item.CodeMeaning = code.meaning
    return item


def decimal(value: float) -> str:
    """A number as a decimal string of at most 16 characters (PS3.5 6.2, VR DS)."""
    for digits in range(12, 0, -1):
        written = f"{value:.{digits}g}"
        if len(written) <= 16:
            return written
    return f"{value:.1g}"


def clock(moment: datetime) -> str:
    """A time of day as DICOM writes it (TM)."""
    return moment.strftime("%H%M%S.%f")[:13]


def header(study: StudyHeader, facts: Acquisition, *, series_number: int, sop_class_uid: str) -> Dataset:
    """The attributes that all instances of a series share, without those of a plane or of a modality.

    Raises
    ------
    InputError
        ``dicom.no-start-time``.
    """
    if facts.started_at is None:
        raise InputError(NO_START, modality=facts.modality)
    data = Dataset()
    data.SpecificCharacterSet = "ISO_IR 192"
    data.SOPClassUID = sop_class_uid
    data.StudyInstanceUID = study.uid
    data.SeriesInstanceUID = facts.series_uid
    data.Modality = facts.modality
    data.SeriesNumber = series_number
    # PS3.5 6.2: a backslash parts values, so a single text cannot hold one (kernels' names do)
    data.SeriesDescription = (facts.series_description or "").replace("\\", "/")
    data.ImageType = list(facts.image_type or ("ORIGINAL", "PRIMARY"))
    if facts.protocol_name:
        data.ProtocolName = facts.protocol_name
    if facts.body_part:
        data.BodyPartExamined = facts.body_part
    else:
        # PS3.3 C.7.3.1: type 2C, required unless the body part is known to be unpaired
        data.Laterality = ""
    if facts.patient_position:
        data.PatientPosition = facts.patient_position
    _times(data, study, facts.started_at)
    _patient(data, study, facts)
    _equipment(data, facts)
    return data


def _times(data: Dataset, study: StudyHeader, started_at: datetime) -> None:
    data.StudyDate = study.performed_at.strftime("%Y%m%d")
    data.StudyTime = clock(study.performed_at)
    for kind in ("Series", "Acquisition", "Content", "InstanceCreation"):
        setattr(data, f"{kind}Date", started_at.strftime("%Y%m%d"))
        setattr(data, f"{kind}Time", clock(started_at))


def _patient(data: Dataset, study: StudyHeader, facts: Acquisition) -> None:
    patient = study.patient
    data.PatientName = patient.name or ""
    data.PatientID = patient.patient_id
    if patient.issuer:
        data.IssuerOfPatientID = patient.issuer
    data.PatientBirthDate = patient.birth_date or ""
    data.PatientSex = facts.sex or ""
    if facts.age_a is not None:
        data.PatientAge = f"{int(facts.age_a):03d}Y"
    if facts.weight_kg is not None:
        data.PatientWeight = decimal(facts.weight_kg)
    if facts.height_m is not None:
        data.PatientSize = decimal(facts.height_m)
    data.StudyDescription = study.description
    data.StudyID = study.number
    data.AccessionNumber = study.accession_number
    data.ReferringPhysicianName = ""


def _equipment(data: Dataset, facts: Acquisition) -> None:
    device = facts.device
    data.Manufacturer = device.manufacturer or device.vendor or ""
    for keyword, value in (
        ("ManufacturerModelName", device.model),
        ("DeviceSerialNumber", device.serial_number),
        ("StationName", device.station_name),
        ("InstitutionName", device.institution),
    ):
        if value:
            setattr(data, keyword, value)
    if device.software_versions:
        data.SoftwareVersions = list(device.software_versions)


def contrast(data: Dataset, facts: Acquisition) -> None:
    """The contrast agent and its injection, where one was given, as in classic images (PS3.3 C.7.6.4)."""
    if facts.contrast_agent:
        data.ContrastBolusAgent = facts.contrast_agent
        data.ContrastBolusRoute = "IV"
    injection(data, facts)
    if facts.contrast_concentration_mg_per_ml is not None:
        data.ContrastBolusIngredientConcentration = decimal(facts.contrast_concentration_mg_per_ml)


def injection(data: Dataset, facts: Acquisition) -> None:
    """When, how much and how fast: at the top of a classic image, or in a phase of an enhanced one's injection."""
    for keyword, moment in (
        ("ContrastBolusStartTime", facts.contrast_started_at),
        ("ContrastBolusStopTime", facts.contrast_stopped_at),
    ):
        if moment is not None:
            setattr(data, keyword, clock(moment))
    for keyword, number in (
        ("ContrastBolusVolume", facts.contrast_volume_ml),
        ("ContrastFlowRate", facts.contrast_flow_ml_per_s),
    ):
        if number is not None:
            setattr(data, keyword, decimal(number))


def grid(data: Dataset, geometry: VolumeGeometry, facts: Acquisition) -> None:
    """What the image plane of every slice shares (PS3.3 C.7.6.2), and the pixel format (C.7.6.3)."""
    data.FrameOfReferenceUID = geometry.frame_of_reference_uid or uid_of(facts.series_uid, "frame of reference")
    data.PositionReferenceIndicator = ""
    data.PixelSpacing = [decimal(geometry.spacing_mm[1]), decimal(geometry.spacing_mm[2])]
    # PS3.3 C.7.6.2.1.1: the direction of a row (x grows) comes first, then that of a column (y grows)
    data.ImageOrientationPatient = [decimal(c) for c in (*geometry.axes[2], *geometry.axes[1])]
    thickness = facts.slice_thickness_mm
    data.SliceThickness = decimal(geometry.spacing_mm[0] if thickness is None else thickness)
    pixel_format(data, geometry)


def pixel_format(data: Dataset, geometry: VolumeGeometry) -> None:
    """Sixteen-bit grey pixels of this size, unsigned until told otherwise (PS3.3 C.7.6.3)."""
    data.SamplesPerPixel = 1
    data.PhotometricInterpretation = "MONOCHROME2"
    data.Rows, data.Columns = geometry.shape[1:]
    data.BitsAllocated = data.BitsStored = 16
    data.HighBit = 15
    data.PixelRepresentation = 0


def place(data: Dataset, geometry: VolumeGeometry, index: int) -> None:
    """The position of slice `index`."""
    position = geometry.to_mm((index, 0, 0))
    data.ImagePositionPatient = [decimal(float(np.round(c, 6)) + 0.0) for c in position]
    # the scanner's own idea of the location: along the slice normal
    data.SliceLocation = decimal(float(np.round(position @ np.asarray(geometry.axes[0]), 6)) + 0.0)


def stored(
    values: NDArray[np.float32], *, slope: float, intercept: float, signed: bool = False
) -> NDArray[np.uint16 | np.int16]:
    """Stored values of a slice: (value - intercept) / slope, rounded.

    Raises
    ------
    InputError
        ``dicom.value-out-of-range``.
    """
    low, high = (-32768, 32767) if signed else (0, 65535)
    scaled: NDArray[np.float32] = np.rint((values - np.float32(intercept)) / np.float32(slope))
    if np.min(scaled) < low or np.max(scaled) > high:
        raise InputError(
            OUT_OF_RANGE, least=float(np.min(values)), most=float(np.max(values)), slope=slope, intercept=intercept
        )
    kind: type[np.int16 | np.uint16] = np.int16 if signed else np.uint16
    return scaled.astype(kind)


def file_meta(sop_class_uid: str, sop_instance_uid: str) -> FileMetaDataset:
    """What stands before the data set of an instance that is written as a file, explicit little endian."""
    meta = FileMetaDataset()
    meta.MediaStorageSOPClassUID = UID(sop_class_uid)
    meta.MediaStorageSOPInstanceUID = UID(sop_instance_uid)
    meta.TransferSyntaxUID = ExplicitVRLittleEndian
    meta.ImplementationClassUID = UID(uid_of("bingcheng", "implementation"))
    meta.ImplementationVersionName = "BINGCHENG"
    return meta


def save(data: Dataset, path: Path) -> None:
    """Write one instance as a DICOM file, explicit little endian."""
    data.file_meta = file_meta(data.SOPClassUID, data.SOPInstanceUID)
    data.save_as(path, enforce_file_format=True)


def sequence(*items: Dataset) -> Sequence:
    """A DICOM sequence of these items."""
    return Sequence(list(items))
