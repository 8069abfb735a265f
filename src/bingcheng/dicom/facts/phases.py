"""When the phases of a dynamic series were acquired.

The index tells volumes at the same place apart by what differs between them. A clock (acquisition time, content time)
gives seconds; a temporal position without any clock gives ranks, which are no times; the trigger delay (0018,1060) is
either GE's way to write the phases of a dynamic series, or the moment within the heart's cycle.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime
from itertools import pairwise

from bingcheng.dicom.exam import VolumeFrames
from bingcheng.dicom.facts.series import SeriesFacts
from bingcheng.dicom.facts.tags import Tags
from bingcheng.dicom.facts.times import acquisition_moment, date_of, joined, time_of

ONE_HEARTBEAT_MS = 2500.0
"""No heart at rest beats less often than 24 times a minute: trigger delays within it may be of one beat."""
_TEMPORAL = ("time", "phase", "acquisition", "repeat")
_STATIC = frozenset(("b_value", "direction"))
"""Volumes that differ in these are no phases, whenever they were acquired."""
_EPOCH = datetime(1970, 1, 1)  # noqa: DTZ001 - only differences are used


def volume_times_s(facts: SeriesFacts) -> tuple[float, ...]:
    """Seconds of each phase after the first, rising from 0; empty if the series is not dynamic or tells no times."""
    if facts.phase_times_s is None:
        facts.phase_times_s = _phase_times_s(facts)
    return facts.phase_times_s


def _phase_times_s(facts: SeriesFacts) -> tuple[float, ...]:
    volumes = _longest_run(facts.series.volumes)
    if len(volumes) < 2:
        return ()
    keys = [dict(volume.key) for volume in volumes]
    for name, seconds in (
        ("time", _as_times),
        ("phase", _as_phases),
        ("acquisition", _by_clock),
        ("repeat", _by_clock),
    ):
        if all(name in key for key in keys):
            return _from_zero(seconds(facts, volumes, [key[name] for key in keys]))
    return ()


def _longest_run(volumes: Sequence[VolumeFrames]) -> list[VolumeFrames]:
    """The volumes that differ by nothing but time: of several such sets (echoes, water and fat) the largest."""
    runs: dict[tuple[tuple[str, float], ...], list[VolumeFrames]] = {}
    for volume in volumes:
        if _STATIC.isdisjoint(name for name, _ in volume.key):
            runs.setdefault(tuple(part for part in volume.key if part[0] not in _TEMPORAL), []).append(volume)
    return max(runs.values(), key=len, default=[])


def _from_zero(times: Sequence[float]) -> tuple[float, ...]:
    ordered = sorted(times)
    rising = all(before < after for before, after in pairwise(ordered))
    return tuple(round(time - ordered[0], 6) for time in ordered) if len(ordered) > 1 and rising else ()


def _as_times(facts: SeriesFacts, volumes: Sequence[VolumeFrames], values: Sequence[float]) -> Sequence[float]:
    """The index's times; whole numbers from 0 on may be mere ranks, which only the headers can tell.

    The index takes trigger delays for times where no other clock rises.
    """
    if sorted(values) == [float(rank) for rank in range(len(values))]:
        return _by_clock(facts, volumes, values)
    triggered = facts.header.number("TriggerTime") is not None
    return () if triggered and cardiac(facts.header, [1000 * value for value in values]) else values


def _as_phases(facts: SeriesFacts, volumes: Sequence[VolumeFrames], values: Sequence[float]) -> Sequence[float]:
    """Trigger delays in ms as times of an MR series, unless they lie within the heart's cycle.

    CT and PET write phases of breathing there.
    """
    del volumes
    gated = facts.series.modality != "MR" or cardiac(facts.header, values)
    return () if gated else [value / 1000 for value in values]


def _by_clock(facts: SeriesFacts, volumes: Sequence[VolumeFrames], values: Sequence[float]) -> Sequence[float]:
    """Times by the first clock that all headers have and that tells all volumes apart."""
    del values
    headers = list(facts.first_headers(volumes))
    if len(headers) < len(volumes):
        return ()
    for clock in _CLOCKS:
        read = [clock(header) for header in headers]
        times = [time for time in read if time is not None]
        if len(times) == len(headers) and len(set(times)) == len(times):
            if clock is not _trigger_s:
                return times
            if facts.series.modality == "MR" and not cardiac(facts.header, [1000 * time for time in times]):
                return times
    return ()


def cardiac(header: Tags, delays_ms: Sequence[float]) -> bool:
    """Whether trigger delays are moments of the heart's cycle, or can't be told from such.

    They are if the header speaks of gating by the heart, or if all lie within one beat.
    """
    options = {option.upper() for option in header.texts("ScanOptions")}
    technique = (header.text("CardiacSynchronizationTechnique") or "NONE").upper()
    beats = header.positive("NominalInterval") if header.positive("HeartRate") is not None else None
    if options & {"CG", "PPG"} or technique != "NONE" or min(delays_ms) < 0:
        return True
    return max(delays_ms) <= max(ONE_HEARTBEAT_MS, beats or 0.0)


def _seconds(moment: datetime | None) -> float | None:
    return None if moment is None else (moment - _EPOCH).total_seconds()


def _acquired_s(header: Tags) -> float | None:
    return _seconds(acquisition_moment(header))


def _offset_s(header: Tags) -> float | None:
    return header.number("TemporalPositionTimeOffset")


def _trigger_s(header: Tags) -> float | None:
    delay = header.number("TriggerTime")
    return None if delay is None else delay / 1000


def _content_s(header: Tags) -> float | None:
    days = (date_of(header.text(keyword)) for keyword in ("ContentDate", "SeriesDate", "StudyDate"))
    return _seconds(joined(next((day for day in days if day), None), time_of(header.text("ContentTime"))))


_CLOCKS: tuple[Callable[[Tags], float | None], ...] = (_offset_s, _acquired_s, _trigger_s, _content_s)
