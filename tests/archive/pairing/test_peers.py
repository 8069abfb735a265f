"""Pairing: by cards that nobody could change, fingerprints that people compare, and an end that is one at once."""

from __future__ import annotations

import os
import stat
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from datetime import timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.archive.pairing.conftest import installation, pair
from tests.archive.pairing.making import NOON

from bingcheng.archive.pairing import own_name, peers
from bingcheng.archive.pairing.card import PairingCard, checked_address
from bingcheng.archive.pairing.fingerprint import fingerprint, same_fingerprint
from bingcheng.archive.pairing.key import FILE, InstallationKey
from bingcheng.archive.pairing.permission import Permission
from bingcheng.core.errors import InputError, RefusedError

KEY, OTHER = InstallationKey.new(), InstallationKey.new()
CARD = PairingCard(name="South Hospital", address="https://south.example/b", public=KEY.public)


def code(raised) -> str:
    return raised.value.code


def test_the_key_is_made_once_and_only_its_owner_reads_it(tmp_path):
    with ThreadPoolExecutor(8) as several:
        made = set(several.map(lambda _: InstallationKey.of(tmp_path).identifier, range(16)))
    assert len(made) == 1
    assert [one.name for one in tmp_path.iterdir()] == [FILE]
    if os.name == "posix":
        assert stat.S_IMODE((tmp_path / FILE).stat().st_mode) == 0o600
    assert "private" not in repr(InstallationKey.of(tmp_path))


@pytest.mark.parametrize("content", [b"", b"-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n"])
def test_a_damaged_key_is_not_replaced(tmp_path, content):
    (tmp_path / FILE).write_bytes(content)
    with pytest.raises(InputError) as raised:
        InstallationKey.of(tmp_path)
    assert code(raised) == "archive.unusable-pairing-key"
    assert (tmp_path / FILE).read_bytes() == content


def test_a_fingerprint_is_read_out_in_groups_and_typed_in_any_way():
    groups = fingerprint(KEY.public).split()
    assert [len(group) for group in groups] == [5] * 8
    assert same_fingerprint("-".join(groups), KEY.public)
    assert same_fingerprint("".join(groups).translate(str.maketrans("0123456789", "０１２３４５６７８９")), KEY.public)
    assert not same_fingerprint("", KEY.public)
    assert not same_fingerprint(" ".join(groups[:-1]), KEY.public)
    assert not same_fingerprint(fingerprint(OTHER.public), KEY.public)


def test_a_card_comes_through_a_mail_program():
    text = CARD.as_text(KEY)
    folded = "\r\n".join(text[at : at + 60] for at in range(0, len(text), 60))
    assert PairingCard.read(f"  {folded}\n") == CARD


@settings(max_examples=80)
@given(st.integers(0, 10_000), st.sampled_from("Ab0_-."))
def test_a_card_that_was_changed_is_none(at, letter):
    text = CARD.as_text(KEY)
    place = at % len(text)
    changed = text[:place] + letter + text[place + 1 :]
    with suppress(InputError):
        assert PairingCard.read(changed) == CARD, "only bits that fill up the last letter may differ"


@pytest.mark.parametrize(
    "text", ["", "x", "bingcheng-pairing-1:", "bingcheng-pairing-1:e30.e30", "bingcheng-pairing-1:é.é"]
)
def test_what_is_no_card_is_said_to_be_none(text):
    with pytest.raises(InputError) as raised:
        PairingCard.read(text)
    assert code(raised) == "archive.wrong-pairing-card"


def test_a_card_is_signed_by_the_key_that_it_names():
    with pytest.raises(InputError):
        PairingCard.read(CARD.as_text(OTHER))


@pytest.mark.parametrize(
    "address",
    [
        "http://x",
        "https://",
        "https://u:p@x",
        "https://x?y",
        "https://x#y",
        "https://x y",
        "file:///x",
        "https://x\n",
        "https://[",
        None,
    ],
)
def test_an_address_is_a_server_reached_by_tls(address):
    with pytest.raises(InputError) as raised:
        checked_address(address)
    assert code(raised) == "archive.wrong-peer-address"
    assert checked_address("https://x:8443/b/") == "https://x:8443/b"


