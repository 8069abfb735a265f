"""Tables of colours and grey values (PS3.3 C.7.9, C.11): what of them may go without spoiling the picture."""

from __future__ import annotations

import re
from collections.abc import Sequence

from bingcheng.archive.deidentify.elements import Element, Object

_COLOURS = frozenset((*range(0x00281201, 0x00281205), *range(0x00281211, 0x00281214), *range(0x00281221, 0x00281225)))
"""Red, green, blue and alpha: plain, large (retired) and segmented."""
PALETTE = frozenset((*range(0x00281101, 0x00281105), *range(0x00281111, 0x00281114), 0x00281199, 0x00281214, *_COLOURS))
"""All that describes the tables of colours: each half of them is worth nothing without the other."""
VOI_LUTS, LUT_DATA = 0x00283010, 0x00283006
"""Proposals of how to show an image, and the values of any table: those of Modality LUT say what is measured."""
_PHOTOMETRIC, _PRESENTATION, _SOP_CLASS, _PIXELS = 0x00280004, 0x00089205, 0x00080016, 0x7FE00010
_COLOURING = re.compile(r"1\.2\.840\.10008\.5\.1\.4\.(39\.1|1\.1\.11\..*)")
"""Color Palette and presentation states, which say how to draw other images."""


def is_spoilt(tag: int, within: int) -> bool:
    """Whether an object loses its meaning with a value of it: a table within a sequence is there for a reason.

    Parameters
    ----------
    within : tag of the sequence; 0 at the top, where a palette may be needed or not (`is_needed`), and VOI and
        modality tables mean nothing.
    """
    return within not in (0, VOI_LUTS) and (tag == LUT_DATA or tag in _COLOURS)


def is_needed(found: Object) -> bool:
    """Whether something is drawn by an object's tables of colours; a grey picture that merely proposes some isn't.

    Its Pixel Presentation says whether stored values beyond the grey ones stand for colours (PS3.3 C.8.16.2.1.1.1).
    """
    if found.words(_PRESENTATION) in ("COLOR", "MIXED") or _COLOURING.fullmatch(found.words(_SOP_CLASS)):
        return True
    return found.first(_PIXELS) is not None and not found.words(_PHOTOMETRIC).startswith("MONOCHROME")


def without(elements: Sequence[Element]) -> tuple[list[Element], list[Element]]:
    """The elements that are no part of the tables, and those that are."""
    return [one for one in elements if one.tag not in PALETTE], [one for one in elements if one.tag in PALETTE]


def with_data(proposals: Element | None) -> Element | None:
    """Of a VOI LUT Sequence the items whose table has values; None if it has none."""
    items = (proposals.items if proposals is not None else None) or ()
    whole = [item for item in items if any(one.tag == LUT_DATA and one.value for one in item)]
    return Element(VOI_LUTS, "SQ", b"", whole) if whole else None
