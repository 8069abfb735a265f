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

Where lesions of two exams were matched by the images and a reader still has to look at the match, a change across it is
*unknown*: it may be the change from one lesion to another.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace

from bingcheng.compare.change import Change, Verdict
from bingcheng.compare.changes import Subject, changes, in_time, subject_of
from bingcheng.compare.observation import Observation
from bingcheng.compare.pieces import as_tracks
from bingcheng.compare.tracks import FollowedLink, Tracks
from bingcheng.compare.verdict import Judge, modality_of
from bingcheng.core.wording import text

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
    patient, lesion : pseudonym and tracking identifier, or the name of the track where exams were matched.
    label : the lesion as shown.
    verdict : see the head of this module.
    lead : the change that decided the verdict; None if no lead measure was seen twice.
    changes : all changes of all measures.
    history : all observations of the lesion, in time; those of its pieces in one exam as one.
    names : what the lesion, or each of its pieces, is called in an exam, by the exam's UID.
    links : how it was matched between exams, in time; empty where names alone say so.
    """

    patient: str
    lesion: str
    label: str
    verdict: Verdict
    lead: Change | None
    changes: tuple[Change, ...]
    history: tuple[Observation, ...]
    names: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    links: tuple[FollowedLink, ...] = ()


def lesion_changes(
    observations: Iterable[Observation],
    *,
    labels: Mapping[str, str] | None = None,
    by: Judge | None = None,
    tracks: Tracks | None = None,
) -> tuple[LesionChange, ...]:
    """One summary for each lesion that was seen in at least two exams, in the order of patient and lesion.

    Parameters
    ----------
    observations : in any order; those of whole series are left out.
    labels : what to call a lesion, by tracking identifier; the identifier itself where it has none.
    by : the limits and rules to use; the package's own unless given.
    tracks : which lesions of which exams are one, beside those of one name.
    """
    followed = tracks or Tracks()
    seen: dict[Subject, list[Observation]] = defaultdict(list)
    names: dict[Subject, dict[str, dict[str, None]]] = defaultdict(lambda: defaultdict(dict))
    given = [observation for observation in observations if observation.lesion is not None]
    for one in given:
        patient, lesion = subject_of(one)
        names[patient, followed.name(one.exam_uid, lesion)][one.exam_uid][lesion] = None
    for observation in as_tracks(given, followed):
        seen[subject_of(observation)].append(observation)
    named = labels or {}
    summaries: list[LesionChange] = []
    for (patient, lesion), history in sorted(seen.items()):
        found = tuple(_unless_doubtful(change, followed) for change in changes(history, by=by))
        if not found:
            continue
        verdict, lead = summary(found)
        summaries.append(
            LesionChange(
                patient=patient,
                lesion=lesion,
                label=followed.labels.get((patient, lesion)) or named.get(lesion, lesion),
                verdict=verdict,
                lead=lead,
                changes=found,
                history=tuple(observation for exam in in_time(history) for observation in exam),
                names={exam: tuple(found_in) for exam, found_in in names[patient, lesion].items()},
                links=followed.links.get((patient, lesion), ()),
            )
        )
    return tuple(summaries)


def _unless_doubtful(change: Change, tracks: Tracks) -> Change:
    """The change, unknown if it is not sure that both values come from one lesion."""
    doubts = tracks.doubtful(subject_of(change.after), change.before.exam_uid, change.after.exam_uid)
    if not doubts or change.verdict is Verdict.NOT_COMPARABLE:
        return change
    least = min(doubt.link.confidence for doubt in doubts)
    reason = text(
        "That both values are of one lesion was found by the images, with a confidence of {percent} %, and a reader has"
        " to confirm it.",
        percent=round(100.0 * least),
    )
    remedy = text(
        "Look at both exams, then confirm or change the match: in the list of the patient's lesions on the server, or "
        "with `bingcheng lesions`."
    )
    if change.remedy is not None:
        remedy = text("{first} {second}", first=remedy, second=change.remedy)
    return replace(change, verdict=Verdict.UNKNOWN, reasons=(reason, *change.reasons), remedy=remedy)


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
