"""Signing in at a real OpenID Connect provider, and what it must not be able to do."""

from __future__ import annotations

import time

import httpx
import pytest
from joserfc.jwk import OctKey, RSAKey
from tests.server.direct import NO_TLS
from tests.server.security.provider import CLIENT, SECRET, Provider

from bingcheng.archive.audit.event_code import EventCode, EventType
from bingcheng.archive.audit.trail import Asked, events
from bingcheng.archive.authorisation import Role
from bingcheng.archive.people.person import make_person, person_by_login, person_elsewhere, persons, set_rights


@pytest.fixture(scope="module")
def listening():
    provider = Provider()
    yield provider
    provider.close()


@pytest.fixture
def provider(listening):
    fresh = {"sub": "42", "preferred_username": "Li.Na", "name": "李娜", "hospital": "north", "roles": ["arzt"]}
    listening.claims, listening.changes, listening.said_issuer = fresh, {}, None
    listening.signing_key, listening.algorithm = listening.key, "RS256"
    listening.codes.clear()
    return listening


@pytest.fixture
def served(serve, provider):
    return serve(
        oidc={
            "issuer": provider.issuer,
            "client_id": CLIENT,
            "client_secret": SECRET,
            "label": "Hospital login",
            "hospitals": {"north": "N"},
            "roles": {"arzt": "radiologist", "admin": "site-admin"},
            "make_accounts": True,
        }
    )


def to_provider(client, path="/login/oidc"):
    """The address at which the provider sends the browser back."""
    answer = client.get(path)
    assert answer.status_code == 303
    return httpx.get(answer.headers["location"], trust_env=False, verify=NO_TLS).headers["location"]


def sign_in(client, path="/login/oidc"):
    return client.get(to_provider(client, path).removeprefix("http://127.0.0.1:8080"))


def found(served, provider):
    with served.site.workspace.reading() as connection:
        return person_elsewhere(connection, provider.issuer, "42")


def test_each_sign_in_is_in_the_trail_and_each_that_failed(served, provider):
    for _ in range(2):
        sign_in(served.anonymous())
    served.anonymous().get("/login/oidc/back?code=x&state=y")
    provider.changes = {"nonce": "other"}
    sign_in(served.anonymous())
    with served.site.workspace.reading() as connection:
        found_events = [one.event for one in events(connection, Asked())]
    said = [(one.code, one.type_code, one.login, int(one.outcome)) for one in found_events]
    login = (EventCode.USER_AUTHENTICATION, EventType.LOGIN)
    assert said == [(*login, "", 8), (*login, "", 4), (*login, "li.na", 0), (*login, "li.na", 0)]


def test_the_button_is_shown(served):
    assert "Hospital login" in served.anonymous().get("/login?next=/account").text


def test_who_comes_the_first_time_gets_the_account_of_the_claims(served, provider):
    client = served.anonymous()
    answer = sign_in(client, "/login/oidc?next=/account")
    assert (answer.status_code, answer.headers["location"]) == (303, "/account")
    assert client.get("/api/me").json() == {
        "login": "li.na",
        "name": "李娜",
        "hospital": served.north,
        "roles": ["radiologist"],
        "scopes": None,
    }
    known = found(served, provider)
    assert not known.local
    sign_in(served.anonymous())
    with served.site.workspace.reading() as connection:
        assert len([one for one in persons(connection) if one.name == "李娜"]) == 1


def test_the_request_carries_pkce_state_and_nonce_that_differ(served, provider):
    provider.asked.clear()
    for _ in range(2):
        to_provider(served.anonymous())
    first, second = provider.asked
    assert first["code_challenge_method"] == "S256"
    assert all(first[name] != second[name] for name in ("state", "nonce", "code_challenge"))
    assert first["response_type"] == "code"
    assert first["scope"] == "openid profile"


def test_the_answer_to_another_browser_is_refused(served):
    back = to_provider(served.anonymous()).removeprefix("http://127.0.0.1:8080")
    assert served.anonymous().get(back).status_code == 403
    other = served.anonymous()
    to_provider(other)
    answer = other.get(back)
    assert (answer.status_code, answer.json()["code"]) == (403, "server.stale-sign-in")


