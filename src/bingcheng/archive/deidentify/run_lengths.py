"""Run lengths (PS3.5 annex G) reduced to their runs: nothing between, behind or beside the segments."""

from __future__ import annotations

import struct
from collections.abc import Iterator

from bingcheng.archive.deidentify.walked import Walked, in_order, whole

_HEAD = 64
_MOST_SEGMENTS = 15
_NO_RUN = 128


def run_lengths(stream: bytes, plane: int) -> Walked:
    """Run lengths without what stands in unused offsets, between segments, or behind the last run.

    Parameters
    ----------
    plane : bytes that each segment decodes to.

    Raises
    ------
    ValueError, struct.error
        it can't be walked through, or a segment holds more or less than a plane.
    """
    count, *offsets = struct.unpack_from("<16I", stream)
    used = offsets[:count]
    if not 1 <= count <= _MOST_SEGMENTS or used[0] != _HEAD or not in_order(used):
        raise ValueError
    segments = [_segment(stream[start:stop], plane) for start, stop in zip(used, [*used[1:], len(stream)], strict=True)]
    at, starts = _HEAD, []
    for one in segments:
        starts.append(at)
        at += len(one)
    head = struct.pack("<16I", count, *starts, *[0] * (_MOST_SEGMENTS - count))
    return Walked(whole([head, *segments], stream, at), ())


def _segment(segment: bytes, plane: int) -> bytes:
    """The runs that fill a plane, and the zero that pads them to an even length."""
    end = total = 0
    for after, count in _runs(segment):
        if total >= plane:
            break
        end, total = after, total + count
    if not plane <= total <= plane + plane % 2:
        raise ValueError
    return segment[:end] + bytes(end % 2)


def _runs(segment: bytes) -> Iterator[tuple[int, int]]:
    """Where each run ends, and how many bytes it decodes to."""
    at = 0
    while at < len(segment):
        head = segment[at]
        if head == _NO_RUN:
            at += 1
            yield at, 0
            continue
        at += head + 2 if head < _NO_RUN else 2
        if at > len(segment):
            return
        yield at, head + 1 if head < _NO_RUN else 257 - head
