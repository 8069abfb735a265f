"""Private elements: none is kept but those that TCIA found safe, and these only if what stands in them is.

Beside them stay those few by which this program judges and measures, if they have the form that they have on scanners.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from types import MappingProxyType

from bingcheng.archive.deidentify.attributes import safe_private
from bingcheng.archive.deidentify.chinese_text import reads_as_chinese, says_chinese
from bingcheng.archive.deidentify.dates import moved
from bingcheng.archive.deidentify.elements import Element, plain
from bingcheng.archive.deidentify.identifiers import Identifiers
from bingcheng.archive.deidentify.vocabulary import cleaned

_TEXTS = frozenset(("LO", "LT", "SH", "ST", "UC", "UT", "CS", "AE", "UR"))
_NUMBERS = frozenset(("AT", "FD", "FL", "OD", "OF", "OL", "OV", "SL", "SS", "SV", "UL", "US", "UV"))
"""Whose values fill all their bytes: any of them may look like Chinese by chance."""
_NEVER = frozenset(("PN", "DA", "DT", "TM", "AS", "UI"))
"""Names, dates, ages and UIDs of makers: too much to lose for what they are worth."""
_TEXT = re.compile(rb"[\t\n\r -~]*\0?")
_DECIMALS = re.compile(rb"[0-9+\-.eE\\ \0]*")
_COUNT = re.compile(rb".\0(?:\0\0)?|(?:\0\0)?\0.", re.DOTALL)
"""Numbers of two bytes or four below 256, in either order of the bytes."""
Place = tuple[int, str, int]
"""Group, creator and low byte of the number of private elements."""
_MEASURED: Mapping[Place, re.Pattern[bytes]] = MappingProxyType(
    {
        # How long the run took and the options of the sequence: TA 04:14, A1/PFP/FS
        (0x0051, "SIEMENS MR HEADER", 0x0A): re.compile(
            rb"TA ?(?:\d{1,2}:){0,2}\d{1,2}(?:\.\d{1,2})?(?:\*\d{1,3})?[ \0]?"
        ),
        (0x0051, "SIEMENS MR HEADER", 0x19): re.compile(rb"[A-Z]{0,3}\d?(?:/[A-Z]{1,3}\d?){0,8}[ \0]?"),
        # Iterations and subsets
        (0x0009, "GEMS_PETD_01", 0xB2): _COUNT,
        (0x0009, "GEMS_PETD_01", 0xB3): _COUNT,
    }
)
"""Forms of values that judge and measure an exam, though TCIA doesn't list them."""
_MOMENTS = frozenset(((0x0009, "GEMS_PETD_01", 0x0D), (0x0071, "SIEMENS MED PT", 0x22)))
"""The moments to which PET images are decay-corrected: dates, which are moved as others are."""
NEEDED = frozenset(((0x7053, "Philips PET Private Group", 0x00), (0x7053, "Philips PET Private Group", 0x09)))
"""Factors from counts to SUV and Bq/ml: no standard attribute has them, and counts are worth nothing without."""
_RUN = re.compile(rb"[ -~]{4,}")
_LETTERS = re.compile(rb"[A-Za-z]{4,}")
_WIDE_LETTERS = re.compile(rb"(?:[A-Za-z]\0){4,}|(?:[0-9]\0){6,}")
"""Letters, and numbers as long as somebody's, of two bytes each."""


def safe(
    elements: Iterable[Element],
    known: Identifiers,
    items: Callable[[Element], Element],
    moment: Callable[[Element], Element | None],
    *,
    only_needed: bool = False,
) -> Iterator[Element]:
    """Of the private elements of one dataset those that may stay, with the creators of their blocks.

    Parameters
    ----------
    items : cleans the items of a sequence.
    moment : moves a date and time (VR DT); None where none stays.
    only_needed : whether none stays but those without which an image can't be measured.
    """
    listed = list(elements)
    creators = {one.tag: plain(one.value) for one in listed if one.tag & 0xFFFF < 0x100}
    needed = set()
    kept = []
    for one in listed:
        group, number = one.tag >> 16, one.tag & 0xFFFF
        reserved = group << 16 | number >> 8
        creator = creators.get(reserved, "")
        if number <= 0xFF or known.found_in(creator):
            continue
        place = (group, creator, number & 0xFF)
        if (only_needed and place not in NEEDED) or not may_stay(one, place, known):
            continue
        new = moment(one) if place in _MOMENTS else one if one.items is None else items(one)
        if new is not None:
            needed.add(reserved)
            kept.append(new)
    yield from sorted([*kept, *(one for one in listed if one.tag in needed)], key=lambda one: one.tag)


def may_stay(one: Element, place: Place, known: Identifiers) -> bool:
    """Whether a private element is a known one, and holds what is expected there; a sequence is looked into by itself.

    Parameters
    ----------
    place : its group, the creator of its block, and the low byte of its number.
    """
    if place in _MOMENTS:
        return one.items is None and moved(plain(one.value), "DT", 0) is not None
    form = _MEASURED.get(place)
    if form is not None:
        counts = form is _COUNT and len(one.value) == 2 and one.vr not in ("SS", "US")
        return one.items is None and form.fullmatch(one.value) is not None and not counts
    vr = safe_private().get(place)
    return vr is not None and (one.items is not None or is_harmless(one, vr, known))


def is_harmless(one: Element, vr: str, known: Identifiers) -> bool:
    """Whether the value of an element that is safe as such holds no words but known ones."""
    vr = one.vr if one.vr != "UN" else vr
    if vr in _NEVER:
        return False
    if vr in ("DS", "IS"):
        return _DECIMALS.fullmatch(one.value) is not None and not _long_digits(one.value)
    if _TEXT.fullmatch(one.value):
        said = plain(one.value)
        return all(cleaned(part, known.forbids) == part.strip() for part in said.split("\\"))
    # Bytes: text that nobody knows may stand in them, whatever VR they claim.
    if _WIDE_LETTERS.search(one.value) or says_chinese(one.value, vr):
        return False
    if vr not in _NUMBERS and reads_as_chinese(one.value):
        return False
    return vr not in _TEXTS and not any(_LETTERS.search(run) or _long_digits(run) for run in _RUN.findall(one.value))


def _long_digits(value: bytes) -> bool:
    """Whether whole numbers stand there that are as long as somebody's number or a date."""
    return re.search(rb"(?<![\d.])\d{6,}(?![\d.])", value) is not None
