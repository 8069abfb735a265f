"""Stored values as the colours that a person sees: through the palette, or from brightness and two differences.

Numbers that are neighbours may be black and white: without its palette a name in a picture isn't seen.
"""

from __future__ import annotations

import io
from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bingcheng.archive.deidentify.elements import Object
from bingcheng.archive.deidentify.native import COLOURS_AS_CODED
from bingcheng.archive.deidentify.problems import PIXELS_NOT_BLANKED
from bingcheng.core.errors import InputError

_PHOTOMETRIC = 0x00280004
_SIGN = 0x00280103
_TABLES = (
    _SIGN,
    0x00281101,
    0x00281102,
    0x00281103,
    0x00281201,
    0x00281202,
    0x00281203,
    0x00281221,
    0x00281222,
    0x00281223,
)
Seen = Callable[[NDArray[Any]], NDArray[Any]]
"""Makes of a frame what a person sees of it: (rows, columns), or (rows, columns, 3) with red first."""


def seen(found: Object, data: bytes) -> Seen:
    """How frames of an object are seen.

    Parameters
    ----------
    data : the file that the object was read from.

    Raises
    ------
    InputError
        ``archive.pixels-not-blanked``: the palette can't be read.
    """
    photometric = found.words(_PHOTOMETRIC)
    if photometric == "PALETTE COLOR":
        return _palette(data)
    # Of the others decoders make red, green and blue themselves.
    stored = found.syntax in COLOURS_AS_CODED or not any(one.encapsulated for one in found.elements)
    return _red_green_blue if stored and photometric == "YBR_FULL" else lambda frame: frame


def _palette(data: bytes) -> Seen:
    from pydicom import dcmread  # noqa: PLC0415 - heavy
    from pydicom.pixels.processing import apply_color_lut  # noqa: PLC0415 - heavy

    try:
        tables = dcmread(io.BytesIO(data), specific_tags=list(_TABLES), stop_before_pixels=True)
        apply_color_lut(np.zeros((1, 1), np.uint8), tables)
    except Exception as error:  # pydicom raises whatever it likes of a damaged table
        raise InputError(PIXELS_NOT_BLANKED) from error

    def coloured(frame: NDArray[Any]) -> NDArray[Any]:
        colours: NDArray[Any] = apply_color_lut(frame, tables)[..., :3]
        return colours

    return coloured


def _red_green_blue(frame: NDArray[Any]) -> NDArray[Any]:
    from pydicom.pixels.processing import convert_color_space  # noqa: PLC0415 - heavy

    colours: NDArray[Any] = convert_color_space(frame, "YBR_FULL", "RGB")
    return colours
