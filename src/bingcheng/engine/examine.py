"""One exam from files to its record: facts, quality, lesions, key images, and the DICOM objects made from it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from bingcheng.archive.records import ExamRecord, LesionRecord, SeriesRecord
from bingcheng.core.case import Case, Methods
from bingcheng.core.errors import BingchengError, InputError
from bingcheng.core.measurement import Measurement
from bingcheng.core.refusal import Refusal, SubjectKind
from bingcheng.dicom.acquisition import AnyAcquisition
from bingcheng.dicom.exam import Exam, Series
from bingcheng.dicom.facts.acquired import acquisition
from bingcheng.dicom.sources import mode_of
from bingcheng.engine import methods as measures
from bingcheng.engine.discretion import Discretion
from bingcheng.engine.doses import exam_dose
from bingcheng.engine.inputs import Image, Marked, case_of, identified, marked, on_grid, read_images, refused
from bingcheng.engine.plan import Task, image_series, short
from bingcheng.engine.problems import FILES_WENT, NO_IMAGE, NO_LESION, ONLY_LOCALISERS
from bingcheng.engine.radiomics.asked import Asked
from bingcheng.engine.radiomics.lesions import lesion_features
from bingcheng.engine.replacing import replacing
from bingcheng.image.region import Region
from bingcheng.image.volume import Volume
from bingcheng.outputs.keyimage import key_image
from bingcheng.outputs.picture import KeyImage
from bingcheng.outputs.radiomics.sr import write_radiomics_sr
from bingcheng.outputs.seg import tracked, write_seg
from bingcheng.outputs.source_images import CANNOT_WRITE
from bingcheng.outputs.sr import NOTHING_TO_REPORT, write_sr
from bingcheng.outputs.sr_groups import ReportedLesion
from bingcheng.quantify.size.diameter import DiameterLine
from bingcheng.quantify.uncertainty.repetition import measured

Reported = tuple[Region, ReportedLesion]
"""A lesion as drawn, and as it is reported."""


@dataclass(slots=True)
class _Found:
    """What was found in one series so far, and what features of lesions are asked for."""

    asked: Asked | None = None
    measurements: list[Measurement] = field(default_factory=list)
    lesions: list[LesionRecord] = field(default_factory=list)
    image: KeyImage | None = None
    voxel_mm3: float | None = None
    names: Counter[str] = field(default_factory=Counter)


def examined(task: Task) -> ExamRecord:
    """The record of one exam. Series that can't be used become refusals; the rest goes on.

    Runs in a worker process: everything it needs is in `task`, everything it found is in the record. The DICOM objects
    made of it take the place of those of an earlier time at once, when all of them are written.

    Raises
    ------
    InputError
        ``engine.cannot-write``, ``outputs.cannot-write``, ``engine.files-went``.
    """
    if task.outputs is None:
        return _whole(task, None)
    with replacing(task.outputs) as folder:
        return _whole(task, folder)


def _whole(task: Task, outputs: Path | None) -> ExamRecord:
    """The record, if all that it was to be made of was there to its end.

    Somebody who deletes an exam while it is read must not leave results of half of it, in the place of earlier ones.
    """
    record = Discretion.about([task.exam]).record(_record(task, outputs))
    files = {source.path for series in task.exam.series for source in series.sources}
    gone = sum(not mode_of(path) for path in files)
    if gone:
        raise InputError(FILES_WENT, count=gone)
    return record


def _record(task: Task, outputs: Path | None) -> ExamRecord:
    exam = task.exam
    images = image_series(exam)
    drawn = marked(exam.series, images, task.masks)
    refusals = [*task.refusals, *drawn.refusals]
    records: list[SeriesRecord] = []
    for series in images:
        try:
            facts = acquisition(series)
        except BingchengError as error:
            refusals.append(refused(error, series, exam.uid))
            continue
        found = _Found(asked=task.radiomics)
        refusal = _series(exam.uid, outputs, series, facts, drawn, found)
        if refusal is not None:
            refusals.append(refusal)
        records.append(
            SeriesRecord(
                uid=series.uid,
                acquisition=facts,
                measurements=tuple(found.measurements),
                lesions=tuple(found.lesions),
                volume_count=len(series.volumes),
                voxel_mm3=found.voxel_mm3,
                image=found.image,
            )
        )
    if records and not drawn.lesions and not drawn.refusals:  # what was drawn and is of no use is refused by itself
        refusals.append(_without_lesion(exam.uid))
    dose = exam_dose(exam, records)
    refusals += dose.refusals
    if not records and not dose.reported and not refusals:
        refusals.append(_without_image(exam))
    return ExamRecord(
        uid=exam.uid,
        fingerprint=task.fingerprint,
        patient=exam.patient,
        site=(exam.institution or "").strip(),
        performed_at=exam.performed_at,
        description=exam.description or "",
        series=tuple(records),
        refusals=tuple(refusals),
        doses=dose.records,
    )


def _series(
    study_uid: str, outputs: Path | None, series: Series, facts: AnyAcquisition, drawn: Marked, found: _Found
) -> Refusal | None:
    try:
        # The voxels are released before objects are written, which takes memory of its own.
        reported = _images(study_uid, series, facts, drawn, found)
        if outputs is not None:
            for index, lesions in reported.items():
                _write_objects(outputs, series, index, lesions)
    except BingchengError as error:
        if error.code == CANNOT_WRITE.code:  # the exam is not finished as long as its objects are not written
            raise
        return refused(error, series, study_uid)
    return None


def _images(
    study_uid: str, series: Series, facts: AnyAcquisition, drawn: Marked, found: _Found
) -> dict[int, list[Reported]]:
    """Measure the volumes of a series; returns the lesions to report by the index of their volume."""
    wanted = [index for uid, index in drawn.lesions if uid == series.uid]
    reported: dict[int, list[Reported]] = {}
    for image in read_images(series, wanted):
        place = (series.uid, image.index)
        lesions = drawn.lesions.get(place, ())
        if image.stack is not None:  # all volumes of a stack share their grid, wherever the lesion was drawn
            lesions = tuple(r for (uid, _), regions in drawn.lesions.items() if uid == series.uid for r in regions)
        inside = _image(study_uid, series, facts, image, lesions, drawn.segments.get(place, {}), found)
        if inside:
            reported[image.index] = inside
    return reported


def _image(
    study_uid: str,
    series: Series,
    facts: AnyAcquisition,
    image: Image,
    lesions: tuple[Region, ...],
    segments: Mapping[str, Region],
    found: _Found,
) -> list[Reported]:
    methods = measures.installed()
    placed = {name: on_grid(region, image.volume) for name, region in segments.items()}
    case = case_of(methods, image, series, facts, placed)
    shown = _shown(case, image)
    if image.index == 0:
        found.voxel_mm3 = image.volume.geometry.voxel_mm3
        found.measurements += measured(case, methods.of_series())
        found.image = key_image(shown, modality=series.modality)
    return _lesions(study_uid, methods, case, shown, lesions, found)


def _lesions(
    study_uid: str,
    methods: Methods,
    case: Case,
    shown: Volume,
    lesions: tuple[Region, ...],
    found: _Found,
) -> list[Reported]:
    """Measure lesions; returns those to report."""
    volume = case["volume"]
    assert isinstance(volume, Volume)
    reported: list[Reported] = []
    for name, drawn in identified(lesions, found.names):
        region = tracked(on_grid(drawn, volume), study_uid, name)
        record, axis = _lesion(methods, case, name, region, shown, found.asked)
        found.lesions.append(record)
        if not region.empty:
            reported.append(
                (
                    region,
                    ReportedLesion(
                        label=region.label,
                        tracking_uid=region.tracking_uid or name,
                        measurements=record.measurements,
                        axis=axis,
                        radiomics=record.radiomics,
                    ),
                )
            )
    return reported


def _lesion(
    methods: Methods, case: Case, name: str, region: Region, shown: Volume, asked: Asked | None
) -> tuple[LesionRecord, DiameterLine | None]:
    sources = () if region.source_uid is None else (region.source_uid,)
    own = case.with_lesion(region, inputs=sources)
    values = measured(own, methods.of_lesions())
    axis = _axis(own)
    ends = None if axis is None else (axis.long_axis.start_mm, axis.long_axis.end_mm)
    record = LesionRecord(
        lesion=name,
        label=region.label,
        method=region.method,
        measurements=values,
        image=key_image(shown, region, modality=case.modality, diameter_mm=ends),
        radiomics=() if asked is None else lesion_features(asked, case, region),
    )
    return record, axis


def _axis(case: Case) -> DiameterLine | None:
    try:
        axis = case["longest_axis"]
    except BingchengError:
        return None
    assert isinstance(axis, DiameterLine)
    return axis


def _shown(case: Case, image: Image) -> Volume:
    """PET is shown in SUV where there is one."""
    if case.modality == "PT":
        try:
            suv = case["suv"]
        except (BingchengError, KeyError):
            return image.shown
        assert isinstance(suv, Volume)
        return suv
    return image.shown


def _write_objects(folder: Path, series: Series, index: int, reported: list[Reported]) -> None:
    """A segmentation and a structured report of the lesions measured in one volume of a series."""
    name = f"{series.modality.lower()}-{short(series.uid)}" + (f"-{index}" if index else "")
    frames = series.volumes[index]
    reference = write_seg(folder / f"{name}-seg.dcm", [region for region, _ in reported], frames)
    lesions = [lesion for _, lesion in reported]
    write_radiomics_sr(folder / f"{name}-radiomics-sr.dcm", lesions, frames, reference)
    try:
        write_sr(folder / f"{name}-sr.dcm", lesions, frames, reference)
    except InputError as error:
        if error.code != NOTHING_TO_REPORT.code:  # the record says of each lesion why it has no value
            raise


def _without_lesion(study_uid: str) -> Refusal:
    return Refusal.of(InputError(NO_LESION), kind=SubjectKind.EXAM, subject=study_uid, study_uid=study_uid)


def _without_image(exam: Exam) -> Refusal:
    """What the exam holds instead, so that nobody takes silence for an answer."""
    localisers = any(series.localiser for series in exam.series)
    held = ", ".join(sorted({series.modality for series in exam.series}))
    error = InputError(ONLY_LOCALISERS) if localisers else InputError(NO_IMAGE, held=held)
    return Refusal.of(error, kind=SubjectKind.EXAM, subject=exam.uid, study_uid=exam.uid)
