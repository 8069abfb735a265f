"""The query parameters of a search (PS3.18 8.3.4 and 10.6.1.2)."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, field

from bingcheng.archive.dicomweb.attributes import attribute
from bingcheng.archive.dicomweb.problems import BAD_QUERY
from bingcheng.archive.objects.attributes import Level, can_match
from bingcheng.core.errors import InputError

MOST = 10_000
"""Results in one answer, whatever `limit` says; what is left is announced and can be asked for with `offset`."""

_SEQUENCE = "RequestAttributesSequence"
_TAGS = re.compile(r"[0-9A-Fa-f]{8}(?:\.[0-9A-Fa-f]{8})*")
_OUTER = frozenset(("accept", "charset"))
"""Parameters of every transaction, which are read elsewhere (PS3.18 8.3.3)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Search:
    """What is searched for.

    Parameters
    ----------
    matches : what each attribute must match, by keyword: any one of the values, as PS3.4 C.2.2.2 writes it.
    include : keywords of attributes wanted besides the usual ones; None for all.
    limit, offset : which of the results.
    fuzzy : whether names may match by sound.
    ignored : parameters that can't be used, fit to be told back; the answer says that they were left out.
    """

    matches: dict[str, list[str]]
    include: frozenset[str] | None
    limit: int
    offset: int
    fuzzy: bool
    ignored: tuple[str, ...] = ()


def search_of(parameters: Iterable[tuple[str, str]], level: Level) -> Search:
    """What the parameters of an address ask for.

    What isn't supported is left out, as 8.3 wants it; a value that is none is an error.

    Parameters
    ----------
    level : what is searched for; attributes of it and of those above can be matched.

    Raises
    ------
    InputError
        ``archive.bad-query``: a value that can't be read.
    """
    found = _Found(level=level)
    for name, value in parameters:
        if name not in _OUTER:
            found.take(name, value)
    return Search(
        # An empty value matches everything (PS3.4 C.2.2.2.3) and asks for the attribute.
        matches={
            keyword: values for keyword, values in found.matches.items() if all(value.strip("*") for value in values)
        },
        include=None if found.include is None else frozenset(found.include | found.matches.keys()),
        limit=min(found.limit, MOST),
        offset=found.offset,
        fuzzy=found.fuzzy,
        ignored=tuple(found.ignored),
    )


@dataclass(slots=True, kw_only=True)
class _Found:
    """What the parameters said so far."""

    level: Level
    matches: dict[str, list[str]] = field(default_factory=dict)
    ignored: dict[str, None] = field(default_factory=dict)
    include: set[str] | None = field(default_factory=set)
    limit: int = MOST
    offset: int = 0
    fuzzy: bool = False

    def take(self, name: str, value: str) -> None:
        """Read one more."""
        if name == "limit":
            self.limit = _number(name, value)
        elif name == "offset":
            self.offset = _number(name, value)
        elif name == "fuzzymatching":
            self.fuzzy = _flag(name, value)
        elif name == "includefield":
            self.include = _included(self.include, value)
        else:
            self._match(name, value)

    def _match(self, name: str, value: str) -> None:
        keyword = _keyword(name)
        if keyword is not None and can_match(self.level, keyword):
            self.matches.setdefault(keyword, []).extend(_alternatives(keyword, value))
        elif keyword is None or value.strip("*"):
            self.ignored[_shown(name)] = None
        elif self.include is not None:
            self.include.add(keyword)  # an attribute without a value is only wanted in the answer


def _keyword(name: str) -> str | None:
    """The keyword of an attribute, or of the last one of a path into the one sequence that the index looks into.

    None where the dictionary has no such attribute, and for other sequences: what stands in `OtherPatientIDsSequence`
    is not the patient's own number.
    """
    *above, last = (attribute(part) for part in name.split("."))
    if last is None or len(above) > 1 or any(one is None or one.keyword != _SEQUENCE for one in above):
        return None
    return last.keyword


def _alternatives(keyword: str, value: str) -> list[str]:
    known = attribute(keyword)
    if known is None or known.vr not in ("UI", "CS"):
        return [value]
    # Lists are separated by commas in addresses (8.3.4.1), by backslashes in DICOM; neither stands in such a value.
    return value.replace(",", "\\").split("\\")


def _included(include: set[str] | None, value: str) -> set[str] | None:
    for name in filter(None, map(str.strip, value.split(","))):
        if name == "all":
            include = None
            continue
        keyword = _keyword(name)
        if keyword is None and not _TAGS.fullmatch(name):  # a private element is one, if none that we keep
            raise InputError(BAD_QUERY, parameter="includefield")
        if include is not None and keyword is not None:
            include.add(keyword)
    return include


def _number(name: str, value: str) -> int:
    if not value.isascii() or not value.isdecimal() or len(value) > 9:
        raise InputError(BAD_QUERY, parameter=name)
    return int(value)


def _flag(name: str, value: str) -> bool:
    if value.lower() not in ("true", "false"):
        raise InputError(BAD_QUERY, parameter=name)
    return value.lower() == "true"


def _shown(name: str) -> str:
    """A name that somebody sent, fit to be told back: no patient's words stand where a keyword should."""
    known = "".join(letter for letter in name[:64] if letter.isascii() and (letter.isalnum() or letter in "._-"))
    return known or "?"
