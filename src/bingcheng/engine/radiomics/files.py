"""Images and masks in files of their own: NIfTI, NRRD and MetaImage."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

from bingcheng.core.errors import InputError
from bingcheng.engine.radiomics.inputs import (
    EMPTY_MASK,
    MASK_OFF_GRID,
    UNITS,
    UNKNOWN_UNIT,
    Source,
    Subject,
    Wanted,
    chosen,
)
from bingcheng.image.geometry import VolumeGeometry
from bingcheng.image.nifti import read_regions, read_volume
from bingcheng.image.region import Region

ENDINGS = (".nii.gz", ".nii", ".nrrd", ".nhdr", ".mha", ".mhd")
MASK_NAME = re.compile(
    r"(?P<base>.*?)[-_. ]?(?:mask|masks|seg|segmentation|label|labels|labelmap|roi|rois|gtv|lesion|lesions|tumou?r)"
    r"[-_. ]?(?P<rest>\d*)",
    re.IGNORECASE,
)
"""A name that ends in a word for a mask, and perhaps a number."""
IMAGE_WORDS = ("", "image", "img", "ct", "mr", "mri", "t1", "t2", "pet", "pt", "suv", "volume")
"""What may stand behind the part of the name that an image shares with its mask."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Pair:
    """An image and a mask that are named alike."""

    image: Path
    mask: Path
    source: Source


def is_file(path: Path) -> bool:
    """Whether a path is a file of such a format, by its name."""
    return path.name.lower().endswith(ENDINGS) and not path.is_dir()


def stem(path: Path) -> str:
    """The file's name without its ending."""
    lowered = path.name.lower()
    ending = next((one for one in ENDINGS if lowered.endswith(one)), path.suffix)
    return path.name[: len(path.name) - len(ending)] if ending else path.name


def source(image: Path, mask: Path, wanted: Wanted, *, name: str | None = None) -> Source:
    """The image with the regions of the mask; read when asked for."""
    called = name or stem(image)

    def read() -> Subject:
        volume = read_volume(image, unit=UNITS.get(wanted.modality or "", UNKNOWN_UNIT))
        return Subject(
            name=called,
            volume=volume,
            regions=drawn(mask, volume.geometry, wanted.label),
            modality=wanted.modality,
        )

    return Source(name=called, modality=wanted.modality, read=read)


def drawn(mask: Path, grid: VolumeGeometry, label: str | None) -> tuple[Region, ...]:
    """The regions of a mask on the image's grid: one a value above 0, or one of membership.

    Raises
    ------
    InputError
        ``engine.radiomics-empty-mask``, ``engine.radiomics-mask-off-grid``, ``engine.radiomics-no-such-label``; what
        `read_regions` raises.
    """
    every = read_regions(mask, label=stem(mask))
    if not every:
        raise InputError(EMPTY_MASK)
    return tuple(_on(grid, region) for region in chosen(_numbered(mask, every, label), label))


def _numbered(mask: Path, regions: tuple[Region, ...], label: str | None) -> list[tuple[str, Region]]:
    """Each region with its value in the mask; of a single one it has to be read again, if it is asked for."""
    if len(regions) > 1:
        return [(region.label.rpartition(" ")[2], region) for region in regions]
    value = f"{read_volume(mask, unit='1').voxels.max():g}" if label is not None else "1"
    return [(value, regions[0])]


def _on(grid: VolumeGeometry, region: Region) -> Region:
    """The region on the image's own grid, turned if the mask's file holds the same voxels in another order."""
    if region.grid.same_grid(grid):
        return replace(region, grid=grid)
    from bingcheng.engine import nifti_masks  # noqa: PLC0415 - only few masks need it

    found = nifti_masks.turned(region, grid)
    if found is None:
        raise InputError(
            MASK_OFF_GRID,
            mask=_times(region.grid.shape),
            mask_mm=_times(region.grid.spacing_mm),
            image=_times(grid.shape),
            image_mm=_times(grid.spacing_mm),
        )
    return found


def _times(sizes: tuple[float, ...]) -> str:
    return " × ".join(f"{size:.4g}" for size in sizes)


def pairs(folder: Path, wanted: Wanted) -> Iterator[Pair]:
    """Images and masks below a folder that stand together and are named alike, sorted by the masks' paths.

    ``lung.nii.gz`` or ``lung_ct.nii.gz`` goes with ``lung_mask.nii.gz``, ``lung-seg.nii.gz``, ``lung_gtv2.nii.gz``;
    ``image.nii.gz`` with ``mask.nii.gz``.
    """
    files = sorted(path for path in folder.rglob("*") if is_file(path) and not path.name.startswith("."))
    for mask in files:
        parts = MASK_NAME.fullmatch(stem(mask))
        image = None if parts is None else _image_of(mask, parts["base"], files)
        if image is not None:
            name = mask.relative_to(folder).with_name(stem(image)).as_posix()
            yield Pair(image=image, mask=mask, source=source(image, mask, wanted, name=name))


def _image_of(mask: Path, base: str, files: list[Path]) -> Path | None:
    beside = {stem(path).casefold(): path for path in files if path.parent == mask.parent and path != mask}
    for word in IMAGE_WORDS:
        for joint in ("_", "-", ".", " ", ""):
            name = f"{base}{joint if base and word else ''}{word}".casefold()
            if name and name in beside:
                return beside[name]
    return None
