"""A case from one installation's archive into the other's: once, whole, byte for byte, and gone when withdrawn."""

from __future__ import annotations

import dataclasses
import hashlib
from datetime import timedelta
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.archive.deidentify.making import ct, written
from tests.archive.pairing.conftest import installation, pair
from tests.archive.pairing.making import CONTENT, NOON, changed, deidentification, image

from bingcheng.archive.audit.trail import Asked, events, verify
from bingcheng.archive.objects.query import Query
from bingcheng.archive.pairing import bundles, offering, peers, received_numbers, transfers
from bingcheng.archive.pairing.bundles import BundleState
from bingcheng.archive.pairing.key import verified
from bingcheng.archive.pairing.manifest import ListedObject
from bingcheng.archive.pairing.numbers import HospitalNumbers, NumbersDocument, counts
from bingcheng.archive.pairing.receiving import MOST_UNFINISHED, Receiving
from bingcheng.archive.pairing.staging import Staging
from bingcheng.archive.pairing.transfers import MOST_TRIES, Errand, TransferKind, TransferState
from bingcheng.core.errors import InputError, RefusedError
from bingcheng.core.wording import text

IMAGES = [image(number) for number in range(3)]


def offered(north, case, *, push=True, check=True, until=None):
    """The bundle of a case of the north for the south."""
    with north.workspace.reading() as connection:
        bundle = north.room.export_case(connection, case)
    instances = [
        one
        for study in {str(i.study_uid) for i in _all(north, bundle.space)}
        for one in north.objects.instances_of([bundle.space], study)
    ]
    manifest = offering.manifest_of(bundle, instances, north.key.identifier)
    with north.workspace.writing() as connection:
        offering.offer(connection, north.key, north.other, manifest, case, NOON, push=push, until=until)
        found = bundles.bundle(connection, north.other, manifest.name, incoming=False)
    if check:
        offering.check_bundle(north.objects, found)
        with north.workspace.writing() as connection:
            bundles.move(connection, found.number, BundleState.OFFERED, NOON)
            found = bundles.bundle(connection, north.other, manifest.name, incoming=False)
    return found


def _all(one, space):
    return one.objects.studies(Query(), [space])


def receiving(south) -> Receiving:
    return Receiving(workspace=south.workspace, objects=south.objects, room=south.room, peer=south.peer())


def bytes_of(north, found, listed) -> bytes:
    with north.objects.open_bytes(offering.instance_of(north.objects, found, listed)) as stream:
        return stream.read()


def send(north, south, found, piece=10_000):
    """All pieces, as a courier brings them."""
    there = receiving(south)
    here = there.begin(found.manifest, found.signature, NOON)
    missing = there.missing(here)
    for listed in found.content().objects:
        data, have = bytes_of(north, found, listed), missing.get(listed.sha256, listed.size)
        while have < listed.size:
            have = there.add(here, listed.sha256, have, data[have : have + piece])
    return there.complete(found.name, NOON)


def stored(south, case) -> set[bytes]:
    space = f"case/{case}"
    found = [one for study in _all(south, space) for one in south.objects.instances_of([space], study.study_uid)]
    return {south.objects.path(one).read_bytes() for one in found}


def state_of(south, found) -> BundleState:
    return bundle_of(south, found, incoming=True).state


def bundle_of(one, found, *, incoming: bool):
    with one.workspace.reading() as connection:
        return bundles.bundle(connection, one.other, found.name, incoming=incoming)


def whats(one) -> list[str]:
    with one.workspace.reading() as connection:
        verify(connection)
        return [found.event.what for found in events(connection, Asked())][::-1]


def code(raised) -> str:
    return raised.value.code


def test_a_case_crosses_byte_for_byte_and_both_trails_say_so(both):
    north, south = both
    found = offered(north, north.room.publish(north.objects, IMAGES))
    with north.workspace.writing() as connection:
        offering.gave(connection, north.peer(), found, NOON)
    done = send(north, south, found)
    assert done.state is BundleState.COMPLETE
    assert stored(south, done.case) == set(IMAGES)
    assert south.room.imported[done.case] == CONTENT
    assert south.room.shown == {done.case}
    assert whats(south) == ["pairing-case-begun", "pairing-case-received"]
    assert whats(north) == ["pairing-case-given"]
    assert not Staging.of(south.workspace.folder, south.other, found.name).folder.exists()


