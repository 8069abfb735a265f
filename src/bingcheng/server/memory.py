"""Memory given back to the system after what was large, instead of kept for the next time.

glibc gives every thread an arena of its own, up to eight a processor, and learns from each large block that is freed to
keep larger ones: a server that has received a few exams over many threads then holds tens of megabytes that nobody
uses (mallopt(3), M_ARENA_MAX and M_MMAP_THRESHOLD).
"""

from __future__ import annotations

import ctypes
import sys
from contextlib import suppress

_TRIM_THRESHOLD, _MMAP_THRESHOLD, _ARENA_MAX = -1, -3, -8
"""M_TRIM_THRESHOLD, M_MMAP_THRESHOLD and M_ARENA_MAX of malloc.h."""
ARENAS = 2
LARGE_BYTES = 1 << 20
"""Blocks from here on are the system's own again as soon as they are freed; setting it ends the learning."""
KEPT_BYTES = 4 << 20
"""What an arena keeps at its end: a slice comes and goes a hundred times a second, and to have its pages given, filled
with zeros, takes as long as to read it."""


def hold_little() -> bool:
    """Let the allocator of this process keep little; False where it is not glibc's, and nothing was changed."""
    if not sys.platform.startswith("linux"):
        return False
    with suppress(OSError, AttributeError):
        adjust = ctypes.CDLL(None).mallopt
        wishes = ((_ARENA_MAX, ARENAS), (_MMAP_THRESHOLD, LARGE_BYTES), (_TRIM_THRESHOLD, KEPT_BYTES))
        return all(bool(adjust(*wish)) for wish in wishes)
    return False
