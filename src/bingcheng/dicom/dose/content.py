"""Content items of a structured report, read safely: what is garbled, absent or in a foreign unit is no value."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from types import MappingProxyType

from pydicom.dataset import Dataset

from bingcheng.core.codes import Code
from bingcheng.dicom.facts.tags import Tags, code_of

NEWER_CODES: Mapping[tuple[str, str], str] = MappingProxyType(
    {
        ("SRT", "P5-08000"): "77477000",
        ("SRT", "P5-08001"): "116152004",
    }
)
"""SNOMED's old identifiers (PS3.16 annex K) as concept identifiers, where this floor asks for them."""

DEEPEST = 12
"""Levels of nesting that are followed; TID 10011 has five, and a circular or crafted object may have any number."""


@dataclass(frozen=True, slots=True)
class Number:
    """A measured value as written: the number and the code of its unit."""

    value: float
    unit: str


class Item:
    """One content item and those under it (PS3.3 C.17.3)."""

    def __init__(self, dataset: Dataset, depth: int = 0) -> None:
        self.tags = Tags(dataset)
        self.depth = depth

    @property
    def name(self) -> str:
        """The code value of its concept name; empty if it has none."""
        code = self.tags.code("ConceptNameCodeSequence")
        return "" if code is None else concept(code)

    def children(self, name: str | None = None) -> Iterator[Item]:
        """The items directly under this one, in order; with `name`, those of this concept."""
        if self.depth >= DEEPEST:
            return
        for dataset in self.tags.items("ContentSequence"):
            item = Item(dataset, self.depth + 1)
            if name is None or item.name == name:
                yield item

    def child(self, name: str) -> Item | None:
        """The first item under this one of the concept `name`."""
        return next(self.children(name), None)

    def number(self, name: str) -> Number | None:
        """The first measured value of the concept `name` under this item; None without a number or without a unit."""
        for item in self.children(name):
            measured = item.tags.item("MeasuredValueSequence")
            value, unit = measured.number("NumericValue"), measured.code("MeasurementUnitsCodeSequence")
            if value is not None and unit is not None:
                return Number(value, unit.value.strip())
        return None

    def code(self, name: str) -> Code | None:
        """The first coded value of the concept `name` under this item."""
        return next((code for item in self.children(name) if (code := item.value) is not None), None)

    def words(self, name: str) -> str | None:
        """The first text of the concept `name` under this item."""
        return next((text for item in self.children(name) if (text := first_of(item.tags, "TextValue"))), None)

    def uid(self, name: str) -> str | None:
        """The first UID of the concept `name` under this item."""
        return next((uid for item in self.children(name) if (uid := first_of(item.tags, "UID"))), None)

    def moment(self, name: str) -> str | None:
        """The first date and time of the concept `name` under this item, as written."""
        return next((moment for item in self.children(name) if (moment := first_of(item.tags, "DateTime"))), None)

    @property
    def value(self) -> Code | None:
        """Its own coded value."""
        return next(
            (code for item in self.tags.items("ConceptCodeSequence") if (code := code_of(item)) is not None), None
        )


def first_of(tags: Tags, keyword: str) -> str | None:
    """The first text of an attribute, or None; the collector of sentences takes no notice of it."""
    return next(iter(tags.texts(keyword)), None)


def concept(code: Code) -> str:
    """The identifier of a concept, whichever generation of SNOMED's identifiers was written."""
    value = code.value.strip()
    return NEWER_CODES.get((code.scheme.strip(), value), value)
