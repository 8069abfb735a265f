"""Whether a value has the form of its attribute: PS3.5 table 6.2-1 held against the VR of the data dictionary.

What a header claims about itself counts little: text under the VR of a number, numbers with words in them, a sequence
written as bytes, letters among binary numbers. Such values say nothing that the attribute means, and may say anything.
"""

from __future__ import annotations

import re
import struct
from collections.abc import Callable, Mapping, Sequence
from functools import lru_cache
from itertools import pairwise
from types import MappingProxyType

from bingcheng.archive.deidentify.charset import TEXT_VRS, WRITTEN_VRS, decoded
from bingcheng.archive.deidentify.chinese_text import says_chinese
from bingcheng.archive.deidentify.elements import Element, dictionary_vr

_PARTS: Mapping[str, str] = MappingProxyType(
    {
        # Longer than the sixteen characters of the standard, as scanners write numbers; no longer than a double needs.
        "DS": r"[+-]?(?:\d{1,24}\.?\d{0,24}|\.\d{1,24})(?:[eE][+-]?\d{1,4})?",
        "IS": r"[+-]?\d{1,12}(?:\.0{0,6})?",
        "TM": r"\d\d(?::?\d\d(?::?\d\d(?:\.\d{0,9})?)?)?",
        "DA": r"\d{8}|\d{4}([.-])\d\d\1\d\d",
        "DT": r"\d{4,14}(?:\.\d{1,6})?(?:[+-]\d{4})?",
        "AS": r"\d{3}[DWMY]",
        "UI": r"\d{1,64}(?:\.\d{1,64})*",
        "AE": r"[ -\[\]-~]{1,16}",
    }
)
"""One value of several, without what pads it."""
_STRINGS: Mapping[str, re.Pattern[bytes]] = MappingProxyType(
    {vr: re.compile(one.encode()) for vr, one in _PARTS.items()}
)
_CODE = re.compile(r"[A-Z0-9 _]{0,16}")
_CHARSET = re.compile(
    r"(?:ISO[ _-]?IR|ISO[ _-]2022[ _-]?IR)[ _-]?\d{1,3}|ISO 2022 (?:GBK|58)|GB18030|GBK|UTF-?8", re.IGNORECASE
)
_SEXES = re.compile(r"[MFO]?")
_SIZES: Mapping[str, int] = MappingProxyType(
    {
        "AT": 2,
        "FD": 8,
        "FL": 4,
        "OD": 8,
        "OF": 4,
        "OL": 4,
        "OV": 8,
        "SL": 4,
        "SS": 2,
        "SV": 8,
        "UL": 4,
        "US": 2,
        "UV": 8,
    }
)
SPECIFIC_CHARACTER_SET, PATIENT_SEX = 0x00080005, 0x00100040
_LETTERS = re.compile(rb"(?:[A-Za-z] ?){8,}|[ -~]{24,}|(?:[A-Za-z]\0(?: \0)?){8,}")
"""Eight letters running, of one byte or two, or what reads like a sentence."""
_WORD = re.compile(rb"[A-Za-z]{6,16}[ \0]*")
_FRACTIONS = frozenset(("FL", "OF"))
"""Whose bytes are letters too often, of numbers between twelve and sixteen."""
_LEAST_DIFFERENT, _LEAST_JUMPS, _SMOOTH = 4, 3, 4
_ROUNDED = 1
"""By which steps of a ramp differ that was rounded to whole numbers."""
_SHORT = re.compile(r".{0,16}(?![^\W_])", re.DOTALL)
"""As many whole words as a code string has room for (PS3.5 table 6.2-1)."""


@lru_cache(1 << 14)
def true_vr(tag: int, claimed: str) -> str:
    """The VR by which a value is judged: the dictionary's where the claimed one is of another kind.

    Two VRs of text are of one kind, and so are two of binary numbers (a dictionary has ``US or SS``).
    """
    known = dictionary_vr(tag)
    if known in ("UN", claimed):
        return claimed
    if claimed == "UN" or _kind(claimed) != _kind(known):
        return known
    return claimed


