"""The images that an output refers to, read once and completed; and outputs saved whole or not at all."""

from __future__ import annotations

import contextlib
import warnings
from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime
from functools import lru_cache
from pathlib import Path

import highdicom
from pydicom.dataset import Dataset
from pydicom.uid import generate_uid

from bingcheng.core.codes import Code
from bingcheng.core.errors import InputError, Owner, Problem
from bingcheng.dicom.exam import FrameSource, VolumeFrames
from bingcheng.dicom.sources import open_dataset
from bingcheng.outputs import encoding
from bingcheng.outputs.whole_file import whole_file

CANNOT_WRITE = Problem(
    code="outputs.cannot-write",
    says="a result can't be written ({error})",
    remedy="Free space on the disk, or give a folder in which you may write.",
    owner=Owner.OPERATOR,
)

INHERITED_EMPTY = (
    "PatientID",
    "PatientName",
    "PatientBirthDate",
    "PatientSex",
    "StudyID",
    "StudyDate",
    "StudyTime",
    "AccessionNumber",
    "ReferringPhysicianName",
)
"""Attributes of patient and study that may be empty but not absent (type 2); de-identified images often lack them."""
SEXES = ("M", "F", "O")
"""What a PatientSex may be (PS3.3 C.7.1.1), if it is not empty."""


@contextlib.contextmanager
def as_in_the_images() -> Iterator[None]:
    """While it lasts nobody is told of names and numbers that the source images' own headers write against the rules.

    What is inherited is inherited as it is, so that the archive takes the object for the same patient and study; and
    these warnings would show patients' names to whoever looks at the terminal or the log.
    """
    with warnings.catch_warnings():
        for module in (r"pydicom\.valuerep", r"highdicom\.base"):
            warnings.filterwarnings("ignore", category=UserWarning, module=module)
        yield


def source_datasets(frames: VolumeFrames, slices: Iterable[int]) -> tuple[list[Dataset], Mapping[int, int]]:
    """The datasets (without pixels) behind some slices, and where each slice stands in them.

    Of single-frame images there is one dataset a slice; of a multi-frame object there is one, and a slice stands at
    its frame number (from 0).

    Raises
    ------
    InputError
        ``dicom.unreadable``.
    """
    opened: dict[FrameSource, Dataset] = {}
    planes: dict[int, int] = {}
    for z in slices:
        source = frames.frames[z]
        file = FrameSource(path=source.path, member=source.member)
        if file not in opened:
            opened[file] = inheritable(open_dataset(file))
        planes[z] = source.frame if frame_count(opened[file]) > 1 else len(opened) - 1
    return list(opened.values()), planes


def frame_count(dataset: Dataset) -> int:
    """How many frames the image has; 1 if it does not say."""
    return int(dataset.get("NumberOfFrames") or 1)


def inheritable(dataset: Dataset) -> Dataset:
    """The dataset, changed so that an output can inherit patient and study from it.

    What is absent is there but empty, and so is a sex that the standard doesn't know: no object may repeat it.
    """
    for keyword in INHERITED_EMPTY:
        if keyword not in dataset:
            setattr(dataset, keyword, "")
    if dataset.PatientSex not in SEXES:
        dataset.PatientSex = ""
    return dataset


@lru_cache(maxsize=1024)
def concept(code: Code) -> highdicom.sr.CodedConcept:
    """The coded concept for highdicom; values over 16 characters become long code values by themselves.

    The same concept is one object, which stands in many content items and is changed in none: to make it takes longer
    than all else of an item.
    """
    return highdicom.sr.CodedConcept(value=code.value, scheme_designator=code.scheme, meaning=code.meaning)


def save(dataset: Dataset, path: Path, moment: datetime) -> None:
    """Write `dataset` with the given date and time of content; the file appears whole or not at all.

    Raises
    ------
    InputError
        ``outputs.cannot-write``.
    """
    _make_repeatable(dataset, moment)
    try:
        with whole_file(path) as unfinished:
            if encoding.suits(dataset):
                unfinished.write_bytes(encoding.as_file(dataset))
            else:
                dataset.save_as(unfinished, enforce_file_format=True)
    except OSError as error:
        raise InputError(CANNOT_WRITE, error=type(error).__name__) from error


def _make_repeatable(dataset: Dataset, moment: datetime) -> None:
    """Replace what highdicom takes from the clock and from chance, so that the same content gives the same bytes."""
    for kind in ("Content", "InstanceCreation", "Series"):
        if f"{kind}Date" in dataset:
            setattr(dataset, f"{kind}Date", moment.strftime("%Y%m%d"))
        if f"{kind}Time" in dataset:
            setattr(dataset, f"{kind}Time", moment.strftime("%H%M%S.%f"))
    dimensions = generate_uid(entropy_srcs=[str(dataset.SOPInstanceUID), "dimensions"])
    for equipment in dataset.get("ContributingEquipmentSequence", ()):
        if "ContributionDateTime" in equipment:
            equipment.ContributionDateTime = moment.strftime("%Y%m%d%H%M%S.%f")
    # All places where it may stand (PS3.3 C.7.6.17).
    for keyword in ("DimensionOrganizationSequence", "DimensionIndexSequence"):
        for item in dataset.get(keyword, ()):
            if "DimensionOrganizationUID" in item:
                item.DimensionOrganizationUID = dimensions
