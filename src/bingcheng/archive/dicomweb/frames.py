"""Frames as they are stored, and decoded to what explicit VR little endian would hold (PS3.18 8.7.3.3)."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from types import MappingProxyType
from typing import Any, BinaryIO

import numpy as np
from numpy.typing import NDArray

from bingcheng.archive.dicomweb.media_types import OCTETS, Offer
from bingcheng.archive.dicomweb.pixel_map import EXPLICIT_LITTLE, PixelMap, inflated
from bingcheng.archive.dicomweb.problems import BAD_FRAMES, NO_PICTURE, UNDECODABLE
from bingcheng.archive.objects.problems import NO_SUCH_FRAME
from bingcheng.archive.objects.storage import pieces_between
from bingcheng.core.errors import InputError
from bingcheng.dicom.index.elements import DEFLATED

MOST_AT_ONCE = 10_000
"""Frames in one request."""

LARGEST_FRAME = 1 << 26
"""Pixels of a compressed frame that is decoded; a few bytes may claim to be any number."""

STORED_AS: Mapping[str, str] = MappingProxyType(
    {
        # PS3.18 table 8.7.3-5 and 8.7.3-6: media types of compressed frames by transfer syntax.
        "1.2.840.10008.1.2.4.50": "image/jpeg",
        "1.2.840.10008.1.2.4.51": "image/jpeg",
        "1.2.840.10008.1.2.4.57": "image/jpeg",
        "1.2.840.10008.1.2.4.70": "image/jpeg",
        "1.2.840.10008.1.2.4.80": "image/jls",
        "1.2.840.10008.1.2.4.81": "image/jls",
        "1.2.840.10008.1.2.4.90": "image/jp2",
        "1.2.840.10008.1.2.4.91": "image/jp2",
        "1.2.840.10008.1.2.4.92": "image/jpx",
        "1.2.840.10008.1.2.4.93": "image/jpx",
        "1.2.840.10008.1.2.4.110": "image/jxl",
        "1.2.840.10008.1.2.4.111": "image/jxl",
        "1.2.840.10008.1.2.4.112": "image/jxl",
        "1.2.840.10008.1.2.4.201": "image/jphc",
        "1.2.840.10008.1.2.4.202": "image/jphc",
        "1.2.840.10008.1.2.4.203": "image/jphc",
        "1.2.840.10008.1.2.5": "image/dicom-rle",
        "1.2.840.10008.1.2.4.100": "video/mpeg2",
        "1.2.840.10008.1.2.4.101": "video/mpeg2",
        "1.2.840.10008.1.2.4.102": "video/mp4",
        "1.2.840.10008.1.2.4.103": "video/mp4",
        "1.2.840.10008.1.2.4.104": "video/mp4",
        "1.2.840.10008.1.2.4.105": "video/mp4",
        "1.2.840.10008.1.2.4.106": "video/mp4",
        "1.2.840.10008.1.2.4.107": "video/H265",
        "1.2.840.10008.1.2.4.108": "video/H265",
    }
)
_OLD_NAMES: Mapping[str, str] = MappingProxyType({"image/jls": "image/x-jls", "image/dicom-rle": "image/x-dicom-rle"})
_PILLOW = frozenset(("1.2.840.10008.1.2.4.50", "1.2.840.10008.1.2.4.90", "1.2.840.10008.1.2.4.91"))
_RLE, _JPEG_LS = "1.2.840.10008.1.2.5", ("1.2.840.10008.1.2.4.80", "1.2.840.10008.1.2.4.81")
_LIST = re.compile(r"[0-9]{1,9}(?:,[0-9]{1,9})*")


def frame_numbers(written: str, count: int) -> tuple[int, ...]:
    """The frames, from 0, that a list of numbers from 1 names (PS3.18 10.4.1.1.2).

    Parameters
    ----------
    count : frames that there are.

    Raises
    ------
    InputError
        ``archive.bad-frames``, ``archive.no-such-frame``.
    """
    if not _LIST.fullmatch(written):
        raise InputError(BAD_FRAMES)
    numbers = [int(one) for one in written.split(",")]
    if 0 in numbers or len(numbers) > MOST_AT_ONCE:
        raise InputError(BAD_FRAMES)
    if max(numbers) > count:
        raise InputError(NO_SUCH_FRAME, number=max(numbers), count=count)
    return tuple(number - 1 for number in numbers)


def offers(pixels: PixelMap, *, single: bool) -> list[Offer]:
    """How frames can be given, as they are stored first.

    Parameters
    ----------
    single : whether it is one frame, which can also come without a multipart message.
    """
    made: list[Offer] = []
    for multipart in (True, False) if single else (True,):
        if not pixels.encapsulated:
            made.append(Offer(kind=OCTETS, multipart=multipart, syntax=EXPLICIT_LITTLE))
            continue
        kind = STORED_AS.get(pixels.syntax, OCTETS)
        made.append(Offer(kind=kind, multipart=multipart, syntax=pixels.syntax))
        if kind in _OLD_NAMES:
            made.append(Offer(kind=_OLD_NAMES[kind], multipart=multipart, syntax=pixels.syntax))
        # Viewers ask for octets in any transfer syntax and look at what the part says of itself.
        made.append(Offer(kind=OCTETS, multipart=multipart, syntax=pixels.syntax, implied=False, says=kind))
        if decodable(pixels):
            made.append(Offer(kind=OCTETS, multipart=multipart, syntax=EXPLICIT_LITTLE))
    return made


def decodable(pixels: PixelMap) -> bool:
    """Whether `values` can be had of a frame, as far as the header tells."""
    if not pixels.encapsulated:
        return True
    if pixels.rows * pixels.columns > LARGEST_FRAME:
        return False
    from bingcheng.dicom.pixels.transfer_syntaxes import DECODERS  # noqa: PLC0415 - brings the codecs

    if pixels.samples == 1:
        return pixels.syntax in DECODERS
    return pixels.syntax in _PILLOW or pixels.syntax == _RLE or pixels.syntax in _JPEG_LS


def stored_frame(stream: BinaryIO, pixels: PixelMap, number: int) -> bytes:
    """One frame as it is stored: a compressed stream, or values in little endian order.

    Raises
    ------
    InputError
        ``archive.no-picture``: the file ends too early.
    """
    if pixels.encapsulated:
        return b"".join(_read(stream, at, length) for at, length in pixels.pieces[number])
    first, bits = number * pixels.frame_bits, pixels.frame_bits
    if first + bits > 8 * (pixels.length or 0):
        raise InputError(NO_PICTURE, why="cut off")
    at, spare = divmod(first, 8)
    raw = _native(stream, pixels, at, (spare + bits + 7) // 8)
    if bits % 8:
        # Frames of single bits follow each other without a gap (PS3.5 8.1.1); alone, a frame begins with a byte.
        flat = np.unpackbits(np.frombuffer(raw, np.uint8), bitorder="little")[spare : spare + bits]
        return np.packbits(flat, bitorder="little").tobytes()
    if not pixels.little and pixels.bits_allocated > 8:
        return np.frombuffer(raw, f">u{pixels.bits_allocated // 8}").astype(f"<u{pixels.bits_allocated // 8}").tobytes()
    return raw


def lies_as_told(pixels: PixelMap) -> bool:
    """Whether the value of the pixel element stands in the file byte for byte as it is told: in little endian order."""
    return not pixels.encapsulated and not pixels.floating and pixels.little and pixels.syntax != DEFLATED


def native_pieces(stream: BinaryIO, pixels: PixelMap, start: int, stop: int) -> Iterator[bytes]:
    """A range of the value of a pixel element that `lies_as_told`, a piece at a time: it may have gigabytes."""
    return pieces_between(stream, pixels.at + start, pixels.at + stop)


def uncompressed_frame(stream: BinaryIO, pixels: PixelMap, number: int) -> bytes:
    """One frame as explicit VR little endian would hold it; colours as RGB by pixel where they were compressed.

    Raises
    ------
    InputError
        ``archive.no-picture``, ``archive.undecodable``.
    """
    if not pixels.encapsulated:
        return stored_frame(stream, pixels, number)
    decoded = decoded_frame(stored_frame(stream, pixels, number), pixels)
    size = 1 if pixels.bits_allocated <= 8 else pixels.bits_allocated // 8
    return decoded.astype(f"<{'i' if pixels.signed else 'u'}{size}", copy=False).tobytes()


def values(stream: BinaryIO, pixels: PixelMap, number: int) -> NDArray[Any]:
    """The stored values of one frame, (rows, columns) or (rows, columns, samples); colours decoded as RGB.

    Raises
    ------
    InputError
        ``archive.no-picture``, ``archive.undecodable``.
    """
    stored = stored_frame(stream, pixels, number)
    if pixels.encapsulated:
        return decoded_frame(stored, pixels)
    shape = (pixels.rows, pixels.columns)
    if pixels.bits_allocated == 1:
        count = pixels.rows * pixels.columns
        return np.unpackbits(np.frombuffer(stored, np.uint8), bitorder="little")[:count].reshape(shape)
    if pixels.floating:
        return _real(stored, pixels)
    if pixels.bits_allocated not in (8, 16, 32):
        raise InputError(NO_PICTURE, why=f"{pixels.bits_allocated} bits")
    flat = np.frombuffer(stored, f"<{'i' if pixels.signed else 'u'}{pixels.bits_allocated // 8}")
    if pixels.samples == 1:
        return _within_bits(flat.reshape(shape), pixels)
    return _colours(flat, pixels)


def _real(stored: bytes, pixels: PixelMap) -> NDArray[Any]:
    """Floating point values; a parametric map's."""
    if pixels.bits_allocated not in (32, 64) or pixels.samples != 1:
        raise InputError(NO_PICTURE, why=f"{pixels.samples} samples of {pixels.bits_allocated} bits")
    return np.frombuffer(stored, f"<f{pixels.bits_allocated // 8}").reshape(pixels.rows, pixels.columns)


