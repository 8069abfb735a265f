"""When the tracer was injected, and to which moment a PET image is decay-corrected.

The rules follow the vendor-neutral pseudo-code of the QIBA FDG-PET/CT profile, appendix G, with what real archives
need besides: dates that de-identification shifted apart, times without a date, series re-processed later.
"""

from __future__ import annotations

import math
from datetime import datetime, timedelta

from bingcheng.core.errors import InputError
from bingcheng.dicom.facts.series import SeriesFacts
from bingcheng.dicom.facts.tags import Tags
from bingcheng.dicom.facts.times import (
    DAY,
    HALF_DAY,
    acquisition_moment,
    joined,
    last_before,
    moment_of,
    nearest,
    series_moment,
    time_of,
    time_of_day,
)
from bingcheng.dicom.sources import open_dataset
from bingcheng.dicom.vendors.known import decay_reference as private_reference

SHORT_LIVED_S = 6 * 3600.0
"""Nothing is left of a nuclide that decays faster (16 half-lives a day), so a day's error in a date is plain."""
SAME_TIME = timedelta(seconds=1)
LATE_INJECTION = timedelta(hours=1)
"""A time this little after the scan's start is an injection during a dynamic scan, not one of the evening before."""
LONGEST_SCAN_MS = 86_400_000.0
"""A frame reference time beyond a day is none."""

_FRAME_TAGS = (
    0x00080021, 0x00080020, 0x00080022, 0x00080032, 0x0008002A, 0x00181242, 0x00541300,
)  # fmt: skip


def scan_started_at(facts: SeriesFacts) -> datetime | None:
    """When the scan began: the earliest acquisition; where those times were removed the vendor's private scan time.

    The series time is the last resort, and noted: of a series that was processed again it is that of the processing.
    """
    acquired = facts.series.first_acquired_at or acquisition_moment(facts.header)
    if acquired is not None:
        return acquired
    series = series_moment(facts.header)
    # The private time of Siemens is that to which the image is decay-corrected: the scan's start only with START.
    started = (facts.header.text("DecayCorrection") or "").upper() == "START"
    private = private_reference(facts.header) if started else None
    if private is not None:
        facts.note("scan-start-from-private-time", facts.vendor.name if facts.vendor is not None else "private")
        shifted = series is not None and abs(series - private) > DAY
        return last_before(time_of_day(private), series) if series is not None and shifted else private
    if series is not None:
        facts.note("scan-start-from-series-time", "no acquisition time")
    return series


def injected_at(facts: SeriesFacts, tracer: Tags, half_life_s: float | None) -> datetime | None:
    """When the tracer was injected, mended by the scan's start where the header's date is missing or shifted.

    Parameters
    ----------
    tracer : item of the radiopharmaceutical information sequence.
    half_life_s : decides whether a wrong date is plain; of long-lived or unknown nuclides the date is kept.
    """
    written = moment_of(tracer.text("RadiopharmaceuticalStartDateTime"))
    time = time_of(tracer.text("RadiopharmaceuticalStartTime"))
    started = facts.started_at
    if started is None:
        return written
    if written is None:
        return _dated(facts, time, started) if time is not None else None
    short_lived = half_life_s is not None and half_life_s < SHORT_LIVED_S
    if not short_lived or -LATE_INJECTION <= started - written <= DAY:
        return written
    hours = (started - written) / timedelta(hours=1)
    facts.note("injection-date-shifted", f"{hours:.1f} h before the scan")
    return last_before(time_of_day(written), started)


def decay_reference(facts: SeriesFacts, half_life_s: float | None) -> datetime | None:
    """The moment to which an image with decay correction START is corrected; the series' start as a rule.

    A series time after the first acquisition is that of a later re-processing: then the vendor's private scan time
    counts, else it is calculated from the earliest frame.
    """
    enhanced = moment_of(facts.header.text("DecayCorrectionDateTime"))
    if enhanced is not None:
        return enhanced
    acquired = facts.series.first_acquired_at or acquisition_moment(facts.header)
    series = series_moment(facts.header)
    if acquired is None:
        return facts.started_at
    if series is None:
        return acquired
    if abs(series - acquired) > HALF_DAY:
        facts.note("series-date-shifted", f"{(acquired - series) / timedelta(hours=1):.1f} h before the scan")
        series = nearest(time_of_day(series), acquired)
    if series <= acquired + SAME_TIME:
        return series
    facts.note("series-time-after-acquisition", f"{(series - acquired).total_seconds():.0f} s")
    private = private_reference(facts.header)
    if private is None:
        return _from_earliest_frame(facts, half_life_s) or acquired
    if abs(private - acquired) > HALF_DAY:
        facts.note("private-scan-date-shifted", f"{(acquired - private) / timedelta(hours=1):.1f} h before the scan")
        private = nearest(time_of_day(private), acquired)
    return private


def mean_rate_delay_s(duration_s: float, half_life_s: float) -> float:
    """Seconds from a frame's start to the moment at which the activity equals its mean over the frame.

    With x = ln 2 T / T_half, this is T/x ln(x / (1 - exp(-x))); it is a little less than half the frame.
    Source: DICOM PS3.3 C.8.9.4.1.5; QIBA FDG-PET/CT profile, appendix G.
    """
    decay = math.log(2) * duration_s / half_life_s
    if decay < 1e-9:
        return duration_s / 2
    return duration_s / decay * math.log(decay / -math.expm1(-decay))


def _dated(facts: SeriesFacts, time: timedelta, started: datetime) -> datetime:
    """The moment of an injection time that has no date (PS3.3 C.8.9.2: it may lie before midnight)."""
    same_day = joined(started.date(), time)
    assert same_day is not None
    if same_day <= started + LATE_INJECTION:
        return same_day
    facts.note("injection-before-midnight", f"{(started - same_day + DAY) / timedelta(hours=1):.1f} h before the scan")
    return same_day - DAY


def _from_earliest_frame(facts: SeriesFacts, half_life_s: float | None) -> datetime | None:
    """The reference from the acquisition time and the frame reference time of the frame acquired first."""
    frames = []
    for source in {(source.path, source.member): source for source in facts.series.sources}.values():
        try:
            header = Tags(open_dataset(source, specific_tags=_FRAME_TAGS), source.frame)
        except InputError:  # the reader refuses that file by name; the others still say when the scan began
            continue
        acquired, delay_ms = acquisition_moment(header), header.number("FrameReferenceTime")
        if acquired is not None and delay_ms is not None and abs(delay_ms) <= LONGEST_SCAN_MS:
            frames.append((acquired, delay_ms / 1000, (header.positive("ActualFrameDuration") or 0.0) / 1000))
    if not frames:
        return None
    acquired, delay_s, duration_s = min(frames)
    if delay_s <= 0:
        return acquired
    middle = facts.vendor is None or facts.vendor.mid_frame_reference
    if not middle:
        return acquired - timedelta(seconds=delay_s)
    if duration_s <= 0 or half_life_s is None:
        return None
    return acquired - timedelta(seconds=delay_s - mean_rate_delay_s(duration_s, half_life_s))
