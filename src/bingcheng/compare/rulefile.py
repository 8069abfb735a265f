"""Reading rule files: TOML, checked field by field, with errors that name the entry."""

from __future__ import annotations

import tomllib
from collections.abc import Iterable
from pathlib import Path
from typing import Annotated, TypeVar

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from bingcheng.core.errors import CatalogueError, Owner, Problem

BROKEN_RULES = Problem(
    code="compare.broken-rules",
    says="the comparison rules in {file} can't be used: {where}: {error}",
    remedy="Correct the entry that is named; the head of the file explains every field.",
    owner=Owner.PHYSICIST,
)

M = TypeVar("M", bound=BaseModel)
Sentence = Annotated[str, Field(min_length=1)]
"""A text that must be there; where people read it, an English template that is translated at the edge."""


class Entry(BaseModel):
    """What all entries of a rule file share: unknown fields are refused, nothing changes after loading."""

    model_config = ConfigDict(extra="forbid", frozen=True)


def load(model: type[M], toml: str, name: str) -> M:
    """The rule file with the content `toml`, checked against `model`; `name` stands in the error.

    Raises
    ------
    CatalogueError
        ``compare.broken-rules``, naming the entry and the field.
    """
    try:
        return model.model_validate(tomllib.loads(toml))
    except tomllib.TOMLDecodeError as error:
        raise CatalogueError(BROKEN_RULES, file=name, where="TOML", error=str(error)) from error
    except ValidationError as error:
        # a misspelt field shows up twice, as unknown and as missing; the unknown one is what its author can find
        first = min(error.errors(include_url=False), key=lambda found: found["type"] != "extra_forbidden")
        where = ".".join(str(part) for part in first["loc"]) or "file"
        raise CatalogueError(BROKEN_RULES, file=name, where=where, error=str(first["msg"])) from error


def content(path: Path) -> str:
    """The text of a hospital's own rule file.

    Raises
    ------
    CatalogueError
        ``compare.broken-rules`` if it can't be read.
    """
    try:
        return path.read_text("utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise CatalogueError(BROKEN_RULES, file=path.name, where="file", error=type(error).__name__) from error


def require_unique(ids: Iterable[str]) -> None:
    """Raise ValueError (which `load` turns into its error) if a name stands there twice."""
    seen: set[str] = set()
    for name in ids:
        if name in seen:
            raise ValueError(f"'{name}' stands there twice")
        seen.add(name)
