"""Response at a time point by RECIST 1.1: the arithmetic of sums, and the table that joins it with what else is seen.

Eisenhauer et al., Eur J Cancer 2009;45:228-247. Sizes are compared in whole tenths of a millimetre: in binary fractions
9.8 mm is not 30 % less than 14 mm.

- Sum: longest diameters of targets, short axes of nodal ones (section 4.3).
- Complete response: no target is left, and each nodal one is under 10 mm (4.3.1).
- Progression: 20 % and 5 mm above the smallest sum so far, the baseline's included. What was measured may suffice for
  it though not all was (4.3.1, 4.4.1).
- Partial response: 30 % below the baseline's sum. Otherwise stable; without all sizes not evaluable.
- New lesions, non-targets and targets are joined by tables 1 and 2. An equivocal new lesion changes nothing until it is
  clear (4.3.5): whoever asks is told of it beside the answer.
- What comes back after a complete response is progression (table 3, footnote).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum

NODE_NORMAL, PROGRESS_LEAST = 100, 50
"""In tenths of a millimetre: under 10 mm a node is normal; growth under 5 mm is no progression."""


class Response(StrEnum):
    """A response at a time point, by RECIST's abbreviations."""

    COMPLETE = "CR"
    PARTIAL = "PR"
    STABLE = "SD"
    PROGRESSIVE = "PD"
    NEITHER = "NON-CR/NON-PD"
    NOT_EVALUABLE = "NE"


class NonTargets(StrEnum):
    """What became of all that is followed without being measured."""

    NONE = "none"
    GONE = "CR"
    PRESENT = "NON-CR/NON-PD"
    WORSE = "PD"
    UNKNOWN = "NE"


class NewLesion(StrEnum):
    """Whether there is a lesion that was not there before."""

    NONE = "none"
    EQUIVOCAL = "equivocal"
    UNEQUIVOCAL = "unequivocal"


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """One target at one time point.

    Parameters
    ----------
    size_mm : the longest diameter, of a lymph node the short axis; 0 if it has gone, None if it is not known.
    node : whether it is a lymph node.
    """

    size_mm: float | None
    node: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class TimePoint:
    """What is seen at one time point after the baseline; `targets` are those of the baseline, in its order."""

    targets: tuple[Target, ...]
    non_targets: NonTargets = NonTargets.NONE
    new: NewLesion = NewLesion.NONE


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """The response at one time point.

    Parameters
    ----------
    response : of all that is seen.
    targets : of the targets alone; None if there are none.
    sum_mm : of the targets; None if there are none or a size is not known.
    baseline_percent, nadir_percent : its change from the baseline and from the smallest sum before; None without a sum,
        or from a sum of 0.
    nadir_mm : the smallest sum before, the baseline's included; None without targets.
    returned : whether it is progression because something came back after a complete response.
    """

    response: Response
    targets: Response | None
    sum_mm: float | None
    baseline_percent: float | None
    nadir_percent: float | None
    nadir_mm: float | None = None
    returned: bool = False


def responses(baseline: Sequence[Target], later: Sequence[TimePoint]) -> Iterator[Answer]:
    """The response at each time point after the baseline, in time.

    Parameters
    ----------
    baseline : the targets; their sizes are known. None at all where only non-targets are followed.
    later : in time, each with the same targets.
    """
    first = nadir = sum(_tenths(one.size_mm or 0.0) for one in baseline)
    complete = False
    for point in later:
        total = _sum(point.targets) if baseline else None
        of_targets = _of_targets(point.targets, first, nadir) if baseline else None
        found = _overall(of_targets, point)
        returned = complete and found not in (Response.COMPLETE, Response.NOT_EVALUABLE, Response.PROGRESSIVE)
        if returned:
            found = Response.PROGRESSIVE
        complete = complete or found is Response.COMPLETE
        yield Answer(
            response=found,
            targets=of_targets,
            sum_mm=None if total is None else total / 10.0,
            baseline_percent=_percent(first, total),
            nadir_percent=_percent(nadir, total),
            nadir_mm=nadir / 10.0 if baseline else None,
            returned=returned,
        )
        if total is not None:
            nadir = min(nadir, total)


def _of_targets(targets: Sequence[Target], first: int, nadir: int) -> Response:
    known = sum(_tenths(one.size_mm) for one in targets if one.size_mm is not None)
    # Sizes that are missing could only add to the sum.
    if 5 * known >= 6 * nadir and known - nadir >= PROGRESS_LEAST:
        return Response.PROGRESSIVE
    if any(one.size_mm is None for one in targets):
        return Response.NOT_EVALUABLE
    if all(_normal(one) for one in targets):
        return Response.COMPLETE
    return Response.PARTIAL if 10 * known <= 7 * first else Response.STABLE


def _normal(one: Target) -> bool:
    size = _tenths(one.size_mm or 0.0)
    return size < NODE_NORMAL if one.node else size == 0


def _overall(targets: Response | None, point: TimePoint) -> Response:
    """Tables 1 and 2."""
    progressed = targets is Response.PROGRESSIVE or point.non_targets is NonTargets.WORSE
    if progressed or point.new is NewLesion.UNEQUIVOCAL:
        return Response.PROGRESSIVE
    if targets is None:
        return _WITHOUT_TARGETS[point.non_targets]
    if targets is Response.COMPLETE and point.non_targets not in (NonTargets.NONE, NonTargets.GONE):
        return Response.PARTIAL
    return targets


_WITHOUT_TARGETS = {
    NonTargets.NONE: Response.NOT_EVALUABLE,
    NonTargets.GONE: Response.COMPLETE,
    NonTargets.PRESENT: Response.NEITHER,
    NonTargets.UNKNOWN: Response.NOT_EVALUABLE,
}


def _sum(targets: Sequence[Target]) -> int | None:
    sizes = [one.size_mm for one in targets if one.size_mm is not None]
    return sum(map(_tenths, sizes)) if len(sizes) == len(targets) else None


def _tenths(size_mm: float) -> int:
    return round(10.0 * size_mm)


def _percent(before: int, after: int | None) -> float | None:
    return None if after is None or before == 0 else 100.0 * (after - before) / before
