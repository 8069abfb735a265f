"""A handler that is called straight away answers as the framework lets it answer, and only where it can."""

from __future__ import annotations

import asyncio
import threading
from typing import Annotated

import pytest
from fastapi import APIRouter, Depends, Path, Query, Request, Response
from fastapi.routing import APIRoute

from bingcheng.core.errors import RefusedError
from bingcheng.server.dicomweb.plain_calls import plain_handler
from bingcheng.server.dicomweb.router import router
from bingcheng.server.security.guards import guard_of
from bingcheng.server.security.problems import NOT_SIGNED_IN


class Guarding:
    """A dependency that is an object, as guards are; notes that it was asked."""

    def __init__(self, *, refuses: bool = False) -> None:
        self.refuses, self.asked = refuses, 0

    async def __call__(self, request: Request) -> str:
        self.asked += 1
        if self.refuses:
            raise RefusedError(NOT_SIGNED_IN)
        return f"guard of {request.path_params['one']}"


def route_of(endpoint, path="/x/{one}", dependencies=()) -> APIRoute:
    made = APIRouter()
    made.add_api_route(path, endpoint, dependencies=list(dependencies))
    return made.routes[0]


def answer(route, **path_params):
    request = Request({"type": "http", "method": "GET", "path": "/x", "headers": [], "path_params": path_params})
    return asyncio.run(plain_handler(route.dependant)(request))


def test_what_a_handler_takes_is_given_and_each_dependency_is_asked_once():
    guard = Guarding()

    async def inner(request: Request, said, one: str) -> str:
        return f"{said}, inner {one} of {request.method}"

    async def endpoint(one: str, said, more) -> Response:
        return Response(f"{one}; {said}; {more}")

    inner.__annotations__["said"] = endpoint.__annotations__["said"] = Annotated[str, Depends(guard)]
    endpoint.__annotations__["more"] = Annotated[str, Depends(inner)]
    found = answer(route_of(endpoint), one="1.2")
    assert found.body == b"1.2; guard of 1.2; guard of 1.2, inner 1.2 of GET"
    assert guard.asked == 1


def test_a_handler_that_is_no_coroutine_runs_in_a_thread():
    def endpoint() -> Response:
        return Response(str(threading.get_ident()))

    assert answer(route_of(endpoint, "/x")).body != str(threading.get_ident()).encode()


def test_whom_the_guard_refuses_the_handler_never_sees():
    guard, seen = Guarding(refuses=True), []

    async def endpoint(one: str) -> Response:
        seen.append(one)
        return Response()

    with pytest.raises(RefusedError):
        answer(route_of(endpoint, dependencies=[Depends(guard)]), one="1.2")
    assert (guard.asked, seen) == (1, [])


async def _of_query(words: str) -> str:
    return words


def _of_thread() -> str:
    return ""


async def _closing():
    yield ""


@pytest.mark.parametrize(
    "taken",
    [
        Annotated[str, Query()],
        Annotated[str, Depends(_of_query)],
        Annotated[str, Depends(_of_thread)],
        Annotated[str, Depends(_closing)],
        Annotated[str, Depends(Guarding(), use_cache=False)],
    ],
)
def test_what_has_to_be_read_checked_or_ended_is_left_to_the_framework(taken):
    async def endpoint(one: str, other) -> Response:
        return Response()

    endpoint.__annotations__["other"] = taken
    assert plain_handler(route_of(endpoint).dependant) is None


@pytest.mark.parametrize("kind", [int, Annotated[str, Path(max_length=3)], Annotated[str, Path(alias="one")]])
def test_a_step_of_the_path_that_is_more_than_a_word_is_left_to_the_framework(kind):
    async def endpoint(step) -> Response:
        return Response()

    endpoint.__annotations__["step"] = kind
    path = "/x/{one}" if "alias" in repr(kind) else "/x/{step}"
    assert plain_handler(route_of(endpoint, path).dependant) is None


def test_every_route_of_dicomweb_is_called_so_and_keeps_its_guard():
    assert all(plain_handler(route.dependant) is not None and guard_of(route.dependant) for route in router.routes)
