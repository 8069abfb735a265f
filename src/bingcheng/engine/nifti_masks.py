"""NIfTI masks beside the exams: on which exam's images each one lies, and its regions on their grid.

NIfTI knows no UIDs: a mask belongs to the images whose voxels it has. Converters store the same voxels in another order
(reversed rows, other axes first), so grids are compared as lattices and masks are turned into the order of the images.
"""

from __future__ import annotations

import hashlib
import re
import stat
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import product, takewhile
from pathlib import Path

import numpy as np

from bingcheng.core.errors import InputError
from bingcheng.core.refusal import Refusal, SubjectKind
from bingcheng.dicom.exam import Exam, Series
from bingcheng.dicom.masks.placement import PlacedRegion
from bingcheng.dicom.sources import mode_of
from bingcheng.engine.problems import MASK_AMBIGUOUS, MASK_WITHOUT_IMAGE
from bingcheng.image.geometry import VolumeGeometry
from bingcheng.image.nifti import read_grid, read_regions
from bingcheng.image.region import Region

ENDINGS = (".nii", ".nii.gz")
SAME_PLACE_MM = 0.1
"""NIfTI keeps its matrix in single precision, good to 0.1 micrometre at 1 m; headers' decimals add theirs."""
ORGANS = re.compile(
    r"(?:[\W_\d]|left|right|upper|lower|middle|lobe|segmentation|seg|mask|whole|liver|lungs?|spleen|kidneys?|heart|"
    r"aorta|"
    r"brain|body|skin|bones?|pancreas|stomach|bladder|prostate|uterus|colon|trachea|esophagus|oesophagus|muscles?|"
    r"vertebrae?|肝脏?|肺|脾脏?|肾脏?|心脏?|脑|胰腺?|胃|膀胱|前列腺|子宫|骨|左|右)+",
    re.IGNORECASE,
)
"""A name made of nothing but organs and where they are; any other mask is taken for a lesion."""


@dataclass(frozen=True, slots=True, kw_only=True)
class MaskFile:
    """A NIfTI file; `subject` is its path relative to the folder that was given."""

    path: Path
    subject: str

    @property
    def label(self) -> str:
        """What it shows, as far as its name says."""
        name = self.path.name
        return next(name.removesuffix(ending) for ending in reversed(ENDINGS) if name.endswith(ending))

    def digest(self) -> str:
        """Of its content; of its name, if it can't be read."""
        try:
            with self.path.open("rb") as stream:
                return hashlib.file_digest(stream, "sha256").hexdigest()
        except OSError:
            return self.subject


def mask_files(paths: Iterable[Path]) -> tuple[MaskFile, ...]:
    """The NIfTI files at or below `paths`, sorted, each once."""
    found = {file.path.resolve(): file for path in paths for file in _below(path)}
    return tuple(found[path] for path in sorted(found))


def assigned(masks: Iterable[MaskFile], exams: Sequence[Exam]) -> tuple[dict[str, list[MaskFile]], list[Refusal]]:
    """The masks of each exam by its UID, and a refusal for each mask that belongs to none for certain.

    Of several exams on one grid (a phantom scanned twice) that one is meant whose files lie nearest to the mask.
    """
    grids: dict[tuple[int, ...], list[tuple[VolumeGeometry, Exam]]] = defaultdict(list)
    for exam in exams:
        for series in exam.series:
            for frames in series.volumes:
                grids[tuple(sorted(frames.geometry.shape))].append((frames.geometry, exam))
    found: dict[str, list[MaskFile]] = defaultdict(list)
    refusals = []
    for mask in masks:
        try:
            found[_exam_of(mask, grids).uid].append(mask)
        except InputError as error:
            refusals.append(Refusal.of(error, kind=SubjectKind.FILE, subject=mask.subject))
    return found, refusals


