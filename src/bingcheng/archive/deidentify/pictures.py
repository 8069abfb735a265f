"""Pictures for a person's eyes: as they are, with what would be blanked outlined, and as they would be.

Of several frames a person sees the first, and below it the highest value that each place has in any of them, so that
text in a later frame is seen too.
"""

from __future__ import annotations

import io
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from bingcheng.archive.deidentify.colours import seen
from bingcheng.archive.deidentify.devices import Region
from bingcheng.archive.deidentify.elements import Object, read
from bingcheng.archive.deidentify.native import frames
from bingcheng.archive.deidentify.problems import PIXELS_NOT_BLANKED
from bingcheng.core.errors import InputError

if TYPE_CHECKING:
    from PIL import Image

_PHOTOMETRIC, _INVERTED = 0x00280004, "MONOCHROME1"
_OUTLINE = (255, 176, 0)
_GAP_PX = 8
_BETWEEN = (64, 64, 64)


def shown(frame: NDArray[Any], *, inverted: bool = False) -> NDArray[np.uint8]:
    """A frame as eight bits: colours as they are, grey between its 0.5th and 99.9th percentile.

    The highest values stay white, so that burned-in text is seen.
    """
    if frame.ndim == 3:
        beyond = max(0, int(frame.max(initial=0)).bit_length() - 8)  # tables of 16 bits are filled with 8 only, too
        coloured: NDArray[np.uint8] = (frame >> beyond if beyond else frame).astype(np.uint8)
        return coloured
    values = np.nan_to_num(frame.astype(np.float32), copy=False)
    low, high = np.percentile(values, (0.5, 99.9))
    scaled = (values - low) / max(float(high - low), 1e-6)
    grey: NDArray[np.uint8] = (np.clip(scaled, 0, 1) * 255).astype(np.uint8)
    return ~grey if inverted else grey


def views(data: bytes) -> tuple[NDArray[np.uint8], ...]:
    """What a person sees of a DICOM file: its first frame, and of several frames the brightest of each place.

    Raises
    ------
    InputError
        ``archive.pixels-not-blanked``, and those of reading.
    """
    found = read(data)
    inverted = found.words(_PHOTOMETRIC) == _INVERTED
    first, brightest, several = _gathered(found, data, highest=not inverted)
    return tuple(shown(one, inverted=inverted) for one in ((first, brightest) if several else (first,)))


def _gathered(found: Object, data: bytes, *, highest: bool) -> tuple[NDArray[Any], NDArray[Any], bool]:
    """The first frame, the highest (or lowest) value of each place in any frame, and whether there are several."""
    further, coloured = np.maximum if highest else np.minimum, seen(found, data)
    every = map(coloured, frames(found))
    first = next(every, None)
    if first is None:
        raise InputError(PIXELS_NOT_BLANKED)
    furthest, several = first.copy(), False
    for frame in every:
        further(furthest, frame, out=furthest)
        several = True
    return first, furthest, several


def one_frame(data: bytes, number: int) -> bytes:
    """A PNG of one frame, each of its pixels a pixel of it; no row or column is added or left out.

    Parameters
    ----------
    number : from zero.

    Raises
    ------
    InputError
        ``archive.pixels-not-blanked``, also where there is no such frame, and those of reading.
    """
    found = read(data)
    one = next(frames(found, range(number, number + 1)), None)
    if one is None:
        raise InputError(PIXELS_NOT_BLANKED)
    return _png(shown(seen(found, data)(one), inverted=found.words(_PHOTOMETRIC) == _INVERTED))


def of_all_frames(data: bytes, *, darkest: bool = False) -> bytes:
    """A PNG of the brightest that each place has in any frame, or of the darkest, where dark words on light are seen.

    Raises
    ------
    InputError
        ``archive.pixels-not-blanked``, and those of reading.
    """
    found = read(data)
    inverted = found.words(_PHOTOMETRIC) == _INVERTED
    _, furthest, _ = _gathered(found, data, highest=darkest is inverted)
    return _png(shown(furthest, inverted=inverted))


def _png(view: NDArray[np.uint8]) -> bytes:
    from PIL import Image  # noqa: PLC0415 - heavy

    stream = io.BytesIO()
    # Speed before size: a person leafs through frames, and pictures of screens have twelve million pixels.
    Image.fromarray(view).save(stream, format="PNG", compress_level=1)
    return stream.getvalue()


def before_and_after(data: bytes, regions: Sequence[Region]) -> bytes:
    """A PNG: on the left the picture with the regions outlined, on the right what would leave; see `views`.

    Raises
    ------
    InputError
        ``archive.pixels-not-blanked``, and those of reading.
    """
    from PIL import Image  # noqa: PLC0415 - heavy

    seen = views(data)
    pairs = [_pair(view, regions) for view in seen]
    both = Image.new("RGB", (pairs[0].width, sum(one.height + _GAP_PX for one in pairs) - _GAP_PX), _BETWEEN)
    for number, one in enumerate(pairs):
        both.paste(one, (0, number * (one.height + _GAP_PX)))
    stream = io.BytesIO()
    both.save(stream, format="PNG")
    return stream.getvalue()


def _pair(view: NDArray[np.uint8], regions: Sequence[Region]) -> Image.Image:
    from PIL import Image, ImageDraw  # noqa: PLC0415 - heavy

    before = Image.fromarray(view).convert("RGB")
    after = before.copy()
    outline, fill = ImageDraw.Draw(before), ImageDraw.Draw(after)
    for one in regions:
        corners = (one.x, one.y, one.x + one.width - 1, one.y + one.height - 1)
        outline.rectangle(corners, outline=_OUTLINE, width=1)
        fill.rectangle(corners, fill=(0, 0, 0))
    both = Image.new("RGB", (2 * before.width + _GAP_PX, before.height), _BETWEEN)
    both.paste(before, (0, 0))
    both.paste(after, (before.width + _GAP_PX, 0))
    return both
