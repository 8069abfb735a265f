"""C-MOVE and C-GET."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from pydicom.dataset import Dataset
from pydicom.pixels import pixel_array
from pydicom.uid import CTImageStorage, MRImageStorage, RLELossless
from pynetdicom import AE, build_role, evt
from pynetdicom.sop_class import (
    PatientRootQueryRetrieveInformationModelMove,
    StudyRootQueryRetrieveInformationModelGet,
    StudyRootQueryRetrieveInformationModelMove,
)
from tests.archive.dimse.making import EXPLICIT, IMPLICIT, SPACE, file_of, image

from bingcheng.archive.dimse import retrieving
from bingcheng.archive.dimse.events import EventKind
from bingcheng.archive.dimse.peers import May, Peer
from bingcheng.archive.objects.received import Origin
from bingcheng.archive.problems import DISK_FULL
from bingcheng.core.errors import RemoteError

MOVE, GET = StudyRootQueryRetrieveInformationModelMove, StudyRootQueryRetrieveInformationModelGet
PATIENT_MOVE = PatientRootQueryRetrieveInformationModelMove
HERE = Origin(kind="import", peer="test")


@pytest.fixture
def archive():
    """Another archive: what it got, and the statuses that it gives."""
    running = []

    class Archive:
        def __init__(self, syntaxes=(EXPLICIT, IMPLICIT, RLELossless), classes=(CTImageStorage,)):
            self.got, self.originators, self.statuses = [], [], []
            entity = AE(ae_title="ARCHIVE")
            for sop_class in classes:
                entity.add_supported_context(sop_class, list(syntaxes))
            self.server = entity.start_server(
                ("127.0.0.1", 0), block=False, evt_handlers=[(evt.EVT_C_STORE, self.store)]
            )
            self.port = self.server.socket.getsockname()[1]
            running.append(self.server)

        def store(self, event):
            self.got.append((event.dataset, event.context.transfer_syntax, event.encoded_dataset(False)))
            request = event.request
            self.originators.append((request.MoveOriginatorApplicationEntityTitle, request.MoveOriginatorMessageID))
            return self.statuses.pop(0) if self.statuses else 0x0000

    yield Archive
    for server in running:
        if server in server.ae._servers:
            server.shutdown()


@pytest.fixture
def filled(listening):
    """A listener whose store has four slices in two series, one more in another hospital, and knows an archive."""

    def make(port, *more):
        known = Peer(ae_title="TESTER", networks=("127.0.0.1",), space=SPACE, may=frozenset(May))
        target = Peer(
            ae_title="ARCHIVE", networks=("127.0.0.1",), space=SPACE, may=frozenset(), host="127.0.0.1", port=port
        )
        site = listening(known, target)
        for made in (
            *(image(series=series, number=number) for series in (1, 2) for number in (1, 2)),
            *more,
        ):
            site.objects.receive(file_of(made), space=SPACE, origin=HERE)
        site.objects.receive(file_of(image(series=3)), space="hospital/2", origin=HERE)
        return site

    return make


def identifier(level, **keys):
    made = Dataset()
    made.QueryRetrieveLevel = level
    for keyword, value in keys.items():
        setattr(made, keyword, value)
    return made


def retrieved(responses):
    """Statuses of all answers; numbers and failed UIDs of the last."""
    statuses, last, failed = [], None, []
    for status, answer in responses:
        statuses.append(status.Status)
        last = status
        failed = [] if answer is None else answer.get("FailedSOPInstanceUIDList", [])
    counts = tuple(last.get(f"NumberOf{kind}Suboperations") for kind in ("Completed", "Failed", "Warning"))
    return statuses, counts, [failed] if isinstance(failed, str) else list(failed)


@pytest.mark.parametrize(
    ("model", "wanted", "count"),
    [
        (MOVE, identifier("STUDY", StudyInstanceUID="1.2.3.1"), 4),
        (MOVE, identifier("STUDY", StudyInstanceUID=["1.2.3.1", "1.2.3.99"]), 4),
        (MOVE, identifier("SERIES", StudyInstanceUID="1.2.3.1", SeriesInstanceUID="1.2.3.1.2"), 2),
        (
            MOVE,
            identifier(
                "IMAGE",
                StudyInstanceUID="1.2.3.1",
                SeriesInstanceUID="1.2.3.1.2",
                SOPInstanceUID=["1.2.3.1.2.1", "1.2.3.1.1.1"],
            ),
            1,
        ),
        (PATIENT_MOVE, identifier("PATIENT", PatientID="KH-1"), 4),
        (PATIENT_MOVE, identifier("STUDY", PatientID="KH-1", StudyInstanceUID="1.2.3.1"), 4),
        (PATIENT_MOVE, identifier("STUDY", PatientID="KH-2", StudyInstanceUID="1.2.3.1"), 0),
        (
            PATIENT_MOVE,
            identifier("SERIES", PatientID="KH-2", StudyInstanceUID="1.2.3.1", SeriesInstanceUID="1.2.3.1.2"),
            0,
        ),
        (MOVE, identifier("SERIES", StudyInstanceUID="1.2.3.1", SeriesInstanceUID="1.2.3.1.3"), 0),
    ],
)
def test_what_is_asked_for_goes_to_the_destination(filled, archive, calling, model, wanted, count):
    target = archive()
    site = filled(target.port)
    with calling(site.port, [(model,)]) as association:
        statuses, counts, failed = retrieved(association.send_c_move(wanted, "ARCHIVE", model, msg_id=7))
    assert statuses == [0xFF00] * max(count - 1, 0) + [0x0000]
    assert (counts, failed) == ((count, 0, 0), [])
    assert len(target.got) == count
    assert set(target.originators) <= {("TESTER", 7)}
    (event,) = site.of(EventKind.RETRIEVED)
    assert (event.succeeded, event.completed, event.destination) == (True, count, "ARCHIVE")
    begun = site.of(EventKind.RETRIEVING)
    assert [(one.completed, one.destination, one.study_uids) for one in begun] == (
        [(count, "ARCHIVE", event.study_uids)] if count else []
    )


@pytest.mark.parametrize("model", [MOVE, GET])
def test_nothing_leaves_if_it_cannot_be_recorded(filled, archive, calling, model):
    target = archive()
    site = filled(target.port)

    def full(_):
        raise RemoteError(DISK_FULL)

    site.listener._house = replace(site.listener._house, on_access=full)
    wanted, taken = identifier("STUDY", StudyInstanceUID="1.2.3.1"), []
    handlers = [(evt.EVT_C_STORE, lambda event: taken.append(event) or 0)]
    roles = [build_role(CTImageStorage, scp_role=True)]
    with calling(site.port, [(model,), (CTImageStorage,)], handlers=handlers, roles=roles) as association:
        answers = (
            association.send_c_get(wanted, model) if model == GET else association.send_c_move(wanted, "ARCHIVE", model)
        )
        statuses, _, _ = retrieved(answers)
    assert (statuses, target.got, taken) == ([0xA702], [], [])
    assert site.of(EventKind.RETRIEVED)[-1].code == "A702"


def test_bytes_go_out_as_they_are_stored(filled, archive, calling):
    target = archive()
    compressed = image(study=5)
    compressed.compress(RLELossless, generate_instance_uid=False)
    site = filled(target.port, compressed)
    with calling(site.port, [(MOVE,)]) as association:
        retrieved(association.send_c_move(identifier("STUDY", StudyInstanceUID="1.2.3.5"), "ARCHIVE", MOVE))
    ((_, syntax, encoded),) = target.got
    held = site.objects.instance((SPACE,), None, None, "1.2.3.5.1.1")
    with site.objects.open_bytes(held) as stream:
        assert stream.read().endswith(encoded)
    assert syntax == RLELossless


@pytest.mark.parametrize("taken", [EXPLICIT, IMPLICIT])
def test_what_a_destination_does_not_take_compressed_is_decompressed(filled, archive, calling, taken):
    target = archive((taken,))
    original = image(study=5, size=32)
    compressed = image(study=5, size=32)
    compressed.compress(RLELossless, generate_instance_uid=False)
    site = filled(target.port, compressed)
    with calling(site.port, [(MOVE,)]) as association:
        statuses, counts, _ = retrieved(
            association.send_c_move(identifier("STUDY", StudyInstanceUID="1.2.3.5"), "ARCHIVE", MOVE)
        )
    assert (statuses[-1], counts) == (0x0000, (1, 0, 0))
    ((got, _, _),) = target.got
    got.file_meta = original.file_meta
    assert got.SOPInstanceUID == original.SOPInstanceUID
    assert np.array_equal(pixel_array(got), pixel_array(original))


def test_failures_are_counted_and_named(filled, archive, calling):
    target = archive()
    target.statuses = [0x0000, 0xA700, 0xB000, 0xC000]
    site = filled(target.port)
    with calling(site.port, [(MOVE,)]) as association:
        statuses, counts, failed = retrieved(
            association.send_c_move(identifier("STUDY", StudyInstanceUID="1.2.3.1"), "ARCHIVE", MOVE)
        )
    assert (statuses[-1], counts) == (0xB000, (1, 2, 1))
    assert failed == [target.got[1][0].SOPInstanceUID, target.got[3][0].SOPInstanceUID]


def test_a_class_that_the_destination_does_not_take_fails_alone(filled, archive, calling):
    target = archive()
    other = image(number=9, SOPClassUID=MRImageStorage)
    site = filled(target.port, other)
    with calling(site.port, [(MOVE,)]) as association:
        statuses, counts, failed = retrieved(
            association.send_c_move(identifier("STUDY", StudyInstanceUID="1.2.3.1"), "ARCHIVE", MOVE)
        )
    assert (statuses[-1], counts, failed) == (0xB000, (4, 1, 0), [other.SOPInstanceUID])


@pytest.mark.parametrize(
    ("destination", "wanted", "status"),
    [
        ("NOWHERE", identifier("STUDY", StudyInstanceUID="1.2.3.1"), 0xA801),
        ("TESTER", identifier("STUDY", StudyInstanceUID="1.2.3.1"), 0xA801),
        ("ARCHIVE", identifier("STUDY"), 0xA900),
        ("ARCHIVE", identifier("SERIES", SeriesInstanceUID="1.2.3.1.1"), 0xA900),
    ],
)
def test_what_can_not_be_moved_is_told(filled, archive, calling, destination, wanted, status):
    site = filled(archive().port)
    with calling(site.port, [(MOVE,)]) as association:
        assert retrieved(association.send_c_move(wanted, destination, MOVE))[0] == [status]


def test_a_destination_that_can_not_be_looked_up_now_is_no_unknown_one(filled, archive, calling, monkeypatch):
    def broken(*_):
        raise RemoteError(DISK_FULL)

    site = filled(archive().port)
    monkeypatch.setattr(retrieving, "destination", broken)
    wanted = identifier("STUDY", StudyInstanceUID="1.2.3.1")
    with calling(site.port, [(MOVE,)]) as association:
        assert retrieved(association.send_c_move(wanted, "ARCHIVE", MOVE))[0] == [0xA701]
        monkeypatch.undo()
        assert retrieved(association.send_c_move(wanted, "ARCHIVE", MOVE))[0][-1] == 0x0000, "it goes on"


@pytest.mark.parametrize("number", ["", "KH-*", "KH-?"])
def test_a_patient_is_retrieved_by_a_whole_number_only(filled, archive, calling, number):
    site = filled(archive().port)
    with calling(site.port, [(PATIENT_MOVE,)]) as association:
        wanted = identifier("PATIENT", PatientID=number)
        assert retrieved(association.send_c_move(wanted, "ARCHIVE", PATIENT_MOVE))[0] == [0xA900]


def test_a_destination_of_another_hospital_is_unknown(listening, calling, archive):
    mine = Peer(ae_title="TESTER", networks=("127.0.0.1",), space=SPACE, may=frozenset(May))
    theirs = Peer(
        ae_title="ARCHIVE",
        networks=("127.0.0.1",),
        space="hospital/2",
        may=frozenset(),
        host="127.0.0.1",
        port=archive().port,
    )
    site = listening(mine, theirs)
    site.objects.receive(file_of(image()), space=SPACE, origin=HERE)
    with calling(site.port, [(MOVE,)]) as association:
        wanted = identifier("STUDY", StudyInstanceUID="1.2.3.1")
        assert retrieved(association.send_c_move(wanted, "ARCHIVE", MOVE))[0] == [0xA801]


def test_a_destination_that_is_down_fails_all(filled, calling, archive):
    target = archive()
    target.server.shutdown()
    site = filled(target.port)
    with calling(site.port, [(MOVE,)]) as association:
        statuses, counts, failed = retrieved(
            association.send_c_move(identifier("STUDY", StudyInstanceUID="1.2.3.1"), "ARCHIVE", MOVE)
        )
    assert (statuses, counts, len(failed)) == ([0xA702], (0, 4, 0), 4)


def test_a_cancelled_move_sends_no_more(filled, archive, calling):
    target = archive()
    site = filled(target.port)
    statuses = []
    with calling(site.port, [(MOVE,)]) as association:
        wanted = identifier("STUDY", StudyInstanceUID="1.2.3.1")
        store = target.store

        def cancels(event):
            association.send_c_cancel(1, query_model=MOVE)
            return store(event)

        target.server.unbind(evt.EVT_C_STORE, target.store)
        target.server.bind(evt.EVT_C_STORE, cancels)
        statuses = [status.Status for status, _ in association.send_c_move(wanted, "ARCHIVE", MOVE)]
    assert statuses[-1] == 0xFE00
    assert len(target.got) < 4


@pytest.mark.parametrize("taken", [EXPLICIT, IMPLICIT])
def test_c_get_brings_objects_back_over_the_same_association(filled, archive, calling, taken):
    site = filled(archive().port)
    got = []

    def keep(event):
        got.append((event.dataset.SOPInstanceUID, event.encoded_dataset(False)))
        return 0x0000

    roles = [build_role(CTImageStorage, scp_role=True)]
    with calling(
        site.port, [(GET,), (CTImageStorage, taken)], roles=roles, handlers=[(evt.EVT_C_STORE, keep)]
    ) as association:
        wanted = identifier("STUDY", StudyInstanceUID="1.2.3.1")
        statuses, counts, failed = retrieved(association.send_c_get(wanted, GET))
    assert (statuses, counts, failed) == ([0xFF00] * 3 + [0x0000], (4, 0, 0), [])
    assert {uid for uid, _ in got} == {f"1.2.3.1.{series}.{number}" for series in (1, 2) for number in (1, 2)}
    if taken == EXPLICIT:
        for uid, encoded in got:
            with site.objects.open_bytes(site.objects.instance((SPACE,), None, None, uid)) as stream:
                assert stream.read().endswith(encoded)


def test_c_get_without_the_role_fails_each_object(filled, archive, calling):
    site = filled(archive().port)
    with calling(site.port, [(GET,), (CTImageStorage, EXPLICIT)]) as association:
        wanted = identifier("SERIES", StudyInstanceUID="1.2.3.1", SeriesInstanceUID="1.2.3.1.1")
        statuses, counts, failed = retrieved(association.send_c_get(wanted, GET))
    assert (statuses[-1], counts) == (0xA702, (0, 2, 0))
    assert failed == ["1.2.3.1.1.1", "1.2.3.1.1.2"]


def test_what_went_out_before_the_asking_peer_vanished_is_audited(filled, archive, calling, eventually):
    target = archive()
    site = filled(target.port)
    store = target.store
    with calling(site.port, [(MOVE,)]) as association:

        def vanishes(event):
            association.dul.socket.socket.close()
            return store(event)

        target.server.unbind(evt.EVT_C_STORE, target.store)
        target.server.bind(evt.EVT_C_STORE, vanishes)
        wanted = identifier("STUDY", StudyInstanceUID="1.2.3.1")
        list(association.send_c_move(wanted, "ARCHIVE", MOVE))
    eventually(lambda: site.of(EventKind.RETRIEVED))
    (event,) = site.of(EventKind.RETRIEVED)
    assert not event.succeeded
    assert event.completed == len(target.got) > 0
    assert event.study_uids == ("1.2.3.1",)
