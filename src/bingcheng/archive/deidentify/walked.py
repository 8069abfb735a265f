"""What is left of a compressed frame once all that is no picture went, and what of it can only be decoded."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from bingcheng.archive.deidentify.forms import jumps

_PROSE = re.compile(rb"(?:[A-Za-z0-9][ .,:;^=/_-]?){12,}")
"""Twelve letters or digits running: of random bytes one in a hundred megabytes begins so."""


@dataclass(frozen=True, slots=True)
class Walked:
    """One compressed frame, walked through.

    Parameters
    ----------
    stream : without comments, foreign segments and what stands behind the end.
    coded : the entropy-coded parts; a decoder skips what it doesn't need, so text may stand there too.
    """

    stream: bytes
    coded: tuple[bytes, ...]

    @property
    def reads_as_text(self) -> bool:
        """Whether something in the entropy-coded parts reads as text; that this is by chance can't be told."""
        return any(jumps(found.group()) for part in self.coded for found in _PROSE.finditer(part))


def whole(kept: Sequence[bytes], stream: bytes, end: int) -> bytes:
    """The stream as it was if nothing went but a zero behind its end, which pads it.

    Parameters
    ----------
    kept : the parts that stay.
    end : where the walk ended.
    """
    made = b"".join(kept)
    return stream if made == stream[:end] and len(stream) - end <= 1 and not any(stream[end:]) else made


def in_order(offsets: Iterable[int]) -> bool:
    """Whether offsets rise."""
    listed = list(offsets)
    return listed == sorted(set(listed))
