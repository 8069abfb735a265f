"""The bits above those stored, in which old files keep overlays (PS3.5 8.1.2) and anybody may hide a picture."""

from __future__ import annotations

import struct
from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bingcheng.archive.deidentify.blank import written_anew
from bingcheng.archive.deidentify.elements import Object
from bingcheng.archive.deidentify.native import (
    JPEG_2000,
    PIXEL_TAGS,
    Layout,
    compressed_samples,
    in_byte_order,
    layout,
    native,
    pixel_element,
)
from bingcheng.archive.deidentify.problems import PIXELS_NOT_READ
from bingcheng.archive.deidentify.streams import streams
from bingcheng.core.errors import InputError
from bingcheng.dicom.pixels.transfer_syntaxes import RLE, stored_values

_BITS_ALLOCATED = 0x00280100
_BITS_OF_FIRST_COMPONENT = 42
"""Where a codestream of JPEG 2000 says how many bits its first component has: SOC, then SIZ (T.800 A.5.1)."""
_FRAMES = frozenset((0xC0, 0xC1, 0xC2, 0xC3, 0xC9, 0xCA, 0xCB, 0xF7))


def without_high_bits(found: Object) -> None:
    """Clear the bits above those stored, whatever the header tells of overlays, in place.

    One value alone beyond the stored bits is the padding of a scanner and stays.

    Raises
    ------
    InputError
        ``archive.pixels-not-blanked``, ``archive.pixels-not-read``.
    """
    if not any(one.tag in PIXEL_TAGS for one in found.elements) or found.number(_BITS_ALLOCATED, 0) == 1:
        return  # of a segmentation every bit is a pixel
    form = layout(found)
    if form.bits_stored >= form.bits_allocated or form.dtype.kind == "f":
        return
    if form.encapsulated:
        _compressed(found, form)
    else:
        _native(found, form)


def _native(found: Object, form: Layout) -> None:
    stored = native(found, form)
    values = _stored_part(stored, form)
    if _is_hidden(found, stored, values):
        pixel_element(found).value = in_byte_order(found, form, values.tobytes())


def _stored_part(stored: NDArray[Any], form: Layout) -> NDArray[Any]:
    """The values that the stored bits mean, the sign extended."""
    values = stored.copy().view(np.dtype(f"{form.dtype.byteorder}u{form.dtype.itemsize}"))
    spare = form.bits_allocated - form.bits_stored
    values <<= spare
    if form.signed:
        signed = values.view(form.dtype)
        signed >>= spare
    else:
        values >>= spare
    return values.view(form.dtype)


def _is_hidden(found: Object, stored: NDArray[Any], values: NDArray[Any]) -> bool:
    """Whether there is more above the stored bits than one value that pads."""
    beyond = stored[values != stored]
    return bool(beyond.size and (_has_embedded_overlay(found) or (beyond != beyond[0]).any()))


def _has_embedded_overlay(found: Object) -> bool:
    groups = {one.tag >> 16 for one in found.elements if 0x6000 <= one.tag >> 16 <= 0x60FF}
    return any(found.first(group << 16 | 0x3000) is None for group in groups)


def _compressed(found: Object, form: Layout) -> None:
    """Write the pixels anew if their streams hold more bits than the header tells, and these say something."""
    if found.syntax != RLE and all(_precision(found.syntax, one) <= form.bits_stored for one in streams(found)):
        return
    if form.samples > 1:
        raise InputError(PIXELS_NOT_READ)
    for pixels in compressed_samples(found, form):
        if pixels.dtype.kind not in "iu":
            continue
        values = stored_values(pixels, form.as_pixel_format())
        raw = pixels.astype(pixels.dtype.newbyteorder("="), copy=False).view(f"u{pixels.dtype.itemsize}")
        kept = values.view(f"u{values.dtype.itemsize}")
        # Decoders differ in whether they extend the sign: neither hides anything.
        bare = kept & kept.dtype.type((1 << form.bits_stored) - 1)
        if _is_hidden(found, raw, np.where(raw == bare, raw, kept)):
            written_anew(found)
            return


def _precision(syntax: str, stream: bytes) -> int:
    """Bits of a sample as a stream tells them itself.

    Raises
    ------
    InputError
        ``archive.pixels-not-read``.
    """
    try:
        if syntax in JPEG_2000:
            return (stream[_BITS_OF_FIRST_COMPONENT] & 0x7F) + 1
        return next(_precisions(stream))
    except (IndexError, struct.error, StopIteration) as error:
        raise InputError(PIXELS_NOT_READ) from error


def _precisions(stream: bytes) -> Iterator[int]:
    at = 2
    while at < len(stream):
        marker = stream[at + 1]
        if marker == 0xFF:  # a fill byte
            at += 1
            continue
        if marker in _FRAMES:
            yield stream[at + 4]
        at += 2 + struct.unpack_from(">H", stream, at + 2)[0]
