"""What in a header names somebody: names by their parts, numbers, addresses. Kept text is searched for them."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from bingcheng.archive.deidentify.vocabulary import NOBODY, words

TECHNICAL = frozenset((0x00080060, 0x00080070, 0x00081090, 0x00180015, 0x00181020))
"""Modality, maker, model, body part, software: what equals one of these identifies nobody, wherever it stands."""
_SOMEBODYS = re.compile(r"\d{6,}")
LEAST_NUMBER = 4
"""Numbers shorter than this stand in every header for something else."""
LEAST_JOINED = 6
_PARTS = re.compile(r"[\s,;.\\/_-]+")
_WORDS = re.compile(r"[^\W_]+")
_ALWAYS = re.compile(
    r"(?<!\d)(?:19|20)\d{2}(?:0[1-9]|1[0-2])(?:0[1-9]|[12]\d|3[01])(?!\d)"  # 20240213
    r"|(?<!\d)(?:19|20)\d{2}([-/.])\d{1,2}\1\d{1,2}(?!\d)"  # 2024-02-13
    r"|(?<![\d.])\d{1,2}([-/.])\d{1,2}\2(?:19|20)\d{2}(?!\d)"  # 13/02/2024
    r"|(?:19|20)\d{2}年\d{1,2}月\d{1,2}日"
    r"|(?<![\d.])\d(?:\.\d+){5,}(?![\d.])"  # UIDs
    r"|[\w.+-]+@[\w-]+\.[\w.]+"  # e-mail
)
"""What never stays in a text that is kept otherwise: dates, UIDs, addresses."""


def is_technical(tag: int, value: str) -> bool:
    """Whether a value names a device or a technique, and no person though it stands in a person's attribute too."""
    return tag in TECHNICAL and _SOMEBODYS.search(value) is None


def parts_of_name(name: str) -> Iterator[str]:
    """The parts of a person's name in lower case, of two letters or more, and the parts written as one word."""
    for group in name.casefold().split("="):
        parts = [part for component in group.split("^") for part in _PARTS.split(component) if part]
        yield from (part for part in parts if len(part) >= 2)
        for joined in ("".join(parts[:2]), "".join(parts[1::-1])):
            if len(joined) >= (LEAST_JOINED if joined.isascii() else 2):
                yield joined


@dataclass(slots=True)
class Identifiers:
    """Parts of names, and whole values, of one object; all in lower case.

    Parameters
    ----------
    names : parts of persons' names.
    values : numbers, addresses, institutions, as they are written.
    b_values : of the object's frames, in s/mm2: settings, though their lists look like numbers of somebody.
    """

    names: set[str] = field(default_factory=set)
    values: set[str] = field(default_factory=set)
    b_values: set[int] = field(default_factory=set)

    def add_name(self, name: str) -> None:
        """The parts of a person's name."""
        self.names.update(part for part in parts_of_name(name) if part not in NOBODY)

    def add_value(self, value: str) -> None:
        """A number or text that identifies; what is made of known words only does not."""
        low = value.casefold().strip()
        if len(low) < LEAST_NUMBER or low in NOBODY:
            return
        if not all(word in words() or (word.isdecimal() and len(word) <= 3) for word in _WORDS.findall(low)):
            self.values.add(low)
            bare = low.lstrip("0")  # other programs write a number without the zeros that fill it up
            if low.isdecimal() and len(bare) >= LEAST_NUMBER:
                self.values.add(bare)

    def forbids(self, word: str) -> bool:
        """Whether a word, in lower case, is part of a name or equals a number."""
        return word in self.names or word in self.values

    def forbids_in_labels(self, word: str) -> bool:
        """Whether a word belongs to somebody; one of technique (breast, head) doesn't, though a person is called so."""
        return self.forbids(word) and word not in words()

    def found_in(self, said: str) -> list[str]:
        """Which identifiers stand in a text, as words of their own; also dates, UIDs and e-mail addresses."""
        low = said.casefold()
        found = [one for one in self._all() if one in low and _stands_alone(one, low)]
        return found + [match.group() for match in _ALWAYS.finditer(low)]

    def _all(self) -> Iterable[str]:
        # A name that is a word of technique too (Head, Short) would take settings out of what is kept.
        yield from (name for name in self.names if name not in words() and (len(name) > 2 or not name.isascii()))
        yield from self.values

    def without(self, said: str) -> str:
        """A text that is kept otherwise, without the identifiers in it."""
        for one in sorted(self.found_in(said), key=len, reverse=True):
            if one.isascii():
                said = re.sub(rf"(?<![^\W_]){re.escape(one)}(?![^\W_])", " ", said, flags=re.IGNORECASE)
            else:
                said = re.sub(re.escape(one), " ", said, flags=re.IGNORECASE)
        return said.strip()


def _stands_alone(part: str, low: str) -> bool:
    """Whether `part` stands in a text as a word: Lee is not found in fleet. Chinese is written without gaps."""
    if not part.isascii():
        return True
    return re.search(rf"(?<![^\W_]){re.escape(part)}(?![^\W_])", low) is not None
