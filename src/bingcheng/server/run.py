"""Running the server in this process: one worker, one workspace, until it is told to stop."""

from __future__ import annotations

import base64
import secrets
import signal
import socket
import sys
import threading
import webbrowser
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import timedelta

import uvicorn
from fastapi import FastAPI

from bingcheng.archive.audit.event import AuditEvent, EventAction, EventOutcome
from bingcheng.archive.audit.event_code import EventCode, EventType
from bingcheng.archive.audit.trail import forget_before, record
from bingcheng.archive.authorisation.role import Role
from bingcheng.archive.people.invitation import let_reset
from bingcheng.archive.people.person import anybody, person_by_login
from bingcheng.core.collector import pass_by_what_is_loaded
from bingcheng.core.errors import InputError, Owner, Problem
from bingcheng.core.wording import Text, text
from bingcheng.server.application import application, open_site
from bingcheng.server.background.services import services
from bingcheng.server.memory import hold_little
from bingcheng.server.security.connections import guarded
from bingcheng.server.settings import Settings
from bingcheng.server.site import Site

STOP_WITHIN_S = 10
KEEP_ALIVE_S = 75
CODE_BYTES = 5

CANT_LISTEN = Problem(
    code="server.cannot-listen",
    says="the server can't listen on {address} ({error})",
    remedy="Choose another --port, or stop the program that uses this one.",
    owner=Owner.OPERATOR,
)
UNUSABLE_TLS = Problem(
    code="server.unusable-tls",
    says="certificate and key can't be used ({error})",
    remedy="Give both tls_certificate and tls_key as PEM files that the server may read.",
    owner=Owner.OPERATOR,
)

NO_SUCH_OPERATOR = Problem(
    code="server.no-such-operator",
    says="no operator of this installation signs in as {login}",
    remedy="Name an operator's account with --new-password; all others get their link from an administrator.",
    owner=Owner.OPERATOR,
)

Tell = Callable[[Text], None]


