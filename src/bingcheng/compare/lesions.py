"""One verdict a lesion, over all modalities that saw it.

Each modality speaks through one lead measure: CT through the volume, PET through SUVpeak (SUVmax where no exam gives a
peak), MR through the mean ADC. Of each, the changes that end in its latest exam count (against baseline and against
the exam before). They are summarised so:

1. Any *real* change makes the lesion's verdict *real*: each was judged within its own modality and comparable exams.
   (Looking at several measures raises the chance of a false alarm above one measure's 5 %; nothing corrects for it.)
2. Otherwise any *not comparable* change makes it *not comparable*: as long as a protocol hides one answer, nobody
   should read "unchanged", and there is something to mend.
3. Otherwise the verdict is that of the first modality in the order CT, PET, MR: *within repeatability* or *unknown*.

The change that decided is the `lead`: of several with the deciding verdict, the one that looks largest beside its
limits, for that is the one that would mislead. All others stay visible in `changes`.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from bingcheng.compare.change import Change, Verdict
from bingcheng.compare.changes import Subject, changes, in_time, subject_of
from bingcheng.compare.observation import Observation
from bingcheng.compare.verdict import Judge, modality_of

LEAD_MEASURES: tuple[tuple[str, tuple[str, ...]], ...] = (
    ("CT", ("volume",)),
    ("PT", ("suv_peak", "suv_max")),
    ("MR", ("adc_mean",)),
)
"""Modalities in the order in which they decide, each with its lead measure and what stands in for it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LesionChange:
    """One lesion over time: the verdict on it, and every measure's change.

    Parameters
    ----------
    patient, lesion : pseudonym and tracking identifier.
    label : the lesion as shown.
    verdict : see the head of this module.
    lead : the change that decided the verdict; None if no lead measure was seen twice.
    changes : all changes of all measures.
    history : all observations of the lesion, in time.
    """

    patient: str
    lesion: str
    label: str
    verdict: Verdict
    lead: Change | None
    changes: tuple[Change, ...]
    history: tuple[Observation, ...]


def lesion_changes(
    observations: Iterable[Observation], *, labels: Mapping[str, str] | None = None, by: Judge | None = None
) -> tuple[LesionChange, ...]:
    """One summary for each lesion that was seen in at least two exams, in the order of patient and lesion.

    Parameters
    ----------
    observations : in any order; those of whole series are left out.
    labels : what to call a lesion, by tracking identifier; the identifier itself where it has none.
    by : the limits and rules to use; the package's own unless given.
    """
    seen: dict[Subject, list[Observation]] = defaultdict(list)
    for observation in observations:
        if observation.lesion is not None:
            seen[subject_of(observation)].append(observation)
    named = labels or {}
    summaries: list[LesionChange] = []
    for (patient, lesion), history in sorted(seen.items()):
        found = changes(history, by=by)
        if not found:
            continue
        verdict, lead = summary(found)
        summaries.append(
            LesionChange(
                patient=patient,
                lesion=lesion,
                label=named.get(lesion, lesion),
                verdict=verdict,
                lead=lead,
                changes=found,
                history=tuple(observation for exam in in_time(history) for observation in exam),
            )
        )
    return tuple(summaries)


def summary(found: Sequence[Change]) -> tuple[Verdict, Change | None]:
    """The one verdict on a lesion from all its changes, and the change that decided it."""
    latest = [change for modality, keys in LEAD_MEASURES for change in _latest(found, modality, keys)]
    if not latest:
        return Verdict.UNKNOWN, None
    for outranking in (Verdict.REAL, Verdict.NOT_COMPARABLE):
        decisive = [change for change in latest if change.verdict is outranking]
        if decisive:
            return outranking, max(decisive, key=_apparent)
    return latest[0].verdict, latest[0]


def _apparent(change: Change) -> float:
    """How large a change looks beside its limits; 1 at the limit, 0 where it can't be told."""
    if change.percent is None or change.limits_percent is None:
        return 0.0
    low, high = change.limits_percent
    return change.percent / high if change.percent > 0.0 else change.percent / low


def _latest(found: Sequence[Change], modality: str, keys: tuple[str, ...]) -> list[Change]:
    of_modality = [change for change in found if modality_of(change.after) == modality]
    for key in keys:
        lead = [change for change in of_modality if change.after.measurement.key == key]
        usable = any(change.difference is not None for change in lead)
        if lead and (usable or key == keys[-1]):
            return _ending_last(lead)
    return _ending_last([change for change in of_modality if change.after.measurement.key in keys])


def _ending_last(lead: Sequence[Change]) -> list[Change]:
    last = {change.after.exam_uid for change in lead[-1:]}  # the changes of one measure are in time
    return [change for change in lead if change.after.exam_uid in last]
