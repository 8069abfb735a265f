"""Series made by hand: the facts and the masks are tested without the index."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import pydicom
import pytest
from pydicom.dataset import Dataset, FileDataset, FileMetaDataset
from pydicom.uid import ExplicitVRLittleEndian, generate_uid

from bingcheng.dicom.exam import FrameSource, Series, VolumeFrames
from bingcheng.dicom.facts.tags import Tags
from bingcheng.dicom.facts.times import acquisition_moment
from bingcheng.image.geometry import VolumeGeometry

SeriesMaker = Callable[[Sequence[Path]], Series]


def _image_series(paths: Sequence[Path]) -> Series:
    """The classic slices of one volume as a series, in the order of their positions along the normal."""
    slices = [(path, pydicom.dcmread(path, force=True, stop_before_pixels=True)) for path in paths]
    turn = np.array(slices[0][1].get("ImageOrientationPatient") or (1, 0, 0, 0, 1, 0), dtype=float)
    normal = np.cross(turn[:3], turn[3:])

    def position(dataset: Dataset) -> np.ndarray:
        return np.array(dataset.get("ImagePositionPatient") or (0, 0, 0), dtype=float)

    slices.sort(key=lambda pair: float(normal @ position(pair[1])))
    first, last = slices[0][1], slices[-1][1]
    step = (position(last) - position(first)) / max(1, len(slices) - 1)
    length = float(np.linalg.norm(step)) or float(first.get("SliceThickness") or 1.0)
    geometry = VolumeGeometry(
        shape=(len(slices), int(first.Rows), int(first.Columns)),
        spacing_mm=(length, *(float(v) for v in first.get("PixelSpacing") or (1, 1))),
        origin_mm=tuple(position(first)),
        axes=(tuple(step / length) if len(slices) > 1 else tuple(normal), tuple(turn[3:]), tuple(turn[:3])),
        frame_of_reference_uid=first.get("FrameOfReferenceUID"),
    )
    frames = tuple(FrameSource(path=path) for path, _ in slices)
    uids = tuple(str(dataset.get("SOPInstanceUID", "")) for _, dataset in slices)
    moments = [moment for _, dataset in slices if (moment := acquisition_moment(Tags(dataset))) is not None]
    return Series(
        uid=str(first.get("SeriesInstanceUID", "")),
        modality=str(first.get("Modality", "")),
        sop_class_uid=str(first.get("SOPClassUID", "")),
        number=None,
        description=None,
        volumes=(VolumeFrames(frames=frames, geometry=geometry, sop_instance_uids=uids),),
        sources=frames,
        sop_instance_uids=uids,
        frame_of_reference_uid=first.get("FrameOfReferenceUID"),
        first_acquired_at=min(moments, default=None),
        last_acquired_at=max(moments, default=None),
    )


def _object_series(paths: Sequence[Path]) -> Series:
    """Objects without image slices (SEG, RTSTRUCT) as a series."""
    first = pydicom.dcmread(paths[0], force=True, stop_before_pixels=True)
    return Series(
        uid=str(first.get("SeriesInstanceUID", "")),
        modality=str(first.get("Modality", "")),
        sop_class_uid=str(first.get("SOPClassUID", "")),
        number=None,
        description=None,
        volumes=(),
        sources=tuple(FrameSource(path=path) for path in paths),
        sop_instance_uids=(str(first.get("SOPInstanceUID", "")),),
    )


@pytest.fixture(scope="session")
def image_series() -> SeriesMaker:
    return _image_series


@pytest.fixture(scope="session")
def object_series() -> SeriesMaker:
    return _object_series


@pytest.fixture
def stored(tmp_path: Path) -> Callable[..., Path]:
    """Writes a dataset as a file; attributes by keyword are added to it."""

    def store(dataset: Dataset | None = None, *, name: str = "", **attributes: object) -> Path:
        dataset = dataset if dataset is not None else Dataset()
        for keyword, value in attributes.items():
            setattr(dataset, keyword, value)
        dataset.SOPClassUID = dataset.get("SOPClassUID", "1.2.840.10008.5.1.4.1.1.128")
        dataset.SOPInstanceUID = dataset.get("SOPInstanceUID", generate_uid(entropy_srcs=[name, str(len(attributes))]))
        dataset.SeriesInstanceUID = dataset.get("SeriesInstanceUID", "2.25.77")
        if "Rows" not in dataset and "NumberOfFrames" not in dataset:
            dataset.Rows = dataset.Columns = 4
        meta = FileMetaDataset()
        meta.MediaStorageSOPClassUID = dataset.SOPClassUID
        meta.MediaStorageSOPInstanceUID = dataset.SOPInstanceUID
        meta.TransferSyntaxUID = ExplicitVRLittleEndian
        path = tmp_path / (name or f"{dataset.SOPInstanceUID}.dcm")
        file = FileDataset(str(path), dataset, file_meta=meta, preamble=b"\0" * 128)
        file.save_as(path, enforce_file_format=True)
        return path

    return store
