"""Who is let in, and for what."""

from __future__ import annotations

import socket

import pytest
from pydicom.uid import CTImageStorage
from pynetdicom import build_role
from pynetdicom.pdu_primitives import SOPClassExtendedNegotiation
from pynetdicom.sop_class import (
    ModalityWorklistInformationFind,
    StorageCommitmentPushModel,
    StudyRootQueryRetrieveInformationModelFind,
    StudyRootQueryRetrieveInformationModelGet,
    Verification,
)
from tests.archive.dimse.making import EXPLICIT, IMPLICIT, SPACE, echo_request, unit

from bingcheng.archive.dimse import pdus
from bingcheng.archive.dimse.events import EventKind
from bingcheng.archive.dimse.limits import Limits
from bingcheng.archive.dimse.listener import Listener
from bingcheng.archive.dimse.peers import May, Peer, add_peer, remove_peer
from bingcheng.core.errors import InputError

BIG_ENDIAN = "1.2.840.10008.1.2.2"
FIND = StudyRootQueryRetrieveInformationModelFind
STORE_ONLY = Peer(ae_title="SCANNER", networks=("127.0.0.1",), space=SPACE, may=frozenset((May.STORE,)))


def rejection(connect, port, request):
    connected = connect(port)
    connected.sendall(request)
    kind, body = unit(connected)
    return tuple(body[1:]) if kind == pdus.REJECT else kind


def test_a_known_peer_is_answered_its_echo_and_the_audit_knows(listening, calling):
    site = listening()
    with calling(site.port, [(Verification,)]) as association:
        assert association.send_c_echo().Status == 0
    (event,) = site.of(EventKind.ECHOED)
    assert (event.ae_title, event.address, event.peer, event.space) == (
        "TESTER",
        "127.0.0.1",
        site.peers[0].number,
        SPACE,
    )


@pytest.mark.parametrize(
    ("title", "called", "why"),
    [("STRANGER", "BINGCHENG", pdus.UNKNOWN_CALLER), ("TESTER", "ORTHANC", pdus.UNKNOWN_CALLED)],
)
def test_a_strange_title_is_rejected_with_its_reason_and_audited(listening, connect, eventually, title, called, why):
    site = listening()
    assert rejection(connect, site.port, echo_request(title, called)) == why
    eventually(lambda: site.of(EventKind.REJECTED))
    (event,) = site.of(EventKind.REJECTED)
    assert (event.ae_title, event.code, event.peer) == (title, "/".join(map(str, why)), None)


def test_a_known_title_from_a_strange_address_is_told_no_more_than_a_stranger(listening, connect):
    elsewhere = Peer(ae_title="TESTER", networks=("192.0.2.0/24",), space=SPACE, may=frozenset(May))
    site = listening(elsewhere)
    assert rejection(connect, site.port, echo_request()) == pdus.UNKNOWN_CALLER


def test_a_peer_that_was_removed_is_a_stranger_at_once(listening, connect):
    site = listening()
    with site.workspace.writing() as connection:
        remove_peer(connection, site.peers[0].number)
    assert rejection(connect, site.port, echo_request()) == pdus.UNKNOWN_CALLER


def test_another_version_of_the_protocol_is_rejected(listening, connect):
    site = listening()
    request = bytearray(echo_request())
    request[6:8] = b"\0\2"
    assert rejection(connect, site.port, bytes(request)) == pdus.OTHER_PROTOCOL


def test_only_so_many_associations_are_open_at_once(listening, connect, eventually):
    site = listening(limits=Limits(associations=2))
    open_ones = [connect(site.port) for _ in range(2)]
    for one in open_ones:
        one.sendall(echo_request())
        assert unit(one)[0] == pdus.ACCEPT
    assert rejection(connect, site.port, echo_request()) == pdus.LIMIT_EXCEEDED
    open_ones[0].sendall(pdus.release_request())
    assert unit(open_ones[0])[0] == pdus.RELEASED
    eventually(lambda: site.listener.associations == 1)
    again = connect(site.port)
    again.sendall(echo_request())
    assert unit(again)[0] == pdus.ACCEPT


