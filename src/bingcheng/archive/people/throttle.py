"""Slowing down who guesses passwords: per login and per address, whether or not the login exists."""

from __future__ import annotations

import math
from datetime import datetime, timedelta

from sqlalchemy import Connection, delete, func, insert, select

from bingcheng.archive.people import tables
from bingcheng.archive.people.problems import TOO_MANY_FAILURES
from bingcheng.archive.people.secret import digest_of
from bingcheng.core.errors import RefusedError

REMEMBERED = timedelta(hours=1)
FREE_PER_LOGIN, FREE_PER_ADDRESS = 5, 30
"""Failures within the hour that cost nothing. Behind one address may sit a whole department."""
FIRST_WAIT, LONGEST_WAIT = timedelta(minutes=1), timedelta(minutes=30)


def check_throttle(connection: Connection, login: str, address: str, now: datetime) -> None:
    """Raise while signing in must wait. Each failure beyond the free ones doubles the wait.

    Raises
    ------
    RefusedError
        ``archive.too-many-failures``.
    """
    table = tables.login_failure.c
    keys = ((table.login, digest_of(_folded(login)), FREE_PER_LOGIN), (table.address, address[:64], FREE_PER_ADDRESS))
    for column, value, free in keys:
        count, last = connection.execute(
            select(func.count(), func.max(table.at)).where(column == value, table.at > now - REMEMBERED)
        ).one()
        if count < free:
            continue
        wait = min(FIRST_WAIT * 2 ** min(count - free, 10), LONGEST_WAIT)
        left = last + wait - now
        if left > timedelta(0):
            raise RefusedError(TOO_MANY_FAILURES, minutes=math.ceil(left / timedelta(minutes=1)))


def failed(connection: Connection, login: str, address: str, now: datetime) -> None:
    """Keep that signing in failed."""
    table = tables.login_failure
    connection.execute(delete(table).where(table.c.at < now - REMEMBERED))
    connection.execute(insert(table), {"login": digest_of(_folded(login)), "address": address[:64], "at": now})


def forgive(connection: Connection, login: str) -> None:
    """Forget the failures of a login: its person proved who it is. Those of the address stay."""
    table = tables.login_failure
    connection.execute(delete(table).where(table.c.login == digest_of(_folded(login))))


def _folded(login: str) -> str:
    return login.strip().lower()
