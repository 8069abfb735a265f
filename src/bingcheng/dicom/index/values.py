"""Raw element bytes turned into Python values: None where absent, empty or not what the VR promises (PS3.5 6.2)."""

from __future__ import annotations

import math
import re
import struct
import warnings
from datetime import datetime, timedelta

from bingcheng.dicom.index.elements import Coding


def plain(raw: bytes | None) -> str | None:
    """A value of the default repertoire (UI, CS, IS, DS, DA, TM), without padding."""
    if not raw:
        return None
    return raw.decode("ascii", "replace").strip("\0 ") or None


def parts(raw: bytes | None) -> tuple[str, ...]:
    """A multi-valued CS, in order; empty values kept."""
    text = plain(raw)
    return tuple(part.strip() for part in text.split("\\")) if text else ()


_IR_58 = "\x1b$)A"
"""What switches to ISO 2022 IR 58 (PS3.3 C.12.1.1.2); pydicom takes it to be part of the text."""


def words(raw: bytes | None, character_set: bytes | None) -> str | None:
    """A value in the character set of the file (LO, SH, PN), unreadable bytes replaced."""
    if not raw:
        return None
    if raw.isascii() and b"\x1b" not in raw:
        return raw.decode("ascii").strip("\0 ") or None
    # pydicom knows the code extensions with escape sequences; it is only needed for such names, and slow to load.
    from pydicom.charset import convert_encodings, decode_bytes  # noqa: PLC0415

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            terms = [term.strip() for term in (character_set or b"").decode("ascii", "replace").split("\\")]
            decoded = decode_bytes(raw, convert_encodings(terms), {0x5C, 0x5E, 0x3D})
        except (LookupError, ValueError, TypeError, AttributeError):
            decoded = raw.decode("latin-1")
    return decoded.replace(_IR_58, "").strip("\0 ") or None


def floats(raw: bytes | None, count: int) -> tuple[float, ...] | None:
    """Exactly `count` finite numbers of a DS."""
    if not raw:
        return None
    try:
        found = tuple(map(float, raw.strip(b"\0 ").split(b"\\")))
    except ValueError:
        return None
    return found if len(found) == count and all(map(math.isfinite, found)) else None


def number(raw: bytes | None) -> float | None:
    """The first number of a DS or IS."""
    if not raw:
        return None
    try:
        found = float(raw.strip(b"\0 ").split(b"\\", 1)[0])
    except ValueError:
        return None
    return found if math.isfinite(found) else None


def integer(raw: bytes | None) -> int | None:
    """The first number of an IS; some writers put a decimal point into it."""
    found = number(raw)
    return int(found) if found is not None and found == int(found) else None


def binary(raw: bytes | None, kind: str, coding: Coding) -> float | None:
    """One binary number; `kind` is its letter for `struct` (``H`` US, ``I`` UL, ``d`` FD, ``i`` SL)."""
    if not raw or len(raw) < struct.calcsize("<" + kind):
        return None
    found = float(struct.unpack_from(coding.order + kind, raw)[0])
    return found if math.isfinite(found) else None


def doubles(raw: bytes | None, count: int, coding: Coding) -> tuple[float, ...] | None:
    """Exactly `count` finite FD."""
    if raw is None or len(raw) != 8 * count:
        return None
    found = struct.unpack(f"{coding.order}{count}d", raw)
    return found if all(map(math.isfinite, found)) else None


def looks_decimal(raw: bytes) -> bool:
    """Whether bytes are digits, signs and points only: decimal text, whatever representation was promised."""
    written = raw.rstrip(b"\0")
    return any(byte in b"0123456789" for byte in written) and all(byte in b"0123456789.+-eE \\" for byte in written)


def count_of(raw: bytes | None, coding: Coding) -> int | None:
    """An US as int."""
    found = binary(raw, "H", coding)
    return None if found is None else int(found)


_DATE = re.compile(r"(\d{4})[.\-]?(\d{2})[.\-]?(\d{2})")
_TIME = re.compile(r"(\d{2}):?(\d{2})?:?(\d{2})?(?:\.(\d{1,6}))?")


def moment(date: str | None, time: str | None) -> datetime | None:
    """The local time of a DA and a TM; None unless both say something."""
    day = _DATE.match(date or "")
    clock = _TIME.match(time or "")
    if day is None or clock is None:
        return None
    hour, minute, second, fraction = clock.groups()
    year, month, day_of_month = (int(part) for part in day.groups())
    if year < 1900:
        return None  # what de-identifiers write where a date must be; no scanner is that old
    try:
        # DICOM's times are those on the scanner's wall; a zone is seldom given and never mixed within one exam.
        start = datetime(year, month, day_of_month)  # noqa: DTZ001
        return start + timedelta(
            hours=int(hour),
            minutes=int(minute or 0),
            seconds=int(second or 0),
            microseconds=int((fraction or "0").ljust(6, "0")),
        )
    except (ValueError, OverflowError):
        return None


DUMMY = datetime(1900, 1, 1)  # noqa: DTZ001 - local times of one scanner
"""What de-identification writes where a moment must stand and may not; with a time of day it is a date moved there."""
_ALMOST_A_DAY = timedelta(hours=20)


def beside(found: datetime | None, series_at: datetime | None) -> datetime | None:
    """A time of acquisition whose day was taken from its series, put on the right side of midnight.

    A scan that begins at 23:50 goes on at 00:10 of the next day, and an image stored at 00:10 may have been acquired at
    23:50: times that lie almost a day apart on one date belong to two.
    """
    if found is None or series_at is None or abs(found - series_at) <= _ALMOST_A_DAY:
        return found
    day = timedelta(days=1)
    other = found + day if found < series_at else found - day
    return other if abs(other - series_at) <= _ALMOST_A_DAY else found


def moment_of(stamp: str | None) -> datetime | None:
    """The local time of a DT; a time zone offset is left away. None for the dummy of de-identification."""
    found = moment(stamp[:8], stamp[8:]) if stamp and len(stamp) >= 10 else None
    return None if found == DUMMY else found
