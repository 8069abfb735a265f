"""What somebody searches for, and the condition in SQL that it means (PS3.4 C.2.2.2)."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType

from sqlalchemy import ColumnElement, Text, and_, cast, false, or_, true
from sqlalchemy.dialects.postgresql import ARRAY, array

from bingcheng.archive.objects.attributes import (
    ATTRIBUTES,
    Attribute,
    Comparison,
    Level,
    can_match,
    date_key,
    name_columns,
    name_keys,
    time_key,
)
from bingcheng.archive.objects.problems import CANNOT_MATCH
from bingcheng.archive.objects.tables import pairs_in, stored_instance, stored_series, stored_study
from bingcheng.core.errors import InputError

Condition = ColumnElement[bool]
TABLES = MappingProxyType({Level.STUDY: stored_study, Level.SERIES: stored_series, Level.INSTANCE: stored_instance})


@dataclass(frozen=True, slots=True, kw_only=True)
class Query:
    """A search.

    Parameters
    ----------
    match : by DICOM keyword: a value, a value with the wildcards ``*`` and ``?``, a range ``a-b`` of dates or times, or
        several values of which one must match. Empty, or ``*`` alone, matches all.
    words : each must stand somewhere in the patient's name or number, the accession number or the description,
        whatever the case; for people who look for a study.
    limit, offset : at most so many rows, after so many; the newest studies come first.
    fuzzy : names match if each word asked for begins a word of the name (PS3.18 8.3.4.2).
    """

    match: Mapping[str, str | Sequence[str]] = field(default_factory=dict)
    words: str = ""
    limit: int | None = None
    offset: int = 0
    fuzzy: bool = False


def conditions(query: Query, level: Level, dialect: str) -> Iterator[Condition]:
    """What all rows that are found must fulfil.

    Raises
    ------
    InputError
        ``archive.cannot-match``.
    """
    like = _glob if dialect == "sqlite" else _like
    for keyword, asked in query.match.items():
        if not can_match(level, keyword):
            # Only a keyword of the standard is repeated: anything else may be a person's words.
            raise InputError(CANNOT_MATCH, attribute=keyword if keyword in ATTRIBUTES else "this attribute")
        values = [asked] if isinstance(asked, str) else list(asked)
        values = [value.strip() for value in values]
        if not values or any(not value.strip("*") for value in values):
            continue
        attribute = ATTRIBUTES[keyword]
        yield or_(*(_matches(attribute, value, like, fuzzy=query.fuzzy) for value in values))
    yield from _words(query.words, like)


def pieces(query: Query) -> list[str]:
    """What stands somewhere in the words of every study that is found; nothing for a search by more than words."""
    if not query.match.keys() <= {"PatientName"}:
        return []
    asked = query.match.get("PatientName", "")
    names = [asked] if isinstance(asked, str) else list(asked)
    if len(names) > 1:
        return []  # one of them must match, whichever
    groups = name_keys(names[0].strip()) if names else ("",)
    if query.fuzzy:
        found = [*_BETWEEN_WORDS.split(" ".join(groups))]
    else:
        found = [_piece(groups[0])] if "=" not in names[0] else []
    return [piece for piece in (*found, *_asked_words(query.words)) if piece]


def worded(found: Sequence[str], words: ColumnElement[str], dialect: str) -> Iterator[Condition]:
    """That each of `pieces` stands in `words`, a column like that of a study."""
    like = _glob if dialect == "sqlite" else _like
    return (like(words, f"*{piece}*") for piece in found)


Like = Callable[[ColumnElement[str], str], Condition]


def _glob(column: ColumnElement[str], pattern: str) -> Condition:
    # SQLite's GLOB has DICOM's own wildcards, and tells case apart as DICOM does; its LIKE doesn't.
    return column.op("GLOB", is_comparison=True)(pattern.replace("[", "[[]"))


def _like(column: ColumnElement[str], pattern: str) -> Condition:
    escaped = re.sub(r"([\\%_])", r"\\\1", pattern)
    return column.like(escaped.replace("*", "%").replace("?", "_"), escape="\\")


def _matches(attribute: Attribute, value: str, like: Like, *, fuzzy: bool) -> Condition:
    if attribute.comparison is Comparison.NAME:
        return _fuzzy(attribute, value, like) if fuzzy else _name(attribute, value, like)
    column = TABLES[attribute.level].c[str(attribute.column)]
    if attribute.keyword == "ReferringPhysicianName":
        return _text(column, "=".join(filter(None, name_keys(value))), like)
    return _COMPARED.get(attribute.comparison, _text)(column, value, like)


def _text(column: ColumnElement[str], value: str, like: Like) -> Condition:
    return like(column, value) if "*" in value or "?" in value else column == value


def _name(attribute: Attribute, value: str, like: Like) -> Condition:
    """A name without groups may stand in any of the three; with them, each in its own."""
    columns = [stored_study.c[name] for name in name_columns(str(attribute.column))]
    groups = name_keys(value)
    if "=" not in value:
        return and_(_literally(groups[0], like), or_(*(_group(column, groups[0], like) for column in columns)))
    asked = [(column, group) for column, group in zip(columns, groups, strict=True) if group.strip("*")]
    return and_(*(_group(column, group, like) for column, group in asked)) if asked else true()


def _literally(pattern: str, like: Like) -> Condition:
    """That the longest piece without wildcards stands somewhere: one comparison that rules most studies out."""
    piece = _piece(pattern)
    return _anywhere(piece, like) if piece else true()


TRIGRAM = 3
"""Characters below which an index of trigrams is of no use, as of most Chinese names."""


def _anywhere(word: str, like: Like) -> Condition:
    if like is _like and len(word) < TRIGRAM:
        return _paired(word)
    return like(stored_study.c.words_key, f"*{word}*")


def _paired(word: str) -> Condition:
    """On a database server: that one or two characters beyond ASCII stand somewhere, which has an index."""
    # Where no index is read for it, what follows from the rest is not asked: a database server takes the two for
    # independent, expects so few studies that it reads all of them, and finds the page no sooner.
    if not 0 < len(word) < TRIGRAM or any(one.isascii() for one in word):
        return true()
    return pairs_in(stored_study.c.words_key).op("@>", is_comparison=True)(cast(array([word]), ARRAY(Text)))


def _piece(pattern: str) -> str:
    return max(re.split(r"[*?]", _stem(pattern)), key=len)


def _stem(pattern: str) -> str:
    # Whatever the last components are, they may also be none: empty ones are not stored.
    return re.sub(r"(\^\*)+$", "", pattern)


def _group(column: ColumnElement[str], pattern: str, like: Like) -> Condition:
    stem = _stem(pattern)
    return (
        _text(column, pattern, like) if stem == pattern else or_(_text(column, stem, like), like(column, stem + "^*"))
    )


_BETWEEN_WORDS = re.compile(r"[\s^=,*?]+")


def _fuzzy(attribute: Attribute, value: str, like: Like) -> Condition:
    columns = [stored_study.c[name] for name in name_columns(str(attribute.column))]
    words = [word for word in _BETWEEN_WORDS.split(" ".join(name_keys(value))) if word]
    # Whether it stands there at all is asked first: for most studies that settles it at a third of the cost.
    anywhere = (_anywhere(word, like) for word in words)
    return and_(true(), *anywhere, *(or_(*(_begins(column, word, like) for column in columns)) for word in words))


def _begins(column: ColumnElement[str], word: str, like: Like) -> Condition:
    # Scripts without blanks between words have no beginnings to go by.
    if not word.isascii():
        return like(column, f"*{word}*")
    return or_(*(like(column, f"{before}{word}*") for before in ("", "*^", "* ", "*-")))


def _range(
    column: ColumnElement[str], value: str, earliest: Callable[[str], str], latest: Callable[[str], str]
) -> Condition:
    """A moment, or all from the first to the last, either of which may be left open; nothing matches nonsense."""
    first, dash, last = value.partition("-")
    if not dash:
        last = first
    low, high = earliest(first), latest(last)
    if (first.strip() and not low) or (last.strip() and not high):
        return false()
    if low and low == high:
        return column == low
    bounds = [column >= low if low else column > "", *([column <= high] if high else [])]
    return and_(*bounds)


def _number(column: ColumnElement[str], value: str, _like: Like) -> Condition:
    return column == int(value) if re.fullmatch(r"[+-]?\d{1,9}", value) else false()


_COMPARED: Mapping[Comparison, Callable[[ColumnElement[str], str, Like], Condition]] = MappingProxyType(
    {
        Comparison.DATE: lambda column, value, _like: _range(column, value, date_key, date_key),
        # A time that leaves out its seconds means the whole minute.
        Comparison.TIME: lambda column, value, _like: _range(column, value, time_key, lambda t: time_key(t, "9")),
        Comparison.SET: lambda column, value, like: like(column, f"*\\{value}\\*"),
        Comparison.NUMBER: _number,
    }
)


def _words(asked: str, like: Like) -> Iterator[Condition]:
    for word in _asked_words(asked):
        yield like(stored_study.c.words_key, f"*{word}*")
        if like is _like:
            yield _paired(word)


def _asked_words(asked: str) -> list[str]:
    return " ".join(name_keys(asked)).replace("^", " ").replace("*", " ").replace("?", " ").split()
