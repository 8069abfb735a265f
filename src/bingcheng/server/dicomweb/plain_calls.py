"""Calling a handler straight away, where nothing that it takes has to be read out of the request or checked.

The framework prepares each call for all that there may be: parameters of five kinds that it validates, dependencies
that end with the request, scopes. Of a frame that takes a third of the time, and a viewer asks for hundreds. The
handlers here take what stands in the path, as it stands there, and dependencies that do the same: these are resolved in
the framework's order, each once a request, the route's guard among them.
"""

from __future__ import annotations

import inspect
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any

from fastapi import Request, Response
from fastapi.dependencies.models import Dependant
from starlette.concurrency import run_in_threadpool

Handler = Callable[[Request], Awaitable[Response]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """How a handler or one of its dependencies is called.

    Parameters
    ----------
    call : a coroutine function, or for a handler a function that is called in a thread.
    inner : what is resolved before it, and as which argument it is given; None for what is only asked for.
    path : names of the arguments that stand in the path.
    request : names of the arguments that are the request.
    """

    call: Callable[..., Any]
    inner: tuple[tuple[str | None, Plan], ...]
    path: tuple[str, ...]
    request: tuple[str, ...]

    async def arguments(self, request: Request, known: dict[Callable[..., Any], Any]) -> dict[str, Any]:
        """What it is called with; `known` are the dependencies that this request has resolved."""
        given: dict[str, Any] = {}
        for name, plan in self.inner:
            arguments = await plan.arguments(request, known)
            if plan.call not in known:
                known[plan.call] = await plan.call(**arguments)
            if name is not None:
                given[name] = known[plan.call]
        for name in self.path:
            given[name] = request.path_params[name]
        for name in self.request:
            given[name] = request
        return given


def plain_handler(dependant: Dependant) -> Handler | None:
    """What answers a request as the framework would; None if the handler takes what only that can give.

    Parameters
    ----------
    dependant : of a route whose handler gives a `Response`.
    """
    plan = _plan(dependant)
    if plan is None:
        return None
    waits = _is_coroutine_function(plan.call)

    async def handler(request: Request) -> Response:
        arguments = await plan.arguments(request, {})
        answer: Response = await plan.call(**arguments) if waits else await run_in_threadpool(plan.call, **arguments)
        return answer

    return handler


def _plan(dependant: Dependant) -> Plan | None:
    call = dependant.call
    inner = [(one.name, _plan(one)) for one in dependant.dependencies]
    found = tuple((name, plan) for name, plan in inner if plan is not None and _is_coroutine_function(plan.call))
    if call is None or len(found) < len(inner) or _asks_for_more(dependant):
        return None
    names = (dependant.request_param_name, dependant.http_connection_param_name)
    return Plan(
        call=call,
        inner=found,
        path=tuple(one.name for one in dependant.path_params),
        request=tuple(name for name in names if name is not None),
    )


def _asks_for_more(dependant: Dependant) -> bool:
    """Whether anything is asked for but words of the path and the request itself."""
    return bool(
        dependant.query_params
        or dependant.header_params
        or dependant.cookie_params
        or dependant.body_params
        or dependant.response_param_name
        or dependant.background_tasks_param_name
        or dependant.security_scopes_param_name
        or dependant.websocket_param_name
        or dependant.concurrency
        or not dependant.use_cache
        or not all(_is_word(one) for one in dependant.path_params)
    )


def _is_word(parameter: Any) -> bool:
    """Whether a parameter of the path is given as it stands there: any text, of which nothing is demanded."""
    described = parameter.field_info
    return described.annotation is str and not described.metadata and parameter.name == parameter.alias


def _is_coroutine_function(call: Callable[..., Any]) -> bool:
    """Whether calling it gives something to wait for: a function, or an object that is called, as guards are."""
    return inspect.iscoroutinefunction(call) or inspect.iscoroutinefunction(type(call).__call__)
