"""Signing in with a password: the same time and the same words, whether the login exists or not."""

from __future__ import annotations

from datetime import datetime

from bingcheng.archive.people.passwords import Passwords
from bingcheng.archive.people.person import Person, password_hash, person_by_login, set_password
from bingcheng.archive.people.problems import WRONG_LOGIN
from bingcheng.archive.people.session import begin_session
from bingcheng.archive.people.throttle import check_throttle, failed, forgive
from bingcheng.archive.workspace import Workspace
from bingcheng.core.errors import RefusedError


def sign_in(
    workspace: Workspace,
    passwords: Passwords,
    *,
    login: str,
    password: str,
    address: str,
    program: str,
    now: datetime,
) -> tuple[Person, str]:
    """The person, and the secret of a new session.

    Raises
    ------
    RefusedError
        ``archive.wrong-login``, ``archive.too-many-failures``.
    """
    with workspace.reading() as connection:
        check_throttle(connection, login, address, now)
        known = person_by_login(connection, login)
        stored = None if known is None or known.disabled else password_hash(connection, known.number)
    # Outside any transaction: comparing takes long on purpose.
    right = passwords.matches(stored, password)
    with workspace.writing() as connection:
        # Once more: many may have tried at the same time while this one was compared.
        check_throttle(connection, login, address, now)
        if not right or known is None:
            failed(connection, login, address, now)
        else:
            forgive(connection, login)
            if stored is not None and passwords.outdated(stored):
                set_password(connection, known.number, passwords.hashed(password))
            return known, begin_session(connection, known.number, now=now, address=address, program=program)
    raise RefusedError(WRONG_LOGIN)
