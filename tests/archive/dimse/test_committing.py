"""Storage commitment, push model."""

from __future__ import annotations

import socket
import threading
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from pydicom.dataset import Dataset
from pydicom.uid import CTImageStorage, MRImageStorage
from pynetdicom import AE, build_role, evt
from pynetdicom.sop_class import StorageCommitmentPushModel, StorageCommitmentPushModelInstance
from tests.archive.dimse.making import SPACE, file_of, image

from bingcheng.archive.dimse import commitments, reporting
from bingcheng.archive.dimse.commitments import Referenced
from bingcheng.archive.dimse.events import EventKind
from bingcheng.archive.dimse.listener import Listener
from bingcheng.archive.dimse.peers import May, Peer, remove_peer
from bingcheng.archive.dimse.problems import NO_ANSWER
from bingcheng.archive.objects.received import Origin
from bingcheng.core.errors import RemoteError

HERE = Origin(kind="import", peer="test")


def utc():
    return datetime.now(UTC).replace(tzinfo=None)


class Reports:
    """What a peer is told."""

    def __init__(self):
        self.told = []
        self.came = threading.Event()

    def take(self, event):
        self.told.append((event.event_type, event.event_information))
        self.came.set()
        return 0x0000, None

    @property
    def handlers(self):
        return [(evt.EVT_N_EVENT_REPORT, self.take)]


@pytest.fixture
def scanner():
    """A scanner that listens for verdicts."""
    entity = AE(ae_title="TESTER")
    entity.add_supported_context(StorageCommitmentPushModel, scu_role=True, scp_role=True)
    reports = Reports()
    server = entity.start_server(("127.0.0.1", 0), block=False, evt_handlers=reports.handlers)
    reports.port = server.socket.getsockname()[1]
    yield reports
    server.shutdown()


def peer(port=None):
    return Peer(
        ae_title="TESTER",
        networks=("127.0.0.1",),
        space=SPACE,
        may=frozenset((May.COMMIT,)),
        host=None if port is None else "127.0.0.1",
        port=port,
    )


def request(*references, transaction="1.2.77"):
    made = Dataset()
    made.TransactionUID = transaction
    made.ReferencedSOPSequence = []
    for sop_class, uid in references:
        item = Dataset()
        item.ReferencedSOPClassUID, item.ReferencedSOPInstanceUID = sop_class, uid
        made.ReferencedSOPSequence.append(item)
    return made


def ask(association, made, action=1, instance=StorageCommitmentPushModelInstance):
    status, _ = association.send_n_action(made, action, StorageCommitmentPushModel, instance)
    return status.Status


KEPT = (CTImageStorage, "1.2.3.1.1.1")


def test_a_peer_with_an_address_is_called_and_told_that_all_is_kept(listening, calling, scanner, eventually):
    site = listening(peer(scanner.port))
    site.objects.receive(file_of(image()), space=SPACE, origin=HERE)
    with calling(site.port, [(StorageCommitmentPushModel,)]) as association:
        assert ask(association, request(KEPT)) == 0x0000
    assert scanner.came.wait(10)
    ((event, verdict),) = scanner.told
    assert (event, verdict.TransactionUID) == (1, "1.2.77")
    assert [one.ReferencedSOPInstanceUID for one in verdict.ReferencedSOPSequence] == ["1.2.3.1.1.1"]
    assert "FailedSOPSequence" not in verdict
    eventually(lambda: site.of(EventKind.COMMITTED))
    assert site.of(EventKind.COMMITTED)[0].succeeded


def test_what_is_not_kept_is_named_with_its_reason(listening, calling, scanner):
    site = listening(peer(scanner.port))
    site.objects.receive(file_of(image()), space=SPACE, origin=HERE)
    site.objects.receive(file_of(image(number=2)), space="hospital/2", origin=HERE)
    wanted = request(KEPT, (CTImageStorage, "1.2.3.1.1.2"), (MRImageStorage, "1.2.3.1.1.1"))
    with calling(site.port, [(StorageCommitmentPushModel,)]) as association:
        assert ask(association, wanted) == 0x0000
    assert scanner.came.wait(10)
    ((event, verdict),) = scanner.told
    assert event == 2
    assert len(verdict.ReferencedSOPSequence) == 1
    failed = [
        (one.ReferencedSOPClassUID, one.ReferencedSOPInstanceUID, one.FailureReason)
        for one in verdict.FailedSOPSequence
    ]
    assert failed == [(CTImageStorage, "1.2.3.1.1.2", 0x0112), (MRImageStorage, "1.2.3.1.1.1", 0x0119)]


