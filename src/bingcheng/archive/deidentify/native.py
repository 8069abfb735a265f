"""The pixels of an object as arrays: native ones in place, compressed ones decoded."""

from __future__ import annotations

import struct
import warnings
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from itertools import islice
from types import MappingProxyType
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bingcheng.archive.deidentify.elements import Element, Object, plain
from bingcheng.archive.deidentify.problems import PIXELS_NOT_BLANKED
from bingcheng.archive.deidentify.single_bits import are_single, unpacked
from bingcheng.core.errors import InputError
from bingcheng.dicom.pixels.transfer_syntaxes import PixelFormat, decoded_frames, stored_values

FLOAT, DOUBLE, PIXELS = 0x7FE00008, 0x7FE00009, 0x7FE00010
PIXEL_TAGS = frozenset((FLOAT, DOUBLE, PIXELS))
OFFSETS = frozenset((0x7FE00001, 0x7FE00002, 0x7FE00003))
"""Where the frames of compressed pixels begin, how long they are, and all of them together."""
TOP_PIXELS = PIXEL_TAGS | OFFSETS
MOST_FRAMES, MOST_DIGITS = 100_000, 12
_BASELINE = "1.2.840.10008.1.2.4.50"
PROGRESSIVE = frozenset(("1.2.840.10008.1.2.4.53", "1.2.840.10008.1.2.4.55"))
"""Retired: JPEG whose picture comes in several scans, each adding to it; Pillow reads it as it reads the baseline."""
LOSSLESS_JPEG = frozenset(("1.2.840.10008.1.2.4.57", "1.2.840.10008.1.2.4.70"))
COLOURS_AS_CODED = LOSSLESS_JPEG | {"1.2.840.10008.1.2.4.80", "1.2.840.10008.1.2.4.81", "1.2.840.10008.1.2.5"}
"""Decoded colours stay in the form in which they were coded: in another one they would lose something."""
COLOUR_DECODERS: Mapping[str, str] = MappingProxyType(
    {
        _BASELINE: "pillow",
        **dict.fromkeys(PROGRESSIVE, "pillow"),
        "1.2.840.10008.1.2.4.80": "pyjpegls",
        "1.2.840.10008.1.2.4.81": "pyjpegls",
        "1.2.840.10008.1.2.5": "pydicom",
    }
)
"""Which of pydicom's plug-ins decodes colours: those that raise on damage; GDCM may end the process."""
JPEG_2000 = frozenset(f"1.2.840.10008.1.2.4.{end}" for end in ("90", "91", "201", "202", "203"))


@dataclass(frozen=True, slots=True, kw_only=True)
class Layout:
    """How samples lie in the pixel value (PS3.3 C.7.6.3)."""

    rows: int
    columns: int
    samples: int
    planar: bool
    frame_count: int
    bits_allocated: int
    bits_stored: int
    signed: bool
    photometric: str
    dtype: np.dtype[Any]
    encapsulated: bool = False

    @property
    def is_paired(self) -> bool:
        """Whether two pixels share their colour: brightness twice, then blue and red (PS3.3 C.7.6.3.1.2)."""
        return self.photometric == "YBR_FULL_422" and not self.encapsulated

    @property
    def shape(self) -> tuple[int, ...]:
        """(frames, rows, columns), with samples last, or behind frames where they lie in planes.

        Where two pixels share their colour, (frames, rows, pairs, 4).
        """
        if self.is_paired:
            return self.frame_count, self.rows, self.columns // 2, 4
        if self.samples == 1:
            return self.frame_count, self.rows, self.columns
        if self.planar:
            return self.frame_count, self.samples, self.rows, self.columns
        return self.frame_count, self.rows, self.columns, self.samples

    def as_pixel_format(self) -> PixelFormat:
        """The same as decoders of grey pixels take it."""
        return PixelFormat(
            rows=self.rows,
            columns=self.columns,
            bits_allocated=self.bits_allocated,
            bits_stored=self.bits_stored,
            signed=self.signed,
            photometric=self.photometric,
            frame_count=self.frame_count,
        )


def pixel_element(found: Object) -> Element:
    """The element that holds the pixels.

    Raises
    ------
    InputError
        ``archive.pixels-not-blanked``.
    """
    for one in found.elements:
        if one.tag in PIXEL_TAGS:
            return one
    raise InputError(PIXELS_NOT_BLANKED)


