"""What of a file bears on images and numbers, so that two files which claim to be one object can be told apart.

Archives correct names and descriptions, exports add their own private elements, de-identification empties what names a
person: the object stays the same. Whatever is not known to be such an administrative element counts, so that a new
reader of headers needs no entry here.
"""

from __future__ import annotations

import hashlib
import warnings
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import numpy as np
from pydicom.datadict import keyword_for_tag
from pydicom.dataset import Dataset
from pydicom.multival import MultiValue
from pydicom.sequence import Sequence as DicomSequence

from bingcheng.core.errors import BingchengError
from bingcheng.dicom.grouping.sop_classes import IMAGE_CLASSES
from bingcheng.dicom.index.headers import Header
from bingcheng.dicom.pixels.frames import PixelFile
from bingcheng.dicom.sources import open_dataset, open_source

PIXELS = "PixelData"

_PIXEL_TAGS = frozenset((0x7FE00008, 0x7FE00009, 0x7FE00010))
_PIXEL_GROUP = 0x7FE0
_ADMINISTRATIVE_GROUPS = frozenset(
    (
        *(0x0002, 0x0004, 0x0012, 0x0032, 0x0038, 0x0088, 0x0100, 0x0400, 0x2050, 0x2100, 0x4008, 0xFFFA, 0xFFFC),
        *range(0x5000, 0x5020, 2),
        *range(0x6000, 0x6020, 2),
    )
)
"""Storage, trials and de-identification, orders, visits, media, signatures, printing, reports, curves, overlays."""
_ADMINISTRATIVE = frozenset(
    (
        # What the file is called, where it is kept, what was ordered, who took part (PS3.3 C.7.2, C.7.3, C.12.1).
        *(0x00080005, 0x00080006, 0x00080012, 0x00080013, 0x00080014, 0x00080015, 0x00080050, 0x00080051, 0x00080053),
        *(0x00080054, 0x00080055, 0x00080056, 0x00080080, 0x00080081, 0x00080082, 0x00080090, 0x00080092, 0x00080094),
        *(0x00080096, 0x0008009C, 0x0008009D, 0x00081010, 0x00081030, 0x00081032, 0x0008103E, 0x0008103F, 0x00081040),
        *(0x00081041, 0x00081048, 0x00081049, 0x00081050, 0x00081052, 0x00081060, 0x00081062, 0x00081070, 0x00081072),
        *(0x00081080, 0x00081084, 0x00081110, 0x00081111, 0x00081120, 0x00084000),
        # Which scanner of the model it was, and names given to the protocol.
        *(0x00181000, 0x00181002, 0x00181008, 0x00181030, 0x00181400, 0x0018A001),
        *(0x00200010, 0x00200011, 0x00201040, 0x00201200, 0x00201202, 0x00201204, 0x00201206, 0x00201208, 0x00201209),
        # How it is shown.
        *(0x00280106, 0x00280107, 0x00280301, 0x00280303, 0x00281050, 0x00281051, 0x00281055, 0x00281056),
        # Where it belongs is compared by itself (see `differences`).
        *(0x0020000D, 0x0020000E),
    )
)
_OF_THE_BODY = frozenset((0x00100040, 0x00101010, 0x00101020, 0x00101030))
"""What numbers depend on of all that is said of a patient: sex, age, size and weight."""
_PROCEDURES = range(0x00400000, 0x00408000)
"""Scheduled, performed and requested procedures, specimens; behind them real-world values and report contents."""
_SCANNER_MAKERS = ("SIEMENS", "GEMS", "GEHC", "PHILIPS", "ELSCINT", "TOSHIBA", "CANON", "IMAGE PRIVATE HEADER")
"""How the creators of private elements begin that a scanner writes; those of archives and exports are not compared."""

Value = str | bytes | float | tuple["Value", ...] | Mapping[str, "Value"]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Content:
    """One file's content.

    Parameters
    ----------
    header : its row of the index.
    values : what bears on images and numbers, by keyword; empty values are left out.
    syntax : how its pixels are encoded.
    anonymous : whether it says that the patient's identity was removed.
    """

    header: Header
    values: Mapping[str, Value]
    syntax: str
    anonymous: bool


def digest(header: Header) -> bytes | None:
    """A digest of a whole file, by which a plain copy is known without looking into it; None if it can't be read."""
    try:
        with open_source(header.source) as stream:
            return hashlib.sha256(stream.read()).digest()
    except (BingchengError, OSError):
        return None


def content(header: Header) -> Content | None:
    """The content of a file; None if it can't be read."""
    try:
        dataset = open_dataset(header.source)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of odd values, which are compared as they are
            values = _values(dataset, top=True)
    except Exception:  # noqa: BLE001 - a garbled element can raise anything from the parser
        return None
    return Content(
        header=header,
        values=values,
        syntax=str(getattr(getattr(dataset, "file_meta", None), "TransferSyntaxUID", "")),
        anonymous=dataset.get("PatientIdentityRemoved") == "YES",
    )


