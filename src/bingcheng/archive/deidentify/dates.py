"""Dates moved by a constant number of days, times kept; ages capped."""

from __future__ import annotations

import re
from datetime import date, timedelta

_DATE = re.compile(r"(\d{4})[.-]?(\d{2})[.-]?(\d{2})$")
_DATETIME = re.compile(r"(\d{4})(\d{2})?(\d{2})?(\d{0,6}(?:\.\d{1,6})?)([+-]\d{4})?$")
OLDEST_TOLD_YEARS = 89
"""HIPAA, 45 CFR 164.514(b)(2)(i)(C): ages over 89 are told as 90 or older."""


def moved(words: str, vr: str, days: int) -> str | None:
    """A value of VR DA or DT, moved back by `days`, or each of several; None if one can't be understood."""
    parts = [_moved_one(part.strip("\0 "), vr, days) for part in words.split("\\")]
    return None if any(part is None for part in parts) else "\\".join(part or "" for part in parts)


def _moved_one(words: str, vr: str, days: int) -> str | None:
    if not words:
        return ""
    found = (_DATE if vr == "DA" else _DATETIME).match(words)
    if found is None:
        return None
    year, month, day = found[1], found[2] or "07", found[3] or "01"
    try:
        new = date(int(year), int(month), int(day)) - timedelta(days=days)
    except (ValueError, OverflowError):
        return None
    if vr == "DA":
        return f"{new:%Y%m%d}" if new.year >= 1000 else None
    told = f"{new.year:04d}{new:%m%d}"
    kept = 8 if found[3] else 6 if found[2] else 4
    return told[:kept] + (found[4] if found[3] else "") + (found[5] or "")


def capped_age(words: str) -> str:
    """An age (VR AS) of which nobody older than 89 years can be told; what isn't one is removed."""
    found = re.match(r"(\d{3})([DWMY])$", words)
    if found is None:
        return ""
    years = int(found[1]) / {"D": 365.25, "W": 52.18, "M": 12, "Y": 1}[found[2]]
    return f"{OLDEST_TOLD_YEARS + 1:03d}Y" if years > OLDEST_TOLD_YEARS else words
