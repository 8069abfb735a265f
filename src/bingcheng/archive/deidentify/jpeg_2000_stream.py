"""JPEG 2000 and HTJ2K reduced to their codestream: no boxes, no comments, nothing behind the end (T.800 annex A)."""

from __future__ import annotations

import struct
from collections.abc import Sequence
from dataclasses import dataclass

from bingcheng.archive.deidentify.walked import Walked, whole

_CODESTREAM, _SIZE, _TILE, _DATA, _OVER = 0xFF4F, 0xFF51, 0xFF90, 0xFF93, 0xFFD9
_LENGTHS, _PACKETS = 0xFF55, 0xFF58
_NEEDED = frozenset(
    (
        *(0xFF50, _SIZE, 0xFF52, 0xFF53, 0xFF56, 0xFF59),  # CAP, SIZ, COD, COC, PRF, CPF
        *(0xFF5C, 0xFF5D, 0xFF5E, 0xFF5F, 0xFF60, 0xFF61),  # QCD, QCC, RGN, POC, PPM, PPT
        *(_LENGTHS, _PACKETS),  # TLM, PLT
    )
)
_IDLE = frozenset((0xFF57, 0xFF63, 0xFF64))
"""PLM, CRG and COM: of no use to a decoder."""
_BOX, _INSIDE = b"\0\0\0\x0cjP  ", b"jp2c"
_TILE_HEAD = 12
_MOST_LENGTHS = 10_000
"""Tile-parts that one segment of lengths tells, six bytes each."""


@dataclass(frozen=True, slots=True)
class _TilePart:
    """One part of a tile: which tile's, how long it was and is, and its bytes."""

    tile: int
    told: int
    stream: bytes


def jpeg_2000(stream: bytes, rows: int, columns: int) -> Walked:
    """A codestream of JPEG 2000 without boxes, comments and what follows its end.

    Lengths of tile-parts and packets, by which a reader finds its way, stay if they are true.

    Parameters
    ----------
    rows, columns : of the picture; a larger one would show more than anybody looked at.

    Raises
    ------
    ValueError, IndexError, struct.error
        it can't be walked through.
    """
    begins = stream.index(_INSIDE) + 4 if stream.startswith(_BOX) else 0
    stream = stream[begins:]
    if _marker(stream, 0) != _CODESTREAM or _marker(stream, 2) != _SIZE or not _is_size(stream, rows, columns):
        raise ValueError
    header, at = _segments(stream, 2, _TILE)
    parts: list[_TilePart] = []
    while (marker := _marker(stream, at)) != _OVER:
        if marker != _TILE:
            raise ValueError
        part, at = _tile_part(stream, at)
        parts.append(part)
    kept = [stream[:2], *_with_lengths(header, parts), *(one.stream for one in parts), stream[at : at + 2]]
    bare = b"".join(kept) if begins else whole(kept, stream, at + 2)
    return Walked(bare, (bare,))


def _marker(stream: bytes, at: int) -> int:
    found: int = struct.unpack_from(">H", stream, at)[0]
    return found


def _is_size(stream: bytes, rows: int, columns: int) -> bool:
    right, lower, left, upper = struct.unpack_from(">4I", stream, 8)
    return bool((lower - upper, right - left) == (rows, columns))


def _segments(stream: bytes, at: int, until: int) -> tuple[list[bytes], int]:
    """The marker segments that a decoder needs, up to a marker, and where that stands."""
    found = []
    while (marker := _marker(stream, at)) != until:
        end = at + 2 + struct.unpack_from(">H", stream, at + 2)[0]
        if marker not in _NEEDED | _IDLE or end > len(stream):
            raise ValueError(marker)
        if marker in _NEEDED:
            found.append(stream[at:end])
        at = end
    return found, at


def _tile_part(stream: bytes, start: int) -> tuple[_TilePart, int]:
    """A tile-part with nothing in its header but what a decoder needs, and where it ends."""
    length, tile, told = struct.unpack_from(">HHI", stream, start + 2)
    end = start + told if told else stream.rindex(b"\xff\xd9")
    header, at = _segments(stream, start + _TILE_HEAD, _DATA)
    if length != _TILE_HEAD - 2 or end > len(stream) or at > end:
        raise ValueError
    data = stream[at:end]
    header = [one for one in header if _marker(one, 0) != _PACKETS or _are_packets(header, len(data) - 2)]
    body = b"".join(header) + data
    now = len(body) + _TILE_HEAD
    if now == end - start:
        return _TilePart(tile, now, stream[start:end]), end
    head = stream[start : start + 6] + struct.pack(">I", now if told else 0) + stream[start + 10 : start + _TILE_HEAD]
    return _TilePart(tile, now, head + body), end


def _are_packets(header: Sequence[bytes], length: int) -> bool:
    """Whether the lengths of packets in a tile-part's header add up to its data (T.800 A.7.3)."""
    total = number = 0
    for one in header:
        if _marker(one, 0) != _PACKETS:
            continue
        for byte in one[5:]:
            number = number << 7 | byte & 0x7F
            if byte < 0x80:
                total, number = total + number, 0
    return total == length


def _with_lengths(header: Sequence[bytes], parts: Sequence[_TilePart]) -> list[bytes]:
    """The main header, its lengths of tile-parts true; a single segment with all of them where they weren't."""
    listed = [one for one in header if _marker(one, 0) == _LENGTHS]
    if not listed or _told(listed) == [(one.tile, one.told) for one in parts]:
        return list(header)
    others = [one for one in header if _marker(one, 0) != _LENGTHS]
    if len(parts) > _MOST_LENGTHS:
        return others  # they are optional
    body = b"".join(struct.pack(">HI", one.tile, one.told) for one in parts)
    return [*others, struct.pack(">HHBB", _LENGTHS, len(body) + 4, 0, 0x60) + body]


def _told(listed: Sequence[bytes]) -> list[tuple[int, int]] | None:
    """Tiles and lengths that segments tell (T.800 A.7.1); None where they have not their form."""
    found: list[tuple[int, int]] = []
    for one in listed:
        form = one[5]
        tile_bytes, length_bytes = form >> 4 & 3, 4 if form >> 6 & 1 else 2
        step = tile_bytes + length_bytes
        if form & 0x8F or tile_bytes == 3 or (len(one) - 6) % step:
            return None
        for at in range(6, len(one), step):
            # Without tiles they are told in order, a part each.
            tile = int.from_bytes(one[at : at + tile_bytes], "big") if tile_bytes else len(found)
            found.append((tile, int.from_bytes(one[at + tile_bytes : at + step], "big")))
    return found
