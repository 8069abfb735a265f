"""The server gives memory back that it needed for a moment."""

from __future__ import annotations

import platform
import subprocess
import sys

import pytest

PROGRAM = """
import sys
from bingcheng.server.memory import hold_little
def held():
    return int(open("/proc/self/statm").read().split()[1]) * 4096
if sys.argv[1] == "little":
    assert hold_little()
large = bytearray(16 << 20)
large[::4096] = bytes(len(large[::4096]))
del large  # from here on glibc keeps blocks of as much
before = held()
several = [bytearray(b"1") * (1 << 20) for _ in range(24)]
at_the_end = bytearray(b"1") * 65536  # keeps the heap below it from being cut
del several
print((held() - before) >> 20)
"""


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="the allocator is not glibc's")
def test_what_was_freed_is_the_systems_again():
    done = subprocess.run([sys.executable, "-c", PROGRAM, "little"], capture_output=True, text=True, check=True)
    assert int(done.stdout) <= 2
