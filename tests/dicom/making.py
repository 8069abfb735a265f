"""Small DICOM files of every kind that the reader must cope with, made on the spot; the truth is in the arguments."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from pydicom.dataset import Dataset, FileDataset, FileMetaDataset
from pydicom.sequence import Sequence as DicomSequence
from pydicom.uid import UID, ExplicitVRLittleEndian

CT, MR, PET, ENHANCED_MR = (
    "1.2.840.10008.5.1.4.1.1.2",
    "1.2.840.10008.5.1.4.1.1.4",
    "1.2.840.10008.5.1.4.1.1.128",
    "1.2.840.10008.5.1.4.1.1.4.1",
)
SOP_CLASSES = {"CT": CT, "MR": MR, "PT": PET}
ROWS, COLUMNS = 6, 5


def stored(number: int, shape: tuple[int, int] = (ROWS, COLUMNS)) -> np.ndarray:
    """Pixels that tell their slice: 100 x number + index."""
    return (100 * number + np.arange(shape[0] * shape[1]).reshape(shape)).astype(np.int16)


def image(number: int = 0, *, modality: str = "CT", series: int = 1, study: int = 1, **changed: Any) -> FileDataset:
    """One classic slice at z = 2.5 x number; `changed` sets or (None) removes elements by keyword."""
    uid = f"1.2.826.0.1.3680043.10.999.{study}.{series}.{number + 1}"
    meta = FileMetaDataset()
    meta.MediaStorageSOPClassUID = UID(SOP_CLASSES[modality])
    meta.MediaStorageSOPInstanceUID = UID(uid)
    meta.TransferSyntaxUID = ExplicitVRLittleEndian
    dataset = FileDataset("", {}, file_meta=meta, preamble=b"\0" * 128)
    dataset.SOPClassUID = meta.MediaStorageSOPClassUID
    dataset.SOPInstanceUID = uid
    dataset.StudyInstanceUID = f"1.2.826.0.1.3680043.10.999.{study}"
    dataset.SeriesInstanceUID = f"1.2.826.0.1.3680043.10.999.{study}.{series}"
    dataset.FrameOfReferenceUID = f"1.2.826.0.1.3680043.10.999.{study}.999"
    dataset.Modality = modality
    dataset.PatientID, dataset.PatientName, dataset.PatientBirthDate = "P1", "Someone^A", "19500101"
    dataset.StudyDate = dataset.SeriesDate = dataset.AcquisitionDate = "20240301"
    dataset.StudyTime, dataset.SeriesTime = "100000", "100100"
    dataset.AcquisitionTime = f"10{number // 60:02d}{number % 60:02d}"
    dataset.SeriesNumber, dataset.InstanceNumber = series, number + 1
    dataset.ImageType = ["ORIGINAL", "PRIMARY", "AXIAL"]
    dataset.ImagePositionPatient = [-10.0, -20.0, 2.5 * number]
    dataset.ImageOrientationPatient = [1, 0, 0, 0, 1, 0]
    dataset.PixelSpacing, dataset.SliceThickness = [0.5, 0.75], 2.5
    dataset.SamplesPerPixel, dataset.PhotometricInterpretation = 1, "MONOCHROME2"
    dataset.BitsAllocated, dataset.BitsStored, dataset.HighBit, dataset.PixelRepresentation = 16, 16, 15, 1
    dataset.RescaleSlope, dataset.RescaleIntercept = 1, (-1024 if modality == "CT" else 0)
    if modality == "PT":
        dataset.Units = "BQML"
    put_pixels(dataset, stored(number))
    for keyword, value in changed.items():
        if value is None:
            delattr(dataset, keyword)
        else:
            setattr(dataset, keyword, value)
    return dataset


def put_pixels(dataset: Dataset, pixels: np.ndarray) -> None:
    """Native pixels, with the size that they have."""
    dataset.Rows, dataset.Columns = pixels.shape[-2:]
    dataset.PixelData = pixels.tobytes()
    dataset["PixelData"].VR = "OW"


def save(dataset: Dataset, path: Path) -> Path:
    """The dataset as a file with a meta header."""
    path.parent.mkdir(parents=True, exist_ok=True)
    dataset.save_as(path, enforce_file_format=True)
    return path


def save_series(
    folder: Path, count: int = 4, *, change: Callable[[int, Dataset], None] | None = None, **arguments: Any
) -> list[Path]:
    """`count` slices of one series, in files whose names follow another order than their positions."""
    paths = []
    for number in range(count):
        dataset = image(number, **arguments)
        if change is not None:
            change(number, dataset)
        paths.append(save(dataset, folder / f"{(number * 7) % 97:03d}.dcm"))
    return paths


def enhanced(
    frames: Sequence[dict[str, Any]], *, shared: Callable[[Dataset], None] | None = None, slope: float = 1.0
) -> FileDataset:
    """An enhanced MR object; each frame says ``z`` and perhaps ``b``, ``direction``, ``echo``, ``time``."""
    dataset = image(0, modality="MR")
    dataset.SOPClassUID = dataset.file_meta.MediaStorageSOPClassUID = UID(ENHANCED_MR)
    for keyword in ("ImagePositionPatient", "ImageOrientationPatient", "PixelSpacing", "SliceThickness"):
        delattr(dataset, keyword)
    dataset.NumberOfFrames = len(frames)
    groups = Dataset()
    orientation, measures = Dataset(), Dataset()
    orientation.ImageOrientationPatient = [1, 0, 0, 0, 1, 0]
    measures.PixelSpacing, measures.SliceThickness = [0.5, 0.75], 2.5
    groups.PlaneOrientationSequence = DicomSequence([orientation])
    groups.PixelMeasuresSequence = DicomSequence([measures])
    if shared is not None:
        shared(groups)
    dataset.SharedFunctionalGroupsSequence = DicomSequence([groups])
    dataset.PerFrameFunctionalGroupsSequence = DicomSequence([_frame(frame, slope) for frame in frames])
    put_pixels(dataset, np.stack([stored(number) for number in range(len(frames))]))
    return dataset


def _frame(facts: dict[str, Any], slope: float) -> Dataset:
    groups, position, transformation = Dataset(), Dataset(), Dataset()
    position.ImagePositionPatient = [-10.0, -20.0, facts["z"]]
    groups.PlanePositionSequence = DicomSequence([position])
    transformation.RescaleSlope, transformation.RescaleIntercept, transformation.RescaleType = slope, 0, "US"
    groups.PixelValueTransformationSequence = DicomSequence([transformation])
    if "b" in facts:
        diffusion = Dataset()
        diffusion.DiffusionBValue = facts["b"]
        if "direction" in facts:
            gradient = Dataset()
            gradient.DiffusionGradientOrientation = facts["direction"]
            diffusion.DiffusionGradientDirectionSequence = DicomSequence([gradient])
            diffusion.DiffusionDirectionality = "DIRECTIONAL"
        else:
            diffusion.DiffusionDirectionality = "ISOTROPIC" if facts["b"] else "NONE"
        groups.MRDiffusionSequence = DicomSequence([diffusion])
    if "echo" in facts:
        echo = Dataset()
        echo.EffectiveEchoTime = facts["echo"]
        groups.MREchoSequence = DicomSequence([echo])
    return groups
