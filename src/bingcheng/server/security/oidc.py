"""Signing in at an OpenID Connect provider: code flow with PKCE, state and nonce (OpenID Connect Core 1.0, 3.1).

Authlib makes the requests and checks the signature; what a person may do here follows from the settings' mapping of
claims and from nothing that a browser can send.
"""

from __future__ import annotations

import hmac
import json
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from threading import BoundedSemaphore
from typing import TYPE_CHECKING, Annotated, Any

from fastapi import APIRouter, Depends, Query, Request
from sqlalchemy import Connection
from starlette.responses import RedirectResponse, Response

from bingcheng.archive.audit.event import EventAction
from bingcheng.archive.audit.event_code import EventCode, EventType
from bingcheng.archive.authorisation.role import Role
from bingcheng.archive.people.hospital import hospitals
from bingcheng.archive.people.person import LOGIN, make_person, person, person_by_login, person_elsewhere
from bingcheng.archive.people.secret import digest_of, new_secret
from bingcheng.archive.people.session import begin_session
from bingcheng.core.errors import InputError, Owner, Problem, RefusedError, RemoteError
from bingcheng.server.pages.address import public_address
from bingcheng.server.pages.login import begin
from bingcheng.server.pages.next_page import own_path
from bingcheng.server.security.cookies import cookie_name, is_secure, set_session
from bingcheng.server.security.problems import NO_SUCH_PAGE
from bingcheng.server.security.recorder import client_address
from bingcheng.server.security.required import public
from bingcheng.server.security.traced import traced
from bingcheng.server.settings import OidcSettings
from bingcheng.server.site import Site, site

if TYPE_CHECKING:
    from authlib.integrations.httpx_client import OAuth2Client  # type: ignore[import-untyped]

PROVIDER_FAILED = Problem(
    code="server.provider-failed",
    says="the provider where you sign in did not answer as it should ({error})",
    remedy="Try again in a moment; if it persists, tell the operator.",
    owner=Owner.OPERATOR,
)
NOT_KNOWN_HERE = Problem(
    code="server.not-known-here",
    says="the provider knows you, but you have no account here that goes with it",
    remedy="Ask the administrator of your hospital for an account.",
    owner=Owner.OPERATOR,
)
STALE_SIGN_IN = Problem(
    code="server.stale-sign-in",
    says="signing in took too long, or was begun in another browser",
    remedy="Begin again.",
    owner=Owner.OPERATOR,
)

COOKIE = "bingcheng-oidc"
AGE_S = 600
TIMEOUT_S = 10.0
AT_ONCE = 8
"""Requests to the provider at the same time: while it does not answer, each holds a thread of this server."""
LONGEST_COOKIE = 8192
WHY = "signing in at the provider"