def decoded_frame(stream: bytes, pixels: PixelMap) -> NDArray[Any]:
    """The values of a compressed frame, (rows, columns) or, as RGB, (rows, columns, 3).

    Raises
    ------
    InputError
        ``archive.undecodable``.
    """
    if not decodable(pixels):
        raise InputError(UNDECODABLE, syntax=pixels.syntax)
    if pixels.samples == 1:
        return _grey(stream, pixels)
    try:
        shown = _by_pillow(stream) if pixels.syntax in _PILLOW else _by_pydicom(stream, pixels)
    except Exception as error:
        # Codecs raise whatever they like.
        raise InputError(UNDECODABLE, syntax=pixels.syntax) from error
    if shown.shape != (pixels.rows, pixels.columns, 3):
        raise InputError(UNDECODABLE, syntax=pixels.syntax)
    return shown


def _grey(stream: bytes, pixels: PixelMap) -> NDArray[Any]:
    from bingcheng.dicom.pixels import transfer_syntaxes as codecs  # noqa: PLC0415 - brings the codecs

    form = codecs.PixelFormat(
        rows=pixels.rows,
        columns=pixels.columns,
        bits_allocated=pixels.bits_allocated,
        bits_stored=pixels.bits_stored,
        signed=pixels.signed,
        photometric="MONOCHROME2",
        frame_count=1,
    )
    padded = stream + b"\0" * (len(stream) % 2)
    # The least encapsulation there is: an empty offset table and one fragment (PS3.5 A.4).
    wrapped = b"\xfe\xff\x00\xe0\0\0\0\0\xfe\xff\x00\xe0" + len(padded).to_bytes(4, "little") + padded
    try:
        ((_, decoded),) = codecs.decoded_frames(pixels.syntax, wrapped, form, [0])
    except InputError as error:
        raise InputError(UNDECODABLE, syntax=pixels.syntax) from error
    return codecs.stored_values(decoded, form)


