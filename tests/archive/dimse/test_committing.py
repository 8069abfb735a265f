"""Storage commitment, push model."""

from __future__ import annotations

import threading

import pytest
from pydicom.dataset import Dataset
from pydicom.uid import CTImageStorage, MRImageStorage
from pynetdicom import AE, build_role, evt
from pynetdicom.sop_class import StorageCommitmentPushModel, StorageCommitmentPushModelInstance
from tests.archive.dimse.making import SPACE, file_of, image

from bingcheng.archive.dimse import committing
from bingcheng.archive.dimse.events import EventKind
from bingcheng.archive.dimse.peers import May, Peer
from bingcheng.archive.dimse.problems import NO_ANSWER
from bingcheng.archive.objects.received import Origin
from bingcheng.core.errors import RemoteError

HERE = Origin(kind="import", peer="test")


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


def test_a_peer_that_is_not_there_is_tried_again(listening, calling, scanner, monkeypatch, eventually):
    monkeypatch.setattr(committing, "TRIES_AFTER_S", (0.0, 0.1, 0.1))
    tries = []
    opened = committing.opened

    def late(*args, **more):
        tries.append(1)
        if len(tries) < 3:
            raise RemoteError(NO_ANSWER)
        return opened(*args, **more)

    monkeypatch.setattr(committing, "opened", late)
    site = listening(peer(scanner.port))
    with calling(site.port, [(StorageCommitmentPushModel,)]) as association:
        assert ask(association, request(KEPT)) == 0x0000
    assert scanner.came.wait(10)
    eventually(lambda: site.of(EventKind.COMMITTED))
    (event,) = site.of(EventKind.COMMITTED)
    assert (event.code, event.failed, len(tries)) == ("event 2", 1, 3)


@pytest.mark.parametrize(
    ("made", "action", "instance", "status"),
    [
        (request(KEPT), 2, StorageCommitmentPushModelInstance, 0x0123),
        (request(KEPT), 1, "1.2.3", 0x0112),
        (Dataset(), 1, StorageCommitmentPushModelInstance, 0x0115),
    ],
)
def test_what_is_no_request_is_refused(listening, calling, made, action, instance, status):
    site = listening(peer())
    made = made if len(made) else request()
    if status == 0x0115:
        del made.TransactionUID
    with calling(site.port, [(StorageCommitmentPushModel,)]) as association:
        assert ask(association, made, action, instance) == status
