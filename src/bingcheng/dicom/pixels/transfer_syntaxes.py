"""Compressed frames decoded: which library decodes which transfer syntax, and what the caller gets from all of them.

JPEG (baseline, extended, lossless) by GDCM, JPEG-LS by CharLS, JPEG 2000 and HTJ2K by OpenJPEG, RLE by
pydicom.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

import numpy as np
from numpy.typing import NDArray
from pydicom.encaps import generate_frames
from pydicom.pixels.decoders.base import get_decoder
from pydicom.uid import UID

from bingcheng.core.errors import InputError, Owner, Problem
from bingcheng.dicom.pixels import jpeg

UNKNOWN_SYNTAX = Problem(
    code="dicom.unknown-transfer-syntax",
    says="its pixels are compressed in a way that isn't decoded here ({syntax})",
    remedy="Ask the archive for the images uncompressed or as lossless JPEG.",
    owner=Owner.ARCHIVE,
)
CORRUPT_PIXELS = Problem(
    code="dicom.corrupt-pixels",
    says="the compressed pixels can't be decoded ({error})",
    remedy="Export it from the archive again; if it fails again, the stored copy is damaged.",
    owner=Owner.ARCHIVE,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class PixelFormat:
    """How stored values lie in the bytes of a frame (PS3.3 C.7.6.3)."""

    rows: int
    columns: int
    bits_allocated: int
    bits_stored: int
    signed: bool
    photometric: str
    frame_count: int

    @property
    def frame_bytes(self) -> int:
        """Length of one frame without compression."""
        return self.rows * self.columns * self.bits_allocated // 8


Decode = Callable[[str, bytes, PixelFormat], NDArray[Any]]


def _by_pydicom(plugin: str) -> Decode:
    def decode(syntax: str, frame: bytes, form: PixelFormat) -> NDArray[Any]:
        # A frame in the least encapsulation there is: an empty offset table and one fragment (PS3.5 A.4).
        padded = frame + b"\0" * (len(frame) % 2)
        wrapped = b"\xfe\xff\x00\xe0\0\0\0\0\xfe\xff\x00\xe0" + len(padded).to_bytes(4, "little") + padded
        options: Any = {
            "rows": form.rows,
            "columns": form.columns,
            "bits_allocated": form.bits_allocated,
            "bits_stored": form.bits_stored,
            "pixel_representation": int(form.signed),
            "samples_per_pixel": 1,
            "number_of_frames": 1,
            "photometric_interpretation": form.photometric,
            "pixel_keyword": "PixelData",
        }
        decoded, _ = get_decoder(UID(syntax)).as_array(wrapped, index=0, raw=True, decoding_plugin=plugin, **options)
        return decoded

    return decode


def _by_openjpeg(syntax: str, frame: bytes, form: PixelFormat) -> NDArray[Any]:
    del syntax, form
    from openjpeg.utils import decode  # noqa: PLC0415 - only loaded where such a file is met

    decoded: NDArray[Any] = decode(frame)
    return decoded


def _extended(syntax: str, frame: bytes, form: PixelFormat) -> NDArray[Any]:
    """JPEG extended, with eight or twelve bits, by GDCM.

    Told the precision of the stream itself, GDCM takes its decoder for twelve bits at once; told what is allocated
    (sixteen), as pydicom does, it tries another one first, which complains.
    """
    del syntax
    import gdcm  # noqa: PLC0415 - only loaded where such a file is met

    bits = jpeg.precision(frame)
    if bits not in (8, 12) or form.signed:  # ISO/IEC 10918-1 table B.2; PS3.5 table 8.2.1-1
        raise ValueError(bits)
    fragment = gdcm.Fragment()
    fragment.SetByteStringValue(jpeg.with_whole_band(frame))
    fragments = gdcm.SequenceOfFragments.New()
    fragments.AddFragment(fragment)
    element = gdcm.DataElement(gdcm.Tag(0x7FE0, 0x0010))
    element.SetValue(fragments.__ref__())
    image = gdcm.Image()
    image.SetNumberOfDimensions(2)
    image.SetDimensions((form.columns, form.rows, 1))
    image.SetDataElement(element)
    grey = gdcm.PhotometricInterpretation.GetPIType(form.photometric)
    image.SetPhotometricInterpretation(gdcm.PhotometricInterpretation(grey))
    image.SetTransferSyntax(gdcm.TransferSyntax(gdcm.TransferSyntax.JPEGExtendedProcess2_4))
    image.SetPixelFormat(gdcm.PixelFormat(1, bits, bits, bits - 1, 0))
    decoded = image.GetBuffer().encode("utf-8", "surrogateescape")  # GDCM hands bytes over as text
    return np.frombuffer(decoded, dtype=np.uint8 if bits == 8 else np.dtype("<u2")).reshape(form.rows, form.columns)


RLE = "1.2.840.10008.1.2.5"
JPEG_EXTENDED = "1.2.840.10008.1.2.4.51"
_gdcm, _charls, _rle = _by_pydicom("gdcm"), _by_pydicom("pyjpegls"), _by_pydicom("pydicom")

DECODERS: Mapping[str, Decode] = MappingProxyType(
    {
        "1.2.840.10008.1.2.4.50": _gdcm,
        JPEG_EXTENDED: _extended,
        "1.2.840.10008.1.2.4.57": _gdcm,
        "1.2.840.10008.1.2.4.70": _gdcm,
        "1.2.840.10008.1.2.4.80": _charls,
        "1.2.840.10008.1.2.4.81": _charls,
        "1.2.840.10008.1.2.4.90": _by_openjpeg,
        "1.2.840.10008.1.2.4.91": _by_openjpeg,
        "1.2.840.10008.1.2.4.201": _by_openjpeg,
        "1.2.840.10008.1.2.4.202": _by_openjpeg,
        "1.2.840.10008.1.2.4.203": _by_openjpeg,
        RLE: _rle,
    }
)


_FRAME_KINDS: Mapping[str, Collection[int]] = MappingProxyType(
    {
        "1.2.840.10008.1.2.4.50": (jpeg.BASELINE,),
        JPEG_EXTENDED: (jpeg.BASELINE, jpeg.EXTENDED),
        "1.2.840.10008.1.2.4.57": (jpeg.LOSSLESS,),
        "1.2.840.10008.1.2.4.70": (jpeg.LOSSLESS,),
        "1.2.840.10008.1.2.4.80": (jpeg.JPEG_LS,),
        "1.2.840.10008.1.2.4.81": (jpeg.JPEG_LS,),
    }
)


def decoded_frames(
    syntax: str, encapsulated: bytes, form: PixelFormat, wanted: Sequence[int]
) -> Iterator[tuple[int, NDArray[Any]]]:
    """The wanted frames (rows, columns) of an encapsulated pixel value, in ascending order, with their numbers.

    Raises
    ------
    InputError
        ``dicom.unknown-transfer-syntax``, ``dicom.corrupt-pixels``.
    """
    decode = DECODERS.get(syntax)
    if decode is None:
        raise InputError(UNKNOWN_SYNTAX, syntax=syntax)
    remaining = set(wanted)
    frames = enumerate(generate_frames(encapsulated, number_of_frames=form.frame_count))
    while remaining:
        number, pixels = _next(frames, remaining, decode, syntax, form)
        remaining.discard(number)
        if pixels.shape != (form.rows, form.columns):
            raise InputError(CORRUPT_PIXELS, error="another size than the header says")
        yield number, pixels


def _next(
    frames: Iterator[tuple[int, bytes]], wanted: Collection[int], decode: Decode, syntax: str, form: PixelFormat
) -> tuple[int, NDArray[Any]]:
    """The next wanted frame. Codecs raise whatever they like, and warn about what they mend."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            for number, frame in frames:
                if number in wanted:
                    if not _is_sound(syntax, frame, form):
                        break
                    return number, decode(syntax, frame, form)
        except Exception as error:
            raise InputError(CORRUPT_PIXELS, error=type(error).__name__) from error
    raise InputError(CORRUPT_PIXELS, error="it ends too early, or contradicts the header")


