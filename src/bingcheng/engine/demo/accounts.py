"""People for the invented hospitals, so that the platform can be tried without setting it up first."""

from __future__ import annotations

import os
import secrets
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from bingcheng.archive.authorisation.role import Role
from bingcheng.archive.people.hospital import hospitals, make_hospital
from bingcheng.archive.people.passwords import Passwords
from bingcheng.archive.people.person import make_person
from bingcheng.archive.workspace import Workspace
from bingcheng.engine.demo.stories import BAIHE, LONGTAN, YUNMEN

CODES = {BAIHE: "baihe", YUNMEN: "yunmen", LONGTAN: "longtan"}
ACCOUNT_FILE = "accounts.txt"
AT_A_HOSPITAL = (Role.RADIOLOGIST, Role.TECHNOLOGIST, Role.PHYSICIST, Role.SITE_ADMIN, Role.GUEST)
ABOVE = (Role.PROVINCE, Role.OPERATOR)


@dataclass(frozen=True, slots=True, kw_only=True)
class Account:
    """Somebody invented who may sign in."""

    login: str
    password: str
    role: Role
    hospital: str | None


def make_accounts(workspace: Workspace, now: datetime) -> tuple[Account, ...]:
    """Make the hospitals of the demo with one person a role; empty if the workspace has hospitals already.

    Each has a password of its own, made now: a demo that somebody leaves open is no open door.
    """
    with workspace.reading() as connection:
        if hospitals(connection):
            return ()
    wanted = [
        *((f"{role.value}.{code}", role, name) for name, code in CODES.items() for role in AT_A_HOSPITAL),
        *((role.value, role, None) for role in ABOVE),
    ]
    accounts = tuple(
        Account(login=login, password=secrets.token_urlsafe(12), role=role, hospital=name)
        for login, role, name in wanted
    )
    passwords = Passwords()
    hashes = [passwords.hashed(account.password) for account in accounts]
    with workspace.writing() as connection:
        numbers = {
            name: make_hospital(connection, name=name, code=code.upper(), now=now, spellings=[name])
            for name, code in CODES.items()
        }
        for account, hashed in zip(accounts, hashes, strict=True):
            make_person(
                connection,
                login=account.login,
                name=account.login,
                hospital=None if account.hospital is None else numbers[account.hospital],
                roles=[account.role],
                now=now,
                password_hash=hashed,
            )
    return accounts


def write_accounts(accounts: tuple[Account, ...], folder: Path) -> Path:
    """Write logins and passwords into a file that only its owner can read; returns it."""
    path = folder / ACCOUNT_FILE
    widest = max(len(account.login) for account in accounts)
    lines = (f"{one.login:<{widest}}  {one.password}  {one.hospital or ''}".rstrip() for one in accounts)
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        file.write("\n".join(lines) + "\n")
    return path
