"""Whether demands can be met together: criteria that contradict each other, and conditions that never hold.

Decided by trial. The operators of numbers change only at the limits that stand in the demands, so that a value which
meets all demands, if there is any, is found among these limits, the middles between them and what lies outside; words
and yes or no are finite anyway. What is tried is judged by the operators' own functions, with their tolerances, so that
nothing here has to be kept in step with them. Quantities are taken to be independent of each other.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from itertools import combinations, pairwise
from typing import Any

from bingcheng.protocol.fault import Fault, Location, file_problem
from bingcheng.protocol.model import Criterion, Demand, Limit, Protocol, Scope
from bingcheng.protocol.rules import Shape
from bingcheng.protocol.values import Kind, is_number

CONTRADICTION = file_problem(
    "contradictory-criteria",
    "no value of '{name}' meets both this criterion and '{other}', which are asked of the same series or exam",
    remedy="Correct one of the two limits, or give each the condition (when) on which it is asked.",
)
IMPOSSIBLE = file_problem(
    "impossible-criterion",
    "'{name}' can never meet this: the role '{role}', or the criterion's own condition, excludes it",
    remedy="Correct the limit, or what the role selects.",
)
NEVER_ASKED = file_problem(
    "condition-never-holds",
    "this condition never holds for a series that the role '{role}' selects, so that the criterion is never asked",
    remedy="Correct the condition, or name another role.",
)
SELECTS_NOTHING = file_problem(
    "role-selects-nothing",
    "this demand excludes another one of the same role, so that no series ever fills it",
    remedy="Correct or remove one of the demands in 'select'.",
)
NEVER_HOLDS = file_problem(
    "conditions-exclude-each-other",
    "this condition excludes another one of the same criterion, or of the protocol, so that it is never asked",
    remedy="Correct or remove one of the conditions.",
)

OTHER_WORD = "\x00"
"""A word that no demand names."""
VENDOR = "derived.vendor"


def inconsistencies(protocol: Protocol) -> Iterator[Fault]:
    """The demands of `protocol` that can't be met together, in the order of the file; it must be valid otherwise."""
    for n, role in enumerate(protocol.roles):
        excluded = _first_excluded([], [one for one in role.select if not one.prefers])
        if excluded is not None:
            k = [k for k, one in enumerate(role.select) if not one.prefers][excluded]
            yield Fault(SELECTS_NOTHING, ("roles", n, "select", k, "attribute"), {})
            return
    broken: set[str] = set()
    for n, criterion in enumerate(protocol.criteria):
        for fault in _alone(protocol, criterion, ("criteria", n)):
            broken.add(criterion.id)
            yield fault
    sound = [(n, one) for n, one in enumerate(protocol.criteria) if one.id not in broken]
    for (_, first), (n, second) in combinations(sound, 2):
        if _contradict(protocol, first, second):
            facts = {"name": second.attribute, "other": first.id}
            yield Fault(CONTRADICTION, ("criteria", n, _limit_key(second)), {**facts})


def satisfiable(demands: Iterable[Demand], vendor: str | None = None) -> bool:
    """Whether one series or exam can meet all `demands`; `vendor` picks among limits that depend on it.

    Demands that compare with the baseline are left out: what that holds is not known.
    """
    groups: dict[str, list[tuple[Demand, Limit | None]]] = defaultdict(list)
    for demand in demands:
        if demand.bound.operator.needs_baseline:
            continue
        if demand.by_vendor is None:
            groups[demand.attribute].append((demand, demand.value))
        elif vendor is not None and vendor in demand.by_vendor:
            groups[demand.attribute].append((demand, demand.by_vendor[vendor]))
    if vendor is not None and VENDOR in groups and not _met(groups.pop(VENDOR), [vendor], several=False):
        return False
    return all(_some_value_meets(group) for group in groups.values())


def _alone(protocol: Protocol, criterion: Criterion, where: Location) -> Iterator[Fault]:
    """Whether a criterion is ever asked, and can be met where it is."""
    base = [] if criterion.scope is Scope.PAIR else list(protocol.applies)
    contexts = _contexts(protocol, criterion)
    if criterion.when:
        first = _first_excluded(base, criterion.when)
        if first is not None:
            yield Fault(NEVER_HOLDS, (*where, "when", first, "attribute"), {})
            return
        excluded = {key: _first_excluded(context, criterion.when) for key, context in contexts.items()}
        if excluded and None not in excluded.values():
            key, first = next(iter(excluded.items()))
            assert first is not None
            yield Fault(NEVER_ASKED, (*where, "when", first, "attribute"), {"role": key})
            return
        contexts = {key: context for key, context in contexts.items() if excluded[key] is None}
    for key, context in (contexts or {"-": base}).items():
        about = _about(criterion.attribute, [*context, *criterion.when])
        if not any(satisfiable([*about, criterion], one) for one in _vendors(criterion)):
            yield Fault(IMPOSSIBLE, (*where, _limit_key(criterion)), {"name": criterion.attribute, "role": key})
            return


