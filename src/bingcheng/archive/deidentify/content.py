"""Content items of structured reports (PS3.3 C.17.3): what is done to their values depends on what they speak of."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType

from bingcheng.archive.deidentify import codes
from bingcheng.archive.deidentify.dates import OLDEST_TOLD_YEARS
from bingcheng.archive.deidentify.elements import Element, plain
from bingcheng.archive.deidentify.rules import Action

CONTENT, MEASURED_VALUES = 0x0040A730, 0x0040A300
_TEXT_VALUE, _NAME_VALUE, _NUMBER_VALUE = 0x0040A160, 0x0040A123, 0x0040A30A
_OTHER_NUMBERS = frozenset((0x0040A161, 0x0040A162, 0x0040A163))
"""The same number once more, as floating point or a fraction."""
_DATES = frozenset((0x0040A120, 0x0040A121))
_UNITS = 0x004008EA
_SUBJECT_NAME, _SUBJECT_ID, _SUBJECT_BIRTH, _SUBJECT_AGE = "121029", "121030", "121031", "121033"
_TELLS_WHO = frozenset(("121008", "121009", "121013", "121016", "121017", "121011"))
"""Concepts of TID 1001 to 1008 whose text is an observer, an organization, a device or a place."""
_IN_A_YEAR: Mapping[str, float] = MappingProxyType({"a": 1, "mo": 12, "wk": 52.18, "d": 365.25})


@dataclass(frozen=True, slots=True, kw_only=True)
class Subject:
    """What a content item speaks of.

    Parameters
    ----------
    concept : code value of its concept name; empty outside reports, or for a hospital's own concept.
    unit : UCUM code of its measured value; empty if it has none.
    """

    concept: str = ""
    unit: str = ""

    def within(self, item: Sequence[Element], sequence: int) -> Subject:
        """What an item of a sequence inside speaks of: a measured value of what its content item does."""
        concept = codes.concept(item) or (self.concept if sequence == MEASURED_VALUES else "")
        return Subject(concept=concept, unit=_unit(item) if concept == _SUBJECT_AGE else "")

    def action(self, tag: int, basic: Action, *, strip: bool) -> Action | None:
        """What is done to an attribute of the item; None where no report has it.

        Parameters
        ----------
        basic : what the profile does to it anywhere.
        strip : whether text goes whatever it says.
        """
        if tag in (_TEXT_VALUE, _NAME_VALUE):
            return self._words_action(tag, strip=strip)
        if tag in _DATES:
            return Action.DUMMY if self.concept == _SUBJECT_BIRTH else basic
        if tag not in _OTHER_NUMBERS | {_NUMBER_VALUE}:
            return None
        if self.concept != _SUBJECT_AGE:
            return Action.KEEP
        return Action.AGE if tag == _NUMBER_VALUE else Action.REMOVE

    def _words_action(self, tag: int, *, strip: bool) -> Action:
        if self.concept in (_SUBJECT_ID, _SUBJECT_NAME):
            return Action.PSEUDONYM
        if tag == _NAME_VALUE or strip or self.concept in _TELLS_WHO:
            return Action.DUMMY
        return Action.WORDS

    def capped(self, number: str) -> str:
        """An age as a report measures it, of which nobody over 89 years can be told; what is no number goes."""
        in_a_year = _IN_A_YEAR.get(self.unit, 1)
        try:
            years = float(number) / in_a_year
        except ValueError:
            return ""
        return number if years < OLDEST_TOLD_YEARS + 1 else f"{(OLDEST_TOLD_YEARS + 1) * in_a_year:.0f}"


NOTHING = Subject()


def _unit(item: Sequence[Element]) -> str:
    for one in item:
        if one.tag == _UNITS and one.items:
            return next((plain(inner.value) for inner in one.items[0] if inner.tag == codes.CODE_VALUE), "")
    return ""