def test_a_peer_without_an_address_is_told_over_the_association_it_asked_over(listening, calling, eventually):
    site = listening(peer())
    site.objects.receive(file_of(image()), space=SPACE, origin=HERE)
    reports = Reports()
    roles = [build_role(StorageCommitmentPushModel, scu_role=True, scp_role=True)]
    with calling(site.port, [(StorageCommitmentPushModel,)], handlers=reports.handlers, roles=roles) as association:
        assert ask(association, request(KEPT)) == 0x0000
        assert reports.came.wait(10)
        eventually(lambda: site.of(EventKind.COMMITTED))
        reports.came.clear()
        assert ask(association, request(KEPT)) == 0x0000  # the association goes on
        assert reports.came.wait(10)
    assert [event for event, _ in reports.told] == [1, 1]


@pytest.fixture
def soon(monkeypatch):
    """Tries follow each other quickly."""
    monkeypatch.setattr(commitments, "WAITS_S", (0.05, 0.05))
    monkeypatch.setattr(reporting, "LOOK_EVERY_S", 0.05)


def waiting(site):
    with site.workspace.reading() as connection:
        return commitments.pending(connection, site.peers[0].number)


def test_a_peer_that_is_not_there_is_tried_again(listening, calling, scanner, soon, monkeypatch, eventually):
    tries = []
    opened = reporting.opened

    def late(*args, **more):
        tries.append(1)
        if len(tries) < 4:
            raise RemoteError(NO_ANSWER)
        return opened(*args, **more)

    monkeypatch.setattr(reporting, "opened", late)
    site = listening(peer(scanner.port))
    with calling(site.port, [(StorageCommitmentPushModel,)]) as association:
        assert ask(association, request(KEPT)) == 0x0000
    assert scanner.came.wait(10)
    eventually(lambda: site.of(EventKind.COMMITTED))
    (event,) = site.of(EventKind.COMMITTED)
    assert (event.code, event.failed, len(tries)) == ("event 2", 1, 4)
    assert waiting(site) == ()


