"""Series made by hand and read as quantities."""

from __future__ import annotations

from types import SimpleNamespace

import pytest

from bingcheng.dicom.acquisition import AnyAcquisition, Device, MrAcquisition
from bingcheng.protocol.attributes import ExamFacts, Reading, attributes


def mr(**facts) -> MrAcquisition:
    """An MR series with nothing but what is said."""
    made = {
        "modality": "MR",
        "device": Device(vendor="SIEMENS"),
        "series_uid": "1.2.1",
        "image_type": ("ORIGINAL", "PRIMARY", "M"),
        "field_strength_t": 1.5,
        "acquisition_type": "2D",
        "slice_count": 30,
        "volume_count": 1,
    }
    return MrAcquisition(**(made | facts))


def read(key: str, acquisition: AnyAcquisition, *others: AnyAcquisition, measured: dict | None = None) -> Reading:
    """One quantity of one series in its exam."""
    exam = ExamFacts(acquisitions=(acquisition, *others), measured=measured or {})
    return attributes()[key].read(exam, acquisition)


@pytest.fixture(scope="session")
def hand() -> SimpleNamespace:
    """Builders and readers."""
    return SimpleNamespace(mr=mr, read=read)
