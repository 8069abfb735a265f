"""The key of a project: from it come all new UIDs, pseudonyms and date shifts, the same in every batch.

Without the key nothing can be traced back: all are made by HMAC-SHA-256. New UIDs have the form of PS3.5 B.2 (a UUID of
version 8, RFC 9562): ninety bits from the old UID, thirty-two that only the holder of the key can make, by which
a UID that was replaced before is known again and stays.
"""

from __future__ import annotations

import hashlib
import hmac
import re
import secrets
from base64 import b32encode
from dataclasses import dataclass, field

from bingcheng.archive.deidentify.problems import WEAK_KEY
from bingcheng.core.errors import InputError

LEAST_BYTES = 16
PSEUDONYM_LETTERS = 10
PSEUDONYM = re.compile(rf"P-[A-Z2-7]{{{PSEUDONYM_LETTERS}}}")
MOST_SHIFT_DAYS = 1825
"""Five years back at most: far enough to hide a date, near enough for ages and treatments to stay plausible."""
_LOW62 = (1 << 62) - 1
_TAG_BITS = 32


@dataclass(frozen=True, slots=True)
class Key:
    """The secret of one hospital's or project's pseudonyms.

    Parameters
    ----------
    secret : at least 16 bytes, of which nobody else knows.

    Raises
    ------
    InputError
        ``archive.weak-key``.
    """

    secret: bytes = field(repr=False)

    def __post_init__(self) -> None:
        if len(self.secret) < LEAST_BYTES:
            raise InputError(WEAK_KEY, least=LEAST_BYTES)

    @staticmethod
    def new() -> Key:
        """A key that nobody had before."""
        return Key(secrets.token_bytes(32))

    def _digest(self, purpose: bytes, words: bytes) -> bytes:
        return hmac.digest(self.secret, purpose + b"\0" + words, hashlib.sha256)

    def new_uid(self, uid: str) -> str:
        """The UID that stands for `uid`; one of this key's own stays."""
        if self.made(uid):
            return uid
        body = int.from_bytes(self._digest(b"uid", uid.encode()), "big") >> 166
        return f"2.25.{_as_uuid(body << _TAG_BITS | self._mark(body))}"

    def made(self, uid: str) -> bool:
        """Whether a UID came from this key."""
        if not uid.startswith("2.25.") or not uid[5:].isascii() or not uid[5:].isdecimal() or len(uid) > 44:
            return False
        number = int(uid[5:])
        if number >> 128 or number >> 76 & 0xF != 8 or number >> 62 & 3 != 2:
            return False
        bits = number >> 80 << 74 | (number >> 64 & 0xFFF) << 62 | number & _LOW62
        return self._mark(bits >> _TAG_BITS) == bits & 0xFFFFFFFF

    def _mark(self, body: int) -> int:
        return int.from_bytes(self._digest(b"mark", body.to_bytes(12, "big"))[:4], "big")

    def pseudonym(self, whose: str) -> str:
        """The name and number by which a person goes outside."""
        return f"P-{b32encode(self._digest(b'patient', whose.encode()))[:PSEUDONYM_LETTERS].decode('ascii')}"

    def shift_days(self, whose: str, *, whole_weeks: bool = False) -> int:
        """By how many days all dates of a person move back, 1 to 1825; a multiple of seven keeps the weekday."""
        number = int.from_bytes(self._digest(b"dates", whose.encode())[:8], "big")
        if whole_weeks:
            return 7 * (1 + number % (MOST_SHIFT_DAYS // 7))
        return 1 + number % MOST_SHIFT_DAYS

    def sealing(self) -> bytes:
        """The key by which originals are encrypted in the key table, 32 bytes."""
        return self._digest(b"seal", b"")


def _as_uuid(bits: int) -> int:
    """122 bits laid out as a UUID of version 8 and variant 2 (RFC 9562 5.8)."""
    return bits >> 74 << 80 | 8 << 76 | (bits >> 62 & 0xFFF) << 64 | 2 << 62 | bits & _LOW62
