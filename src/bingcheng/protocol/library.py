"""The protocols that ship with the program, and a hospital's own: read from TOML, or refused with file and line."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator
from difflib import get_close_matches
from functools import cache
from importlib.resources import files
from pathlib import Path

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from bingcheng.core.errors import InputError, Owner, Problem
from bingcheng.protocol.fault import MEND_FILE, Location
from bingcheng.protocol.model import Criterion, Demand, Predicate, Protocol, Role, Source
from bingcheng.protocol.validation import faults

UNREADABLE = Problem(
    code="protocol.unreadable-file",
    says="{file} can't be read ({error})",
    remedy="Give the path of a protocol file in UTF-8 that this account may read.",
    owner=Owner.OPERATOR,
)
NOT_TOML = Problem(
    code="protocol.not-toml", says="{file} is not TOML: {error}", remedy=MEND_FILE, owner=Owner.PHYSICIST
)
UNKNOWN_KEY = Problem(
    code="protocol.unknown-key",
    says="{file}, line {line}, {key}: this key is not known here; the nearest are {near}",
    remedy=MEND_FILE,
    owner=Owner.PHYSICIST,
)
MISSING_KEY = Problem(
    code="protocol.missing-key",
    says="{file}, line {line}, {key}: this key is missing",
    remedy=MEND_FILE,
    owner=Owner.PHYSICIST,
)
WRONG_VALUE = Problem(
    code="protocol.wrong-value",
    says="{file}, line {line}, {key}: {error}",
    remedy=MEND_FILE,
    owner=Owner.PHYSICIST,
)
NO_SUCH_PROTOCOL = Problem(
    code="protocol.no-such-protocol",
    says="there is no protocol '{name}'; there are {known}",
    remedy="Name one that exists, or give the path of a protocol file.",
    owner=Owner.OPERATOR,
)
MOST_NEAREST = 3
_BY_TYPE = {"extra_forbidden": UNKNOWN_KEY, "missing": MISSING_KEY}


@cache
def protocols() -> tuple[Protocol, ...]:
    """The protocols that ship with the program, in the order of their identifiers."""
    shipped = files("bingcheng.protocol").joinpath("library").iterdir()
    texts = sorted((entry.name, entry.read_text("utf-8")) for entry in shipped if entry.name.endswith(".toml"))
    return tuple(parse(content, name) for name, content in texts)


def protocol(key: str) -> Protocol:
    """The shipped protocol of that identifier.

    Raises
    ------
    InputError
        ``protocol.no-such-protocol``.
    """
    for one in protocols():
        if one.id == key:
            return one
    raise InputError(NO_SUCH_PROTOCOL, name=key, known=", ".join(one.id for one in protocols()))


def load(path: Path) -> Protocol:
    """A hospital's own protocol from a TOML file.

    Raises
    ------
    InputError
        ``protocol.unreadable-file``, ``protocol.not-toml``, or the first thing in it that is wrong, with its line
        (``protocol.unknown-key``, ``protocol.missing-key``, ``protocol.wrong-value`` and the codes of
        `bingcheng.protocol.validation`).
    """
    return parse(text_of(path), path.name)


def text_of(path: Path) -> str:
    """What stands in a protocol file.

    Raises
    ------
    InputError
        ``protocol.unreadable-file``.
    """
    try:
        return path.read_text("utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(UNREADABLE, file=path.name, error=type(error).__name__) from error


def parse(content: str, name: str) -> Protocol:
    """The protocol that `content` says; `name` is what errors call the file. Raises as `load` does."""
    found, errors = read(content, name)
    for error in errors:
        raise error
    assert found is not None
    return found


def read(content: str, name: str) -> tuple[Protocol | None, Iterator[InputError]]:
    """The protocol that `content` says, and everything that is wrong with it, as `parse` would raise it.

    None where it has not even the shape of a protocol.
    """
    try:
        table = tomllib.loads(content)
    except tomllib.TOMLDecodeError as error:
        return None, iter((InputError(NOT_TOML, file=name, error=str(error)),))
    except RecursionError:
        return None, iter((InputError(NOT_TOML, file=name, error="nested too deeply"),))
    try:
        found = Protocol.model_validate(table)
    except ValidationError as error:
        # A misspelt key is at once an unknown and a missing one; the unknown one is what the author sees in the file.
        ordered = sorted(error.errors(), key=lambda one: one["type"] != "extra_forbidden")
        return None, (_refusal(one, content, name) for one in ordered)
    return found, (
        InputError(
            fault.problem, file=name, line=line_of(content, fault.where), key=_dotted(fault.where), **fault.facts
        )
        for fault in faults(found)
    )


def _refusal(error: ErrorDetails, content: str, name: str) -> InputError:
    where = tuple(error["loc"])
    line, key = line_of(content, where), _dotted(where)
    problem = _BY_TYPE.get(error["type"], WRONG_VALUE)
    facts = {}
    if problem is WRONG_VALUE:
        facts["error"] = error["msg"]
    elif problem is UNKNOWN_KEY:
        facts["near"] = ", ".join(get_close_matches(str(where[-1]), _keys_at(where), MOST_NEAREST, 0.0))
    return InputError(problem, file=name, line=line, key=key, **facts)


def _keys_at(where: Location) -> list[str]:
    """The keys that the table at a place may have."""
    tables: dict[str, type[BaseModel]] = {
        "applies": Demand,
        "sources": Source,
        "roles": Role,
        "criteria": Criterion,
        "select": Predicate,
        "when": Demand,
    }
    named = [part for part in where[:-1] if isinstance(part, str) and part in tables]
    model = tables[named[-1]] if named else Protocol
    return list(model.model_fields)


def line_of(content: str, where: Location) -> int:
    """The line, counted from 1, of a place in a protocol file; of its table if it does not stand there."""
    lines = content.splitlines()
    start, end = _block(lines, where)
    for part in where[1:] if start else where:
        if isinstance(part, str):
            pattern = re.compile(rf"^\s*{re.escape(part)}\s*=|[{{,]\s*{re.escape(part)}\s*=")
            start = next((n for n in range(start, end) if pattern.search(lines[n])), start)
        elif not lines[start].startswith("[["):
            # The n-th entry of an array that is written one entry a line.
            entries = [n for n in range(start, end) if lines[n].lstrip().startswith("{")]
            start = entries[part] if part < len(entries) else start
    return start + 1


def _block(lines: list[str], where: Location) -> tuple[int, int]:
    """First line and end of the table where a place lies; the head of the file if it lies in no table."""
    heads = [n for n, line in enumerate(lines) if line.startswith("[")]
    wanted = [n for n in heads if lines[n].strip() == f"[[{where[0]}]]"] if where else []
    if len(where) > 1 and isinstance(where[1], int) and where[1] < len(wanted):
        start = wanted[where[1]]
    elif len(where) > 1:
        start = next((n for n in heads if lines[n].strip() == f"[{where[0]}.{where[1]}]"), 0)
    else:
        return 0, (heads[0] if heads else len(lines))
    return start, next((n for n in heads if n > start), len(lines))


def _dotted(where: Location) -> str:
    shown = ""
    for part in where:
        shown += f"[{part + 1}]" if isinstance(part, int) else f".{part}" if shown else part
    return shown
