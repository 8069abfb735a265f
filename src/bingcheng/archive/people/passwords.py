"""Passwords: which are good enough, and their argon2id hashes (RFC 9106)."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from importlib.resources import files
from threading import BoundedSemaphore

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from bingcheng.archive.people.problems import EASY_PASSWORD, LONG_PASSWORD, SHORT_PASSWORD, TOO_MANY_SIGN_INS
from bingcheng.archive.people.secret import new_secret
from bingcheng.core.errors import InputError, RemoteError

SHORTEST = 12
LONGEST = 256
"""More than anybody types; a bound, as hashing takes time for each byte."""
FEWEST_KINDS = 5
"""Different characters below which a password is a pattern."""
LIKE_LOGIN = 4
"""Letters of the login that a password may not contain; shorter logins occur in too many words."""
MEMORY_KIB, PASSES = 19 * 1024, 2
"""The smallest setting that OWASP's Password Storage Cheat Sheet recommends for argon2id (19 MiB, 2 passes, 1 lane)."""

MOST_WAITING = 8
"""Who waits for a turn holds a thread of the server. Beyond these few one is told to come again: whoever sends a
thousand passwords at once must not keep the pages from everybody else."""


class Passwords:
    """Hashes passwords and compares them; few at a time, as each takes 19 MiB.

    Both raise `RemoteError` (``archive.too-many-sign-ins``) while too many wait for their turn.
    """

    def __init__(self, *, at_once: int = 2) -> None:
        self._hasher = PasswordHasher(time_cost=PASSES, memory_cost=MEMORY_KIB, parallelism=1)
        self._room = BoundedSemaphore(at_once)
        self._waiting = BoundedSemaphore(at_once + MOST_WAITING)
        self._nobodys = self._hasher.hash(new_secret())

    def hashed(self, password: str) -> str:
        """The hash of a password, with its salt and settings."""
        with self._turn():
            return self._hasher.hash(_normal(password))

    def matches(self, stored: str | None, password: str) -> bool:
        """Whether `password` is the one of the hash `stored`; takes as long where there is none."""
        with self._turn():
            try:
                right = self._hasher.verify(self._nobodys if stored is None else stored, _normal(password)[:LONGEST])
            except (VerificationError, InvalidHashError):
                return False
        return stored is not None and right

    @contextmanager
    def _turn(self) -> Iterator[None]:
        if not self._waiting.acquire(blocking=False):
            raise RemoteError(TOO_MANY_SIGN_INS)
        try:
            with self._room:
                yield
        finally:
            self._waiting.release()

    def outdated(self, stored: str) -> bool:
        """Whether a hash was made with other settings than today's."""
        return self._hasher.check_needs_rehash(stored)


def check_password(password: str, login: str) -> None:
    """Raise unless `password` is good enough for the person who signs in as `login`.

    Length decides, not a mixture of characters (NIST SP 800-63B, 5.1.1.2); what is easily guessed is refused.

    Raises
    ------
    InputError
        ``archive.short-password``, ``archive.long-password``, ``archive.easy-password``.
    """
    normal = _normal(password)
    if len(normal) < SHORTEST:
        raise InputError(SHORT_PASSWORD, count=SHORTEST)
    if len(normal) > LONGEST:
        raise InputError(LONG_PASSWORD, count=LONGEST)
    folded = normal.casefold()
    name = login.partition("@")[0].casefold()
    contains_login = len(name) >= LIKE_LOGIN and name in folded
    if contains_login or len(set(folded)) < FEWEST_KINDS or _bare(folded) in _common():
        raise InputError(EASY_PASSWORD)


def _normal(password: str) -> str:
    # The same characters typed on another keyboard (NIST SP 800-63B, 5.1.1.2); halves of characters hash as a mark.
    return unicodedata.normalize("NFKC", password).encode("utf-8", "replace").decode("utf-8")


def _bare(password: str) -> str:
    """A password without what people put around a common one: digits and signs at its ends."""
    return password.strip("0123456789!@#$%^&*().,-_+=?~ ") or password


@cache
def _common() -> frozenset[str]:
    lines = (files("bingcheng.archive.people") / "common_passwords.txt").read_text(encoding="utf-8").split()
    return frozenset(lines)
