"""What was begun and not finished does not stay for ever, and what was finished is not lost with its sender."""

from __future__ import annotations

import os
from datetime import UTC, datetime, timedelta

import pytest
from tests.archive.pairing.making import image
from tests.archive.pairing.test_crossing import bytes_of, code, offered, receiving, send, state_of, stored, whats

from bingcheng.archive.pairing import bundles, peers
from bingcheng.archive.pairing.bundles import BundleState
from bingcheng.archive.pairing.receiving import MOST_UNFINISHED
from bingcheng.archive.pairing.staging import FOLDER, Staging
from bingcheng.archive.pairing.sweeping import LEFT_ALONE, finish_imports, sweep
from bingcheng.core.errors import InputError

IMAGES = [image(number) for number in range(3)]
NOW = datetime.now(UTC).replace(tzinfo=None)
WEEKS = timedelta(days=14)


def begun(north, south, now=NOW):
    """A case of which two objects have come."""
    found = offered(north, north.room.publish(north.objects, IMAGES))
    there = receiving(south)
    here = there.begin(found.manifest, found.signature, now)
    for listed in found.content().objects[:2]:
        there.add(here, listed.sha256, 0, bytes_of(north, found, listed))
    return found


def aged(folder, days) -> None:
    """As if it had lain there for so long."""
    then = (datetime.now(UTC) - timedelta(days=days)).timestamp()
    for path in (*folder.rglob("*"), folder):
        os.utime(path, (then, then))


def staged(south) -> list[str]:
    return [one.name for one in (south.workspace.folder / FOLDER).iterdir()]


def test_what_still_comes_is_left_alone(both):
    north, south = both
    found = begun(north, south, NOW - timedelta(days=40))  # begun long ago, and a piece came just now
    assert sweep(south.workspace, NOW, after=WEEKS) == 0
    assert send(north, south, found).state is BundleState.COMPLETE


def test_what_nothing_more_comes_of_is_thrown_away_and_may_begin_again(both):
    north, south = both
    found = begun(north, south, NOW - timedelta(days=20))
    aged(south.workspace.folder / FOLDER, 15)
    assert sweep(south.workspace, NOW, after=timedelta(days=16)) == 0
    assert sweep(south.workspace, NOW, after=WEEKS) == 1
    assert state_of(south, found) is BundleState.ABANDONED
    assert staged(south) == []
    assert whats(south)[-1] == "pairing-case-given-up"
    assert send(north, south, found).state is BundleState.COMPLETE
    assert stored(south, south.room._next - 1) == set(IMAGES)


def test_what_was_given_up_makes_room_for_others(both):
    north, south = both
    found = offered(north, north.room.publish(north.objects, IMAGES)).content()
    there = receiving(south)

    def begin(number: int) -> None:
        written = found.model_copy(update={"name": f"{number:032x}"}).written()
        there.begin(written, north.key.sign(b"bingcheng-case-1\0" + written), NOW - timedelta(days=20))

    for number in range(MOST_UNFINISHED):
        begin(number)
    with pytest.raises(InputError) as raised:
        begin(MOST_UNFINISHED)
    assert code(raised) == "archive.too-much"
    assert sweep(south.workspace, NOW, after=WEEKS) == MOST_UNFINISHED
    begin(MOST_UNFINISHED)
    for number in range(MOST_UNFINISHED - 1):
        begin(number)  # one that was given up may come again
    with pytest.raises(InputError) as raised:
        begin(MOST_UNFINISHED - 1)
    assert code(raised) == "archive.too-much"


def test_what_a_revoked_peer_began_goes_at_once(both):
    north, south = both
    found = begun(north, south)
    with south.workspace.writing() as connection:
        peers.revoke(connection, south.other, NOW)
    assert sweep(south.workspace, NOW, after=WEEKS) == 1
    assert state_of(south, found) is BundleState.ABANDONED
    assert staged(south) == []


def test_what_no_case_belongs_to_is_thrown_away_after_an_hour(both):
    north, south = both
    found = begun(north, south)
    left = Staging.of(south.workspace.folder, 99, "0" * 32).folder
    left.mkdir()
    (left / "x").write_bytes(b"x")
    sweep(south.workspace, NOW, after=WEEKS)
    assert left.exists(), "somebody may be about to use it"
    aged(left, 1)
    sweep(south.workspace, NOW, after=WEEKS)
    assert staged(south) == [f"{south.other}-{found.name}"]


def test_an_installation_that_never_received_anything_has_nothing_to_sweep(both):
    assert sweep(both[1].workspace, NOW, after=WEEKS) == 0


def test_an_import_that_was_broken_off_is_finished_without_its_sender(both):
    north, south = both
    found = begun(north, south)
    there = receiving(south)
    for listed in found.content().objects[2:]:
        there.add(there.known(found.name), listed.sha256, 0, bytes_of(north, found, listed))
    case = there._case(there.known(found.name), found.content(), NOW)  # here the program ended
    finish_imports(south.workspace, south.objects, south.room, NOW + LEFT_ALONE)
    assert south.room.shown == set(), "somebody may be at it"
    finish_imports(south.workspace, south.objects, south.room, NOW + LEFT_ALONE + timedelta(seconds=1))
    assert south.room.shown == {case}
    assert stored(south, case) == set(IMAGES)
    assert state_of(south, found) is BundleState.COMPLETE


def test_an_import_that_can_not_be_finished_keeps_no_other_from_it(both, caplog):
    north, south = both
    found = begun(north, south)
    with south.workspace.writing() as connection:
        here = bundles.bundle(connection, south.other, found.name, incoming=True)
        bundles.move(connection, here.number, BundleState.IMPORTING, NOW, case=1)
    finish_imports(south.workspace, south.objects, south.room, NOW + timedelta(hours=2))
    assert "archive.not-complete" in caplog.text
    assert south.room.shown == set()
