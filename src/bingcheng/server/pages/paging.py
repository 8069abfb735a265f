"""Which page of a list an address asks for."""

from __future__ import annotations

LAST = 999_999


def page_asked(written: str) -> int:
    """The number of the page, counted from 1; the first for what is no number of a page."""
    # The length first: Python refuses to read a number of thousands of digits.
    return max(1, int(written)) if written.isdecimal() and len(written) <= len(str(LAST)) else 1
