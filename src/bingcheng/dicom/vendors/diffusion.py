"""Where each vendor writes the b-value and the diffusion direction: one table, whoever reads the header.

The index reads raw bytes (for speed) and the facts read pydicom's objects; both offer a `PrivateHeader`, and both find
the same. Nothing here imports pydicom. The private places are tried for every manufacturer, since a private creator
names its owner without doubt, and a re-exported image often lacks the manufacturer.
Source: the vendors' DICOM conformance statements.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Protocol

from bingcheng.dicom.vendors.csa import csa_values

Triple = tuple[float, float, float]


class PrivateHeader(Protocol):
    """The private elements of one header, whichever blocks their creators reserved."""

    def private_numbers(self, group: int, creator: str, element: int, *, form: str = "") -> tuple[float, ...]:
        """The numbers of an element; `form` is their struct format where they are binary."""

    def private_bytes(self, group: int, creator: str, element: int) -> bytes | None:
        """The bytes of an element of unknown or binary representation."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """A private place of numbers.

    Parameters
    ----------
    elements : low bytes of the element numbers; a direction may be spread over three.
    form : struct format of one number if it is binary, else it is decimal text.
    mend : what the number is, where the vendor adds something to it.
    """

    vendor: str
    group: int
    creator: str
    elements: tuple[int, ...]
    form: str = ""
    mend: Callable[[float], float] = float


_GE_OFFSET = 1_000_000_000
"""GE adds it since software DV25, together with counts below it in the digits above 10^5."""


def _without_offset(number: float) -> float:
    return number % 100_000 if number >= _GE_OFFSET else number


B_VALUES: tuple[Place, ...] = (
    Place(vendor="SIEMENS", group=0x0019, creator="SIEMENS MR HEADER", elements=(0x0C,)),
    Place(vendor="GE", group=0x0043, creator="GEMS_PARM_01", elements=(0x39,), mend=_without_offset),
    Place(vendor="PHILIPS", group=0x2001, creator="Philips Imaging DD 001", elements=(0x03,), form="f"),
    Place(vendor="UIH", group=0x0065, creator="Image Private Header", elements=(0x09,), form="d"),
)
"""The first number of each place is the b-value in s/mm2. Canon writes the public attribute (0018,9087)."""

DIRECTIONS: tuple[Place, ...] = (
    Place(vendor="SIEMENS", group=0x0019, creator="SIEMENS MR HEADER", elements=(0x0E,), form="d"),
    Place(vendor="GE", group=0x0019, creator="GEMS_ACQU_01", elements=(0xBB, 0xBC, 0xBD)),
    Place(vendor="PHILIPS", group=0x2005, creator="Philips MR Imaging DD 001", elements=(0xB0, 0xB1, 0xB2), form="f"),
    Place(vendor="UIH", group=0x0065, creator="Image Private Header", elements=(0x37,), form="d"),
)
"""The three components, along the patient's axes (GE: along frequency, phase and slice)."""

CSA_GROUP, CSA_CREATOR, CSA_ELEMENT = 0x0029, "SIEMENS CSA HEADER", 0x10


def _by_group(places: Collection[tuple[int, int]]) -> Mapping[int, tuple[int, ...]]:
    groups = sorted({group for group, _ in places})
    return MappingProxyType({group: tuple(sorted({e for g, e in places if g == group})) for group in groups})


PRIVATE_PLACES: Mapping[int, tuple[int, ...]] = _by_group(
    [
        *((place.group, element) for place in (*B_VALUES, *DIRECTIONS) for element in place.elements),
        (CSA_GROUP, CSA_ELEMENT),
    ]
)
"""By group, the low bytes of all elements that this module asks for."""

# ep_b1000#2 (one direction), ep_b800t (trace), ep_b50
_SIEMENS_SEQUENCE = re.compile(r"_b(\d+)(?:t|#\d+)?\b", re.IGNORECASE)
_CANON_COMMENT = re.compile(r"\s*b=(\d+(?:\.\d+)?)")


def private_b_value(header: PrivateHeader) -> float | None:
    """The b-value in s/mm2 from a vendor's private element; None if none of them tells one."""
    for place in B_VALUES:
        found = _numbers(header, place)
        if found and (value := place.mend(found[0])) >= 0:
            return value
    told = _csa(header, "B_value")
    return told[0] if told and told[0] >= 0 else None


def private_direction(header: PrivateHeader) -> Triple | None:
    """The unit vector of the diffusion gradient from private elements; None without one (b = 0, trace images)."""
    for place in DIRECTIONS:
        found = unit_vector(_numbers(header, place))
        if found is not None:
            return found
    return unit_vector(_csa(header, "DiffusionGradientDirection"))


def b_value_in_words(sequence_name: str | None, comments: str | None) -> float | None:
    """What old software of Siemens and of Toshiba says only in words.

    Parameters
    ----------
    sequence_name : (0018,0024), of Siemens ``*ep_b1000#2``.
    comments : (0020,4000), of Toshiba and Canon ``b=1500(0.445,0.000,0.895)``.
    """
    named = _SIEMENS_SEQUENCE.search(sequence_name or "") or _CANON_COMMENT.match(comments or "")
    return float(named[1]) if named is not None else None


def unit_vector(components: tuple[float, ...]) -> Triple | None:
    """The vector of length one along `components`; None unless they are three and not all zero."""
    if len(components) != 3:
        return None
    length = math.hypot(*components)
    if not 1e-6 < length < math.inf:
        return None
    return components[0] / length, components[1] / length, components[2] / length


def _numbers(header: PrivateHeader, place: Place) -> tuple[float, ...]:
    found: tuple[float, ...] = ()
    for element in place.elements:
        numbers = header.private_numbers(place.group, place.creator, element, form=place.form)
        if len(place.elements) > 1 and len(numbers) != 1:
            return ()
        found += numbers
    return found


def _csa(header: PrivateHeader, field: str) -> tuple[float, ...]:
    raw = header.private_bytes(CSA_GROUP, CSA_CREATOR, CSA_ELEMENT)
    if raw is None:
        return ()
    try:
        found = tuple(float(value) for value in csa_values(raw, field))
    except ValueError:
        return ()
    return found if all(map(math.isfinite, found)) else ()
