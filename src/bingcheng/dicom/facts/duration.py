"""How long a series was acquired, and when its acquisition ended: only where the header gives a duration."""

from __future__ import annotations

from datetime import datetime, timedelta

from bingcheng.dicom.facts.phases import volume_times_s
from bingcheng.dicom.facts.series import SeriesFacts
from bingcheng.dicom.facts.tags import Tags
from bingcheng.dicom.facts.times import acquisition_moment

LONGEST_RUN_S = 7200.0
"""No series of one patient is acquired for longer; what is written above it is in ms (a run of 8 s is written 8000)."""


def duration_s(facts: SeriesFacts) -> float | None:
    """Seconds that the whole run of the sequence took: (0018,9073), else where the vendor writes it.

    PS3.3 C.8.13.2: the time needed to run the prescribed pulse sequence.
    """
    written = facts.header.positive("AcquisitionDuration")
    if written is None:
        return facts.vendor.duration_s(facts.header) if facts.vendor is not None else None
    if written <= LONGEST_RUN_S:
        return written
    if written / 1000 <= LONGEST_RUN_S:
        facts.note("acquisition-duration-in-milliseconds", f"{written:g}")
        return written / 1000
    facts.note("acquisition-duration-impossible", f"{written:g}")
    return None


def ended_at(facts: SeriesFacts) -> datetime | None:
    """The end of the last acquisition; None where the header gives no duration.

    A duration that covers the starts of all acquisitions is that of the whole run, and counts from its start. A shorter
    one is that of each acquisition (a phase, a breath-hold), and counts from the start of the last. Without a run's
    duration that of the frame acquired last does (each bed of a PET scan has its own).
    """
    started = facts.started_at
    if started is None:
        return None
    last = max(facts.series.last_acquired_at or started, started)
    run_s = duration_s(facts)
    if run_s is None:
        frame_s = _last_frame_s(facts, last)
        return last + timedelta(seconds=frame_s) if frame_s is not None else None
    phases = len(volume_times_s(facts))
    # Of n equal phases the last starts after n - 1 of them, and the run lasts n: the middle tells run from phase.
    share = 1 + 0.5 / (phases - 1) if phases > 1 else 1.0
    whole = run_s >= (last - started).total_seconds() * share
    return (started if whole else last) + timedelta(seconds=run_s)


def frame_duration_s(header: Tags) -> float | None:
    """Seconds over which a frame was acquired; both attributes are in ms."""
    written = header.positive("ActualFrameDuration") or header.positive("FrameAcquisitionDuration")
    return written / 1000 if written is not None else None


def _last_frame_s(facts: SeriesFacts, last: datetime) -> float | None:
    """The duration of the frame acquired last, which lies at one end of the stack; the first slice's else."""
    own = frame_duration_s(facts.header)
    if own is None or facts.volume is None:
        return own
    last_volume = facts.series.volumes[-1]
    ends = {id(end): end for end in (facts.volume.frames[0], last_volume.frames[0], last_volume.frames[-1])}
    found = (facts.header_of(end) for end in ends.values())
    durations = [
        seconds
        for header in found
        if header is not None
        and acquisition_moment(header) == last
        and (seconds := frame_duration_s(header)) is not None
    ]
    return max(durations, default=own)
