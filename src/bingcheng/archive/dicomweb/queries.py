"""The query parameters of a search (PS3.18 8.3.4 and 10.6.1.2)."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from bingcheng.archive.dicomweb.attributes import attribute
from bingcheng.archive.dicomweb.problems import BAD_QUERY
from bingcheng.core.errors import InputError

MOST = 10_000
"""Results in one answer, whatever `limit` says; what is left is announced and can be asked for with `offset`."""

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
    """

    matches: dict[str, list[str]]
    include: frozenset[str] | None
    limit: int
    offset: int
    fuzzy: bool


def search_of(parameters: Iterable[tuple[str, str]]) -> Search:
    """What the parameters of an address ask for.

    Raises
    ------
    InputError
        ``archive.bad-query``: an unknown attribute, or a parameter that can't be read.
    """
    matches: dict[str, list[str]] = {}
    include: set[str] | None = set()
    found = {"limit": MOST, "offset": 0}
    fuzzy = False
    for name, value in parameters:
        if name in _OUTER:
            continue
        if name in found:
            found[name] = _number(name, value)
        elif name == "fuzzymatching":
            fuzzy = _flag(name, value)
        elif name == "includefield":
            include = _included(include, value)
        else:
            keyword = _keyword(name)
            matches.setdefault(keyword, []).extend(_alternatives(keyword, value))
    return Search(
        # An empty value matches everything (PS3.4 C.2.2.2.3) and asks for the attribute.
        matches={keyword: values for keyword, values in matches.items() if all(value.strip("*") for value in values)},
        include=None if include is None else frozenset(include | matches.keys()),
        limit=min(found["limit"], MOST),
        offset=found["offset"],
        fuzzy=fuzzy,
    )


def _keyword(name: str) -> str:
    """The keyword of an attribute, or of the last one of a path into a sequence."""
    keywords = [attribute(part) for part in name.split(".")]
    if any(known is None for known in keywords) or keywords[-1] is None:
        raise InputError(BAD_QUERY, parameter=_shown(name))
    return keywords[-1].keyword


def _alternatives(keyword: str, value: str) -> list[str]:
    known = attribute(keyword)
    if known is None or known.vr not in ("UI", "CS"):
        return [value]
    # Lists are separated by commas in addresses (8.3.4.1), by backslashes in DICOM; neither stands in such a value.
    return value.replace(",", "\\").split("\\")


def _included(include: set[str] | None, value: str) -> set[str] | None:
    for name in value.split(","):
        if name.strip() == "all":
            include = None
        elif name.strip() and include is not None:
            include.add(_keyword(name.strip()))
        elif name.strip():
            _keyword(name.strip())
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
