"""From an exam's series to cases: voxels read, regions placed, everything a measure may ask for by name."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from bingcheng.core.case import Case, Methods
from bingcheng.core.errors import BingchengError, InputError
from bingcheng.core.refusal import Refusal, SubjectKind
from bingcheng.dicom.acquisition import AnyAcquisition
from bingcheng.dicom.exam import Series
from bingcheng.dicom.grouping.sop_classes import MASK_CLASSES
from bingcheng.dicom.masks.placement import PlacedRegion
from bingcheng.dicom.masks.regions import is_lesion, regions
from bingcheng.dicom.pixels.read import read_stack, read_volume
from bingcheng.engine.nifti_masks import MaskFile
from bingcheng.engine.nifti_masks import placed as placed_mask
from bingcheng.image.region import Region
from bingcheng.image.volume import Stack, Volume

B_VALUE = "b_value"


@dataclass(frozen=True, slots=True, kw_only=True)
class Marked:
    """The regions drawn on an exam's images: lesions and other segments by (series UID, volume index)."""

    lesions: Mapping[tuple[str, int], tuple[Region, ...]]
    segments: Mapping[tuple[str, int], Mapping[str, Region]]
    refusals: tuple[Refusal, ...]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Image:
    """The voxels of one volume of a series, as measures get them; `index` counts the series' volumes."""

    index: int
    volume: Volume
    stack: Stack | None

    @property
    def shown(self) -> Volume:
        """What a person looks at: of a diffusion series the strongest weighting, where lesions are bright."""
        return self.volume if self.stack is None else self.stack.volumes[-1]


def marked(series: Sequence[Series], images: Sequence[Series], masks: Iterable[MaskFile]) -> Marked:
    """All regions that the exam's segmentations and NIfTI masks draw on `images`."""
    placed: list[PlacedRegion] = []
    refusals: list[Refusal] = []
    for one in series:
        if one.sop_class_uid in MASK_CLASSES:
            drawn = regions(one, images)
            placed += drawn.regions
            refusals += drawn.refusals
    for mask in masks:
        try:
            placed += placed_mask(mask, images)
        except InputError as error:
            refusals.append(Refusal.of(error, kind=SubjectKind.FILE, subject=mask.subject))
    lesions: dict[tuple[str, int], list[Region]] = defaultdict(list)
    segments: dict[tuple[str, int], dict[str, Region]] = defaultdict(dict)
    for each in placed:
        place = (each.series_uid, each.volume)
        if is_lesion(each):
            lesions[place].append(each.region)
        else:
            segments[place].setdefault(each.region.label.strip().lower(), each.region)
    return Marked(
        lesions={place: tuple(found) for place, found in lesions.items()}, segments=segments, refusals=tuple(refusals)
    )


def identified(lesions: Iterable[Region], seen: Counter[str]) -> tuple[tuple[str, Region], ...]:
    """Each lesion with its identifier within the patient: the tracking UID, else the label; doubles are numbered.

    `seen` counts the identifiers of the series so far: a lesion drawn on two phases is two of them.
    """
    found = []
    for lesion in lesions:
        name = lesion.tracking_uid or lesion.label.strip()
        seen[name] += 1
        found.append((name if seen[name] == 1 else f"{name} #{seen[name]}", lesion))
    return tuple(found)


def read_images(series: Series, wanted: Iterable[int]) -> Iterator[Image]:
    """The volumes of a series to work on: its first one and those on which lesions are drawn, one at a time.

    A diffusion series is one image: its stack of b-values, with the lowest as its volume.

    Raises
    ------
    BingchengError
        what reading the pixels may raise.
    """
    if stacked(series):
        stack = read_stack(series, B_VALUE)
        yield Image(index=0, volume=stack.volumes[0], stack=stack)
        return
    for index in sorted({0, *wanted}):
        yield Image(index=index, volume=read_volume(series.volumes[index]), stack=None)


def stacked(series: Series) -> bool:
    """Whether the series' volumes are one image: a stack of b-values."""
    return len({dict(frames.key).get(B_VALUE) for frames in series.volumes} - {None}) > 1


def case_of(
    methods: Methods, image: Image, series: Series, acquisition: AnyAcquisition, segments: Mapping[str, Region]
) -> Case:
    """The case of one volume of a series."""
    givens: dict[str, object] = {"volume": image.volume, "acquisition": acquisition, "segments": segments}
    if image.stack is not None:
        givens["diffusion"] = image.stack
    return Case(methods, givens, modality=series.modality, inputs=(series.uid,))


def on_grid(region: Region, volume: Volume) -> Region:
    """`region` with the volume's own grid, so that both are the same to the last bit."""
    return replace(region, grid=volume.geometry)


def refused(error: BingchengError, series: Series, study_uid: str) -> Refusal:
    """The refusal of a whole series."""
    return Refusal.of(error, kind=SubjectKind.SERIES, subject=series.uid, study_uid=study_uid, series_uid=series.uid)
