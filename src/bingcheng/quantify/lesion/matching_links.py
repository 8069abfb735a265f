"""Matching the lesions of two exams.

1. Lesions that carry the same tracking identifier are linked, wherever they lie; what the images say against it is
   reported.
2. The others are linked one to one so that the sum of the log odds (`matching_pairs`) is largest; a pair that is less
   likely than not stays unlinked (linear assignment with a dummy for each lesion).
3. A lesion that is left over in the later exam joins an earlier one that held its place: that one split. One left over
   in the earlier exam joins a later one that now covers its place: they merged.
   What split or merged always needs a reader: sums, and so the response, hang on it.
4. What is still alone is new or vanished, or lies where the other exam does not reach, which is not the same.

Changing the roles of the exams (and inverting the registration) changes new into vanished and splits into merges, and
nothing else.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from itertools import product

import numpy as np
from numpy.typing import NDArray

from bingcheng.core.errors import InputError, Owner, Problem
from bingcheng.core.wording import Text, text
from bingcheng.image.region import Region
from bingcheng.image.registration.registration import Registration
from bingcheng.quantify.lesion.matching import Link, LinkKind, Matching, Member, in_order, kind_of
from bingcheng.quantify.lesion.matching_pairs import MatchingSettings, Pairs, log_odds, pairs
from bingcheng.quantify.lesion.matching_places import Place

KEYS_UNFIT = Problem(
    code="quantify.matching-keys",
    says="the names of the lesions of an exam must be different, and as many as there are lesions",
    remedy="Give each lesion of an exam its own name.",
    owner=Owner.DEVELOPER,
)

FRAGMENT_DOUBT = 0.5
"""What a lesion left over wholly within the error of registration takes from the confidence of what it lies on."""
TOLD_DOUBT = 0.1
"""Less of it is not worth a sentence."""
Group = tuple[set[int], set[int]]
"""Numbers of the lesions, earlier and later, that belong together."""


def match(
    baseline: Sequence[Region],
    follow_up: Sequence[Region],
    registration: Registration,
    settings: MatchingSettings | None = None,
    *,
    keys: tuple[Sequence[str], Sequence[str]] | None = None,
) -> Matching:
    """Which lesions of two exams are the same.

    Parameters
    ----------
    baseline, follow_up : the lesions; each on a grid in the space of the registration's fixed and moving exam.
    registration : of the two exams.
    settings : what is asked.
    keys : the lesions' names; their numbers from 1 unless given.

    Raises
    ------
    InputError
        ``quantify.matching-empty-lesion``, ``quantify.matching-keys``.
    """
    asked = settings or MatchingSettings()
    names = keys or tuple([str(n + 1) for n in range(len(regions))] for regions in (baseline, follow_up))
    for given, regions in zip(names, (baseline, follow_up), strict=True):
        if len(given) != len(regions) or len(set(given)) != len(given):
            raise InputError(KEYS_UNFIT)
    before, after = [Place.of(region) for region in baseline], [Place.of(region) for region in follow_up]
    seen = pairs(before, after, registration, asked)
    tracked = _tracked(before, after)
    groups = _with_fragments([*tracked, *_assigned(seen, tracked)], seen, asked)
    trusted = 1.0 if registration.quality is None else registration.quality.confidence
    matcher = _Matcher(before, after, seen, asked, trusted, (tuple(names[0]), tuple(names[1])), _doubts(groups, seen))
    links = in_order(
        [
            *(
                matcher.link(group, tracked=any(group[0] >= one[0] and group[1] >= one[1] for one in tracked))
                for group in groups
            ),
            *matcher.alone(groups),
        ]
    )
    return Matching(
        before=_members(before, names[0]),
        after=_members(after, names[1]),
        proposed=links,
        links=links,
        contradictions=matcher.contradictions(tracked),
    )


def _members(places: Sequence[Place], keys: Sequence[str]) -> tuple[Member, ...]:
    return tuple(
        Member(key=key, label=place.region.label, volume_mm3=place.volume_mm3, tracking_uid=place.region.tracking_uid)
        for key, place in zip(keys, places, strict=True)
    )


def _tracked(before: Sequence[Place], after: Sequence[Place]) -> list[Group]:
    """Lesions that carry the same tracking identifier in both exams."""
    found: dict[str, Group] = defaultdict(lambda: (set(), set()))
    for side, places in enumerate((before, after)):
        for number, place in enumerate(places):
            if place.region.tracking_uid is not None:
                found[place.region.tracking_uid][side].add(number)
    return [group for group in found.values() if all(group)]


def _assigned(seen: Pairs, tracked: Sequence[Group]) -> list[Group]:
    """Pairs of the remaining lesions whose log odds have the largest sum."""
    rows, columns = seen.log_odds.shape
    gain = np.where(seen.log_odds > 0.0, seen.log_odds, 0.0)
    for mine, theirs in tracked:
        gain[list(mine)] = 0.0
        gain[:, list(theirs)] = 0.0
    # Every command that lists measures loads this module, and none of them needs a tenth of a second of optimisers.
    from scipy.optimize import linear_sum_assignment  # noqa: PLC0415

    # A dummy for each lesion gains nothing; neither does a pair that is less likely than not.
    whole = np.zeros((rows + columns, rows + columns))
    whole[:rows, :columns] = gain
    chosen = zip(*linear_sum_assignment(whole, maximize=True), strict=True)
    return [({int(i)}, {int(j)}) for i, j in chosen if i < rows and j < columns and gain[i, j] > 0.0]


def _with_fragments(groups: list[Group], seen: Pairs, asked: MatchingSettings) -> list[Group]:
    """The groups, joined by what is left over and held, or is covered by, one of their lesions.

    Those whose identifiers contradict the images are left as they are, and nothing is joined that is coded otherwise.
    """
    held = [(set(mine), set(theirs)) for mine, theirs in groups]
    held_back, held_ahead = (np.where(seen.other_code, 0.0, one) for one in (seen.inside_back, seen.inside_ahead))
    open_ = [n for n, group in enumerate(groups) if _likelihood(group, seen) >= asked.far_log_odds]
    for side, shares in ((1, held_back), (0, held_ahead.T)):
        taken = {number for group in groups for number in group[side]}
        for number in sorted(set(range(shares.shape[1])) - taken):
            partners = [(group, partner) for group in open_ for partner in groups[group][1 - side]]
            if not partners:
                continue
            best, partner = max(partners, key=lambda one: float(shares[one[1], number]))
            if shares[partner, number] >= asked.member_share:
                held[best][side].add(number)
    return held


def _likelihood(group: Group, seen: Pairs) -> float:
    """The log odds of the likeliest pair of a group."""
    return max(float(seen.log_odds[i, j]) for i, j in product(*group))


def _doubts(groups: Sequence[Group], seen: Pairs) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """For each lesion, earlier and later, how much speaks for a fragment of it left over, or for it being one.

    It is the share that lies within the error of registration, or half the chance by distance, if that is more.
    """
    chance = 0.5 / (1.0 + np.exp(-np.clip(seen.log_odds, -50.0, 50.0)))
    doubts = np.zeros(seen.log_odds.shape[0]), np.zeros(seen.log_odds.shape[1])
    sides = ((1, np.maximum(seen.near_back, chance)), (0, np.maximum(seen.near_ahead, chance).T))
    for side, shares in sides:
        taken = {number for group in groups for number in group[side]}
        partners = sorted({number for group in groups for number in group[1 - side]})
        for number in set(range(shares.shape[1])) - taken:
            if partners:
                near = shares[partners, number]
                doubts[side][number] = max(doubts[side][number], float(np.max(near)))
                doubts[1 - side][partners] = np.maximum(doubts[1 - side][partners], near)
    return doubts


class _Matcher:
    """Turns groups into links with their confidence and reasons."""

    def __init__(
        self,
        before: Sequence[Place],
        after: Sequence[Place],
        seen: Pairs,
        asked: MatchingSettings,
        trusted: float,
        names: tuple[Sequence[str], Sequence[str]],
        doubts: tuple[NDArray[np.float64], NDArray[np.float64]],
    ) -> None:
        self.doubts = doubts
        self.before, self.after, self.seen, self.asked = before, after, seen, asked
        self.trusted, self.names = trusted, names
        self.odds = np.exp(np.clip(seen.log_odds, -50.0, 50.0)) * np.isfinite(seen.log_odds)

    def link(self, group: Group, *, tracked: bool) -> Link:
        """The link of lesions that belong together."""
        mine, theirs = sorted(group[0]), sorted(group[1])
        i, j = max(product(mine, theirs), key=lambda pair: float(self.seen.log_odds[pair]))
        reasons = self._reasons(i, j, len(mine), len(theirs))
        doubt = max(*(float(self.doubts[0][n]) for n in mine), *(float(self.doubts[1][n]) for n in theirs))
        confidence = self._chosen(group, (i, j)) * self._whole(group, (i, j)) * (1.0 - FRAGMENT_DOUBT * doubt)
        if doubt > TOLD_DOUBT:
            reasons = (*reasons, _FRAGMENT)
        doubtful = self._other_names(i, j)
        if tracked:
            far = len(mine) == len(theirs) == 1 and self.seen.log_odds[i, j] < self.asked.far_log_odds
            reasons, doubtful = (text("They carry the same name."), *reasons), far
        elif doubtful:
            reasons = (*reasons, text("They carry different tracking identifiers."))
        single = len(mine) == len(theirs) == 1
        certain = tracked and single
        confidence = 1.0 if certain else confidence * self.trusted
        return Link(
            kind=kind_of(len(mine), len(theirs)),
            before=self._keys(0, mine),
            after=self._keys(1, theirs),
            confidence=confidence,
            needs_reader=doubtful or not single or confidence < self.asked.reader_below,
            reasons=reasons,
        )

    def alone(self, groups: Sequence[Group]) -> list[Link]:
        """The links of lesions that belong to no other."""
        found = []
        sides = (
            (0, self.odds, self.seen.shown_later, LinkKind.VANISHED, LinkKind.OUTSIDE_LATER),
            (1, self.odds.T, self.seen.shown_earlier, LinkKind.NEW, LinkKind.OUTSIDE_EARLIER),
        )
        for side, odds, shown, lone, outside in sides:
            taken = {number for group in groups for number in group[side]}
            for number in sorted(set(range(len(odds))) - taken):
                keys = self._keys(side, [number])
                hidden = shown[number] < 0.5
                doubt = float(self.doubts[side][number])
                confidence = self.trusted * (
                    1.0 - float(shown[number])
                    if hidden
                    else (1.0 - FRAGMENT_DOUBT * doubt) / (1.0 + float(_rivals(odds)[number].sum()))
                )
                found.append(
                    Link(
                        kind=outside if hidden else lone,
                        before=() if side else keys,
                        after=keys if side else (),
                        confidence=confidence,
                        needs_reader=hidden or confidence < self.asked.reader_below,
                        reasons=(_OUTSIDE[side] if hidden else _FRAGMENT if doubt > TOLD_DOUBT else _LONE[side],),
                    )
                )
        return found

    def contradictions(self, tracked: Sequence[Group]) -> tuple[Text, ...]:
        """Lesions that are tracked as one but don't lie in one place."""
        found = []
        for group in tracked:
            mine, theirs = sorted(group[0]), sorted(group[1])
            i, j = max(product(mine, theirs), key=lambda pair: float(self.seen.log_odds[pair]))
            if self.seen.log_odds[i, j] < self.asked.far_log_odds:
                found.append(
                    text(
                        "{before} of the earlier exam and {after} of the later one carry the same name"
                        " but lie {distance_mm} mm apart.",
                        before=self.names[0][i],
                        after=self.names[1][j],
                        distance_mm=round(float(self.seen.distance_mm[i, j]), 1),
                    )
                )
        return tuple(found)

    def _keys(self, side: int, numbers: Sequence[int]) -> tuple[str, ...]:
        return tuple(sorted(self.names[side][number] for number in numbers))

    def _chosen(self, group: Group, main: tuple[int, int]) -> float:
        """The odds of this group against none and against what else its main pair could be."""
        i, j = main
        mine, theirs = sorted(group[0]), sorted(group[1])
        odds = self.odds[i, j] if len(mine) == len(theirs) == 1 else self._together(mine, theirs)
        by_earlier, by_later = _rivals(self.odds)[i].copy(), _rivals(self.odds.T)[j].copy()
        by_earlier[theirs] = 0.0
        by_later[mine] = 0.0
        return float(odds / (1.0 + odds + by_earlier.sum() + by_later.sum()))

    def _together(self, mine: Sequence[int], theirs: Sequence[int]) -> float:
        """The odds that several lesions, taken as one, are one lesion of the other exam, taken as one."""
        earlier = np.array([self.before[i].volume_mm3 for i in mine])
        later = np.array([self.after[j].volume_mm3 for j in theirs])
        ahead = np.average(self.seen.ahead_mm[mine], axis=0, weights=earlier)
        ahead -= np.average([self.after[j].centre_mm for j in theirs], axis=0, weights=later)
        back = np.average(self.seen.back_mm[theirs], axis=0, weights=later)
        back -= np.average([self.before[i].centre_mm for i in mine], axis=0, weights=earlier)
        distance = 0.5 * (np.linalg.norm(ahead) + np.linalg.norm(back))
        radius = sum(float(np.cbrt(volume.sum() * 0.75 / np.pi)) for volume in (earlier, later))
        scaled = distance / np.hypot(self.asked.error_mm, 0.5 * radius)
        return float(np.exp(log_odds(scaled, np.float64(1.0), np.log(float(later.sum()) / float(earlier.sum())))))

    def _whole(self, group: Group, main: tuple[int, int]) -> float:
        """The least share by which a further fragment belongs; 1 without any."""
        i, j = main
        ahead = [float(np.max(self.seen.inside_ahead[k, sorted(group[1])])) for k in group[0] if k != i]
        back = [float(np.max(self.seen.inside_back[sorted(group[0]), k])) for k in group[1] if k != j]
        return float(min([1.0, *ahead, *back]))

    def _other_names(self, i: int, j: int) -> bool:
        mine, theirs = self.before[i].region.tracking_uid, self.after[j].region.tracking_uid
        return mine is not None and theirs is not None and mine != theirs

    def _reasons(self, i: int, j: int, mine: int, theirs: int) -> tuple[Text, ...]:
        seen = self.seen
        found = [
            text(
                "After registration their centres lie {distance_mm} mm apart.",
                distance_mm=round(float(seen.distance_mm[i, j]), 1),
            ),
            text(
                "{percent} % of one lies on the other.",
                percent=round(100.0 * float(max(seen.inside_ahead[i, j], seen.inside_back[i, j]))),
            ),
        ]
        if theirs > 1:
            found.append(text("{count} later lesions lie where the earlier one was.", count=theirs))
        if mine > 1:
            found.append(text("The later lesion covers the places of {count} earlier ones.", count=mine))
        return tuple(found)


_FRAGMENT = text("A lesion nearby is left over: one may be a fragment of the other.")
_LONE = (
    text("No later lesion lies where this one would be."),
    text("No earlier lesion lies where this one would have been."),
)
_OUTSIDE = (
    text("The later exam does not show the place of this lesion."),
    text("The earlier exam does not show the place of this lesion."),
)


def _rivals(odds: NDArray[np.float64]) -> NDArray[np.float64]:
    """For each pair of a row, its odds against the best that the other lesion could have instead."""
    if odds.size == 0:
        return odds
    best = odds.argmax(axis=0)
    most = odds[best, np.arange(odds.shape[1])]
    rest = odds.copy()
    rest[best, np.arange(odds.shape[1])] = 0.0
    instead = np.tile(most, (odds.shape[0], 1))
    instead[best, np.arange(odds.shape[1])] = rest.max(axis=0)
    return odds / (1.0 + instead)
