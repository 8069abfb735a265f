"""What there is to do: the exams found, each with everything that one worker needs to assess it."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from bingcheng.core.refusal import Refusal
from bingcheng.dicom.exam import Exam, FrameSource, Series
from bingcheng.dicom.series import Grouping

NIFTI_ENDINGS = (".nii", ".nii.gz")
IMAGE_MODALITIES = frozenset({"CT", "MR", "PT"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Task:
    """One exam to assess.

    Parameters
    ----------
    masks : NIfTI masks found beside the exams; those that lie on one of its grids are its own.
    refusals : what the scan already refused of this exam.
    fingerprint : of its instances, of the masks and of the methods.
    outputs : folder for DICOM objects made from it; None if none are wanted.
    """

    exam: Exam
    masks: tuple[Path, ...]
    refusals: tuple[Refusal, ...]
    fingerprint: str
    outputs: Path | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """The exams to assess, and the refusals that belong to none of them."""

    tasks: tuple[Task, ...]
    stray: tuple[Refusal, ...]


def plan(grouping: Grouping, scanned: Iterable[Refusal], masks: Sequence[Path], methods: str, outputs: Path) -> Plan:
    """A task an exam.

    Parameters
    ----------
    grouping : what the index holds.
    scanned : refusals of the scan itself.
    masks : NIfTI files.
    methods : fingerprint of the methods.
    outputs : folder below which each exam has its own.
    """
    refusals = (*scanned, *grouping.refusals)
    tasks = tuple(
        Task(
            exam=exam,
            masks=tuple(masks),
            refusals=tuple(r for r in refusals if r.study_uid == exam.uid),
            fingerprint=_fingerprint(exam, masks, methods),
            outputs=outputs / short(exam.uid),
        )
        for exam in grouping.exams
    )
    placed = {task.exam.uid for task in tasks}
    return Plan(tasks=tasks, stray=tuple(r for r in refusals if r.study_uid not in placed))


def image_series(exam: Exam) -> tuple[Series, ...]:
    """The series that can be judged and measured: CT, MR and PET with volumes, without localisers."""
    return tuple(s for s in exam.series if s.modality in IMAGE_MODALITIES and s.volumes and not s.localiser)


def short(uid: str) -> str:
    """A short name for a UID, for folders; tells nothing about the patient."""
    return hashlib.sha256(uid.encode()).hexdigest()[:12]


def nifti_files(paths: Iterable[Path]) -> tuple[Path, ...]:
    """The NIfTI files at or below `paths`, sorted."""
    return tuple(sorted(set(_nifti(paths))))


def _nifti(paths: Iterable[Path]) -> Iterator[Path]:
    for path in paths:
        if path.is_dir():
            yield from (p for p in path.rglob("*.nii*") if p.name.endswith(NIFTI_ENDINGS))
        elif path.name.endswith(NIFTI_ENDINGS):
            yield path


def _fingerprint(exam: Exam, masks: Sequence[Path], methods: str) -> str:
    digest = hashlib.sha256(methods.encode())
    for line in sorted(_lines(exam)):
        digest.update(line.encode())
    for mask in masks:
        digest.update(hashlib.sha256(mask.read_bytes()).digest())
    return digest.hexdigest()


def _lines(exam: Exam) -> Iterator[str]:
    """One line an instance and one a file: where the files are does not matter, what and how many they are does."""
    for series in exam.series:
        yield from (f"{series.uid} {uid}\n" for uid in series.sop_instance_uids)
        yield from (f"{series.uid} {size}\n" for size in _sizes(series.sources))


def _sizes(sources: Iterable[FrameSource]) -> Iterator[int]:
    for source in sources:
        try:
            yield source.path.stat().st_size
        except OSError:
            yield -1
