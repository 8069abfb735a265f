"""A public key as people read it to each other over the telephone: eight groups of five digits, in every language.

Each group is five bytes of a SHA-512 of the key modulo 100000, which leaves 132 bits: nobody finds a second key with
the same groups.
"""

from __future__ import annotations

import hashlib
import hmac
import unicodedata

GROUPS, DIGITS = 8, 5


def fingerprint(public: bytes) -> str:
    """The groups, parted by spaces."""
    digest = hashlib.sha512(b"bingcheng pairing fingerprint\0" + public).digest()
    numbers = (int.from_bytes(digest[5 * n : 5 * n + 5], "big") % 10**DIGITS for n in range(GROUPS))
    return " ".join(f"{number:0{DIGITS}}" for number in numbers)


def same_fingerprint(typed: str, public: bytes) -> bool:
    """Whether what a person typed is the fingerprint, however it is spaced, and in whichever digits."""
    digits = "".join(str(unicodedata.digit(one)) for one in typed if one.isdigit())
    return hmac.compare_digest(digits.encode(), fingerprint(public).replace(" ", "").encode())
