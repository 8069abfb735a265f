"""Lists of b-values in descriptions (b0/50/400/800): settings of a diffusion series that look like dates and numbers.

A list stays where nothing else can be meant: a ``b`` stands before it, or the object's own b-values are of it; and its
values rise in round steps, as settings do. What can be read as a day, a month or a year of somebody's life is none.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from itertools import pairwise
from types import MappingProxyType

_LETTER = r"[^\W_\u3400-\u9fff]"
"""Letters and digits; Chinese is written without gaps."""
_MARK = r"b(?:[ _-]?val(?:ue)?s?|\u503c)?"
"""b, b-values, bval, b值."""
_VALUE = rf"\d{{1,4}}(?!{_LETTER}|[.:]\d)"
_LIST = re.compile(
    rf"(?<!{_LETTER})(?:(?P<mark>{_MARK})(?: ?[=:(\[_-] ?| )?|(?<![.,/:;+&-]))"
    # One way of parting them: what is parted otherwise is another number, a slice thickness perhaps.
    rf"(?P<values>(?>{_VALUE}(?P<gap> ?[/,;+&_-] ?| )b?=?{_VALUE}(?:(?P=gap)b?=?{_VALUE})*+))"
    # A number that goes on behind is a piece of a longer one.
    rf"(?! ?[/,;+&.:-] ?\d| ?_?\d{{3,}}(?!{_LETTER}))",
    re.IGNORECASE,
)
FEWEST_OF_SERIES = 3
STEP, FINE_STEP_BELOW = 5, 100
"""Steps of b-values in s/mm2; below some the first of them are set more finely, if the list begins with none."""
_DAY, _MONTH, _YEARS = range(1, 32), range(1, 13), range(1900, 2100)
_ROUND_YEAR = 100
_ANY_YEAR = frozenset((*range(1, 100), *_YEARS))
_ORDERS: Mapping[int, Sequence[Sequence[Collection[int]]]] = MappingProxyType(
    {
        2: ((_DAY, _MONTH), (_MONTH, _DAY), (_MONTH, _ANY_YEAR), (_ANY_YEAR, _MONTH)),
        3: ((_DAY, _MONTH, _ANY_YEAR), (_MONTH, _DAY, _ANY_YEAR), (_ANY_YEAR, _MONTH, _DAY)),
    }
)
"""How people write dates and parts of them, by how many numbers they have."""


def lists(said: str, forbidden: Callable[[str], bool], own: Collection[int] = ()) -> Iterator[tuple[int, int]]:
    """Where lists of b-values stand in a text: beginnings and ends.

    Parameters
    ----------
    forbidden : whether a word belongs to the patient or the hospital.
    own : b-values of the object itself, in s/mm2; without a ``b`` only a list of these is one.
    """
    for found in _LIST.finditer(said):
        written = re.findall(r"\d+", found["values"])
        values = [int(one) for one in written]
        if found["mark"] is None and not _are_of(values, own):
            continue
        if [str(one) for one in values] != written or not _rise(values) or may_be_a_date(values):
            continue
        if any(map(forbidden, (*written, "".join(written), found["values"].casefold()))):
            continue
        yield found.span()


def _are_of(values: Collection[int], own: Collection[int]) -> bool:
    """Whether a list is of the object's own b-values, or an image with one of them names all of its series."""
    return bool(own) and (set(values) <= set(own) or (set(own) <= set(values) and len(values) >= FEWEST_OF_SERIES))


def _rise(values: Sequence[int]) -> bool:
    """Whether numbers rise in the steps of b-values."""
    finely = FINE_STEP_BELOW if values[0] == 0 else 0
    return all(one < following for one, following in pairwise(values)) and all(
        one < finely or one % STEP == 0 for one in values
    )


def is_year(value: int) -> bool:
    """Whether somebody may be born in it; no series has such a b-value (1900 and 2000 are b-values)."""
    return value in _YEARS and value % _ROUND_YEAR != 0


def may_be_a_date(values: Sequence[int]) -> bool:
    """Whether two or three numbers can be read as parts of a date, or any of them as a year."""
    if any(map(is_year, values)):
        return True
    return any(
        all(value in part for value, part in zip(values, order, strict=True)) for order in _ORDERS.get(len(values), ())
    )