def _kind(vr: str) -> str:
    if vr in TEXT_VRS:
        return "text"
    return vr if vr in _STRINGS or vr in ("CS", "SQ", "UR") else "binary"


def has_form(tag: int, claimed: str, value: bytes) -> bool:
    """Whether each value has the form that its attribute prescribes; an empty one has any.

    Of text all but code strings has.

    Parameters
    ----------
    claimed : the VR as it is written.
    """
    if not value:
        return True
    vr = true_vr(tag, claimed)
    if vr == "CS":
        return all(is_code_string(tag, part) for part in value.decode("latin-1").split("\\"))
    pattern = _STRINGS.get(vr)
    if pattern is not None:
        return all(not part or pattern.fullmatch(part) for part in _parts(value))
    if vr in WRITTEN_VRS:
        return True
    if claimed != "UN" and _kind(claimed) != "binary":
        return False
    is_word = vr not in _FRACTIONS and _WORD.fullmatch(value) is not None
    whole = not len(value) % _SIZES.get(vr, 1)
    return whole and not is_word and not reads_as_text(value) and not says_chinese(value, vr)


def _parts(value: bytes) -> list[bytes]:
    return [part.strip(b" \0") for part in value.split(b"\\")]


def is_code_string(tag: int, words: str) -> bool:
    """Whether one value of VR CS is a code string: capital letters, digits, spaces and underscores, sixteen at most."""
    said = words.strip(" \0")
    if tag == SPECIFIC_CHARACTER_SET:
        return not said or _CHARSET.fullmatch(said) is not None
    return (_SEXES if tag == PATIENT_SEX else _CODE).fullmatch(said) is not None


def shortened(words: str) -> str:
    """The first of some words, as many as a code string has room for."""
    found = _SHORT.match(words)
    return found.group().rstrip() if found else ""


def reads_as_text(value: bytes) -> bool:
    """Whether letters run through bytes that should be numbers, as no numbers do by chance.

    Numbers that stand for curves and colours go on smoothly, letters jump.
    """
    return any(jumps(run) and not _counts(run) for run in _LETTERS.findall(value))


def _counts(run: bytes) -> bool:
    """Whether bytes are numbers of two bytes that rise or fall smoothly, or by one step each."""
    smooth = all(abs(one - next_one) <= _SMOOTH for half in (run[::2], run[1::2]) for one, next_one in pairwise(half))
    return smooth or any(_is_ramp(run[begin:], order) for begin in (0, 1) for order in ("<", ">"))


def _is_ramp(run: bytes, order: str) -> bool:
    """Whether numbers of two bytes differ by the same step, as those of a table of colours do; no words do."""
    numbers = struct.unpack_from(f"{order}{len(run) // 2}H", run)
    steps = [following - one for one, following in pairwise(numbers)]
    return len(steps) > 1 and max(steps) - min(steps) <= _ROUNDED


def jumps(run: bytes) -> bool:
    """Whether letters jump as words do, where curves and colours go on smoothly."""
    letters = [letter for letter in run if chr(letter).isalpha()]
    wide = sum(abs(one - next_one) > _SMOOTH for one, next_one in pairwise(letters))
    return len(set(letters)) >= _LEAST_DIFFERENT and wide >= _LEAST_JUMPS


def in_form(one: Element, known: Sequence[str], clean: Callable[[str], str]) -> Element | None:
    """An element whose value has its form; None if it is the given one.

    Of code strings those that have the form stay, of others the words that may; any other value is emptied: a zero
    that nobody measured would be a lie.

    Parameters
    ----------
    known : the encodings of text where it stands.
    clean : what of a description may stay.
    """
    if has_form(one.tag, one.vr, one.value):
        return None
    vr = true_vr(one.tag, one.vr)
    if vr != "CS" or one.tag in (SPECIFIC_CHARACTER_SET, PATIENT_SEX):
        return Element(one.tag, vr, b"")
    parts = decoded(one.value, known, vr).split("\\")
    stays = [part if is_code_string(one.tag, part) else shortened(clean(part)) for part in parts]
    return None if stays == parts else Element(one.tag, vr, "\\".join(stays).encode("ascii", "ignore"))
