"""Siemens (and CPS, whose PET scanners it sold)."""

from __future__ import annotations

import re
from datetime import datetime

from bingcheng.dicom.facts.tags import Tags
from bingcheng.dicom.facts.times import moment_of
from bingcheng.dicom.vendors.vendor import Vendor

_DIFFUSION_SEQUENCE = re.compile(r"ep_b(\d+)", re.IGNORECASE)


def b_value(header: Tags) -> float | None:
    """From (0019,xx0C) of SIEMENS MR HEADER, else from the sequence's name (``*ep_b1000#2``)."""
    found = header.private_numbers(0x0019, "SIEMENS MR HEADER", 0x0C)
    if found:
        return found[0]
    match = _DIFFUSION_SEQUENCE.search(header.text("SequenceName") or "")
    return float(match.group(1)) if match else None


def decay_reference(header: Tags) -> datetime | None:
    """From (0071,xx22) of SIEMENS MED PT: decay correction date and time."""
    return moment_of(header.private_text(0x0071, "SIEMENS MED PT", 0x22))


def iterative(header: Tags) -> str | None:
    """SAFIRE (kernels I..) or ADMIRE (kernels B.., H.., Q..) with its strength, the kernel's second value."""
    kernel = header.texts("ConvolutionKernel")
    if len(kernel) < 2 or not kernel[1].isdigit():
        return None
    return f"{'SAFIRE' if kernel[0].upper().startswith('I') else 'ADMIRE'} {kernel[1]}"


SIEMENS = Vendor(
    name="SIEMENS",
    words=("SIEMENS", "CPS"),
    b_value=b_value,
    decay_reference=decay_reference,
    iterative=iterative,
)
