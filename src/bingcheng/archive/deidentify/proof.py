"""The second pass: nothing of the original's names, numbers, dates and UIDs stands anywhere in the bytes of the result.

It shares no code with the first pass: the original is read by pydicom, what has to go follows from the rows of Table
E.1-1 alone, and the result is searched as bytes (preamble, meta header, padding and pixels included). Both know only
the same data: that table, and the words that describe an examination. What it can't vouch for: names of one or two
Latin letters, whole numbers of fewer than six digits, names that are words of anatomy or technique, and what a picture
shows.
"""

from __future__ import annotations

import io
import re
import warnings
from collections.abc import Iterable, Iterator, Mapping, MutableSequence, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from types import MappingProxyType
from typing import Any

import numpy as np

from bingcheng.archive.deidentify.kept import Kept, kept_by
from bingcheng.archive.deidentify.profile import Option, Profile
from bingcheng.archive.deidentify.vocabulary import NOBODY, chinese, words
from bingcheng.core.wording import Text, text

CHARSETS = ("utf-8", "gb18030", "latin-1", "big5", "euc-jp", "shift_jis", "iso2022_jp", "euc-kr", "koi8-r", "cp1251")
CHARSETS_MORE = ("utf-16-le", "utf-16-be", *(f"iso8859-{number}" for number in (2, 5, 6, 7, 8, 9)))
LEAST_NAME, LEAST_JOINED, LEAST_NUMBER, LEAST_VALUE = 3, 6, 6, 4
LEAST_IN_PIXELS = 6
"""Shorter runs occur in pixels by chance."""
PIECE, OVERLAP = 1 << 24, 512
"""Bytes of pixels that are searched at once, and what of the next piece is looked at with them."""
_NAME_PARTS = re.compile(r"[\^=\s,;.\\/_-]+")
_WORDS = re.compile(r"[^\W_]+")
_DATE = re.compile(r"(\d{4})[.-]?(\d{2})[.-]?(\d{2})")
_DECIMAL = re.compile(rb"(?<![\d.])[+-]?\d*\.\d+(?:e[+-]?\d+)?(?![\d.])")
_ESCAPES = re.compile(rb"\x1b[$(-]*[)]?[A-Z0-9]")
_UID = re.compile(rb"[0-9]+(?:\.[0-9]+)+")
_OWN = re.compile(rb"2\.25\.[0-9]+|P-[A-Z2-7]+")
_TEXTS = frozenset(("LO", "LT", "SH", "ST", "UC", "UT", "AE", "UR"))
_UID_KEPT = "1.2.840.10008."
_CLASSES = frozenset(
    (
        *(0x00080016, 0x0008001A, 0x0008001B, 0x00080062, 0x0008010C, 0x00080117, 0x00080118, 0x00081150, 0x0008115A),
        *(0x00083002, 0x04000010, 0x00741202),
    )
)
"""UIDs of kinds of objects, transfer syntaxes, code systems and lists: those of makers stay too."""
_TECHNICAL = frozenset((0x00080060, 0x00080070, 0x00081090, 0x00180015, 0x00181020))
"""Modality, maker, model, body part, software: what equals one of these is nobody's, unless it is a long number."""
_SOMEBODYS = re.compile(r"\d{6,}")


class LeakKind(StrEnum):
    """What kind of identifier was found."""

    NAME = "name"
    VALUE = "value"
    DATE = "date"
    UID = "uid"
    STRANGER = "stranger"


@dataclass(frozen=True, slots=True)
class Leak:
    """One place of the result that still holds something of the original.

    Parameters
    ----------
    offset : in bytes from the beginning of what was searched; of what no cleaned object has, its tag.
    """

    kind: LeakKind
    offset: int


@dataclass(slots=True)
class Needles:
    """What must not be found, lower case where letters have a case."""

    names: set[str] = field(default_factory=set)
    values: set[str] = field(default_factory=set)
    dates: set[str] = field(default_factory=set)
    uids: set[str] = field(default_factory=set)


