"""Organs and diagnoses of tumours with their codes, in English and Chinese."""

from __future__ import annotations

import csv
from dataclasses import dataclass
from functools import cache
from importlib.resources import files


@dataclass(frozen=True, slots=True)
class Term:
    """One term: its ICD-O-3 code, empty without one, and its names."""

    kind: str
    code: str
    en: str
    zh: str
    also: tuple[str, ...]

    @property
    def names(self) -> frozenset[str]:
        """All its names, without case."""
        return frozenset(one.casefold() for one in (self.en, self.zh, *self.also))


@cache
def terms() -> tuple[Term, ...]:
    """All terms, organs first."""
    lines = files("bingcheng.archive.cases").joinpath("terms.csv").read_text("utf-8").splitlines()
    rows = csv.DictReader(line for line in lines if not line.startswith("#"))
    return tuple(
        Term(
            kind=row["kind"],
            code=row["code"],
            en=row["en"],
            zh=row["zh"],
            also=tuple(one for one in row["also"].split(";") if one),
        )
        for row in rows
    )


def same(kind: str, words: str) -> frozenset[str]:
    """All names of the term that `words` names or whose code it is; the words themselves if there is none."""
    low = words.strip().casefold()
    for one in terms():
        code = {one.code.casefold()} - {""}
        if one.kind == kind and low in one.names | code:
            return one.names | code | {low}
    return frozenset({low})
