"""The key of an installation: Ed25519 (RFC 8032), made at first use; the private half never leaves the workspace."""

from __future__ import annotations

import hashlib
import os
import secrets
from dataclasses import dataclass, field
from pathlib import Path

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_pem_private_key,
)

from bingcheng.archive.pairing.problems import UNUSABLE_KEY
from bingcheng.archive.problems import said_plainly
from bingcheng.core.errors import InputError

FILE = "pairing-key.pem"
PUBLIC_BYTES = 32


@dataclass(frozen=True, slots=True, eq=False)
class InstallationKey:
    """The key pair.

    Parameters
    ----------
    private : the private half.
    """

    private: Ed25519PrivateKey = field(repr=False)

    @staticmethod
    def new() -> InstallationKey:
        """A key that nobody had before."""
        return InstallationKey(Ed25519PrivateKey.generate())

    @staticmethod
    def of(folder: Path) -> InstallationKey:
        """The key of the workspace in `folder`, made if there is none.

        Raises
        ------
        InputError
            ``archive.unusable-pairing-key``, ``archive.read-only``, ``archive.disk-full``.
        """
        file = folder / FILE
        with said_plainly():
            if not file.exists():
                _make(file)
            written = file.read_bytes()
        try:
            found = load_pem_private_key(written, None)
        except (ValueError, TypeError) as error:
            raise InputError(UNUSABLE_KEY, file=FILE) from error
        if not isinstance(found, Ed25519PrivateKey):
            raise InputError(UNUSABLE_KEY, file=FILE)
        return InstallationKey(found)

    @property
    def public(self) -> bytes:
        """The public half, 32 bytes."""
        return self.private.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)

    @property
    def identifier(self) -> str:
        """By which the public half is known: see `identifier`."""
        return identifier(self.public)

    def sign(self, message: bytes) -> bytes:
        """The signature of a message, 64 bytes."""
        return self.private.sign(message)


def identifier(public: bytes) -> str:
    """SHA-256 of a public key, 64 hexadecimal digits."""
    return hashlib.sha256(public).hexdigest()


def verified(public: bytes, signature: bytes, message: bytes) -> bool:
    """Whether `signature` is that of `message` by the holder of the private half."""
    try:
        Ed25519PublicKey.from_public_bytes(public).verify(signature, message)
    except (InvalidSignature, ValueError):
        return False
    return True


def _make(file: Path) -> None:
    """Write a new key so that of two processes that do it at once one wins, and no half of a file is ever seen."""
    pem = InstallationKey.new().private.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    draft = file.with_name(f".{FILE}.{secrets.token_hex(4)}")
    handle = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        with os.fdopen(handle, "wb") as stream:
            stream.write(pem)
            stream.flush()
            os.fsync(stream.fileno())
        try:
            os.link(draft, file)
        except FileExistsError:
            return
    finally:
        draft.unlink()
