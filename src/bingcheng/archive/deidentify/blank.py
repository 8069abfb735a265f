"""Regions of pictures blanked, in every transfer syntax: native in place, compressed decoded and encoded again.

JPEG 2000, JPEG-LS and RLE are written losslessly in their own family, everything else uncompressed. What was lossy
stays described as lossy.
"""

from __future__ import annotations

import warnings
from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bingcheng.archive.deidentify.devices import Region
from bingcheng.archive.deidentify.elements import EXPLICIT, Element, Object
from bingcheng.archive.deidentify.native import (
    COLOURS_AS_CODED,
    OFFSETS,
    Layout,
    decoded,
    in_byte_order,
    layout,
    native,
    pixel_element,
)
from bingcheng.archive.deidentify.problems import PIXELS_NOT_BLANKED
from bingcheng.archive.deidentify.single_bits import are_single, put_back, unpacked
from bingcheng.core.errors import InputError

_J2K, _JPEG_LS, _RLE = "1.2.840.10008.1.2.4.90", "1.2.840.10008.1.2.4.80", "1.2.840.10008.1.2.5"
LOSSLESS: Mapping[str, str] = MappingProxyType(
    {
        _J2K: _J2K,
        "1.2.840.10008.1.2.4.91": _J2K,
        "1.2.840.10008.1.2.4.201": _J2K,
        "1.2.840.10008.1.2.4.202": _J2K,
        "1.2.840.10008.1.2.4.203": _J2K,
        _JPEG_LS: _JPEG_LS,
        "1.2.840.10008.1.2.4.81": _JPEG_LS,
        _RLE: _RLE,
    }
)
"""The lossless syntax in which pixels of a compressed one are written again."""
ENCODERS: Mapping[str, str] = MappingProxyType({_JPEG_LS: "pyjpegls", _RLE: "pydicom"})
"""Which of pydicom's plug-ins encodes; GDCM may end the process."""
_ALWAYS_LOSSY = frozenset(f"1.2.840.10008.1.2.4.{end}" for end in ("50", "51", "53", "55"))
"""Whatever a header says."""
_LOSSY = _ALWAYS_LOSSY | {f"1.2.840.10008.1.2.4.{end}" for end in ("81", "91", "203")}
"""Some of them can be without loss too."""
_PHOTOMETRIC, _PLANAR, _LOSSY_SAID = 0x00280004, 0x00280006, 0x00282110
_LEAST_SIDE_PX = 32
"""Of smaller pictures the encoder of JPEG 2000 can't make its six resolutions; they are written uncompressed."""
_DARK_YBR = (0, 128, 128)


def blanked(found: Object, regions: Sequence[Region]) -> None:
    """Blank regions in all frames, in place.

    They take the darkest value that the frame shows: its lowest stored value, the highest for MONOCHROME1.

    Raises
    ------
    InputError
        ``archive.pixels-not-blanked``.
    """
    if not regions:
        return
    if are_single(found):
        _blanked_bits(found, regions)
        return
    form, element = layout(found), pixel_element(found)
    if element.encapsulated:
        _blanked_compressed(found, form, element, regions)
        return
    values = native(found, form).copy()
    _fill(values, form, regions, dark=_dark(found, form))
    element.value = in_byte_order(found, form, values.tobytes())


def _blanked_bits(found: Object, regions: Sequence[Region]) -> None:
    """Blank pixels of one bit: the dark one of the two, whatever a frame shows."""
    pixels = unpacked(found)
    dark = 1 if found.words(_PHOTOMETRIC) == "MONOCHROME1" else 0
    for region in regions:
        pixels[:, region.y : region.y + region.height, region.x : region.x + region.width] = dark
    put_back(found, pixels)


def written_anew(found: Object) -> None:
    """Decode compressed pixels and write them again, with none of their bytes but the pixels, in place.

    Raises
    ------
    InputError
        ``archive.pixels-not-blanked``.
    """
    _blanked_compressed(found, layout(found), pixel_element(found), ())


def _blanked_compressed(found: Object, form: Layout, element: Element, regions: Sequence[Region]) -> None:
    values = np.stack(list(decoded(found, form)))
    flat = Layout(**{name: getattr(form, name) for name in Layout.__dataclass_fields__} | {"planar": False})
    converted = form.samples > 1 and found.syntax not in COLOURS_AS_CODED
    _fill(values, flat, regions, dark=(0, 0, 0) if converted else _dark(found, form))
    _lossy_stays_said(found)
    if converted:
        _set(found, _PHOTOMETRIC, "CS", b"RGB")
    if form.samples > 1:
        _set(found, _PLANAR, "US", b"\0\0")
    found.elements = [one for one in found.elements if one.tag not in OFFSETS]
    syntax = LOSSLESS.get(found.syntax)
    if syntax is None or (syntax == _J2K and min(form.rows, form.columns) < _LEAST_SIDE_PX):
        order = np.dtype(values.dtype).newbyteorder("<")
        element.value, element.encapsulated = values.astype(order).tobytes(), False
        element.vr = "OW" if form.bits_allocated > 8 else "OB"
        found.syntax = EXPLICIT
    else:
        element.value = _encoded(values, form, syntax)
        found.syntax = syntax