def test_the_same_case_twice_is_one(both):
    north, south = both
    found = offered(north, north.room.publish(north.objects, IMAGES))
    first = send(north, south, found)
    assert send(north, south, found) == first
    assert receiving(south).complete(found.name, NOON) == first
    assert south.room.finished == 1
    assert offered(north, found.case, check=False).number == found.number, "nor is it offered twice"


def test_a_later_version_goes_into_the_same_case(both):
    north, south = both
    case = north.room.publish(north.objects, IMAGES)
    first = send(north, south, offered(north, case))
    north.room.published[case] = changed(north.room.published[case], title="A metastasis of the liver")
    second = send(north, south, offered(north, case))
    assert second.case == first.case
    assert second.name != first.name
    assert south.room.imported[first.case].title == "A metastasis of the liver"


def test_other_content_under_the_same_name_is_refused(both):
    north, south = both
    case = north.room.publish(north.objects, IMAGES)
    found = offered(north, case)
    send(north, south, found)
    with north.workspace.writing() as connection:
        offering.gave(connection, north.peer(), found, NOON)
    updated = deidentification(len(IMAGES)).model_copy(update={"program": "Bingcheng of a later release"})
    north.room.published[case] = dataclasses.replace(north.room.published[case], deidentification=updated)
    assert offered(north, case, check=False).manifest == found.manifest, "the same case by another release"
    north.room.published[case] = dataclasses.replace(changed(north.room.published[case], title="Another"), version=1)
    with pytest.raises(InputError) as raised:
        offered(north, case)
    assert code(raised) == "archive.other-content"
    other = found.content().model_copy(update={"content": CONTENT.model_copy(update={"title": "Another"})}).written()
    with pytest.raises(InputError) as raised:
        receiving(south).begin(other, north.key.sign(offering.PURPOSE + other), NOON)
    assert code(raised) == "archive.other-content"


def test_what_nobody_has_had_yet_is_offered_as_it_is_now_and_looked_through_again(both):
    north, _ = both
    case = north.room.publish(north.objects, IMAGES)
    found = offered(north, case, push=False)
    north.room.published[case] = dataclasses.replace(changed(north.room.published[case], title="Another"), version=1)
    again = offered(north, case, push=False, check=False)
    assert (again.number, again.state) == (found.number, BundleState.CHECKING)
    assert again.content().content.title == "Another"
    assert verified(north.key.public, again.signature, offering.PURPOSE + again.manifest)


@settings(max_examples=12)
@given(st.lists(st.tuples(st.sampled_from([0, -5, 3]), st.integers(1, 400)), max_size=20))
def test_pieces_in_any_order_and_size_make_the_same_object(several):
    with TemporaryDirectory() as folder:
        staging, have = Staging(Path(folder) / "one"), 0
        for off, length in [*several, *[(0, 200)] * 6]:
            offset = max(0, have + off)
            piece = CONTENT_BYTES[offset : offset + length]
            told = staging.add(DUMMY, offset, piece)
            assert told == (have + len(piece) if offset == have else have)
            have = told
        assert staging.is_true(DUMMY)


def _dummy():
    content = bytes(range(256)) * 4
    digest = hashlib.sha256(content).hexdigest()
    return content, ListedObject(
        sop_uid="2.25.1", sop_class_uid="1.2.3", study_uid="2.25.2", series_uid="2.25.3", size=1024, sha256=digest
    )


CONTENT_BYTES, DUMMY = _dummy()


def test_a_piece_beyond_the_end_is_not_kept(tmp_path):
    staging = Staging(tmp_path)
    assert staging.add(DUMMY, 0, CONTENT_BYTES + b"more") == 0
    assert staging.have(DUMMY) == 0


def test_a_bit_that_flipped_is_found_and_sent_again(both):
    north, south = both
    found = offered(north, north.room.publish(north.objects, IMAGES))
    there = receiving(south)
    here = there.begin(found.manifest, found.signature, NOON)
    for number, listed in enumerate(found.content().objects):
        data = bytearray(bytes_of(north, found, listed))
        if number == 1:
            data[500] ^= 1
        there.add(here, listed.sha256, 0, bytes(data))
    with pytest.raises(InputError) as raised:
        there.complete(found.name, NOON)
    assert code(raised) == "archive.wrong-digest"
    assert list(there.missing(here)) == [found.content().objects[1].sha256]
    assert send(north, south, found).state is BundleState.COMPLETE
    assert stored(south, south.room._next - 1) == set(IMAGES)


