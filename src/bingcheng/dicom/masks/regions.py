"""Regions drawn on images: from DICOM SEG and RTSTRUCT objects, and which of them are lesions."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType

from pydicom.dataset import Dataset

from bingcheng.core.codes import Code
from bingcheng.core.errors import BingchengError, InputError, Owner, Problem
from bingcheng.core.refusal import Refusal, SubjectKind
from bingcheng.dicom.exam import FrameSource, Series
from bingcheng.dicom.grouping.sop_classes import LABEL_MAP_SEG, RTSTRUCT, SEG
from bingcheng.dicom.masks.placement import Drawn, PlacedRegion, placed
from bingcheng.dicom.masks.rtstruct import drawn_rois
from bingcheng.dicom.masks.segmentation import drawn_segments
from bingcheng.dicom.masks.versions import Version, settled
from bingcheng.dicom.sources import open_dataset
from bingcheng.image.region import Region

NO_MASKS = Problem(
    code="dicom.no-masks-in-object",
    says="the object is neither a SEG nor an RTSTRUCT",
    remedy="Give the series of a segmentation or of a structure set.",
    owner=Owner.DEVELOPER,
)
UNREADABLE_MASKS = Problem(
    code="dicom.masks-unreadable",
    says="the segmentation is damaged and could not be read ({error})",
    remedy="Export it from the archive again; if it fails again, the stored copy is damaged.",
    owner=Owner.ARCHIVE,
)

NAMELESS = " "
"""Begins the key of an object without a UID."""

_READERS: Mapping[str, Callable[[Dataset], Iterator[Drawn | BingchengError]]] = MappingProxyType(
    {SEG: drawn_segments, LABEL_MAP_SEG: drawn_segments, RTSTRUCT: drawn_rois}
)

LESION_CATEGORIES = frozenset({("SCT", "49755003"), ("SRT", "M-01000"), ("SRT", "M-D0000")})
"""Morphologically abnormal structure (PS3.16 CID 7150)."""
LESION_TYPES = frozenset(
    {
        ("SCT", "108369006"),  # neoplasm
        ("SCT", "86049000"),  # neoplasm, primary
        ("SCT", "14799000"),  # neoplasm, secondary
        ("SCT", "4147007"),  # mass
        ("SCT", "52988006"),  # lesion
        ("SCT", "27925004"),  # nodule
        ("SRT", "M-80000"),
        ("SRT", "M-80003"),
        ("SRT", "M-80006"),
        ("SRT", "M-03000"),
        ("SRT", "M-01100"),
        ("SRT", "M-03010"),
    }
)
ORGAN_CATEGORIES = frozenset({("SCT", "123037004"), ("SCT", "91723000"), ("SRT", "T-D0050"), ("SRT", "T-D000A")})
"""Anatomical structure, by its older and newer codes."""
OTHER_ROLES = frozenset(
    {
        "ORGAN",
        "EXTERNAL",
        "PTV",
        "CTV",
        "ITV",
        "AVOIDANCE",
        "BOLUS",
        "SUPPORT",
        "FIXATION",
        "MARKER",
        "CAVITY",
        "CONTROL",
    }
)
"""RT ROI interpreted types (PS3.3 C.8.8.8.1) that are no gross tumour."""

_LESION_WORDS = re.compile(
    r"gtv|lesion|tumou?r|neoplas|\bmass\b|_mass|nodul|metasta|cancer|carcinom|sarcom|lymphom|melanom|malignan"
    r"|肿瘤|腫瘤|瘤|病灶|病变|肿块|结节|转移|癌",
    re.IGNORECASE,
)
_BESIDE_LESION_WORDS = re.compile(
    r"o?edema|peri-?_?tumou?r|non-?_?tumou?r|no[_ ]tumou?r|background|normal|水肿|瘤周|正常|背景", re.IGNORECASE
)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Masks:
    """The regions of a series of segmentations, each on its image, and what could not be used."""

    regions: tuple[PlacedRegion, ...] = ()
    refusals: tuple[Refusal, ...] = ()


def regions(source: Series, images: Sequence[Series]) -> Masks:
    """The regions that the objects of a SEG or RTSTRUCT series draw on images.

    Nothing is raised for what stands in the data: a region that can't be used is a refusal, and the others go on.

    Parameters
    ----------
    source : series of SEG or RTSTRUCT objects; each is opened with its pixels.
    images : image series of the exam (or of the patient), with their volumes.
    """
    found: list[PlacedRegion] = []
    refused: list[Refusal] = []
    for uid, versions in _by_uid(_read(each, images) for each in source.sources).items():
        alone = versions[0] if len(versions) == 1 else None
        every: Iterable[PlacedRegion | BingchengError] = (
            settled(versions) if alone is None else (*alone.regions, *alone.errors)
        )
        subject = versions[0].name if uid.startswith(NAMELESS) else uid
        for one in every:
            if isinstance(one, PlacedRegion):
                found.append(one)
            else:
                refused.append(_refusal(one, source, subject))
    return Masks(regions=tuple(found), refusals=tuple(refused))


def _by_uid(read: Iterator[tuple[str, Version]]) -> Mapping[str, list[Version]]:
    """The versions of each object; one without a UID is an object of its own."""
    found: dict[str, list[Version]] = {}
    for uid, version in read:
        found.setdefault(uid or f"{NAMELESS}{len(found)}", []).append(version)
    return found


def _read(file: FrameSource, images: Sequence[Series]) -> tuple[str, Version]:
    """The UID of an object, and its regions with whatever went wrong with some or all of them."""
    placed_here: list[PlacedRegion] = []
    errors: list[BingchengError] = []
    series: set[str] = set()
    uid = ""
    try:
        dataset = open_dataset(file, pixels=True)
        uid = str(dataset.get("SOPInstanceUID", ""))
        for drawn in _drawn(dataset):
            if isinstance(drawn, BingchengError):
                errors.append(drawn)
                continue
            series |= drawn.references.series_uids
            for one in placed(drawn, images):
                if isinstance(one, PlacedRegion):
                    placed_here.append(one)
                else:
                    errors.append(one)
    except BingchengError as error:
        errors.append(error)
    except Exception as error:  # noqa: BLE001 - a mutated object can raise anything from the parser or decoder
        errors.append(InputError(UNREADABLE_MASKS, error=type(error).__name__))
    return uid, Version(
        source=file,
        regions=tuple(placed_here),
        errors=tuple(errors),
        series_uids=frozenset(series),
    )


def is_lesion(region: PlacedRegion | Region) -> bool:
    """Whether a region is a lesion rather than an organ, a planning volume or a background.

    Its codes decide, then an RTSTRUCT's interpreted type, and only without either the words of its label, in English
    or Chinese.
    """
    drawn = region.region if isinstance(region, PlacedRegion) else region
    category, role = (region.category, region.role) if isinstance(region, PlacedRegion) else (None, None)
    if _BESIDE_LESION_WORDS.search(f"{drawn.label} {drawn.code.meaning if drawn.code else ''}"):
        return False
    if _among(drawn.code, LESION_TYPES) or _among(category, LESION_CATEGORIES) or role == "GTV":
        return True
    if _among(category, ORGAN_CATEGORIES) or role in OTHER_ROLES:
        return False
    return _LESION_WORDS.search(drawn.label) is not None


def _drawn(dataset: Dataset) -> Iterator[Drawn | BingchengError]:
    reader = _READERS.get(str(dataset.get("SOPClassUID", "")))
    if reader is None:
        raise InputError(NO_MASKS)
    return reader(dataset)


def _among(code: Code | None, known: frozenset[tuple[str, str]]) -> bool:
    return code is not None and (code.scheme, code.value) in known


def _refusal(error: BingchengError, source: Series, subject: str) -> Refusal:
    return Refusal.of(error, kind=SubjectKind.REGION, subject=subject, series_uid=source.uid)
