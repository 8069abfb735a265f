"""What in a header names somebody: names by their parts, numbers, addresses. Kept text is searched for them."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from bingcheng.archive.deidentify.vocabulary import NOBODY, device_words, words

TECHNICAL = frozenset((0x00080060, 0x00080070, 0x00081090, 0x00180015, 0x00181020))
"""Modality, maker, model, body part, software: what equals one of these identifies nobody, wherever it stands."""
_SOMEBODYS = re.compile(r"\d{6,}")
LEAST_NUMBER = 4
"""Numbers shorter than this stand in every header for something else."""
LEAST_JOINED = 6
_LETTER, _LETTER_OR_DIGIT = r"[^\W\d_]", r"[^\W_]"
_ALL_HAN = re.compile(r"[\u3400-\u9fff]+")
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
_HAN = "[\u3400-\u9fff]*"
_HOUSES = re.compile(rf"{_HAN}(?:院|诊所|研究所|医大|大学|中心){_HAN}")
"""Chinese words with that for a house, an institute, a university or a centre.

Hospitals are called in many short ways (河北四院 is 河北医科大学第四医院), which no list has.
"""
_HOSPITAL, _PLACE_LETTERS = "医院", 2
_MANY_ARE_CALLED_SO = frozenset(
    ("人民", "中心", "儿童", "妇幼", "附属", "中医", "肿瘤", *(f"第{number}" for number in "一二三四五六七八九十"))
)
"""What stands between the place and the word for a hospital in many names: no name by itself."""


def is_technical(tag: int, value: str) -> bool:
    """Whether a value names a device or a technique, and no person though it stands in a person's attribute too."""
    return tag in TECHNICAL and _SOMEBODYS.search(value) is None


def parts_of_name(name: str) -> Iterator[str]:
    """The parts of a person's name in lower case, of two letters or more, and the parts written as one word."""
    for group in name.casefold().split("="):
        parts = [part for component in group.split("^") for part in _PARTS.split(component) if part]
        yield from (part for part in parts if len(part) >= 2)
        # Family names have one character or two; who writes 王小明 in one piece may be called 小明 elsewhere.
        yield from (part[-2:] for part in parts if len(part) in (3, 4) and _ALL_HAN.fullmatch(part))
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
    houses : whether a text may name a hospital.
    """

    names: set[str] = field(default_factory=set)
    values: set[str] = field(default_factory=set)
    b_values: set[int] = field(default_factory=set)
    houses: bool = False

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
            self.values.update(_short_names(low))
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
        found = [one for one in self._all() if one in low and _stands_in(one, low)]
        found += [match.group() for match in _ALWAYS.finditer(low)]
        return found if self.houses else found + [match.group() for match in _HOUSES.finditer(low)]

    def _all(self) -> Iterable[str]:
        # A name that is a word of technique too (Head, Short) would take settings out of what is kept.
        yield from (name for name in self.names if name not in words() and (len(name) > 2 or not name.isascii()))
        yield from self.values

    def without(self, said: str) -> str:
        """A text that is kept otherwise, without the identifiers in it."""
        found = self.found_in(said)
        if len(said.lower()) != len(said):  # a capital that is two small letters would move all places
            said = said.lower()
        for one in sorted(found, key=len, reverse=True):
            for begin, end in reversed(list(_places(one, said.lower()))):
                said = f"{said[:begin]} {said[end:]}"
        return said.strip()


def _short_names(value: str) -> Iterator[str]:
    """What people call a Chinese hospital: 北京协和 and 协和 for 北京协和医院."""
    core = value.removesuffix(_HOSPITAL)
    if core != value:
        shorter = (core, core[_PLACE_LETTERS:])
        yield from (one for one in shorter if len(one) >= 2 and one not in _MANY_ARE_CALLED_SO)


def _stands_in(part: str, low: str) -> bool:
    """Whether `part` stands in a text as a word: Lee is not found in fleet. Chinese is written without gaps."""
    return next(_places(part, low), None) is not None


def _places(part: str, low: str) -> Iterator[tuple[int, int]]:
    """Where a word stands by itself; a digit ends a word of letters, and a long one is found within another too."""
    if not part.isascii():
        yield from (found.span() for found in re.finditer(re.escape(part), low))
        return
    beside = _LETTER if part.isalpha() else _LETTER_OR_DIGIT
    alone = f"(?<!{beside}){re.escape(part)}(?!{beside})"
    within = f"{_LETTER}*{re.escape(part)}{_LETTER}*"
    if part.isalpha() and len(part) >= LEAST_JOINED:
        runs = (found for found in re.finditer(within, low) if not _is_known(found.group()))
        yield from (
            (run.start() + run.group().index(part), run.start() + run.group().index(part) + len(part)) for run in runs
        )
    else:
        yield from (found.span() for found in re.finditer(alone, low))


def _is_known(low: str) -> bool:
    return low in words() or low in device_words()
