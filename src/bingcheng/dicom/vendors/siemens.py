"""Siemens (and CPS, whose PET scanners it sold)."""

from __future__ import annotations

import re
from datetime import datetime

from bingcheng.dicom.facts.tags import Tags
from bingcheng.dicom.facts.times import moment_of
from bingcheng.dicom.vendors.vendor import Vendor

_MR = "SIEMENS MR HEADER"
_TAKEN = re.compile(r"TA\s*(?:(?:(\d+):)?(\d+):)?(\d+(?:\.\d+)?)$")


def decay_reference(header: Tags) -> datetime | None:
    """From (0071,xx22) of SIEMENS MED PT: decay correction date and time."""
    return moment_of(header.private_text(0x0071, "SIEMENS MED PT", 0x22))


def iterative(header: Tags) -> str | None:
    """SAFIRE (kernels I..) or ADMIRE (kernels B.., H.., Q..) with its strength, the kernel's second value."""
    kernel = header.texts("ConvolutionKernel")
    if len(kernel) < 2 or not kernel[1].isdigit():
        return None
    return f"{'SAFIRE' if kernel[0].upper().startswith('I') else 'ADMIRE'} {kernel[1]}"


def duration_s(header: Tags) -> float | None:
    """From (0051,xx0A) of SIEMENS MR HEADER: ``TA 04:14``, hours before minutes if there are any; no other form."""
    match = _TAKEN.match((header.private_text(0x0051, _MR, 0x0A) or "").upper())
    if match is None:
        return None
    hours, minutes, seconds = (float(part or 0) for part in match.groups())
    return 3600 * hours + 60 * minutes + seconds or None


def fat_suppression(header: Tags) -> str | None:
    """From (0051,xx19) of SIEMENS MR HEADER: the options of the sequence, all of them (``A1/PFP/FS``, ``A1``)."""
    listed = header.private_text(0x0051, _MR, 0x19)
    if listed is None:
        return None
    options = {option.strip().upper() for option in listed.split("/")}
    return "SPECTRAL" if options & {"FS", "SFS"} else "NONE"


SIEMENS = Vendor(
    name="SIEMENS",
    words=("SIEMENS", "CPS"),
    decay_reference=decay_reference,
    iterative=iterative,
    duration_s=duration_s,
    fat_suppression=fat_suppression,
)
