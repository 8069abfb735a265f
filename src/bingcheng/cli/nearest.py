"""What a person may have meant by a name that does not exist."""

from __future__ import annotations

from collections.abc import Sequence
from difflib import get_close_matches

MOST = 5


def nearest(asked: str, known: Sequence[str]) -> str:
    """The known names most like `asked`, in a list for people; the first ones if none is like it."""
    folded = {name.casefold(): name for name in known}
    close = get_close_matches(asked.casefold(), folded, n=MOST, cutoff=0.5)
    return ", ".join([folded[name] for name in close] or list(known[:MOST])) or "-"
