"""Canon (formerly Toshiba)."""

from __future__ import annotations

import re

from bingcheng.dicom.facts.tags import Tags
from bingcheng.dicom.vendors.vendor import Vendor

_COMMENT = re.compile(r"\s*b=(\d+(?:\.\d+)?)")


def b_value(header: Tags) -> float | None:
    """From the image comments of older software: ``b=1500(0.445,0.000,0.895)``."""
    match = _COMMENT.match(header.text("ImageComments") or "")
    return float(match.group(1)) if match else None


CANON = Vendor(name="CANON", words=("CANON", "TOSHIBA"), b_value=b_value)