def _encoded(values: NDArray[Any], form: Layout, syntax: str) -> bytes:
    from pydicom.encaps import encapsulate  # noqa: PLC0415 - heavy

    encode = _by_openjpeg if syntax == _J2K else _by_pydicom
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            return encapsulate([encode(np.ascontiguousarray(frame), form, syntax) for frame in values])
        except Exception as error:  # codecs raise whatever they like
            raise InputError(PIXELS_NOT_BLANKED) from error


def _by_openjpeg(frame: NDArray[Any], form: Layout, syntax: str) -> bytes:
    del syntax
    from openjpeg.utils import encode_array  # noqa: PLC0415 - only loaded where such a file is met

    photometric = 1 if form.samples > 1 else 2  # its own numbers for RGB and grey
    encoded: bytes = encode_array(
        frame, bits_stored=form.bits_stored, photometric_interpretation=photometric, use_mct=False
    )
    return encoded


def _by_pydicom(frame: NDArray[Any], form: Layout, syntax: str) -> bytes:
    from pydicom.pixels.encoders.base import get_encoder  # noqa: PLC0415 - heavy
    from pydicom.uid import UID  # noqa: PLC0415 - heavy

    options: dict[str, Any] = {
        "rows": form.rows,
        "columns": form.columns,
        "number_of_frames": 1,
        "bits_allocated": form.bits_allocated,
        "bits_stored": form.bits_stored,
        "pixel_representation": int(form.signed),
        "samples_per_pixel": form.samples,
        "photometric_interpretation": form.photometric,
        "planar_configuration": 0,
    }
    return get_encoder(UID(syntax)).encode(frame, encoding_plugin=ENCODERS[syntax], **options)


def _fill(values: NDArray[Any], form: Layout, regions: Sequence[Region], *, dark: tuple[int, ...] | None) -> None:
    for frame in values:
        level = dark
        if level is None:
            level = (_darkest(frame, inverted=form.photometric == "MONOCHROME1"),)
        for region in regions:
            rows = slice(region.y, region.y + region.height)
            columns = slice(region.x, region.x + region.width)
            if form.is_paired:
                pairs = slice(region.x // 2, (region.x + region.width + 1) // 2)
                frame[rows, pairs] = (0, 0, 128, 128)
            elif form.samples == 1:
                frame[rows, columns] = level[0]
            else:
                _fill_samples(frame, (rows, columns), level, planar=form.planar)


def _darkest(frame: NDArray[Any], *, inverted: bool) -> Any:
    """The value of a frame that is shown darkest; what is no number isn't shown."""
    numbers = frame[~np.isnan(frame)] if frame.dtype.kind == "f" else frame
    if not numbers.size:
        return 0
    return numbers.max() if inverted else numbers.min()


def _fill_samples(frame: NDArray[Any], place: tuple[slice, slice], level: tuple[int, ...], *, planar: bool) -> None:
    for sample, part in enumerate(level):
        plane = frame[sample] if planar else frame[..., sample]
        plane[place] = part


def _dark(found: Object, form: Layout) -> tuple[int, ...] | None:
    """The samples of black; None where it is the frame's own extreme."""
    if form.samples > 1:
        return _DARK_YBR if form.photometric.startswith("YBR") else (0, 0, 0)
    if form.photometric != "PALETTE COLOR":
        return None
    tables = [found.first(tag) for tag in (0x00281201, 0x00281202, 0x00281203)]
    described = found.first(0x00281101)
    if any(table is None or not table.value for table in tables) or described is None or len(described.value) < 6:
        raise InputError(PIXELS_NOT_BLANKED)
    first, bits = (int(number) for number in np.frombuffer(described.value[:6], dtype=_order(found))[1:])
    dtype = np.dtype(np.uint8) if bits == 8 and _is_packed(tables, described, found) else _order(found)
    light = sum(np.frombuffer(table.value, dtype=dtype).astype(np.int64) for table in tables if table is not None)
    return (first + int(np.argmin(light)),)


def _order(found: Object) -> np.dtype[np.uint16]:
    return np.dtype("<u2" if found.little else ">u2")


def _is_packed(tables: Sequence[Element | None], described: Element, found: Object) -> bool:
    """Whether two entries of eight bits share a word (PS3.3 C.7.6.3.1.6)."""
    entries = int(np.frombuffer(described.value[:2], dtype=_order(found))[0]) or 1 << 16
    return all(table is not None and len(table.value) <= entries + 1 for table in tables)


def _lossy_stays_said(found: Object) -> None:
    said = found.words(_LOSSY_SAID)
    if (found.syntax in _ALWAYS_LOSSY and said != "01") or (found.syntax in _LOSSY and not said):
        _set(found, _LOSSY_SAID, "CS", b"01")


def _set(found: Object, tag: int, vr: str, value: bytes) -> None:
    """Set an element at the top; the order of tags is kept."""
    one = found.first(tag)
    if one is not None:
        one.value, one.vr = value, vr
        return
    found.elements.append(Element(tag, vr, value))
    found.elements.sort(key=lambda other: other.tag)
