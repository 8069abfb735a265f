"""Text of an object in its character set."""

from __future__ import annotations

from bingcheng.archive.codec import storable
from bingcheng.dicom.index.values import words


def decoded(raw: bytes | None, character_set: bytes | None) -> str:
    """The text, without its padding and without what no database takes; empty if there is none."""
    return storable(words(raw, character_set) or "").strip("\0 ")
