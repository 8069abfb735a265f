"""Which page of a list an address asks for."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import RedirectResponse

LAST = 999_999


def page_asked(written: str) -> int:
    """The number of the page, counted from 1; the first for what is no number of a page."""
    # The length first: Python refuses to read a number of thousands of digits.
    return max(1, int(written)) if written.isdecimal() and len(written) <= len(str(LAST)) else 1


def page_count(total: int, most: int) -> int:
    """How many pages a list of so many has, at most so many on a page; an empty list has one."""
    return max(1, -(-total // most))


def back_to_last(request: Request, number: int, pages: int) -> RedirectResponse | None:
    """The way to the last page for who asks for one behind it, as if there were nothing; None where the page exists."""
    if number <= pages:
        return None
    return RedirectResponse(f"{request.url.path}?{request.url.include_query_params(page_number=pages).query}", 303)
