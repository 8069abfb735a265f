"""Which lesion is which in a patient's next exam, where neither tracking identifiers nor labels say so.

Two exams are matched by their images wherever a lesion of one has no name in the other: it may be new or gone, a piece
of another one, the same under another name, or out of the other exam's sight. Where all lesions are paired, there is
nothing to decide, and nothing is read or registered, which takes some twenty seconds. A label that several lesions of
an exam carry is no name.

An exam without lesions counts only if it holds a mask object, so that somebody may have looked for lesions, and only
before the first or after the last exam that has lesions: between two of these a lesion is followed from one to the
other.

The files of an exam that was not given in this run are looked for where they were when it was assessed. What was found
is kept until one of the exams is assessed from other files or by other methods.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

from bingcheng.archive.matchings import (
    DrawnExam,
    DrawnLesion,
    PairKey,
    Proposal,
    drawn_exams,
    forget_proposals,
    proposals,
    save_proposal,
)
from bingcheng.archive.workspace import Workspace
from bingcheng.compare.tracks import NamedLesions, by_name, repeated
from bingcheng.core.errors import InputError, Owner, Problem
from bingcheng.dicom.grouping.sop_classes import MASK_CLASSES
from bingcheng.engine.follow_up.at_hand import found_again
from bingcheng.engine.follow_up.by_images import OTHER_LESIONS, SERIES_GONE, Drawn, PairTask, not_matched
from bingcheng.engine.follow_up.by_names import one_sided
from bingcheng.engine.follow_up.waiting import keep_waiting
from bingcheng.engine.plan import Task, image_series
from bingcheng.quantify.lesion.matching import Matching

REVISION = 2
"""Raised whenever the same exams would be matched otherwise."""
NOT_AT_HAND = Problem(
    code="engine.follow-up-not-at-hand",
    says="the files of one of the two exams were not given in this run and are no longer where they were",
    remedy="Give the folders of both exams in one run.",
    owner=Owner.OPERATOR,
)

Run = Callable[[Sequence[PairTask]], Iterator[tuple[PairTask, Proposal | InputError]]]
"""How tasks are run: each with its answer, in the order in which they end."""
Told = Callable[[int, int], None]
"""Told how many pairs are done, of how many."""
Looked = Mapping[str, frozenset[str]]
"""By the UID of an exam, the modalities in which somebody may have looked for lesions."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Side:
    """One exam of a pair.

    Parameters
    ----------
    series : that most lesions were drawn on; empty without any.
    on_series : their names.
    labels : of all lesions of the modality, by name.
    elsewhere : names of lesions in other series or modalities, which pair too.
    """

    uid: str
    series: str
    on_series: frozenset[str]
    labels: Mapping[str, str]
    elsewhere: frozenset[str]

    def beside(self, other: Side) -> NamedLesions:
        """The lesions of this exam whose partner, if they have one, is drawn in the same modality."""
        paired = other.elsewhere - other.labels.keys()
        labels = {name: label for name, label in self.labels.items() if name not in paired}
        return NamedLesions(exam_uid=self.uid, labels=labels)


@dataclass(frozen=True, slots=True, kw_only=True)
class Pair:
    """Two exams that have to be matched."""

    key: PairKey
    digest: str
    earlier: Side
    later: Side

    @property
    def by_names(self) -> Matching | None:
        """What names alone say; None where they leave lesions of both exams without partner."""
        return one_sided(self.earlier.beside(self.later), self.later.beside(self.earlier))


def match_follow_ups(workspace: Workspace, tasks: Iterable[Task], run: Run, told: Told) -> int:
    """Match the lesions of all exams that need it and were not matched yet; returns how many pairs were matched now.

    Parameters
    ----------
    tasks : the exams that were given, whose files are at hand.
    """
    with workspace.reading() as connection:
        exams, kept = drawn_exams(connection), {one.pair: one for one in proposals(connection)}
    at_hand = {task.exam.uid: task for task in tasks}
    needed = {pair.key: pair for pair in pairs_to_match(exams, _looked(at_hand, exams, kept))}
    waiting = [pair for pair in needed.values() if _waits(pair, kept.get(pair.key), at_hand)]
    missing = {uid for pair in waiting for uid in _uids(pair)} - at_hand.keys()
    if missing:
        at_hand |= found_again(workspace, missing)
    stale = [key for key in kept if key not in needed]
    todo = [_task(pair, at_hand) for pair in waiting if at_hand.keys() >= _uids(pair)]
    left = [pair for pair in waiting if not at_hand.keys() >= _uids(pair)]
    left = [pair for pair in left if pair.key not in kept or kept[pair.key].digest != pair.digest]
    if stale or left:
        with workspace.writing() as connection:
            forget_proposals(connection, stale)
            for pair in left:
                save_proposal(connection, not_matched(pair.key, pair.digest, InputError(NOT_AT_HAND), pair.by_names))
    if todo:
        told(0, len(todo))
    for done, (task, outcome) in enumerate(run(todo), start=1):
        found = outcome
        if isinstance(found, InputError):  # its worker died
            found = not_matched(task.pair, task.digest, found, task.by_names)
        with workspace.writing() as connection:
            save_proposal(connection, found)
        told(done, len(todo))
    touched = {uid for pair in (*(one.key for one in waiting), *stale) for uid in (pair.earlier_uid, pair.later_uid)}
    with workspace.writing() as connection:  # of exams that were assessed again the lesions may be others, too
        keep_waiting(connection, touched | at_hand.keys())
    return len(todo)


