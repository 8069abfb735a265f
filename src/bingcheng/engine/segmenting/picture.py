"""One picture to check outlines by eye: each lesion in its best slice, whole and close up, with its border."""

from __future__ import annotations

import io
from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from bingcheng.core.errors import Undefined
from bingcheng.core.wording import Text, text
from bingcheng.engine.segmenting.images import OpenedImage
from bingcheng.image.geometry import Triple
from bingcheng.image.region import Region
from bingcheng.image.volume import Volume
from bingcheng.outputs.keyimage import bright, key_image
from bingcheng.outputs.picture import KeyImage
from bingcheng.quantify.size.diameter import longest_axis

PANEL_PX = 440
GAP_PX = 6
CLOSE_UP_MARGIN = 2.2
CLOSE_UP_LEAST_MM = 50.0
AROUND_MM = 8.0
"""How many slices beside the lesion go into the close-up: its window depends on what surrounds the lesion."""
SCALE_BARS_MM = (100, 50, 20, 10, 5, 2, 1)
ON_BRIGHT, ON_DARK = ((200, 20, 20), (255, 255, 255)), ((255, 210, 0), (0, 0, 0))
"""Colours of the border and of the halo that sets it off."""

Line = Sequence[tuple[float, float]]
Colours = tuple[tuple[int, int, int], tuple[int, int, int]]


def outlines_picture(image: OpenedImage, regions: Sequence[Region]) -> tuple[bytes, tuple[Text, ...]]:
    """A PNG with a row for each lesion, and what each row shows: plane, slice and window, for people.

    Left the whole slice, right the close-up with the longest diameter and a scale bar. The picture holds numbers and
    letters of orientation alone, no words.
    """
    rows, captions = [], []
    for number, region in enumerate(regions, start=1):
        ends = _diameter(region)
        whole = key_image(image.volume, region, modality=image.modality, diameter_mm=ends)
        near_volume, near_region = _close_up(image.volume, region)
        near = key_image(near_volume, near_region, modality=image.modality, diameter_mm=ends)
        colours = ON_BRIGHT if bright(whole) else ON_DARK
        first = _panel(replace(whole, diameter=None), colours, title=str(number))
        rows.append((first, _panel(near, colours, scaled=True)))
        captions.append(text("{number}: {caption}; {window}", number=number, caption=whole.caption, window=near.window))
    width = 2 * PANEL_PX + GAP_PX
    canvas = Image.new("RGB", (width, len(rows) * (PANEL_PX + GAP_PX) - GAP_PX), (64, 64, 64))
    for row, panels in enumerate(rows):
        for column, panel in enumerate(panels):
            canvas.paste(panel, (column * (PANEL_PX + GAP_PX), row * (PANEL_PX + GAP_PX)))
    stream = io.BytesIO()
    canvas.save(stream, format="PNG", optimize=True)
    return stream.getvalue(), tuple(captions)


def _diameter(region: Region) -> tuple[Triple, Triple] | None:
    try:
        axis = longest_axis(region).long_axis
    except Undefined:
        return None
    return axis.start_mm, axis.end_mm


def _close_up(volume: Volume, region: Region) -> tuple[Volume, Region]:
    """A square part of the image around the lesion, with the lesion on it."""
    steps = volume.geometry.spacing_mm
    extents = [n * step for n, step in zip(region.mask.shape[1:], steps[1:], strict=True)]
    side_mm = max(CLOSE_UP_LEAST_MM, CLOSE_UP_MARGIN * max(extents))
    margins = [AROUND_MM, *((side_mm - extent) / 2.0 for extent in extents)]
    z, y, x = (max(0, round(margin / step)) for margin, step in zip(margins, steps, strict=True))
    box = region.box((z, y, x))
    start = (box[0].start, box[1].start, box[2].start)
    shape = (box[0].stop - start[0], box[1].stop - start[1], box[2].stop - start[2])
    grid = volume.geometry.box(start, shape)
    valid = None if volume.valid is None else volume.valid[box]
    moved = (region.start[0] - start[0], region.start[1] - start[1], region.start[2] - start[2])
    part = Volume(voxels=volume.voxels[box], geometry=grid, unit=volume.unit, valid=valid)
    return part, replace(region, start=moved, grid=grid)


def _panel(shown: KeyImage, colours: Colours, *, title: str = "", scaled: bool = False) -> Image.Image:
    """A key image in a square panel with its border, letters of orientation, and a scale bar if asked for."""
    width, height = shown.size_px
    scale = PANEL_PX / max(width, height)
    size = (max(1, round(width * scale)), max(1, round(height * scale)))
    left, top = (PANEL_PX - size[0]) // 2, (PANEL_PX - size[1]) // 2
    panel = Image.new("RGB", (PANEL_PX, PANEL_PX), "black")
    grey = Image.open(io.BytesIO(shown.png)).convert("RGB").resize(size, Image.Resampling.BICUBIC)
    panel.paste(grey, (left, top))
    draw = ImageDraw.Draw(panel)
    for contour in shown.contours:
        _line(draw, [(left + x * scale, top + y * scale) for x, y in (*contour, contour[0])], colours, 2)
    if shown.diameter is not None:
        _line(draw, [(left + x * scale, top + y * scale) for x, y in shown.diameter], colours, 1)
    _letters(draw, shown, colours)
    _words(draw, (10, 8), title, colours, "la")
    if scaled:
        _scale_bar(draw, shown.pixel_mm / scale, colours)
    return panel


def _line(draw: ImageDraw.ImageDraw, points: Line, colours: Colours, width: int) -> None:
    flat = [float(v) for v in np.asarray(points).ravel()]
    draw.line(flat, fill=colours[1], width=width + 2, joint="curve")
    draw.line(flat, fill=colours[0], width=width, joint="curve")


def _words(draw: ImageDraw.ImageDraw, at: tuple[float, float], said: str, colours: Colours, anchor: str) -> None:
    font = ImageFont.load_default(20)
    draw.text(at, said, fill=colours[0], font=font, anchor=anchor, stroke_width=2, stroke_fill=colours[1])


def _letters(draw: ImageDraw.ImageDraw, shown: KeyImage, colours: Colours) -> None:
    if shown.orientation is None:
        return
    left, right, top, bottom = shown.orientation
    middle, end = PANEL_PX / 2, PANEL_PX - 8
    places = (
        ((8, middle), left, "lm"),
        ((end, middle), right, "rm"),
        ((middle, 6), top, "ma"),
        ((middle, end), bottom, "ms"),
    )
    for at, letter, anchor in places:
        _words(draw, at, letter, colours, anchor)


def _scale_bar(draw: ImageDraw.ImageDraw, pixel_mm: float, colours: Colours) -> None:
    length_mm = next((mm for mm in SCALE_BARS_MM if mm / pixel_mm <= PANEL_PX * 0.34), 1)
    end = PANEL_PX - 12.0
    _line(draw, [(end - length_mm / pixel_mm, end), (end, end)], colours, 3)
    _words(draw, (end - length_mm / pixel_mm / 2, end - 8), f"{length_mm} mm", colours, "ms")
