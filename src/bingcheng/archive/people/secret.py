"""Secrets that are shown once: 256 random bits, of which only the digest is kept.

A digest without salt and stretching is enough for a random secret of this length: it can't be guessed.
"""

from __future__ import annotations

import hashlib
import secrets

BYTES = 32


def new_secret() -> str:
    """256 random bits, in characters that a link may hold."""
    return secrets.token_urlsafe(BYTES)


def digest_of(secret: str) -> str:
    """SHA-256 of a secret, in hexadecimal digits."""
    return hashlib.sha256(secret.encode("utf-8", "replace")).hexdigest()
