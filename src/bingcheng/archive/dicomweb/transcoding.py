"""Whole objects in explicit VR little endian (PS3.18 8.7.3.5.2), whatever they are stored in."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING, Any, BinaryIO

import numpy as np

from bingcheng.archive.dicomweb.frames import decodable, uncompressed_frame
from bingcheng.archive.dicomweb.pixel_map import EXPLICIT_LITTLE, PixelMap, pixel_map
from bingcheng.archive.dicomweb.problems import UNDECODABLE
from bingcheng.core.errors import InputError

if TYPE_CHECKING:
    from pydicom import Dataset

BIG_ENDIAN = "1.2.840.10008.1.2.2"
_WORDS = {"OW": "u2", "OL": "u4", "OF": "u4", "OD": "u8", "OV": "u8"}
LARGEST_VALUE = 0xFFFFFFFE
"""Bytes of a native pixel value: its length has 32 bits."""


def can_transcode(stream: BinaryIO) -> bool:
    """Whether the object can be given in explicit VR little endian, as far as its header tells."""
    try:
        pixels = pixel_map(stream)
    except InputError:
        return True  # without pixels there is nothing to decode
    return not pixels.encapsulated or (decodable(pixels) and _native_bytes(pixels) <= LARGEST_VALUE)


def transcoded(stream: BinaryIO) -> bytes:
    """The object as a file in explicit VR little endian; compressed colours become RGB.

    Raises
    ------
    InputError
        ``archive.undecodable``, ``archive.no-picture``.
    """
    from pydicom import dcmread, dcmwrite  # noqa: PLC0415 - only where an object is transcoded
    from pydicom.uid import ExplicitVRLittleEndian  # noqa: PLC0415 - only where an object is transcoded

    try:
        pixels: PixelMap | None = pixel_map(stream)
    except InputError:
        pixels = None
    stream.seek(0)
    try:
        found = dcmread(stream, force=True, stop_before_pixels=pixels is not None and pixels.encapsulated)
        if pixels is not None and pixels.encapsulated:
            _decode(found, stream, pixels)
        elif str(found.file_meta.get("TransferSyntaxUID", "")) == BIG_ENDIAN:
            _turn(found)
        found.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
        written = io.BytesIO()
        dcmwrite(written, found, implicit_vr=False, little_endian=True, enforce_file_format=True)
    except InputError:
        raise
    except Exception as error:
        # What stands in a header can make the writer raise anything.
        raise InputError(UNDECODABLE, syntax=EXPLICIT_LITTLE) from error
    return written.getvalue()


def _decode(found: Dataset, stream: BinaryIO, pixels: PixelMap) -> None:
    frames = [uncompressed_frame(stream, pixels, number) for number in range(pixels.frame_count)]
    value = b"".join(frames)
    found.PixelData = value + b"\0" * (len(value) % 2)
    found["PixelData"].VR = "OW" if pixels.bits_allocated > 8 else "OB"
    for keyword in ("ExtendedOffsetTable", "ExtendedOffsetTableLengths"):
        if keyword in found:
            del found[keyword]
    if pixels.samples > 1:
        found.PhotometricInterpretation = "RGB"
        found.PlanarConfiguration = 0


def _native_bytes(pixels: PixelMap) -> int:
    return pixels.frame_count * pixels.rows * pixels.columns * pixels.samples * max(8, pixels.bits_allocated) // 8


def _turn(found: Dataset) -> None:
    """The words of binary values in the other order; pydicom turns only numbers."""

    def turn(_dataset: Dataset, element: Any) -> None:
        kind = _WORDS.get(element.VR)
        if kind is not None and isinstance(element.value, bytes):
            words = np.frombuffer(element.value, f">{kind}")
            element.value = words.astype(f"<{kind}").tobytes()

    found.walk(turn)
