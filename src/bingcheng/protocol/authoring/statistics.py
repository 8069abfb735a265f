"""What good exams agree on: robust ranges of numbers, and words that all of them share."""

from __future__ import annotations

import math
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain

import numpy as np

from bingcheng.core.wording import Text, text
from bingcheng.protocol.attributes import Attribute
from bingcheng.protocol.model import Limit
from bingcheng.protocol.rules import equal
from bingcheng.protocol.values import Kind, Value, is_number

MAD_TO_SD = 1.4826
"""A normal distribution's standard deviation over its median absolute deviation (1 / 0.6745)."""
REACH = 3.0
"""Half-width of a robust range in these standard deviations: Leys et al. J Exp Soc Psychol 2013;49:764-766 call 3 "very
conservative" for calling a value an outlier."""
WIDEST = 0.5
"""A range that is wider than this part of its median says little about how an exam is made."""
FEW = 3
"""Up to as many settings that recur are listed one by one; consoles offer tube voltages and angles in steps."""
STEPPED = frozenset({"derived.recon_interval", "derived.b_values", "derived.max_b"})
"""Computed quantities that are settings all the same."""
RECURRING = 0.1
"""Least share of the exams that makes one of a few settings recur."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """One value of one exam, on the scanner `device` of a vendor."""

    value: Value
    device: str
    vendor: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Spread:
    """How numbers lie: count, median, median absolute deviation, the smallest and the largest."""

    count: int
    median: float
    mad: float
    low: float
    high: float

    @staticmethod
    def of(values: Iterable[float]) -> Spread:
        """The spread of `values`, at least one."""
        found = np.asarray(list(values), dtype=float)
        median = float(np.median(found))
        mad = float(np.median(np.abs(found - median)))
        return Spread(count=len(found), median=median, mad=mad, low=float(found.min()), high=float(found.max()))


@dataclass(frozen=True, slots=True, kw_only=True)
class Agreement:
    """A demand that all values meet: operator and limit, one for all scanners or one a vendor."""

    operator: str
    value: Limit | None = None
    by_vendor: Mapping[str, Limit] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Scattered:
    """That there is no such demand: why, and the range that all but `beyond` of the values meet."""

    why: Text
    usual: tuple[float, float] | None = None
    beyond: int = 0


def agreement(attribute: Attribute, seen: Sequence[Seen], *, least: int) -> Agreement | Scattered:
    """What `seen`, one value an exam, agree on; `least` is how many of them it takes."""
    if len(seen) < least:
        return Scattered(why=text("known in {count} exams only", count=len(seen)))
    if attribute.kind in (Kind.WORD, Kind.FLAG):
        return _words(seen, least=least)
    if attribute.kind is Kind.NUMBER:
        return _numbers(attribute, seen, least=least)
    return _several(attribute, seen)


def spread(seen: Iterable[Seen]) -> Spread | None:
    """The spread of values that are numbers; None without any."""
    numbers = [float(one.value) for one in seen if isinstance(one.value, int | float) and is_number(one.value)]
    return Spread.of(numbers) if numbers else None


def _words(seen: Sequence[Seen], *, least: int) -> Agreement | Scattered:
    values = _limits(one.value for one in seen)
    if values == [False]:
        return Scattered(why=text("no exam has it"))
    if len(values) == 1:
        return Agreement(operator="==", value=values[0])
    if isinstance(values[0], bool):
        return Scattered(why=text("yes in some exams, no in others"))
    each = {vendor: _limits(one.value for one in mine) for vendor, mine in _by_vendor(seen, least=least).items()}
    if len(each) > 1 and all(len(one) <= FEW for one in each.values()):
        return Agreement(operator="in", by_vendor={vendor: tuple(one) for vendor, one in each.items()})
    if _recur(seen):
        return Agreement(operator="in", value=tuple(values))
    return Scattered(why=text("{count} different values", count=len(values)))


def _numbers(attribute: Attribute, seen: Sequence[Seen], *, least: int) -> Agreement | Scattered:
    """What holds for all; each vendor's own where that says more than several settings, or than nothing."""
    found = _range(attribute, seen)
    if isinstance(found, Agreement) and found.operator != "in":
        return found
    each = {vendor: _range(attribute, mine) for vendor, mine in _by_vendor(seen, least=least).items()}
    agreed = {vendor: one for vendor, one in each.items() if isinstance(one, Agreement)}
    fixed = all(one.operator == "==" for one in agreed.values())
    if len(each) > 1 and len(agreed) == len(each) and (fixed or isinstance(found, Scattered)):
        return Agreement(operator="between", by_vendor={name: _as_range(one.value) for name, one in agreed.items()})
    return found


