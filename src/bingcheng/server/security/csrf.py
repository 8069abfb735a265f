"""Forms are believed only from our own pages: each carries a token that is bound to the browser's session.

A program that shows a token of its own needs none. A browser that was given one in an address (``https://x:TOKEN@…``)
adds it by itself from then on: so what a browser says of where it comes from is heard of programs too.
"""

from __future__ import annotations

import hmac
from urllib.parse import urlsplit

from starlette.requests import Request

from bingcheng.core.errors import RefusedError
from bingcheng.server.security.cookies import FORM, cookie_name, csrf_of, is_secure, session_secret
from bingcheng.server.security.identity import token_in
from bingcheng.server.security.problems import WRONG_FORM

SAFE = frozenset({"GET", "HEAD", "OPTIONS"})
HEADER, FIELD = "x-csrf-token", "csrf"
FORMS = ("application/x-www-form-urlencoded", "multipart/form-data")


async def check_csrf(request: Request) -> None:
    """Raise if the request changes something and did not come from our page.

    Raises
    ------
    RefusedError
        ``server.wrong-form``.
    """
    if request.method in SAFE:
        return
    if not _from_here(request):
        raise RefusedError(WRONG_FORM)
    if token_in(request) is not None:
        return
    secret = session_secret(request) or request.cookies.get(cookie_name(FORM, secure=is_secure(request)))
    shown = request.headers.get(HEADER) or await _in_form(request)
    if not secret or not hmac.compare_digest(shown.encode("utf-8", "replace"), csrf_of(secret).encode()):
        await request.close()  # the files that came with the form
        raise RefusedError(WRONG_FORM)


def _from_here(request: Request) -> bool:
    """Whether the browser says that the request comes from one of our pages; it may say nothing."""
    if request.headers.get("sec-fetch-site", "same-origin") not in ("same-origin", "none"):
        return False
    origin = request.headers.get("origin")
    return origin is None or urlsplit(origin).netloc == request.headers.get("host", "")


async def _in_form(request: Request) -> str:
    if not request.headers.get("content-type", "").startswith(FORMS):
        return ""
    value = (await request.form()).get(FIELD)
    return value if isinstance(value, str) else ""
