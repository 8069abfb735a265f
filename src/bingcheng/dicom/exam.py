"""What an index is grouped into: exams, their series, and the volumes and segmentations in them. No pixels."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from bingcheng.image.geometry import VolumeGeometry


@dataclass(frozen=True, slots=True, kw_only=True)
class FrameSource:
    """Where one slice is: a file (inside a zip: `member`), and the frame in it, counted from 0."""

    path: Path
    frame: int = 0
    member: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class VolumeFrames:
    """The slices of one volume in the order of z, and where they lie.

    `key` tells the volumes of a series apart: (("b_value", 800.0),), (("echo_time", 4.6), ("time", 2.0)), or ().
    `sop_instance_uids` holds one per slice (the same one for all frames of a multi-frame object).
    """

    frames: tuple[FrameSource, ...]
    geometry: VolumeGeometry
    key: tuple[tuple[str, float], ...] = ()
    sop_instance_uids: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Series:
    """One DICOM series. `volumes` is empty for objects without image slices (SEG, RTSTRUCT, SR); see `sources`.

    `sources` are all files of the series in file order. `localiser` is True for scouts and screenshot-like series.
    `first_acquired_at` and `last_acquired_at` are the earliest and latest acquisition times over all its instances
    and frames; they may be later or earlier than the series time.
    """

    uid: str
    modality: str
    sop_class_uid: str
    number: int | None
    description: str | None
    volumes: tuple[VolumeFrames, ...]
    sources: tuple[FrameSource, ...]
    sop_instance_uids: tuple[str, ...]
    frame_of_reference_uid: str | None = None
    localiser: bool = False
    first_acquired_at: datetime | None = None
    last_acquired_at: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Patient:
    """Identity as the hospital wrote it. Never leaves the workspace's identity table; `key` is what others see."""

    patient_id: str
    issuer: str | None = None
    name: str | None = None
    birth_date: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Exam:
    """One study of one patient at one institution."""

    uid: str
    patient: Patient
    institution: str | None
    performed_at: datetime | None
    description: str | None
    accession_number: str | None
    series: tuple[Series, ...]
