"""Numbers of hospitals as they cross: counts of exams and summaries of scanners, of no patient.

Cells of fewer than five exams are not told: a count of one to four stands as null, and a row that rests on fewer than
five exams is left out. All other counts are told to the nearest multiple of five: a hospital's count less those of its
months, or the criteria of one protocol held against each other, would else give the hidden ones away. What remains is
that many counts that were all rounded one way may narrow a hidden one.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from bingcheng.archive.pairing.manifest import tells_of_a_person
from bingcheng.archive.pairing.problems import NOT_WHITELISTED
from bingcheng.core.errors import InputError
from bingcheng.core.wording import text

FORMAT = "bingcheng-numbers-1"
LEAST_CELL = 5
STEP = 5
"""Counts are told in multiples of it."""
LARGEST_DOCUMENT = 8 << 20

Short = Annotated[str, Field(max_length=200)]
Code = Annotated[str, Field(max_length=100)]
Number = Annotated[float, Field(allow_inf_nan=False)]


def _told(value: int | None) -> int | None:
    if value is not None and 0 < value < LEAST_CELL:
        raise ValueError("a cell that is too small")
    if value is not None and value % STEP:
        raise ValueError("a count that is too exact")
    return value


Cell = Annotated[int | None, Field(ge=0, le=100_000_000)]
"""A count, to the nearest five; null stands for one to four."""


def cell(count: int) -> int | None:
    """A count as it may be told."""
    return None if 0 < count < LEAST_CELL else rounded(count)


def rounded(count: int) -> int:
    """The nearest multiple of five."""
    return (count + STEP // 2) // STEP * STEP


class _Closed(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)


class Counts(_Closed):
    """Exams or criteria by outcome."""

    passed: Cell
    failed: Cell
    unknown: Cell

    @model_validator(mode="after")
    def _large_enough(self) -> Counts:
        for value in (self.passed, self.failed, self.unknown):
            _told(value)
        return self


class Month(_Closed):
    """The exams of one month."""

    month: Annotated[str, Field(pattern=r"^[0-9]{4}-[0-9]{2}$")]
    counts: Counts


class Criterion(_Closed):
    """How often one criterion of a protocol was met."""

    protocol: Code
    criterion: Code
    level: Code
    counts: Counts


class Scanner(_Closed):
    """One measure at one scanner beside all others."""

    device: Short
    key: Code
    label: Short
    unit: Code
    count: Annotated[int, Field(ge=LEAST_CELL, multiple_of=STEP)]
    median: Number
    spread: Number | None
    others_median: Number | None
    deviation: Number | None
    flagged: bool


class HospitalNumbers(_Closed):
    """One hospital."""

    name: Annotated[str, Field(min_length=1, max_length=200)]
    counts: Counts
    months: Annotated[tuple[Month, ...], Field(max_length=240, strict=False)] = ()
    criteria: Annotated[tuple[Criterion, ...], Field(max_length=5000, strict=False)] = ()
    scanners: Annotated[tuple[Scanner, ...], Field(max_length=5000, strict=False)] = ()


class NumbersDocument(_Closed):
    """What one installation tells another.

    Parameters
    ----------
    origin : identifier of its key.
    made_at : UTC, to the minute.
    """

    format: Literal["bingcheng-numbers-1"]
    origin: Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]
    made_at: Annotated[str, Field(pattern=r"^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}Z$")]
    hospitals: Annotated[tuple[HospitalNumbers, ...], Field(max_length=2000, strict=False)]

    def written(self) -> bytes:
        """As JSON, to be signed."""
        said = self.model_dump(mode="json")
        return json.dumps(said, ensure_ascii=False, sort_keys=True, separators=(",", ":"), allow_nan=False).encode()


def counts(passed: int, failed: int, unknown: int) -> Counts:
    """Three counts as they may be told."""
    return Counts(passed=cell(passed), failed=cell(failed), unknown=cell(unknown))


def enough(numbers: Mapping[Any, int]) -> bool:
    """Whether a row rests on enough exams to be told at all."""
    return sum(numbers.values()) >= LEAST_CELL


def read_numbers(written: bytes) -> NumbersDocument:
    """The document, if nothing else stands in it and no cell is too small.

    Raises
    ------
    InputError
        ``archive.not-whitelisted``.
    """
    if len(written) > LARGEST_DOCUMENT:
        raise InputError(NOT_WHITELISTED, what=text("a document that is too large"))
    try:
        found = NumbersDocument.model_validate_json(written)
    except ValidationError as error:
        raise InputError(NOT_WHITELISTED, what=text("numbers that are not of the agreed form")) from error
    if any(tells_of_a_person(one.name) for one in found.hospitals):
        raise InputError(NOT_WHITELISTED, what=text("a long number, date or address in words"))
    return found
