"""Roles x routes x ownership, from the routing table: whatever route is added is tested, and denied by default."""

from __future__ import annotations

import itertools
from typing import cast

import pytest
from tests.server.conftest import serving
from tests.server.examples import address, prepare, without_example

from bingcheng.archive.authorisation import RIGHTS, SCOPE_ACTIONS, Role, Scope
from bingcheng.server.application import application
from bingcheng.server.security.csrf import SAFE
from bingcheng.server.security.guards import GuardedRoute, guarded_routes
from bingcheng.server.security.required import Public, Required
from bingcheng.server.settings import Settings
from bingcheng.server.site import Site

ROUTES = tuple(
    itertools.chain.from_iterable(
        ((method, route) for method in sorted(route.methods - {"HEAD", "OPTIONS"}))
        for route in guarded_routes(application(Settings(), site=cast("Site", None)))
    )
)
GUARDED = [one for one in ROUTES if isinstance(one[1].guard, Required)]
PUBLIC = [one for one in ROUTES if isinstance(one[1].guard, Public)]


def named(routes):
    return [f"{method} {route.path}" for method, route in routes]


IN_HOSPITALS = [role for role in Role if role not in (Role.PROVINCE, Role.OPERATOR)]


SINGLE = [one for one in GUARDED if "{" in one[1].path]
CHANGING = [one for one in GUARDED if one[0] not in SAFE]


@pytest.fixture(scope="module")
def installation(tmp_path_factory):
    made = serving(tmp_path_factory.mktemp("matrix") / "workspace", language="en")
    yield made
    made.site.close()


@pytest.fixture
def served(installation):
    prepare(installation)
    return installation


def expected(route: GuardedRoute, role: Role, scopes=None) -> bool:
    """Whether the table of rights lets the role through the route's guard; written anew here, from the table alone."""
    wanted = set(route.guard.actions)
    if scopes is not None:
        wanted &= set().union(*(SCOPE_ACTIONS[scope] for scope in scopes))
    return bool(wanted & RIGHTS[role].keys())


def ask(client, method: str, path: str, **more):
    return client.request(method, path, headers={"accept": "application/json"}, **more)


def refused(answer) -> bool:
    return answer.status_code in (401, 403)


def test_the_table_of_routes_is_not_empty():
    assert len(GUARDED) > 20
    assert len(PUBLIC) > 5


@pytest.mark.parametrize(("method", "route"), ROUTES, ids=named(ROUTES))
def test_every_parameter_of_a_path_has_an_example(method, route):
    assert without_example(route.path) == [], "tell tests/server/examples.py what this stands for"


@pytest.mark.parametrize(("method", "route"), PUBLIC, ids=named(PUBLIC))
def test_a_public_route_says_why_and_lets_everybody_in(served, method, route):
    assert route.guard.why.strip()
    if method in SAFE:
        assert not refused(ask(served.anonymous(), method, address(served, route.path)))
    else:
        assert ask(served.anonymous(), method, address(served, route.path)).status_code == 403, "no token of a form"


@pytest.mark.parametrize(("method", "route"), GUARDED, ids=named(GUARDED))
def test_a_guarded_route_lets_in_only_whom_the_table_names(served, method, route):
    path = address(served, route.path)
    assert ask(served.anonymous(), method, path).status_code == 401
    for role in Role:
        answer = ask(served.browser(role), method, path)
        assert answer.status_code < 500, (role, answer.text)
        if not expected(route, role):
            assert answer.status_code == 403, role
            assert answer.json()["code"] == "archive.not-allowed"
        elif answer.status_code == 403:
            # The row was refused (a person whose roles can't all be given); never for want of the right itself.
            assert route.path.startswith("/admin/people/"), role


@pytest.mark.parametrize(("method", "route"), SINGLE, ids=named(SINGLE))
def test_what_belongs_to_another_hospital_is_as_if_it_were_not_there(served, method, route):
    path, absent = address(served, route.path), address(served, route.path, absent=True)
    for role in IN_HOSPITALS:
        client = served.browser(f"other-{role}")
        foreign, nothing = ask(client, method, path), ask(client, method, absent)
        assert foreign.status_code == nothing.status_code, role
        assert foreign.text.replace(path, "") == nothing.text.replace(absent, ""), role


@pytest.mark.parametrize(("method", "route"), GUARDED, ids=named(GUARDED))
def test_a_token_may_only_what_its_scopes_say(served, method, route):
    path = address(served, route.path)
    for role, scope in itertools.product((Role.RADIOLOGIST, Role.SITE_ADMIN), Scope):
        answer = ask(served.program(role, scope), method, path)
        if expected(route, role, [scope]):
            assert not refused(answer), (role, scope, answer.text)
        else:
            assert answer.status_code == 403, (role, scope)


@pytest.mark.parametrize(
    ("method", "route"),
    CHANGING,
    ids=named(CHANGING),
)
def test_what_changes_something_needs_the_token_of_a_form(served, method, route):
    path = address(served, route.path)
    role = next(role for role in Role if expected(route, role))
    client = served.browser(role)
    for wrong in ("", "0" * 64):
        client.headers["x-csrf-token"] = wrong
        answer = ask(client, method, path)
        assert answer.status_code == 403
        assert answer.json()["code"] == "server.wrong-form"
