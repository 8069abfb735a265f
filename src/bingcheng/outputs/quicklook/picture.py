"""A picture of square pixels, encoded, with outlines drawn over it."""

from __future__ import annotations

import io
from collections.abc import Sequence
from enum import StrEnum

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw

from bingcheng.outputs.colours import of_lesion
from bingcheng.outputs.quicklook.marks import SMALLEST_SIDE, Marks, marked
from bingcheng.outputs.quicklook.outline import Line

HALO = "#000000"
LARGEST_SIDE = 1024
WEBP_QUALITY = 82


class Kind(StrEnum):
    """How a picture is encoded; the name is also the ending of the file."""

    WEBP = "webp"
    PNG = "png"


def picture(
    shades: NDArray[np.uint8],
    *,
    pixel_mm: tuple[float, float],
    side: int,
    outlines: Sequence[tuple[int, Line]] = (),
    marks: Marks | None = None,
    kind: Kind = Kind.WEBP,
) -> bytes:
    """An encoded picture, its longer side `side` pixels.

    Parameters
    ----------
    shades : (row, column) grey or (row, column, 3) colours.
    pixel_mm : height and width of a pixel; the picture has square ones.
    side : longer side of the picture; at most `LARGEST_SIDE`.
    outlines : number of the lesion, from 0, and its line in pixels of `shades`.
    marks : sides of the patient and scale, on pictures that are large enough for them; None for none.
    """
    rows, columns = shades.shape[:2]
    height_mm, width_mm = rows * pixel_mm[0], columns * pixel_mm[1]
    scale = min(side, LARGEST_SIDE) / max(height_mm, width_mm)
    size = max(1, round(width_mm * scale)), max(1, round(height_mm * scale))
    made = Image.fromarray(shades).resize(size, Image.Resampling.BILINEAR, reducing_gap=2.0)
    if outlines:
        made = _drawn(made.convert("RGB"), outlines, (size[0] / columns, size[1] / rows))
    if marks is not None and max(size) >= SMALLEST_SIDE:
        made = marked(made, marks, scale)
    written = io.BytesIO()
    if kind is Kind.PNG:
        made.save(written, "PNG", compress_level=3)
    else:
        made.save(written, "WEBP", quality=WEBP_QUALITY, method=1)
    return written.getvalue()


def _drawn(made: Image.Image, outlines: Sequence[tuple[int, Line]], across: tuple[float, float]) -> Image.Image:
    """Each line in its colour over a dark rim, so that it is seen on any ground."""
    draw = ImageDraw.Draw(made)
    thick = 2 if max(made.size) >= 384 else 1
    for rim in (True, False):
        for number, line in outlines:
            points = [(float(x), float(y)) for x, y in line * np.asarray(across)]
            colour = HALO if rim else of_lesion(number)
            draw.line(points, fill=colour, width=thick + 2 if rim else thick, joint="curve")
    return made
