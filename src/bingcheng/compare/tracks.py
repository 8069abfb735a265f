"""Lesions of a patient's exams told apart and followed: by their names, and by the matchings of pairs of exams.

A lesion's name within an exam is its tracking identifier, else its label; of several with one label the further ones
are numbered. The same name in two exams is the same lesion, unless a matching of these two exams (proposed, or decided
by a person) says otherwise; and lesions that a matching links are one, whatever they are called.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Container, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from bingcheng.quantify.lesion.matching import Link, LinkKind, Matching, Member

Seat = tuple[str, str]
"""UID of an exam, and the name of a lesion in it."""
Followed = tuple[str, str]
"""Patient (as observations call them) and track."""


@dataclass(frozen=True, slots=True, kw_only=True)
class NamedLesions:
    """The lesions of one exam: their labels by name."""

    exam_uid: str
    labels: Mapping[str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class MatchedPair:
    """What is held of the lesions of two exams, edits included.

    Parameters
    ----------
    modality : in which they were matched; empty for what only their names and a person say.
    """

    earlier_uid: str
    later_uid: str
    modality: str
    matching: Matching


@dataclass(frozen=True, slots=True, kw_only=True)
class FollowedLink:
    """One link of a matching, with the exams that it leads from and to."""

    earlier_uid: str
    later_uid: str
    modality: str
    link: Link


@dataclass(frozen=True, slots=True, kw_only=True)
class Tracks:
    """Which lesions of which exams are one.

    Parameters
    ----------
    names : the name of the track by lesion; one that stands in no matched pair is not listed: its name is its track.
    labels : what to call a patient's track.
    links : what of a patient's track was matched, in time.
    order : the place in time of each exam that was matched.
    """

    names: Mapping[Seat, str] = field(default_factory=dict)
    labels: Mapping[Followed, str] = field(default_factory=dict)
    links: Mapping[Followed, tuple[FollowedLink, ...]] = field(default_factory=dict)
    order: Mapping[str, int] = field(default_factory=dict)

    def name(self, exam_uid: str, lesion: str) -> str:
        """The track of a lesion."""
        return self.names.get((exam_uid, lesion), lesion)

    def doubtful(self, track: Followed, earlier_uid: str, later_uid: str) -> tuple[FollowedLink, ...]:
        """The links on the way from one exam to another that a reader has to look at first."""
        low, high = self.order.get(earlier_uid), self.order.get(later_uid)
        if low is None or high is None:
            return ()
        low, high = min(low, high), max(low, high)
        return tuple(
            one
            for one in self.links.get(track, ())
            if one.link.needs_reader and low <= self.order[one.earlier_uid] and self.order[one.later_uid] <= high
        )


def tracks(patients: Mapping[str, Sequence[NamedLesions]], pairs: Sequence[MatchedPair]) -> Tracks:
    """The tracks of patients' lesions; a patient none of whose exams were matched adds nothing.

    Parameters
    ----------
    patients : of each, the exams in time.
    pairs : matched exams.
    """
    names: dict[Seat, str] = {}
    labels: dict[Followed, str] = {}
    links: dict[Followed, list[FollowedLink]] = defaultdict(list)
    order: dict[str, int] = {}
    for patient, exams in patients.items():
        uids = {exam.exam_uid for exam in exams}
        mine = [pair for pair in pairs if pair.earlier_uid in uids and pair.later_uid in uids]
        if not mine:
            continue
        order |= {exam.exam_uid: place for place, exam in enumerate(exams)}
        for name, seats in _tracks(exams, mine).items():
            names |= dict.fromkeys(seats, name)
            labels[patient, name] = _label(exams, seats)
        for one in _followed(mine):
            for name in dict.fromkeys(names[seat] for seat in _seats(one) if seat in names):
                links[patient, name].append(one)
    in_time = {
        track: tuple(sorted(found, key=lambda one: (order[one.later_uid], order[one.earlier_uid])))
        for track, found in links.items()
    }
    return Tracks(names=names, labels=labels, links=in_time, order=order)


def repeated(labels: Mapping[str, str]) -> frozenset[str]:
    """The names (of labels by name) that are only numbers of one label, in the order in which lesions were drawn."""
    counted = Counter(label.strip() for label in labels.values())
    return frozenset(
        name
        for name, label in ((name, label.strip()) for name, label in labels.items())
        if counted[label] > 1 and (name == label or name.startswith(f"{label} #"))
    )


def by_name(earlier: NamedLesions, later: NamedLesions) -> Matching:
    """The matching that names alone give: the same name is the same lesion, and nothing is said of the others.

    Names that only number one label pair nothing. It is what a person's decisions on two exams are applied to where
    nothing was proposed.
    """

    def members(exam: NamedLesions) -> tuple[Member, ...]:
        return tuple(Member(key=key, label=label, volume_mm3=0.0) for key, label in sorted(exam.labels.items()))

    numbered = repeated(earlier.labels) | repeated(later.labels)
    common = sorted((set(earlier.labels) & set(later.labels)) - numbered)
    links = tuple(
        Link(kind=LinkKind.SAME, before=(key,), after=(key,), confidence=1.0, needs_reader=False) for key in common
    )
    return Matching(before=members(earlier), after=members(later), proposed=links, links=links)


def _tracks(exams: Sequence[NamedLesions], pairs: Sequence[MatchedPair]) -> dict[str, list[Seat]]:
    """The lesions of one patient by track, each track's in time."""
    seats = [(exam.exam_uid, name) for exam in exams for name in exam.labels]
    joined = {seat: seat for seat in seats}
    place = {seat: number for number, seat in enumerate(seats)}
    edges = [*_by_matching(pairs, joined), *_by_name(exams, pairs)]
    for one, other in edges:
        low, high = sorted((_root(joined, one), _root(joined, other)), key=place.__getitem__)
        joined[high] = low
    members: dict[Seat, list[Seat]] = defaultdict(list)
    for seat in seats:
        members[_root(joined, seat)].append(seat)
    found: dict[str, list[Seat]] = {}
    for root, group in members.items():
        found[_free(root[1], found)] = group
    return found


