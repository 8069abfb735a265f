"""How errors are answered: a page for people, JSON for programs, never a traceback."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from types import MappingProxyType
from typing import Any
from urllib.parse import quote

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.responses import JSONResponse, RedirectResponse, Response

from bingcheng.core.errors import (
    BingchengError,
    CatalogueError,
    InputError,
    Problem,
    RefusedError,
    RemoteError,
    Undefined,
)
from bingcheng.core.wording import Text
from bingcheng.server.methods import methods_of
from bingcheng.server.pages.page import language_of, page
from bingcheng.server.security import problems
from bingcheng.server.security.ended import what_ended
from bingcheng.server.security.identity import proof_of

log = logging.getLogger("bingcheng.server")

STATUS_OF_CODE: Mapping[str, int] = MappingProxyType(
    {
        "server.not-signed-in": 401,
        "archive.wrong-login": 401,
        "archive.too-many-failures": 429,
        "archive.not-found": 404,
        "archive.no-exam-fits": 404,
        "archive.too-many-tries": 429,
        "server.no-such-page": 404,
        "server.wrong-method": 405,
        "server.too-large": 413,
        "archive.too-large": 413,
        "archive.disk-full": 507,
        "server.disk-full": 507,
    }
)
_OF_KIND = ((RefusedError, 403), (RemoteError, 503), (Undefined, 404), (CatalogueError, 500), (InputError, 400))
_OF_STATUS = {
    401: problems.NOT_SIGNED_IN,
    404: problems.NO_SUCH_PAGE,
    405: problems.WRONG_METHOD,
    408: problems.TOO_SLOW,
    413: problems.TOO_LARGE,
}
PROGRAMS = ("/api/", "/dicomweb/", "/pairing/")
"""Paths that only programs ask for; they are always answered in JSON."""


def status_of(error: BingchengError) -> int:
    """The HTTP status that an error of ours is answered with."""
    known = STATUS_OF_CODE.get(error.code)
    return known or next((status for kind, status in _OF_KIND if isinstance(error, kind)), 500)


def wants_page(request: Request) -> bool:
    """Whether a person in a browser asks, and not a program."""
    return not request.url.path.startswith(PROGRAMS) and "text/html" in request.headers.get("accept", "")


def refusal(request: Request, error: BingchengError, status: int, headers: Mapping[str, str] | None = None) -> Response:
    """The answer that says what is wrong and what to do."""
    if status == 401 and error.code == problems.NOT_SIGNED_IN.code:
        return _to_sign_in(request, error)
    language = language_of(request)
    remedy = Text(error.problem.remedy, error.reason.facts)
    if wants_page(request):
        ended = what_ended(request, status)
        told = (error.reason, remedy, error.code) if ended is None else _of(ended.problem)
        way = None if ended is None else ended.way
        unsent = getattr(request.state, "not_sent", ())
        shown = page(request, "refused.html.jinja", status=status, told=told, way=way, unsent=unsent)
        shown.headers.update(headers or {})
        return shown
    said = {"code": error.code, "says": language.say(error.reason), "remedy": language.say(remedy)}
    return JSONResponse(said, status, headers=dict(headers or {}))


def not_sent(request: Request, *words: str) -> None:
    """Let the page that refuses a form give back what somebody wrote in it, so that it is not lost."""
    request.state.not_sent = tuple(one for one in words if one.strip())


def _of(problem: Problem) -> tuple[Text, Text, str]:
    return Text(problem.says), Text(problem.remedy), problem.code


def add_refusals(application: FastAPI) -> None:
    """Let the application answer errors so."""

    @application.exception_handler(BingchengError)
    async def ours(request: Request, error: BingchengError) -> Response:
        return refusal(request, error, status_of(error))

    @application.exception_handler(HTTPException)
    async def of_http(request: Request, error: HTTPException) -> Response:
        problem = _OF_STATUS.get(error.status_code)
        headers = dict(error.headers or {})
        if wants_page(request):
            await _find_out_who(request)
        if error.status_code == 405:
            headers["Allow"] = methods_of(request)
        if problem is None:
            return refusal(
                request, InputError(problems.WRONG_REQUEST, where=str(error.detail)), error.status_code, headers
            )
        return refusal(request, InputError(problem), error.status_code, headers)

    @application.exception_handler(RequestValidationError)
    async def of_values(request: Request, error: RequestValidationError) -> Response:
        # Where it is wrong, not what was sent: that may be a patient's name or a password.
        where = ", ".join(".".join(str(part) for part in one["loc"]) for one in error.errors())
        return refusal(request, InputError(problems.WRONG_REQUEST, where=where), 422)


async def _find_out_who(request: Request) -> None:
    """No guard did, where no route was found: whoever is signed in is told in the own language, with all ways on."""
    try:
        await proof_of(request)
    except BingchengError:
        return  # what is wrong with the address can be said without a database


def fault(request: Request, error: Exception) -> Response:
    """The answer to what no handler foresaw; the log says the kind and the place, not the words."""
    number = str(request.scope.get("state", {}).get("request", ""))
    log.error("fault %s: %s at %s", number, type(error).__name__, _place(error))
    return refusal(request, CatalogueError(problems.FAULT, request=number), 500)


class Discreet(logging.Formatter):
    """Writes of an exception its kind and place; its words may repeat what was sent, and so a patient's name."""

    def formatException(self, ei: tuple[Any, ...]) -> str:  # noqa: N802 - the library's name
        """One line."""
        error = ei[1]
        return f"{type(error).__name__} at {_place(error)}" if isinstance(error, BaseException) else ""


def _place(error: BaseException) -> str:
    trace = error.__traceback__
    while trace is not None and trace.tb_next is not None:
        trace = trace.tb_next
    return "?" if trace is None else f"{trace.tb_frame.f_code.co_filename}:{trace.tb_lineno}"


def _to_sign_in(request: Request, error: BingchengError) -> Response:
    if wants_page(request):
        asked = request.url.path + (f"?{request.url.query}" if request.url.query else "")
        wish = f"?next={quote(asked, safe='')}" if request.method == "GET" and asked != "/" else ""
        return RedirectResponse(f"/login{wish}", 303)
    language = language_of(request)
    said = {
        "code": error.code,
        "says": language.say(error.reason),
        "remedy": language.say(Text(error.problem.remedy)),
    }
    return JSONResponse(said, 401, headers={"WWW-Authenticate": 'Bearer realm="Bingcheng"'})
