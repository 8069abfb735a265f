"""The cookies: session, forms of people who are not signed in, language and theme."""

from __future__ import annotations

import hashlib
import hmac

from starlette.requests import HTTPConnection
from starlette.responses import Response

from bingcheng.archive.people.secret import new_secret
from bingcheng.archive.people.session import LONGEST

SESSION, FORM, LANGUAGE, THEME = "bingcheng", "bingcheng-form", "bingcheng-language", "bingcheng-theme"
PREFERENCE_AGE_S = 365 * 24 * 3600


def cookie_name(name: str, *, secure: bool) -> str:
    """The cookie's name; under TLS with the prefix that binds it to this host and path (RFC 6265bis, 4.1.3.2)."""
    return f"__Host-{name}" if secure else name


def is_secure(request: HTTPConnection) -> bool:
    """Whether the browser speaks TLS to us, or to the proxy before us."""
    return bool(request.app.state.site.settings.secure) or request.scope.get("scheme") == "https"


def session_secret(request: HTTPConnection) -> str | None:
    """The secret in the session's cookie."""
    return request.cookies.get(cookie_name(SESSION, secure=is_secure(request)))


def set_session(request: HTTPConnection, response: Response, secret: str) -> None:
    """Give the browser a session's secret, in place of whatever it had; scripts can't read it."""
    _set(request, response, SESSION, secret, int(LONGEST.total_seconds()))


def clear_session(request: HTTPConnection, response: Response) -> None:
    """Take the session's secret from the browser, and what it has kept of pictures: the next person sits there too."""
    response.headers["clear-site-data"] = '"cache"'
    secure = is_secure(request)
    name = cookie_name(SESSION, secure=secure)
    response.delete_cookie(name, path="/", secure=secure, httponly=True, samesite="lax")


def set_preference(request: HTTPConnection, response: Response, name: str, value: str) -> None:
    """Let the browser remember language or theme for who is not signed in."""
    _set(request, response, name, value, PREFERENCE_AGE_S)


def form_secret(request: HTTPConnection) -> str:
    """What forms of this browser are bound to: its session, else a cookie of its own, made when it is absent."""
    known = session_secret(request) or request.cookies.get(cookie_name(FORM, secure=is_secure(request)))
    if known:
        return known
    made: str | None = getattr(request.state, "form_secret", None)
    if made is None:
        made = request.state.form_secret = new_secret()
    return made


def set_form_secret(request: HTTPConnection, response: Response) -> None:
    """Give the browser the secret that `form_secret` made for it, if it made one."""
    made: str | None = getattr(request.state, "form_secret", None)
    if made is not None:
        _set(request, response, FORM, made, None)


def csrf_token(request: HTTPConnection) -> str:
    """What a form of this browser must carry: derived from its secret, so it ends with the session."""
    return csrf_of(form_secret(request))


def csrf_of(secret: str) -> str:
    """The token that goes with a secret."""
    return hmac.new(secret.encode("utf-8", "replace"), b"bingcheng csrf", hashlib.sha256).hexdigest()


def _set(request: HTTPConnection, response: Response, name: str, value: str, age_s: int | None) -> None:
    secure = is_secure(request)
    response.set_cookie(
        cookie_name(name, secure=secure),
        value,
        max_age=age_s,
        path="/",
        secure=secure,
        httponly=True,
        samesite="lax",
    )
