"""HTTP messages signed (RFC 9421) with a digest of their content (RFC 9530), in the one profile that is spoken here.

A request covers method, target URI, digest and for whom it is, an answer its status, digest and the signature of the
request that it answers. What is signed in any other way, with fewer parts, another algorithm or another digest, counts
as not signed.
"""

from __future__ import annotations

import binascii
import hashlib
import hmac
import re
import secrets
from base64 import b64decode, b64encode
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from bingcheng.archive.pairing.key import InstallationKey, verified

LABEL, TAG = "bingcheng", "bingcheng-pairing"
DIGEST, INPUT, SIGNATURE = "content-digest", "signature-input", "signature"
RECIPIENT = "bingcheng-recipient"
"""The field with the identifier of the key of the installation that a request is for: no other one answers it."""
REQUEST_PARTS = ('"@method"', '"@target-uri"', '"content-digest"', f'"{RECIPIENT}"')
ANSWER_PARTS = ('"@status"', '"content-digest"', f'"signature";req;key="{LABEL}"')
NONCE_BYTES = 18
_PARAMETERS = (
    r";created=(?P<created>[0-9]{1,12});nonce=\"(?P<nonce>[A-Za-z0-9_-]{22,64})\""
    rf";keyid=\"(?P<keyid>[0-9a-f]{{64}})\";alg=\"ed25519\";tag=\"{TAG}\""
)
_SIGNATURE = re.compile(rf"{LABEL}=:(?P<value>[A-Za-z0-9+/]{{86}}==):")


@dataclass(frozen=True, slots=True, kw_only=True)
class Claim:
    """What a message says of its signature; nothing of it is true before `holds`.

    Parameters
    ----------
    keyid : identifier of the key that is said to have signed.
    created : by the signer's clock, UTC.
    """

    keyid: str
    created: datetime
    nonce: str
    parameters: str
    signature: bytes

    def holds(self, public: bytes, covered: Mapping[str, str]) -> bool:
        """Whether the holder of the key signed these values of the covered parts."""
        return verified(public, self.signature, signature_base(tuple(covered.items()), self.parameters))


def signature_base(covered: Sequence[tuple[str, str]], parameters: str) -> bytes:
    """What is signed (RFC 9421, 2.5).

    Parameters
    ----------
    covered : serialized identifier and value of each component, in order.
    parameters : the signature parameters as they stand in the field.

    Raises
    ------
    ValueError
        a value holds a line break, with which one part could be taken for two.
    """
    lines = [*covered, ('"@signature-params"', parameters)]
    if any("\n" in value or "\r" in value for _, value in lines):
        raise ValueError("a line break")
    return "\n".join(f"{name}: {value}" for name, value in lines).encode("utf-8")


def content_digest(body: bytes) -> str:
    """The field ``Content-Digest`` of a body (RFC 9530)."""
    return f"sha-256=:{b64encode(hashlib.sha256(body).digest()).decode('ascii')}:"


def same_digest(field: str, body: bytes) -> bool:
    """Whether the field is that of the body, by SHA-256 and nothing else."""
    return hmac.compare_digest(field.encode("utf-8", "replace"), content_digest(body).encode())


def request_parts(method: str, target: str, digest: str, recipient: str) -> dict[str, str]:
    """The covered parts of a request."""
    return dict(zip(REQUEST_PARTS, (method, target, digest, recipient), strict=True))


def answer_parts(status: int, digest: str, request_signature: bytes) -> dict[str, str]:
    """The covered parts of the answer to a request with that signature."""
    told = f":{b64encode(request_signature).decode('ascii')}:"
    return dict(zip(ANSWER_PARTS, (str(status), digest, told), strict=True))


def signed(key: InstallationKey, covered: Mapping[str, str], now: datetime) -> dict[str, str]:
    """The fields ``Signature-Input`` and ``Signature`` for these parts.

    Parameters
    ----------
    now : UTC, without a zone.
    """
    created = int(now.replace(tzinfo=UTC).timestamp())
    nonce = secrets.token_urlsafe(NONCE_BYTES)
    inner = " ".join(covered)
    parameters = f'({inner});created={created};nonce="{nonce}";keyid="{key.identifier}";alg="ed25519";tag="{TAG}"'
    value = b64encode(key.sign(signature_base(tuple(covered.items()), parameters))).decode("ascii")
    return {INPUT: f"{LABEL}={parameters}", SIGNATURE: f"{LABEL}=:{value}:"}


def claim(fields: Mapping[str, str], parts: Sequence[str]) -> Claim | None:
    """What the fields of a message say, if it is signed over exactly these parts in our profile; else None.

    Parameters
    ----------
    fields : of the message, names in lower case; several fields of one name joined by a comma, which no profile of
        ours has.
    """
    inner = re.escape(f"({' '.join(parts)})")
    told = re.fullmatch(rf"{LABEL}=(?P<parameters>{inner}{_PARAMETERS})", fields.get(INPUT, ""))
    value = _SIGNATURE.fullmatch(fields.get(SIGNATURE, ""))
    if told is None or value is None:
        return None
    try:
        signature = b64decode(value["value"], validate=True)
        created = datetime.fromtimestamp(int(told["created"]), UTC).replace(tzinfo=None)
    except (binascii.Error, ValueError, OverflowError, OSError):
        return None
    return Claim(
        keyid=told["keyid"],
        created=created,
        nonce=told["nonce"],
        parameters=told["parameters"],
        signature=signature,
    )
