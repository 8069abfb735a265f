"""Pixel values reduced to pixels: comments, application segments, boxes, and what stands behind them, go.

Nothing that an image needs is touched; a stream that holds nothing else keeps its bytes.
"""

from __future__ import annotations

import re
import struct
from collections.abc import Callable, Iterator, Sequence
from functools import partial

from bingcheng.archive.deidentify.elements import Element, Object
from bingcheng.archive.deidentify.native import PIXEL_TAGS, Layout, in_byte_order, layout, pixel_element
from bingcheng.archive.deidentify.problems import PIXELS_NOT_READ
from bingcheng.core.errors import InputError

_RLE = "1.2.840.10008.1.2.5"
_JPEG = re.compile(r"1\.2\.840\.10008\.1\.2\.4\.(?:5[0-9]|6[0-6]|70|80|81)")
_JPEG_2000 = re.compile(r"1\.2\.840\.10008\.1\.2\.4\.(?:9[0-3]|20[1-3])")
_OFFSETS = frozenset((0x7FE00001, 0x7FE00002))
_ITEM_HEAD = 8
_RLE_HEAD = 64
_START, _END, _SCAN, _COMMENT = 0xD8, 0xD9, 0xDA, 0xFE
_NEXT_MARKER = re.compile(rb"\xff[\x80-\xcf\xd8-\xfe]")
"""What ends entropy-coded data of JPEG and JPEG-LS: no stuffed byte, no restart marker (T.81 B.1.1.2, T.87 A.1)."""
_APPLICATIONS = range(0xE0, 0xF0)
_COLOURS: Sequence[tuple[int, bytes, int]] = ((0xE0, b"JFIF\0", 14), (0xEE, b"Adobe", 12), (0xE8, b"mrfx", 5))
"""Application segments by which a decoder knows the colours, and how long they are without thumbnails and the like."""
_CODESTREAM, _TILE, _DATA, _REMARK, _LENGTHS, _OVER = 0xFF4F, 0xFF90, 0xFF93, 0xFF64, 0xFF55, 0xFFD9
_BOX, _INSIDE = b"\0\0\0\x0cjP  ", b"jp2c"


def without_others(found: Object) -> None:
    """Take all that is no pixel out of the pixel value, in place.

    Raises
    ------
    InputError
        ``archive.pixels-not-read`` for compressed pixels that can't be walked through.
    """
    if not any(one.tag in PIXEL_TAGS for one in found.elements):
        return
    element = pixel_element(found)
    if element.encapsulated:
        _compressed(found, element)
        return
    try:
        form = layout(found)
    except InputError:
        return  # what its pixels are can't be told: the quick look has left it to a person
    length = _native_length(form)
    if length and len(element.value) > length:
        ordered = in_byte_order(found, form, element.value)[:length] + bytes(length % 2)
        element.value = in_byte_order(found, form, ordered)


def _native_length(form: Layout) -> int:
    count = form.frame_count
    for size in form.shape[1:]:
        count *= size
    return (count * form.bits_allocated + 7) // 8


def _compressed(found: Object, element: Element) -> None:
    walk = _walk_of(found)
    if walk is None:
        return
    frame_count = _frame_count(found)
    try:
        table, fragments = _fragments(element.value, "<")
        streams = _streams(table, fragments, frame_count)
        bare = [walk(one) for one in streams]
    except (struct.error, IndexError, ValueError) as error:
        raise InputError(PIXELS_NOT_READ) from error
    if bare == streams and table in (b"", _table(fragments)):
        return
    found.elements = [one for one in found.elements if one.tag not in _OFFSETS]
    element.value = _item(b"") + b"".join(map(_item, bare))


def _walk_of(found: Object) -> Callable[[bytes], bytes] | None:
    syntax = found.syntax
    if syntax == _RLE:
        return partial(run_lengths, plane=found.number(0x00280010) * found.number(0x00280011))
    if _JPEG.fullmatch(syntax):
        return jpeg
    return jpeg_2000 if _JPEG_2000.fullmatch(syntax) else None


def _frame_count(found: Object) -> int:
    one = found.first(0x00280008)
    said = one.value.strip(b"\0 ") if one is not None else b""
    return max(1, int(said)) if said.isdigit() else 1


def _fragments(value: bytes, order: str) -> tuple[bytes, list[bytes]]:
    at, items = 0, []
    while at + _ITEM_HEAD <= len(value):
        length = struct.unpack_from(order + "I", value, at + 4)[0]
        items.append(value[at + _ITEM_HEAD : at + _ITEM_HEAD + length])
        at += _ITEM_HEAD + length
    return items[0], items[1:]


def _streams(table: bytes, fragments: list[bytes], frame_count: int) -> list[bytes]:
    """The stream of each frame."""
    if len(fragments) == frame_count:
        return fragments
    if frame_count == 1:
        return [b"".join(fragments)]
    starts = struct.unpack(f"<{frame_count}I", table)
    streams: list[bytes] = []
    at = 0
    for one in fragments:
        if at in starts:
            streams.append(b"")
        streams[-1] += one
        at += _ITEM_HEAD + len(one)
    if len(streams) != frame_count:
        raise ValueError
    return streams


def _table(fragments: Sequence[bytes]) -> bytes:
    """The offsets of fragments of which each is a frame (PS3.5 A.4)."""
    at, offsets = 0, []
    for one in fragments:
        offsets.append(at)
        at += _ITEM_HEAD + len(one)
    return struct.pack(f"<{len(offsets)}I", *offsets)


