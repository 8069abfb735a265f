"""TLS for associations as BCP 195 wants it (PS3.15 B.12): 1.2 or later, no weak ciphers."""

from __future__ import annotations

import ssl
from pathlib import Path

from bingcheng.archive.dimse.problems import WRONG_CERTIFICATE
from bingcheng.core.errors import InputError


def acceptor(certificate: Path, key: Path, trusted: Path | None = None) -> ssl.SSLContext:
    """How the listener secures connections.

    Parameters
    ----------
    certificate, key : PEM files of ours, the certificate with its chain.
    trusted : PEM file of the authorities that sign the peers' certificates: each peer must then show one. None
        for connections that are secret, while who calls is told by title and address alone.

    Raises
    ------
    InputError
        ``archive.wrong-certificate``.
    """
    context = _context(ssl.PROTOCOL_TLS_SERVER, certificate, key, trusted)
    if trusted is not None:
        context.verify_mode = ssl.CERT_REQUIRED
    return context


def caller(trusted: Path, certificate: Path | None = None, key: Path | None = None) -> ssl.SSLContext:
    """How we call peers over TLS: theirs must be signed by one of `trusted`, and be for the host that we call.

    Raises
    ------
    InputError
        ``archive.wrong-certificate``.
    """
    return _context(ssl.PROTOCOL_TLS_CLIENT, certificate, key, trusted)


EXPIRED = "CertificateExpired"
"""The other side's."""
OURS_EXPIRED, OURS_REFUSED = "OurCertificateExpired", "OurCertificateRefused"
_HAS_EXPIRED = 10
"""X509_V_ERR_CERT_HAS_EXPIRED of OpenSSL (x509_vfy.h)."""


def trouble(error: Exception) -> str:
    """What did not come about between two sides, as one word: whose certificate it is where it is one's."""
    if isinstance(error, ssl.SSLCertVerificationError):
        return EXPIRED if error.verify_code == _HAS_EXPIRED else type(error).__name__
    # An alert tells what the other side found (RFC 8446 6.2); in TLS 1.3 it comes when we believe to be through.
    reason = str(getattr(error, "reason", None) or "")
    if "ALERT_CERTIFICATE_EXPIRED" in reason:
        return OURS_EXPIRED
    if "ALERT" in reason and any(one in reason for one in ("CERTIFICATE", "UNKNOWN_CA", "ACCESS_DENIED")):
        return OURS_REFUSED
    return type(error).__name__


def _context(protocol: int, certificate: Path | None, key: Path | None, trusted: Path | None) -> ssl.SSLContext:
    context = ssl.SSLContext(protocol)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    try:
        if certificate is not None:
            # A password would be asked for on the terminal of a server that has none.
            context.load_cert_chain(certificate, key, password=lambda: b"")
        if trusted is not None:
            context.load_verify_locations(trusted)
    except (OSError, ValueError) as error:
        raise InputError(WRONG_CERTIFICATE, error=type(error).__name__) from error
    return context
