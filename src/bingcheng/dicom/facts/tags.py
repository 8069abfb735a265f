"""One header, read safely: classic or enhanced, a garbled or absent value is None and never an exception.

In enhanced multi-frame objects a value stands in the functional groups of the frame, else in the shared ones, else at
the top level (PS3.3 C.7.6.16.1.1); classic objects have the top level only.
"""

from __future__ import annotations

import math
import struct
from collections.abc import Iterator, Sequence

import numpy as np
from numpy.typing import NDArray
from pydicom.datadict import tag_for_keyword
from pydicom.dataelem import RawDataElement
from pydicom.dataset import Dataset
from pydicom.multival import MultiValue
from pydicom.sequence import Sequence as DicomSequence

from bingcheng.core.codes import Code
from bingcheng.dicom.index.values import looks_decimal


class Tags:
    """Values of one frame of a DICOM object, by keyword.

    Parameters
    ----------
    dataset : the object; it needs no pixels.
    frame : which frame of an enhanced object, counted from 0.
    """

    def __init__(self, dataset: Dataset, frame: int = 0) -> None:
        self.dataset = dataset
        self.frame = frame
        self._groups = tuple(_functional_groups(dataset, frame))

    def value(self, keyword: str) -> object | None:
        """The raw value of a public attribute, from the frame's groups, the shared groups or the top level."""
        for place in (*self._groups, self.dataset):
            found = _safe(place, keyword)
            if found is not None:
                return found
        return None

    def text(self, keyword: str) -> str | None:
        """A single text (the first of several), stripped; None if empty."""
        return next(iter(self.texts(keyword)), None)

    def texts(self, keyword: str) -> tuple[str, ...]:
        """All texts of a multi-valued attribute, stripped, without empty ones."""
        stripped = (str(part).strip().strip("\0").strip() for part in _parts(self.value(keyword)))
        return tuple(part for part in stripped if part)

    def number(self, keyword: str) -> float | None:
        """A single finite number (the first of several), or None."""
        return next(iter(self.numbers(keyword)), None)

    def numbers(self, keyword: str) -> tuple[float, ...]:
        """All numbers of a multi-valued attribute; empty if any part of it is no finite number."""
        return _numbers(self.value(keyword))

    def decimals(self, keyword: str) -> NDArray[np.float64]:
        """The same as `numbers`, of a value of the top level that may hold a million of them.

        A structure set's contours are read from their bytes at once: an object a number would take half a minute.
        """
        tag = tag_for_keyword(keyword)
        stored: object = self.dataset.get_item(tag) if tag is not None and tag in self.dataset else None
        if isinstance(stored, RawDataElement) and isinstance(stored.value, bytes):
            return _from_bytes(stored.value)
        return np.asarray(self.numbers(keyword), dtype=np.float64)

    def positive(self, keyword: str) -> float | None:
        """A single number above zero, or None: a zero here is the usual way to write 'unknown'."""
        number = self.number(keyword)
        return number if number is not None and number > 0 else None

    def items(self, keyword: str) -> tuple[Dataset, ...]:
        """The items of a sequence; empty if it is absent or no sequence."""
        found = self.value(keyword)
        return tuple(item for item in _parts(found) if isinstance(item, Dataset))

    def item(self, keyword: str) -> Tags:
        """The first item of a sequence as a header of its own; an empty header if there is none."""
        return Tags(next(iter(self.items(keyword)), Dataset()))

    def code(self, keyword: str) -> Code | None:
        """The coded concept in the first item of a code sequence."""
        return next(iter(self.codes(keyword)), None)

    def codes(self, keyword: str) -> tuple[Code, ...]:
        """The coded concepts in a code sequence."""
        return tuple(code for item in self.items(keyword) if (code := code_of(item)) is not None)

    def private(self, group: int, creator: str, element: int) -> object | None:
        """The raw value of a private element, whichever block its creator reserved (PS3.5 7.8.1); None if absent."""
        for place in (*self._groups, self.dataset):
            found = _private(place, group, creator, element)
            if found is not None:
                return found
        return None

    def private_numbers(self, group: int, creator: str, element: int, *, form: str = "") -> tuple[float, ...]:
        """The numbers of a private element.

        `form` is the struct format of one number (``d``, ``f``, ``i``, ``h``), used when the element was stored as
        bytes of an unknown representation; without it, or if they are digits, such bytes are read as decimal text.
        """
        found = self.private(group, creator, element)
        if isinstance(found, bytes):
            return (
                _unpacked(found, form) if form and not looks_decimal(found) else _numbers(_decoded(found).split("\\"))
            )
        return _numbers(found)

    def private_bytes(self, group: int, creator: str, element: int) -> bytes | None:
        """The bytes of a private element that holds neither text nor numbers; None if absent."""
        found = self.private(group, creator, element)
        return found if isinstance(found, bytes) else None

    def private_text(self, group: int, creator: str, element: int) -> str | None:
        """The text of a private element, also when it was stored as bytes."""
        found = self.private(group, creator, element)
        text = _decoded(found) if isinstance(found, bytes) else str(next(iter(_parts(found)), ""))
        return text.strip().strip("\0").strip() or None


