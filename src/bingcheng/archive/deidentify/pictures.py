"""Pictures for a person's eyes: a frame as it is, with what would be blanked outlined, and as it would be."""

from __future__ import annotations

import io
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bingcheng.archive.deidentify.devices import Region
from bingcheng.archive.deidentify.elements import read
from bingcheng.archive.deidentify.native import frames
from bingcheng.archive.deidentify.problems import PIXELS_NOT_BLANKED
from bingcheng.core.errors import InputError

_OUTLINE = (255, 176, 0)
_GAP_PX = 8


def shown(frame: NDArray[Any], *, inverted: bool = False) -> NDArray[np.uint8]:
    """A frame as eight bits: colours as they are, grey between its 0.5th and 99.9th percentile.

    The highest values stay white, so that burned-in text is seen.
    """
    if frame.ndim == 3:
        coloured: NDArray[np.uint8] = (frame if frame.dtype.itemsize == 1 else frame >> 8).astype(np.uint8)
        return coloured
    low, high = np.percentile(frame, (0.5, 99.9))
    scaled = (frame.astype(np.float32) - low) / max(float(high - low), 1e-6)
    grey: NDArray[np.uint8] = (np.clip(scaled, 0, 1) * 255).astype(np.uint8)
    return ~grey if inverted else grey


def first_frame(data: bytes) -> NDArray[np.uint8]:
    """The first frame of a DICOM file, as a person sees it.

    Raises
    ------
    InputError
        ``archive.pixels-not-blanked``, and those of reading.
    """
    found = read(data)
    frame = next(frames(found), None)
    if frame is None:
        raise InputError(PIXELS_NOT_BLANKED)
    return shown(frame, inverted=found.words(0x00280004) == "MONOCHROME1")


def before_and_after(data: bytes, regions: Sequence[Region]) -> bytes:
    """A PNG: on the left the picture with the regions outlined, on the right what would leave.

    Raises
    ------
    InputError
        ``archive.pixels-not-blanked``, and those of reading.
    """
    from PIL import Image, ImageDraw  # noqa: PLC0415 - heavy

    before = Image.fromarray(first_frame(data)).convert("RGB")
    after = before.copy()
    outline, fill = ImageDraw.Draw(before), ImageDraw.Draw(after)
    for one in regions:
        corners = (one.x, one.y, one.x + one.width - 1, one.y + one.height - 1)
        outline.rectangle(corners, outline=_OUTLINE, width=1)
        fill.rectangle(corners, fill=(0, 0, 0))
    both = Image.new("RGB", (2 * before.width + _GAP_PX, before.height), (64, 64, 64))
    both.paste(before, (0, 0))
    both.paste(after, (before.width + _GAP_PX, 0))
    stream = io.BytesIO()
    both.save(stream, format="PNG")
    return stream.getvalue()