def _range(attribute: Attribute, seen: Sequence[Seen]) -> Agreement | Scattered:
    """One value, a few settings, or the range of three robust standard deviations, if all values lie in it."""
    numbers = [float(one.value) for one in seen if isinstance(one.value, int | float)]
    lie = Spread.of(numbers)
    one_setting = _one_setting(lie, attribute.tolerance)
    if one_setting is not None:
        return Agreement(operator="==", value=one_setting)
    reach = REACH * MAD_TO_SD * lie.mad
    low, high = _outward(lie.median - reach, lie.median + reach)
    inside = [low <= one <= high for one in numbers]
    if all(inside) and high - low <= WIDEST * abs(lie.median):
        return Agreement(operator="between", value=(max(low, 0.0) if lie.low >= 0 else low, high))
    settings = _settings(numbers, attribute.tolerance) if _in_steps(attribute) else {}
    if 0 < len(settings) <= FEW and min(settings.values()) >= _recurring(numbers):
        return Agreement(operator="in", value=tuple(settings))
    if sum(inside) >= 2 and not all(inside) and high - low <= WIDEST * abs(lie.median):
        return Scattered(
            why=text("some exams lie outside the range of the others"),
            usual=(low, high),
            beyond=len(inside) - sum(inside),
        )
    return Scattered(why=text("scattered too widely"))


def _several(attribute: Attribute, seen: Sequence[Seen]) -> Agreement | Scattered:
    """What every exam's list of values holds: words among them, or numbers among them."""
    held: dict[str | float, None] = {}
    values: Iterable[str | float] = chain.from_iterable(one.value for one in seen if isinstance(one.value, tuple))
    for value in values:
        known = all(_among(value, one.value, attribute.tolerance) for one in seen)
        if known and not _among(value, tuple(held), attribute.tolerance):
            held[value] = None
    if not held:
        return Scattered(why=text("nothing that all exams have"))
    return Agreement(operator="contains_all", value=tuple(held))


def _among(value: str | float, values: object, tolerance: float) -> bool:
    return isinstance(values, tuple) and any(equal(one, value, tolerance) for one in values)


def _by_vendor(seen: Iterable[Seen], *, least: int) -> dict[str, list[Seen]]:
    """The values of each vendor; nothing if any exam's vendor is unknown, or has too few exams to learn from."""
    found: dict[str, list[Seen]] = defaultdict(list)
    for one in seen:
        found[one.vendor or ""].append(one)
    return {} if "" in found or any(len(mine) < least for mine in found.values()) else dict(sorted(found.items()))


def _one_setting(lie: Spread, tolerance: float) -> float | None:
    """The number that all values are, within the tolerance; shortened where that leaves it so."""
    middle = lie.median if max(lie.high - lie.median, lie.median - lie.low) <= tolerance else (lie.low + lie.high) / 2.0
    if lie.high - middle > tolerance or middle - lie.low > tolerance:
        return None
    short = _rounded(middle, _grain(abs(middle)))
    return short if lie.high - short <= tolerance and short - lie.low <= tolerance else _plain(middle)


def _in_steps(attribute: Attribute) -> bool:
    """Whether a quantity is set at the console, which offers steps; what is computed from others has none."""
    return attribute.key in STEPPED or not attribute.key.startswith("derived.")


def _plain(value: float) -> float:
    """A number without the digits that the arithmetic of binary fractions adds; equality leaves room for that."""
    return float(f"{value:.10g}")


def _settings(numbers: Iterable[float], tolerance: float) -> dict[float, int]:
    """The different settings, ascending, with how often each was used; numbers within the tolerance are one."""
    found: dict[float, int] = {}
    for number in sorted(numbers):
        last = next(reversed(found), None)
        key = last if last is not None and number - last <= tolerance else _plain(number)
        found[key] = found.get(key, 0) + 1
    return found


def _recur(seen: Sequence[Seen]) -> bool:
    counted = Counter(str(one.value).strip().casefold() for one in seen)
    return len(counted) <= FEW and min(counted.values()) >= _recurring(seen)


def _recurring(seen: Sequence[object]) -> float:
    return max(2.0, RECURRING * len(seen))


def _limits(values: Iterable[Value]) -> list[str | bool]:
    """The different words, the most frequent first; writing alone makes no difference."""
    first: dict[str, str | bool] = {}
    counted: Counter[str] = Counter()
    for value in values:
        if isinstance(value, str | bool):
            folded = str(value).strip().casefold()
            first.setdefault(folded, value)
            counted[folded] += 1
    return [first[folded] for folded, _ in counted.most_common()]


def _as_range(limit: Limit | None) -> tuple[float, float]:
    numbers = [float(one) for one in (limit if isinstance(limit, tuple) else (limit,)) if isinstance(one, int | float)]
    return min(numbers), max(numbers)


def _outward(low: float, high: float) -> tuple[float, float]:
    """Both ends rounded outward to a hundredth of the larger, in steps of 1, 2 or 5: limits that a person can say."""
    step = _grain(max(abs(low), abs(high)))
    return _rounded(math.floor(low / step + 1e-9) * step, step), _rounded(math.ceil(high / step - 1e-9) * step, step)


def _grain(size: float) -> float:
    if size <= 0.0 or not math.isfinite(size):
        return 1e-6
    power = 10.0 ** math.floor(math.log10(size / 100.0))
    return next((n * power for n in (5.0, 2.0) if n * power <= size / 100.0), power)


def _rounded(value: float, step: float) -> float:
    """`value` without the digits that binary arithmetic adds beyond a hundredth of `step`."""
    return round(value, max(0, 2 - math.floor(math.log10(step))))
