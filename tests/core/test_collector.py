"""When a process looks for reference cycles."""

from __future__ import annotations

import gc
import subprocess
import sys

from bingcheng.core.collector import collect_from_now_on, collecting_later


def test_nothing_is_collected_until_a_command_begins():
    assert gc.isenabled()
    with collecting_later():
        assert not gc.isenabled()
        collect_from_now_on()
        assert gc.isenabled()


def test_whoever_gives_a_command_in_his_own_process_collects_after_it_as_before():
    with collecting_later():
        pass
    assert gc.isenabled()
    gc.disable()
    try:
        with collecting_later():
            collect_from_now_on()
        assert not gc.isenabled()
    finally:
        gc.enable()


def test_what_is_loaded_is_not_looked_through_for_garbage_again():
    program = """
import gc
from bingcheng.core.collector import loading, pass_by_what_is_loaded
pass_by_what_is_loaded()
print(gc.get_freeze_count(), len(gc.get_objects()))
with loading():
    assert not gc.isenabled()
    loaded = [[] for _ in range(5000)]
assert gc.isenabled()
print(gc.get_freeze_count(), len(gc.get_objects()))
"""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    (kept, looked_at), (and_then, still_at) = (map(int, line.split()) for line in done.stdout.splitlines())
    assert kept > 1000 > looked_at
    assert and_then >= kept + 5000
    assert still_at < 1000