def test_an_incomplete_case_is_not_imported(both):
    north, south = both
    found = offered(north, north.room.publish(north.objects, IMAGES))
    there = receiving(south)
    there.begin(found.manifest, found.signature, NOON)
    with pytest.raises(InputError) as raised:
        there.complete(found.name, NOON)
    assert code(raised) == "archive.not-complete"
    assert south.room.imported == {}


def test_a_case_of_somebody_else_is_refused(both):
    north, south = both
    found = offered(north, north.room.publish(north.objects, IMAGES))
    there = receiving(south)
    for signature in (
        b"",
        bytes(64),
        south.key.sign(offering.PURPOSE + found.manifest),
        north.key.sign(found.manifest),
    ):
        with pytest.raises(InputError) as raised:
            there.begin(found.manifest, signature, NOON)
        assert code(raised) == "archive.not-whitelisted"
    third = found.content().model_copy(update={"origin": "c" * 64}).written()
    with pytest.raises(InputError) as raised:
        there.begin(third, north.key.sign(offering.PURPOSE + third), NOON)
    assert "third" in str(raised.value)


def identified() -> bytes:
    return written(ct(SOPInstanceUID="1.2.276.0.7230010.3.1.4.77.99"))


def test_an_identified_object_leaves_neither_and_enters_neither(both):
    north, south = both
    case = north.room.publish(north.objects, [*IMAGES, identified()])
    with pytest.raises(InputError) as raised:
        offered(north, case)
    assert code(raised) == "archive.not-whitelisted"
    # A sender that does not look is looked after by the receiver.
    found = offered(north, case, check=False)
    with pytest.raises(InputError) as raised:
        send(north, south, found)
    assert code(raised) == "archive.not-whitelisted"
    assert south.room.imported == {}
    assert whats(south)[-1] == "pairing-case-refused"
    assert not Staging.of(south.workspace.folder, south.other, found.name).folder.exists()
    with pytest.raises(InputError) as raised:
        receiving(south).begin(found.manifest, found.signature, NOON)
    assert "refused before" in str(raised.value)


def test_a_withdrawn_case_is_withdrawn_there_and_does_not_come_back(both):
    north, south = both
    case = north.room.publish(north.objects, IMAGES)
    found = offered(north, case)
    done = send(north, south, found)
    with north.workspace.writing() as connection:
        assert offering.withdraw(connection, case, NOON) == 1
        assert offering.offered(connection, north.peer(), NOON) == ()
        queue = transfers.transfers_of(connection, north.other)
        with pytest.raises(InputError):
            offering.given_bundle(connection, north.peer(), found.name, NOON)
    assert queue[0].kind is TransferKind.WITHDRAW
    assert queue[1].state is TransferState.FAILED, "what waited to be sent is not sent"
    there = receiving(south)
    there.withdraw(found.name, NOON)
    there.withdraw(found.name, NOON)
    assert south.room.shown == set()
    for again in (lambda: there.begin(found.manifest, found.signature, NOON), lambda: there.complete(found.name, NOON)):
        with pytest.raises(InputError) as raised:
            again()
        assert code(raised) == "archive.withdrawn-case"
    with north.workspace.writing() as connection:
        latest = bundles.given_of_case(connection, case)[0]
        offering.confirmed_withdrawal(connection, latest, NOON)
        assert bundles.given_of_case(connection, case)[0].state is BundleState.WITHDRAWN
        assert offering.withdraw(connection, case, NOON) == 0
    assert done.case not in south.room.shown


def test_a_withdrawal_that_comes_first_keeps_the_case_out(both):
    north, south = both
    found = offered(north, north.room.publish(north.objects, IMAGES))
    receiving(south).withdraw(found.name, NOON)
    with pytest.raises(InputError) as raised:
        send(north, south, found)
    assert code(raised) == "archive.withdrawn-case"