class Stoppable(uvicorn.Server):
    """A server that ends when it is told to, and leaves what comes after to us.

    Uvicorn would raise the signal once more when it has ended, so that nothing could be written any more.
    """

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Let the signals to stop end the server, and only that."""
        if threading.current_thread() is not threading.main_thread():
            yield
            return
        before = {number: signal.signal(number, self.handle_exit) for number in (signal.SIGINT, signal.SIGTERM)}
        try:
            yield
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)


@dataclass(frozen=True, slots=True, kw_only=True)
class Wishes:
    """What whoever starts the server wants besides its settings.

    Parameters
    ----------
    new_password : the login of an operator, for whom a link is made that sets a new password: no person has the right
        to make one where there is no other operator. Whoever starts the server may read and write its database anyway.
    """

    browser: bool = False
    new_password: str | None = None


def run(settings: Settings, tell: Tell, wishes: Wishes | None = None) -> None:
    """Serve until interrupted; requests that run are finished, what was held back of the audit is written.

    Parameters
    ----------
    tell : says something in the terminal.

    Raises
    ------
    InputError
        ``server.cannot-listen``, ``server.unusable-tls``, ``server.no-such-operator``, and what `application` and
        `services` raise.
    """
    hold_little()
    wanted = wishes or Wishes()
    listening = _listening(settings)
    try:
        where = open_site(settings)
    except BaseException:
        listening.close()
        raise
    try:
        where.owed.begin(where.workspace)
        secret = None if wanted.new_password is None else _new_password(where, wanted.new_password)
        _begin(where)
        made = application(settings, site=where)
        pass_by_what_is_loaded()
        server = Stoppable(configured(made, settings))
        address = address_of(settings, listening)
        with services(where) as running:
            made.state.background, made.state.courier = running.background, running.courier
            _announce(where, address, tell)
            if secret is not None:
                tell(
                    text(
                        "Within 24 hours a new password can be set once, at {link}",
                        link=f"{address}/invitation/{secret}",
                    )
                )
            tell(text("Stop it with Ctrl+C."))
            if wanted.browser:
                webbrowser.open(address)
            server.run(sockets=[listening])
        _end(where)
    finally:
        listening.close()
        where.close()


def address_of(settings: Settings, listening: socket.socket) -> str:
    """The address to type into a browser on this machine, or the public one."""
    if settings.public_url:
        return settings.public_url
    scheme = "https" if settings.tls_certificate else "http"
    host = settings.host if settings.host not in ("0.0.0.0", "::", "") else "127.0.0.1"  # noqa: S104 - compared, not bound
    shown = f"[{host}]" if ":" in host else host
    return f"{scheme}://{shown}:{listening.getsockname()[1]}"


def new_setup_code() -> str:
    """Eight letters that open the first run: 40 random bits, with few tries an hour."""
    letters = base64.b32encode(secrets.token_bytes(CODE_BYTES)).decode("ascii")
    return f"{letters[:4]}-{letters[4:]}"


def _listening(settings: Settings) -> socket.socket:
    # Bound before anything else is begun: a second start on a busy port must not touch the workspace.
    family = socket.AF_INET6 if ":" in settings.host else socket.AF_INET
    made = socket.socket(family, socket.SOCK_STREAM)
    if sys.platform != "win32":
        made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        made.bind((settings.host, settings.port))
    except OSError as error:
        made.close()
        raise InputError(CANT_LISTEN, address=f"{settings.host}:{settings.port}", error=type(error).__name__) from error
    return made


def configured(made: FastAPI, settings: Settings) -> uvicorn.Config:
    """How the program below us serves the application.

    Raises
    ------
    InputError
        ``server.unusable-tls``.
    """
    certificate, key = settings.tls_certificate, settings.tls_key
    if (certificate is None) != (key is None):
        raise InputError(UNUSABLE_TLS, error="one of the two is missing")
    config = uvicorn.Config(
        made,
        http=guarded(settings.trusted_proxies),
        ws="none",
        log_config=None,
        access_log=False,
        server_header=False,
        proxy_headers=bool(settings.trusted_proxies),
        forwarded_allow_ips=list(settings.trusted_proxies),
        timeout_graceful_shutdown=STOP_WITHIN_S,
        timeout_keep_alive=KEEP_ALIVE_S,
        ssl_certfile=certificate,
        ssl_keyfile=key,
    )
    try:
        config.load()
    except OSError as error:  # ssl.SSLError is one too
        raise InputError(UNUSABLE_TLS, error=type(error).__name__) from error
    return config


def _begin(where: Site) -> None:
    settings, now = where.settings, where.now()
    with where.workspace.writing() as connection:
        if not anybody(connection):
            where.setup_code = new_setup_code()
        if settings.audit_days:
            removed = forget_before(connection, now - timedelta(days=settings.audit_days))
            if removed:
                record(connection, _activity(where, EventCode.AUDIT_LOG_USED, None, EventAction.DELETE, removed))
        start = EventType.APPLICATION_START
        record(connection, _activity(where, EventCode.APPLICATION_ACTIVITY, start, EventAction.EXECUTE, 1))


def _end(where: Site) -> None:
    stop = EventType.APPLICATION_STOP
    with where.workspace.writing() as connection:
        record(connection, _activity(where, EventCode.APPLICATION_ACTIVITY, stop, EventAction.EXECUTE, 1))


def _new_password(where: Site, login: str) -> str:
    """The secret of a link by which an operator sets a new password; it stands in the audit trail that it was made."""
    with where.workspace.writing() as connection:
        known = person_by_login(connection, login)
        if known is None or Role.OPERATOR not in known.roles:
            raise InputError(NO_SUCH_OPERATOR, login=login)
        changed = EventType.USER_SECURITY_ATTRIBUTES_CHANGED
        alert = _activity(where, EventCode.SECURITY_ALERT, changed, EventAction.EXECUTE, 1)
        record(connection, replace(alert, subject=f"person/{known.number}/password"))
        return let_reset(connection, known.number, by=None, now=where.now())


def _activity(where: Site, code: EventCode, kind: EventType | None, action: EventAction, count: int) -> AuditEvent:
    return AuditEvent(
        code=code,
        type_code=kind,
        action=action,
        outcome=EventOutcome.SUCCESS,
        at=where.now(),
        what="serve",
        login="bingcheng",
        count=count,
    )


def _announce(where: Site, address: str, tell: Tell) -> None:
    tell(text("Bingcheng serves {workspace} at {address}", workspace=str(where.workspace.folder), address=address))
    if where.setup_code is not None:
        tell(text("Nobody has an account yet. Open {address}/welcome", address=address))
        tell(text("and make the first one with this code: {code}", code=where.setup_code))
    settings = where.settings
    if settings.dicom_port is not None:
        named = {"title": settings.dicom_ae_title, "host": settings.dicom_host, "port": str(settings.dicom_port)}
        tell(text("DICOM service: AE title {title}, {host}:{port}", **named))