def needles(original: bytes, profile: Profile) -> Needles:
    """Everything of an original that its profile takes out.

    Raises
    ------
    Exception
        whatever pydicom raises for a file that it can't read: then nothing is proved.
    """
    from pydicom import dcmread  # noqa: PLC0415 - heavy

    found = Needles()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        dataset = dcmread(io.BytesIO(original), force=True)
        _collect(dataset, kept_by(profile), found)
        meta = getattr(dataset, "file_meta", None)
        for tag in (0x00020003, 0x00020016, 0x00020017, 0x00020018):
            if meta is not None and tag in meta:
                value = str(meta[tag].value)
                if tag != 0x00020003:
                    found.values.update(_value(value))
                elif not value.startswith(_UID_KEPT):
                    found.uids.add(value)
    technical = {str(dataset[tag].value).casefold() for tag in _TECHNICAL if tag in dataset}
    found.values -= {one for one in technical if not _SOMEBODYS.search(one)}
    if profile.has(Option.UIDS):
        found.uids.clear()
    return found


def _collect(dataset: Any, kept: Kept, found: Needles) -> None:
    from pydicom.datadict import dictionary_VR  # noqa: PLC0415 - heavy

    for tag in list(dataset.keys()):
        if tag >> 16 & 1 or tag >> 16 >= 0x7FE0:
            continue
        raw = dataset.get_item(tag)
        try:
            vr = raw.VR if raw.VR not in (None, "UN") else dictionary_VR(tag)
        except KeyError:
            continue
        if vr == "SQ":
            for item in dataset[tag].value or ():
                _collect(item, kept, found)
        elif vr in _TEXTS or vr in ("PN", "DA", "DT", "UI"):
            if vr == "PN" and isinstance(raw.value, bytes):
                found.names.update(_misdeclared(raw.value))
            _add(int(tag), vr, dataset, kept, found)


def _add(tag: int, vr: str, dataset: Any, kept: Kept, found: Needles) -> None:
    if not _is_searched(tag, vr, kept):
        return
    for one in _values(tag, vr, dataset):
        said = one.strip("\0 ")
        if not said:
            continue
        if vr == "PN":
            found.names.update(_name_parts(said))
        elif vr == "UI":
            if not said.startswith(_UID_KEPT):
                found.uids.add(said)
        elif vr in ("DA", "DT"):
            found.dates.update(_date(said))
        else:
            found.values.update(_value(said))


def _is_searched(tag: int, vr: str, kept: Kept) -> bool:
    if vr == "PN":
        return True
    if vr == "UI":
        return tag not in _CLASSES and not kept.stays(tag)
    if vr in ("DA", "DT"):
        return not kept.dates and not kept.stays(tag)
    return kept.goes(tag)


def _values(tag: int, vr: str, dataset: Any) -> list[str]:
    """The values of an attribute as characters; none of what can't be decoded."""
    raw = dataset.get_item(tag).value
    if isinstance(raw, bytes) and raw.isascii() and b"\x1b" not in raw:
        said = raw.decode("ascii")
        return [said] if vr in ("LT", "ST", "UT", "UR") else said.split("\\")
    try:
        value = dataset[tag].value
    except Exception:  # noqa: BLE001 - what can't be decoded has no characters to search for
        return []
    # Not every iterable is several values: a person's name iterates over its letters.
    return [str(one) for one in (value if isinstance(value, list | MutableSequence) else [value])]


def _misdeclared(raw: bytes) -> Iterator[str]:
    """The parts of a name as it reads in the character sets of Chinese hospitals, whatever the header claims."""
    if raw.isascii():
        return
    for charset in ("utf-8", "gb18030"):
        try:
            yield from _name_parts(_ESCAPES.sub(b"", raw).decode(charset).strip("\0 "))
        except UnicodeDecodeError:
            continue


def _name_parts(said: str) -> Iterator[str]:
    """The parts of a name, and family and given name written as one word."""
    for group in said.casefold().split("="):
        parts = [part for part in _NAME_PARTS.split(group) if part]
        joined = ("".join(parts[:2]), "".join(parts[1::-1])) if len(parts) > 1 else ()
        for part in (*parts, *(one for one in joined if not one.isascii() or len(one) >= LEAST_JOINED)):
            least = 2 if not part.isascii() else LEAST_NUMBER if part.isdecimal() else LEAST_NAME
            if len(part) >= least and part not in NOBODY and part not in words() and part not in chinese():
                yield part


