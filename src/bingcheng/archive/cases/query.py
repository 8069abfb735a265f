"""The language in which cases are searched by what was measured, read into conditions.

``lesion.longest_diameter > 30 mm and organ = liver and protocol(pi-rads) = conform``

    any     = all { "or" all }
    all     = one { "and" one }
    one     = "not" one | "(" any ")" | '"words"' | field ("=" | "!=" | "~") value | measure compare number [unit]
    field   = organ | modality | diagnosis | tag | hospital | title | protocol "(" name ")"
    measure = ("lesion" | "series") "." key
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import NoReturn

from bingcheng.archive.cases.problems import QUERY
from bingcheng.core.errors import InputError
from bingcheng.core.units import UNITS
from bingcheng.core.wording import Text, text

LONGEST, DEEPEST = 500, 20
FIELDS = ("organ", "modality", "diagnosis", "tag", "hospital", "title")
PROTOCOL, LESION, SERIES = "protocol", "lesion", "series"
COMPARISONS = (">", ">=", "<", "<=", "=", "!=")
UNIT_ALIASES = {"hu": "[hnsf'U]", "suv": "g/ml", "mm²": "mm2", "cm²": "cm2", "mm³": "mm3", "cm³": "cm3", "µm": "um"}
CONFORM = {
    "conform": "pass",
    "not-conform": "fail",
    "unknown": "unknown",
    "符合": "pass",
    "不符合": "fail",
    "未知": "unknown",
}
_TOKEN = re.compile(
    r'\s*(?:(?P<quoted>"[^"]*")|(?P<op>>=|<=|!=|[><=~])|(?P<mark>[()])'
    r"|(?P<word>[^\s\"()<>=!~]+))"
)
_NUMBER = re.compile(r"([+-]?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?)(.*)", re.DOTALL)


@dataclass(frozen=True, slots=True)
class Words:
    """The words stand somewhere in what is written."""

    words: str


@dataclass(frozen=True, slots=True)
class FieldIs:
    """A field is (``=``), is not (``!=``) or contains (``~``) a value."""

    field: str
    compare: str
    value: str


@dataclass(frozen=True, slots=True)
class ProtocolIs:
    """A protocol (by the beginning of its identifier) said this of an exam; `outcome` is a stored word."""

    protocol: str
    outcome: str
    negated: bool


@dataclass(frozen=True, slots=True)
class MeasureIs:
    """A lesion or series has a value that compares so; `unit` is a UCUM code, None if none was written."""

    of_lesion: bool
    key: str
    compare: str
    value: float
    unit: str | None
    position: int


@dataclass(frozen=True, slots=True)
class Not:
    """The other does not hold."""

    other: Condition


@dataclass(frozen=True, slots=True)
class All:
    """All hold."""

    parts: tuple[Condition, ...]


@dataclass(frozen=True, slots=True)
class Any:
    """At least one holds."""

    parts: tuple[Condition, ...]


Condition = Words | FieldIs | ProtocolIs | MeasureIs | Not | All | Any


@dataclass(frozen=True, slots=True)
class _Token:
    kind: str
    words: str
    position: int


def parsed(written: str) -> Condition | None:
    """What a query means; None of an empty one.

    Raises
    ------
    InputError
        ``archive.wrong-query``, with the character from 1 and what is wrong there.
    """
    if len(written) > LONGEST:
        _fail(LONGEST, text("it is longer than {count} characters", count=LONGEST))
    if not written.strip():
        return None
    reader = _Reader(tuple(_tokens(written)))
    found = reader.any(0)
    reader.end()
    return found


def _tokens(written: str) -> Iterator[_Token]:
    at = 0
    while at < len(written.rstrip()):
        found = _TOKEN.match(written, at)
        if found is None or found.lastgroup is None:
            at += len(written[at:]) - len(written[at:].lstrip())
            _fail(at + 1, text("this character has no meaning here, or a quotation mark is not closed"))
        yield _Token(found.lastgroup, found[found.lastgroup], found.start(found.lastgroup) + 1)
        at = found.end()
    yield _Token("end", "", len(written.rstrip()) + 1)


class _Reader:
    """Reads tokens from left to right."""

    def __init__(self, tokens: tuple[_Token, ...]) -> None:
        self._tokens = tokens
        self._at = 0

    @property
    def _next(self) -> _Token:
        return self._tokens[self._at]

    def _take(self) -> _Token:
        one = self._tokens[self._at]
        self._at = min(self._at + 1, len(self._tokens) - 1)
        return one

    def _is(self, word: str) -> bool:
        return self._next.kind == "word" and self._next.words.casefold() == word

    def end(self) -> None:
        if self._next.kind != "end":
            _fail(self._next.position, text("here 'and' or 'or' is expected"))

    def any(self, depth: int) -> Condition:
        if depth > DEEPEST:
            _fail(self._next.position, text("it is nested too deeply"))
        parts = [self._all(depth)]
        while self._is("or"):
            self._take()
            parts.append(self._all(depth))
        return parts[0] if len(parts) == 1 else Any(tuple(parts))

    def _all(self, depth: int) -> Condition:
        parts = [self._one(depth)]
        while self._is("and"):
            self._take()
            parts.append(self._one(depth))
        return parts[0] if len(parts) == 1 else All(tuple(parts))

    def _one(self, depth: int) -> Condition:
        if depth > DEEPEST:
            _fail(self._next.position, text("it is nested too deeply"))
        if self._is("not"):
            self._take()
            return Not(self._one(depth + 1))
        one = self._take()
        if one.kind == "mark" and one.words == "(":
            inner = self.any(depth + 1)
            self._close()
            return inner
        if one.kind == "quoted":
            return Words(one.words[1:-1])
        if one.kind != "word":
            _fail(one.position, text("here a field, a measure or words in quotation marks are expected"))
        return self._term(one)

    def _term(self, one: _Token) -> Condition:
        name = one.words.casefold()
        if name == PROTOCOL:
            return self._protocol()
        head, _, key = name.partition(".")
        if head in (LESION, SERIES) and key:
            return self._measure(head == LESION, key, one.position)
        if name not in FIELDS:
            _fail(one.position, text("'{word}' is no field; there are {known}", word=one.words[:40], known=_KNOWN))
        compare = self._compare(("=", "!=", "~"))
        return FieldIs(name, compare, self._value())

    def _protocol(self) -> Condition:
        opened = self._take()
        if opened.words != "(" or opened.kind != "mark":
            _fail(opened.position, text("here '(' and a protocol's name are expected"))
        name = self._value()
        self._close()
        compare, at = self._compare(("=", "!=")), self._next.position
        outcome = CONFORM.get(self._value().casefold())
        if outcome is None:
            _fail(at, text("here conform, not-conform or unknown is expected"))
        return ProtocolIs(name.casefold(), outcome, compare == "!=")

    def _measure(self, of_lesion: bool, key: str, position: int) -> Condition:
        compare, at = self._compare(COMPARISONS), self._next
        found = _NUMBER.fullmatch(self._value())
        if found is None:
            _fail(at.position, text("here a number is expected"))
        unit = found[2].strip()
        if not unit and self._next.kind == "word" and self._next.words.casefold() not in ("and", "or"):
            at = self._next
            unit = self._take().words
        code = UNIT_ALIASES.get(unit.casefold(), unit)
        if code and code not in UNITS:
            _fail(at.position, text("'{unit}' is no unit that is known", unit=unit[:20]))
        return MeasureIs(of_lesion, key, compare, float(found[1]), code or None, position)

    def _compare(self, known: tuple[str, ...]) -> str:
        one = self._take()
        if one.kind != "op" or one.words not in known:
            _fail(one.position, text("here one of {known} is expected", known=" ".join(known)))
        return one.words

    def _value(self) -> str:
        one = self._take()
        if one.kind not in ("word", "quoted"):
            _fail(one.position, text("here a value is expected"))
        return one.words.strip('"').strip()

    def _close(self) -> None:
        one = self._take()
        if one.kind != "mark" or one.words != ")":
            _fail(one.position, text("here ')' is expected"))


_KNOWN = ", ".join((*FIELDS, "protocol(…)", "lesion.…", "series.…"))


def _fail(position: int, fault: Text) -> NoReturn:
    raise InputError(QUERY, position=position, fault=fault)
