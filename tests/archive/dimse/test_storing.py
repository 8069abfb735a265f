"""C-STORE: what is kept, and what is said of it."""

from __future__ import annotations

import errno
from threading import Thread

import pytest
from pydicom.uid import CTImageStorage, DeflatedExplicitVRLittleEndian, MRImageStorage
from tests.archive.dimse.making import EXPLICIT, IMPLICIT, SPACE, data_set_of, file_of, image

from bingcheng.archive.dimse import body as bodies
from bingcheng.archive.dimse import pdus
from bingcheng.archive.dimse.calling import Caller, opened
from bingcheng.archive.dimse.commands import C_STORE, NO_DATA_SET, encode, number
from bingcheng.archive.dimse.events import EventKind
from bingcheng.archive.dimse.limits import Limits
from bingcheng.archive.dimse.peers import May, Peer
from bingcheng.archive.objects.query import Query
from bingcheng.archive.objects.received import Origin, ReceivedStatus
from bingcheng.archive.problems import DISK_FULL
from bingcheng.core.errors import RemoteError


@pytest.fixture
def stored():
    """Sends encoded data sets as they are, and tells the statuses."""

    def send(site, *files, sop_class=CTImageStorage, sop_uids=None, syntax=EXPLICIT, context=CTImageStorage):
        peer = Peer(ae_title="BINGCHENG", networks=(), space=SPACE, may=frozenset(), host="127.0.0.1", port=site.port)
        association = opened(Caller(ae_title="TESTER"), peer, [(context, [syntax])])
        statuses = []
        for place, (file, uid) in enumerate(zip(files, sop_uids or ["1.2.3.1.1.1"] * len(files), strict=True)):
            command = {
                "CommandField": C_STORE,
                "MessageID": place + 1,
                "Priority": 0,
                "AffectedSOPClassUID": sop_class,
                "AffectedSOPInstanceUID": uid,
            }
            association.send(association.contexts[1], command, file)
            statuses.append(number(association.answer_to(place + 1).command, "Status"))
        association.release()
        return statuses

    return send


def kept_file(site, uid="1.2.3.1.1.1"):
    found = site.objects.instance((SPACE,), None, None, uid)
    if found is None:
        return None
    with site.objects.open_bytes(found) as stream:
        return stream.read()


@pytest.mark.parametrize("syntax", [EXPLICIT, IMPLICIT, DeflatedExplicitVRLittleEndian])
def test_the_bytes_that_came_are_the_bytes_that_are_kept(listening, stored, syntax):
    site = listening()
    sent = data_set_of(file_of(image(syntax=syntax)))
    assert stored(site, sent, syntax=syntax) == [0x0000]
    assert data_set_of(kept_file(site)) == sent
    assert site.objects.instance((SPACE,), None, None, "1.2.3.1.1.1").transfer_syntax_uid == syntax


def test_odd_encodings_are_kept_too(listening, stored):
    """A group length, which nobody writes any more, and a sequence of undefined length are not put right."""
    site = listening()
    plain = data_set_of(file_of(image()))
    odd = bytes.fromhex("08000000") + b"UL" + b"\4\0" + b"\0\0\0\0" + plain[: plain.index(bytes.fromhex("e07f1000"))]
    odd += plain[len(odd) - 12 :]
    assert stored(site, odd) == [0x0000]
    assert data_set_of(kept_file(site)) == odd


def test_the_same_again_is_a_success_and_other_bytes_are_kept_aside(listening, stored):
    site = listening()
    first, other = (data_set_of(file_of(image(StudyDescription=words))) for words in ("Thorax", "Abdomen"))
    assert stored(site, first, first, other) == [0x0000, 0x0000, 0xC010]
    assert [one.status for one in site.received] == [
        ReceivedStatus.STORED,
        ReceivedStatus.ALREADY,
        ReceivedStatus.CONFLICT,
    ]
    assert data_set_of(kept_file(site)) == first


