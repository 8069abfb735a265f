"""Key images: the slice that shows a lesion best, in the window a reader expects, with its border over it.

Pixels of a key image are square. Its coordinates run from (0, 0) at the outer corner of the first pixel to
(width, height) at the opposite corner, so that a drawing over the image needs no half-pixel shift.
"""

from __future__ import annotations

import io
from base64 import b64decode, b64encode
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, cast

import numpy as np
from contourpy import contour_generator
from numpy.typing import NDArray
from PIL import Image

from bingcheng.core.wording import Text, text
from bingcheng.image.geometry import Triple
from bingcheng.image.region import Region
from bingcheng.image.volume import Volume
from bingcheng.outputs.picture import KeyImage

MAX_SIDE_PX = 512
MIN_SIDE_PX = 320
MAX_PNG_BYTES = 60_000
SHELL_MM = 6.0
LUNG_BELOW_HU = -500.0
SUV_WINDOW = (0.0, 7.0)

Point = tuple[float, float]
Line = tuple[Point, Point]
Plane = NDArray[np.float32]


@dataclass(frozen=True, slots=True, kw_only=True)
class Window:
    """Which values are shown from black to white, or from white to black (`inverted`), and how to say so."""

    low: float
    high: float
    says: Text
    inverted: bool = False


def key_image(
    volume: Volume, region: Region | None = None, *, modality: str, diameter_mm: tuple[Triple, Triple] | None = None
) -> KeyImage:
    """The slice of `volume` that shows `region` best, whole field, as an 8-bit PNG of at most 512 pixels a side.

    The slice is that in which the diameter was measured, if one is given, else the one in which the region's area is
    largest, else the middle one. A PET volume in SUV is shown inverted from 0 to 7; CT in the soft-tissue window, or
    in the lung window where the lesion lies in lung; anything else between its 1st and 99.5th percentile. The last
    bits of noise are dropped, and at need the size, until the PNG fits 60 kB.

    Parameters
    ----------
    volume : voxels (z, y, x).
    region : a lesion on the grid of `volume`; None or an empty one for a picture of the series.
    modality : DICOM modality, ``CT``, ``MR`` or ``PT``.
    diameter_mm : end points (LPS, mm) of the longest diameter in a slice, drawn over the lesion.
    """
    shown = None if region is None or region.empty else region
    ends = None if diameter_mm is None else volume.geometry.to_index(diameter_mm)
    at = _slice(volume, shown, ends)
    plane = np.asarray(volume.voxels[at], dtype=np.float32)
    valid = None if volume.valid is None else volume.valid[at]
    window = _window(volume, shown, plane, valid, modality)
    step_y_mm, step_x_mm = volume.geometry.spacing_mm[1:]
    png, size, pixel_mm = _encoded(_grey(plane, valid, window), step_y_mm, step_x_mm)
    across = (step_x_mm / pixel_mm, step_y_mm / pixel_mm)
    return KeyImage(
        png=png,
        size_px=size,
        pixel_mm=pixel_mm,
        contours=() if shown is None else _contours(shown, at, across),
        diameter=None if ends is None else _line(ends, across),
        caption=_caption(volume, at, modality),
        window=window.says,
        orientation=_letters(volume),
    )


def bright(image: KeyImage) -> bool:
    """Whether what is drawn over the image must be dark to be seen: its border is rather white than black."""
    grey = np.asarray(Image.open(io.BytesIO(image.png)).convert("L"))
    border = np.concatenate((grey[0], grey[-1], grey[:, 0], grey[:, -1]))
    return float(np.median(border)) > 127


def as_json(image: KeyImage) -> dict[str, object]:
    """A JSON object from which `from_json` makes the same key image again; the PNG as base64."""
    return {
        "png": b64encode(image.png).decode("ascii"),
        "size_px": list(image.size_px),
        "pixel_mm": image.pixel_mm,
        "contours": [[list(point) for point in line] for line in image.contours],
        "diameter": None if image.diameter is None else [list(point) for point in image.diameter],
        "caption": image.caption.as_json(),
        "window": image.window.as_json(),
        "orientation": None if image.orientation is None else list(image.orientation),
    }


def from_json(stored: Mapping[str, Any]) -> KeyImage:
    """The key image that `as_json` wrote."""
    width, height = stored["size_px"]
    orientation = stored.get("orientation")
    return KeyImage(
        png=b64decode(stored["png"]),
        size_px=(int(width), int(height)),
        pixel_mm=float(stored["pixel_mm"]),
        contours=tuple(tuple(_point(point) for point in line) for line in stored["contours"]),
        diameter=None if stored["diameter"] is None else (_point(stored["diameter"][0]), _point(stored["diameter"][1])),
        caption=Text.from_json(stored["caption"]),
        window=Text.from_json(stored["window"]),
        orientation=None if orientation is None else cast("tuple[str, str, str, str]", tuple(map(str, orientation))),
    )


def _point(stored: Any) -> Point:
    x, y = stored
    return float(x), float(y)


def _slice(volume: Volume, region: Region | None, ends: NDArray[np.float64] | None) -> int:
    """Index of the slice to show."""
    last = volume.geometry.shape[0] - 1
    if ends is not None:
        return int(np.clip(round(float(ends[:, 0].mean())), 0, last))
    if region is not None:
        return region.start[0] + int(np.argmax(region.inside.sum(axis=(1, 2))))
    return last // 2


