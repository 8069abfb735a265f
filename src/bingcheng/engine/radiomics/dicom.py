"""DICOM images with the regions that SEG, RTSTRUCT or NIfTI masks draw on them."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from bingcheng.core.errors import InputError
from bingcheng.core.refusal import Refusal, SubjectKind
from bingcheng.dicom.exam import Exam, Series
from bingcheng.dicom.facts.acquired import acquisition
from bingcheng.dicom.grouping.exams import exams as grouped
from bingcheng.dicom.grouping.sop_classes import MASK_CLASSES
from bingcheng.dicom.index.scan import index
from bingcheng.dicom.masks.placement import PlacedRegion
from bingcheng.dicom.masks.regions import is_lesion, regions
from bingcheng.dicom.pixels.read import read_volume
from bingcheng.engine.discretion import Discretion
from bingcheng.engine.nifti_masks import MaskFile, assigned, mask_files
from bingcheng.engine.nifti_masks import placed as placed_mask
from bingcheng.engine.plan import image_series
from bingcheng.engine.radiomics.inputs import Found, Source, Subject, Wanted, chosen, told_apart
from bingcheng.image.region import Region
from bingcheng.image.volume import Volume
from bingcheng.quantify.uptake.suv import suv


@dataclass(slots=True)
class _Drawing:
    """What was found so far."""

    placed: list[PlacedRegion] = field(default_factory=list)
    refusals: list[Refusal] = field(default_factory=list)
    masks: int = 0


def drawn_by(image: Path, mask: Path, wanted: Wanted) -> Found:
    """The images at `image` with every region that `mask` draws on them."""
    label_maps = mask_files([mask]) if mask.is_dir() or mask.name.endswith((".nii", ".nii.gz")) else ()
    scanned = index([image] if label_maps and mask.is_file() else [image, mask])
    grouping = grouped(scanned)
    exams = grouping.exams
    images = [series for exam in exams for series in _images(exam, wanted) if _lies_in(series, image)]
    drawing = _Drawing()
    for series in (series for exam in exams for series in exam.series if _lies_in(series, mask)):
        _place_object(series, images, drawing)
    for one in label_maps:
        _place_file(one, images, drawing)
    discretion = Discretion.about(exams)
    kept = _chosen(drawing.placed, wanted.label)
    scans = (*scanned.refusals, *grouping.refusals) if not images or not drawing.masks else ()
    return Found(
        sources=tuple(_sources(images, kept, discretion, names=_names(exams, image))),
        refusals=tuple(discretion.refusal(one) for one in (*scans, *drawing.refusals)),
        images=len(images),
        masks=drawing.masks,
    )


def in_folder(folder: Path, wanted: Wanted, *, apart_from: Iterable[Path] = ()) -> Found:
    """All exams below a folder with the lesions of their own SEG, RTSTRUCT and NIfTI masks.

    Parameters
    ----------
    apart_from : NIfTI files that are spoken for.
    """
    scanned = index([folder])
    grouping = grouped(scanned)
    taken = {path.resolve() for path in apart_from}
    masks = [one for one in mask_files([folder]) if one.path.resolve() not in taken]
    by_exam, unplaced = assigned(masks, grouping.exams) if grouping.exams else ({}, [])
    drawing = _Drawing(refusals=[*scanned.refusals, *grouping.refusals, *unplaced])
    images: list[Series] = []
    for exam in grouping.exams:
        own = _images(exam, wanted)
        images += own
        for series in exam.series:
            _place_object(series, own, drawing)
        for one in by_exam.get(exam.uid, ()):
            _place_file(one, own, drawing)
    discretion = Discretion.about(grouping.exams)
    lesions = [one for one in drawing.placed if is_lesion(one)]
    kept = _chosen(drawing.placed, wanted.label) if wanted.label else lesions or drawing.placed
    return Found(
        sources=tuple(_sources(images, kept, discretion, names=_names(grouping.exams, None))),
        refusals=tuple(discretion.refusal(one) for one in drawing.refusals),
        other_regions=len(drawing.placed) - len(kept),
        images=len(images),
        masks=drawing.masks,
    )


def _images(exam: Exam, wanted: Wanted) -> list[Series]:
    """The series to measure: CT, MR and PET; without any of these whatever has slices."""
    usual = image_series(exam) or tuple(one for one in exam.series if one.volumes and not one.localiser)
    return [one for one in usual if wanted.modality in (None, one.modality)]


def _lies_in(series: Series, path: Path) -> bool:
    root = path.resolve()
    return any(root in (source.path.resolve(), *source.path.resolve().parents) for source in series.sources)


def _place_object(series: Series, images: Sequence[Series], drawing: _Drawing) -> None:
    if series.sop_class_uid in MASK_CLASSES:
        found = regions(series, images)
        drawing.placed += found.regions
        drawing.refusals += found.refusals
        drawing.masks += 1


def _place_file(mask: MaskFile, images: Sequence[Series], drawing: _Drawing) -> None:
    drawing.masks += 1
    try:
        drawing.placed += placed_mask(mask, images)
    except InputError as error:
        drawing.refusals.append(Refusal.of(error, kind=SubjectKind.FILE, subject=mask.subject))


def _chosen(placed: Sequence[PlacedRegion], label: str | None) -> list[PlacedRegion]:
    kept = {id(region) for region in chosen([(str(one.number), one.region) for one in placed], label)}
    return [one for one in placed if id(one.region) in kept]


def _names(exams: Sequence[Exam], given: Path | None) -> dict[str, str]:
    """A name for each series, by its UID; of a path that a person gave its last part, if one series is in it."""
    every = [(number, exam, series) for number, exam in enumerate(exams, start=1) for series in exam.series]
    inside = [series.uid for _, _, series in every if given is not None and _lies_in(series, given) and series.volumes]
    if given is not None and len(inside) == 1:
        return {inside[0]: given.resolve().name}
    names: dict[str, str] = {}
    for number, _, series in every:
        name = f"E{number:02d} {series.modality} {series.number if series.number is not None else ''}".strip()
        alike = sum(other.partition(" #")[0] == name for other in names.values() if series.volumes)
        names[series.uid] = f"{name} #{alike + 1}" if alike else name
    return names


def _sources(
    images: Sequence[Series], placed: Iterable[PlacedRegion], discretion: Discretion, *, names: dict[str, str]
) -> Iterator[Source]:
    by_place: dict[tuple[str, int], list[Region]] = defaultdict(list)
    for one in placed:
        by_place[one.series_uid, one.volume].append(one.region)
    for series in images:
        for volume in range(len(series.volumes)):
            drawn = by_place.get((series.uid, volume), [])
            if drawn:
                several = f" volume {volume + 1}" if len(series.volumes) > 1 else ""
                yield _source(series, volume, drawn, discretion, name=f"{names.get(series.uid, '')}{several}")


def _source(series: Series, number: int, drawn: Sequence[Region], discretion: Discretion, *, name: str) -> Source:
    def read() -> Subject:
        volume = _volume(series, number)
        regions = tuple(
            replace(region, label=label, grid=volume.geometry, method=discretion.without(region.method))
            for region, label in told_apart(drawn, lambda region: discretion.label(region.label))
        )
        return Subject(
            name=discretion.label(name),
            volume=volume,
            regions=regions,
            modality=series.modality,
            inputs=(series.uid,),
            frames=series.volumes[number],
        )

    return Source(name=discretion.label(name), modality=series.modality, read=read)


def _volume(series: Series, number: int) -> Volume:
    """The voxels; of PET as SUV, for which the header has to hold dose, weight and times."""
    volume = read_volume(series.volumes[number])
    return suv(volume, acquisition(series)) if series.modality == "PT" else volume
