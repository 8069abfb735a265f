"""A patient's pairs of exams with every lesion of them and what holds of it, for a person to confirm or correct.

Unlike what outputs show (`bingcheng.engine.follow_up.shown`), nothing is left out: lesions that their names pair, and
those of which nothing is known because their exams could not be compared, can be decided about too.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

from bingcheng.archive.matchings import Decision, DrawnExam
from bingcheng.compare.tracks import MatchedPair, NamedLesions, by_name
from bingcheng.core.refusal import Refusal
from bingcheng.core.wording import Text
from bingcheng.engine.follow_up.shown import FollowUp, named
from bingcheng.quantify.lesion.matching import Action, Edit, Link

Pair = tuple[str, str, str]
"""UIDs of the earlier and the later exam, and the modality."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ReviewRow:
    """Lesions of two exams that belong together, or one that stands alone.

    Parameters
    ----------
    before, after : names of the lesions in the earlier and the later exam.
    link : what holds of them; None where nothing is known of a lesion but that the other exam has none of its name.
    by_name : whether their common name alone says so.
    decided : the decision that says so, if a person did.
    """

    before: tuple[str, ...]
    after: tuple[str, ...]
    link: Link | None
    by_name: bool = False
    decided: Decision | None = None

    @property
    def waits(self) -> bool:
        """Whether a change over it is not judged before a person has looked."""
        return self.link is not None and self.link.needs_reader


@dataclass(frozen=True, slots=True, kw_only=True)
class ReviewPair:
    """Two exams, and all of their lesions in one modality.

    Parameters
    ----------
    modality : empty for exams that are no neighbours, of which only what people decided is shown.
    before, after : labels of the lesions of each by name, to choose from.
    rows : what a reader has to look at first.
    refusal : why the images say nothing; None where they do, or names sufficed.
    contradictions : what identifiers say against what the images show.
    """

    earlier_uid: str
    later_uid: str
    modality: str
    before: Mapping[str, str]
    after: Mapping[str, str]
    rows: tuple[ReviewRow, ...]
    refusal: Refusal | None = None
    contradictions: tuple[Text, ...] = ()

    @property
    def waiting(self) -> int:
        """How many rows a reader has to look at."""
        return sum(row.waits for row in self.rows)


def review(exams: Sequence[DrawnExam], follow_up: FollowUp) -> tuple[ReviewPair, ...]:
    """The pairs of one patient's exams: neighbours in time by modality, then others about which somebody decided.

    Parameters
    ----------
    exams : in time.
    follow_up : what is stored of them.
    """
    named_exams = {exam.uid: named(exam) for exam in exams}
    held = {(one.earlier_uid, one.later_uid, one.modality): one for one in follow_up.held(named_exams).pairs}
    refusals = {
        (one.pair.earlier_uid, one.pair.later_uid, one.pair.modality): one.refusal for one in follow_up.proposed
    }
    place = {exam.uid: number for number, exam in enumerate(exams)}
    wanted = sorted(
        {*_neighbours(exams), *(pair for pair in held if pair[2])},
        key=lambda pair: (place[pair[0]], place[pair[1]], pair[2]),
    )
    latest = tuple(reversed(follow_up.decided))
    found = [
        _pair(pair, exams, held.get(pair) or held.get((*pair[:2], "")), refusals.get(pair), latest) for pair in wanted
    ]
    shown = {pair[:2] for pair in wanted}
    beyond = [one for pair, one in held.items() if pair[:2] not in shown]
    return (*found, *(_decided_only(one, named_exams, latest) for one in beyond))


def _neighbours(exams: Sequence[DrawnExam]) -> Iterator[Pair]:
    """Exams that follow each other among those with lesions of a modality; undated ones have no place in time."""
    dated = [exam for exam in exams if exam.performed_at is not None]
    for modality in sorted({lesion.modality for exam in dated for lesion in exam.lesions}):
        drawn = [exam.uid for exam in dated if any(lesion.modality == modality for lesion in exam.lesions)]
        yield from ((earlier, later, modality) for earlier, later in pairwise(drawn))


def _pair(
    pair: Pair,
    exams: Sequence[DrawnExam],
    held: MatchedPair | None,
    refusal: Refusal | None,
    latest: Sequence[Decision],
) -> ReviewPair:
    by_uid = {exam.uid: exam for exam in exams}
    earlier, later = (_of_modality(by_uid[uid], pair[2]) for uid in pair[:2])
    matched = by_name(*(named(by_uid[uid]) for uid in pair[:2])) if held is None else held.matching
    rows = [
        _row(link, pair, latest, matched=held is not None and bool(held.modality))
        for link in matched.links
        if set(link.before) & set(earlier.labels) or set(link.after) & set(later.labels)
    ]
    rows += _alone(earlier.labels, later.labels, rows)
    return ReviewPair(
        earlier_uid=pair[0],
        later_uid=pair[1],
        modality=pair[2],
        before=earlier.labels,
        after=later.labels,
        rows=tuple(sorted(rows, key=lambda row: (not row.waits, row.link is not None))),
        refusal=refusal,
        contradictions=matched.contradictions,
    )


def _decided_only(held: MatchedPair, exams: Mapping[str, NamedLesions], latest: Sequence[Decision]) -> ReviewPair:
    pair = (held.earlier_uid, held.later_uid, held.modality)
    return ReviewPair(
        earlier_uid=held.earlier_uid,
        later_uid=held.later_uid,
        modality=held.modality,
        before=exams[held.earlier_uid].labels,
        after=exams[held.later_uid].labels,
        rows=tuple(
            _row(link, pair, latest, matched=True) for link in held.matching.links if link.edited or link.needs_reader
        ),
    )


def _row(link: Link, pair: Pair, latest: Sequence[Decision], *, matched: bool) -> ReviewRow:
    """A link as it is shown; where nothing was `matched`, what nobody decided or disturbed is said by names alone."""
    decided = _decision(link, pair, latest) if link.edited else None
    by_name = not (matched or link.edited or link.needs_reader)
    return ReviewRow(before=link.before, after=link.after, link=link, by_name=by_name, decided=decided)


def _decision(link: Link, pair: Pair, latest: Sequence[Decision]) -> Decision | None:
    """The decision that made a link: the latest one about its lesions."""
    here = (one for one in latest if (one.earlier_uid, one.later_uid) == pair[:2])
    return next((one for one in here if _made(one.edit, link)), None)


def _made(edit: Edit, link: Link) -> bool:
    if edit.action is Action.LINK:
        return (set(edit.before), set(edit.after)) == (set(link.before), set(link.after))
    return set(link.before) <= set(edit.before) and set(link.after) <= set(edit.after)


def _of_modality(exam: DrawnExam, modality: str) -> NamedLesions:
    labels = {one.lesion: one.label for one in reversed(exam.lesions) if one.modality == modality}
    return NamedLesions(exam_uid=exam.uid, labels=dict(reversed(labels.items())))


def _alone(before: Collection[str], after: Collection[str], rows: Iterable[ReviewRow]) -> list[ReviewRow]:
    """The lesions that stand in no link."""
    known = [(set(row.before), set(row.after)) for row in rows]
    mine, theirs = (set[str]().union(*(sides[side] for sides in known)) for side in (0, 1))
    return [
        *(ReviewRow(before=(name,), after=(), link=None) for name in before if name not in mine),
        *(ReviewRow(before=(), after=(name,), link=None) for name in after if name not in theirs),
    ]
