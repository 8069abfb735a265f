"""TLS on either side."""

from __future__ import annotations

import ssl
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from tests.archive.dimse.making import SPACE, echo_request, unit

from bingcheng.archive.dimse import pdus, tls
from bingcheng.archive.dimse.calling import Caller, echo
from bingcheng.archive.dimse.limits import Limits
from bingcheng.archive.dimse.peers import Peer
from bingcheng.core.errors import InputError, RemoteError


def self_signed(folder, *, address="127.0.0.1", until=timedelta(days=1)):
    """A self-signed certificate, and its key."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "localhost")])
    now = datetime.now(UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=2))
        .not_valid_after(now + until)
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ip_address(address))]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    certificate, private = folder / "certificate.pem", folder / "key.pem"
    certificate.write_bytes(made.public_bytes(serialization.Encoding.PEM))
    private.write_bytes(
        key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    )
    return certificate, private


@pytest.fixture(scope="session")
def pem(tmp_path_factory):
    """A certificate for this machine, and its key."""
    return self_signed(tmp_path_factory.mktemp("pem"))


def us(port):
    return Peer(ae_title="BINGCHENG", networks=(), space=SPACE, may=frozenset(), host="127.0.0.1", port=port, tls=True)


def test_both_sides_speak_tls(listening, pem):
    site = listening(tls=tls.acceptor(*pem))
    echo(Caller(ae_title="TESTER", tls=tls.caller(pem[0])), us(site.port))


def test_a_listener_that_trusts_only_some_asks_for_a_certificate(listening, pem):
    site = listening(tls=tls.acceptor(*pem, trusted=pem[0]))
    echo(Caller(ae_title="TESTER", tls=tls.caller(pem[0], *pem)), us(site.port))
    with pytest.raises(RemoteError):
        echo(Caller(ae_title="TESTER", tls=tls.caller(pem[0]), idle_s=3), us(site.port))


def test_a_certificate_that_nobody_we_trust_signed_is_refused(listening, pem):
    site = listening(tls=tls.acceptor(*pem))
    with pytest.raises(RemoteError, match=r"archive\.no-answer"):
        echo(Caller(ae_title="TESTER"), us(site.port))


def test_a_caller_with_a_certificate_of_somebody_else_gets_no_association(listening, pem, tmp_path):
    site = listening(tls=tls.acceptor(*pem, trusted=pem[0]))
    stranger = tls.caller(pem[0], *self_signed(tmp_path))
    with pytest.raises(RemoteError):
        echo(Caller(ae_title="TESTER", tls=stranger, idle_s=3), us(site.port))
    assert site.listener.associations == 0
    assert site.events == []
    echo(Caller(ae_title="TESTER", tls=tls.caller(pem[0], *pem)), us(site.port))


@pytest.mark.parametrize(
    ("more", "told"),
    [
        ({"until": timedelta(days=-1)}, "OurCertificateExpired"),
        ({}, "OurCertificateRefused"),
        (None, "OurCertificateRefused"),
    ],
    ids=["expired", "stranger", "none"],
)
@pytest.mark.parametrize("newest", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3])
def test_both_sides_are_told_whose_certificate_it_is(listening, pem, tmp_path, caplog, more, told, newest):
    own = () if more is None else self_signed(tmp_path, **more)
    site = listening(tls=tls.acceptor(*pem, trusted=own[0] if more else pem[0]))
    context = tls.caller(pem[0], *own)
    context.maximum_version = newest
    if more is None and newest is ssl.TLSVersion.TLSv1_2:
        told = "SSLError"  # that none was shown has an alert of its own only later (RFC 8446 6.2)
    for _ in range(5):
        with pytest.raises(RemoteError) as raised:
            echo(Caller(ae_title="TESTER", tls=context, idle_s=3), us(site.port))
        assert (raised.value.code, raised.value.reason.facts["error"]) == ("archive.no-answer", told)
    assert "no TLS with 127.0.0.1" in caplog.text
    assert ("CertificateExpired" in caplog.text) is (told == "OurCertificateExpired")


def test_a_peer_whose_certificate_has_expired_is_told_from_one_that_is_no_friend(listening, tmp_path):
    spoilt = self_signed(tmp_path, until=timedelta(days=-1))
    site = listening(tls=tls.acceptor(*spoilt))
    with pytest.raises(RemoteError) as raised:
        echo(Caller(ae_title="TESTER", tls=tls.caller(spoilt[0])), us(site.port))
    assert raised.value.reason.facts["error"] == "CertificateExpired"


@pytest.mark.parametrize("wrong", [{"address": "192.0.2.1"}, {"until": timedelta(days=-1)}], ids=["host", "expired"])
def test_a_peer_whose_certificate_is_for_another_host_or_expired_is_not_spoken_to(listening, tmp_path, wrong):
    spoilt = self_signed(tmp_path, **wrong)
    site = listening(tls=tls.acceptor(*spoilt))
    with pytest.raises(RemoteError, match=r"archive\.no-answer"):
        echo(Caller(ae_title="TESTER", tls=tls.caller(spoilt[0])), us(site.port))
    assert site.events == []


def test_a_plain_caller_and_one_in_the_middle_of_its_handshake_hold_up_nobody(listening, pem, connect):
    site = listening(tls=tls.acceptor(*pem), limits=Limits(request_s=0.5))
    plain, silent = connect(site.port), connect(site.port)
    plain.sendall(echo_request())
    silent.sendall(b"\x16\x03\x01\x02\x00\x01")
    echo(Caller(ae_title="TESTER", tls=tls.caller(pem[0])), us(site.port))
    assert silent.recv(1) == b""
    assert unit(plain)[0] != pdus.ACCEPT


def test_old_protocols_are_refused(listening, pem, connect):
    site = listening(tls=tls.acceptor(*pem))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    context.set_ciphers("DEFAULT@SECLEVEL=0")
    with pytest.warns(DeprecationWarning, match="TLSv1_1"):
        context.minimum_version = context.maximum_version = ssl.TLSVersion.TLSv1_1
    with pytest.raises(ssl.SSLError):
        context.wrap_socket(connect(site.port))


def test_files_that_are_no_certificates_are_said(tmp_path, pem):
    with pytest.raises(InputError, match=r"archive\.wrong-certificate"):
        tls.acceptor(tmp_path / "absent.pem", pem[1])
    (tmp_path / "words.pem").write_text("words")
    with pytest.raises(InputError, match=r"archive\.wrong-certificate"):
        tls.acceptor(tmp_path / "words.pem", pem[1])
