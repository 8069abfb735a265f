"""Lesions over any number of exams: matchings of pairs of exams chained into tracks with stable names."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from bingcheng.quantify.lesion.matching import LinkKind, Matching

Seat = tuple[int, str]
"""Number of the exam, in time, and the lesion's key in it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Track:
    """One lesion, with all its fragments, over time.

    Parameters
    ----------
    name : of its first lesion: the exam's number from 1, and the key there. Further exams never change it.
    also : names that it had before lesions merged into it.
    members : the keys in each exam, in the order of time; empty where it was not seen.
    confidence : the least of its links; 1 without any.
    needs_reader : whether one of its links needs a reader.
    """

    name: str
    also: tuple[str, ...]
    members: tuple[tuple[str, ...], ...]
    confidence: float
    needs_reader: bool


def track(exams: Sequence[Sequence[str]], matchings: Mapping[tuple[int, int], Matching]) -> tuple[Track, ...]:
    """The tracks of a patient's lesions, in the order of their names' exams and keys.

    Parameters
    ----------
    exams : the keys of each exam's lesions, exams in time.
    matchings : by the numbers (from 0) of the earlier and the later exam. Those of neighbouring exams are followed as
        they are. One that skips exams is asked only about lesions that had vanished (or were out of view) in the next
        exam and look new (or were out of view before) in the later one: a lesion that comes back.
    """
    seats = [(number, key) for number, keys in enumerate(exams) for key in keys]
    joined = {seat: seat for seat in seats}
    told: list[tuple[Seat, float, bool]] = []
    for (early, late), matching in sorted(matchings.items(), key=lambda one: (one[0][1] - one[0][0], one[0])):
        for link in matching.links:
            first, last = [(early, key) for key in link.before], [(late, key) for key in link.after]
            told += [(seat, link.confidence, link.needs_reader) for seat in (*first, *last)[:1] if late == early + 1]
            if not (first and last) or (late > early + 1 and not _came_back(first, last, matchings)):
                continue
            for seat in (*first, *last):
                _join(joined, first[0], seat)
            if late > early + 1:
                told.append((first[0], link.confidence, link.needs_reader))
    return _tracks(seats, joined, told, len(exams))


def _came_back(first: Sequence[Seat], last: Sequence[Seat], matchings: Mapping[tuple[int, int], Matching]) -> bool:
    """Whether these lesions were lost in the exam after, and not seen in the exam before."""
    lost = {LinkKind.VANISHED, LinkKind.OUTSIDE_LATER}
    found = {LinkKind.NEW, LinkKind.OUTSIDE_EARLIER}
    following, preceding = matchings.get((first[0][0], first[0][0] + 1)), matchings.get((last[0][0] - 1, last[0][0]))
    gone = following is None or all(following.of_before(key).kind in lost for _, key in first)
    return gone and (preceding is None or all(preceding.of_after(key).kind in found for _, key in last))


def _root(joined: dict[Seat, Seat], seat: Seat) -> Seat:
    while joined[seat] != seat:
        seat = joined[seat]
    return seat


def _join(joined: dict[Seat, Seat], one: Seat, other: Seat) -> None:
    low, high = sorted((_root(joined, one), _root(joined, other)))
    joined[high] = low


def _tracks(
    seats: Sequence[Seat], joined: dict[Seat, Seat], told: Sequence[tuple[Seat, float, bool]], exams: int
) -> tuple[Track, ...]:
    members: dict[Seat, list[Seat]] = defaultdict(list)
    for seat in seats:
        members[_root(joined, seat)].append(seat)
    confidence: dict[Seat, float] = {}
    doubtful: set[Seat] = set()
    for seat, sure, needs_reader in told:
        root = _root(joined, seat)
        confidence[root] = min(confidence.get(root, 1.0), sure)
        if needs_reader:
            doubtful.add(root)
    return tuple(
        Track(
            name=_name(root),
            also=tuple(_name(seat) for seat in sorted(found) if seat[0] == root[0] and seat != root),
            members=tuple(tuple(sorted(key for n, key in found if n == number)) for number in range(exams)),
            confidence=confidence.get(root, 1.0),
            needs_reader=root in doubtful,
        )
        for root, found in sorted(members.items())
    )


def _name(seat: Seat) -> str:
    return f"{seat[0] + 1}/{seat[1]}"
