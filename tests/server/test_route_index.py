"""Whichever way a route is found: the one that trying all in turn would have found."""

from __future__ import annotations

from typing import cast

import pytest
from fastapi import APIRouter
from fastapi.routing import APIRoute
from starlette.routing import Match, NoMatchFound

from bingcheng.server.application import application
from bingcheng.server.route_index import RouteIndex
from bingcheng.server.settings import Settings
from bingcheng.server.site import Site


@pytest.fixture(scope="module")
def all_routes():
    """The index of the application, and the routes behind it."""
    index, *routes = application(Settings(), site=cast("Site", None)).router.routes
    return index, routes


def declared(*paths, method="GET"):
    """Routes in this order; the name of each is its path."""
    router = APIRouter()
    for path in paths:
        router.add_api_route(path, lambda: None, methods=[method], name=path)
    return router.routes


def scope(method, path, **more):
    return {"type": "http", "method": method, "path": path, "root_path": "", **more}


def led(index, method, path, **more):
    """The path of the route that a request is led to; None where it is left to the router."""
    match, found = index.matches(scope(method, path, **more))
    return found["route"].path if match is Match.FULL else None


def tried(routes, method, path):
    """The path of the first route that matches, of all in turn."""
    found = (one.path for one in routes if one.matches(scope(method, path))[0] is Match.FULL)
    return next(found, None)


def test_every_route_of_the_application_is_found_as_by_trying_all(all_routes):
    index, routes = all_routes
    assert len(routes) > 150
    for route in routes:
        assert isinstance(route, APIRoute)
        for value in ("1.2.3", "x", "new", "7FE00010/1/00080018"):
            path = route.path.replace("{path:path}", value)
            for name in route.param_convertors:
                path = path.replace(f"{{{name}}}", value.partition("/")[0])
            for method in ("GET", "POST", "PUT", "DELETE", "OPTIONS", "HEAD"):
                assert led(index, method, path) == tried(routes, method, path), (method, path)
                assert led(index, method, f"{path}/") == tried(routes, method, f"{path}/"), (method, path)


def test_what_is_declared_first_goes_before_what_fits_too():
    index = RouteIndex(declared("/a/{x}", "/a/b", "/c/b", "/c/{x}"))
    assert led(index, "GET", "/a/b") == "/a/{x}"
    assert led(index, "GET", "/c/b") == "/c/b"


def test_a_route_of_any_length_stands_among_those_of_one():
    index = RouteIndex(declared("/a/{x}/first", "/a/{rest:path}", "/a/b/last"))
    assert led(index, "GET", "/a/b/first") == "/a/{x}/first"
    assert led(index, "GET", "/a/b/last") == "/a/{rest:path}"
    assert led(index, "GET", "/a/b/c/d/e") == "/a/{rest:path}"


def test_the_parameters_go_along():
    _, found = RouteIndex(declared("/a/{x}/{y}")).matches(scope("GET", "/a/1/2"))
    assert found["path_params"] == {"x": "1", "y": "2"}


def test_what_it_does_not_know_is_left_to_the_router():
    index = RouteIndex(declared("/a/b"))
    for method, path in (("POST", "/a/b"), ("GET", "/a"), ("GET", "/"), ("GET", ""), ("GET", "a/b")):
        assert led(index, method, path) is None
    assert led(index, "GET", "/a/b", type="websocket") is None
    assert led(index, "GET", "/a/b", root_path="/below") is None, "of which the path says more than the route does"


def test_routes_behind_one_that_may_match_anything_are_left_to_the_router():
    index = RouteIndex(declared("/a/b", "/{any}/d", "/a/d"))
    assert led(index, "GET", "/a/b") == "/a/b"
    assert led(index, "GET", "/a/d") is None


def test_it_has_no_address_of_its_own():
    with pytest.raises(NoMatchFound):
        RouteIndex(declared("/a/b")).url_path_for("/a/b")
