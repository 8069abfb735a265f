"""Asking another installation: signed requests over TLS, and only answers that it has signed are believed."""

from __future__ import annotations

import hashlib
import json
import ssl
import time
from base64 import b64encode
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from types import TracebackType
from typing import Any, Self

import httpx

from bingcheng.archive.pairing.key import InstallationKey
from bingcheng.archive.pairing.message import (
    ANSWER_PARTS,
    DIGEST,
    RECIPIENT,
    REQUEST_PARTS,
    answer_parts,
    claim,
    content_digest,
    request_parts,
    same_digest,
    signed,
)
from bingcheng.archive.pairing.peers import SKEW, Peer
from bingcheng.archive.pairing.problems import (
    CERTIFICATE_TIME,
    CLOCKS_DIFFER,
    NO_ANSWER,
    UNSIGNED_ANSWER,
    UNTRUSTED_CERTIFICATE,
    WRONG_CERTIFICATE,
)
from bingcheng.core.errors import RemoteError
from bingcheng.server.pairing.answers import DOCUMENT_SIGNATURE
from bingcheng.server.pairing.refusal import refusal

LARGEST_ANSWER = 9 << 20
PATIENCE_S, CONNECT_S = 60.0, 10.0
IMPORT_S = 900.0
"""The other side looks through and imports a whole case before it answers."""
LONGEST_S = 600.0
"""In which an answer that has begun must have come: a byte a minute is no conversation."""
BUSY = frozenset({408, 421, 425, 429, 500, 502, 503, 504, 507})
"""Statuses after which it is tried again."""
OUT_OF_TIME = frozenset({9, 10})
"""X509_V_ERR_CERT_NOT_YET_VALID and X509_V_ERR_CERT_HAS_EXPIRED of OpenSSL."""
PREFIX = "/pairing/v1"


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """A signed answer."""

    body: bytes
    fields: Mapping[str, str]

    def values(self) -> dict[str, Any]:
        """The values of a JSON answer.

        Raises
        ------
        RemoteError
            ``archive.peer-no-answer``: it is not what was asked for.
        """
        try:
            said = json.loads(self.body)
        except (ValueError, RecursionError) as error:
            raise RemoteError(NO_ANSWER, error="JSON") from error
        if not isinstance(said, dict):
            raise RemoteError(NO_ANSWER, error="JSON")
        return said