def test_one_peer_can_not_take_all_associations(listening, connect):
    other = Peer(ae_title="OTHER", networks=("127.0.0.1",), space="hospital/2", may=frozenset())
    site = listening(STORE_ONLY, other, limits=Limits(associations=3, associations_of_peer=1))
    first = connect(site.port)
    first.sendall(echo_request("SCANNER"))
    assert unit(first)[0] == pdus.ACCEPT
    assert rejection(connect, site.port, echo_request("SCANNER")) == pdus.LIMIT_EXCEEDED
    assert rejection(connect, site.port, echo_request("OTHER")) == pdus.ACCEPT


def test_contexts_for_what_a_peer_may_not_do_are_refused(listening, calling):
    site = listening(STORE_ONLY)
    asked = [
        (Verification,),
        (CTImageStorage,),
        (StudyRootQueryRetrieveInformationModelFind,),
        (StorageCommitmentPushModel,),
        (ModalityWorklistInformationFind,),
    ]
    with calling(site.port, asked, title="SCANNER") as association:
        assert {one.abstract_syntax for one in association.accepted_contexts} == {Verification, CTImageStorage}
        refused = {str(one.abstract_syntax): one.result for one in association.rejected_contexts}
    assert refused == {
        str(StudyRootQueryRetrieveInformationModelFind): 1,
        str(StorageCommitmentPushModel): 1,
        str(ModalityWorklistInformationFind): 3,
    }


@pytest.mark.parametrize(
    ("offered", "chosen"),
    [
        ([IMPLICIT, EXPLICIT], EXPLICIT),
        (["1.2.840.10008.1.2.4.70", EXPLICIT], "1.2.840.10008.1.2.4.70"),
        (["1.2.840.10008.1.2.2", IMPLICIT], IMPLICIT),
        (["1.3.6.1.4.1.99999.1"], "1.3.6.1.4.1.99999.1"),
        (["1.2.840.10008.1.2.4.94"], None),
    ],
)
def test_any_transfer_syntax_that_brings_its_pixels_is_taken(listening, calling, offered, chosen):
    site = listening()
    with calling(site.port, [(Verification,), (CTImageStorage, offered)]) as association:
        got = {one.abstract_syntax: one.transfer_syntax[0] for one in association.accepted_contexts}
    assert got.get(CTImageStorage) == chosen


@pytest.mark.parametrize(
    ("service", "offered", "chosen"),
    [
        (FIND, [BIG_ENDIAN], None),
        (FIND, [BIG_ENDIAN, IMPLICIT], IMPLICIT),
        (FIND, [IMPLICIT, EXPLICIT], EXPLICIT),
        (Verification, [BIG_ENDIAN], BIG_ENDIAN),
    ],
)
def test_no_identifier_is_agreed_on_in_a_syntax_in_which_it_is_not_read(listening, calling, service, offered, chosen):
    site = listening()
    with calling(site.port, [(CTImageStorage,), (service, offered)]) as association:
        got = {one.abstract_syntax: one.transfer_syntax[0] for one in association.accepted_contexts}
    assert got.get(service) == chosen


@pytest.mark.parametrize("private", [True, False])
def test_private_classes_are_taken_where_they_are_asked_for(listening, calling, private):
    site = listening(private=private)
    own = "1.3.46.670589.11.0.0.12.1"
    with calling(site.port, [(Verification,), (own, EXPLICIT)]) as association:
        assert (own in {one.abstract_syntax for one in association.accepted_contexts}) is private