def _item(value: bytes) -> bytes:
    padded = value + bytes(len(value) % 2)
    return struct.pack("<HHI", 0xFFFE, 0xE000, len(padded)) + padded


def jpeg(stream: bytes) -> bytes:
    """A stream of JPEG or JPEG-LS without comments, foreign application segments and what follows its end."""
    if stream[:2] != b"\xff\xd8":
        raise ValueError
    kept = [stream[:2]]
    at = 2
    while True:
        if stream[at] != 0xFF:
            raise ValueError
        marker = stream[at + 1]
        if marker == 0xFF:  # fill bytes
            at += 1
            continue
        if marker == _END:
            kept.append(stream[at : at + 2])
            return _whole(kept, stream, at + 2)
        end = at + 2 + struct.unpack_from(">H", stream, at + 2)[0]
        kept.append(_segment(marker, stream[at:end]))
        at = end
        if marker == _SCAN:
            following = _NEXT_MARKER.search(stream, at)
            if following is None:
                raise ValueError
            kept.append(stream[at : following.start()])
            at = following.start()


def _segment(marker: int, segment: bytes) -> bytes:
    if marker == _COMMENT:
        return b""
    if marker not in _APPLICATIONS:
        return segment
    for known, begins, length in _COLOURS:
        if marker == known and segment[4:].startswith(begins) and len(segment) >= 4 + length:
            content = segment[4 : 4 + length]
            if marker == 0xE0:  # no thumbnail follows
                content = content[:12] + bytes(2)
            return segment[:2] + struct.pack(">H", len(content) + 2) + content
    return b""


def _whole(kept: Sequence[bytes], stream: bytes, end: int) -> bytes:
    """The stream as it was if nothing went but zeros behind its end, which pad it."""
    made = b"".join(kept)
    return stream if made == stream[:end] and len(stream) - end <= 1 and not any(stream[end:]) else made


def jpeg_2000(stream: bytes) -> bytes:
    """A codestream of JPEG 2000 without boxes, comments and what follows its end (T.800 annex A)."""
    begins = stream.index(_INSIDE) + 4 if stream.startswith(_BOX) else 0
    at, kept, changed = begins, [stream[begins : begins + 2]], bool(begins)
    if _marker(stream, at) != _CODESTREAM:
        raise ValueError
    at += 2
    lengths: list[int] = []
    while (marker := _marker(stream, at)) != _OVER:
        if marker == _TILE:
            part, at, other = _tile_part(stream, at)
            kept.append(part)
            changed = changed or other
            continue
        end = at + 2 + struct.unpack_from(">H", stream, at + 2)[0]
        if marker == _LENGTHS:
            lengths.append(len(kept))
        kept.append(b"" if marker == _REMARK else stream[at:end])
        changed = changed or marker == _REMARK
        at = end
    if changed:
        for one in lengths:
            kept[one] = b""  # lengths of tile-parts are optional, and may no longer hold
    kept.append(stream[at : at + 2])
    return _whole(kept, stream[begins:] if begins else stream, at + 2 - begins)


def _marker(stream: bytes, at: int) -> int:
    found: int = struct.unpack_from(">H", stream, at)[0]
    return found


def _tile_part(stream: bytes, start: int) -> tuple[bytes, int, bool]:
    """A tile-part without remarks, where it ends, and whether any went."""
    length = struct.unpack_from(">I", stream, start + 6)[0]
    end = start + length if length else stream.rindex(b"\xff\xd9")
    at, header = start + 12, []
    while (marker := _marker(stream, at)) != _DATA:
        following = at + 2 + struct.unpack_from(">H", stream, at + 2)[0]
        header.append(b"" if marker == _REMARK else stream[at:following])
        at = following
    if end > len(stream) or at > end:
        raise ValueError
    body = b"".join(header) + stream[at:end]
    if len(body) == end - start - 12:
        return stream[start:end], end, False
    told = len(body) + 12 if length else 0
    return stream[start : start + 6] + struct.pack(">I", told) + stream[start + 10 : start + 12] + body, end, True


def run_lengths(stream: bytes, plane: int) -> bytes:
    """Run lengths (PS3.5 annex G) without what stands in unused offsets or behind the last run.

    How long the last segment is, only its runs tell; those before it end where the next begins.

    Parameters
    ----------
    plane : bytes that each segment decodes to.
    """
    count, *offsets = struct.unpack_from("<16I", stream)
    used = offsets[:count]
    if not 1 <= count <= len(offsets) or used[0] != _RLE_HEAD or used != sorted(used):
        raise ValueError
    end = used[-1] + _length_of_runs(stream[used[-1] :], plane)
    made = struct.pack("<16I", count, *used, *[0] * (len(offsets) - count)) + stream[_RLE_HEAD:end]
    return _whole([made], stream, end)


def _length_of_runs(segment: bytes, plane: int) -> int:
    end = total = 0
    for after, count in _runs(segment):
        if total >= plane:
            break
        end, total = after, total + count
    return end


def _runs(segment: bytes) -> Iterator[tuple[int, int]]:
    """Where each run ends, and how many bytes it decodes to."""
    at = 0
    while at < len(segment):
        head = segment[at]
        if head == 128:
            at += 1
            yield at, 0
            continue
        at += head + 2 if head < 128 else 2
        if at > len(segment):
            return
        yield at, head + 1 if head < 128 else 257 - head
