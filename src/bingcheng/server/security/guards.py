"""The routes of the application with what each declares; with a route that declares nothing it does not start."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from fastapi import FastAPI
from fastapi.routing import iter_route_contexts

from bingcheng.core.errors import CatalogueError
from bingcheng.server.route_index import RouteIndex
from bingcheng.server.security.problems import UNGUARDED
from bingcheng.server.security.required import Guard, guard_of


@dataclass(frozen=True, slots=True, kw_only=True)
class GuardedRoute:
    """One route: its pattern, methods, and guard; None if it has none."""

    path: str
    methods: frozenset[str]
    name: str
    guard: Guard | None


def guarded_routes(application: FastAPI) -> Iterator[GuardedRoute]:
    """All routes of the application, those of included routers too."""
    for route in iter_route_contexts([one for one in application.routes if not isinstance(one, RouteIndex)]):
        dependant = getattr(route, "dependant", None)
        yield GuardedRoute(
            path=route.path or "",
            methods=frozenset(route.methods or ()),
            name=route.name or "",
            guard=None if dependant is None else guard_of(dependant),
        )


def check_guards(application: FastAPI) -> None:
    """Raise if a route declares neither who is allowed nor that it is public.

    Raises
    ------
    CatalogueError
        ``server.unguarded-route``.
    """
    for route in guarded_routes(application):
        if route.guard is None:
            raise CatalogueError(UNGUARDED, route=route.path)