def test_roles_are_given_to_who_may_retrieve(listening, calling):
    reader = Peer(ae_title="READER", networks=("127.0.0.1",), space=SPACE, may=frozenset((May.RETRIEVE,)))
    site = listening(STORE_ONLY, reader)
    asked = [(StudyRootQueryRetrieveInformationModelGet,), (CTImageStorage,)]
    roles = [build_role(CTImageStorage, scp_role=True, scu_role=True)]
    with calling(site.port, asked, title="READER", roles=roles) as association:
        role = association.acceptor.role_selection[CTImageStorage]
        assert (role.scu_role, role.scp_role) == (False, True)
    with calling(site.port, asked, title="SCANNER", roles=roles) as association:
        role = association.acceptor.role_selection[CTImageStorage]
        assert (role.scu_role, role.scp_role) == (True, False)


def test_relational_queries_are_declined(listening, calling):
    site = listening()
    wish = SOPClassExtendedNegotiation()
    wish.sop_class_uid = StudyRootQueryRetrieveInformationModelFind
    wish.service_class_application_information = b"\1\1\1"
    with calling(site.port, [(StudyRootQueryRetrieveInformationModelFind,)], roles=[wish]) as association:
        assert association.acceptor.sop_class_extended == {StudyRootQueryRetrieveInformationModelFind: b"\0\0\0"}


def test_a_port_in_use_is_said(listening, workspace, objects):
    site = listening()
    with pytest.raises(InputError, match=r"archive\.port-taken"):
        Listener(workspace, objects, port=site.port).start()


def test_our_own_title_is_checked(workspace, objects):
    with pytest.raises(InputError, match=r"archive\.wrong-ae-title"):
        Listener(workspace, objects, ae_title="")


def test_stopping_ends_associations_and_frees_the_port(listening, connect, eventually):
    site = listening()
    connected = connect(site.port)
    connected.sendall(echo_request())
    assert unit(connected)[0] == pdus.ACCEPT
    site.listener.stop()
    assert connected.recv(1) == b""
    assert site.listener.associations == 0
    with socket.socket() as again:
        again.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        again.bind(("127.0.0.1", site.port))


def test_who_is_told_may_fail_without_harm(workspace, objects, listening, calling, caplog):
    def fails(_):
        raise ValueError

    with workspace.writing() as connection:
        add_peer(connection, Peer(ae_title="TESTER", networks=("127.0.0.1",), space=SPACE, may=frozenset(May)))
    with (
        Listener(workspace, objects, port=0, on_event=fails) as listener,
        calling(listener.port, [(Verification,)]) as association,
    ):
        assert association.send_c_echo().Status == 0
    assert "could not be told" in caplog.text


def test_a_fault_of_ours_aborts_one_association_only(listening, connect, monkeypatch, caplog):
    site = listening()
    monkeypatch.setattr("bingcheng.archive.dimse.listener.serve", lambda _: 1 / 0)
    connected = connect(site.port)
    connected.sendall(echo_request())
    assert unit(connected)[0] == pdus.ACCEPT
    assert unit(connected)[0] == pdus.ABORT
    monkeypatch.undo()
    assert rejection(connect, site.port, echo_request()) == pdus.ACCEPT
    assert "error of ours" in caplog.text


def test_a_title_that_would_forge_a_line_of_the_audit_is_told_without_it(listening, connect, eventually):
    site = listening()
    request = bytearray(echo_request())
    request[26:42] = b"EVIL\nadmin: ok  "
    assert rejection(connect, site.port, bytes(request)) == pdus.UNKNOWN_CALLER
    eventually(lambda: site.of(EventKind.REJECTED))
    assert site.of(EventKind.REJECTED)[0].ae_title == "EVIL?admin: ok"


def test_small_messages_are_not_held_back(listening, connect):
    """Nagle's algorithm would keep each answer until the caller acknowledges, 40 ms later."""
    site = listening()
    connected = connect(site.port)
    connected.sendall(echo_request())
    assert unit(connected)[0] == pdus.ACCEPT
    (wire,) = site.listener._running
    assert wire.give_up().getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY)
