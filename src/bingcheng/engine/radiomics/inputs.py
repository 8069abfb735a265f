"""Images with the lesions drawn on them, as radiomics takes them: files, DICOM exams, folders of either."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType

from bingcheng.core.errors import InputError, Owner, Problem
from bingcheng.core.refusal import Refusal
from bingcheng.dicom.exam import VolumeFrames
from bingcheng.dicom.sources import mode_of
from bingcheng.engine.problems import NO_SUCH_PATH
from bingcheng.image.region import Region
from bingcheng.image.volume import Volume

NO_MASK = Problem(
    code="engine.radiomics-no-mask",
    says="nothing says where the lesion is in this image",
    remedy="Give the mask behind the image, or a folder that holds both.",
    owner=Owner.OPERATOR,
)
MASK_OFF_GRID = Problem(
    code="engine.radiomics-mask-off-grid",
    says="the mask has other voxels than the image: {mask} of {mask_mm} mm against {image} of {image_mm} mm (z, y, x)",
    remedy="Give the mask that was drawn on this image, or resample it to the image's voxels by nearest neighbour.",
    owner=Owner.RADIOLOGIST,
)
EMPTY_MASK = Problem(
    code="engine.radiomics-empty-mask",
    says="no voxel of the mask is above 0",
    remedy="Draw the lesion, or give another mask.",
    owner=Owner.RADIOLOGIST,
)
NO_SUCH_LABEL = Problem(
    code="engine.radiomics-no-such-label",
    says="no region of the mask is called '{label}'; there are: {known}",
    remedy="Give --label with one of them, or leave it out to have them all.",
    owner=Owner.OPERATOR,
)
MODALITY_UNKNOWN = Problem(
    code="engine.radiomics-modality-unknown",
    says="the file does not say whether its image is CT, MR or PET, on which settings and unit depend",
    remedy="Give --modality CT, MR or PT (PET as SUV); with --settings it may stay unknown.",
    owner=Owner.OPERATOR,
)
NO_SUCH_MODALITY = Problem(
    code="engine.radiomics-no-such-modality",
    says="'{modality}' is no modality that has radiomics settings",
    remedy="Write CT, MR or PT (PET as SUV).",
    owner=Owner.OPERATOR,
)
MIXED_KINDS = Problem(
    code="engine.radiomics-mixed-kinds",
    says="a DICOM mask can only be placed on DICOM images, and the image is another kind of file",
    remedy="Give the DICOM series on which it was drawn, or the mask as NIfTI.",
    owner=Owner.OPERATOR,
)
NOTHING_TO_MEASURE = Problem(
    code="engine.radiomics-nothing-to-measure",
    says="there is no image with a lesion drawn on it: images {images}, masks {masks}",
    remedy="Give an image and its mask, or a folder with DICOM images and their SEG or RTSTRUCT, or with NIfTI pairs "
    "named alike: lung.nii.gz and lung_mask.nii.gz.",
    owner=Owner.OPERATOR,
)

UNITS: Mapping[str, str] = MappingProxyType({"CT": "[hnsf'U]", "MR": "{arbitrary}", "PT": "g/ml"})
"""In what unit an image that does not say it is taken to be, by modality: CT numbers, arbitrary, SUV."""
UNKNOWN_UNIT = "{arbitrary}"
OTHER_NAMES = MappingProxyType({"PET": "PT", "MRI": "MR"})


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Subject:
    """One image in memory with the lesions on it.

    Parameters
    ----------
    name : of the image, for tables; no patient data.
    regions : each on the image's grid; their labels differ.
    modality : None if nobody said.
    inputs : UIDs of the series that were read.
    frames : its DICOM slices, None for other files.
    """

    name: str
    volume: Volume
    regions: tuple[Region, ...]
    modality: str | None = None
    inputs: tuple[str, ...] = ()
    frames: VolumeFrames | None = None


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Source:
    """An image that can be read, with its lesions; nothing is read before `read` is called.

    `read` raises `BingchengError` for what it finds in the files.
    """

    name: str
    modality: str | None
    read: Callable[[], Subject]


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """The images to measure, what could not be used, and how many regions that are no lesions were left out."""

    sources: tuple[Source, ...]
    refusals: tuple[Refusal, ...] = ()
    other_regions: int = 0
    images: int = 0
    masks: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """What of an image is wanted.

    Parameters
    ----------
    modality : of files that do not say it; of DICOM only series of this modality are taken.
    label : name or number of the one region to measure; None takes all, of a folder all lesions.
    """

    modality: str | None = None
    label: str | None = None


def modality_of(written: str | None) -> str | None:
    """The DICOM modality that a person wrote.

    Raises
    ------
    InputError
        ``engine.radiomics-no-such-modality``.
    """
    if written is None:
        return None
    found = OTHER_NAMES.get(written.upper(), written.upper())
    if found not in UNITS:
        raise InputError(NO_SUCH_MODALITY, modality=written)
    return found


def found(image: Path, mask: Path | None, wanted: Wanted) -> Found:
    """The images at `image` with the lesions that `mask` draws on them.

    Parameters
    ----------
    image : a NIfTI, NRRD or MetaImage file, a DICOM file, or a folder of DICOM files; without a mask a folder with
        exams and their SEG or RTSTRUCT, and with NIfTI pairs.
    mask : a label map of such a kind, a DICOM SEG or RTSTRUCT, or the folder of one.

    Raises
    ------
    InputError
        ``engine.no-such-path``, ``engine.radiomics-no-mask``, ``engine.radiomics-mixed-kinds``,
        ``engine.radiomics-nothing-to-measure``.
    """
    for path in (image, mask):
        if path is not None and not mode_of(path):
            raise InputError(NO_SUCH_PATH, path=str(path))
    answer = _found(image, mask, wanted)
    if not answer.sources and not answer.refusals:
        raise InputError(NOTHING_TO_MEASURE, images=answer.images, masks=answer.masks)
    return answer


def _found(image: Path, mask: Path | None, wanted: Wanted) -> Found:
    # A file of a format of its own is read without DICOM's machinery, which takes half a second to load.
    from bingcheng.engine.radiomics import files  # noqa: PLC0415

    if files.is_file(image):
        if mask is None:
            raise InputError(NO_MASK)
        if not files.is_file(mask):
            raise InputError(MIXED_KINDS)
        return Found(sources=(files.source(image, mask, wanted),))
    from bingcheng.engine.radiomics import dicom  # noqa: PLC0415

    if mask is not None:
        return dicom.drawn_by(image, mask, wanted)
    pairs = tuple(files.pairs(image, wanted)) if image.is_dir() else ()
    in_exams = dicom.in_folder(image, wanted, apart_from=[path for pair in pairs for path in (pair.image, pair.mask)])
    return Found(
        sources=(*in_exams.sources, *(pair.source for pair in pairs)),
        refusals=in_exams.refusals,
        other_regions=in_exams.other_regions,
        images=in_exams.images + len(pairs),
        masks=in_exams.masks + len(pairs),
    )


def chosen(regions: Iterable[tuple[str, Region]], label: str | None) -> tuple[Region, ...]:
    """The regions that are called `label`, by their number or their name; all of them without one.

    Parameters
    ----------
    regions : each with its number, as a label map or a DICOM object counts it.

    Raises
    ------
    InputError
        ``engine.radiomics-no-such-label``.
    """
    every = list(regions)
    if label is None:
        return tuple(region for _, region in every)
    asked = label.strip().casefold()
    kept = tuple(region for number, region in every if asked in (number, region.label.strip().casefold()))
    if every and not kept:
        known = ", ".join(dict.fromkeys(f"{number} ({region.label})" for number, region in every))
        raise InputError(NO_SUCH_LABEL, label=label, known=known)
    return kept


def told_apart(regions: Iterable[Region], named: Callable[[Region], str]) -> Iterator[tuple[Region, str]]:
    """Each region with a name that no other has: doubles are numbered."""
    seen: dict[str, int] = {}
    for region in regions:
        name = named(region).strip() or "lesion"
        seen[name] = seen.get(name, 0) + 1
        yield region, name if seen[name] == 1 else f"{name} #{seen[name]}"