def stated_frames(found: Object) -> int:
    """How many frames the header tells of; one where it doesn't say."""
    one = found.first(0x00280008)
    said = plain(one.value) if one is not None else ""
    return max(1, int(said)) if said.isascii() and said.isdecimal() and len(said) <= MOST_DIGITS else 1


def layout(found: Object) -> Layout:
    """How the pixels of an object lie.

    Raises
    ------
    InputError
        ``archive.pixels-not-blanked``.
    """
    tag = pixel_element(found).tag
    bits = {FLOAT: 32, DOUBLE: 64}.get(tag) or found.number(0x00280100)
    order = "<" if found.little else ">"
    if bits not in (8, 16, 32, 64):
        raise InputError(PIXELS_NOT_BLANKED)
    signed = found.number(0x00280103) == 1
    made = Layout(
        rows=found.number(0x00280010),
        columns=found.number(0x00280011),
        samples=found.number(0x00280002, 1) or 1,
        planar=found.number(0x00280006) == 1,
        frame_count=min(stated_frames(found), MOST_FRAMES),
        bits_allocated=bits,
        bits_stored=bits if tag != PIXELS else found.number(0x00280101) or bits,
        signed=signed,
        photometric=found.words(0x00280004) or "MONOCHROME2",
        encapsulated=pixel_element(found).encapsulated,
        dtype=np.dtype(f"{order}{'f' if tag != PIXELS else 'i' if signed else 'u'}{bits // 8}"),
    )
    if made.is_paired and (made.columns % 2 or bits != 8):
        raise InputError(PIXELS_NOT_BLANKED)
    if tag == PIXELS and found.number(0x00280102, made.bits_stored - 1) != made.bits_stored - 1:
        raise InputError(PIXELS_NOT_BLANKED)  # retired: values that don't begin at the lowest bit (PS3.5 8.1.1)
    return made


def in_byte_order(found: Object, form: Layout, value: bytes) -> bytes:
    """A pixel value with its bytes in the order of the pixels, or such bytes as they are written.

    Eight-bit pixels under VR OW stand in words of sixteen bits, whose bytes big endian swaps (PS3.5 annex D).
    """
    if found.little or form.bits_allocated != 8 or pixel_element(found).vr != "OW":
        return value
    return np.frombuffer(value + bytes(len(value) % 2), dtype="<u2").byteswap().tobytes()


def native(found: Object, form: Layout) -> NDArray[Any]:
    """The stored values of pixels that aren't compressed, in the layout's shape; a read-only view.

    Raises
    ------
    InputError
        ``archive.pixels-not-blanked``.
    """
    value = in_byte_order(found, form, pixel_element(found).value)
    length = int(np.prod(form.shape)) * form.bits_allocated // 8
    if not length or len(value) < length:
        raise InputError(PIXELS_NOT_BLANKED)
    return np.frombuffer(value, dtype=form.dtype, count=int(np.prod(form.shape))).reshape(form.shape)


def compressed_samples(found: Object, form: Layout, numbers: range | None = None) -> Iterator[NDArray[Any]]:
    """The frames (rows, columns) of compressed pixels of one sample, one at a time, with every bit of their streams.

    Parameters
    ----------
    numbers : of which frames, from zero; all where it isn't said.

    Raises
    ------
    InputError
        ``archive.pixels-not-blanked``.
    """
    # The house's own decoders look whether a stream is sound before a codec sees it.
    # Told of all bits as stored, they clear none.
    value, grey = pixel_element(found).value, replace(form.as_pixel_format(), bits_stored=form.bits_allocated)
    try:
        for _, pixels in decoded_frames(found.syntax, value, grey, _all(form, numbers)):
            yield pixels
    except InputError as error:
        raise InputError(PIXELS_NOT_BLANKED) from error


def _all(form: Layout, numbers: range | None) -> range:
    return range(form.frame_count) if numbers is None else numbers


def decoded(found: Object, form: Layout, numbers: range | None = None) -> Iterator[NDArray[Any]]:
    """The frames of compressed pixels one at a time; samples last.

    Colours are RGB, but in `COLOURS_AS_CODED` what the header says.

    Parameters
    ----------
    numbers : of which frames, from zero; all where it isn't said.

    Raises
    ------
    InputError
        ``archive.pixels-not-blanked``.
    """
    if form.samples == 1 and found.syntax not in PROGRESSIVE:
        grey = form.as_pixel_format()
        yield from (stored_values(pixels, grey) for pixels in compressed_samples(found, form, numbers))
        return
    value = pixel_element(found).value
    if found.syntax in JPEG_2000:
        yield from _by_openjpeg(value, form, _all(form, numbers))
    elif found.syntax in LOSSLESS_JPEG:
        yield from _by_lossless_jpeg(value, form, _all(form, numbers))
    else:
        yield from (_coloured(found.syntax, value, form, number) for number in _all(form, numbers))


