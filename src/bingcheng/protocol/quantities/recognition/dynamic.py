"""Dynamics: the same volume again and again, in one series or, as Siemens and others write it, in a series a phase."""

from __future__ import annotations

from bisect import bisect_left
from dataclasses import dataclass
from datetime import datetime, timedelta
from statistics import median

from bingcheng.core.errors import Owner
from bingcheng.core.wording import text
from bingcheng.dicom.acquisition import Acquisition, AnyAcquisition, MrAcquisition
from bingcheng.protocol.attributes import ExamFacts, Told, attribute
from bingcheng.protocol.quantities.contrast import injection_start
from bingcheng.protocol.quantities.recognition.likeness import likes, once
from bingcheng.protocol.values import Kind

FEWEST_PHASES = 3
"""Two like series are a pair before and after contrast; a dynamic follows the contrast agent."""

LONGEST_PAUSE_S = 300.0
"""Between the phases of one dynamic; the hepatobiliary phase twenty minutes later is no part of it."""

SAME_MOMENT_S = 0.5
"""Starts that lie closer together are one phase, written into several series (the images of a Dixon, two filters)."""

NO_DYNAMIC = text("the series is no dynamic, or its header does not tell the times of its volumes")
READ_TIMES = text("Read it from the console, or have the time of each volume written into the header.")


@dataclass(frozen=True, slots=True, kw_only=True)
class Phases:
    """When the volumes of a dynamic were begun, ascending, over all its series.

    `starts_s` : seconds from the first one. `first_at` : when that was; None if only differences are known.
    `ended_at` : when the last one ended, if a header says so.
    """

    starts_s: tuple[float, ...]
    first_at: datetime | None
    ended_at: datetime | None
    series: int

    @property
    def steps_s(self) -> tuple[float, ...]:
        """Seconds from each volume to the next."""
        return tuple(b - a for a, b in zip(self.starts_s, self.starts_s[1:], strict=False))


def phases(acquisition: AnyAcquisition, exam: ExamFacts) -> Phases | None:
    """The dynamic to which a series belongs; None if it is none, or if no times tell."""
    return once("phases", _phases, acquisition, exam)


def _phases(acquisition: AnyAcquisition, exam: ExamFacts) -> Phases | None:
    if isinstance(acquisition, MrAcquisition) and max(acquisition.b_values_s_per_mm2, default=0.0) > 0.0:
        return None  # the volumes of a diffusion series are b-values
    own = acquisition.volume_times_s
    group = likes(acquisition, exam) if isinstance(acquisition, MrAcquisition) else (acquisition,)
    if len(group) > 1:
        found = _chained(acquisition, group)
        if found is not None:
            return found
    if len(own) < FEWEST_PHASES:
        return None
    return Phases(starts_s=own, first_at=acquisition.started_at, ended_at=acquisition.ended_at, series=1)


@attribute("derived.is_dynamic", label=text("dynamic series"), kind=Kind.FLAG, owner=Owner.TECHNOLOGIST)
def is_dynamic(acquisition: Acquisition, exam: ExamFacts) -> bool | Told | None:
    """Whether a series is a dynamic or one phase of it: at least three volumes of the same settings and place.

    Several volumes whose times are not recorded leave it open, since they may be echoes or repetitions.
    """
    found = phases(acquisition, exam)
    if found is not None:
        remark = text("{count} volumes in {series} series", count=len(found.starts_s), series=found.series)
        return Told(True, remark, 1.0 if found.series == 1 else 0.9)
    if isinstance(acquisition, MrAcquisition) and acquisition.temporal_resolution_s is not None:
        return Told(True, text("the header gives a temporal resolution"), 0.9)
    return None if _unexplained_volumes(acquisition) >= FEWEST_PHASES or acquisition.volume_count is None else False