def test_a_case_withdrawn_while_it_comes_is_not_shown(both, monkeypatch):
    north, south = both
    found = offered(north, north.room.publish(north.objects, IMAGES))
    there = receiving(south)
    receive = south.objects.receive

    def withdrawn_meanwhile(*arguments, **more):
        there.withdraw(found.name, NOON)
        monkeypatch.setattr(south.objects, "receive", receive)
        return receive(*arguments, **more)

    monkeypatch.setattr(south.objects, "receive", withdrawn_meanwhile)
    with pytest.raises(InputError):
        send(north, south, found)
    assert south.room.shown == set()


def test_an_offer_ends_and_is_renewed_by_giving_the_case_once_more(both):
    north, _ = both
    case, day = north.room.publish(north.objects, IMAGES), timedelta(days=1)
    found = offered(north, case, push=False, until=NOON + day)
    with north.workspace.writing() as connection:
        peer = north.peer()
        assert offering.given_bundle(connection, peer, found.name, NOON + day / 2) == found
        assert offering.offered(connection, peer, NOON + day) == ()
        with pytest.raises(InputError) as raised:  # before anybody has tidied up
            offering.given_bundle(connection, peer, found.name, NOON + day)
        assert code(raised) == "archive.offer-ended"
        assert offering.end_offers(connection, NOON + day / 2) == 0
        assert offering.end_offers(connection, NOON + day) == 1
        assert offering.end_offers(connection, NOON + day) == 0
        with pytest.raises(InputError) as raised:
            offering.given_bundle(connection, peer, found.name, NOON + day)
        assert code(raised) == "archive.offer-ended"
    assert bundle_of(north, found, incoming=False).state is BundleState.EXPIRED
    assert whats(north) == ["pairing-offer-ended"]
    again = offered(north, case, push=False, until=NOON + 3 * day)
    with north.workspace.reading() as connection:
        assert offering.offered(connection, north.peer(), NOON + 2 * day) == (again,)


def test_a_case_that_was_given_stays_given_and_is_withdrawn_though_its_time_is_over(both):
    north, _ = both
    case, day = north.room.publish(north.objects, IMAGES), timedelta(days=1)
    found = offered(north, case, push=False, until=NOON + day)
    with north.workspace.writing() as connection:
        offering.gave(connection, north.peer(), found, NOON)
        assert offering.end_offers(connection, NOON + 2 * day) == 0
        with pytest.raises(InputError) as raised:
            offering.given_bundle(connection, north.peer(), found.name, NOON + 2 * day)
        assert code(raised) == "archive.offer-ended"
        assert offering.withdraw(connection, case, NOON + 2 * day) == 1


def test_a_withdrawal_waits_for_nothing_that_is_being_sent(both):
    north, _ = both
    with north.workspace.writing() as connection:
        transfers.ask(connection, north.other, TransferKind.PUSH, NOON, "a" * 32)
        number = transfers.ask(connection, north.other, TransferKind.WITHDRAW, NOON, "b" * 32)
        carried, withdrawn = Errand(north.other, False), Errand(north.other, True)
        assert set(transfers.due(connection, NOON)) == {carried, withdrawn}
        assert transfers.take(connection, NOON, withdrawn).number == number
        assert transfers.take(connection, NOON, withdrawn) is None
        assert transfers.take(connection, NOON, Errand(north.other + 1, False)) is None
        sent = transfers.take(connection, NOON, carried)
        transfers.put_back(connection, sent.number)
        assert transfers.transfer(connection, sent.number).state is TransferState.WAITING
        assert transfers.transfer(connection, number).state is TransferState.RUNNING, "only the one that stopped"


def test_a_peer_that_was_revoked_brings_nothing_more(both):
    north, south = both
    found = offered(north, north.room.publish(north.objects, IMAGES))
    there = receiving(south)
    here = there.begin(found.manifest, found.signature, NOON)
    for listed in found.content().objects:
        there.add(here, listed.sha256, 0, bytes_of(north, found, listed))
    with south.workspace.writing() as connection:
        peers.revoke(connection, south.other, NOON)
    for step in (lambda: there.complete(found.name, NOON), lambda: there.withdraw(found.name, NOON)):
        with pytest.raises(RefusedError):
            step()
    assert south.room.imported == {}


