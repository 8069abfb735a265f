"""One exam from files to its record: facts, quality, lesions, key images, and the DICOM objects made from it."""

from __future__ import annotations

import shutil
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from bingcheng.archive.records import ExamRecord, LesionRecord, SeriesRecord
from bingcheng.core.case import Case, Methods
from bingcheng.core.errors import BingchengError, InputError
from bingcheng.core.measurement import Measurement
from bingcheng.core.refusal import Refusal, SubjectKind
from bingcheng.dicom.acquisition import AnyAcquisition
from bingcheng.dicom.exam import Series
from bingcheng.dicom.facts import acquisition
from bingcheng.engine import methods as measures
from bingcheng.engine.inputs import Image, Marked, case_of, identified, marked, on_grid, read_images, refused
from bingcheng.engine.plan import Task, image_series, short
from bingcheng.engine.problems import NO_LESION
from bingcheng.image.region import Region
from bingcheng.image.volume import Volume
from bingcheng.outputs.assessment import KeyImage
from bingcheng.outputs.keyimage import key_image
from bingcheng.outputs.seg import write_seg
from bingcheng.outputs.sr import write_sr
from bingcheng.outputs.sr_groups import ReportedLesion
from bingcheng.quantify.diameter import DiameterLine
from bingcheng.quantify.uncertainty import measured


@dataclass(slots=True)
class _Found:
    """What was found in one series so far."""

    measurements: list[Measurement] = field(default_factory=list)
    lesions: list[LesionRecord] = field(default_factory=list)
    image: KeyImage | None = None
    voxel_mm3: float | None = None


def examined(task: Task) -> ExamRecord:
    """The record of one exam. Series that can't be used become refusals; the rest goes on.

    Runs in a worker process: everything it needs is in `task`, everything it found is in the record.
    """
    exam = task.exam
    images = image_series(exam)
    drawn = marked(exam.series, images, task.masks)
    refusals = [*task.refusals, *drawn.refusals]
    if task.outputs is not None and task.outputs.exists():
        shutil.rmtree(task.outputs)
    records: list[SeriesRecord] = []
    for series in images:
        try:
            facts = acquisition(series)
        except BingchengError as error:
            refusals.append(refused(error, series, exam.uid))
            continue
        found, refusal = _series(task, series, facts, drawn)
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
    if records and not any(record.lesions for record in records):
        refusals.append(_without_lesion(exam.uid))
    return ExamRecord(
        uid=exam.uid,
        fingerprint=task.fingerprint,
        patient=exam.patient,
        site=(exam.institution or "").strip(),
        performed_at=exam.performed_at,
        description=exam.description or "",
        series=tuple(records),
        refusals=tuple(refusals),
    )


def _series(task: Task, series: Series, facts: AnyAcquisition, drawn: Marked) -> tuple[_Found, Refusal | None]:
    found = _Found()
    wanted = [index for uid, index in drawn.lesions if uid == series.uid]
    try:
        for image in read_images(series, wanted):
            place = (series.uid, image.index)
            lesions = drawn.lesions.get(place, ())
            if image.stack is not None:  # all volumes of a stack share their grid, wherever the lesion was drawn
                lesions = tuple(r for (uid, _), regions in drawn.lesions.items() if uid == series.uid for r in regions)
            _image(task, series, facts, image, lesions, drawn.segments.get(place, {}), found)
    except BingchengError as error:
        return found, refused(error, series, task.exam.uid)
    return found, None


def _image(
    task: Task,
    series: Series,
    facts: AnyAcquisition,
    image: Image,
    lesions: tuple[Region, ...],
    segments: Mapping[str, Region],
    found: _Found,
) -> None:
    methods = measures.installed()
    placed = {name: on_grid(region, image.volume) for name, region in segments.items()}
    case = case_of(methods, image, series, facts, placed)
    shown = _shown(case, image)
    if image.index == 0:
        found.voxel_mm3 = image.volume.geometry.voxel_mm3
        found.measurements += measured(case, [m for m in methods.measures if not methods.per_lesion(m)])
        found.image = key_image(shown, modality=series.modality)
    reported: list[tuple[Region, ReportedLesion]] = []
    for name, drawn in identified(lesions):
        region = on_grid(drawn, image.volume)
        record, axis = _lesion(methods, case, name, region, shown, series.modality)
        found.lesions.append(record)
        if not region.empty:
            reported.append(
                (
                    region,
                    ReportedLesion(
                        label=region.label,
                        tracking_uid=region.tracking_uid or region.label,
                        measurements=record.measurements,
                        axis=axis,
                    ),
                )
            )
    if task.outputs is not None and reported:
        _write_objects(task.outputs, series, image.index, reported)


def _lesion(
    methods: Methods, case: Case, name: str, region: Region, shown: Volume, modality: str
) -> tuple[LesionRecord, DiameterLine | None]:
    sources = () if region.source_uid is None else (region.source_uid,)
    own = case.with_lesion(region, inputs=sources)
    values = measured(own, [m for m in methods.measures if methods.per_lesion(m)])
    axis = _axis(own)
    ends = None if axis is None else (axis.long_axis.start_mm, axis.long_axis.end_mm)
    record = LesionRecord(
        lesion=name,
        label=region.label,
        method=region.method,
        measurements=values,
        image=key_image(shown, region, modality=modality, diameter_mm=ends),
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


def _write_objects(folder: Path, series: Series, index: int, reported: list[tuple[Region, ReportedLesion]]) -> None:
    """A segmentation and a structured report of the lesions measured in one volume of a series."""
    name = f"{series.modality.lower()}-{short(series.uid)}" + (f"-{index}" if index else "")
    frames = series.volumes[index]
    folder.mkdir(parents=True, exist_ok=True)
    reference = write_seg(folder / f"{name}-seg.dcm", [region for region, _ in reported], frames)
    try:
        write_sr(folder / f"{name}-sr.dcm", [lesion for _, lesion in reported], frames, reference)
    except InputError:  # no lesion has a value: the record says why for each of them
        return


def _without_lesion(study_uid: str) -> Refusal:
    return Refusal.of(InputError(NO_LESION), kind=SubjectKind.EXAM, subject=study_uid, study_uid=study_uid)
