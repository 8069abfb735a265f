"""Private elements: none is kept but those that TCIA found safe, and these only if what stands in them is."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator

from bingcheng.archive.deidentify.attributes import safe_private
from bingcheng.archive.deidentify.elements import Element, plain
from bingcheng.archive.deidentify.identifiers import Identifiers
from bingcheng.archive.deidentify.vocabulary import cleaned

_TEXTS = frozenset(("LO", "LT", "SH", "ST", "UC", "UT", "CS", "AE", "UR"))
_NEVER = frozenset(("PN", "DA", "DT", "TM", "AS", "UI"))
"""Names, dates, ages and UIDs of makers: too much to lose for what they are worth."""
_TEXT = re.compile(rb"[\t\n\r -~]*\0?")
_DECIMALS = re.compile(rb"[0-9+\-.eE\\ \0]*")
_RUN = re.compile(rb"[ -~]{4,}")
_LETTERS = re.compile(rb"[A-Za-z]{4,}")
_WIDE_LETTERS = re.compile(rb"(?:[A-Za-z]\0){4,}|(?:[0-9]\0){6,}")
"""Letters, and numbers as long as somebody's, of two bytes each."""


def safe(elements: Iterable[Element], known: Identifiers, items: Callable[[Element], Element]) -> Iterator[Element]:
    """Of the private elements of one dataset those that may stay, with the creators of their blocks.

    Parameters
    ----------
    items : cleans the items of a sequence.
    """
    listed = list(elements)
    creators = {one.tag: plain(one.value) for one in listed if one.tag & 0xFFFF < 0x100}
    needed = set()
    kept = []
    table = safe_private()
    for one in listed:
        group, number = one.tag >> 16, one.tag & 0xFFFF
        reserved = group << 16 | number >> 8
        creator = creators.get(reserved, "")
        vr = table.get((group, creator, number & 0xFF)) if number > 0xFF and not known.found_in(creator) else None
        if vr is None:
            continue
        if one.items is not None:
            one = items(one)  # noqa: PLW2901 - the same element, cleaned
        elif not is_harmless(one, vr, known):
            continue
        needed.add(reserved)
        kept.append(one)
    yield from sorted([*kept, *(one for one in listed if one.tag in needed)], key=lambda one: one.tag)


def is_harmless(one: Element, vr: str, known: Identifiers) -> bool:
    """Whether the value of an element that is safe as such holds no words but known ones."""
    vr = one.vr if one.vr != "UN" else vr
    if vr in _NEVER:
        return False
    if _TEXT.fullmatch(one.value):
        said = plain(one.value)
        numbers = vr in ("DS", "IS") and _DECIMALS.fullmatch(one.value) is not None
        if numbers:
            return not _long_digits(one.value)
        return all(cleaned(part, known.forbids) == part.strip() for part in said.split("\\"))
    # Bytes: text that nobody knows may stand in them, whatever VR they claim.
    if _WIDE_LETTERS.search(one.value):
        return False
    return vr not in _TEXTS and not any(_LETTERS.search(run) or _long_digits(run) for run in _RUN.findall(one.value))


def _long_digits(value: bytes) -> bool:
    """Whether whole numbers stand there that are as long as somebody's number or a date."""
    return re.search(rb"(?<![\d.])\d{6,}(?![\d.])", value) is not None
