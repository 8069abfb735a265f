"""The pairing card: what an installation is called, where it is reached, and its public key; given out of band.

It is signed by its own key, so that whoever changes address or name on its way must change the key too, and with it
the fingerprint that people compare.
"""

from __future__ import annotations

import binascii
import json
from base64 import urlsafe_b64decode, urlsafe_b64encode
from dataclasses import dataclass
from urllib.parse import urlsplit

from bingcheng.archive.codec import storable
from bingcheng.archive.pairing.key import PUBLIC_BYTES, InstallationKey, verified
from bingcheng.archive.pairing.problems import WRONG_CARD, WRONG_PEER_ADDRESS
from bingcheng.core.errors import InputError
from bingcheng.core.wording import Text, text

HEAD = "bingcheng-pairing-1:"
LONGEST, LONGEST_NAME, LONGEST_ADDRESS = 4096, 100, 500
SIGNATURE_BYTES = 64


@dataclass(frozen=True, slots=True, kw_only=True)
class PairingCard:
    """One installation as another one knows it.

    Parameters
    ----------
    name : what it calls itself.
    address : by which its server is reached, without a slash at the end.
    public : its public key, 32 bytes.
    """

    name: str
    address: str
    public: bytes

    def as_text(self, key: InstallationKey) -> str:
        """The card as one line of letters and digits."""
        said = {"address": self.address, "key": _letters(self.public), "name": self.name}
        body = json.dumps(said, ensure_ascii=False, sort_keys=True, separators=(",", ":")).encode()
        return f"{HEAD}{_letters(body)}.{_letters(key.sign(HEAD.encode() + body))}"

    @staticmethod
    def read(written: str) -> PairingCard:
        """The card that `as_text` wrote; line breaks that a mail program added don't matter.

        Raises
        ------
        InputError
            ``archive.wrong-pairing-card``, ``archive.wrong-peer-address``.
        """
        line = "".join(written.split())
        if not line.startswith(HEAD) or len(line) > LONGEST:
            raise InputError(WRONG_CARD, why=text("it begins otherwise"))
        body_letters, _, signature_letters = line.removeprefix(HEAD).partition(".")
        try:
            body, signature = _bytes(body_letters), _bytes(signature_letters)
            said = json.loads(body)
            name, address, public = said["name"], said["address"], _bytes(said["key"])
        except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
            raise InputError(WRONG_CARD, why=text("it can't be read")) from error
        _check(len(public) == PUBLIC_BYTES and verified(public, signature, HEAD.encode() + body), text("its signature"))
        _check(isinstance(name, str) and 0 < len(name.strip()) <= LONGEST_NAME, text("its name"))
        return PairingCard(name=storable(" ".join(name.split())), address=checked_address(address), public=public)


def checked_address(address: object) -> str:
    """An address of a server that is reached by TLS, without a slash at the end.

    Raises
    ------
    InputError
        ``archive.wrong-peer-address``.
    """
    if not isinstance(address, str) or len(address) > LONGEST_ADDRESS or not address.isprintable():
        raise InputError(WRONG_PEER_ADDRESS)
    try:
        parts = urlsplit(address.strip())
        host, _ = parts.hostname, parts.port
    except ValueError as error:
        raise InputError(WRONG_PEER_ADDRESS) from error
    simple = (
        parts.scheme == "https" and host and not (parts.query or parts.fragment or parts.username or parts.password)
    )
    if not simple or " " in address.strip():
        raise InputError(WRONG_PEER_ADDRESS)
    return address.strip().rstrip("/")


def _check(holds: bool, why: Text) -> None:
    if not holds:
        raise InputError(WRONG_CARD, why=why)


def _letters(value: bytes) -> str:
    return urlsafe_b64encode(value).decode("ascii").rstrip("=")


def _bytes(letters: str) -> bytes:
    try:
        return urlsafe_b64decode(letters.encode("ascii") + b"=" * (-len(letters) % 4))
    except (binascii.Error, UnicodeEncodeError) as error:
        raise ValueError(letters) from error
