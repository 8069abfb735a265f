"""The language in which cases are searched by what was measured, read into conditions.

``lesion.longest_diameter > 30 mm and organ = liver and protocol(pi-rads) = conform``

    any     = all { "or" all }
    all     = one { ["and"] one }, where "and" may be left out beside what is said shortly
    one     = "not" one | "(" any ")" | '"words"' | field ("=" | "!=" | "~") value | short
            | measure compare number [unit]
    short   = an organ | a modality | name "-conform" | "conform" name
    field   = organ | modality | diagnosis | tag | hospital | title | protocol "(" name ")"
    measure = ("lesion" | "series") "." key | "lesion"

A value of a field goes on to the next "and", "or" or bracket. ``lesion > 30 mm`` means its longest diameter, and
``liver lesion > 30 mm with PI-RADS-conform MR`` or ``肝病灶大于30mm且MR符合PI-RADS`` what the longer query means.
"""

from __future__ import annotations

import re
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from typing import NoReturn

from bingcheng.archive.cases.problems import QUERY
from bingcheng.archive.cases.query_tokens import (
    AND,
    CONFORM,
    LESION,
    MODALITIES,
    NAMES,
    NOT,
    OR,
    Token,
    organ_names,
    tokens,
)
from bingcheng.core.errors import InputError
from bingcheng.core.units import UNITS
from bingcheng.core.wording import Text, text

LONGEST, DEEPEST = 500, 20
FIELDS = ("organ", "modality", "diagnosis", "tag", "hospital", "title")
PROTOCOL, SERIES = "protocol", "series"
SIZE = "longest_diameter"
"""What a lesion that is compared without a key is compared by."""
COMPARISONS = (">", ">=", "<", "<=", "=", "!=")
UNIT_ALIASES = {"hu": "[hnsf'U]", "suv": "g/ml", "mm²": "mm2", "cm²": "cm2", "mm³": "mm3", "cm³": "cm3", "µm": "um"}
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
    reader = _Reader(_tokens(written))
    found = reader.any(0)
    reader.end()
    return found


def _tokens(written: str) -> tuple[Token, ...]:
    found = []
    for one in tokens(written):
        if isinstance(one, int):
            _fail(one, text("this character has no meaning here, or a quotation mark is not closed"))
        found.append(one)
    return tuple(found)


class _Reader:
    """Reads tokens from left to right."""

    def __init__(self, tokens: tuple[Token, ...]) -> None:
        self._tokens = tokens
        self._at = 0

    @property
    def _next(self) -> Token:
        return self._tokens[self._at]

    def _take(self) -> Token:
        one = self._tokens[self._at]
        self._at = min(self._at + 1, len(self._tokens) - 1)
        return one

    def _is(self, words: AbstractSet[str]) -> bool:
        return self._next.kind == "word" and self._next.words.casefold() in words

    def end(self) -> None:
        if self._next.kind != "end":
            _fail(self._next.position, text("here 'and' or 'or' is expected"))

    def any(self, depth: int) -> Condition:
        if depth > DEEPEST:
            _fail(self._next.position, text("it is nested too deeply"))
        parts = [self._all(depth)]
        while self._is(OR):
            self._take()
            parts.append(self._all(depth))
        return parts[0] if len(parts) == 1 else Any(tuple(parts))

    def _all(self, depth: int) -> Condition:
        begun, parts = self._at, [self._one(depth)]
        while self._is(AND) or self._short(begun) or self._short(self._at):
            if self._is(AND):
                self._take()
            begun = self._at
            parts.append(self._one(depth))
        return parts[0] if len(parts) == 1 else All(tuple(parts))

    def _one(self, depth: int) -> Condition:
        if depth > DEEPEST:
            _fail(self._next.position, text("it is nested too deeply"))
        if self._is(NOT):
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

    def _term(self, one: Token) -> Condition:
        found = self._said_shortly(one)
        if found is not None:
            return found
        head, _, key = one.words.casefold().partition(".")
        head = NAMES.get(head, head)
        name = f"{head}.{key}" if key else head
        if name == PROTOCOL:
            return self._protocol()
        if head in (LESION, SERIES) and (key or head == LESION):
            return self._measure(head == LESION, key or SIZE, one.position)
        if name not in FIELDS:
            _fail(one.position, text("'{word}' is no field; there are {known}", word=one.words[:40], known=_KNOWN))
        compare = self._compare(("=", "!=", "~"))
        return FieldIs(name, compare, self._words())

    def _short(self, at: int) -> bool:
        """Whether what stands at a token is said shortly, and something follows: there "and" may be left out."""
        one, here = self._tokens[at], self._at
        if one.kind != "word" or self._next.kind == "end" or self._next.words == ")" or self._is(OR):
            return False
        self._at = at + 1
        try:
            return self._said_shortly(one) is not None
        finally:
            self._at = here

    def _said_shortly(self, one: Token) -> Condition | None:
        """An organ, a modality, or what conforms to a protocol, without the field's name; None if it is none."""
        word = one.words.casefold()
        if self._next.kind == "op":  # then it is the name of a field
            return None
        if word in MODALITIES:
            return FieldIs("modality", "=", MODALITIES[word])
        if word in CONFORM and self._next.kind in ("word", "quoted"):
            return ProtocolIs(self._value().casefold(), CONFORM[word], negated=False)
        for said in ("-not-conform", "-conform"):
            if word.endswith(said) and len(word) > len(said):
                return ProtocolIs(word.removesuffix(said), CONFORM[said[1:]], negated=False)
        return self._organ(word)

    def _organ(self, word: str) -> Condition | None:
        following = self._tokens[self._at : self._at + 2]
        words = [word, *(one.words.casefold() for one in following if one.kind == "word")]
        for count in range(len(words), 0, -1):
            name = " ".join(words[:count])
            if name in organ_names():
                self._at += count - 1
                return FieldIs("organ", "=", name)
        return None

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
        if not unit and self._next.kind == "word" and not self._is(AND | OR):
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

    def _words(self) -> str:
        """A value of one word or of several, as names of tumours mostly are."""
        quoted = self._next.kind == "quoted"
        found = [self._value()]
        while not quoted and self._next.kind == "word" and not self._is((AND | OR) - _IN_NAMES):
            found.append(self._value())
        return " ".join(found)

    def _close(self) -> None:
        one = self._take()
        if one.kind != "mark" or one.words != ")":
            _fail(one.position, text("here ')' is expected"))


_IN_NAMES = frozenset({"with", "in"})
"""Joins that also stand in the names of tumours."""
_KNOWN = ", ".join((*FIELDS, "protocol(…)", "lesion.…", "series.…"))


def _fail(position: int, fault: Text) -> NoReturn:
    raise InputError(QUERY, position=position, fault=fault)
