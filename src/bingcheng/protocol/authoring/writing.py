"""A protocol as the text of a protocol file, which loads again to an equal protocol."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from enum import Enum
from typing import Any

from pydantic import BaseModel

from bingcheng.protocol.model import Criterion, Demand, Protocol, Role, Source

ESCAPES = {"\\": "\\\\", '"': '\\"', "\b": "\\b", "\t": "\\t", "\n": "\\n", "\f": "\\f", "\r": "\\r"}
"""TOML 1.0, "String": what a basic string writes as an escape; other control characters go by their number."""
WIDTH = 110
EXACT = 1e15
"""Whole numbers below this are written without a point; binary floats hold each of them exactly."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Comments:
    """What is said beside the data, one line each: at the head of the file, above roles and criteria, at its end."""

    head: Sequence[str] = ()
    roles: Mapping[str, Sequence[str]] = field(default_factory=dict)
    criteria: Mapping[str, Sequence[str]] = field(default_factory=dict)
    end: Sequence[str] = ()


def written(protocol: Protocol, comments: Comments | None = None) -> str:
    """The text of the protocol file that says `protocol`, with `comments`."""
    said = comments or Comments()
    lines = [*_commented(said.head), *_fields(protocol, leave_out={"sources", "roles", "criteria"})]
    for name, source in protocol.sources.items():
        lines += ["", f"[sources.{_key(name)}]", *_fields(source)]
    for role in protocol.roles:
        lines += ["", *_commented(said.roles.get(role.id, ())), *role_lines(role)]
    for criterion in protocol.criteria:
        lines += ["", *_commented(said.criteria.get(criterion.id, ())), *criterion_lines(criterion)]
    if said.end:
        lines += ["", *_commented(said.end)]
    return "\n".join(lines) + "\n"


def role_lines(role: Role) -> list[str]:
    """The lines of one role."""
    order = ("id", "title", "modality", "level", "decisive", "each", "select", "source", "locator", "trust")
    return ["[[roles]]", *_fields(role, first=order)]


def criterion_lines(criterion: Criterion) -> list[str]:
    """The lines of one criterion."""
    head = ("id", "title", "scope", "roles", "baseline_series", "attribute", "operator", "value", "by_vendor", "unit")
    order = (*head, "level", "when", "source", "locator", "trust", "note", "remedy", "owner")
    return ["[[criteria]]", *_fields(criterion, first=order)]


def _fields(
    model: Protocol | Source | Role | Criterion, *, first: Sequence[str] = (), leave_out: Any = ()
) -> list[str]:
    """The fields that differ from what a reader assumes anyway, in the order `first`, then as they are declared."""
    declared = type(model).model_fields
    names = dict.fromkeys((*first, *declared))
    found = []
    for name in names:
        value = getattr(model, name)
        required = declared[name].is_required()
        if name in leave_out or (not required and value == declared[name].default):
            continue
        if name == "source" and len(value) == 1:
            value = value[0]
        found.append(f"{name} = {_value(value, break_up=len(name) + 3)}")
    return found


def _value(value: Any, break_up: int | None = None) -> str:
    """`value` in TOML; with `break_up` (the width before it), lists of demands and long lists stand one on a line."""
    if isinstance(value, Demand):
        return _demand(value)
    if isinstance(value, Mapping):
        return "{ " + ", ".join(f"{_key(name)} = {_value(one)}" for name, one in value.items()) + " }"
    if not isinstance(value, tuple):
        return _scalar(value)
    items = [_value(one) for one in value]
    line = f"[{', '.join(items)}]"
    tall = any(isinstance(one, BaseModel) for one in value)
    if break_up is not None and (tall or break_up + len(line) > WIDTH):
        return "[\n" + "".join(f"  {item},\n" for item in items) + "]"
    return line


def _scalar(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int | float):
        return str(int(value)) if float(value).is_integer() and abs(value) < EXACT else repr(float(value))
    return _string(str(value.value) if isinstance(value, Enum) else str(value))


def _demand(demand: Demand) -> str:
    parts: Iterator[tuple[str, Any]] = (
        (name, getattr(demand, name))
        for name, declared in type(demand).model_fields.items()
        if declared.is_required() or getattr(demand, name) != declared.default
    )
    return "{ " + ", ".join(f"{name} = {_value(value)}" for name, value in parts) + " }"


def _key(name: str) -> str:
    bare = name and all(char.isascii() and (char.isalnum() or char in "_-") for char in name)
    return name if bare else _string(name)


def _string(words: str) -> str:
    return '"' + "".join(ESCAPES.get(char) or _plain(char) for char in words) + '"'


def _plain(char: str) -> str:
    code = ord(char)
    return f"\\u{code:04X}" if code < 0x20 or code == 0x7F else char


def _commented(lines: Sequence[str]) -> list[str]:
    # A comment must not hold control characters other than a tab (TOML 1.0, "Comment").
    shown = (part for line in lines for part in (line.splitlines() or [""]))
    return [f"# {''.join(_plain(char) for char in line)}".rstrip() for line in shown]
