"""The changes of every lesion and measure over time.

For each lesion, modality and measure, each follow-up exam is set against the first exam (baseline) and, from the third
exam on, also against the one before it. Modalities are never mixed: a volume on CT is not compared with one on MR.

An exam often holds several series of one modality (thin and thick slices, two kernels). Of all pairs of series the one
is taken in which the fewest conditions break, then the fewest are unknown, then the limits are widened least, then the
slices are thinnest; so a comparable pair is found where there is one, and the choice does not look at the values.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from itertools import product

from bingcheng.compare.change import Change
from bingcheng.compare.comparability import rules
from bingcheng.compare.observation import Observation
from bingcheng.compare.repeatability import LesionFacts, limits
from bingcheng.compare.verdict import Judge, modality_of
from bingcheng.core.units import convert

Subject = tuple[str, str]
"""Patient (pseudonym) and lesion (tracking identifier)."""
SeriesOfLesion = tuple[str, str, str, str]
"""Patient, lesion, exam and series."""


_UNDATED = datetime(1, 1, 1)  # noqa: DTZ001 - stands beside other undated exams only, never beside a time


def judge() -> Judge:
    """The judge with the limits and rules of this package."""
    return Judge(limits=limits(), rules=rules())


def changes(observations: Iterable[Observation], *, by: Judge | None = None) -> tuple[Change, ...]:
    """Every change of every lesion's measures, judged; in the order of patient, lesion, modality, measure and time.

    Parameters
    ----------
    observations : in any order; those of whole series (`lesion` is None) are left out.
    by : the limits and rules to use; the package's own unless given.
    """
    given = tuple(observation for observation in observations if observation.lesion is not None)
    facts = lesion_facts(given)
    using = by or judge()
    tracked: dict[tuple[str, str, str, str], list[Observation]] = defaultdict(list)
    for observation in given:
        subject = subject_of(observation)
        tracked[(*subject, modality_of(observation), observation.measurement.key)].append(observation)
    found: list[Change] = []
    for _, group in sorted(tracked.items()):
        exams = in_time(group)
        for number, later in enumerate(exams[1:], start=1):
            found.append(_change(exams[0], later, facts, using))
            if number > 1:
                found.append(_change(exams[number - 1], later, facts, using))
    return tuple(found)


def subject_of(observation: Observation) -> Subject:
    """Whose lesion the observation speaks of."""
    assert observation.lesion is not None
    return observation.patient, observation.lesion


def in_time(observations: Iterable[Observation]) -> tuple[tuple[Observation, ...], ...]:
    """The observations by exam, exams in the order of time; undated exams come last, in the order of their UIDs."""
    exams: dict[str, list[Observation]] = defaultdict(list)
    for observation in observations:
        exams[observation.exam_uid].append(observation)
    return tuple(tuple(exam) for exam in sorted(exams.values(), key=_time))


def lesion_facts(observations: Iterable[Observation]) -> Mapping[SeriesOfLesion, LesionFacts]:
    """Size and uptake of each lesion in each series, from its measured diameter or volume and its SUVmax."""
    values: dict[SeriesOfLesion, dict[str, float]] = defaultdict(dict)
    organs: dict[SeriesOfLesion, str] = {}
    for observation in observations:
        place = _place(observation)
        measurement = observation.measurement
        if measurement.value is not None:
            values[place][measurement.key] = _in_base_unit(measurement.value, measurement.unit)
        organ = observation.conditions.get("organ")
        if isinstance(organ, str):
            organs[place] = organ.casefold()
    places = values.keys() | organs.keys()
    return {place: _facts(values.get(place, {}), organs.get(place)) for place in places}


def _facts(values: Mapping[str, float], organ: str | None) -> LesionFacts:
    size_mm = values.get("longest_diameter")
    volume_mm3 = values.get("volume", values.get("metabolic_tumour_volume"))
    if size_mm is None and volume_mm3 is not None:
        size_mm = (6.0 * volume_mm3 / math.pi) ** (1 / 3)  # the sphere of the same volume
    return LesionFacts(size_mm=size_mm, suv_max=values.get("suv_max"), organ=organ)


def _in_base_unit(value: float, unit: str) -> float:
    if unit in ("mm3", "ml", "cm3", "l"):
        return convert(value, unit, "mm3")
    return convert(value, unit, "mm") if unit in ("mm", "cm") else value


def _change(
    earlier: Sequence[Observation], later: Sequence[Observation], facts: Mapping[SeriesOfLesion, LesionFacts], by: Judge
) -> Change:
    before, after = min(product(earlier, later), key=lambda pair: _hindrance(pair[0], pair[1], by))
    return by.change(before, after, facts.get(_place(before), LesionFacts()))


def _hindrance(before: Observation, after: Observation, by: Judge) -> tuple[object, ...]:
    comparability = by.compare(before, after)
    missing = sum(observation.measurement.value is None for observation in (before, after))
    return (
        missing,
        len(comparability.broken),
        len(comparability.unknown),
        comparability.widened_percent,
        _thickness(before) + _thickness(after),
        before.series_uid,
        after.series_uid,
    )


def _thickness(observation: Observation) -> float:
    value = observation.conditions.get("slice_thickness_mm")
    return float(value) if isinstance(value, int | float) else math.inf


def _place(observation: Observation) -> SeriesOfLesion:
    return (*subject_of(observation), observation.exam_uid, observation.series_uid)


def _time(exam: Sequence[Observation]) -> tuple[bool, datetime, str]:
    first = min((o.performed_at for o in exam if o.performed_at is not None), default=None)
    return first is None, first or _UNDATED, exam[0].exam_uid
