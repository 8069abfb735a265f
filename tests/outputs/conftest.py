"""Small source images on disk, classic and enhanced, with a lesion on them."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.uid import CTImageStorage, EnhancedMRImageStorage, ExplicitVRLittleEndian, generate_uid

from bingcheng.dicom.exam import FrameSource, VolumeFrames
from bingcheng.image.geometry import VolumeGeometry
from bingcheng.image.region import Region

ROWS, COLUMNS, SLICES = 24, 32, 8
SPACING_MM = (2.5, 0.8, 0.9)
ORIGIN_MM = (-14.0, -9.0, 40.0)
STUDY, SERIES, FRAME_OF_REFERENCE = (generate_uid(entropy_srcs=["test", name]) for name in ("study", "series", "frame"))
GEOMETRY = VolumeGeometry(
    shape=(SLICES, ROWS, COLUMNS), spacing_mm=SPACING_MM, origin_mm=ORIGIN_MM, frame_of_reference_uid=FRAME_OF_REFERENCE
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """Images on disk: their slices as the index would give them, and what identifies them."""

    frames: VolumeFrames
    kind: str


def identity(dataset: Dataset) -> None:
    dataset.PatientName = "Beispiel^Erika"
    dataset.PatientID = "T-0001"
    dataset.PatientBirthDate = "19600101"
    dataset.PatientSex = "F"
    dataset.StudyInstanceUID = STUDY
    dataset.StudyID = "S1"
    dataset.StudyDate, dataset.StudyTime = "20260301", "101500"
    dataset.AccessionNumber = "A77"
    dataset.ReferringPhysicianName = ""
    dataset.SeriesInstanceUID = SERIES
    dataset.SeriesNumber = 3
    dataset.Manufacturer, dataset.ManufacturerModelName = "Test", "Model 1"
    dataset.DeviceSerialNumber, dataset.SoftwareVersions = "1", "1"
    dataset.FrameOfReferenceUID, dataset.PositionReferenceIndicator = FRAME_OF_REFERENCE, ""


def pixels(dataset: Dataset, frames: int) -> None:
    dataset.SamplesPerPixel, dataset.PhotometricInterpretation = 1, "MONOCHROME2"
    dataset.Rows, dataset.Columns = ROWS, COLUMNS
    dataset.BitsAllocated, dataset.BitsStored, dataset.HighBit, dataset.PixelRepresentation = 16, 16, 15, 0
    dataset.PixelData = np.zeros((frames, ROWS, COLUMNS), np.uint16).tobytes()


def saved(dataset: Dataset, path: Path) -> None:
    meta = FileMetaDataset()
    meta.MediaStorageSOPClassUID, meta.MediaStorageSOPInstanceUID = dataset.SOPClassUID, dataset.SOPInstanceUID
    meta.TransferSyntaxUID = ExplicitVRLittleEndian
    dataset.file_meta = meta
    dataset.save_as(path, enforce_file_format=True)


def position(z: int) -> list[float]:
    return [float(v) for v in GEOMETRY.to_mm((z, 0, 0))]


def classic(folder: Path, *, bare: bool = False) -> Source:
    """CT slices whose files are in another order than their positions."""
    uids = []
    for z in range(SLICES):
        dataset = Dataset()
        dataset.SOPClassUID = CTImageStorage
        dataset.SOPInstanceUID = generate_uid(entropy_srcs=["test", "ct", str(z)])
        dataset.Modality, dataset.ImageType = "CT", ["ORIGINAL", "PRIMARY", "AXIAL"]
        identity(dataset)
        if bare:
            for keyword in ("PatientName", "PatientBirthDate", "PatientSex", "AccessionNumber", "StudyID", "StudyDate"):
                delattr(dataset, keyword)
        dataset.InstanceNumber = SLICES - z
        dataset.ImagePositionPatient = position(z)
        dataset.ImageOrientationPatient = [1, 0, 0, 0, 1, 0]
        dataset.PixelSpacing = [SPACING_MM[1], SPACING_MM[2]]
        dataset.SliceThickness = SPACING_MM[0]
        dataset.KVP, dataset.AcquisitionNumber = 120, 1
        dataset.RescaleIntercept, dataset.RescaleSlope, dataset.RescaleType = -1024, 1, "HU"
        pixels(dataset, 1)
        uids.append(dataset.SOPInstanceUID)
        saved(dataset, folder / f"{SLICES - z:02}.dcm")
    paths = tuple(FrameSource(path=folder / f"{SLICES - z:02}.dcm") for z in range(SLICES))
    return Source(frames=VolumeFrames(frames=paths, geometry=GEOMETRY, sop_instance_uids=tuple(uids)), kind="classic")


def enhanced(folder: Path) -> Source:
    """One multi-frame MR object with two b-values a position; the volume is the second of each pair."""
    dataset = Dataset()
    dataset.SOPClassUID = EnhancedMRImageStorage
    dataset.SOPInstanceUID = generate_uid(entropy_srcs=["test", "enhanced"])
    dataset.Modality, dataset.ImageType = "MR", ["ORIGINAL", "PRIMARY", "DIFFUSION", "NONE"]
    identity(dataset)
    dataset.InstanceNumber = 1
    dataset.ContentDate, dataset.ContentTime = "20260301", "101500"
    shared = Dataset()
    shared.PixelMeasuresSequence = [Dataset()]
    shared.PixelMeasuresSequence[0].PixelSpacing = [SPACING_MM[1], SPACING_MM[2]]
    shared.PixelMeasuresSequence[0].SliceThickness = SPACING_MM[0]
    shared.PlaneOrientationSequence = [Dataset()]
    shared.PlaneOrientationSequence[0].ImageOrientationPatient = [1, 0, 0, 0, 1, 0]
    dataset.SharedFunctionalGroupsSequence = [shared]
    per_frame = []
    for z in range(SLICES):
        for b in (0.0, 800.0):
            group = Dataset()
            group.PlanePositionSequence = [Dataset()]
            group.PlanePositionSequence[0].ImagePositionPatient = position(z)
            group.MRDiffusionSequence = [Dataset()]
            group.MRDiffusionSequence[0].DiffusionBValue = b
            per_frame.append(group)
    dataset.PerFrameFunctionalGroupsSequence = per_frame
    dataset.NumberOfFrames = len(per_frame)
    pixels(dataset, len(per_frame))
    path = folder / "enhanced.dcm"
    saved(dataset, path)
    frames = VolumeFrames(
        frames=tuple(FrameSource(path=path, frame=2 * z + 1) for z in range(SLICES)),
        geometry=GEOMETRY,
        key=(("b_value", 800.0),),
        sop_instance_uids=(dataset.SOPInstanceUID,) * SLICES,
    )
    return Source(frames=frames, kind="enhanced")


MADE = {"classic": classic, "enhanced": enhanced}


@pytest.fixture(scope="session", params=MADE)
def source(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Source:
    """Images that are only read."""
    return MADE[request.param](tmp_path_factory.mktemp(request.param))


@pytest.fixture(params=MADE)
def own_source(request: pytest.FixtureRequest, tmp_path: Path) -> Source:
    """Images that a test may change."""
    folder = tmp_path / "images"
    folder.mkdir()
    return MADE[request.param](folder)


@pytest.fixture(scope="session")
def bare_source(tmp_path_factory: pytest.TempPathFactory) -> Source:
    """Classic images from which de-identification took attributes that must not be absent."""
    return classic(tmp_path_factory.mktemp("bare"), bare=True)


@pytest.fixture(scope="session")
def lesion() -> Region:
    """An L-shaped lesion, so that a flip or a transposition shows."""
    mask = np.zeros((SLICES, ROWS, COLUMNS), dtype=bool)
    mask[2:6, 5:14, 8:12] = True
    mask[3:5, 11:14, 8:22] = True
    return Region.of(
        mask, GEOMETRY, label="Lesion A", tracking_uid=generate_uid(entropy_srcs=["test", "A"]), method="manual"
    )


@pytest.fixture(scope="session")
def second_lesion() -> Region:
    mask = np.zeros((SLICES, ROWS, COLUMNS), dtype=bool)
    mask[6, 2:5, 2:6] = True
    uid = generate_uid(entropy_srcs=["test", "B"])
    return Region.of(mask, GEOMETRY, label="Lesion B", tracking_uid=uid, method="semi-automatic threshold 41 %")