router = APIRouter(include_in_schema=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Begun:
    """What the browser keeps between leaving for the provider and coming back."""

    state: str
    nonce: str
    verifier: str
    to: str


@router.get("/login/oidc", dependencies=[public(why=WHY)])
def leave(request: Request, where: Annotated[Site, Depends(site)], next: str = "/") -> Response:  # noqa: A002 - the name in the address
    """Send the browser to the provider."""
    settings = _settings(where)
    begun = Begun(state=new_secret(), nonce=new_secret(), verifier=new_secret(), to=own_path(next))
    with _turn(request), _client(settings, request) as client:
        endpoint = _metadata(client, settings)["authorization_endpoint"]
        address, _ = client.create_authorization_url(
            endpoint, state=begun.state, nonce=begun.nonce, code_verifier=begun.verifier
        )
    response = RedirectResponse(address, 303)
    secure = is_secure(request)
    content = json.dumps([begun.state, begun.nonce, begun.verifier, begun.to])
    response.set_cookie(
        cookie_name(COOKIE, secure=secure),
        content.encode().hex(),
        max_age=AGE_S,
        path="/",
        secure=secure,
        httponly=True,
        samesite="lax",
    )
    return response


@router.get("/login/oidc/back", dependencies=[public(why=WHY)])
def come_back(
    request: Request,
    where: Annotated[Site, Depends(site)],
    code: Annotated[str, Query(max_length=4000)] = "",
    state: Annotated[str, Query(max_length=400)] = "",
) -> Response:
    """Take the provider's answer: check it, find or make the account, begin a session."""
    trace = traced(request)
    trace.code, trace.type_code, trace.event_action = (
        EventCode.USER_AUTHENTICATION,
        EventType.LOGIN,
        EventAction.EXECUTE,
    )
    settings, begun = _settings(where), _begun(request)
    if begun is None or not code or not hmac.compare_digest(begun.state.encode(), state.encode()):
        raise RefusedError(STALE_SIGN_IN)
    claims = _claims(settings, request, code, begun)
    now = where.now()
    with where.workspace.writing() as connection:
        known = person(connection, person_of(connection, settings, claims, now))
        if known.disabled:
            raise RefusedError(NOT_KNOWN_HERE)
        secret = begin_session(
            connection,
            known.number,
            now=now,
            address=client_address(request),
            program=request.headers.get("user-agent", ""),
        )
    begin(request, known)
    where.believed.forget()
    response = RedirectResponse(begun.to, 303)
    response.delete_cookie(cookie_name(COOKIE, secure=is_secure(request)), path="/")
    set_session(request, response, secret)
    return response


def person_of(connection: Connection, settings: OidcSettings, claims: dict[str, Any], now: datetime) -> int:
    """The number of the person whom the provider's claims mean; the account is made if the settings say so.

    The provider's own pair of issuer and subject names the person. A login alone doesn't: who can choose a user name
    at the provider must not get the account of somebody here.

    Raises
    ------
    RefusedError
        ``server.not-known-here``.
    """
    issuer, subject = str(claims["iss"]), str(claims["sub"])
    known = person_elsewhere(connection, issuer, subject)
    if known is not None:
        return known.number
    if not settings.make_accounts:
        raise RefusedError(NOT_KNOWN_HERE)
    roles = roles_of(settings, claims)
    place = hospital_of(connection, settings, claims)
    login = _free_login(connection, str(claims.get(settings.login_claim) or ""), issuer, subject)
    try:
        return make_person(
            connection,
            login=login,
            name=str(claims.get(settings.name_claim) or login),
            hospital=place,
            roles=roles,
            now=now,
            elsewhere=(issuer, subject),
        )
    except InputError as error:
        raise RefusedError(NOT_KNOWN_HERE) from error


def roles_of(settings: OidcSettings, claims: dict[str, Any]) -> frozenset[Role]:
    """The roles that the claims give, by the settings' mapping; a value that is not in it gives none."""
    values = claims.get(settings.roles_claim)
    several = values if isinstance(values, list) else [values]
    return frozenset(settings.roles[value] for value in several if isinstance(value, str) and value in settings.roles)


def hospital_of(connection: Connection, settings: OidcSettings, claims: dict[str, Any]) -> int | None:
    """The hospital that the claims name, by its short name here; None for none."""
    value = claims.get(settings.hospital_claim)
    if not isinstance(value, str):
        return None
    code = settings.hospitals.get(value, value).lower()
    return next((one.number for one in hospitals(connection) if one.code.lower() == code), None)


def _free_login(connection: Connection, wish: str, issuer: str, subject: str) -> str:
    login = wish.strip().lower()
    if LOGIN.fullmatch(login) and person_by_login(connection, login) is None:
        return login
    return f"oidc-{digest_of(f'{issuer} {subject}')[:12]}"


def _settings(where: Site) -> OidcSettings:
    if where.settings.oidc is None:
        raise InputError(NO_SUCH_PAGE)
    return where.settings.oidc


@contextmanager
def _turn(request: Request) -> Iterator[None]:
    """A turn to speak to the provider; who comes while all are taken is told to try again.

    Raises
    ------
    RemoteError
        ``server.provider-failed``.
    """
    state = request.app.state
    if not hasattr(state, "provider_turns"):
        state.provider_turns = BoundedSemaphore(AT_ONCE)
    turns: BoundedSemaphore = state.provider_turns
    if not turns.acquire(blocking=False):
        raise RemoteError(PROVIDER_FAILED, error="busy")
    try:
        yield
    finally:
        turns.release()


def _client(settings: OidcSettings, request: Request) -> OAuth2Client:
    client = _client_class()
    secret = None if settings.client_secret is None else settings.client_secret.get_secret_value()
    made: OAuth2Client = client(
        settings.client_id,
        secret,
        scope=settings.scopes,
        redirect_uri=f"{public_address(request)}/login/oidc/back",
        code_challenge_method="S256",
        token_endpoint_auth_method="none" if secret is None else "client_secret_basic",
        timeout=TIMEOUT_S,
        trust_env=False,
    )
    return made


def _client_class() -> Any:
    with warnings.catch_warnings():
        import authlib.deprecate  # type: ignore[import-untyped]  # noqa: F401, PLC0415 - it sets filters when imported

        # It asks whoever starts a server to install another HTTP client; that is for those who pin requirements.
        warnings.simplefilter("ignore")
        from authlib.integrations.httpx_client import OAuth2Client  # noqa: PLC0415 - needed only with a provider
    return OAuth2Client


def _http_error() -> type[Exception]:
    """What the HTTP client raises that Authlib uses: the newer one where it is installed."""
    try:
        from httpx2 import HTTPError  # type: ignore[import-not-found]  # noqa: PLC0415
    except ImportError:
        from httpx import HTTPError  # noqa: PLC0415
    found: type[Exception] = HTTPError
    return found


def _metadata(client: OAuth2Client, settings: OidcSettings) -> dict[str, Any]:
    """The provider's discovery document (OpenID Connect Discovery 1.0, 4)."""
    try:
        answer = client.request(
            "GET", f"{settings.issuer.rstrip('/')}/.well-known/openid-configuration", withhold_token=True
        )
        answer.raise_for_status()
        found: dict[str, Any] = answer.json()
    except (_http_error(), ValueError) as error:
        raise RemoteError(PROVIDER_FAILED, error=type(error).__name__) from error
    if found.get("issuer") != settings.issuer:
        raise RemoteError(PROVIDER_FAILED, error="issuer")
    return found


def _claims(settings: OidcSettings, request: Request, code: str, begun: Begun) -> dict[str, Any]:
    """The claims of the ID token, after its signature, issuer, audience, times and nonce were checked."""
    from authlib.common.errors import AuthlibBaseError  # type: ignore[import-untyped]  # noqa: PLC0415
    from joserfc import jwt  # noqa: PLC0415
    from joserfc.errors import JoseError  # noqa: PLC0415
    from joserfc.jwk import KeySet  # noqa: PLC0415

    with _turn(request), _client(settings, request) as client:
        metadata = _metadata(client, settings)
        try:
            token = client.fetch_token(metadata["token_endpoint"], code=code, code_verifier=begun.verifier)
            keys = client.request("GET", metadata["jwks_uri"], withhold_token=True)
            keys.raise_for_status()
            decoded = jwt.decode(token["id_token"], KeySet.import_key_set(keys.json()), algorithms=SIGNATURES)
            jwt.JWTClaimsRegistry(
                leeway=60,
                iss={"essential": True, "value": settings.issuer},
                aud={"essential": True, "value": settings.client_id},
                exp={"essential": True},
                sub={"essential": True},
                nonce={"essential": True, "value": begun.nonce},
            ).validate(decoded.claims)
        except (_http_error(), AuthlibBaseError, JoseError, KeyError, ValueError) as error:
            raise RemoteError(PROVIDER_FAILED, error=type(error).__name__) from error
    claims: dict[str, Any] = dict(decoded.claims)
    return claims


SIGNATURES = ["RS256", "PS256", "ES256", "EdDSA"]
"""Public-key signatures only: with a shared secret or none, whoever knows the client could sign (RFC 8725, 3.1)."""


def _begun(request: Request) -> Begun | None:
    kept = request.cookies.get(cookie_name(COOKIE, secure=is_secure(request)), "")
    try:
        state, nonce, verifier, to = json.loads(bytes.fromhex(kept[:LONGEST_COOKIE]).decode())
    except (ValueError, TypeError, RecursionError):
        return None
    if not all(isinstance(part, str) and part for part in (state, nonce, verifier, to)):
        return None
    return Begun(state=state, nonce=nonce, verifier=verifier, to=own_path(to))