@pytest.mark.parametrize(
    ("forged", "status"),
    [
        ({"sop_uids": ["../../../etc/passwd"]}, 0x0117),
        ({"sop_uids": ["1.2.3.1.1.2"]}, 0xA900),
        ({"sop_class": MRImageStorage}, 0xA900),
        ({"sop_class": MRImageStorage, "context": MRImageStorage}, 0xA900),
    ],
)
def test_what_the_command_says_must_be_what_the_data_set_says(listening, stored, forged, status):
    site = listening()
    assert stored(site, data_set_of(file_of(image())), **forged) == [status]
    assert site.objects.studies(Query(), (SPACE,)) == []


@pytest.mark.parametrize(
    ("damage", "status"),
    [
        (lambda data: data[:-100], 0xC000),
        (lambda data: data[:40], 0xC000),
        (lambda _: b"not DICOM at all, only words", 0xC000),
        (lambda data: data.replace(b"1.2.3.1.1\0", b"../../x..\0"), 0xC000),
    ],
)
def test_damaged_data_sets_are_refused_and_the_association_goes_on(listening, stored, eventually, damage, status):
    site = listening()
    good = data_set_of(file_of(image()))
    assert stored(site, damage(good), good) == [status, 0x0000]
    eventually(lambda: site.of(EventKind.STORED))
    (event,) = site.of(EventKind.STORED)
    assert (event.completed, event.failed, event.succeeded, event.code) == (1, 1, False, "C000")
    assert event.study_uids == ("1.2.3.1",)


def test_an_object_beyond_the_limit_is_refused_and_the_next_is_taken(listening, stored):
    site = listening(limits=Limits(object_bytes=200_000))
    large = data_set_of(file_of(image(size=400)))
    small = data_set_of(file_of(image()))
    assert stored(site, large, small) == [0xA700, 0x0000]


def test_a_large_object_passes_through_a_file(listening, stored, monkeypatch):
    monkeypatch.setattr(bodies, "IN_MEMORY", 1 << 20)
    site = listening()
    large = data_set_of(file_of(image(size=1500)))
    assert stored(site, large, large) == [0x0000, 0x0000]
    assert data_set_of(kept_file(site)) == large


def test_a_full_disk_is_said_and_the_peer_may_try_again(listening, stored, monkeypatch):
    site = listening()
    good = data_set_of(file_of(image()))
    receive, full = site.objects.receive, [RemoteError(DISK_FULL), OSError(errno.ENOSPC, "full")]

    def fills(*args, **more):
        if full:
            raise full.pop()
        return receive(*args, **more)

    monkeypatch.setattr(site.objects, "receive", fills)
    assert stored(site, good, good, good) == [0xA700, 0xA700, 0x0000]


def test_a_peer_that_may_only_read_can_not_store_by_the_context_it_has_for_reading(listening, stored):
    reader = Peer(ae_title="TESTER", networks=("127.0.0.1",), space=SPACE, may=frozenset((May.RETRIEVE,)))
    site = listening(reader)
    assert stored(site, data_set_of(file_of(image()))) == [0x0124]
    assert site.received == []


def test_the_same_uid_in_two_hospitals_is_two_objects(listening, stored):
    other = Peer(ae_title="OTHER", networks=("127.0.0.1",), space="hospital/2", may=frozenset(May))
    mine = Peer(ae_title="TESTER", networks=("127.0.0.1",), space=SPACE, may=frozenset(May))
    site = listening(mine, other)
    ours, theirs = (data_set_of(file_of(image(StudyDescription=words))) for words in ("Thorax", "Abdomen"))
    assert stored(site, ours) == [0]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Caller, "__init__", lambda self, **_: _called_as(self, "OTHER"))
        assert stored(site, theirs) == [0]
    assert data_set_of(kept_file(site)) == ours
    assert [one.space for one in site.received] == [SPACE, "hospital/2"]


def _called_as(caller, title):
    values = {"ae_title": title, "tls": None, "connect_s": 10.0, "idle_s": 60.0, "unit_s": 60.0}
    for name, value in values.items():
        object.__setattr__(caller, name, value)


