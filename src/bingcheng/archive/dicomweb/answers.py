"""What a search found, as DICOM JSON (PS3.18 annex F and 10.6.3.3)."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from json.encoder import encode_basestring as quoted
from typing import Any

from bingcheng.archive.dicomweb.attributes import Attribute, attribute

JsonObject = dict[str, dict[str, Any]]
"""One dataset: attributes by tag."""

_WHOLE = frozenset(("IS", "US", "UL", "SS", "SL", "UV", "SV"))
_DECIMAL = frozenset(("DS", "FL", "FD"))
_ONE_TEXT = frozenset(("LT", "ST", "UT", "UR"))
"""Texts in which a backslash is a character like others."""

_REQUESTS = "RequestAttributesSequence"
_REQUEST = frozenset(("ScheduledProcedureStepID", "RequestedProcedureID"))
_GROUPS = ("Alphabetic", "Ideographic", "Phonetic")
_URL = "RetrieveURL"
_ALWAYS: Mapping[str, str] = {
    "SpecificCharacterSet": "ISO_IR 192",  # JSON is written in UTF-8 (F.2.1)
    "InstanceAvailability": "ONLINE",
}


class Answers:
    """Writes the answers of one search; what many rows share, as the slices of a series do, is written once.

    Parameters
    ----------
    wanted : keywords that are answered, those without a value as empty attributes; None for all that there are.
    """

    def __init__(self, wanted: Collection[str] | None) -> None:
        self._wanted = wanted
        self._orders: dict[tuple[str, ...], list[Attribute]] = {}
        self._written: dict[tuple[str, str | int], str] = {}

    def text(self, values: Mapping[str, str | int], url: str) -> str:
        """A dataset of the values by keyword, and where it can be retrieved, as JSON text in the order of tags."""
        parts = []
        for one in self._order(values):
            keyword = one.keyword
            if keyword == _URL:
                parts.append(_element(one, url))
                continue
            if keyword == _REQUESTS:
                parts.append(_requests(one, values))
                continue
            value = values.get(keyword, "") if keyword not in _ALWAYS else _ALWAYS[keyword]
            known = self._written.get((keyword, value))
            if known is None:
                known = self._written[keyword, value] = _element(one, value)
            parts.append(known)
        return "{" + ",".join(parts) + "}"

    def _order(self, values: Mapping[str, str | int]) -> list[Attribute]:
        """The attributes of an answer, by tag."""
        keywords = tuple(values) if self._wanted is None else ()
        known = self._orders.get(keywords)
        if known is None:
            asked = {*(keywords if self._wanted is None else self._wanted), *_ALWAYS, _URL}
            if self._wanted is None or not _REQUEST.isdisjoint(asked):
                asked.add(_REQUESTS)
            found = (attribute(keyword) for keyword in asked - _REQUEST)
            known = sorted((one for one in found if one is not None), key=lambda one: one.tag)
            self._orders[keywords] = known
        return known


def _requests(sequence: Attribute, values: Mapping[str, str | int]) -> str:
    """What was requested, which the index keeps without the sequence that it stands in."""
    known = [(keyword, attribute(keyword)) for keyword in sorted(_REQUEST) if keyword in values]
    inner = sorted(_element(one, values[keyword]) for keyword, one in known if one is not None)
    held = f',"Value":[{{{",".join(inner)}}}]' if inner else ""
    return f'"{sequence.tag}":{{"vr":"SQ"{held}}}'


def _element(one: Attribute, value: str | int) -> str:
    held = _values(one.vr, value) if value != "" else ()
    # An attribute without a value has no member "Value" at all (F.2.5).
    written = f',"Value":[{",".join(held)}]' if any(part != "null" for part in held) else ""
    return f'"{one.tag}":{{"vr":"{one.vr}"{written}}}'


def _values(vr: str, value: str | int) -> Sequence[str]:
    if isinstance(value, int):
        return (str(value) if vr in _WHOLE or vr in _DECIMAL else f'"{value}"',)
    parts = (value,) if vr in _ONE_TEXT else value.split("\\")
    if vr == "PN":
        return [_name(part) for part in parts]
    if vr in _WHOLE or vr in _DECIMAL:
        return [_number(part, whole=vr in _WHOLE) for part in parts]
    return [quoted(part) if part else "null" for part in parts]


def _number(part: str, *, whole: bool) -> str:
    if not part.strip():
        return "null"
    try:
        number = int(part) if whole else float(part)
    except ValueError:
        return quoted(part)  # a number that is none is told as it stands (F.2.3.1 allows text for IS and DS)
    return repr(number) if abs(number) < float("inf") else quoted(part)


def _name(part: str) -> str:
    groups = ",".join(
        f'"{group}":{quoted(text)}' for group, text in zip(_GROUPS, part.split("="), strict=False) if text
    )
    return f"{{{groups}}}" if groups else "null"