def placed(mask: MaskFile, images: Sequence[Series]) -> tuple[PlacedRegion, ...]:
    """The regions of a mask on the first of the images that has its grid.

    Raises
    ------
    InputError
        ``engine.mask-without-image``, and what `read_regions` raises.
    """
    drawn = read_regions(mask.path, label=mask.label)
    role = None if ORGANS.fullmatch(mask.label) else "GTV"
    for series in images:
        for index, frames in enumerate(series.volumes):
            placed = [turned(region, frames.geometry) for region in drawn]
            regions = [region for region in placed if region is not None]
            if regions and len(regions) == len(drawn):
                return tuple(
                    PlacedRegion(series_uid=series.uid, volume=index, region=region, number=number, role=role)
                    for number, region in enumerate(regions, start=1)
                )
    raise InputError(MASK_WITHOUT_IMAGE)


def _below(path: Path) -> Iterator[MaskFile]:
    if stat.S_ISDIR(mode_of(path)):
        for file in path.rglob("*.nii*"):
            named = file.name.endswith(ENDINGS) and not file.name.startswith(".")
            if named and stat.S_ISREG(mode_of(file)):
                yield MaskFile(path=file, subject=file.relative_to(path).as_posix())
    elif path.name.endswith(ENDINGS):
        yield MaskFile(path=path, subject=path.name)


def _exam_of(mask: MaskFile, grids: Mapping[tuple[int, ...], list[tuple[VolumeGeometry, Exam]]]) -> Exam:
    grid = read_grid(mask.path)
    candidates = {
        exam.uid: exam for other, exam in grids.get(tuple(sorted(grid.shape)), ()) if _order(grid, other) is not None
    }
    if not candidates:
        raise InputError(MASK_WITHOUT_IMAGE)
    nearness = {uid: _nearness(mask.path, exam) for uid, exam in candidates.items()}
    nearest = [uid for uid, depth in nearness.items() if depth == max(nearness.values())]
    if len(nearest) > 1:
        raise InputError(MASK_AMBIGUOUS, count=len(nearest))
    return candidates[nearest[0]]


def _nearness(path: Path, exam: Exam) -> int:
    """How many folders the mask and the exam's files have in common."""
    mine = path.resolve().parent.parts
    folders = {source.path.resolve().parent for series in exam.series for source in series.sources}
    shared = (
        sum(1 for _ in takewhile(lambda pair: pair[0] == pair[1], zip(mine, folder.parts, strict=False)))
        for folder in folders
    )
    return max(shared, default=0)


def _order(grid: VolumeGeometry, target: VolumeGeometry) -> tuple[tuple[int, ...], tuple[int, ...]] | None:
    """Which axis of `grid` each axis of `target` is, and which of those run backwards; None if the voxels differ."""
    cosines = np.asarray(target.axes) @ np.asarray(grid.axes).T
    axes = tuple(int(axis) for axis in np.abs(cosines).argmax(axis=1))
    if sorted(axes) != [0, 1, 2] or tuple(grid.shape[axis] for axis in axes) != target.shape:
        return None
    backwards = tuple(place for place, axis in enumerate(axes) if cosines[place, axis] < 0)
    for corner in product(*((0, count - 1) for count in target.shape)):
        mine = [0, 0, 0]
        for place, axis in enumerate(axes):
            mine[axis] = target.shape[place] - 1 - corner[place] if place in backwards else corner[place]
        distance_mm = target.to_mm(corner) - grid.to_mm((mine[0], mine[1], mine[2]))
        if np.abs(distance_mm).max() > SAME_PLACE_MM:
            return None
    return axes, backwards


def turned(region: Region, target: VolumeGeometry) -> Region | None:
    """The same region on the voxels of `target`; None if it has others."""
    order = _order(region.grid, target)
    if order is None:
        return None
    axes, backwards = order
    mask = np.flip(region.mask.transpose(axes), backwards)
    start = [region.start[axis] for axis in axes]
    for place in backwards:
        start[place] = target.shape[place] - start[place] - mask.shape[place]
    return replace(region, mask=np.ascontiguousarray(mask), start=(start[0], start[1], start[2]), grid=target)