def code_of(item: Dataset) -> Code | None:
    """The code of one code sequence item (PS3.3 8.8), whether short, long or URN."""
    value = next((v for k in ("CodeValue", "LongCodeValue", "URNCodeValue") if (v := _safe(item, k))), None)
    if value is None:
        return None
    scheme = _safe(item, "CodingSchemeDesignator") or ""
    return Code(str(value), str(scheme), str(_safe(item, "CodeMeaning") or ""))


def _functional_groups(dataset: Dataset, frame: int) -> Iterator[Dataset]:
    """The single items of all functional groups that hold for a frame: its own before the shared ones."""
    frames = _parts(_safe(dataset, "PerFrameFunctionalGroupsSequence"))
    shared = _parts(_safe(dataset, "SharedFunctionalGroupsSequence"))
    for group in (*frames[frame : frame + 1], *shared[:1]):
        if not isinstance(group, Dataset):
            continue
        for tag in group.keys():  # noqa: SIM118 - iterating a Dataset parses every element; its keys are enough
            items = _parts(_safe(group, tag))
            if items and isinstance(items[0], Dataset):
                yield items[0]


def _safe(place: Dataset, key: str | int) -> object | None:
    tag = tag_for_keyword(key) if isinstance(key, str) else key
    try:
        value: object = place[tag].value if tag is not None and tag in place else None
    except Exception:  # noqa: BLE001 - a garbled element can raise anything from the parser; it has no value then
        return None
    if value is None or (isinstance(value, str | bytes) and not value.strip()):
        return None
    return value


def _private(place: Dataset, group: int, creator: str, element: int) -> object | None:
    for block in range(0x10, 0x100):
        owner = (group << 16) | block
        if owner in place and str(_safe(place, owner) or "").strip().upper() == creator.upper():
            found = _safe(place, (group << 16) | (block << 8) | element)
            if found is not None:
                return found
    return None


def _parts(value: object | None) -> Sequence[object]:
    if value is None:
        return ()
    if isinstance(value, MultiValue | DicomSequence | list | tuple):
        return list(value)
    return (value,)


def _numbers(value: object | None) -> tuple[float, ...]:
    found = []
    for part in _parts(value):
        written = str(part).strip()
        try:
            number = float(written)
        except ValueError:
            return ()
        if not math.isfinite(number) or "_" in written:  # Python reads 1_0 as ten; DICOM doesn't
            return ()
        found.append(number)
    return tuple(found)


def _from_bytes(stored: bytes) -> NDArray[np.float64]:
    """The numbers of a decimal string (PS3.5 6.2, VR DS); empty if any part of it is no finite number."""
    written = stored.strip(b"\0 ")
    try:
        found = np.array(written.split(b"\\") if written else [], dtype=np.bytes_).astype(np.float64)
    except ValueError:
        return np.empty(0)
    return found if b"_" not in written and np.isfinite(found).all() else np.empty(0)


def _unpacked(stored: bytes, form: str) -> tuple[float, ...]:
    size = struct.calcsize(f"<{form}")
    count = len(stored) // size
    return _numbers(list(struct.unpack(f"<{count}{form}", stored[: count * size])))


def _decoded(stored: bytes) -> str:
    return stored.decode("ascii", errors="replace").strip("\0 ")
