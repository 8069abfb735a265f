"""A slice with what was drawn on it, as every output shows it."""

from __future__ import annotations

from dataclasses import dataclass

from bingcheng.core.wording import Text


@dataclass(frozen=True, slots=True, kw_only=True)
class KeyImage:
    """One grey or inverted slice as PNG, with contours as polylines over it.

    Parameters
    ----------
    png : encoded 8-bit image, square pixels.
    size_px : (width, height).
    pixel_mm : size of a pixel of the PNG.
    contours : closed polylines of the lesion's border, each a tuple of (x, y) in pixels of the PNG, counted from
        its outer corner: (0, 0) to `size_px`.
    diameter : end points ((x, y), (x, y)) of the longest diameter in this slice, if it was measured.
    caption : what it shows, e.g. modality, plane, slice position.
    window : how grey values were chosen, with unit, e.g. "W 400 HU, L 40 HU" or "SUV 0 to 7".
    orientation : where the left, right, top and bottom edges lie in the patient, e.g. ("R", "L", "A", "P").
    """

    png: bytes
    size_px: tuple[int, int]
    pixel_mm: float
    contours: tuple[tuple[tuple[float, float], ...], ...]
    caption: Text
    window: Text
    diameter: tuple[tuple[float, float], tuple[float, float]] | None = None
    orientation: tuple[str, str, str, str] | None = None
