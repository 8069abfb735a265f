"""Passwords whose hashes are quick to make: for tests of what is done with passwords, not of how well they are kept."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache

import pytest

from bingcheng.archive.people import passwords
from bingcheng.archive.people.passwords import Passwords


@contextmanager
def quick_hashing() -> Iterator[None]:
    """All `Passwords` that are made within are quick."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(passwords, "MEMORY_KIB", 64)
        patch.setattr(passwords, "PASSES", 1)
        yield


@cache
def quick_passwords() -> Passwords:
    """A thousandth of the usual work."""
    with quick_hashing():
        return Passwords()