def _value(said: str) -> Iterator[str]:
    low = said.casefold()
    if low in NOBODY:
        return
    if low.isdecimal():
        yield from (one for one in {low, low.lstrip("0")} if len(one) >= LEAST_NUMBER)
    elif len(low) >= LEAST_VALUE and any(not _tells_nothing(word) for word in _WORDS.findall(low)):
        yield low


def _tells_nothing(word: str) -> bool:
    return word in words() or word in chinese() or (word.isdecimal() and len(word) < LEAST_NUMBER)


def _date(said: str) -> Iterator[str]:
    found = _DATE.match(said)
    if found is not None and found[1] >= "1850" and found[2] <= "12" and found[3] <= "31" and found[0] != "19000101":
        yield "".join(found.groups())


def written_forms(date: str) -> tuple[str, ...]:
    """A date (YYYYMMDD) as DICOM, ISO 8601, American, European and Chinese writers put it."""
    year, month, day = date[:4], date[4:6], date[6:8]
    m, d = str(int(month)), str(int(day))
    return (
        *(date, f"{year}-{month}-{day}", f"{year}.{month}.{day}", f"{year}/{month}/{day}"),
        *(f"{day}/{month}/{year}", f"{month}/{day}/{year}", f"{day}.{month}.{year}", f"{day}-{month}-{year}"),
        *(f"{d}/{m}/{year}", f"{m}/{d}/{year}", f"{d}.{m}.{year}", f"{year}年{m}月{d}日", f"{year}年{month}月{day}日"),
    )


def leaks(
    result: bytes,
    pixels_at: tuple[int, int] | None,
    searched: Needles,
    told: Mapping[str, int],
    own: Sequence[str],
    name: str = "",
) -> tuple[Leak, ...]:
    """Every place of the result that holds something of the original; empty is the proof.

    Parameters
    ----------
    result : the file, not deflated.
    pixels_at : where the pixel value begins and ends; only longer runs of characters are looked for in it.
    told : dates that were written anew, and how often: a moved date may equal another one of the original.
    own : values that were made for the result (new UIDs, the pseudonym, what it says of its cleaning); their
        characters don't count.
    name : of the file that is written; it is searched too.
    """
    start, stop = pixels_at or (len(result), len(result))
    head = name.encode("utf-8", "replace") + b"\n" + result[:start] + b"\n" + result[stop:]
    made = {one.encode() for one in own}
    for one in made:
        if not _OWN.fullmatch(one):
            head = head.replace(one, b"\x01" * len(one))
    head = _OWN.sub(lambda one: b"\x01" * len(one[0]) if one[0] in made else one[0], head)
    found = list(_found(head, searched, told, least=1))
    for at in range(start, stop, PIECE):  # a film of gigabytes in pieces, so that little memory is needed
        piece = result[at : min(stop, at + PIECE + OVERLAP)]
        runs = printable(piece)
        if runs:
            found += _found(runs, searched, {}, least=LEAST_IN_PIXELS)
        found += _foreign(piece, searched)
    return tuple(found)


def _found(place: bytes, searched: Needles, told: Mapping[str, int], *, least: int) -> Iterator[Leak]:
    low = place.lower()
    chance = least > 1  # beside text in pixels stands what it may
    uids = {uid.encode("latin-1", "replace") for uid in searched.uids}
    for match in _UID.finditer(low):
        if match[0] in uids:
            yield Leak(LeakKind.UID, match.start())
    for one in searched.names:
        beside = rb"[a-z]" if one.isalpha() else rb"[a-z0-9]"  # a digit ends a name of letters: SMITH1
        for form in _forms(one):
            if len(form) >= least:
                yield from _whole(low, form, LeakKind.NAME, None if chance or not one.isascii() else beside)
    for one in searched.values:
        for form in _forms(one):
            if len(form) >= least:
                yield from _whole(low, form, LeakKind.VALUE, None if chance or not one.isascii() else rb"[a-z0-9]")
    for date in searched.dates:
        yield from _dates(low, date, told.get(date, 0))


