"""How exams stand among all others by each criterion, as it was worked out last.

Working it out reads every finding of the workspace. Kept are how many met a criterion and how far beyond its limit they
lay; of very many distances a thousand, evenly spread over their ranks, so that a place among them is right to a tenth
of a per cent.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import Connection

from bingcheng.archive.about import held, hold
from bingcheng.archive.codec import decoded, encoded
from bingcheng.archive.summaries import PeerTable

KEY = "standing"
MOST_DISTANCES = 1001


@dataclass(frozen=True, slots=True, kw_only=True)
class CriterionStanding:
    """One criterion: how many exams were judged by it, how many met it, and ascending distances beyond its limit."""

    protocol: str
    criterion: str
    role: str | None
    judged: int
    met: int
    distances: tuple[float, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Kept:
    criteria: tuple[CriterionStanding, ...]


def save_standing(connection: Connection, table: PeerTable) -> None:
    """Keep how exams stand, in place of what was kept before."""
    kept = _Kept(
        criteria=tuple(
            CriterionStanding(
                protocol=key[0],
                criterion=key[1],
                role=key[2],
                judged=count,
                met=table.met.get(key, 0),
                distances=tuple(_spread(table.distances[key]).tolist()) if key in table.distances else (),
            )
            for key, count in table.judged.items()
        )
    )
    hold(connection, KEY, encoded(kept))


def standing(connection: Connection) -> PeerTable | None:
    """What was worked out last; None before the first time.

    Raises
    ------
    InputError
        ``archive.damaged-row``.
    """
    stored = held(connection, KEY)
    return None if stored is None else _read(stored)


@lru_cache(maxsize=2)
def _read(stored: str) -> PeerTable:
    """Read once for as long as nothing new is worked out."""
    kept = {(one.protocol, one.criterion, one.role): one for one in decoded(_Kept, stored).criteria}
    return PeerTable(
        distances={key: np.asarray(one.distances) for key, one in kept.items() if one.distances},
        met={key: one.met for key, one in kept.items()},
        judged={key: one.judged for key, one in kept.items()},
    )


def _spread(ascending: NDArray[np.float64]) -> NDArray[np.float64]:
    if len(ascending) <= MOST_DISTANCES:
        return ascending
    places = np.linspace(0, len(ascending) - 1, MOST_DISTANCES).round().astype(np.intp)
    return np.take(ascending, places)
