"""Which lesion is which in a patient's next exam, where neither tracking identifiers nor labels say so.

Two exams are matched by their images only if both hold a lesion that the other has no name for: reading and registering
them takes some twenty seconds, and where all lesions are paired, there is nothing to find. A label that several lesions
of an exam carry is no name. What was found is kept until one of the exams is assessed from other files or by other
methods.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

from bingcheng.archive.matchings import (
    DrawnExam,
    PairKey,
    Proposal,
    drawn_exams,
    forget_proposals,
    proposals,
    save_proposal,
)
from bingcheng.archive.workspace import Workspace
from bingcheng.compare.tracks import repeated
from bingcheng.core.errors import InputError, Owner, Problem
from bingcheng.engine.follow_up.by_images import Drawn, PairTask, not_matched
from bingcheng.engine.plan import Task

REVISION = 1
"""Raised whenever the same exams would be matched otherwise."""
NOT_AT_HAND = Problem(
    code="engine.follow-up-not-at-hand",
    says="the files of one of the two exams were not given in this run",
    remedy="Give the folders of both exams in one run.",
    owner=Owner.OPERATOR,
)

Run = Callable[[Sequence[PairTask]], Iterator[tuple[PairTask, Proposal | InputError]]]
"""How tasks are run: each with its answer, in the order in which they end."""
Told = Callable[[int, int], None]
"""Told how many pairs are done, of how many."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Pair:
    """Two exams that have to be matched: the series of each that most lesions were drawn on."""

    key: PairKey
    digest: str
    series: tuple[str, str]


def match_follow_ups(workspace: Workspace, tasks: Iterable[Task], run: Run, told: Told) -> int:
    """Match the lesions of all exams that need it and were not matched yet; returns how many pairs were matched now.

    Parameters
    ----------
    tasks : the exams that were given, whose files are at hand.
    """
    with workspace.reading() as connection:
        exams, kept = drawn_exams(connection), {one.pair: one for one in proposals(connection)}
    needed = {pair.key: pair for pair in pairs_to_match(exams)}
    given = {task.exam.uid: task for task in tasks}
    waiting = [pair for pair in needed.values() if _waits(pair, kept.get(pair.key), given)]
    stale = [key for key in kept if key not in needed]
    todo = [_task(pair, given) for pair in waiting if _at_hand(pair, given)]
    left = [pair for pair in waiting if not _at_hand(pair, given)]
    if stale or left:
        with workspace.writing() as connection:
            forget_proposals(connection, stale)
            for pair in left:
                save_proposal(connection, not_matched(pair.key, pair.digest, InputError(NOT_AT_HAND)))
    if not todo:
        return 0
    told(0, len(todo))
    for done, (task, outcome) in enumerate(run(todo), start=1):
        found = not_matched(task.pair, task.digest, outcome) if isinstance(outcome, InputError) else outcome
        with workspace.writing() as connection:
            save_proposal(connection, found)
        told(done, len(todo))
    return len(todo)


def pairs_to_match(exams: Iterable[DrawnExam]) -> Iterator[Pair]:
    """The pairs of a patient's neighbouring exams, by modality, in which both hold lesions that the other can't name.

    Undated exams have no place in time and are left out.
    """
    patients: dict[str, list[DrawnExam]] = {}
    for exam in exams:
        if exam.performed_at is not None:
            patients.setdefault(exam.patient, []).append(exam)
    for history in patients.values():
        for modality in sorted({lesion.modality for exam in history for lesion in exam.lesions}):
            drawn = [(exam, _by_series(exam, modality)) for exam in history]
            for (earlier, mine), (later, theirs) in pairwise(one for one in drawn if one[1]):
                if _unpaired((earlier, later), (mine, theirs)):
                    yield _pair(modality, (earlier, later), (mine, theirs))


def _pair(
    modality: str, exams: tuple[DrawnExam, DrawnExam], drawn: tuple[Mapping[str, set[str]], Mapping[str, set[str]]]
) -> Pair:
    # Of several series the one with most lesions, then the first that was stored.
    mine, theirs = (max(by_series, key=lambda uid: len(by_series[uid])) for by_series in drawn)
    parts = (str(REVISION), modality, exams[0].fingerprint, exams[1].fingerprint, mine, theirs)
    return Pair(
        key=PairKey(earlier_uid=exams[0].uid, later_uid=exams[1].uid, modality=modality),
        digest=hashlib.sha256("\x1f".join(parts).encode()).hexdigest(),
        series=(mine, theirs),
    )


def _by_series(exam: DrawnExam, modality: str) -> dict[str, set[str]]:
    found: dict[str, set[str]] = {}
    for lesion in exam.lesions:
        if lesion.modality == modality:
            found.setdefault(lesion.series_uid, set()).add(lesion.lesion)
    return found


def _unpaired(exams: tuple[DrawnExam, DrawnExam], drawn: tuple[Mapping[str, set[str]], Mapping[str, set[str]]]) -> bool:
    """Whether both exams hold lesions without partner."""
    mine, theirs = (set().union(*by_series.values()) for by_series in drawn)
    numbered = frozenset().union(*(repeated({one.lesion: one.label for one in exam.lesions}) for exam in exams))
    common = (mine & theirs) - numbered
    return bool(mine - common) and bool(theirs - common)


def _waits(pair: Pair, kept: Proposal | None, given: Mapping[str, Task]) -> bool:
    """Whether the pair has no answer from what it is now; one that wanted files is asked again when they are there."""
    if kept is None or kept.digest != pair.digest:
        return True
    return kept.refusal is not None and _wanted_files(kept) and _at_hand(pair, given)


def _wanted_files(kept: Proposal) -> bool:
    assert kept.refusal is not None
    return str(kept.refusal.reason.facts.get("reason", "")) == NOT_AT_HAND.says


def _at_hand(pair: Pair, given: Mapping[str, Task]) -> bool:
    return pair.key.earlier_uid in given and pair.key.later_uid in given


def _task(pair: Pair, given: Mapping[str, Task]) -> PairTask:
    earlier, later = given[pair.key.earlier_uid], given[pair.key.later_uid]
    return PairTask(
        pair=pair.key,
        digest=pair.digest,
        earlier=Drawn(task=earlier, series_uid=pair.series[0]),
        later=Drawn(task=later, series_uid=pair.series[1]),
    )
