"""United Imaging Healthcare (联影)."""

from __future__ import annotations

from bingcheng.dicom.facts.tags import Tags
from bingcheng.dicom.vendors.vendor import Vendor


def b_value(header: Tags) -> float | None:
    """From (0065,xx09) of Image Private Header."""
    found = header.private_numbers(0x0065, "Image Private Header", 0x09, form="d")
    return found[0] if found else None


UIH = Vendor(name="UIH", words=("UIH", "UNITED IMAGING", "UNITED-IMAGING", "联影"), b_value=b_value)