def test_a_scanner_that_was_off_is_told_after_the_end_of_the_program(listening, calling, soon, eventually):
    """It asks, goes off, the program ends; it comes back on, and is told by the next program."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    site = listening(peer(port))
    site.objects.receive(file_of(image()), space=SPACE, origin=HERE)
    with calling(site.port, [(StorageCommitmentPushModel,)]) as association:
        assert ask(association, request(KEPT)) == 0x0000
    eventually(lambda: [one.tries for one in waiting(site)] != [0])
    site.listener.stop()
    assert site.of(EventKind.COMMITTED) == []
    entity, reports = AE(ae_title="TESTER"), Reports()
    entity.add_supported_context(StorageCommitmentPushModel, scu_role=True, scp_role=True)
    server = entity.start_server(("127.0.0.1", port), block=False, evt_handlers=reports.handlers)
    events = []
    try:
        with Listener(site.workspace, site.objects, port=0, on_event=events.append):
            assert reports.came.wait(10)
            eventually(lambda: events and not entity.active_associations)
    finally:
        server.shutdown()
    ((event, verdict),) = reports.told
    assert (event, verdict.TransactionUID) == (1, "1.2.77")
    assert [(one.kind, one.succeeded, one.address) for one in events] == [(EventKind.COMMITTED, True, "127.0.0.1")]
    assert waiting(site) == ()


def test_one_that_is_gone_keeps_nobody_else_untold(listening, calling, scanner, monkeypatch, eventually):
    """The address of the gone one swallows every packet; the other one is told meanwhile."""
    opened, entered, over = reporting.opened, threading.Event(), threading.Event()

    def swallowed(caller, called, *args, **more):
        if called.ae_title == "GONE":
            entered.set()
            over.wait(20)
            raise RemoteError(NO_ANSWER)
        return opened(caller, called, *args, **more)

    monkeypatch.setattr(reporting, "opened", swallowed)
    gone = replace(peer(1), ae_title="GONE")
    site = listening(gone, peer(scanner.port))
    with calling(site.port, [(StorageCommitmentPushModel,)], title="GONE") as association:
        assert ask(association, request(KEPT)) == 0x0000
    assert entered.wait(10)
    with calling(site.port, [(StorageCommitmentPushModel,)]) as association:
        assert ask(association, request(KEPT)) == 0x0000
    assert scanner.came.wait(10)
    over.set()
    eventually(lambda: [one.tries for one in waiting(site)] == [1])


def test_a_peer_without_an_address_that_left_too_early_is_told_the_next_time(listening, calling, eventually):
    site = listening(peer())
    site.objects.receive(file_of(image()), space=SPACE, origin=HERE)
    with site.workspace.writing() as connection:
        of = site.peers[0].number
        commitments.keep(connection, of, "1.2.76", [Referenced(sop_class=KEPT[0], sop_uid=KEPT[1])], utc())
    reports = Reports()
    roles = [build_role(StorageCommitmentPushModel, scu_role=True, scp_role=True)]
    with calling(site.port, [(StorageCommitmentPushModel,)], handlers=reports.handlers, roles=roles) as association:
        assert ask(association, request(KEPT)) == 0x0000
        eventually(lambda: len(reports.told) == 2)
    assert [told.TransactionUID for _, told in reports.told] == ["1.2.76", "1.2.77"]
    assert waiting(site) == ()


def test_the_verdict_is_of_the_moment_in_which_it_is_told(listening, calling, scanner, monkeypatch, soon, eventually):
    opened, closed = reporting.opened, threading.Event()

    def shut(*args, **more):
        if not closed.is_set():
            raise RemoteError(NO_ANSWER)
        return opened(*args, **more)

    monkeypatch.setattr(reporting, "opened", shut)
    site = listening(peer(scanner.port))
    site.objects.receive(file_of(image()), space=SPACE, origin=HERE)
    with calling(site.port, [(StorageCommitmentPushModel,)]) as association:
        assert ask(association, request(KEPT)) == 0x0000
    site.objects.remove(SPACE, "1.2.3.1")
    closed.set()
    assert scanner.came.wait(10)
    assert [event for event, _ in scanner.told] == [2]


@pytest.mark.parametrize("spoilt", ["gone", "short"])
def test_an_object_whose_file_is_gone_or_cut_off_is_not_kept(listening, calling, scanner, spoilt):
    site = listening(peer(scanner.port))
    site.objects.receive(file_of(image()), space=SPACE, origin=HERE)
    path = site.objects.path(site.objects.instance((SPACE,), None, None, KEPT[1]))
    if spoilt == "gone":
        path.unlink()
    else:
        path.write_bytes(path.read_bytes()[:-1])
    with calling(site.port, [(StorageCommitmentPushModel,)]) as association:
        assert ask(association, request(KEPT)) == 0x0000
    assert scanner.came.wait(10)
    ((event, verdict),) = scanner.told
    assert (event, verdict.FailedSOPSequence[0].FailureReason) == (2, 0x0112)


def test_what_could_not_be_told_for_days_is_recorded_and_forgotten(listening, soon, eventually):
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    site = listening(peer(port))
    old = utc() - commitments.GIVEN_UP_AFTER - timedelta(minutes=1)
    with site.workspace.writing() as connection:
        references = [Referenced(sop_class=KEPT[0], sop_uid=KEPT[1])]
        commitments.keep(connection, site.peers[0].number, "1.2.77", references, old)
    eventually(lambda: site.of(EventKind.COMMITTED))
    (event,) = site.of(EventKind.COMMITTED)
    assert (event.code, event.succeeded) == ("untold", False)
    assert waiting(site) == ()


def test_the_same_transaction_asked_twice_is_told_once(listening, calling, scanner, eventually):
    site = listening(peer())
    with site.workspace.writing() as connection:
        for _ in range(2):
            references = [Referenced(sop_class=KEPT[0], sop_uid=KEPT[1])]
            commitments.keep(connection, site.peers[0].number, "1.2.77", references, utc())
    assert len(waiting(site)) == 1


def test_a_peer_that_is_removed_takes_what_it_asked_with_it(listening):
    site = listening(peer())
    with site.workspace.writing() as connection:
        references = [Referenced(sop_class=KEPT[0], sop_uid=KEPT[1])]
        commitments.keep(connection, site.peers[0].number, "1.2.77", references, utc())
        remove_peer(connection, site.peers[0].number)
    assert waiting(site) == ()


@pytest.mark.parametrize(
    ("made", "action", "instance", "status"),
    [
        (request(KEPT), 2, StorageCommitmentPushModelInstance, 0x0123),
        (request(KEPT), 1, "1.2.3", 0x0112),
        (Dataset(), 1, StorageCommitmentPushModelInstance, 0x0115),
        (request(), 1, StorageCommitmentPushModelInstance, 0x0115),
    ],
    ids=["another action", "another instance", "no transaction", "nothing named"],
)
def test_what_is_no_request_is_refused(listening, calling, made, action, instance, status):
    site = listening(peer())
    if not len(made):
        made = request(KEPT)
        del made.TransactionUID
    with calling(site.port, [(StorageCommitmentPushModel,)]) as association:
        assert ask(association, made, action, instance) == status
