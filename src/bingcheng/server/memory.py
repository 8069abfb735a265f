"""Memory given back to the system after what was large, instead of kept for the next time.

glibc gives every thread an arena of its own, up to eight a processor, and learns from each large block that is freed to
keep larger ones: a server that has received a few exams over many threads then holds tens of megabytes that nobody
uses (mallopt(3), M_ARENA_MAX and M_MMAP_THRESHOLD).
"""

from __future__ import annotations

import ctypes
import sys
from contextlib import suppress

_MMAP_THRESHOLD, _ARENA_MAX = -3, -8
"""M_MMAP_THRESHOLD and M_ARENA_MAX of malloc.h."""
ARENAS = 2
LARGE_BYTES = 256 << 10
"""Blocks from here on are the system's own again as soon as they are freed; setting it ends the learning."""


def hold_little() -> bool:
    """Let the allocator of this process keep little; False where it is not glibc's, and nothing was changed."""
    if not sys.platform.startswith("linux"):
        return False
    with suppress(OSError, AttributeError):
        adjust = ctypes.CDLL(None).mallopt
        return bool(adjust(_ARENA_MAX, ARENAS)) and bool(adjust(_MMAP_THRESHOLD, LARGE_BYTES))
    return False
