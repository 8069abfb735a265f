"""Which measures an installation has: all that are described, found without importing what describes none."""

from __future__ import annotations

import subprocess
import sys

from bingcheng.core.case import Methods
from bingcheng.engine.methods import PACKAGES, fingerprint, installed

FLOORS = ("bingcheng.quality", "bingcheng.quantify")

IMPORTED = """
import sys
from bingcheng.core.case import Methods
from bingcheng.engine.methods import PACKAGES
Methods.of(*PACKAGES)
print(*sorted({".".join(name.split(".")[:3]) for name in sys.modules if name.startswith("bingcheng.quantify.")}))
"""


def test_no_measure_and_no_derived_input_stands_elsewhere():
    """One that does is not found: add its package to `engine.methods.PACKAGES`, or move it to one of those."""
    found, every = Methods.of(*PACKAGES), Methods.of(*FLOORS)
    assert set(found.measures.keys()) == set(every.measures.keys())
    assert set(found.derived.keys()) == set(every.derived.keys())


def test_rooms_without_measures_are_not_imported():
    done = subprocess.run([sys.executable, "-c", IMPORTED], capture_output=True, text=True, check=True)
    rooms = set(done.stdout.split())
    assert {"bingcheng.quantify.size", "bingcheng.quantify.uptake"} <= rooms
    assert not rooms & {f"bingcheng.quantify.{room}" for room in ("texture", "shape", "lesion", "filters")}


def test_the_fingerprint_is_that_of_the_measures():
    assert fingerprint(installed()) == fingerprint(installed())
    assert fingerprint(Methods.of(*PACKAGES)) != fingerprint(Methods.of("bingcheng.quantify.size"))