def test_a_store_without_a_data_set_is_refused(listening, connect):
    site = listening()
    peer = Peer(ae_title="BINGCHENG", networks=(), space=SPACE, may=frozenset(), host="127.0.0.1", port=site.port)
    association = opened(Caller(ae_title="TESTER"), peer, [(CTImageStorage, [EXPLICIT])])
    command = {
        "CommandField": C_STORE,
        "MessageID": 1,
        "AffectedSOPClassUID": CTImageStorage,
        "AffectedSOPInstanceUID": "1.2.3",
        "CommandDataSetType": NO_DATA_SET,
    }
    encoded = encode(command)
    association.wire.write(pdus.data_head(len(encoded), 1, 3) + encoded)
    assert number(association.answer_to(1).command, "Status") == 0xC000
    association.release()


def test_many_associations_store_at_once(listening, stored):
    site = listening()
    done = []

    def one(study):
        files = [data_set_of(file_of(image(study=study, number=n))) for n in range(1, 11)]
        done.append(stored(site, *files, sop_uids=[f"1.2.3.{study}.1.{n}" for n in range(1, 11)]))

    threads = [Thread(target=one, args=(study,)) for study in range(1, 9)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert done == [[0] * 10] * 8
    assert {row.attributes["NumberOfStudyRelatedInstances"] for row in site.objects.studies(Query(), (SPACE,))} == {10}


def test_fragments_of_any_size_and_several_in_one_unit_are_put_together(listening, connect):
    site = listening()
    data = data_set_of(file_of(image()))
    command = encode(
        {
            "CommandField": C_STORE,
            "MessageID": 1,
            "Priority": 0,
            "CommandDataSetType": 1,
            "AffectedSOPClassUID": CTImageStorage,
            "AffectedSOPInstanceUID": "1.2.3.1.1.1",
        }
    )

    def value(piece, control):
        return pdus.VALUE_HEAD.pack(len(piece) + 2, 1, control) + piece

    pieces = [value(command[:30], 1) + value(command[30:], 3) + value(data[:7], 0) + value(b"", 0)]
    pieces += [value(data[7:100], 0) + value(data[100:101], 0), value(data[101:], 2)]
    peer = Peer(ae_title="BINGCHENG", networks=(), space=SPACE, may=frozenset(), host="127.0.0.1", port=site.port)
    association = opened(Caller(ae_title="TESTER"), peer, [(CTImageStorage, [EXPLICIT])])
    for piece in pieces:
        association.wire.write(pdus.HEAD.pack(pdus.DATA, len(piece)) + piece)
    assert number(association.answer_to(1).command, "Status") == 0
    association.release()
    assert data_set_of(kept_file(site)) == data


def test_an_object_that_comes_before_an_earlier_request_is_answered_waits_for_its_turn(listening, connect):
    """Asynchronous operations are not agreed on, but a scanner's next image may cross our report of commitment."""
    site = listening()
    peer = Peer(ae_title="BINGCHENG", networks=(), space=SPACE, may=frozenset(), host="127.0.0.1", port=site.port)
    association = opened(
        Caller(ae_title="TESTER"),
        peer,
        [(CTImageStorage, [EXPLICIT]), ("1.2.840.10008.5.1.4.1.2.2.1", [EXPLICIT])],
    )
    find = {"CommandField": 0x0020, "MessageID": 7, "Priority": 0, "AffectedSOPClassUID": "1.2.840.10008.5.1.4.1.2.2.1"}
    for number_ in range(1, 4):
        site.objects.receive(file_of(image(study=number_)), space=SPACE, origin=Origin(kind="import", peer="test"))
    association.send(association.contexts[3], find, bytes.fromhex("08005200") + b"CS\x06\0STUDY ")
    for place in (8, 9):
        command = {
            "CommandField": C_STORE,
            "MessageID": place,
            "Priority": 0,
            "AffectedSOPClassUID": CTImageStorage,
            "AffectedSOPInstanceUID": f"1.2.3.1.1.{place}",
        }
        association.send(association.contexts[1], command, data_set_of(file_of(image(number=place, size=300))))
    finals = {}
    while len(finals) < 3:
        answer = association.receive().command
        if answer["Status"] not in (0xFF00, 0xFF01):
            finals[answer["MessageIDBeingRespondedTo"]] = answer["Status"]
    association.release()
    assert finals == {7: 0, 8: 0, 9: 0}
    for place in (8, 9):
        assert data_set_of(kept_file(site, f"1.2.3.1.1.{place}")) == data_set_of(file_of(image(number=place, size=300)))
