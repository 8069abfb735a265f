"""Objects of the lower floors as JSON and back; reading validates, so a damaged row is told from a good one."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import fields, is_dataclass
from datetime import date, datetime
from enum import Enum
from functools import cache
from types import MappingProxyType
from typing import Any, TypeVar

from pydantic import TypeAdapter, ValidationError

from bingcheng.core.errors import InputError, Owner, Problem

DAMAGED_ROW = Problem(
    code="archive.damaged-row",
    says="a stored {kind} can't be read back",
    remedy="Assess the exam again with --again; if it persists, restore the workspace from its backup.",
    owner=Owner.OPERATOR,
)

T = TypeVar("T")


def plain(value: Any) -> Any:  # noqa: PLR0911 - one kind of value after the other
    """`value` in JSON's own types: dataclasses as objects, tuples as arrays, times as ISO 8601."""
    if value is None or type(value) in (int, float, bool):
        return value
    if is_dataclass(value) and not isinstance(value, type):
        return {field.name: plain(getattr(value, field.name)) for field in fields(value)}
    if isinstance(value, Enum):
        return value.value
    if isinstance(value, Mapping):
        return {str(key): plain(inner) for key, inner in value.items()}
    if isinstance(value, date | datetime):
        return value.isoformat()
    if isinstance(value, str):
        return storable(value)
    if isinstance(value, frozenset | set):
        return sorted(plain(inner) for inner in value)
    if isinstance(value, Sequence):
        return [plain(inner) for inner in value]
    return value


def storable(words: str) -> str:
    """`words` without what no database takes: NUL, and halves of characters that a damaged header left."""
    if words.isascii():
        return words.replace("\0", "") if "\0" in words else words
    return words.replace("\0", "").encode("utf-8", "replace").decode("utf-8")


def encoded(value: Any) -> str:
    """`value` as JSON text, the same for equal values.

    Findings are encoded by the ten thousand: json's compiled encoder walks through them itself and asks only for what
    it does not know; the few that hold what no database takes, or keys that are no text, go the long way.
    """
    try:
        written = _dumped(value)
        if "\\u0000" not in written:
            written.encode()
            return written
    except (TypeError, UnicodeEncodeError):
        pass
    return _dumped(plain(value))


def _dumped(value: Any) -> str:
    return _encoder().encode(value)


@cache
def _encoder() -> json.JSONEncoder:
    # Nothing that is stored holds itself: dataclasses are frozen, and made of what was there before them.
    return json.JSONEncoder(
        ensure_ascii=False,
        separators=(",", ":"),
        allow_nan=False,
        sort_keys=True,
        check_circular=False,
        default=_one_step,
    )


def _one_step(value: Any) -> Any:
    """What the encoder does not know, in types that it does, or the next of which it asks for again."""
    kind = type(value)
    names = _fields(kind)  # type: ignore[arg-type]
    if names:
        return {name: dict(one) if type(one := getattr(value, name)) is MappingProxyType else one for name in names}
    if isinstance(value, Mapping):
        return dict(value)
    known = plain(value)
    if known is value:
        raise TypeError(f"{kind.__name__} can't be stored")
    return known


@cache
def _fields(kind: Any) -> tuple[str, ...]:
    """The names of a dataclass's fields; none of anything else."""
    return tuple(field.name for field in fields(kind)) if is_dataclass(kind) else ()


def decoded(kind: type[T], stored: str) -> T:
    """The object of type `kind` that `encoded` wrote.

    Raises
    ------
    InputError
        ``archive.damaged-row``.
    """
    try:
        described: Any = kind
        value: T = _adapter(described).validate_json(stored)
    except ValidationError as error:
        raise InputError(DAMAGED_ROW, kind=kind.__name__) from error
    return value


@cache
def _adapter(kind: Any) -> Any:
    return TypeAdapter(kind)
