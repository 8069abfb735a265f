"""The second pass over what a result is made of: nothing in it that no cleaned object has. Read by pydicom."""

from __future__ import annotations

import io
import re
import warnings
from collections.abc import Iterator
from functools import lru_cache
from typing import Any

from bingcheng.archive.deidentify.attributes import terms
from bingcheng.archive.deidentify.profile import Option, Profile
from bingcheng.archive.deidentify.proof import Leak, LeakKind
from bingcheng.archive.deidentify.vocabulary import device_words, words

_PREAMBLE = 128
_META = frozenset((0x00020000, 0x00020001, 0x00020002, 0x00020003, 0x00020010, 0x00020012))
_REMOVED = "Removed"
_LETTERS = re.compile(r"[^\W\d_]{3,}")
"""Fewer than three letters are no name that anybody could look for."""
_OTHERWISE = frozenset((0x00080005, 0x00200020, 0x00203401))
"""Character sets, directions and the identity of a device, which an option keeps: code strings without terms."""
_PIXELS = 0x7FE0
_FACTORS_GROUP, _FACTORS_CREATOR = 0x7053, "Philips PET Private Group"


def strangers(result: bytes, profile: Profile, pseudonym: str) -> Iterator[Leak]:
    """What stands in a result and in no cleaned object.

    A preamble, meta elements beyond those needed, private attributes where the profile keeps none, curves, overlays,
    groups of file sets and commands, names other than the pseudonym, and code strings with other words than known ones.

    Raises
    ------
    Exception
        whatever pydicom raises for a file that it can't read: then nothing is proved.
    """
    from pydicom import dcmread  # noqa: PLC0415 - heavy

    if any(result[:_PREAMBLE]):
        yield Leak(LeakKind.STRANGER, 0)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        dataset = dcmread(io.BytesIO(result), stop_before_pixels=True)
        for tag in dataset.file_meta.keys() - _META:
            yield Leak(LeakKind.STRANGER, int(tag))
        names = {"", _REMOVED, pseudonym}
        yield from _within(dataset, names, profile, nested=False)


def _within(dataset: Any, names: set[str], profile: Profile, *, nested: bool) -> Iterator[Leak]:
    private = profile.has(Option.SAFE_PRIVATE)
    factors = _factors(dataset) if profile.has(Option.PATIENT) and not private else frozenset()
    for tag in list(dataset.keys()):
        raw = dataset.get_item(tag)
        group, vr = tag >> 16, raw.VR or _dictionary_vr(int(tag))
        if (
            group < 0x0008
            or (group & 1 and not private and tag not in factors)
            or group >> 8 in (0x50, 0x60)
            or (nested and group == _PIXELS)
        ):
            yield Leak(LeakKind.STRANGER, int(tag))
        elif vr == "PN" and not {part.strip() for part in _words(raw.value).split("\\")} <= names:
            yield Leak(LeakKind.NAME, int(tag))
        elif vr == "CS" and not _is_known(int(tag), _words(raw.value), profile):
            yield Leak(LeakKind.STRANGER, int(tag))
        elif vr == "SQ":
            for item in dataset[tag].value or ():
                yield from _within(item, names, profile, nested=True)


def _factors(dataset: Any) -> frozenset[int]:
    """Where the factors of a PET in counts stand, with the creator of their block."""
    blocks = (
        tag & 0xFFFF for tag in map(int, dataset.keys()) if tag >> 16 == _FACTORS_GROUP and 0x10 <= tag & 0xFFFF < 0x100
    )
    for block in sorted(blocks):
        if _words(dataset.get_item(_FACTORS_GROUP << 16 | block).value).strip() == _FACTORS_CREATOR:
            within = _FACTORS_GROUP << 16 | block << 8
            return frozenset((_FACTORS_GROUP << 16 | block, within, within | 0x09))
    return frozenset()


@lru_cache(1 << 14)
def _dictionary_vr(tag: int) -> str:
    """What the standard gives a tag; in implicit VR the file doesn't say."""
    from pydicom.datadict import dictionary_VR  # noqa: PLC0415 - heavy

    try:
        return dictionary_VR(tag)
    except KeyError:
        return ""


@lru_cache(1 << 14)
def _is_known(tag: int, said: str, profile: Profile) -> bool:
    """Whether each value of a code string is a term of its attribute, or made of known words."""
    if tag in _OTHERWISE or tag >> 16 & 1:
        return True
    values = (value.strip() for value in said.split("\\"))
    unknown = [value for value in values if value not in terms().get(tag, ())]
    return all(_is_word(run.casefold(), profile) for value in unknown for run in _LETTERS.findall(value))


def _is_word(low: str, profile: Profile) -> bool:
    return low in words() or low in device_words() or low in profile.words


def _words(value: Any) -> str:
    return value.decode("latin-1").strip("\0 ") if isinstance(value, bytes) else str(value or "")