def _by_pillow(stream: bytes) -> NDArray[Any]:
    import io  # noqa: PLC0415 - with its only user
    import warnings  # noqa: PLC0415 - with its only user

    from PIL import Image  # noqa: PLC0415 - only where such a file is met

    with warnings.catch_warnings(), Image.open(io.BytesIO(stream), formats=("JPEG", "JPEG2000")) as image:
        warnings.simplefilter("ignore")
        return np.asarray(image.convert("RGB"))


def _by_pydicom(stream: bytes, pixels: PixelMap) -> NDArray[Any]:
    from pydicom.pixels.decoders.base import get_decoder  # noqa: PLC0415 - brings the codecs
    from pydicom.uid import UID  # noqa: PLC0415 - brings the codecs

    padded = stream + b"\0" * (len(stream) % 2)
    wrapped = b"\xfe\xff\x00\xe0\0\0\0\0\xfe\xff\x00\xe0" + len(padded).to_bytes(4, "little") + padded
    options: Any = {
        "rows": pixels.rows,
        "columns": pixels.columns,
        "bits_allocated": pixels.bits_allocated,
        "bits_stored": pixels.bits_stored,
        "pixel_representation": int(pixels.signed),
        "samples_per_pixel": pixels.samples,
        "planar_configuration": int(pixels.planar),
        "number_of_frames": 1,
        "photometric_interpretation": pixels.photometric,
        "pixel_keyword": "PixelData",
    }
    plugin = "pydicom" if pixels.syntax == _RLE else "pyjpegls"
    decoded, about = get_decoder(UID(pixels.syntax)).as_array(
        wrapped, index=0, raw=True, decoding_plugin=plugin, **options
    )
    colours = np.asarray(decoded)
    return _rgb(colours) if str(about["photometric_interpretation"]).startswith("YBR") else colours


