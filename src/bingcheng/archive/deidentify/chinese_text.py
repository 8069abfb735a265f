"""Chinese text among bytes that should be numbers, in UTF-8 or GB 18030 (and so GBK and GB 2312).

Two bytes of random numbers in ten read as a character: what tells text from numbers is of which characters it is made.
"""

from __future__ import annotations

import re
import struct
from collections.abc import Mapping
from functools import cache
from importlib.resources import files
from itertools import pairwise
from statistics import median
from types import MappingProxyType

_UTF_8 = re.compile(rb"(?:[\xe4-\xe9][\x80-\xbf]{2}){3}")
_GB = re.compile(rb"(?:[\xb0-\xf7][\xa1-\xfe]){6,}")
"""Six characters running, as the names of hospitals have and random numbers rarely."""
_UTF_8_LETTER, _GB_LETTER = rb"[\xe3-\xef][\x80-\xbf]{2}", rb"[\xa1-\xa9\xb0-\xf7][\xa1-\xfe]"
_SOME_CHINESE = re.compile(rb"(?:[\xe4-\xe9][\x80-\xbf]{2}){2}|(?:[\xb0-\xf7][\xa1-\xfe]){2}")
_CHINESE = re.compile(rb"(?:" + _UTF_8_LETTER + rb"|[ -~\t\r\n])*|(?:" + _GB_LETTER + rb"|[ -~\t\r\n])*")
_MUCH_CHINESE = re.compile(rb"(?:[\xe4-\xe9][\x80-\xbf]{2}){3}|(?:[\xb0-\xf7][\xa1-\xfe]){8}")
"""Of random bytes one in a hundred megabytes begins so. Of rarer characters than GB 2312 has, numbers are full."""
_LETTER = re.compile(r"[ -~\t\r\n\u3000-\u303f\u4e00-\u9fff\uff01-\uff5e]*")
_HAN = re.compile(r"[\u4e00-\u9fff]")
_MOSTLY, _HALF = 0.6, 0.5
_LONGEST_NAME = 128
"""Bytes of values that are looked at as a whole."""
_SMOOTH = 512
"""By how much neighbours in tables of colours and curves differ at most, as numbers of two bytes; characters jump."""
_SHORT = 8
"""Bytes of too few neighbours for a curve."""
_SIZES: Mapping[str, str] = MappingProxyType({"FL": "f", "OF": "f", "FD": "d", "OD": "d"})
_LEAST, _MOST = 1e-12, 1e12
"""Between these lies what anybody measures; characters read as numbers of fifty digits."""


@cache
def frequent() -> frozenset[str]:
    """Characters of which names, addresses and running text are mostly made."""
    stored = files("bingcheng.archive.deidentify").joinpath("chinese_characters.txt").read_text("utf-8")
    return frozenset("".join(line for line in stored.splitlines() if not line.startswith("#")))


def says_chinese(value: bytes, vr: str) -> bool:
    """Whether bytes are Chinese text, or it runs through them, as no numbers do by chance.

    Parameters
    ----------
    vr : of numbers: floating ones of a size that somebody measures are numbers, whatever their bytes read as.
    """
    if value.isascii() or _are_measured(value, vr):
        return False
    bare = value.strip(b" \0\t\r\n")
    if len(bare) <= _LONGEST_NAME and any(_is_said(bare, charset) for charset in ("utf-8", "gb18030")):
        return True
    return _UTF_8.search(value) is not None or any(_runs_on(run[0]) for run in _GB.finditer(value))


def reads_as_chinese(value: bytes) -> bool:
    """Whether any bytes could be Chinese text, or it could run through them: for values that need not be numbers."""
    bare = value.strip(b" \0")
    whole = _CHINESE.fullmatch(bare) is not None and _SOME_CHINESE.search(bare) is not None
    return whole or _MUCH_CHINESE.search(value) is not None


def _are_measured(value: bytes, vr: str) -> bool:
    """Whether all numbers of a floating VR have a size that somebody measures."""
    size = _SIZES.get(vr)
    if size is None or len(value) % struct.calcsize(size):
        return False
    numbers = struct.unpack(f"<{len(value) // struct.calcsize(size)}{size}", value)
    return all(not one or _LEAST <= abs(one) <= _MOST for one in numbers)


def _is_said(value: bytes, charset: str) -> bool:
    """Whether all of a value is text of at least two Chinese characters, most of them frequent."""
    try:
        said = value.decode(charset)
    except UnicodeDecodeError:
        return False
    smooth = len(value) > _SHORT and any(_is_smooth(value, order) for order in "<>")
    return not smooth and _LETTER.fullmatch(said) is not None and _is_frequent(said, _MOSTLY)


def _is_frequent(said: str, share: float) -> bool:
    letters = _HAN.findall(said)
    return len(letters) > 1 and sum(one in frequent() for one in letters) >= share * len(letters)


def _runs_on(run: bytes) -> bool:
    """Whether a run of characters is text: frequent ones, and no smooth curve."""
    if any(_is_smooth(run, order) for order in "<>"):
        return False
    return _is_frequent(run.decode("gb18030", "ignore"), _HALF)


def _is_smooth(run: bytes, order: str) -> bool:
    numbers = struct.unpack_from(f"{order}{len(run) // 2}H", run)
    return bool(median(abs(one - following) for one, following in pairwise(numbers)) <= _SMOOTH)
