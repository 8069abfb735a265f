"""How an image was diffusion-weighted, from makers' private attributes into the standard's own.

Makers' attributes go, or may go, and without its b-value an image of a diffusion series measures nothing. It is a
number of the technique and names nobody; where the standard's attribute says it, every profile keeps it.
"""

from __future__ import annotations

import struct
from collections.abc import Iterable, Iterator, Sequence

from bingcheng.archive.deidentify import change
from bingcheng.archive.deidentify.change import Change
from bingcheng.archive.deidentify.elements import Element, Object, plain
from bingcheng.archive.deidentify.rules import Action
from bingcheng.archive.deidentify.subject import SOP_CLASS
from bingcheng.dicom.index.elements import Coding, Elements
from bingcheng.dicom.index.private import RawPrivate
from bingcheng.dicom.vendors.diffusion import private_b_value, private_direction

MR_IMAGE = "1.2.840.10008.5.1.4.1.1.4"
DIRECTIONALITY, B_VALUE, ORIENTATION = 0x00189075, 0x00189087, 0x00189089
_MATRIX = (0x00189601, 0x00189602)
DIRECTIONALITIES = frozenset(("DIRECTIONAL", "BMATRIX", "ISOTROPIC", "NONE"))
"""PS3.3 C.8.13.5.9."""
LARGEST_S_PER_MM2 = 50_000.0
"""More than any scanner makes; a larger number is something else."""


def told(found: Object) -> list[Element]:
    """What the private attributes of an MR image say of its diffusion weighting, as elements that aren't there yet.

    An enhanced one says it in the standard's attributes.
    """
    if found.words(SOP_CLASS) != MR_IMAGE or found.first(B_VALUE) is not None:
        return []
    if any(found.first(tag) is not None for tag in _MATRIX):
        return []  # its trace tells the b-value
    private = {one.tag: one.value for one in found.elements if one.tag >> 16 & 1 and one.items is None}
    if not private:
        return []
    header = RawPrivate(_elements(private, found))
    b_value = private_b_value(header)
    if b_value is None or b_value > LARGEST_S_PER_MM2:
        return []
    new = [Element(B_VALUE, "FD", _doubles((b_value,), found))]
    direction = private_direction(header) if b_value else None
    if direction is not None and found.first(ORIENTATION) is None:
        new.append(Element(ORIENTATION, "FD", _doubles(direction, found)))
    kind = plain(header.private_bytes(0x0019, "SIEMENS MR HEADER", 0x0D) or b"").upper()
    if kind in DIRECTIONALITIES and found.first(DIRECTIONALITY) is None:
        new.append(Element(DIRECTIONALITY, "CS", kind.encode("ascii")))
    return new


def b_values(elements: Sequence[Element], *, little: bool) -> Iterator[int]:
    """The b-values that an object states of its frames, in s/mm2; those that are no whole numbers aren't listed."""
    for one in elements:
        for item in one.items or ():
            yield from b_values(item, little=little)
        if one.tag == B_VALUE and len(one.value) == 8:
            (value,) = struct.unpack("<d" if little else ">d", one.value)
            if value.is_integer():
                yield int(value)


def shown(new: Iterable[Element], *, little: bool) -> Iterator[Change]:
    """What was written anew, for a preview."""
    for one in new:
        numbers = struct.unpack(f"{'<' if little else '>'}{len(one.value) // 8}d", one.value) if one.vr == "FD" else ()
        after = "\\".join(f"{number:g}" for number in numbers) or plain(one.value)
        name = change.named(one.tag)
        yield Change(
            path=change.numbered(one.tag), name=name, action=Action.ADD, before="", after=after, reason=change.WEIGHTING
        )


def _doubles(numbers: Sequence[float], found: Object) -> bytes:
    return struct.pack(f"{'<' if found.little else '>'}{len(numbers)}d", *numbers)


def _elements(private: dict[int, bytes], found: Object) -> Elements:
    return Elements(
        values={},
        private=private,
        coding=Coding(explicit=found.explicit, little=found.little),
        transfer_syntax=None,
        pixels_at=None,
        pixels_length=None,
        pixels_tag=None,
        size=0,
    )
