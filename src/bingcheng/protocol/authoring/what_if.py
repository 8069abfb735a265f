"""What would be if a protocol asked for more or less: who meets it now, and which limit a wanted share would meet.

Everything is told from what each criterion came to in the exams of a workspace. The limit that a share of the exams
would meet is an order statistic, so that it is a value that some exam has: no distribution is assumed.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from statistics import median

from bingcheng.core.finding import Outcome
from bingcheng.core.wording import Text, text
from bingcheng.protocol.model import Criterion, Protocol
from bingcheng.protocol.rules import limit_said
from bingcheng.protocol.validation import HAS_ROLES

SLACK = 1e-9
"""Room for binary rounding when a share is turned into a count: 80 % of 5 exams are 4 of them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CameTo:
    """What a criterion came to once: in one exam of one hospital, on the series of one role."""

    exam: str
    site: str
    criterion: str
    role: str | None
    outcome: Outcome
    value: float | None = None
    distance: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Tally:
    """How many met a criterion, of how many that were judged."""

    met: int
    judged: int

    @property
    def share(self) -> float | None:
        """The part that met it; None where none was judged."""
        return self.met / self.judged if self.judged else None


@dataclass(frozen=True, slots=True, kw_only=True)
class Outlook:
    """How a criterion stands in a workspace.

    Parameters
    ----------
    criterion, role : identifiers; one outlook for each role that a criterion judges.
    title, asks : for people; `asks` is None for the presence of a role.
    exams : exams that meet it; one with several series meets it if all of them do.
    sites : hospitals that meet it: those in which at least half of the exams that were judged do.
    unknown, waived, not_applicable : exams in which it came to that.
    limit_of_exams, limit_of_sites : the limit that the wanted share of the exams (of the hospitals, each by its median
        exam) would meet; None where the demand has no limit that could be moved.
    """

    criterion: str
    role: str | None
    title: Text
    asks: Text | None
    exams: Tally
    sites: Tally
    unknown: int
    waived: int
    not_applicable: int
    limit_of_exams: Text | None
    limit_of_sites: Text | None


@dataclass(frozen=True, slots=True, kw_only=True)
class WhatIf:
    """The outlooks of a protocol's criteria, in its order; the one that fails most often, and that is unknown most."""

    outlooks: tuple[Outlook, ...]
    exams: int
    sites: int
    share: float

    @property
    def fails_most(self) -> Outlook | None:
        """The criterion that most exams do not meet; None if all meet everything."""
        found = max(self.outlooks, key=lambda one: one.exams.judged - one.exams.met, default=None)
        return found if found is not None and found.exams.judged > found.exams.met else None

    @property
    def unknown_most(self) -> Outlook | None:
        """The criterion that is unknown in most exams; None if none is."""
        found = max(self.outlooks, key=lambda one: one.unknown, default=None)
        return found if found is not None and found.unknown else None


def what_if(protocol: Protocol, came_to: Iterable[CameTo], *, share: float) -> WhatIf:
    """How `protocol` stands, and which limits the part `share` (0 to 1) of exams and hospitals would meet."""
    grouped: dict[tuple[str, str | None], list[CameTo]] = defaultdict(list)
    for one in came_to:
        grouped[one.criterion, one.role].append(one)
    everyone = [one for mine in grouped.values() for one in mine]
    outlooks = [_of_role(role.id, Text(role.title), grouped[f"role.{role.id}", role.id]) for role in protocol.roles]
    outlooks += [
        _of_criterion(protocol, criterion, key, grouped[criterion.id, key], share)
        for criterion in protocol.criteria
        for key in (criterion.roles if criterion.scope in HAS_ROLES else (None,))
    ]
    return WhatIf(
        outlooks=tuple(outlooks),
        exams=len({one.exam for one in everyone}),
        sites=len({one.site for one in everyone}),
        share=share,
    )


def _of_role(key: str, title: Text, found: Sequence[CameTo]) -> Outlook:
    return _outlook(f"role.{key}", key, text("Expected series: {role}", role=title), None, found, (None, None))


def _of_criterion(
    protocol: Protocol, criterion: Criterion, role: str | None, found: Sequence[CameTo], share: float
) -> Outlook:
    title = Text(criterion.title)
    if role is not None and len(criterion.roles) > 1:
        title = text("{what} ({role})", what=title, role=Text(protocol.role(role).title))
    bound = criterion.bound
    asks = bound.said or limit_said(bound.operator, None, unit=bound.unit, words=bound.attribute.words)
    if criterion.by_vendor is not None:
        asks = text("a limit for each vendor")
    return _outlook(criterion.id, role, title, asks, found, _limits(criterion, found, share))