def differences(one: Content, other: Content) -> tuple[str, ...]:
    """The keywords in which two files contradict each other, sorted; none for copies of one object.

    A value that only one of them has is no contradiction: the other one has lost it.
    """
    found = {keyword for keyword in one.values.keys() & other.values.keys() if _contradict(one, other, keyword)}
    mine, theirs = one.header.series, other.header.series
    if mine.study_uid != theirs.study_uid:
        found.add("StudyInstanceUID")
    if mine.series_uid != theirs.series_uid:
        found.add("SeriesInstanceUID")
    if _other_patient(one, other):
        found.add("PatientID")
    if not found and not _same_pixels(one, other):
        found.add(PIXELS)
    return tuple(sorted(found))


def _contradict(one: Content, other: Content, keyword: str) -> bool:
    return not _compatible(one.values[keyword], other.values[keyword])


def _compatible(one: Value, other: Value) -> bool:
    """Whether two values are the same, items of sequences apart from what only one of them has."""
    if isinstance(one, Mapping) and isinstance(other, Mapping):
        return all(_compatible(one[keyword], other[keyword]) for keyword in one.keys() & other.keys())
    if isinstance(one, tuple) and isinstance(other, tuple):
        return len(one) == len(other) and all(map(_compatible, one, other))
    return one == other


def _other_patient(one: Content, other: Content) -> bool:
    """Whether they name two people; the same one without his name is nobody else."""
    if one.anonymous != other.anonymous:
        return False
    mine, theirs = one.header.series.patient.patient_id, other.header.series.patient.patient_id
    return bool(mine and theirs and mine != theirs)


def _same_pixels(one: Content, other: Content) -> bool:
    """As stored if both are encoded alike, else as decoded: a copy may be compressed without loss."""
    stored = [_stored_pixels(each.header) for each in (one, other)]
    if stored[0] == stored[1] and (one.syntax == other.syntax or not stored[0]):
        return True
    decoded = [_decoded_pixels(each.header) for each in (one, other)]
    return decoded[0] is not None and decoded[0] == decoded[1]


def _stored_pixels(header: Header) -> bytes:
    dataset = open_dataset(header.source, pixels=True, specific_tags=sorted(_PIXEL_TAGS))
    found = hashlib.sha256()
    at = [tag for tag in sorted(_PIXEL_TAGS) if tag in dataset]
    for tag in at:
        found.update(bytes(dataset[tag].value))
    return found.digest() if at else b""


def _decoded_pixels(header: Header) -> bytes | None:
    if header.series.sop_class_uid not in IMAGE_CLASSES or header.image is None:
        return None
    found = hashlib.sha256()
    try:
        with open_source(header.source) as stream:
            for _, stored in PixelFile(stream).frames(range(header.image.frame_count)):
                found.update(np.ascontiguousarray(stored, dtype=np.float64).tobytes())
    except (BingchengError, OSError):
        return None
    return found.digest()


def _values(dataset: Dataset, *, top: bool) -> Mapping[str, Value]:
    return dict(_said(dataset, top=top))


def _said(dataset: Dataset, *, top: bool) -> Iterator[tuple[str, Value]]:
    for element in dataset:
        tag = int(element.tag)
        if element.tag.group == _PIXEL_GROUP or _is_administrative(tag, top=top):
            continue
        if element.tag.is_private and not _is_scanners(dataset, element.tag.group, element.tag.element):
            continue
        value = _value(element.value)
        if value not in ("", b"", ()):
            yield keyword_for_tag(tag) or str(element.tag), value


def _is_administrative(tag: int, *, top: bool) -> bool:
    group, element = tag >> 16, tag & 0xFFFF
    if element == 0 or group in _ADMINISTRATIVE_GROUPS or tag in _ADMINISTRATIVE:
        return True
    if group == 0x0010:
        return tag not in _OF_THE_BODY
    # Inside of sequences the same group holds units and codes.
    return top and tag in _PROCEDURES


def _is_scanners(dataset: Dataset, group: int, element: int) -> bool:
    """Whether a private element, not a creator itself, is of a maker of scanners (PS3.5 7.8.1)."""
    creator = (group << 16) | (element >> 8)
    if element < 0x1000 or creator not in dataset:
        return False
    return str(dataset[creator].value or "").strip().upper().startswith(_SCANNER_MAKERS)


def _value(value: object) -> Value:
    if isinstance(value, DicomSequence):
        return tuple(_values(item, top=False) for item in value)
    if isinstance(value, MultiValue | list | tuple):
        return tuple(_value(part) for part in value)
    if isinstance(value, bytes):
        return value.rstrip(b"\0 ")
    if isinstance(value, int | float):
        return float(value)
    return "" if value is None else str(value).strip("\0 ")