def _forms(one: str) -> set[bytes]:
    """The bytes of a text in every character set that can write it; of ASCII also as two bytes a letter."""
    if one.isascii():
        wide = {one.encode("utf-16-le"), one.encode("utf-16-be")} if len(one) >= LEAST_VALUE else set()
        return {one.encode("ascii"), *wide}
    forms = set()
    for charset in (*CHARSETS, *CHARSETS_MORE):
        for said in {one, one.upper(), one.title()}:
            try:
                forms.add(said.encode(charset).lower())
            except UnicodeEncodeError:
                continue
    return {form for form in forms if len(form) >= 3}


def _whole(low: bytes, needle: bytes, kind: LeakKind, neighbours: bytes | None) -> Iterator[Leak]:
    """Places where a needle stands, not as part of a longer word or number."""
    at = low.find(needle)
    while at >= 0:
        around = low[at - 1 : at] if at else b"", low[at + len(needle) : at + len(needle) + 1]
        if neighbours is None or not any(re.match(neighbours, one) for one in around if one):
            yield Leak(kind, at)
        at = low.find(needle, at + 1)


def _dates(low: bytes, date: str, told: int) -> Iterator[Leak]:
    """Places of a date, in any form; as often as it was written anew it may stand as DICOM writes it."""
    for form in written_forms(date):
        places = [at for at in _places(low, form.encode("utf-8")) if not _in_number(low, at, len(form))]
        if form == date:
            places = places[told:]
        yield from (Leak(LeakKind.DATE, at) for at in places)
        if not form.isascii():
            yield from (Leak(LeakKind.DATE, at) for at in _places(low, form.encode("gb18030")))


def _places(low: bytes, needle: bytes) -> Iterator[int]:
    at = low.find(needle)
    while at >= 0:
        yield at
        at = low.find(needle, at + 1)


def _in_number(low: bytes, at: int, length: int) -> bool:
    """Whether digits are part of a longer whole number, or of a decimal."""
    if low[at - 1 : at].isdigit():
        return True
    around = low[max(0, at - 20) : at + 40]
    start = at - max(0, at - 20)
    return any(one.start() < start and one.end() >= start + length for one in _DECIMAL.finditer(around))


def printable(value: bytes) -> bytes:
    """Of pixels only the runs of at least six printable ASCII characters, parted by line feeds."""
    if len(value) < LEAST_IN_PIXELS:
        return b""
    raw = np.frombuffer(value, dtype=np.uint8)
    fits = (raw - np.uint8(0x20)) < np.uint8(0x5F)
    count = LEAST_IN_PIXELS
    runs = fits[: raw.size - count + 1].copy()
    for step in range(1, count):
        runs &= fits[step : raw.size - count + 1 + step]
    if not runs.any():
        return b""
    inside = np.zeros(raw.size, dtype=bool)
    for step in range(count):
        inside[step : raw.size - count + 1 + step] |= runs
    return np.where(inside, raw, np.uint8(0x0A)).tobytes() if inside.mean() > 0.5 else _gathered(raw, inside)


def _gathered(raw: Any, inside: Any) -> bytes:
    """The marked bytes, one line feed between runs."""
    marked = np.flatnonzero(inside)
    gaps = np.flatnonzero(np.diff(marked) > 1) + 1
    return np.insert(raw[marked], gaps, 0x0A).tobytes()


def _foreign(value: bytes, searched: Needles) -> Iterator[Leak]:
    """Names and values that aren't ASCII, in pixels."""
    for kind, several in ((LeakKind.NAME, searched.names), (LeakKind.VALUE, searched.values)):
        for one in several:
            if not one.isascii():
                forms = (form for form in _forms(one) if len(form) >= LEAST_IN_PIXELS)
                yield from (Leak(kind, at) for form in forms for at in _places(value, form))


_KINDS: Mapping[LeakKind, Text] = MappingProxyType(
    {
        LeakKind.NAME: text("a name"),
        LeakKind.VALUE: text("a number or text"),
        LeakKind.DATE: text("a date"),
        LeakKind.UID: text("a UID"),
        LeakKind.STRANGER: text("an attribute that always goes"),
    }
)


def summary(found: Iterable[Leak]) -> Text:
    """Which kinds of identifiers were found, in words."""
    first, *others = (_KINDS[kind] for kind in LeakKind if kind in {one.kind for one in found})
    for other in others:
        first = text("{first}, {next}", first=first, next=other)
    return first
