"""What every test may ask for."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

REFERENCE_DATA = "BINGCHENG_REFERENCE_DATA"


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
