"""What a dicompare schema file may say, as far as it is read here; its Python is kept as text and never run."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError

from bingcheng.core.errors import InputError, Owner, Problem

NOT_JSON = Problem(
    code="protocol.not-json",
    says="{file} is not JSON: {error}",
    remedy="Give the schema file as dicompare wrote it.",
    owner=Owner.PHYSICIST,
)
NOT_DICOMPARE = Problem(
    code="protocol.not-dicompare",
    says="{file} is no dicompare schema: {place}: {error}",
    remedy="Correct this place in the schema, or export it again from dicompare.",
    owner=Owner.PHYSICIST,
)
LARGEST_CHARACTERS = 20_000_000
"""A schema is some hundred kilobytes; what is a hundred times as large is something else."""


def _words(value: object) -> object:
    return "" if value is None else value


Words = Annotated[str, BeforeValidator(_words)]


class _Part(BaseModel):
    model_config = ConfigDict(extra="ignore", frozen=True)


class FieldRule(_Part):
    """A constraint on one field."""

    field: str = Field(min_length=1)
    value: Any = None
    tolerance: float | None = Field(default=None, ge=0)
    least: float | None = Field(default=None, alias="min")
    most: float | None = Field(default=None, alias="max")
    contains: str | None = None
    contains_any: list[Any] | None = None
    contains_all: list[Any] | None = None
    severity: Literal["error", "warning"] = "error"
    error_least: float | None = Field(default=None, alias="errorMin")
    error_most: float | None = Field(default=None, alias="errorMax")
    error_tolerance: float | None = Field(default=None, alias="errorTolerance", ge=0)
    notes: Words = ""


class Code(_Part):
    """A rule whose logic is Python source; only what it is about is read."""

    name: Words = ""
    description: Words = ""
    fields: list[str] = Field(default_factory=list)


class SeriesRule(_Part):
    """A series that must be among those of its acquisition."""

    name: Words = ""
    fields: list[FieldRule] = Field(default_factory=list)


class Acquisition(_Part):
    """One acquisition of a session."""

    description: Words = ""
    fields: list[FieldRule] = Field(default_factory=list)
    series: list[SeriesRule] = Field(default_factory=list)
    rules: list[Code] = Field(default_factory=list)


class Schema(_Part):
    """A whole file."""

    name: str = Field(min_length=1)
    description: Words = ""
    version: Words = ""
    authors: list[str] = Field(default_factory=list)
    acquisitions: Mapping[str, Acquisition] = Field(min_length=1)
    rules: list[Code] = Field(default_factory=list)


def read(content: str, name: str) -> Schema:
    """The schema that `content` says; `name` is what errors call the file.

    Raises
    ------
    InputError
        ``protocol.not-json``, ``protocol.not-dicompare``.
    """
    if len(content) > LARGEST_CHARACTERS:
        raise InputError(NOT_DICOMPARE, file=name, place="file", error="too large")
    try:
        table: Any = json.loads(content, parse_constant=_no_constant)
        # Halves of characters, which JSON can write and no file holds.
        table = json.loads(json.dumps(table, ensure_ascii=False).encode("utf-8", "replace"))
    except (ValueError, RecursionError) as error:
        said = str(error) if isinstance(error, json.JSONDecodeError) else type(error).__name__
        raise InputError(NOT_JSON, file=name, error=said) from error
    try:
        return Schema.model_validate(table)
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        place = ".".join(str(part) for part in first["loc"]) or "file"
        raise InputError(NOT_DICOMPARE, file=name, place=place, error=first["msg"]) from error


def _no_constant(name: str) -> float:
    raise ValueError(name)
