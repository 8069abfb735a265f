"""PS3.15 Table E.1-1 and the tables that belong to it, as data."""

from __future__ import annotations

import csv
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from types import MappingProxyType

OPTIONS = (
    *("safe_private", "uids", "device", "institution", "patient", "full_dates", "modified_dates"),
    *("descriptors", "structured", "graphics"),
)
"""The option columns of the table, in its order."""


@dataclass(frozen=True, slots=True)
class Attribute:
    """One row of the table.

    Parameters
    ----------
    basic : action of the Basic Profile: X, Z, D, U or several of them.
    options : K (keep) or C (clean) by option column, where the option speaks of this attribute.
    edition : of the standard, in which the row was read.
    """

    tag: str
    name: str
    basic: str
    options: Mapping[str, str]
    edition: str


def _rows(name: str) -> Iterator[dict[str, str]]:
    lines = files("bingcheng.archive.deidentify").joinpath(name).read_text("utf-8").splitlines()
    return iter(csv.DictReader(line for line in lines if not line.startswith("#")))


@cache
def attributes() -> tuple[Attribute, ...]:
    """Every row: tags as eight hexadecimal digits; ``50xxxxxx``, ``60xx....`` and ``private`` are ranges."""
    return tuple(
        Attribute(
            row["tag"],
            row["name"],
            row["basic"],
            MappingProxyType({option: row[option] for option in OPTIONS if row[option]}),
            row["edition"],
        )
        for row in _rows("attributes.csv")
    )


@cache
def types() -> Mapping[tuple[str, int], str]:
    """The type (1, 1C, 2, 2C, 3) of attributes whose action depends on it, by SOP class and tag."""
    return MappingProxyType({(row["sop_class"], int(row["tag"], 16)): row["type"] for row in _rows("types.csv")})


@cache
def safe_private() -> Mapping[tuple[int, str, int], str]:
    """The VRs of private elements that are known to hold no identity, by group, creator and low byte of the element."""
    return MappingProxyType(
        {(int(row["group"], 16), row["creator"], int(row["element"], 16)): row["vr"] for row in _rows("private.csv")}
    )


@cache
def terms() -> Mapping[int, frozenset[str]]:
    """Defined terms and enumerated values of code strings (PS3.3) by tag, whatever module and value they are for."""
    return MappingProxyType(
        {int(row["tag"], 16): frozenset(row["terms"].split("|")) for row in _rows("code_strings.csv")}
    )
