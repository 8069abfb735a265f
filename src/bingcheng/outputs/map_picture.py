"""A picture of a map of values: its best slice in colour over the image it was made from, with a scale.

Words are left to whoever shows the picture, in the reader's language; the picture holds numbers and the unit alone.
"""

from __future__ import annotations

import io
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

from bingcheng.core.errors import InputError
from bingcheng.core.units import UNITS
from bingcheng.image.volume import Volume
from bingcheng.outputs.parametric_map import EMPTY_MAP

SIDE_PX = 480
SCALE_PX = 22
TEXT_PX = 96
MARGIN_PX = 14
TICKS = 5
SHADE = 0.55
"""How dark the image under the colours is, so that these are read and not it."""

VIRIDIS = (
    (68, 1, 84),
    (72, 40, 120),
    (62, 74, 137),
    (49, 104, 142),
    (38, 130, 142),
    (31, 158, 137),
    (53, 183, 121),
    (110, 206, 88),
    (181, 222, 43),
    (253, 231, 37),
)
"""Ten steps of viridis (S. van der Walt, N. Smith; CC0): even in lightness, safe for colour-blind readers."""

Colours = NDArray[np.uint8]


def map_picture(values: Volume, underlay: Volume | None = None) -> bytes:
    """A PNG of the slice of `values` that holds most of them, each voxel in the colour of its value, with a scale.

    The scale runs from the 1st to the 99th percentile of all values, so that a single extreme voxel does not wash out
    the rest; what lies beyond has the colour of the end. Pixels are square.

    Parameters
    ----------
    values : the map, (z, y, x); voxels that are not `valid` or not finite show the image.
    underlay : the image on the same grid, shown grey under and around the map.

    Raises
    ------
    InputError
        ``outputs.map-without-values``.
    """
    known = np.isfinite(values.voxels) if values.valid is None else values.valid & np.isfinite(values.voxels)
    if not known.any():
        raise InputError(EMPTY_MAP)
    low, high = (float(edge) for edge in np.percentile(values.voxels[known], (1.0, 99.0)))
    at = int(np.argmax(known.sum(axis=(1, 2))))
    plane = _grey(underlay, at, values)
    plane[known[at]] = coloured(np.asarray(values.voxels[at][known[at]], dtype=float), low, high)
    shown = _square(plane, values)
    canvas = Image.new("RGB", (shown.width + MARGIN_PX + SCALE_PX + TEXT_PX, shown.height), "white")
    canvas.paste(shown, (0, 0))
    _draw_scale(canvas, shown.width + MARGIN_PX, low, high, values.unit)
    stream = io.BytesIO()
    canvas.save(stream, format="PNG", optimize=True)
    return stream.getvalue()


def coloured(values: NDArray[Any], low: float, high: float) -> Colours:
    """The colours (n, 3) of values (n,) between `low` and `high`."""
    steps = np.asarray(VIRIDIS, dtype=float)
    place = np.clip((values - low) / max(high - low, 1e-12), 0.0, 1.0) * (len(steps) - 1)
    channels = [np.interp(place, np.arange(len(steps)), steps[:, channel]) for channel in range(3)]
    return np.rint(np.stack(channels, axis=-1)).astype(np.uint8)


def _grey(underlay: Volume | None, at: int, values: Volume) -> Colours:
    shape = values.voxels.shape[1:]
    if underlay is None or underlay.voxels.shape != values.voxels.shape:
        return np.full((*shape, 3), 255, dtype=np.uint8)
    plane = np.nan_to_num(np.asarray(underlay.voxels[at], dtype=float))
    low, high = np.percentile(plane, (1.0, 99.5))
    grey = np.clip((plane - low) / max(float(high - low), 1e-12), 0.0, 1.0) * 255.0 * SHADE
    return np.repeat(grey.astype(np.uint8)[..., None], 3, axis=2)


def _square(plane: Colours, values: Volume) -> Image.Image:
    rows, columns = plane.shape[:2]
    step_y_mm, step_x_mm = values.geometry.spacing_mm[1:]
    pixel_mm = max(rows * step_y_mm, columns * step_x_mm) / SIDE_PX
    size = max(1, round(columns * step_x_mm / pixel_mm)), max(1, round(rows * step_y_mm / pixel_mm))
    return Image.fromarray(plane).resize(size, Image.Resampling.NEAREST)


def _draw_scale(canvas: Image.Image, left: int, low: float, high: float, unit: str) -> None:
    draw = ImageDraw.Draw(canvas)
    font = ImageFont.load_default(13)
    top, bottom = 2 * MARGIN_PX, canvas.height - MARGIN_PX
    ramp = coloured(np.linspace(1.0, 0.0, max(2, bottom - top)), 0.0, 1.0)
    bar = Image.fromarray(np.repeat(ramp[:, None], SCALE_PX, axis=1))
    canvas.paste(bar, (left, top))
    for tick in range(TICKS):
        part = tick / (TICKS - 1)
        y = bottom - part * (bottom - top)
        draw.text((left + SCALE_PX + 6, y), f"{low + part * (high - low):.4g}", fill="black", font=font, anchor="lm")
    symbol = UNITS[unit].symbol if unit in UNITS else unit
    draw.text((left, top - 4), symbol, fill="black", font=font, anchor="ls")
