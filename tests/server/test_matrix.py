"""Roles x routes x ownership, from the routing table: whatever route is added is tested, and denied by default."""

from __future__ import annotations

import itertools
from typing import cast

import pytest
from tests.server.conftest import serving
from tests.server.every_route import Callers, hold
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


IN_HOSPITALS = [role for role in Role if role not in (Role.PROVINCE, Role.OPERATOR)]


SINGLE = [one for one in GUARDED if "{" in one[1].path]
CHANGING = [one for one in GUARDED if one[0] not in SAFE]


@pytest.fixture(scope="module")
def installation(tmp_path_factory):
    made = serving(tmp_path_factory.mktemp("matrix") / "workspace", language="en")
    yield made
    made.close()


@pytest.fixture
def served(installation):
    prepare(installation)
    return installation


@pytest.fixture
def callers(served):
    return Callers(served)


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


def restored(served, method: str) -> None:
    """What the examples speak of is there again after a request that may have taken it away."""
    if method not in SAFE:
        prepare(served)


def test_every_parameter_of_a_path_has_an_example():
    lacking = {route.path: without_example(route.path) for _, route in ROUTES if without_example(route.path)}
    assert lacking == {}, "tell tests/server/examples.py what these stand for"


def test_a_public_route_says_why_and_lets_everybody_in(served):
    def holds(method, route):
        assert route.guard.why.strip()
        answer = ask(served.anonymous(), method, address(served, route.path))
        if method in SAFE:
            assert not refused(answer)
        else:
            assert answer.status_code == 403, "no token of a form"

    hold(PUBLIC, holds)


@pytest.mark.slow
def test_a_guarded_route_lets_in_only_whom_the_table_names(served, callers):
    def holds(method, route):
        path = address(served, route.path)
        assert ask(served.anonymous(), method, path).status_code == 401
        for role in Role:
            answer = ask(callers.of(role), method, path)
            assert answer.status_code < 500, (role, answer.text)
            if not expected(route, role):
                assert answer.status_code == 403, role
                assert answer.json()["code"] == "archive.not-allowed"
            elif answer.status_code == 403:
                # The row was refused (a person whose roles can't all be given); never for want of the right itself.
                assert route.path.startswith("/admin/people/"), role
        restored(served, method)

    hold(GUARDED, holds)


@pytest.mark.slow
def test_what_belongs_to_another_hospital_is_as_if_it_were_not_there(served, callers):
    def holds(method, route):
        path, absent = address(served, route.path), address(served, route.path, absent=True)
        for role in IN_HOSPITALS:
            client = callers.of(f"other-{role}")
            foreign, nothing = ask(client, method, path), ask(client, method, absent)
            assert foreign.status_code == nothing.status_code, role
            assert foreign.text.replace(path, "") == nothing.text.replace(absent, ""), role
        restored(served, method)

    hold(SINGLE, holds)


@pytest.mark.slow
def test_a_token_may_only_what_its_scopes_say(served, callers):
    def holds(method, route):
        path = address(served, route.path)
        for role, scope in itertools.product((Role.RADIOLOGIST, Role.SITE_ADMIN), Scope):
            answer = ask(callers.of(role, scope), method, path)
            if expected(route, role, [scope]):
                assert not refused(answer), (role, scope, answer.text)
            else:
                assert answer.status_code == 403, (role, scope)
        restored(served, method)

    hold(GUARDED, holds)


def test_what_changes_something_needs_the_token_of_a_form(served):
    def holds(method, route):
        path = address(served, route.path)
        role = next(role for role in Role if expected(route, role))
        client = served.browser(role)
        for wrong in ("", "0" * 64):
            client.headers["x-csrf-token"] = wrong
            answer = ask(client, method, path)
            assert answer.status_code == 403
            assert answer.json()["code"] == "server.wrong-form"

    hold(CHANGING, holds)