def _first_excluded(context: Sequence[Demand], conditions: Sequence[Demand]) -> int | None:
    """Which of `conditions` is the first that can't hold beside those before it and `context`."""
    if satisfiable([*context, *conditions]):
        return None
    return next(n for n in range(len(conditions)) if not satisfiable([*context, *conditions[: n + 1]]))


def _about(attribute: str, demands: Iterable[Demand]) -> list[Demand]:
    return [one for one in demands if one.attribute == attribute]


def _contradict(protocol: Protocol, first: Criterion, second: Criterion) -> bool:
    """Whether two criteria are asked of the same, and no value of their quantity meets both."""
    if first.attribute != second.attribute or first.scope is not second.scope:
        return False
    theirs = _contexts(protocol, second)
    shared = [context for key, context in _contexts(protocol, first).items() if key in theirs]
    if not shared and first.roles == second.roles:
        shared = [list(protocol.applies)]
    for context in shared:
        conditions = [*context, *first.when, *second.when]
        about = _about(first.attribute, conditions)
        for vendor in _vendors(first, second):
            if not satisfiable([*about, first, second], vendor) and satisfiable(conditions, vendor):
                return True
    return False


def _contexts(protocol: Protocol, criterion: Criterion) -> dict[str, list[Demand]]:
    """What holds of the series that a criterion judges, by role; empty if it judges none."""
    if criterion.scope is not Scope.SERIES:
        return {}
    roles = [role for role in protocol.roles if role.id in criterion.roles]
    return {role.id: [*protocol.applies, *(one for one in role.select if not one.prefers)] for role in roles}


def _vendors(*demands: Demand) -> list[str | None]:
    """The vendors for which any of `demands` has a limit of its own; None if none has."""
    return list(dict.fromkeys(vendor for one in demands for vendor in one.by_vendor or ())) or [None]


def _limit_key(criterion: Criterion) -> str:
    if criterion.by_vendor is not None:
        return "by_vendor"
    return "operator" if criterion.value is None else "value"


def _some_value_meets(group: Sequence[tuple[Demand, Limit | None]]) -> bool:
    attribute = group[0][0].bound.attribute
    match attribute.kind:
        case Kind.FLAG:
            tried: list[Any] = [True, False]
        case Kind.WORD | Kind.WORDS:
            said = [word for _, limit in group for word in _several(limit) if isinstance(word, str)]
            tried = [*said, *attribute.words] if attribute.words else [*said, OTHER_WORD]
        case Kind.NUMBER | Kind.NUMBERS:
            tried = list(_numbers(group))
    return _met(group, tried, several=attribute.kind in (Kind.NUMBERS, Kind.WORDS))


def _met(group: Sequence[tuple[Demand, Limit | None]], tried: Sequence[Any], *, several: bool) -> bool:
    """Whether any of the values that are tried meets all demands; with `several`, any set of them."""
    if not several:
        return any(all(_holds(demand, limit, value) for demand, limit in group) for value in tried)
    written = [limit for _, limit in group if isinstance(limit, tuple)]
    if any(all(_holds(demand, limit, one) for demand, limit in group) for one in written):
        return True  # a limit is itself what is asked: a list word for word
    # Of a set of values an operator asks either something of each (all_in), so that the largest set whose members all
    # meet it alone is the one to try, or of any (any_in), so that a larger set is never worse.
    chosen = tuple(tried)
    for demand, limit in group:
        if not _holds(demand, limit, tuple(tried)):
            chosen = tuple(value for value in chosen if _holds(demand, limit, (value,)))
    return all(_holds(demand, limit, chosen) for demand, limit in group) if chosen else False


def _holds(demand: Demand, limit: Limit | None, value: Any) -> bool:
    bound = demand.bound
    scaled = value
    if isinstance(value, tuple):
        scaled = tuple(one * bound.factor if is_number(one) else one for one in value)
    elif is_number(value):
        scaled = value * bound.factor
    return bound.operator.holds(scaled, limit, bound.tolerance)


def _numbers(group: Sequence[tuple[Demand, Limit | None]]) -> Iterator[float]:
    """Numbers, in the attribute's unit, among which one meets all demands if any does."""
    limits = sorted(
        {
            float(one) / demand.bound.factor
            for demand, limit in group
            if demand.bound.operator.shape is not Shape.NOTHING
            for one in _several(limit)
            if isinstance(one, int | float) and is_number(one)
        }
    )
    if not limits:
        yield 1.0
        return
    yield from limits
    # Two places in each gap: one of them may be the very number that an operator excludes, or the zero of "present".
    step = max(1.0, abs(limits[0]), abs(limits[-1]))
    edges = [limits[0] - step, *limits, limits[-1] + step]
    for low, high in pairwise(edges):
        yield from (low + part * (high - low) for part in (0.37, 0.71))


def _several(limit: Limit | None) -> tuple[Any, ...]:
    return limit if isinstance(limit, tuple) else () if limit is None else (limit,)