@attribute(
    "derived.n_phases", label=text("number of phases"), why=NO_DYNAMIC, supply=READ_TIMES, owner=Owner.TECHNOLOGIST
)
def n_phases(acquisition: Acquisition, exam: ExamFacts) -> float | None:
    """How many volumes the dynamic has, over all its series."""
    found = phases(acquisition, exam)
    return None if found is None else float(len(found.starts_s))


@attribute(
    "derived.dynamic_duration_s",
    label=text("duration of the dynamic"),
    unit="s",
    tolerance=1.0,
    why=NO_DYNAMIC,
    supply=READ_TIMES,
    owner=Owner.TECHNOLOGIST,
)
def dynamic_duration(acquisition: Acquisition, exam: ExamFacts) -> float | None:
    """Seconds from the start of the first volume to the end of the last one.

    Where no header says when the last one ended, it is taken to have lasted as long as the others.
    """
    found = phases(acquisition, exam)
    if found is None:
        return None
    if found.first_at is not None and found.ended_at is not None:
        stated_s = (found.ended_at - found.first_at).total_seconds()
        if stated_s > found.starts_s[-1]:
            return stated_s
    return found.starts_s[-1] + median(found.steps_s)


@attribute(
    "derived.temporal_resolution_s",
    label=text("temporal resolution"),
    unit="s",
    tolerance=0.05,
    why=NO_DYNAMIC,
    supply=READ_TIMES,
    owner=Owner.TECHNOLOGIST,
)
def temporal_resolution(acquisition: MrAcquisition, exam: ExamFacts) -> float | None:
    """Seconds between two volumes of a dynamic: the median step, or what the header states (0020,0110).

    Where phases are series of their own, the step over the injection is a pause and does not count.
    """
    found = phases(acquisition, exam)
    if found is None or (found.series == 1 and acquisition.temporal_resolution_s is not None):
        return acquisition.temporal_resolution_s
    steps_s = list(found.steps_s)
    injected = injection_start(acquisition, exam)
    if found.series > 1 and injected is not None and found.first_at is not None and len(steps_s) > 1:
        after = bisect_left(found.starts_s, (injected - found.first_at).total_seconds())
        if 0 < after < len(found.starts_s):
            del steps_s[after - 1]
    return median(steps_s)


def starts_of(acquisition: AnyAcquisition) -> tuple[datetime, ...]:
    """When each volume of one series was begun; empty if the header does not say when the series was."""
    if acquisition.started_at is None:
        return ()
    times_s = acquisition.volume_times_s or (0.0,)
    return tuple(acquisition.started_at + timedelta(seconds=t - times_s[0]) for t in times_s)


def _chained(acquisition: Acquisition, group: tuple[AnyAcquisition, ...]) -> Phases | None:
    """The volumes of all series of `group` that follow on each other without a long pause around `acquisition`."""
    moments = sorted({moment for one in group for moment in starts_of(one)})
    assert acquisition.started_at is not None
    chain: list[datetime] = []
    for moment in moments:
        if chain and (moment - chain[-1]).total_seconds() > LONGEST_PAUSE_S:
            if acquisition.started_at <= chain[-1]:
                break
            chain = []
        if not chain or (moment - chain[-1]).total_seconds() > SAME_MOMENT_S:
            chain.append(moment)
    if len(chain) < FEWEST_PHASES:
        return None
    members = [one for one in group if one.started_at is not None and chain[0] <= one.started_at <= chain[-1]]
    return Phases(
        starts_s=tuple((moment - chain[0]).total_seconds() for moment in chain),
        first_at=chain[0],
        ended_at=members[-1].ended_at,
        series=len(members),
    )


def _unexplained_volumes(acquisition: Acquisition) -> float:
    """How many volumes a series has that are no echoes, b-values, or images of a Dixon acquisition."""
    count = acquisition.volume_count or 1
    if not isinstance(acquisition, MrAcquisition):
        return count
    ways = (len(acquisition.echo_times_ms), len(acquisition.b_values_s_per_mm2), len(acquisition.dixon))
    explained = 1
    for way in ways:
        explained *= max(way, 1)
    return count / explained
