"""The DICOM service as the settings say: over TLS, within limits, with or without private classes."""

from __future__ import annotations

import socket

import pytest
from pynetdicom import AE
from tests.archive.dimse.test_tls import pem  # noqa: F401 - a fixture

from bingcheng.archive.authorisation import hospital_space
from bingcheng.archive.dimse.calling import echo
from bingcheng.archive.dimse.peers import May, Peer, add_peer
from bingcheng.core.errors import InputError, RemoteError
from bingcheng.server.background.calling import Calling
from bingcheng.server.background.services import services

PRIVATE = "1.3.12.2.1107.5.9.1"


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as free:
        return int(free.getsockname()[1])


def ourselves(served, port, *, tls=False) -> Peer:
    """The service as a peer of itself."""
    peer = Peer(
        ae_title="BINGCHENG",
        networks=("127.0.0.1",),
        space=hospital_space(served.north),
        may=frozenset({May.STORE}),
        host="127.0.0.1",
        port=port,
        tls=tls,
    )
    with served.site.workspace.writing() as connection:
        return add_peer(connection, peer)


def test_the_service_speaks_tls_and_calls_peers_with_its_certificate(serve, pem):  # noqa: F811
    port = free_port()
    certificate, key = pem
    over_tls = {"dicom_tls_certificate": certificate, "dicom_tls_key": key, "dicom_tls_trusted": certificate}
    served = serve(dicom_port=port, bring_in=False, **over_tls)
    secure, plain = ourselves(served, port, tls=True), Calling()
    with services(served.site):
        echo(Calling.from_settings(served.site.settings).caller(), secure)
        with pytest.raises(RemoteError):
            echo(plain.caller(patience_s=2), secure)  # shows no certificate, and trusts no authority of the test's


@pytest.mark.parametrize("given", ["dicom_tls_certificate", "dicom_tls_key"])
def test_a_certificate_without_its_key_is_told_before_anything_runs(serve, pem, given):  # noqa: F811
    served = serve(dicom_port=free_port(), **{given: pem[0]})
    with pytest.raises(InputError) as raised, services(served.site):
        pass
    assert raised.value.code == "archive.wrong-certificate"


@pytest.mark.parametrize("private", [False, True])
def test_private_classes_are_taken_only_where_wished(serve, private):
    port = free_port()
    served = serve(dicom_port=port, dicom_private=private, bring_in=False)
    ourselves(served, port)
    entity = AE(ae_title="BINGCHENG")
    entity.add_requested_context(PRIVATE)
    with services(served.site):
        association = entity.associate("127.0.0.1", port, ae_title="BINGCHENG")
        accepted = [one.abstract_syntax for one in association.accepted_contexts]
        if association.is_established:  # pynetdicom gives up one without any context by itself
            association.abort()
            association.join(5)
    assert accepted == ([PRIVATE] if private else [])


def test_more_associations_than_the_settings_allow_are_turned_away(serve):
    port = free_port()
    served = serve(dicom_port=port, dicom_associations=1, bring_in=False)
    us = ourselves(served, port)
    entity = AE(ae_title="BINGCHENG")
    entity.add_requested_context("1.2.840.10008.1.1")
    with services(served.site):
        association = entity.associate("127.0.0.1", port, ae_title="BINGCHENG")
        assert association.is_established
        with pytest.raises(RemoteError) as raised:
            echo(Calling().caller(patience_s=2), us)
        association.release()
        association.join(5)
    assert raised.value.reason.facts["result"] == 2
