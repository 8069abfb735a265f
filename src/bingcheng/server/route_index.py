"""Which route answers a request: found by its method and the beginning of its address, not by trying all in turn."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from itertools import takewhile
from typing import Any, NoReturn

from fastapi.routing import APIRoute
from starlette.routing import BaseRoute, Match, NoMatchFound
from starlette.types import Receive, Scope, Send

ANY_LENGTH = 0
"""Stands for the number of steps of a route that may have any: one of its parameters is the rest of an address."""

Key = tuple[str, str, int]
"""Method, first step of the path, number of steps."""


class RouteIndex(BaseRoute):
    """Stands before the routes of an application and leads a request to the one that it would have come to.

    A router compares an address with one pattern after the other, and a platform has some two hundred. Here only those
    are compared that have the method, the first step and the number of steps, in the same order. What none of them
    matches is left to the router, which tells a wrong method from an unknown address as ever.

    Parameters
    ----------
    routes : of the application, in the order in which they are tried; those from the first on that is not found by its
        first step (a router within the router, a parameter at the beginning) are left to the router.
    """

    def __init__(self, routes: Iterable[BaseRoute]) -> None:
        found: dict[Key, dict[int, APIRoute]] = defaultdict(dict)
        for place, route in enumerate(takewhile(_begins_plainly, routes)):
            assert isinstance(route, APIRoute)
            for method in route.methods or ():
                found[_key(method, route)][place] = route
        self._routes = {
            (method, first, steps): _in_order(routes_of_key, found.get((method, first, ANY_LENGTH), {}))
            for (method, first, steps), routes_of_key in found.items()
        }

    def matches(self, scope: Scope) -> tuple[Match, Scope]:
        """The route that answers, in ``route`` of what is added to the scope; nothing if none is found here."""
        if scope["type"] != "http" or scope.get("root_path"):
            return Match.NONE, {}
        steps = scope["path"].split("/")
        method, first = scope["method"], steps[1] if len(steps) > 1 else ""
        routes = self._routes.get((method, first, len(steps))) or self._routes.get((method, first, ANY_LENGTH), ())
        for route in routes:
            match, found = route.matches(scope)
            if match is Match.FULL:
                return match, found
        return Match.NONE, {}

    async def handle(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Hand the request to the route that `matches` has found."""
        await scope["route"].handle(scope, receive, send)

    def url_path_for(self, name: str, /, **path_params: Any) -> NoReturn:
        """Never an address of its own: the routes behind it have theirs."""
        raise NoMatchFound(name, path_params)


def _begins_plainly(route: BaseRoute) -> bool:
    return isinstance(route, APIRoute) and "{" not in route.path.split("/")[1]


def _key(method: str, route: APIRoute) -> Key:
    steps = route.path.split("/")
    return method, steps[1], ANY_LENGTH if ":path}" in route.path else len(steps)


def _in_order(some: Mapping[int, APIRoute], others: Mapping[int, APIRoute]) -> tuple[APIRoute, ...]:
    """Routes by their places among all, as they are tried; each once."""
    both = {**some, **others}
    return tuple(both[place] for place in sorted(both))
