"""GE."""

from __future__ import annotations

import re
from datetime import datetime

from bingcheng.dicom.facts.tags import Tags
from bingcheng.dicom.facts.times import moment_of
from bingcheng.dicom.vendors.vendor import Vendor, in_words

_METHOD = re.compile(r"(?P<family>VP|QC)(?P<flight>FX|HD)(?P<sharp>-?S)?", re.IGNORECASE)


def decay_reference(header: Tags) -> datetime | None:
    """From (0009,xx0D) of GEMS_PETD_01: start of the scan, which post-processed series keep."""
    return moment_of(header.private_text(0x0009, "GEMS_PETD_01", 0x0D))


def iterations(header: Tags) -> tuple[int, int] | None:
    """From (0009,xxB2) and (0009,xxB3) of GEMS_PETD_01; zeros mean that they were not recorded."""
    counts = tuple(header.private_numbers(0x0009, "GEMS_PETD_01", element) for element in (0xB2, 0xB3))
    if not all(counts) or counts[0][0] < 1 or counts[1][0] < 1:
        return None
    return int(counts[0][0]), int(counts[1][0])


def reconstruction(method: str) -> tuple[bool | None, bool | None]:
    """(time of flight, point spread function) behind GE's codes: VP is VUE Point, QC is Q.Clear, S is SharpIR.

    FX stands for time of flight, HD for none; Q.Clear always models the point spread function.
    """
    match = _METHOD.match(method.strip())
    if match is None:
        return in_words(method)
    return match["flight"].upper() == "FX", match["family"].upper() == "QC" or match["sharp"] is not None


def iterative(header: Tags) -> str | None:
    """From (0053,xx40) of GEHC_CT_ADVAPP_001: the annotation of ASiR and its successors with their percentage."""
    return header.private_text(0x0053, "GEHC_CT_ADVAPP_001", 0x40)


def duration_s(header: Tags) -> float | None:
    """From (0019,xx5A) of GEMS_ACQU_01, in microseconds."""
    found = header.private_numbers(0x0019, "GEMS_ACQU_01", 0x5A, form="f")
    return found[0] / 1e6 if found and found[0] > 0 else None


def fat_suppression(header: Tags) -> str | None:
    """From (0019,xxA4) of GEMS_ACQU_01, which pulses saturate fat, water or bone: 0 is none, others stay unread."""
    return "NONE" if header.private_numbers(0x0019, "GEMS_ACQU_01", 0xA4, form="h") == (0.0,) else None


# GE's frame reference time is the delay from the scan's start to the frame's start: in public series it equals
# AcquisitionTime - SeriesTime to the second, without half a frame added.
GE = Vendor(
    name="GE",
    words=("GE ", "GENERAL ELECTRIC"),
    decay_reference=decay_reference,
    mid_frame_reference=False,
    iterations=iterations,
    reconstruction=reconstruction,
    iterative=iterative,
    duration_s=duration_s,
    fat_suppression=fat_suppression,
)