def _is_sound(syntax: str, frame: bytes, form: PixelFormat) -> bool:
    """Whether a code stream of the JPEG family begins soundly and has its end.

    Decoders fill what is missing in with grey and say nothing; on a damaged beginning some of them crash.

    All of them end with FFD9: EOI (ISO/IEC 10918-1 B.1.1.3, 14495-1 C.1) or EOC (15444-1 A.4.4). Damage in the middle
    of an entropy-coded segment can't be seen by anyone: these formats carry no checksum.
    """
    if syntax == RLE:
        return True
    kinds = _FRAME_KINDS.get(syntax)
    begins = kinds is None or jpeg.is_sound(
        frame, kinds=kinds, rows=form.rows, columns=form.columns, bits=form.bits_allocated
    )
    return begins and b"\xff\xd9" in frame[-64:]


def stored_values(pixels: NDArray[Any], form: PixelFormat) -> NDArray[Any]:
    """Stored values from decoded or native integers: bits above BitsStored dropped, the sign extended.

    Old files keep overlays in the high bits; decoders differ in whether they extend the sign.
    """
    if pixels.dtype.kind not in "iu":
        return pixels
    width = pixels.dtype.itemsize * 8
    spare = width - form.bits_stored
    if spare <= 0:
        return pixels.view(f"{pixels.dtype.byteorder}{'i' if form.signed else 'u'}{pixels.dtype.itemsize}")
    low = np.int64(-(1 << (form.bits_stored - 1)) if form.signed else 0)
    high = np.int64(low + (1 << form.bits_stored) - 1)
    least, most = pixels.min(), pixels.max()
    if pixels.dtype.kind == ("i" if form.signed else "u") and least >= low and most <= high:
        return pixels
    native = pixels.astype(f"u{pixels.dtype.itemsize}", copy=False).astype(f"=u{pixels.dtype.itemsize}")
    native <<= spare
    if form.signed:
        signed = native.view(f"i{pixels.dtype.itemsize}")
        signed >>= spare
        return signed
    native >>= spare
    return native