def _colours(flat: NDArray[Any], pixels: PixelMap) -> NDArray[Any]:
    """Native colours as RGB by pixel, of eight bits each."""
    rows, columns = pixels.rows, pixels.columns
    if pixels.bits_allocated not in (8, 16) or pixels.samples != 3 or pixels.signed:
        raise InputError(NO_PICTURE, why=f"{pixels.samples} samples of {pixels.bits_allocated} bits")
    if pixels.bits_allocated == 16:
        flat = np.minimum(flat >> max(0, pixels.bits_stored - 8), 255).astype(np.uint8)
    if pixels.photometric == "YBR_FULL_422":
        if columns % 2:
            raise InputError(NO_PICTURE, why="damaged")  # two pixels share their colour, so there are no odd columns
        # Y1 Y2 Cb Cr for each two pixels (PS3.3 C.7.6.3.1.2).
        four = flat.reshape(rows, columns // 2, 4)
        whole = np.empty((rows, columns, 3), dtype=np.uint8)
        whole[:, 0::2, 0], whole[:, 1::2, 0] = four[:, :, 0], four[:, :, 1]
        whole[..., 1], whole[..., 2] = np.repeat(four[:, :, 2], 2, axis=1), np.repeat(four[:, :, 3], 2, axis=1)
        return _rgb(whole)
    colours = flat.reshape(3, rows, columns).transpose(1, 2, 0) if pixels.planar else flat.reshape(rows, columns, 3)
    return _rgb(colours) if pixels.photometric.startswith("YBR") else colours


def _rgb(ybr: NDArray[Any]) -> NDArray[Any]:
    """RGB of full-range YBR (PS3.3 C.7.6.3.1.2: the inverse of its matrix, which is ITU-T T.871's)."""
    y, cb, cr = (ybr[..., n].astype(np.float32) for n in range(3))
    cb -= 128
    cr -= 128
    made = np.stack((y + 1.402 * cr, y - 0.344136 * cb - 0.714136 * cr, y + 1.772 * cb), axis=-1)
    return np.clip(np.rint(made), 0, 255).astype(np.uint8)


def _within_bits(found: NDArray[Any], pixels: PixelMap) -> NDArray[Any]:
    """Values without what stands above and below the bits stored, where old files keep overlays (PS3.5 8.1.1)."""
    highest = pixels.bits_stored - 1 if pixels.high_bit is None else pixels.high_bit
    if not pixels.bits_stored - 1 <= highest < pixels.bits_allocated:
        highest = pixels.bits_stored - 1  # a high bit that can't be is none
    above, below = pixels.bits_allocated - 1 - highest, highest + 1 - pixels.bits_stored
    return found if above <= 0 >= below else (found << above) >> (above + below)


def _native(stream: BinaryIO, pixels: PixelMap, at: int, length: int) -> bytes:
    if pixels.syntax != DEFLATED:
        return _read(stream, pixels.at + at, length)
    found = inflated(stream)[pixels.at + at : pixels.at + at + length]
    if len(found) < length:
        raise InputError(NO_PICTURE, why="cut off")
    return found


def _read(stream: BinaryIO, at: int, length: int) -> bytes:
    stream.seek(at)
    found = stream.read(length)
    if len(found) < length:
        raise InputError(NO_PICTURE, why="cut off")
    return found
