"""Frames as pictures for people (PS3.18 8.3.5 and 10.4.1.1.4): windowed, cut, scaled, encoded."""

from __future__ import annotations

import io
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, BinaryIO

import numpy as np
from numpy.typing import NDArray

from bingcheng.archive.dicomweb.annotation import SUPPORTED, annotated
from bingcheng.archive.dicomweb.frames import values
from bingcheng.archive.dicomweb.grey_scale import EXACT, LINEAR, SIGMOID, Window, grey_scale
from bingcheng.archive.dicomweb.palette import coloured
from bingcheng.archive.dicomweb.pixel_map import PixelMap
from bingcheng.archive.dicomweb.problems import BAD_QUERY, NO_PICTURE
from bingcheng.core.errors import InputError

if TYPE_CHECKING:
    from PIL.Image import Image
    from pydicom import Dataset

JPEG, PNG, GIF = "image/jpeg", "image/png", "image/gif"
KINDS = (JPEG, PNG, GIF)
"""What a single image is rendered as (PS3.18 table 8.7.4-1); the first is the default."""
LARGEST_SIDE = 8192
"""Pixels of a picture's side."""
THUMBNAIL = 160
"""Pixels of a thumbnail's longer side."""
UNREADABLE = 24
"""Pixels of a longer side on which no burned-in words can be read."""
QUALITY = 90

_SHAPES: Mapping[str, str] = {"linear": LINEAR, "linear-exact": EXACT, "sigmoid": SIGMOID}


@dataclass(frozen=True, slots=True, kw_only=True)
class Region:
    """The part of an image that is shown (8.3.5.1.3): in pixels, from the upper left; a negative size turns it."""

    x: float
    y: float
    width: float
    height: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Shown:
    """How a picture is wanted.

    Parameters
    ----------
    size : columns and rows into which it must fit, its proportions kept; None as it is.
    region : None for all of it.
    window : None for the image's own.
    quality : of JPEG, 1 to 100.
    words : ``patient``, ``technique``: what is written into it.
    thumbnail : whether it must not name the patient, even where the image itself does.
    """

    size: tuple[int, int] | None = None
    region: Region | None = None
    window: Window | None = None
    quality: int = QUALITY
    words: frozenset[str] = frozenset()
    thumbnail: bool = False


def shown_of(parameters: Mapping[str, str], *, thumbnail: bool = False) -> Shown:
    """What the query parameters say.

    Raises
    ------
    InputError
        ``archive.bad-query``.
    """
    size, region = _viewport(parameters.get("viewport"), parts=2 if thumbnail else 6)
    if thumbnail:
        return Shown(size=size or (THUMBNAIL, THUMBNAIL), thumbnail=True)
    quality = parameters.get("quality")
    return Shown(
        size=size,
        region=region,
        window=_window(parameters.get("window")),
        quality=QUALITY if quality is None else _whole("quality", quality, 1, 100),
        words=SUPPORTED.intersection(_keywords(parameters)),
    )


def left_out(parameters: Mapping[str, str], *, thumbnail: bool = False) -> list[str]:
    """What of the parameters is not done, in the words of PS3.18 8.3.5.1.1."""
    said = []
    unknown = [] if thumbnail else [one for one in _keywords(parameters) if one not in SUPPORTED]
    if unknown:
        said.append(f"The following annotation values are not supported: {', '.join(unknown)}")
    if parameters.get("iccprofile", "no") != "no":
        said.append("The iccprofile parameter is not supported")
    return said


def _keywords(parameters: Mapping[str, str]) -> Sequence[str]:
    written = parameters.get("annotation")
    if written is None:
        return ()
    found = written.split(",")
    if not all(one.isascii() and one.isalpha() and len(one) <= 32 for one in found):
        raise InputError(BAD_QUERY, parameter="annotation")
    return found


def header_of(stream: BinaryIO) -> Dataset:
    """What a picture needs of the header.

    Raises
    ------
    InputError
        ``archive.no-picture``: it was received, for the index reads it, and is damaged where this reader stumbles.
    """
    from pydicom import dcmread  # noqa: PLC0415 - only where a picture is made

    stream.seek(0)
    try:
        return dcmread(stream, stop_before_pixels=True, force=True)
    except Exception as error:  # a damaged meta header can raise anything from the parser
        raise InputError(NO_PICTURE, why="damaged") from error


def representative(header: Dataset, frames: int) -> int:
    """The frame, from 0, that stands for all: the one that the object names, or the middle one."""
    named = header.get("RepresentativeFrameNumber")
    return named - 1 if isinstance(named, int) and 1 <= named <= frames else frames // 2


