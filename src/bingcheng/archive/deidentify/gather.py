"""The names, numbers and addresses of an object, collected before anything is changed."""

from __future__ import annotations

from collections.abc import Sequence

from bingcheng.archive.deidentify.charset import DEFAULT, TEXT_VRS, decoded, encodings
from bingcheng.archive.deidentify.elements import Element, dictionary_vr, plain
from bingcheng.archive.deidentify.forms import true_vr
from bingcheng.archive.deidentify.identifiers import Identifiers, is_technical
from bingcheng.archive.deidentify.profile import Option
from bingcheng.archive.deidentify.rules import Action, Rules
from bingcheng.archive.deidentify.subject import CHARSET

_TEXTS = TEXT_VRS | {"AE", "UR"}
_GOES = frozenset((Action.REMOVE, Action.EMPTY, Action.DUMMY, Action.PSEUDONYM))


def identifiers(elements: Sequence[Element], rules: Rules) -> Identifiers:
    """Names by their parts, and the values of text attributes that the profile takes out."""
    found = Identifiers(houses=rules.profile.has(Option.INSTITUTION))
    _gather(elements, rules, DEFAULT, found)
    found.values -= {plain(one.value).casefold() for one in elements if is_technical(one.tag, plain(one.value))}
    return found


def _gather(elements: Sequence[Element], rules: Rules, known: Sequence[str], found: Identifiers) -> None:
    for one in elements:
        if one.tag == CHARSET:
            known = encodings(one.value)
        if one.items is not None:
            for item in one.items:
                _gather(item, rules, known, found)
        elif one.value and not one.tag >> 16 & 1:
            _add(one, rules, known, found)


def _add(one: Element, rules: Rules, known: Sequence[str], found: Identifiers) -> None:
    vr = true_vr(one.tag, one.vr)
    if "PN" in (vr, dictionary_vr(one.tag)):
        for name in decoded(one.value, known, "PN").split("\\"):
            found.add_name(name)
    elif vr in _TEXTS and one.tag in rules.by_tag and rules.action(one.tag, vr, None) in _GOES:
        for value in decoded(one.value, known, vr).split("\\"):
            found.add_value(value)
