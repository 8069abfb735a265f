"""DICOM objects made up for exchange: what tests and benchmarks send, store and retrieve."""

from __future__ import annotations

import io
from typing import Any

import numpy as np
import pydicom
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.encaps import encapsulate
from pydicom.uid import ExplicitVRLittleEndian, generate_uid

CT = "1.2.840.10008.5.1.4.1.1.2"
SECONDARY_CAPTURE = "1.2.840.10008.5.1.4.1.1.7"
ROOT = "1.2.826.0.1.3680043.8.498."


def uid_of(*words: object) -> str:
    """The same UID for the same words."""
    return str(generate_uid(prefix=ROOT, entropy_srcs=[str(word) for word in words]))


def image(
    study: str = "study",
    series: str = "series",
    number: int = 1,
    *,
    matrix: tuple[int, int] = (16, 12),
    pixels: np.ndarray | None = None,
    **more: Any,
) -> Dataset:
    """A CT slice whose UIDs follow from study, series and number; `more` are attributes by keyword."""
    if pixels is None:
        rows, columns = matrix
        pixels = (np.arange(rows * columns, dtype=np.int32).reshape(rows, columns) * 7 + number) % 3000
    pixels = pixels.astype(np.uint16) if pixels.dtype.itemsize > 1 else pixels
    made = Dataset()
    made.SpecificCharacterSet = "ISO_IR 192"
    made.SOPClassUID = CT
    made.SOPInstanceUID = uid_of(study, series, number)
    made.StudyInstanceUID = uid_of(study)
    made.SeriesInstanceUID = uid_of(study, series)
    made.FrameOfReferenceUID = uid_of(study, "frame")
    made.StudyDate, made.StudyTime = "20260302", "101500"
    made.AccessionNumber = f"A-{study}"[:16]
    made.PatientName, made.PatientID = "Wang^XiaoDong=王^小东=", f"P-{study}"[:64]
    made.PatientBirthDate, made.PatientSex = "19600101", "F"
    made.StudyID, made.StudyDescription = "7", "Thorax"
    made.ReferringPhysicianName = "Li^Na"
    made.Modality, made.SeriesNumber, made.SeriesDescription = "CT", 3, "Axial"
    made.Manufacturer, made.BodyPartExamined = "Nobody", "CHEST"
    made.PerformedProcedureStepStartDate = "20260302"
    made.InstanceNumber = number
    made.ImageType = ["ORIGINAL", "PRIMARY", "AXIAL"]
    made.ImagePositionPatient = [0.0, 0.0, float(number)]
    made.ImageOrientationPatient = [1, 0, 0, 0, 1, 0]
    made.PixelSpacing = [0.8, 0.8]
    made.SliceThickness = 1
    made.RescaleSlope, made.RescaleIntercept, made.RescaleType = 1, -1024, "HU"
    made.WindowCenter, made.WindowWidth = 40, 400
    frames = pixels.shape[0] if pixels.ndim > 2 and pixels.shape[-1] != 3 else 1
    made.SamplesPerPixel = 3 if pixels.shape[-1] == 3 and pixels.ndim > 2 else 1
    made.PhotometricInterpretation = "RGB" if made.SamplesPerPixel == 3 else "MONOCHROME2"
    if made.SamplesPerPixel == 3:
        made.PlanarConfiguration = 0
    if frames > 1:
        made.NumberOfFrames = frames
    made.Rows, made.Columns = pixels.shape[-3:-1] if made.SamplesPerPixel == 3 else pixels.shape[-2:]
    made.BitsAllocated = made.BitsStored = 8 * pixels.dtype.itemsize
    made.HighBit, made.PixelRepresentation = made.BitsStored - 1, 0
    value = pixels.tobytes()
    made.PixelData = value + b"\0" * (len(value) % 2)
    made["PixelData"].VR = "OW" if pixels.dtype.itemsize > 1 else "OB"
    for keyword, one in more.items():
        setattr(made, keyword, one)
    return made


def file_of(made: Dataset, syntax: str = str(ExplicitVRLittleEndian)) -> bytes:
    """The object as a file; natively encoded, deflated or big endian as the syntax says."""
    made.file_meta = FileMetaDataset()
    made.file_meta.TransferSyntaxUID = syntax
    written = io.BytesIO()
    pydicom.dcmwrite(written, made, enforce_file_format=True)
    return written.getvalue()


def encapsulated(made: Dataset, frames: list[bytes], syntax: str, *, table: bool = True) -> bytes:
    """The object as a file whose frames are these streams."""
    made.PixelData = encapsulate(frames, has_bot=table)
    made["PixelData"].VR = "OB"
    made["PixelData"].is_undefined_length = True
    return file_of(made, syntax)