def test_a_peer_can_not_begin_without_end(both):
    north, south = both
    found = offered(north, north.room.publish(north.objects, IMAGES)).content()
    there = receiving(south)
    several = [found.model_copy(update={"name": f"{number:032x}"}).written() for number in range(MOST_UNFINISHED + 1)]
    signatures = [north.key.sign(offering.PURPOSE + one) for one in several]
    for one, signature in zip(several[:-1], signatures, strict=False):
        there.begin(one, signature, NOON)
    with pytest.raises(InputError) as raised:
        there.begin(several[-1], signatures[-1], NOON)
    assert code(raised) == "archive.too-much"


def test_an_object_that_the_manifest_does_not_list_is_not_taken(both):
    north, south = both
    found = offered(north, north.room.publish(north.objects, IMAGES))
    there = receiving(south)
    here = there.begin(found.manifest, found.signature, NOON)
    with pytest.raises(InputError) as raised:
        there.add(here, "0" * 64, 0, b"x")
    assert code(raised) == "archive.not-found"


def numbers_of(key, minute=0, hospitals=()) -> tuple[bytes, bytes]:
    made = NumbersDocument(
        format="bingcheng-numbers-1", origin=key.identifier, made_at=f"2026-03-02T12:{minute:02d}Z", hospitals=hospitals
    )
    return made.written(), key.sign(received_numbers.PURPOSE + made.written())


def test_numbers_are_kept_once_and_never_set_back(both):
    north, south = both
    late = numbers_of(north.key, 5, (HospitalNumbers(name="North", counts=counts(71, 0, 0)),))
    with south.workspace.writing() as connection:
        peer = peers.peer(connection, south.other)
        for document in (late, numbers_of(north.key, 4), late):
            kept = received_numbers.keep(connection, peer, *document, NOON)
            assert kept.hospitals[0].counts.passed == 70
        (only,) = received_numbers.received(connection)
    assert only.document.made_at == "2026-03-02T12:05Z"
    assert whats(south) == ["pairing-numbers-received"]


def test_numbers_of_somebody_else_are_refused(both):
    north, south = both
    written, signature = numbers_of(north.key)
    with south.workspace.writing() as connection:
        peer = peers.peer(connection, south.other)
        for wrong in ((written, bytes(64)), (written, north.key.sign(written)), (written + b" ", signature)):
            with pytest.raises(InputError) as raised:
                received_numbers.keep(connection, peer, *wrong, NOON)
            assert code(raised) == "archive.not-whitelisted"
        third, _ = numbers_of(south.key)
        with pytest.raises(InputError):
            received_numbers.keep(connection, peer, third, north.key.sign(received_numbers.PURPOSE + third), NOON)


def test_the_queue_tries_ever_more_slowly_and_ends(both):
    north, _ = both
    waits = [transfers.wait_s(tries) for tries in range(1, MOST_TRIES)]
    assert 11 <= waits[0] <= 15
    assert all(0.75 * 6 * 3600 <= wait <= 6 * 3600 for wait in waits[12:])
    assert sum(waits) > 6 * 86_400
    with north.workspace.writing() as connection:
        number = transfers.ask(connection, north.other, TransferKind.GREET, NOON)
        assert transfers.ask(connection, north.other, TransferKind.GREET, NOON) == number
        taken = transfers.take(connection, NOON)
        assert transfers.take(connection, NOON) is None
        transfers.fail(connection, taken, text("busy"), NOON, again=True)
        assert transfers.take(connection, NOON) is None, "not before its time"
        transfers.retry(connection, number, NOON)
        again = transfers.take(connection, NOON)
        assert again.tries == 1
        transfers.give_back(connection)
        assert transfers.take(connection, NOON).number == number
        last = dataclasses.replace(again, tries=MOST_TRIES)
        transfers.fail(connection, last, text("busy"), NOON, again=True)
        assert transfers.transfer(connection, number).state is TransferState.FAILED


def test_a_server_carries_cases_too(postgresql, tmp_path):
    north, south = (
        installation(tmp_path / "n", "north", first=1),
        installation(tmp_path / "s", "south", postgresql, 101),
    )
    pair(north, south)
    found = offered(north, north.room.publish(north.objects, IMAGES))
    done = send(north, south, found)
    assert stored(south, done.case) == set(IMAGES)
    with south.workspace.writing() as connection:
        number = transfers.ask(connection, south.other, TransferKind.PULL, NOON, found.name)
        assert transfers.take(connection, NOON).number == number
    for one in (north, south):
        one.objects.close()
        one.workspace.close()
