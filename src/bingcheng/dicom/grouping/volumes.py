"""The slices of one series, divided into volumes: by orientation and grid, and by what repeats at each position.

Echoes, b-values, phases and time points of one series lie at the same positions. What tells them apart is found by
trying the facts in turn: a fact divides a series when dividing by it leaves fewer slices at one place, and when it has
no more values than there are slices at one place (a time that differs from slice to slice divides nothing).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Hashable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import pairwise
from types import MappingProxyType

import numpy as np

from bingcheng.core.errors import InputError, Owner, Problem
from bingcheng.dicom.exam import VolumeFrames
from bingcheng.dicom.grouping.positions import MISSING_SLICE, SAME_PLACE_MM, depths_mm, ordered, runs
from bingcheng.dicom.grouping.slices import Slice
from bingcheng.dicom.index.functional_groups import Sextuple

NO_POSITION = Problem(
    code="dicom.missing-position",
    says="{count} slices lack ImagePositionPatient or ImageOrientationPatient",
    remedy="Export the series with its geometry; a screenshot or a conversion has lost it.",
    owner=Owner.ARCHIVE,
)
NO_SPACING = Problem(
    code="dicom.missing-spacing",
    says="{count} slices lack PixelSpacing",
    remedy="Export the series with its geometry; without it nothing in it has a size.",
    owner=Owner.ARCHIVE,
)
MOSAIC = Problem(
    code="dicom.mosaic",
    says="the slices are stored as tiles of one picture (Siemens mosaic)",
    remedy="Send the series in the enhanced format, or as one image a slice.",
    owner=Owner.TECHNOLOGIST,
)
COLOUR = Problem(
    code="dicom.colour",
    says="the images are in colour, which measures nothing",
    remedy="Send the grey-scale original.",
    owner=Owner.TECHNOLOGIST,
)
FRAMES = Problem(
    code="dicom.frames-without-geometry",
    says="a file has several frames, but not for each of them its place (functional groups)",
    remedy="Send the series in the enhanced format, or as one image a slice.",
    owner=Owner.VENDOR,
)
UNUSABLE_SLICE = Problem(
    code="dicom.unusable-slice",
    says="{count} of {expected} slices can't be used, for reasons given with the files",
    remedy="Send the series again from the scanner or the archive; until then only what no gap touches is measured.",
    owner=Owner.ARCHIVE,
)

_EPOCH = datetime(1970, 1, 1)  # noqa: DTZ001 - only differences are used

Key = tuple[tuple[str, float], ...]

PART = "part"
"""In the key of a volume: it is one of the stretches between the gaps of a series, numbered from the longest on."""


@dataclass(frozen=True, slots=True)
class Divided:
    """Volumes of a series, and an error for each set of slices that makes none."""

    volumes: tuple[VolumeFrames, ...]
    errors: tuple[InputError, ...]


def volumes_of(slices: Sequence[Slice]) -> Divided:
    """The volumes that the slices of one series make; never raises."""
    usable, errors = _usable(slices)
    volumes: list[VolumeFrames] = []
    for same_grid in _grids(usable):
        try:
            family = list(_divided(same_grid, (), list(FACTS)))
        except InputError as error:
            errors.append(error)
            continue
        lacking = _lacking(family)
        for key, members in family:
            try:
                volumes.append(_volume(key, members, lacking))
            except InputError as error:
                errors.append(error)
                # Parts of several echoes or b-values would no longer lie on one grid.
                if len(family) == 1 and error.problem in (UNUSABLE_SLICE, MISSING_SLICE):
                    volumes.extend(_parts(key, members))
    return Divided(tuple(sorted(volumes, key=lambda volume: volume.key)), tuple(errors))


def _volume(key: Key, members: Sequence[Slice], lacking: Mapping[Key, int]) -> VolumeFrames:
    defects = sum(member.header.defect is not None for member in members)
    if defects:
        raise InputError(UNUSABLE_SLICE, count=defects, expected=len(members))
    along, geometry = ordered(members)
    if key in lacking:
        raise InputError(MISSING_SLICE, count=lacking[key], expected=len(members) + lacking[key], where_mm=0.0)
    return VolumeFrames(
        frames=tuple(member.source for member in along),
        geometry=geometry,
        key=key,
        sop_instance_uids=tuple(member.header.sop_instance_uid or "" for member in along),
    )


def _parts(key: Key, members: Sequence[Slice]) -> Iterator[VolumeFrames]:
    """What is left of a volume with gaps: each stretch without one, as a volume of its own."""
    number = 0
    for run in runs(members):
        try:
            part = _volume((*key, (PART, float(number + 1))), run, {})
        except InputError:  # of the same grid as its siblings, but drifting sideways: the whole was refused already
            continue
        number += 1
        yield part


def _usable(slices: Sequence[Slice]) -> tuple[list[Slice], list[InputError]]:
    """The slices that have a place in space, and an error for each reason why others have none."""
    faults: Counter[Problem] = Counter()
    usable: list[Slice] = []
    for member in slices:
        fault = _fault(member)
        if fault is None:
            usable.append(member)
        else:
            faults[fault] += 1
    counted = (NO_POSITION, NO_SPACING)
    return usable, [
        InputError(problem, count=count) if problem in counted else InputError(problem)
        for problem, count in faults.items()
    ]


def _fault(member: Slice) -> Problem | None:
    """Why a slice has no place in a volume, the first reason of several; None if it has one."""
    image = member.header.image
    if image is None or "MOSAIC" in member.component:
        return MOSAIC
    if (image.samples or 1) != 1 or image.photometric in ("RGB", "PALETTE COLOR", "YBR_FULL", "YBR_FULL_422"):
        return COLOUR
    if image.frame_count != max(1, len(member.header.frames)):
        return FRAMES
    if member.position_mm is None or member.orientation is None:
        return NO_POSITION
    return NO_SPACING if member.spacing_mm is None else None


def _grids(slices: Iterable[Slice]) -> Iterator[list[Slice]]:
    """Slices of one matrix, spacing, frame of reference and (within a rounding) orientation."""
    grids: dict[tuple[Hashable, Sextuple], list[Slice]] = {}
    for member in slices:
        image = member.header.image
        assert image is not None
        assert member.orientation is not None
        assert member.spacing_mm is not None
        frame_of_reference = member.header.series.frame_of_reference_uid
        size = (image.rows, image.columns, tuple(round(step, 4) for step in member.spacing_mm), frame_of_reference)
        for (known_size, orientation), grid in grids.items():
            if size == known_size and _close(orientation, member.orientation):
                grid.append(member)
                break
        else:
            grids[size, member.orientation] = [member]
    yield from grids.values()


def _close(one: Sequence[float], other: Sequence[float]) -> bool:
    return one is other or all(abs(a - b) < 1e-3 for a, b in zip(one, other, strict=True))


@dataclass(frozen=True, slots=True)
class Fact:
    """Something by which volumes of a series may differ.

    Parameters
    ----------
    name : as it stands in the key of a volume.
    of : what a slice says of it, comparable; None where it says nothing.
    numbers : the values, in the order in which `of` sorts, as numbers for the key.
    alone : whether it must tell all volumes apart by itself, or not be used: two time points may share it by chance.
    """

    name: str
    of: Callable[[Slice], Hashable]
    numbers: Callable[[Sequence[Sequence[Slice]]], list[float]]
    alone: bool = False


def _value(read: Callable[[Slice], float | None]) -> Callable[[Sequence[Sequence[Slice]]], list[float]]:
    """The number that the slices of each group share; groups without one come before all, as 0 if none is negative."""
    return lambda groups: [float(read(group[0]) or 0.0) for group in groups]


def _ranks(groups: Sequence[Sequence[Slice]]) -> list[float]:
    return [float(rank) for rank in range(len(groups))]


def _times(groups: Sequence[Sequence[Slice]]) -> list[float]:
    """Seconds after the first group began: by acquisition, trigger or content time; ranks where none of them rises."""
    clocks: tuple[Callable[[Slice], float | None], ...] = (
        lambda s: _stamp(s.acquired_at),
        lambda s: None if s.trigger_time_ms is None else s.trigger_time_ms / 1000.0,
        lambda s: _stamp(s.content_at),
    )
    for clock in clocks:
        starts = [min((t for t in map(clock, group) if t is not None), default=None) for group in groups]
        known = [start for start in starts if start is not None]
        if len(known) == len(groups) and _rising(known):
            return [round(start - known[0], 6) for start in known]
    return _ranks(groups)


def _stamp(moment: datetime | None) -> float | None:
    return None if moment is None else (moment - _EPOCH).total_seconds()


def _rising(values: Sequence[float]) -> bool:
    return all(a < b for a, b in pairwise(values))


_COMPONENTS: Mapping[str, int] = MappingProxyType({"M": 0, "P": 1, "R": 2, "I": 3})
"""Values of ImageType that MR vendors use for magnitude, phase, real and imaginary images."""


def _component(member: Slice) -> tuple[int, tuple[str, ...]]:
    return next((_COMPONENTS[part] for part in member.component[2:] if part in _COMPONENTS), 9), member.component


def _direction(member: Slice) -> tuple[float, ...]:
    return () if member.gradient is None or not any(member.gradient) else tuple(round(g, 3) for g in member.gradient)


def _directions(groups: Sequence[Sequence[Slice]]) -> list[float]:
    """0 for what has no direction (b = 0, the scanner's own trace image), the others from 1 on."""
    first = 0 if not _direction(groups[0][0]) else 1
    return [float(first + rank) for rank in range(len(groups))]


FACTS: tuple[Fact, ...] = (
    Fact("component", _component, _ranks),
    Fact("stack", lambda s: s.stack, _ranks),
    Fact("b_value", lambda s: s.b_value, _value(lambda s: s.b_value)),
    Fact("echo_time", lambda s: s.echo_time_ms, _value(lambda s: s.echo_time_ms)),
    Fact("inversion_time", lambda s: s.inversion_time_ms, _value(lambda s: s.inversion_time_ms)),
    Fact("flip_angle", lambda s: s.flip_angle_deg, _value(lambda s: s.flip_angle_deg)),
    Fact("repetition_time", lambda s: s.repetition_time_ms, _value(lambda s: s.repetition_time_ms)),
    Fact("time", lambda s: s.temporal_position, _times),
    Fact("time", lambda s: s.time_s, _value(lambda s: s.time_s)),
    Fact("phase", lambda s: s.trigger_time_ms, _value(lambda s: s.trigger_time_ms)),
    Fact("direction", _direction, _directions),
    Fact("acquisition", lambda s: s.acquisition_number, _value(lambda s: s.acquisition_number), alone=True),
    Fact("time", lambda s: s.acquired_at, _times),
)
"""In the order in which they are tried: units are ms for echo, inversion, repetition and phase, s/mm2, deg, s."""


def _divided(slices: Sequence[Slice], key: Key, facts: Sequence[Fact]) -> Iterator[tuple[Key, list[Slice]]]:
    """Sets of slices with their keys, in each of which every position occurs once if anything can bring that about."""
    crowd = _most_at_one_place(slices)
    if crowd == 1:
        yield key, list(slices)
        return
    for at, fact in enumerate(facts):
        groups = _groups(slices, fact)
        if 1 < len(groups) <= crowd and max(map(_most_at_one_place, groups)) < (2 if fact.alone else crowd):
            for group, number in zip(groups, fact.numbers(groups), strict=True):
                yield from _divided(group, (*key, (fact.name, number)), facts[at + 1 :])
            return
    yield from _by_rank(slices, key, crowd)


def _groups(slices: Sequence[Slice], fact: Fact) -> list[list[Slice]]:
    groups: dict[Hashable, list[Slice]] = {}
    for member in slices:
        groups.setdefault(fact.of(member), []).append(member)
    # None is what comes first: b = 0 images often carry no b-value.
    return [group for _, group in sorted(groups.items(), key=lambda item: (item[0] is not None, item[0]))]


def _by_rank(slices: Sequence[Slice], key: Key, crowd: int) -> Iterator[tuple[Key, list[Slice]]]:
    """The n-th slice at each place makes the n-th volume, by time and number; only if all places have equally many."""
    places: dict[int, list[Slice]] = {}
    for place, member in zip(_places(slices), slices, strict=True):
        places.setdefault(place, []).append(member)
    if any(len(members) != crowd for members in places.values()):
        yield key, list(slices)  # `ordered` refuses them by name
        return
    for members in places.values():
        members.sort(key=lambda s: (_stamp(s.acquired_at) or 0.0, _stamp(s.content_at) or 0.0, s.order))
    groups = [[members[rank] for members in places.values()] for rank in range(crowd)]
    times = _times(groups)
    name = "repeat" if times == _ranks(groups) else "time"
    for group, number in zip(groups, times, strict=True):
        yield (*key, (name, number)), group


def _most_at_one_place(slices: Sequence[Slice]) -> int:
    return int(np.max(np.bincount(_places(slices))))


def _places(slices: Sequence[Slice]) -> list[int]:
    """A number for each slice, the same for those at one position along the normal."""
    orientation = slices[0].orientation
    assert orientation is not None
    depths = depths_mm(slices, orientation)
    order = np.argsort(depths, kind="stable")
    places = np.empty(len(slices), dtype=np.intp)
    places[order] = np.concatenate(([0], np.cumsum(np.diff(depths[order]) >= SAME_PLACE_MM)))
    found: list[int] = places.tolist()
    return found


_SAME_EXTENT = frozenset(("component", "b_value", "echo_time", "time", "phase", "direction", "repeat"))
"""What is acquired slice by slice at the same places: a set with fewer slices than its siblings has lost some.

Acquisitions and stacks may well differ in extent (an arterial phase of the liver, a portal one of the abdomen).
"""


def _lacking(family: Sequence[tuple[Key, Sequence[Slice]]]) -> Mapping[Key, int]:
    """How many slices each set lacks against the largest of its siblings."""
    lacking: dict[Key, int] = {}
    most: dict[Key, int] = {}
    for key, members in family:
        kin = tuple(part for part in key if part[0] not in _SAME_EXTENT)
        most[kin] = max(most.get(kin, 0), len(members))
    for key, members in family:
        kin = tuple(part for part in key if part[0] not in _SAME_EXTENT)
        if len(members) < most[kin]:
            lacking[key] = most[kin] - len(members)
    return lacking