def _by_lossless_jpeg(value: bytes, form: Layout, numbers: range) -> Iterator[NDArray[Any]]:
    from pydicom.encaps import generate_frames  # noqa: PLC0415 - heavy

    from bingcheng.dicom.pixels import lossless_jpeg  # noqa: PLC0415 - compiles what it needs

    if form.photometric not in ("RGB", "YBR_FULL"):
        raise InputError(PIXELS_NOT_BLANKED)
    try:
        streams = generate_frames(value, number_of_frames=form.frame_count)
        for stream in islice(streams, numbers.start, numbers.stop):
            values = lossless_jpeg.decoded(stream, form.rows, form.columns, form.samples)
            if values.dtype.itemsize * 8 != form.bits_allocated:
                raise InputError(PIXELS_NOT_BLANKED)
            yield values
    except (ValueError, IndexError, struct.error) as error:
        raise InputError(PIXELS_NOT_BLANKED) from error


def _by_openjpeg(value: bytes, form: Layout, numbers: range) -> Iterator[NDArray[Any]]:
    from openjpeg.utils import decode  # noqa: PLC0415 - only loaded where such a file is met
    from pydicom.encaps import generate_frames  # noqa: PLC0415 - heavy

    if form.photometric not in ("RGB", "YBR_RCT", "YBR_ICT"):  # what the decoder makes RGB of
        raise InputError(PIXELS_NOT_BLANKED)
    try:
        streams = generate_frames(value, number_of_frames=form.frame_count)
        for stream in islice(streams, numbers.start, numbers.stop):
            yield decode(stream)
    except Exception as error:  # codecs raise whatever they like
        raise InputError(PIXELS_NOT_BLANKED) from error


def _coloured(syntax: str, value: bytes, form: Layout, number: int) -> NDArray[Any]:
    from pydicom.pixels.decoders.base import get_decoder  # noqa: PLC0415 - heavy
    from pydicom.uid import UID  # noqa: PLC0415 - heavy

    options: dict[str, Any] = {
        "rows": form.rows,
        "columns": form.columns,
        "bits_allocated": form.bits_allocated,
        "bits_stored": form.bits_stored,
        "pixel_representation": int(form.signed),
        "samples_per_pixel": form.samples,
        "number_of_frames": form.frame_count,
        "photometric_interpretation": form.photometric,
        "pixel_keyword": "PixelData",
        **({"planar_configuration": int(form.planar)} if form.samples > 1 else {}),
    }
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            plugin, known = COLOUR_DECODERS[syntax], _BASELINE if syntax in PROGRESSIVE else syntax
            options |= {"index": number, "decoding_plugin": plugin, "raw": syntax in COLOURS_AS_CODED}
            values, _ = get_decoder(UID(known)).as_array(value, **options)
        except Exception as error:  # codecs raise whatever they like
            raise InputError(PIXELS_NOT_BLANKED) from error
    coloured: NDArray[Any] = values
    return coloured


def frames(found: Object, numbers: range | None = None) -> Iterator[NDArray[Any]]:
    """Each frame (rows, columns) or (rows, columns, samples), decoded one at a time; of paired colours brightness.

    Parameters
    ----------
    numbers : of which frames, from zero, one behind the other; all where it isn't said. What isn't there is left out.

    Raises
    ------
    InputError
        ``archive.pixels-not-blanked``.
    """
    if are_single(found):
        yield from _some(unpacked(found), numbers)
        return
    form = layout(found)
    if form.encapsulated:
        meant = _all(form, numbers)
        yield from decoded(found, form, range(meant.start, min(meant.stop, form.frame_count)))
        return
    for frame in _some(native(found, form), numbers):
        if form.is_paired:
            yield frame[..., :2].reshape(form.rows, form.columns)
        else:
            yield np.moveaxis(frame, 0, -1) if form.planar and form.samples > 1 else frame


def _some(values: NDArray[Any], numbers: range | None) -> NDArray[Any]:
    return values if numbers is None else values[numbers.start : numbers.stop]
