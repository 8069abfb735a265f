"""What there is to do: the exams found, each with everything that one worker needs to assess it."""

from __future__ import annotations

import hashlib
import re
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path

from bingcheng.core.errors import InputError
from bingcheng.core.refusal import Refusal
from bingcheng.dicom.dose.read import DOSE_CLASSES
from bingcheng.dicom.exam import Exam, Series
from bingcheng.dicom.grouping.exams import Grouping
from bingcheng.dicom.grouping.sop_classes import MASK_CLASSES
from bingcheng.dicom.index.scan import Index, index
from bingcheng.dicom.sources import open_source
from bingcheng.engine.nifti_masks import MaskFile, assigned
from bingcheng.engine.radiomics.asked import Asked

DICOM_FOLDER = "dicom"
"""Where the DICOM objects made from exams stand in a workspace: a folder an exam (see `short`)."""
IMAGE_MODALITIES = frozenset({"CT", "MR", "PT"})
OWN_FOLDER = re.compile(r"\.?[0-9a-f]{12}(\.\w+)?")
"""The name of an exam's folder of outputs (see `short`), or of one that is being written."""
READ_WHOLE = MASK_CLASSES | DOSE_CLASSES
"""SOP classes whose content is in the header: masks, and documents that may be dose reports."""
HEAD_BYTES = 65536
"""Enough for the header of a classic image, private elements included."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Task:
    """One exam to assess.

    Parameters
    ----------
    masks : NIfTI masks that lie on one of its grids.
    refusals : what the scan already refused of this exam.
    fingerprint : of its instances, of the masks and of the methods.
    outputs : folder for DICOM objects made from it; None if none are wanted.
    radiomics : what features to extract of its lesions; None for none.
    """

    exam: Exam
    masks: tuple[MaskFile, ...]
    refusals: tuple[Refusal, ...]
    fingerprint: str
    outputs: Path | None
    radiomics: Asked | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """The exams to assess, and the refusals that belong to none of them."""

    tasks: tuple[Task, ...]
    stray: tuple[Refusal, ...]


def plan(
    grouping: Grouping,
    scanned: Iterable[Refusal],
    masks: Sequence[MaskFile],
    methods: str,
    outputs: Path,
    radiomics: Asked | None = None,
) -> Plan:
    """A task an exam.

    Parameters
    ----------
    grouping : what the index holds.
    scanned : refusals of the scan itself.
    masks : NIfTI files.
    methods : fingerprint of the methods.
    outputs : folder below which each exam has its own.
    radiomics : what features to extract; part of the exams' fingerprints only if there is any.
    """
    if radiomics is not None:
        methods = f"{methods} {radiomics.fingerprint}"
    drawn, unplaced = assigned(masks, grouping.exams)
    refusals: dict[str | None, list[Refusal]] = defaultdict(list)
    for refusal in (*scanned, *grouping.refusals):
        refusals[refusal.study_uid].append(refusal)
    tasks = tuple(
        Task(
            exam=exam,
            masks=tuple(drawn.get(exam.uid, ())),
            refusals=tuple(refusals.pop(exam.uid, ())),
            fingerprint=_fingerprint(exam, drawn.get(exam.uid, ()), methods),
            outputs=outputs / short(exam.uid),
            radiomics=radiomics,
        )
        for exam in grouping.exams
    )
    return Plan(tasks=tasks, stray=(*(r for left in refusals.values() for r in left), *unplaced))


def foreign_index(paths: Sequence[Path], outputs: Path, progress: Callable[[int, int], None] | None = None) -> Index:
    """The headers below `paths` without the objects that runs write below `outputs`.

    A workspace may lie among the exams, and another run may replace its folders while they would be read.
    """
    own = outputs.resolve()

    @cache  # a folder holds many files, and to resolve a name takes long
    def foreign(folder: Path) -> bool:
        found = folder.resolve()
        return found.parent != own or OWN_FOLDER.fullmatch(found.name) is None

    scanned = index(paths, progress=progress, enter=foreign)
    return replace(scanned, headers=tuple(header for header in scanned.headers if foreign(header.source.path.parent)))


def image_series(exam: Exam) -> tuple[Series, ...]:
    """The series that can be judged and measured: CT, MR and PET with volumes, without localisers."""
    return tuple(s for s in exam.series if s.modality in IMAGE_MODALITIES and s.volumes and not s.localiser)


def places(task: Task) -> frozenset[Path]:
    """The folders that hold an exam's files, the archives that hold them in files of their own, and its masks."""
    found = (source for series in task.exam.series for source in series.sources)
    files = frozenset((source.path.parent if source.member is None else source.path).absolute() for source in found)
    return files | {mask.path.absolute() for mask in task.masks}


def short(uid: str) -> str:
    """A short name for a UID, for folders; tells nothing about the patient."""
    return hashlib.sha256(uid.encode()).hexdigest()[:12]


def _fingerprint(exam: Exam, masks: Iterable[MaskFile], methods: str) -> str:
    digest = hashlib.sha256(methods.encode())
    for line in sorted((*_lines(exam), *(mask.digest() for mask in masks))):
        digest.update(f"{line}\n".encode())
    return digest.hexdigest()


def _lines(exam: Exam) -> Iterator[str]:
    """One line an instance, a file and a series: where the files are does not matter, what and how many they are does.

    Instances are told by their UIDs and sizes. A header may be corrected without either changing, so that of each
    series the first file's header counts too, and the whole content of a mask or a document.
    """
    for series in exam.series:
        yield from (f"{series.uid} {uid}" for uid in series.sop_instance_uids)
        for number, source in enumerate(series.sources):
            try:
                if source.member is None:
                    yield f"{series.uid} {source.path.stat().st_size}"
                whole = series.sop_class_uid in READ_WHOLE
                if number == 0 or whole:
                    with open_source(source) as stream:
                        read = stream.read() if whole else stream.read(HEAD_BYTES)
                    yield f"{series.uid} {hashlib.sha256(read).hexdigest()}"
            except (OSError, InputError):
                yield f"{series.uid} unreadable"