def _by_matching(pairs: Iterable[MatchedPair], known: Mapping[Seat, Seat]) -> Iterator[tuple[Seat, Seat]]:
    for one in _followed(pairs):
        if one.link.before and one.link.after:
            first, *others = (seat for seat in _seats(one) if seat in known)
            yield from ((first, other) for other in others)


def _by_name(exams: Sequence[NamedLesions], pairs: Sequence[MatchedPair]) -> Iterator[tuple[Seat, Seat]]:
    """A name and the next exam that has it, unless a matching of these two exams keeps them apart."""
    apart = [({m.key for m in pair.matching.before} & {m.key for m in pair.matching.after}, pair) for pair in pairs]
    ended, begun = _decided(pairs, LinkKind.VANISHED), _decided(pairs, LinkKind.NEW)
    last: dict[str, str] = {}
    for exam in exams:
        for name in exam.labels:
            before = last.get(name)
            last[name] = exam.exam_uid
            if before is None or (before, name) in ended or (exam.exam_uid, name) in begun:
                continue
            if not any(
                (pair.earlier_uid, pair.later_uid) == (before, exam.exam_uid) and name in common
                for common, pair in apart
            ):
                yield (before, name), (exam.exam_uid, name)


def _decided(pairs: Iterable[MatchedPair], kind: LinkKind) -> set[Seat]:
    """The lesions of which a person said that they began or ended between two exams."""
    return {seat for one in _followed(pairs) if one.link.edited and one.link.kind is kind for seat in _seats(one)}


def _followed(pairs: Iterable[MatchedPair]) -> Iterator[FollowedLink]:
    for pair in pairs:
        for link in pair.matching.links:
            yield FollowedLink(
                earlier_uid=pair.earlier_uid, later_uid=pair.later_uid, modality=pair.modality, link=link
            )


def _seats(one: FollowedLink) -> Iterator[Seat]:
    yield from ((one.earlier_uid, key) for key in one.link.before)
    yield from ((one.later_uid, key) for key in one.link.after)


def _root(joined: dict[Seat, Seat], seat: Seat) -> Seat:
    while joined[seat] != seat:
        seat = joined[seat]
    return seat


def _free(name: str, used: Container[str]) -> str:
    """The name, numbered if another track has it."""
    found, number = name, 1
    while found in used:
        number += 1
        found = f"{name} ({number})"
    return found


def _label(exams: Sequence[NamedLesions], seats: Iterable[Seat]) -> str:
    """What a track is called: its labels in time where they differ, the pieces of one exam beside each other."""
    names: dict[str, list[str]] = defaultdict(list)
    for exam_uid, name in seats:
        names[exam_uid].append(name)
    said = [
        " + ".join(dict.fromkeys(exam.labels[name] for name in names[exam.exam_uid]))
        for exam in exams
        if exam.exam_uid in names
    ]
    return " → ".join(dict.fromkeys(said))