def _outlook(
    criterion: str,
    role: str | None,
    title: Text,
    asks: Text | None,
    found: Sequence[CameTo],
    limits: tuple[Text | None, Text | None],
) -> Outlook:
    exams = {exam: _worst(mine) for exam, mine in _by(found, lambda one: one.exam).items()}
    site_of = {one.exam: one.site for one in found}
    at_sites: dict[str, list[bool]] = defaultdict(list)
    for exam, outcome in exams.items():
        if outcome in (Outcome.PASS, Outcome.FAIL):
            at_sites[site_of[exam]].append(outcome is Outcome.PASS)
    counted = {one: sum(outcome is one for outcome in exams.values()) for one in Outcome}
    return Outlook(
        criterion=criterion,
        role=role,
        title=title,
        asks=asks,
        exams=Tally(met=counted[Outcome.PASS], judged=counted[Outcome.PASS] + counted[Outcome.FAIL]),
        sites=Tally(met=sum(2 * sum(mine) >= len(mine) for mine in at_sites.values()), judged=len(at_sites)),
        unknown=counted[Outcome.UNKNOWN],
        waived=counted[Outcome.WAIVED],
        not_applicable=counted[Outcome.NOT_APPLICABLE],
        limit_of_exams=limits[0],
        limit_of_sites=limits[1],
    )


def _worst(found: Sequence[CameTo]) -> Outcome:
    """What an exam came to that has several series of a role."""
    order = (Outcome.FAIL, Outcome.UNKNOWN, Outcome.WAIVED, Outcome.PASS, Outcome.NOT_APPLICABLE)
    return next(one for one in order if any(each.outcome is one for each in found))


def _by(found: Iterable[CameTo], key: Callable[[CameTo], str]) -> dict[str, list[CameTo]]:
    grouped: dict[str, list[CameTo]] = defaultdict(list)
    for one in found:
        grouped[key(one)].append(one)
    return grouped


# Limits that could be moved


def _limits(criterion: Criterion, found: Sequence[CameTo], share: float) -> tuple[Text | None, Text | None]:
    """The limit that the wanted share of exams would meet, and the one that the wanted share of hospitals would."""
    measured = [one for one in found if one.distance is not None]
    if not measured or criterion.by_vendor is not None or criterion.bound.operator.beyond is None:
        return None, None
    # Of an exam with several series the one that lies farthest out decides.
    exams = {
        exam: max(one.distance or 0.0 for one in mine) for exam, mine in _by(measured, lambda one: one.exam).items()
    }
    site_of = {one.exam: one.site for one in measured}
    at_sites: dict[str, list[float]] = defaultdict(list)
    for exam, distance in exams.items():
        at_sites[site_of[exam]].append(distance)
    sites = [median(mine) for mine in at_sites.values()]
    return _moved(criterion, _nearest(list(exams.values()), share)), _moved(criterion, _nearest(sites, share))


def _nearest(distances: Sequence[float], share: float) -> float:
    """The smallest distance that at least the part `share` of all does not exceed."""
    place = max(1, math.ceil(share * len(distances) - SLACK))
    return sorted(distances)[place - 1]


def _moved(criterion: Criterion, by: float) -> Text | None:
    """What the criterion would ask if its limit were moved outward by `by`; inward if that is negative."""
    bound, limit = criterion.bound, criterion.value
    moves: Mapping[str, Callable[[float], object]] = {
        "<=": lambda number: number + by,
        "<": lambda number: number + by,
        "max_le": lambda number: number + by,
        ">=": lambda number: number - by,
        ">": lambda number: number - by,
        "any_ge": lambda number: number - by,
        "==": lambda number: (number - by, number + by),
    }
    if isinstance(limit, tuple) and len(limit) == 2:
        low, high = (float(one) for one in limit)
        return limit_said(bound.operator, (_plain(low - by), _plain(high + by)), unit=bound.unit, words={})
    if criterion.operator not in moves or isinstance(limit, bool) or not isinstance(limit, int | float):
        return None
    moved = moves[criterion.operator](float(limit))
    if isinstance(moved, tuple):
        between = tuple(_plain(one) for one in moved)
        said = text("{low} to {high}", low=between[0], high=between[1])
        return said if by > bound.tolerance else limit_said(bound.operator, limit, unit=bound.unit, words={})
    assert isinstance(moved, float)
    return limit_said(bound.operator, _plain(moved), unit=bound.unit, words={})


def _plain(value: float) -> float:
    """A number without the digits that the arithmetic of binary fractions adds."""
    return float(f"{value:.9g}") + 0.0
