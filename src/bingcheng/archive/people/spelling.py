"""How the names that scanners write for a hospital are compared."""

from __future__ import annotations

from bingcheng.archive.codec import storable


def folded(words: str) -> str:
    """A spelling as spellings are compared: in lower case, without double spaces."""
    return " ".join(storable(words).casefold().split())
