"""The stored values of the frames of one file, read one at a time."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from typing import Any, BinaryIO

import numpy as np
from numpy.typing import NDArray

from bingcheng.core.errors import InputError, Owner, Problem
from bingcheng.dicom.grouping.defects import NO_PIXELS, TRUNCATED, WRONG_LENGTH
from bingcheng.dicom.grouping.volumes import COLOUR
from bingcheng.dicom.index.elements import DEFLATED, Elements, NotDicom, dataset_start, read_elements
from bingcheng.dicom.index.inflated import LARGEST_MIB, TOO_LARGE, Broken, Inflated, TooLarge
from bingcheng.dicom.index.values import count_of, integer, plain
from bingcheng.dicom.pixels.real_values import VALUE_TAGS
from bingcheng.dicom.pixels.transfer_syntaxes import PixelFormat, decoded_frames, stored_values
from bingcheng.dicom.sources import UNREADABLE

BAD_FORMAT = Problem(
    code="dicom.bad-pixel-format",
    says="the header describes pixels that can't be ({what})",
    remedy="Export it from the archive again; if it fails again, ask who wrote the files.",
    owner=Owner.VENDOR,
)

LARGEST_FRAME = 1 << 26
"""Pixels of a compressed frame that is decoded, 8192 x 8192; a few bytes may claim to be any number."""
_FLOAT, _DOUBLE = 0x7FE00008, 0x7FE00009
_FORMAT_TAGS = (
    *(0x00280002, 0x00280004, 0x00280008, 0x00280010, 0x00280011, 0x00280100, 0x00280101, 0x00280102, 0x00280103),
)
WANTED = frozenset((*_FORMAT_TAGS, *VALUE_TAGS))


class PixelFile:
    """A file open for reading pixels: its elements, its pixel format, its frames."""

    def __init__(self, stream: BinaryIO) -> None:
        """Read the header.

        Raises
        ------
        InputError
            ``dicom.unreadable``, ``dicom.too-large``, ``dicom.missing-pixels``, ``dicom.colour``,
            ``dicom.bad-pixel-format``.
        """
        self._stream = stream
        try:
            size = stream.seek(0, os.SEEK_END)
            stream.seek(0)
            self.elements = read_elements(stream, size, WANTED)
        except TooLarge as error:
            raise InputError(TOO_LARGE, limit_mib=LARGEST_MIB) from error
        except (Broken, NotDicom, OSError) as error:
            raise InputError(UNREADABLE, error=type(error).__name__) from error
        if self.elements.pixels_at is None or self.elements.pixels_length == 0:
            raise InputError(NO_PIXELS)
        self.format = _format(self.elements)

    def frames(self, wanted: Sequence[int]) -> Iterator[tuple[int, NDArray[Any]]]:
        """The stored values (rows, columns) of the wanted frames, ascending, each with its number.

        Raises
        ------
        InputError
            ``dicom.truncated``, ``dicom.wrong-pixel-length``, ``dicom.corrupt-pixels``,
            ``dicom.unknown-transfer-syntax``.
        """
        found, form = self.elements, self.format
        source = _Bytes(self._stream, found)
        if found.pixels_length is None:
            syntax = found.transfer_syntax or ""
            for number, pixels in decoded_frames(syntax, source.rest(), form, wanted):
                yield number, stored_values(pixels, form)
            return
        if max(wanted, default=0) >= form.frame_count or found.pixels_length < form.frame_bytes * form.frame_count:
            expected = form.frame_bytes * form.frame_count
            raise InputError(WRONG_LENGTH, expected=expected, found=found.pixels_length)
        dtype = _dtype(found, form)
        for number in sorted(set(wanted)):
            raw = source.at(number * form.frame_bytes, form.frame_bytes)
            if len(raw) < form.frame_bytes:
                raise InputError(TRUNCATED, found=len(raw), claimed=form.frame_bytes)
            pixels = np.frombuffer(raw, dtype=dtype).reshape(form.rows, form.columns)
            yield number, stored_values(pixels, form)


class _Bytes:
    """The pixel bytes of a file, whether it is deflated or not."""

    def __init__(self, stream: BinaryIO, found: Elements) -> None:
        self._stream = stream
        self._start = found.pixels_at or 0
        self._inflated: Inflated | None = None
        if found.transfer_syntax == DEFLATED:
            stream.seek(0)
            data = stream.read()
            self._inflated = Inflated(data[dataset_start(data, len(data)) :])

    def at(self, offset: int, length: int) -> bytes:
        start = self._start + offset
        if self._inflated is not None:
            return self._inflated.at(start, length)
        self._stream.seek(start)
        return self._stream.read(length)

    def rest(self) -> bytes:
        self._stream.seek(self._start)
        return self._stream.read()


def _format(found: Elements) -> PixelFormat:
    get, coding = found.values.get, found.coding
    photometric = plain(get(0x00280004)) or "MONOCHROME2"
    if (count_of(get(0x00280002), coding) or 1) != 1 or not photometric.startswith("MONOCHROME"):
        raise InputError(COLOUR)
    allocated = count_of(get(0x00280100), coding) or 0
    floating = found.pixels_tag in (_FLOAT, _DOUBLE)
    form = PixelFormat(
        rows=count_of(get(0x00280010), coding) or 0,
        columns=count_of(get(0x00280011), coding) or 0,
        bits_allocated=allocated,
        bits_stored=allocated if floating else count_of(get(0x00280101), coding) or allocated,
        signed=count_of(get(0x00280103), coding) == 1,
        photometric=photometric,
        frame_count=max(1, integer(get(0x00280008)) or 1),
    )
    if min(form.rows, form.columns) <= 0:
        raise InputError(BAD_FORMAT, what="no rows or columns")
    if found.pixels_length is None and form.rows * form.columns > LARGEST_FRAME:
        raise InputError(BAD_FORMAT, what=f"{form.rows} x {form.columns} pixels in a frame")
    if allocated not in (8, 16, 32, 64) or not 0 < form.bits_stored <= allocated:
        raise InputError(BAD_FORMAT, what=f"{form.bits_stored} of {allocated} bits")
    high = count_of(get(0x00280102), coding)
    if high is not None and high != form.bits_stored - 1 and not floating:
        # Retired: values that don't begin at the lowest bit (PS3.5 8.1.1).
        raise InputError(BAD_FORMAT, what=f"high bit {high}")
    return form


def _dtype(found: Elements, form: PixelFormat) -> np.dtype[Any]:
    order = found.coding.order
    if found.pixels_tag in (_FLOAT, _DOUBLE):
        return np.dtype(f"{order}f{4 if found.pixels_tag == _FLOAT else 8}")
    return np.dtype(f"{order}{'i' if form.signed else 'u'}{form.bits_allocated // 8}")
