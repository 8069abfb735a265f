"""Dates and times of a DICOM header as naive local times of the scanner; what can't be read is None.

An offset from UTC in a DT value is dropped: all times of one exam are local to one scanner, and only their
differences are used.
"""

from __future__ import annotations

import re
from datetime import date, datetime, timedelta

from bingcheng.dicom.facts.tags import Tags
from bingcheng.dicom.index.values import DUMMY, beside

DAY = timedelta(days=1)
HALF_DAY = timedelta(hours=12)
FIRST_YEAR, LAST_YEAR = 1850, 2200
"""Nobody who is imaged was born earlier; de-identified dates of 1900 and later stand. Others are dummies."""

_DATE = re.compile(r"(\d{4})[.\-/]?(\d{2})[.\-/]?(\d{2})$")
_TIME = re.compile(r"(\d{2}):?(?:(\d{2}):?(?:(\d{2})(\.\d{1,6})?)?)?\d*$")
_DATETIME = re.compile(r"(\d{8})(\d{2,6}(?:\.\d{1,6})?)?(?:[+-]\d{4})?$")


def date_of(written: str | None) -> date | None:
    """The date of a DA value (``YYYYMMDD``, also with the separators of old objects), or None."""
    match = _DATE.match((written or "").strip())
    if match is None:
        return None
    try:
        found = date(*(int(part) for part in match.groups()))
    except ValueError:
        return None
    return found if FIRST_YEAR <= found.year <= LAST_YEAR else None


def time_of(written: str | None) -> timedelta | None:
    """The time since midnight of a TM value (``HHMMSS.FFFFFF``, shortened or with colons), or None."""
    match = _TIME.match((written or "").strip())
    if match is None:
        return None
    hours, minutes, seconds = (int(part or 0) for part in match.groups()[:3])
    if hours > 23 or minutes > 59 or seconds > 60:  # second 60 is a leap second (PS3.5 table 6.2-1)
        return None
    return timedelta(hours=hours, minutes=minutes, seconds=seconds + float(match.group(4) or 0))


def moment_of(written: str | None) -> datetime | None:
    """The moment of a DT value (``YYYYMMDDHHMMSS.FFFFFF&ZZXX``); None without a time of day, and for a dummy."""
    match = _DATETIME.match((written or "").strip())
    if match is None:
        return None
    found = joined(date_of(match.group(1)), time_of(match.group(2)))
    return None if found == DUMMY else found


def joined(day: date | None, time: timedelta | None) -> datetime | None:
    """The moment of a date and a time since midnight; None if either is."""
    if day is None or time is None:
        return None
    return datetime(day.year, day.month, day.day) + time  # noqa: DTZ001 - local times of one scanner


def nearest(time: timedelta, anchor: datetime) -> datetime:
    """The moment with time of day `time` that is nearest to `anchor`: at most half a day away."""
    moment = joined(anchor.date(), time)
    assert moment is not None
    if moment - anchor > HALF_DAY:
        return moment - DAY
    return moment + DAY if anchor - moment > HALF_DAY else moment


def last_before(time: timedelta, anchor: datetime) -> datetime:
    """The last moment with time of day `time` that is not after `anchor`: midnight may lie between."""
    moment = joined(anchor.date(), time)
    assert moment is not None
    return moment if moment <= anchor else moment - DAY


def time_of_day(moment: datetime) -> timedelta:
    """The time since midnight of a moment."""
    return moment - datetime(moment.year, moment.month, moment.day)  # noqa: DTZ001 - local times of one scanner


def series_moment(header: Tags) -> datetime | None:
    """Series date and time; the study's date stands in for an absent series date."""
    day = date_of(header.text("SeriesDate")) or date_of(header.text("StudyDate"))
    return joined(day, time_of(header.text("SeriesTime")))


def acquisition_moment(header: Tags) -> datetime | None:
    """When this frame's acquisition started, as far as its header says.

    The frame's own date-time comes first (enhanced objects), then AcquisitionDateTime, then AcquisitionDate with
    AcquisitionTime, whose date may be missing: then the series' or the study's stands in, or the day beside it where
    midnight lies between.
    """
    for keyword in ("FrameAcquisitionDateTime", "AcquisitionDateTime"):
        moment = moment_of(header.text(keyword))
        if moment is not None:
            return moment
    time, own = time_of(header.text("AcquisitionTime")), date_of(header.text("AcquisitionDate"))
    if own is not None:
        return joined(own, time)
    for kind in ("Series", "Study"):
        day = date_of(header.text(f"{kind}Date"))
        if day is not None:
            return beside(joined(day, time), joined(day, time_of(header.text(f"{kind}Time"))))
    return None