def test_an_answer_is_used_once(served):
    client = served.anonymous()
    back = to_provider(client).removeprefix("http://127.0.0.1:8080")
    assert client.get(back).status_code == 303
    assert client.get(back).status_code == 403, "the cookie of this attempt is gone"


@pytest.mark.parametrize(
    "changes",
    [
        {"nonce": "other"},
        {"aud": "other"},
        {"iss": "https://other"},
        {"exp": int(time.time()) - 3600},
        {"sub": None},
    ],
)
def test_claims_that_are_not_for_us_are_refused(served, provider, changes):
    provider.changes = changes
    answer = sign_in(served.anonymous())
    assert (answer.status_code, answer.json()["code"]) == (503, "server.provider-failed")


def test_a_foreign_signature_is_refused(served, provider):
    for key, algorithm in ((RSAKey.generate_key(2048), "RS256"), (OctKey.import_key(SECRET * 3), "HS256")):
        provider.signing_key, provider.algorithm = key, algorithm
        assert sign_in(served.anonymous()).status_code == 503, algorithm


def test_a_provider_that_calls_itself_otherwise_is_refused(served, provider):
    provider.said_issuer = "https://evil.example"
    answer = served.anonymous().get("/login/oidc")
    assert (answer.status_code, answer.json()["code"]) == (503, "server.provider-failed")


@pytest.mark.parametrize("changes", [{"roles": ["other"]}, {"roles": None}, {"hospital": "none"}, {"hospital": None}])
def test_claims_that_give_no_right_make_no_account(served, provider, changes):
    provider.claims.update(changes)
    answer = sign_in(served.anonymous())
    assert (answer.status_code, answer.json()["code"]) == (403, "server.not-known-here")
    assert found(served, provider) is None


def test_the_user_name_of_somebody_here_does_not_give_the_account(served, provider):
    provider.claims["preferred_username"] = "site-admin"
    client = served.anonymous()
    assert sign_in(client).status_code == 303
    said = client.get("/api/me").json()
    assert said["login"].startswith("oidc-")
    assert said["roles"] == ["radiologist"]


def test_later_the_rights_are_those_given_here_and_a_shut_account_stays_shut(served, provider):
    sign_in(served.anonymous())
    number = found(served, provider).number
    provider.claims["roles"] = ["admin"]
    client = served.anonymous()
    sign_in(client)
    assert client.get("/api/me").json()["roles"] == ["radiologist"]
    with served.site.workspace.writing() as connection:
        set_rights(connection, number, roles=[Role.RADIOLOGIST], disabled_at=served.clock())
    assert sign_in(served.anonymous()).status_code == 403


def test_without_leave_to_make_accounts_only_known_people_come_in(serve, provider):
    served = serve(oidc={"issuer": provider.issuer, "client_id": CLIENT, "client_secret": SECRET})
    assert sign_in(served.anonymous()).status_code == 403
    with served.site.workspace.writing() as connection:
        make_person(
            connection,
            login="known",
            name="Known",
            hospital=served.north,
            roles=[Role.GUEST],
            now=served.clock(),
            elsewhere=(provider.issuer, "42"),
        )
    assert sign_in(served.anonymous()).status_code == 303


def test_a_provider_that_is_down_is_told(serve):
    served = serve(oidc={"issuer": "http://127.0.0.1:9", "client_id": CLIENT})
    answer = served.anonymous().get("/login/oidc")
    assert (answer.status_code, answer.json()["code"]) == (503, "server.provider-failed")


def test_without_a_provider_there_is_no_such_page(serve):
    served = serve()
    assert served.anonymous().get("/login/oidc").status_code == 404
    with served.site.workspace.reading() as connection:
        assert person_by_login(connection, "li.na") is None


def test_a_damaged_cookie_is_refused(served):
    for cookie in ("", "zz", "5b5d", "5b312c322c332c345d", "ff"):
        client = served.anonymous()
        client.cookies.set("bingcheng-oidc", cookie)
        assert client.get("/login/oidc/back?code=x&state=y").status_code == 403, cookie