def _window(
    volume: Volume, region: Region | None, plane: Plane, valid: NDArray[np.bool_] | None, modality: str
) -> Window:
    if modality == "CT" and volume.unit == "[hnsf'U]":
        width, level = (1500.0, -600.0) if region is not None and _in_lung(volume, region) else (400.0, 40.0)
        says = text("W {width} HU, L {level} HU", width=width, level=level)
        return Window(low=level - width / 2, high=level + width / 2, says=says)
    if modality == "PT" and volume.unit.startswith("g/ml"):
        low, high = SUV_WINDOW
        return Window(low=low, high=high, says=text("SUV {low} to {high}", low=low, high=high), inverted=True)
    values = plane if valid is None else plane[valid]
    low, high = (float(v) for v in np.percentile(values, (1.0, 99.5))) if values.size else (0.0, 1.0)
    if modality == "PT":
        says = text("0 to {high} of the stored unit, not SUV", high=high)
        return Window(low=0.0, high=max(high, 1e-6), says=says, inverted=True)
    grain = 10.0 ** np.floor(np.log10(max(high - low, 1e-6)) - 1)  # two digits of the range are plenty to read
    shown = [
        int(edge) if edge == int(edge) else edge for edge in (float(round(v / grain) * grain) for v in (low, high))
    ]
    says = text("signal {low} to {high} (1st to 99.5th percentile)", low=shown[0], high=shown[1])
    return Window(low=low, high=max(high, low + 1e-6), says=says)


def _in_lung(volume: Volume, region: Region) -> bool:
    """Whether most of what lies within 6 mm of the lesion is lung."""
    spacing = volume.geometry.spacing_mm
    margin = tuple(max(1, round(SHELL_MM / step)) for step in spacing)
    box = region.box((margin[0], margin[1], margin[2]))
    around = volume.voxels[box][~region.inside_box(box)]
    return bool(around.size) and float(np.median(around)) < LUNG_BELOW_HU


def _grey(plane: Plane, valid: NDArray[np.bool_] | None, window: Window) -> Plane:
    """The slice from 0 to 255, black where the scanner recorded nothing."""
    grey = np.clip((plane - window.low) * (255.0 / (window.high - window.low)), 0.0, 255.0)
    if window.inverted:
        grey = 255.0 - grey
    if valid is not None:
        grey = np.where(valid, grey, 255.0 if window.inverted else 0.0)
    return np.asarray(np.nan_to_num(grey, nan=0.0), dtype=np.float32)


def _encoded(grey: Plane, step_y_mm: float, step_x_mm: float) -> tuple[bytes, tuple[int, int], float]:
    """PNG, (width, height) and the size of its square pixels in mm."""
    rows, columns = grey.shape
    extent_mm = max(rows * step_y_mm, columns * step_x_mm)
    native = round(extent_mm / min(step_y_mm, step_x_mm))
    largest = int(np.clip(native, MIN_SIDE_PX, MAX_SIDE_PX))
    png, size, pixel_mm = b"", (0, 0), 0.0
    for side, levels in (
        (largest, 256),
        (largest, 128),
        (largest, 64),
        (416, 64),
        (MIN_SIDE_PX, 48),
        (MIN_SIDE_PX, 24),
    ):
        pixel_mm = extent_mm / min(side, largest)
        size = (max(1, round(columns * step_x_mm / pixel_mm)), max(1, round(rows * step_y_mm / pixel_mm)))
        resampled = Image.fromarray(grey, mode=None).resize(size, Image.Resampling.BICUBIC)
        png = _png(np.asarray(resampled), levels)
        if len(png) <= MAX_PNG_BYTES:
            break
    return png, size, pixel_mm


def _png(grey: Plane, levels: int) -> bytes:
    steps = np.rint(np.clip(grey, 0.0, 255.0) * ((levels - 1) / 255.0))
    shown = np.rint(steps * (255.0 / (levels - 1))).astype(np.uint8)
    stream = io.BytesIO()
    Image.fromarray(shown).save(stream, format="PNG", optimize=True)
    return stream.getvalue()


def _contours(region: Region, at: int, across: Point) -> tuple[tuple[Point, ...], ...]:
    """Closed polylines of the region's border in slice `at`, at half membership."""
    inside = at - region.start[0]
    if not 0 <= inside < region.mask.shape[0]:
        return ()
    padded = np.pad(region.mask[inside].astype(np.float32), 1)
    lines = contour_generator(z=padded).lines(0.5)
    corner = np.array([region.start[2] - 0.5, region.start[1] - 0.5])  # centre of the padding's first voxel, plus half
    placed = [(np.asarray(line) + corner) * np.asarray(across) for line in lines]
    return tuple(tuple((round(float(x), 2), round(float(y), 2)) for x, y in line) for line in placed)


def _line(ends: NDArray[np.float64], across: Point) -> Line:
    (x0, y0), (x1, y1) = ((float(end[2] + 0.5) * across[0], float(end[1] + 0.5) * across[1]) for end in ends)
    return (x0, y0), (x1, y1)


def _caption(volume: Volume, at: int, modality: str) -> Text:
    normal = np.abs(np.cross(volume.geometry.axes[2], volume.geometry.axes[1]))
    plane = (text("sagittal"), text("coronal"), text("axial"))[int(np.argmax(normal))]
    return text(
        "{modality}, {plane}, slice {number} of {count}",
        modality=modality,
        plane=plane,
        number=at + 1,
        count=volume.geometry.shape[0],
    )


def _letters(volume: Volume) -> tuple[str, str, str, str]:
    """Where the image's left, right, top and bottom edges lie in the patient (PS3.3 C.7.6.1.1.1)."""
    _, down, right = volume.geometry.axes
    return _toward(right, -1), _toward(right, 1), _toward(down, -1), _toward(down, 1)


def _toward(axis: Triple, sign: int) -> str:
    main = int(np.argmax(np.abs(axis)))
    return "LPH"[main] if axis[main] * sign > 0 else "RAF"[main]