def picture(stream: BinaryIO, pixels: PixelMap, header: Dataset, frame: int, shown: Shown, kind: str) -> bytes:
    """A frame as a picture of media type `kind`.

    Raises
    ------
    InputError
        ``archive.no-picture``, ``archive.undecodable``.
    """
    if not (pixels.rows and pixels.columns):
        raise InputError(NO_PICTURE, why="no rows or columns")
    try:
        made = _scaled(_image(_shades(values(stream, pixels, frame), pixels, header, frame, shown)), shown)
        if shown.thumbnail and header.get("BurnedInAnnotation", "") == "YES":
            made = _coarse(made)
        if shown.words:
            made = annotated(made, header, frame, shown.words)
    except InputError:
        raise
    except Exception as error:
        # Of the attributes that say how values are shown, any may be malformed; the reader raises what it likes.
        raise InputError(NO_PICTURE, why="damaged") from error
    return _encoded(made, shown, kind)


def _encoded(made: Image, shown: Shown, kind: str) -> bytes:
    written = io.BytesIO()
    if kind == PNG:
        made.save(written, "PNG", compress_level=3)
    elif kind == GIF:
        made.save(written, "GIF")
    else:
        made.save(written, "JPEG", quality=shown.quality)
    return written.getvalue()


def _coarse(made: Image) -> Image:
    """A thumbnail shall not name the patient (10.4.1.1.4): of an image that does, one on which nothing can be read."""
    from PIL import Image as Pillow  # noqa: PLC0415 - only where a picture is made

    factor = UNREADABLE / max(made.size)
    if factor >= 1:
        return made
    small = max(1, round(made.width * factor)), max(1, round(made.height * factor))
    return made.resize(small, Pillow.Resampling.BOX).resize(made.size, Pillow.Resampling.NEAREST)


def _shades(stored: NDArray[Any], pixels: PixelMap, header: Dataset, frame: int, shown: Shown) -> NDArray[np.uint8]:
    if stored.ndim == 3:
        return np.asarray(stored, dtype=np.uint8)
    if pixels.photometric == "PALETTE COLOR":
        return coloured(stored, header)
    if pixels.bits_allocated == 1 and shown.window is None:
        return np.asarray(stored * 255, dtype=np.uint8)
    return grey_scale(header, frame, shown.window).picture(stored)


def _image(shades: NDArray[np.uint8]) -> Image:
    from PIL import Image as Pillow  # noqa: PLC0415 - only where a picture is made

    return Pillow.fromarray(np.ascontiguousarray(shades))


def _scaled(made: Image, shown: Shown) -> Image:
    from PIL import Image as Pillow  # noqa: PLC0415 - only where a picture is made

    if shown.region is not None:
        made = _cut(made, shown.region)
    if shown.size is None:
        return made
    # As large as it can be inside the viewport, its proportions kept (8.3.5.1.3).
    factor = min(shown.size[0] / made.width, shown.size[1] / made.height)
    size = max(1, round(made.width * factor)), max(1, round(made.height * factor))
    return made.resize(size, Pillow.Resampling.BILINEAR, reducing_gap=2.0)


def _cut(made: Image, region: Region) -> Image:
    from PIL import Image as Pillow  # noqa: PLC0415 - only where a picture is made

    width, height = abs(region.width) or made.width - region.x, abs(region.height) or made.height - region.y
    box = (round(region.x), round(region.y), round(region.x + width), round(region.y + height))
    if not (0 <= box[0] < box[2] <= made.width and 0 <= box[1] < box[3] <= made.height):
        raise InputError(BAD_QUERY, parameter="viewport")
    made = made.crop(box)
    if region.width < 0:
        made = made.transpose(Pillow.Transpose.FLIP_LEFT_RIGHT)
    return made.transpose(Pillow.Transpose.FLIP_TOP_BOTTOM) if region.height < 0 else made


def _viewport(written: str | None, *, parts: int) -> tuple[tuple[int, int] | None, Region | None]:
    if written is None:
        return None, None
    found = written.split(",")
    if len(found) not in (2, parts):
        raise InputError(BAD_QUERY, parameter="viewport")
    width, height = (_whole("viewport", one, 1, LARGEST_SIDE) for one in found[:2])
    if len(found) == 2:
        return (width, height), None
    x, y, w, h = (_decimal("viewport", one or "0") for one in found[2:])
    return (width, height), Region(x=x, y=y, width=w, height=h)


def _window(written: str | None) -> Window | None:
    if written is None:
        return None
    # All three must be there (8.3.5.1.4).
    center, width, shape = written.split(",") if written.count(",") == 2 else ("", "", "")
    found = Window(center=_decimal("window", center), width=_decimal("window", width), shape=_SHAPES.get(shape, ""))
    if not found.shape or found.width <= 0:
        raise InputError(BAD_QUERY, parameter="window")
    return found


def _decimal(name: str, written: str) -> float:
    try:
        found = float(written)
    except ValueError:
        raise InputError(BAD_QUERY, parameter=name) from None
    if not np.isfinite(found) or abs(found) > 1e9:
        raise InputError(BAD_QUERY, parameter=name)
    return found


def _whole(name: str, written: str, least: int, most: int) -> int:
    if not (written.isascii() and written.isdecimal() and len(written) < 6 and least <= int(written) <= most):
        raise InputError(BAD_QUERY, parameter=name)
    return int(written)