class PeerClient:
    """Requests to one peer, within a ``with`` block.

    Parameters
    ----------
    now : the clock; UTC.
    """

    def __init__(self, peer: Peer, key: InstallationKey, now: Callable[[], datetime]) -> None:
        self._peer, self._key, self._now = peer, key, now
        self._client = httpx.Client(
            verify=tls(peer),
            trust_env=False,  # no proxy or netrc of whoever started the server
            follow_redirects=False,
            timeout=httpx.Timeout(PATIENCE_S, connect=CONNECT_S),
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._client.close()

    def ask(
        self,
        method: str,
        path: str,
        body: bytes = b"",
        *,
        document_signature: bytes | None = None,
        patience_s: float = PATIENCE_S,
    ) -> Answer:
        """The peer's answer.

        Raises
        ------
        RemoteError
            ``archive.peer-no-answer``, ``archive.unsigned-answer``, ``archive.clocks-differ``,
            ``archive.untrusted-peer-certificate``, ``archive.peer-certificate-time``,
            ``archive.wrong-peer-certificate``.
        InputError
            ``archive.peer-refused``: it answered that it won't, with its code as a fact.
        """
        target = f"{self._peer.address}{PREFIX}{path}"
        digest = content_digest(body)
        fields = signed(self._key, request_parts(method, target, digest, self._peer.keyid), self._now())
        own = claim(fields, REQUEST_PARTS)
        assert own is not None
        headers = {
            DIGEST: digest,
            RECIPIENT: self._peer.keyid,
            **fields,
            "accept": "application/json, application/octet-stream",
        }
        if document_signature is not None:
            headers[DOCUMENT_SIGNATURE] = b64encode(document_signature).decode("ascii")
        request = self._client.build_request(
            method,
            target,
            content=body,
            headers=headers,
            timeout=httpx.Timeout(patience_s, connect=CONNECT_S),
            extensions={"trace": self._look_at_certificate},
        )
        status, received, told = self._sent(request)
        if status != 200:
            self._refused(status, received, told)
        self._check(status, received, told, own.signature)
        return Answer(body=received, fields=told)

    def _sent(self, request: httpx.Request) -> tuple[int, bytes, dict[str, str]]:
        received = bytearray()
        try:
            response = self._client.send(request, stream=True)
            try:
                until = time.monotonic() + LONGEST_S
                for piece in response.iter_bytes():
                    received += piece
                    if len(received) > LARGEST_ANSWER:
                        raise RemoteError(NO_ANSWER, error="too large")
                    if time.monotonic() > until:
                        raise RemoteError(NO_ANSWER, error="too slow")
            finally:
                response.close()
        except (httpx.HTTPError, ssl.SSLError, OSError) as error:
            untrusted = _untrusted(error)
            if untrusted is not None and untrusted.verify_code in OUT_OF_TIME:
                now = f"{datetime.now(UTC):%Y-%m-%d %H:%M}"  # by which certificates are judged
                raise RemoteError(CERTIFICATE_TIME, now=now, why=untrusted.verify_message) from error
            if untrusted is not None:
                raise RemoteError(UNTRUSTED_CERTIFICATE, why=untrusted.verify_message) from error
            raise RemoteError(NO_ANSWER, error=type(error).__name__) from error
        return response.status_code, bytes(received), dict(response.headers)

    def _look_at_certificate(self, name: str, told: Mapping[str, Any]) -> None:
        """Called before the request goes out on a new connection."""
        if not self._peer.pin or name != "connection.start_tls.complete":
            return
        connection = told["return_value"].get_extra_info("ssl_object")
        shown = b"" if connection is None else connection.getpeercert(True) or b""
        if hashlib.sha256(shown).hexdigest() != self._peer.pin:
            told["return_value"].close()
            raise RemoteError(WRONG_CERTIFICATE)

    def _refused(self, status: int, body: bytes, fields: Mapping[str, str]) -> None:
        try:
            code = str(json.loads(body)["code"])[:64]
        except (ValueError, KeyError, TypeError, RecursionError):
            code = ""
        if not code or status in BUSY:
            raise RemoteError(NO_ANSWER, error=f"HTTP {status}")
        # Not signed, so no more than a hint for a person; what it may lead to is only that nothing is sent.
        plain = code if code.replace(".", "").replace("-", "").isalnum() else "?"
        raise refusal(plain, ours=self._now(), theirs=_dated(fields))

    def _check(self, status: int, body: bytes, fields: Mapping[str, str], request_signature: bytes) -> None:
        said = claim(fields, ANSWER_PARTS)
        digest = fields.get(DIGEST, "")
        covered = answer_parts(status, digest, request_signature)
        known = said is not None and said.keyid == self._peer.keyid and said.holds(self._peer.public, covered)
        if said is None or not known or not same_digest(digest, body):
            raise RemoteError(UNSIGNED_ANSWER)
        if abs(self._now() - said.created) > SKEW:
            raise RemoteError(CLOCKS_DIFFER, limit_s=int(SKEW.total_seconds()))


def _dated(fields: Mapping[str, str]) -> datetime | None:
    """When an answer says that it was made (RFC 9110, 6.6.1), UTC; None if it says nothing that can be read."""
    try:
        made = parsedate_to_datetime(fields.get("date", ""))
        return (made if made.tzinfo else made.replace(tzinfo=UTC)).astimezone(UTC).replace(tzinfo=None)
    except (ValueError, TypeError, OverflowError):
        return None


def _untrusted(error: BaseException | None) -> ssl.SSLCertVerificationError | None:
    """What an error came of, if that was the certificate: the libraries between wrap it in errors of the connection."""
    while error is not None:
        if isinstance(error, ssl.SSLCertVerificationError):
            return error
        error = error.__cause__ or error.__context__
    return None


def tls(peer: Peer) -> ssl.SSLContext:
    """How the peer's certificate is checked: by the authorities that it was given, or by those of this machine."""
    context = ssl.create_default_context() if not peer.authority else ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    if peer.authority:
        context.load_verify_locations(cadata=peer.authority)
    return context
