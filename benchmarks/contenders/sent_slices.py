"""CT slices as bytes, as a network hands them over."""

from __future__ import annotations

import io

import numpy as np
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.uid import CTImageStorage, ExplicitVRLittleEndian

STUDY, SERIES = "1.2.826.0.1.3680043.8.498.1", "1.2.826.0.1.3680043.8.498.1.1"
DIFFERENT = 16
"""So many slices have pixels of their own; that the others repeat them is nothing to a store."""


def slices(count: int, matrix: int) -> list[bytes]:
    """Whole files of one series, each with a UID and bytes of its own."""
    made = [_slice(number, matrix) for number in range(1, min(count, DIFFERENT) + 1)]
    while len(made) < count:
        number = len(made) + 1
        made.append(made[number % DIFFERENT].replace(_uid(number % DIFFERENT + 1), _uid(number)))
    return made


def _uid(number: int) -> bytes:
    return f"{SERIES}.{10000 + number}".encode()


def _slice(number: int, matrix: int) -> bytes:
    held = Dataset()
    held.SpecificCharacterSet = "ISO_IR 192"
    held.ImageType = ["ORIGINAL", "PRIMARY", "AXIAL"]
    held.SOPClassUID = CTImageStorage
    held.SOPInstanceUID = _uid(number).decode()
    held.StudyDate, held.StudyTime, held.AccessionNumber = "20260105", "101500", "A1"
    held.Modality, held.Manufacturer, held.InstitutionName = "CT", "ACME", "Hospital"
    held.StudyDescription, held.SeriesDescription = "Chest CT", "thin"
    held.PatientName, held.PatientID, held.PatientBirthDate, held.PatientSex = "Wang^Wei=王^伟", "P1", "19700101", "M"
    held.SliceThickness, held.KVP, held.ExposureTime, held.ConvolutionKernel = "1.0", "120", "500", "B30f"
    held.StudyInstanceUID, held.SeriesInstanceUID, held.StudyID = STUDY, SERIES, "S1"
    held.SeriesNumber, held.InstanceNumber, held.FrameOfReferenceUID = 2, number, f"{STUDY}.9"
    held.ImagePositionPatient = [-200.0, -200.0, float(number)]
    held.ImageOrientationPatient = [1, 0, 0, 0, 1, 0]
    held.SamplesPerPixel, held.PhotometricInterpretation = 1, "MONOCHROME2"
    held.Rows = held.Columns = matrix
    held.PixelSpacing = [0.7, 0.7]
    held.BitsAllocated, held.BitsStored, held.HighBit, held.PixelRepresentation = 16, 16, 15, 1
    held.WindowCenter, held.WindowWidth, held.RescaleIntercept, held.RescaleSlope = "40", "400", "-1024", "1"
    held.PixelData = np.random.default_rng(number).integers(-1000, 1000, (matrix, matrix)).astype("<i2").tobytes()
    held.file_meta = FileMetaDataset()
    held.file_meta.MediaStorageSOPClassUID = CTImageStorage
    held.file_meta.MediaStorageSOPInstanceUID = held.SOPInstanceUID
    held.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    stream = io.BytesIO()
    held.save_as(stream, enforce_file_format=True)
    return stream.getvalue()