def pairs_to_match(exams: Iterable[DrawnExam], looked: Looked | None = None) -> Iterator[Pair]:
    """The pairs of a patient's neighbouring exams, by modality, in which a lesion has no partner by name.

    Undated exams have no place in time and are left out.

    Parameters
    ----------
    looked : which exams without lesions count too.
    """
    patients: dict[str, list[DrawnExam]] = {}
    for exam in exams:
        if exam.performed_at is not None:
            patients.setdefault(exam.patient, []).append(exam)
    for history in patients.values():
        for modality in sorted({lesion.modality for exam in history for lesion in exam.lesions}):
            counted = _counted(history, modality, looked or {})
            sides = [(exam.fingerprint, _side(exam, modality)) for exam in counted]
            for earlier, later in pairwise(sides):
                if _unpaired(earlier[1], later[1]):
                    yield _pair(modality, earlier, later)


def _counted(history: Sequence[DrawnExam], modality: str, looked: Looked) -> list[DrawnExam]:
    """The exams of a patient that are matched with their neighbours."""
    drawn = [any(lesion.modality == modality for lesion in exam.lesions) for exam in history]
    first, last = drawn.index(True), len(drawn) - 1 - drawn[::-1].index(True)
    empty = [modality in looked.get(exam.uid, ()) for exam in history]
    before = [number for number in range(first) if empty[number]][-1:]
    after = [number for number in range(last + 1, len(history)) if empty[number]][:1]
    between = [number for number in range(first, last + 1) if drawn[number]]
    return [history[number] for number in (*before, *between, *after)]


def _looked(at_hand: Mapping[str, Task], exams: Iterable[DrawnExam], kept: Iterable[PairKey]) -> Looked:
    """What was looked at in the exams that are given, and in those without lesions that were matched before."""
    found = {
        uid: frozenset(series.modality for series in image_series(task.exam))
        for uid, task in at_hand.items()
        if task.masks or any(series.sop_class_uid in MASK_CLASSES for series in task.exam.series)
    }
    drawn = {(exam.uid, lesion.modality) for exam in exams for lesion in exam.lesions}
    for pair in kept:
        for uid in (pair.earlier_uid, pair.later_uid):
            if uid not in at_hand and (uid, pair.modality) not in drawn:
                found[uid] = found.get(uid, frozenset()) | {pair.modality}
    return found


def _pair(modality: str, earlier: tuple[str, Side], later: tuple[str, Side]) -> Pair:
    fingerprints, sides = (earlier[0], later[0]), (earlier[1], later[1])
    parts = (str(REVISION), modality, *fingerprints, *(one.series for one in sides))
    return Pair(
        key=PairKey(earlier_uid=sides[0].uid, later_uid=sides[1].uid, modality=modality),
        digest=hashlib.sha256("\x1f".join(parts).encode()).hexdigest(),
        earlier=sides[0],
        later=sides[1],
    )


def _side(exam: DrawnExam, modality: str) -> Side:
    by_series: dict[str, list[DrawnLesion]] = {}
    for lesion in exam.lesions:
        if lesion.modality == modality:
            by_series.setdefault(lesion.series_uid, []).append(lesion)
    # Of several series the one with most lesions, then the first that was stored.
    series = max(by_series, key=lambda uid: len({one.lesion for one in by_series[uid]}), default="")
    on_series = frozenset(one.lesion for one in by_series.get(series, ()))
    every = {one.lesion: one.label for one in exam.lesions}
    return Side(
        uid=exam.uid,
        series=series,
        on_series=on_series,
        labels={one.lesion: one.label for lesions in by_series.values() for one in lesions},
        elsewhere=frozenset(every) - on_series - repeated(every),
    )


def _unpaired(earlier: Side, later: Side) -> bool:
    """Whether a lesion has no partner."""
    names = earlier.beside(later), later.beside(earlier)
    paired = {link.before[0] for link in by_name(*names).links}
    return any(set(one.labels) - paired for one in names)


def _waits(pair: Pair, kept: Proposal | None, given: Collection[str]) -> bool:
    """Whether the pair has no answer from what it is now.

    One that wanted files is asked again: of files that were gone in each run, of files that were not those that were
    assessed once both exams are given.
    """
    if kept is None or kept.digest != pair.digest:
        return True
    why = "" if kept.refusal is None else str(kept.refusal.reason.facts.get("reason", ""))
    return why == NOT_AT_HAND.says or (why in (SERIES_GONE.says, OTHER_LESIONS.says) and _uids(pair) <= set(given))


def _uids(pair: Pair) -> set[str]:
    return {pair.key.earlier_uid, pair.key.later_uid}


def _task(pair: Pair, at_hand: Mapping[str, Task]) -> PairTask:
    earlier, later = (
        Drawn(task=at_hand[one.uid], series_uid=one.series, names=one.on_series, elsewhere=one.elsewhere)
        for one in (pair.earlier, pair.later)
    )
    return PairTask(pair=pair.key, digest=pair.digest, earlier=earlier, later=later, by_names=pair.by_names)
