"""Stored values to grey: the modality, the VOI and the presentation transformation (PS3.3 C.11; PS3.4 N.2)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from pydicom import Dataset

LINEAR, EXACT, SIGMOID = "LINEAR", "LINEAR_EXACT", "SIGMOID"


@dataclass(frozen=True, slots=True, kw_only=True)
class Window:
    """Which values are shown between black and white.

    Parameters
    ----------
    center, width : in the unit of the modality transformation's output.
    shape : ``LINEAR``, ``LINEAR_EXACT`` or ``SIGMOID`` (C.11.2.1.2 and C.11.2.1.3).
    """

    center: float
    width: float
    shape: str = LINEAR

    def grey(self, values: NDArray[np.float64]) -> NDArray[np.float64]:
        """What of 0 (black) to 1 each value is shown as."""
        if self.shape == SIGMOID:
            # The exponent is bounded where the result is 0 or 1 to the last bit.
            slope = np.clip(-4 * (values - self.center) / max(self.width, 1e-9), -700, 700)
            found: NDArray[np.float64] = 1 / (1 + np.exp(slope))
            return found
        # C.11.2.1.2.1: of a width w the w values that are integers span the greys; hence the halves and the one less.
        shift, less = (0.0, 0.0) if self.shape == EXACT else (0.5, 1.0)
        center, width = self.center - shift, self.width - less
        if width <= 0:
            return (values > center).astype(np.float64)
        return np.clip((values - center) / width + 0.5, 0, 1)


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class LookUp:
    """A look-up table (C.11.1.1, C.11.2.1.1): the first value mapped, and what it and those after it are mapped to."""

    first: int
    entries: NDArray[np.float64]

    def of(self, values: NDArray[np.float64]) -> NDArray[np.float64]:
        """What the values are mapped to; those beyond an end as the end."""
        place = np.clip(np.rint(values) - self.first, 0, len(self.entries) - 1).astype(np.intp)
        found: NDArray[np.float64] = self.entries[place]
        return found


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class GreyScale:
    """How the stored values of one frame become grey.

    Parameters
    ----------
    slope, intercept : of the rescale, where there is no `modality`.
    window, table : what is shown; with neither, all from the least to the greatest value.
    inverted : whether the least value is white.
    padding : stored values from the first to the last that are no image.
    """

    slope: float = 1.0
    intercept: float = 0.0
    modality: LookUp | None = None
    window: Window | None = None
    table: LookUp | None = None
    inverted: bool = False
    padding: tuple[float, float] | None = None

    def picture(self, stored: NDArray[Any]) -> NDArray[np.uint8]:
        """Grey of 0 to 255 of each stored value, in the shape of `stored`; what is no number is black."""
        if stored.dtype.kind == "f":
            known = np.isfinite(stored)
            if not known.any():
                return np.zeros(stored.shape, dtype=np.uint8)
            shades = self._grey(np.where(known, stored, 0).astype(np.float64), self._limits(stored[known]))
            shades[~known] = 0
            return shades
        least, most = int(stored.min()), int(stored.max())
        if most - least < 1 << 16:
            # Each value that occurs is worked out once.
            every = np.arange(least, most + 1, dtype=np.float64)
            limits = self._limits(stored) if self.window is None and self.table is None else None
            greys = self._grey(every, limits)
            return greys[(stored.astype(np.int64) - least)]
        return self._grey(stored.astype(np.float64), self._limits(stored))

    def _limits(self, stored: NDArray[Any]) -> tuple[float, float]:
        shown = stored
        if self.padding is not None:
            inside = (stored < self.padding[0]) | (stored > self.padding[1])
            shown = stored[inside] if inside.any() else stored
        ends = self._real(np.array((np.amin(shown), np.amax(shown)), dtype=np.float64))
        return float(np.amin(ends)), float(np.amax(ends))

    def _real(self, stored: NDArray[np.float64]) -> NDArray[np.float64]:
        return self.modality.of(stored) if self.modality is not None else stored * self.slope + self.intercept

    def _grey(self, stored: NDArray[np.float64], limits: tuple[float, float] | None) -> NDArray[np.uint8]:
        real = self._real(stored)
        if self.window is not None:
            grey = self.window.grey(real)
        elif self.table is not None:
            grey = self.table.of(real)
        else:
            low, high = limits or (0.0, 1.0)
            grey = np.clip((real - low) / (high - low), 0, 1) if high > low else np.zeros_like(real)
        whole = np.rint(255 * (1 - grey if self.inverted else grey)).astype(np.uint8)
        if self.padding is not None and self.window is None and self.table is None:
            whole[(stored >= self.padding[0]) & (stored <= self.padding[1])] = 0
        return whole


def grey_scale(header: Dataset, frame: int, window: Window | None) -> GreyScale:
    """How a frame of an image is shown.

    Parameters
    ----------
    header : of the image, without its pixels.
    frame : from 0.
    window : to be used in place of the image's own.
    """
    rescale = functional_group(header, frame, "PixelValueTransformationSequence")
    voi = functional_group(header, frame, "FrameVOILUTSequence")
    signed = header.get("PixelRepresentation", 0) == 1
    inverted = header.get("PhotometricInterpretation", "") == "MONOCHROME1"
    if header.get("PresentationLUTShape", "") == "INVERSE":
        inverted = True  # C.11.6.1.2: it says the same as MONOCHROME1, not the opposite of it
    own = window or _window(voi)
    return GreyScale(
        slope=_number(rescale, "RescaleSlope", 1.0),
        intercept=_number(rescale, "RescaleIntercept", 0.0),
        modality=_look_up(rescale, "ModalityLUTSequence", signed=signed, scaled=False),
        window=own,
        table=None if own is not None else _look_up(voi, "VOILUTSequence", signed=signed, scaled=True),
        inverted=inverted,
        padding=_padding(header),
    )


def functional_group(header: Dataset, frame: int, keyword: str) -> Dataset:
    """The functional group of a frame, its own before that of all; the header itself where there are none."""
    per_frame = header.get("PerFrameFunctionalGroupsSequence") or []
    shared = header.get("SharedFunctionalGroupsSequence") or []
    for groups in ([per_frame[frame]] if frame < len(per_frame) else [], shared):
        for group in groups:
            if group.get(keyword):
                found: Dataset = group[keyword].value[0]
                return found
    return header


def _number(header: Dataset, keyword: str, otherwise: float) -> float:
    value = header.get(keyword)
    try:
        number = float(value) if value is not None else otherwise
    except (TypeError, ValueError):
        return otherwise
    return number if np.isfinite(number) else otherwise


def _first(value: Any) -> Any:
    return value[0] if hasattr(value, "__getitem__") and not isinstance(value, str) and len(value) else value


def _window(header: Dataset) -> Window | None:
    center, width = _first(header.get("WindowCenter")), _first(header.get("WindowWidth"))
    try:
        found = Window(
            center=float(center), width=float(width), shape=str(header.get("VOILUTFunction") or LINEAR).upper()
        )
    except (TypeError, ValueError):
        return None
    return found if np.isfinite((found.center, found.width)).all() and found.width > 0 else None


def _look_up(header: Dataset, keyword: str, *, signed: bool, scaled: bool) -> LookUp | None:
    items = header.get(keyword)
    if not items or "LUTDescriptor" not in items[0] or "LUTData" not in items[0]:
        return None
    descriptor = items[0].LUTDescriptor
    if isinstance(descriptor, str | int) or len(descriptor) != 3:
        return None
    count, first, bits = (int(one) for one in descriptor)
    raw = items[0].LUTData
    entries = np.frombuffer(raw, "<u2") if isinstance(raw, bytes) else np.asarray(raw)
    entries = entries.astype(np.float64)[: count or 1 << 16]
    if entries.size == 0 or not 1 <= bits <= 16:
        return None
    if signed and first >= 1 << 15:
        first -= 1 << 16  # read as unsigned where the stored values are signed
    return LookUp(first=first, entries=entries / ((1 << bits) - 1) if scaled else entries)


def _padding(header: Dataset) -> tuple[float, float] | None:
    value = header.get("PixelPaddingValue")
    if not isinstance(value, int):
        return None
    limit = header.get("PixelPaddingRangeLimit", value)
    ends = sorted((value, limit if isinstance(limit, int) else value))
    return float(ends[0]), float(ends[1])
