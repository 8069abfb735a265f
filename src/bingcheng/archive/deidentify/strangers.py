"""The second pass over what a result is made of: nothing in it that no cleaned object has. Read by pydicom."""

from __future__ import annotations

import io
import warnings
from collections.abc import Iterator
from typing import Any

from bingcheng.archive.deidentify.profile import Option, Profile
from bingcheng.archive.deidentify.proof import Leak, LeakKind

_PREAMBLE = 128
_META = frozenset((0x00020000, 0x00020001, 0x00020002, 0x00020003, 0x00020010, 0x00020012))
_REMOVED = "Removed"
_PIXELS = 0x7FE0


def strangers(result: bytes, profile: Profile, pseudonym: str) -> Iterator[Leak]:
    """What stands in a result and in no cleaned object.

    A preamble, meta elements beyond those needed, private attributes where the profile keeps none, curves, overlays,
    groups of file sets and commands, and names other than the pseudonym.

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
        yield from _within(dataset, names, private=profile.has(Option.SAFE_PRIVATE), nested=False)


def _within(dataset: Any, names: set[str], *, private: bool, nested: bool) -> Iterator[Leak]:
    for tag in list(dataset.keys()):
        raw = dataset.get_item(tag)
        group = tag >> 16
        if group < 0x0008 or (group & 1 and not private) or group >> 8 in (0x50, 0x60) or (nested and group == _PIXELS):
            yield Leak(LeakKind.STRANGER, int(tag))
        elif raw.VR == "PN" and not {part.strip() for part in _words(raw.value).split("\\")} <= names:
            yield Leak(LeakKind.NAME, int(tag))
        elif raw.VR == "SQ":
            for item in dataset[tag].value or ():
                yield from _within(item, names, private=private, nested=True)


def _words(value: Any) -> str:
    return value.decode("latin-1").strip("\0 ") if isinstance(value, bytes) else str(value or "")