def test_nothing_passes_before_the_fingerprints_were_compared(tmp_path):
    here = installation(tmp_path / "here", "here")
    with here.workspace.writing() as connection:
        number = peers.propose(connection, CARD, here.key, NOON)
        assert peers.peer_of_key(connection, KEY.identifier) is None
        with pytest.raises(InputError) as raised:
            peers.confirm(connection, number, fingerprint(OTHER.public), by=1, now=NOON)
        assert code(raised) == "archive.fingerprint-differs"
        assert peers.peer_of_key(connection, KEY.identifier) is None
        peers.confirm(connection, number, fingerprint(KEY.public), by=1, now=NOON)
        assert peers.peer_of_key(connection, KEY.identifier).may == frozenset(), "nothing is allowed by itself"
    with here.workspace.writing() as connection, pytest.raises(InputError) as raised:
        peers.propose(connection, CARD, here.key, NOON)
    assert code(raised) == "archive.already-paired"
    with here.workspace.writing() as connection, pytest.raises(InputError) as raised:
        peers.propose(connection, here.card, here.key, NOON)
    assert code(raised) == "archive.own-pairing-card"
    here.workspace.close()


def admitted(one, nonce, created=NOON, now=NOON):
    peer = one.peer()
    with one.workspace.writing() as connection:
        peers.admit(connection, peer, created=created, nonce=nonce, now=now)


def test_a_message_is_let_in_once(both):
    north, _ = both
    admitted(north, "a")
    with pytest.raises(RefusedError) as raised:
        admitted(north, "a")
    assert code(raised) == "archive.replayed"
    admitted(north, "b")


def test_a_message_of_a_fast_clock_is_let_in_once_as_long_as_its_time_would_do(both):
    north, _ = both
    fast, slow_later = NOON + peers.SKEW, NOON + 2 * peers.SKEW
    admitted(north, "a", fast, NOON)
    with pytest.raises(RefusedError) as raised:
        admitted(north, "a", fast, slow_later)
    assert code(raised) == "archive.replayed"


def test_a_message_of_another_time_is_refused(both):
    north, _ = both
    for seconds in (-301, 301):
        with pytest.raises(RefusedError) as raised:
            admitted(north, f"n{seconds}", NOON + timedelta(seconds=seconds))
        assert code(raised) == "archive.clocks-differ"


def test_old_nonces_are_forgotten_and_their_messages_stay_out(both):
    north, _ = both
    admitted(north, "a")
    later = NOON + timedelta(hours=1)
    admitted(north, "b", later, later)
    with pytest.raises(RefusedError) as raised:
        admitted(north, "a", NOON, later)
    assert code(raised) == "archive.clocks-differ"


def test_a_revoked_peer_is_out_at_once_and_for_good(both):
    north, south = both
    found = north.peer()
    with north.workspace.writing() as connection:
        peers.revoke(connection, north.other, NOON)
    with north.workspace.writing() as connection, pytest.raises(RefusedError) as raised:
        peers.admit(connection, found, created=NOON, nonce="x", now=NOON)
    assert code(raised) == "archive.not-paired"
    with north.workspace.writing() as connection:
        assert peers.peer_of_key(connection, south.key.identifier) is None
        peers.confirm(connection, north.other, fingerprint(south.key.public), by=1, now=NOON)
        assert not peers.peer(connection, north.other).active


def test_certificates_and_pins_are_checked_when_they_are_given(both):
    north, _ = both
    for wrong in ({"authority": "no certificate"}, {"pin": "12"}, {"pin": "g" * 64}):
        with north.workspace.writing() as connection, pytest.raises(InputError) as raised:
            peers.change(connection, north.other, address="https://x", may=(), **wrong)
        assert code(raised) == "archive.wrong-pin"
    with north.workspace.writing() as connection:
        pin = ":".join(["AB"] * 32)
        peers.change(connection, north.other, address="https://x", may=[Permission.PULL_CASES], pin=pin)
        assert peers.peer(connection, north.other).pin == "ab" * 32


def test_an_installation_has_a_name(both):
    north, _ = both
    with north.workspace.writing() as connection:
        assert own_name.own_name(connection) == "Bingcheng"
        own_name.keep(connection, "  North \n Hospital ")
        assert own_name.own_name(connection) == "North Hospital"
        own_name.keep(connection, "")
        assert own_name.own_name(connection) == "Bingcheng"


def test_a_server_keeps_peers_too(postgresql, tmp_path):
    north, south = installation(tmp_path / "n", "north", postgresql), installation(tmp_path / "s", "south")
    pair(north, south)
    admitted(north, "a")
    with pytest.raises(RefusedError):
        admitted(north, "a")
    assert north.peer().heard_at == NOON
    north.workspace.close()
    south.workspace.close()
