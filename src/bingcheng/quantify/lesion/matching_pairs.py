"""How likely two lesions of two exams are one: what is seen of each pair, and the odds of it.

The odds are a logistic model of four things seen after registration: distance of the centres, overlap within a
tolerance, ratio of the volumes, and what labels and codes say. The weights of the first three were fitted to generated
patients by ``tools/registration_tables.py``. The intercept is 2 above the fitted one: most pairs that were fitted are
neighbours with partners of their own, whereas what assignment has to decide on are lesions that would else have none;
among them the larger intercept lost fewer (3 % instead of 10 % at an error of 6 mm, other patients). The weights of
labels and codes are set by hand, as no generated patient can say how carefully people label.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from bingcheng.image.registration.registration import Registration
from bingcheng.quantify.lesion.matching_places import Place


@dataclass(frozen=True, slots=True, kw_only=True)
class MatchingSettings:
    """What is asked of a matching.

    Parameters
    ----------
    error_mm : how far a lesion may lie from where registration expects it (standard deviation).
    touching_mm : a fragment belongs to what lies within this of it.
    member_share : share of a fragment that must do so.
    reader_below : links of less confidence need a reader.
    far_log_odds : tracked lesions of lower log odds contradict their identifiers.
    """

    error_mm: float = 5.0
    touching_mm: float = 3.0
    member_share: float = 0.5
    reader_below: float = 0.9
    far_log_odds: float = -3.0


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Pairs:
    """What is seen of each pair of lesions: arrays (earlier, later).

    Parameters
    ----------
    ahead_mm, back_mm : where the centres of the earlier lesions land (earlier, 3), and of the later ones (later, 3).
    distance_mm : between the centres, mean of both directions.
    near_ahead, near_back : share of the earlier lesion that lands near the later one, and the other way.
    inside_ahead, inside_back : the same within the smaller tolerance for fragments.
    log_ratio : natural logarithm of the later volume over the earlier.
    other_code : whether both are coded, as different things.
    log_odds : that they are one lesion; minus infinity where they are out of reach.
    shown_later : share of each earlier lesion that lies in the later exam's field of view (earlier).
    shown_earlier : share of each later lesion that lies in the earlier exam's field of view (later).
    """

    ahead_mm: NDArray[np.float64]
    back_mm: NDArray[np.float64]
    other_code: NDArray[np.bool_]
    distance_mm: NDArray[np.float64]
    near_ahead: NDArray[np.float64]
    near_back: NDArray[np.float64]
    inside_ahead: NDArray[np.float64]
    inside_back: NDArray[np.float64]
    log_ratio: NDArray[np.float64]
    log_odds: NDArray[np.float64]
    shown_later: NDArray[np.float64]
    shown_earlier: NDArray[np.float64]


WEIGHTS = (8.2, -3.6, 2.0, -1.4)
"""Intercept; a unit of scaled distance; of overlap; of the logarithm of the volumes' ratio, at most `MOST_RATIO`."""
SAME_LABEL = 1.0
OTHER_CODE = -2.0
MOST_RATIO = 3.0
REACH = 4.0
"""Pairs farther apart than this, in units of the scaled distance, are not looked at."""


def pairs(
    before: Sequence[Place], after: Sequence[Place], registration: Registration, settings: MatchingSettings
) -> Pairs:
    """What is seen of all pairs of two exams' lesions."""
    ahead = _sent(before, registration.to_moving)
    back = _sent(after, registration.to_fixed)
    shape = (len(before), len(after))
    distance = 0.5 * (
        _apart([points.mean(axis=0) for points in ahead], [place.centre_mm for place in after])
        + _apart([place.centre_mm for place in before], [points.mean(axis=0) for points in back])
    )
    radius = np.add.outer([p.radius_mm for p in before], [p.radius_mm for p in after]).reshape(shape)
    scaled = distance / np.hypot(settings.error_mm, 0.5 * radius)
    reachable = distance <= REACH * settings.error_mm + 2.0 * radius
    shares = [np.zeros(shape) for _ in range(4)]
    for i, j in np.argwhere(reachable):
        sides = ((after[j], ahead[i], shares[0], shares[2]), (before[i], back[j], shares[1], shares[3]))
        for place, points, near, inside in sides:
            away = place.distances_mm(points, settings.error_mm)
            near[i, j] = np.isfinite(away).mean()
            inside[i, j] = (away <= settings.touching_mm).mean()
    volumes = [np.log([p.volume_mm3 for p in places]) for places in (before, after)]
    log_ratio = (volumes[1][None, :] - volumes[0][:, None]).reshape(shape)
    odds = log_odds(scaled, np.maximum(shares[0], shares[1]), log_ratio)
    other_code = _coded_otherwise(before, after)
    odds = odds + OTHER_CODE * other_code + SAME_LABEL * _labelled_alike(before, after)
    return Pairs(
        ahead_mm=np.reshape([points.mean(axis=0) for points in ahead], (-1, 3)),
        back_mm=np.reshape([points.mean(axis=0) for points in back], (-1, 3)),
        other_code=other_code,
        distance_mm=distance,
        near_ahead=shares[0],
        near_back=shares[1],
        inside_ahead=shares[2],
        inside_back=shares[3],
        log_ratio=log_ratio,
        log_odds=np.where(reachable, odds, -np.inf),
        shown_later=np.array([registration.shown_by_moving(p.points_mm).mean() for p in before]),
        shown_earlier=np.array([registration.shown_by_fixed(p.points_mm).mean() for p in after]),
    )


Numbers = NDArray[np.float64] | np.float64


def log_odds(scaled: Numbers, overlap: Numbers, log_ratio: Numbers) -> Numbers:
    """The log odds by place and size alone."""
    one, by_distance, by_overlap, by_ratio = WEIGHTS
    found: Numbers = (
        one + by_distance * scaled + by_overlap * overlap + by_ratio * np.minimum(np.abs(log_ratio), MOST_RATIO)
    )
    return found


def _sent(places: Sequence[Place], through: object) -> list[NDArray[np.float64]]:
    """The points of all places, sent in one go."""
    assert callable(through)
    if not places:
        return []
    lengths = np.cumsum([len(place.points_mm) for place in places])[:-1]
    return list(np.split(through(np.concatenate([place.points_mm for place in places])), lengths))


def _apart(ones: Sequence[NDArray[np.float64]], others: Sequence[NDArray[np.float64]]) -> NDArray[np.float64]:
    one, other = np.reshape(ones, (-1, 1, 3)), np.reshape(others, (1, -1, 3))
    return np.asarray(np.linalg.norm(one - other, axis=2))


def _labelled_alike(before: Sequence[Place], after: Sequence[Place]) -> NDArray[np.bool_]:
    """Where both carry the same label, and no other lesion of either exam does."""
    labels = [[place.region.label.strip().casefold() for place in places] for places in (before, after)]
    counts = [Counter(one) for one in labels]
    alike = [
        [mine != "" and mine == theirs and counts[0][mine] == counts[1][mine] == 1 for theirs in labels[1]]
        for mine in labels[0]
    ]
    return np.reshape(np.asarray(alike, dtype=bool), (len(before), len(after)))


def _coded_otherwise(before: Sequence[Place], after: Sequence[Place]) -> NDArray[np.bool_]:
    """Where both are coded and the codes differ."""
    codes = [[place.region.code for place in places] for places in (before, after)]
    differ = [[mine is not None and theirs is not None and mine != theirs for theirs in codes[1]] for mine in codes[0]]
    return np.reshape(np.asarray(differ, dtype=bool), (len(before), len(after)))
