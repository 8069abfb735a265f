"""Who may call from where."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bingcheng.archive.dimse.peers import (
    May,
    Peer,
    add_peer,
    change_peer,
    destination,
    peers,
    peers_titled,
    remove_peer,
    valid_ae_title,
)
from bingcheng.archive.workspace import Workspace
from bingcheng.core.errors import InputError

SCANNER = Peer(
    ae_title="CT1", networks=("192.0.2.0/24",), space="hospital/1", may=frozenset((May.STORE,)), note="Röntgen\0 1"
)


def test_a_peer_is_kept_as_it_was_given(workspace):
    with workspace.writing() as connection:
        kept = add_peer(connection, replace(SCANNER, host="192.0.2.9", port=104, tls=True))
    with workspace.reading() as connection:
        assert peers(connection) == (replace(kept, note="Röntgen 1"),)
        assert kept.number > 0


def test_a_server_keeps_peers_too(postgresql, tmp_path):
    opened = Workspace.open(tmp_path / "w", postgresql)
    with opened.writing() as connection:
        kept = add_peer(connection, SCANNER)
        change_peer(connection, replace(kept, space="hospital/2"))
        assert [one.space for one in peers_titled(connection, "CT1")] == ["hospital/2"]
        remove_peer(connection, kept.number)
        assert peers(connection) == ()
    opened.close()


def test_settings_are_changed_and_peers_forgotten(workspace):
    with workspace.writing() as connection:
        kept = add_peer(connection, SCANNER)
        change_peer(connection, replace(kept, may=frozenset(May), networks=("192.0.2.7",)))
        assert peers(connection, ["hospital/1"])[0].may == frozenset(May)
        assert peers(connection, ["hospital/2"]) == ()
        remove_peer(connection, kept.number)
        with pytest.raises(InputError, match=r"archive\.no-such-peer"):
            remove_peer(connection, kept.number)
        with pytest.raises(InputError, match=r"archive\.no-such-peer"):
            change_peer(connection, kept)


@pytest.mark.parametrize(
    ("wrong", "code"),
    [
        ({"ae_title": ""}, "archive.wrong-ae-title"),
        ({"ae_title": " CT1"}, "archive.wrong-ae-title"),
        ({"ae_title": "A" * 17}, "archive.wrong-ae-title"),
        ({"ae_title": "CT\\1"}, "archive.wrong-ae-title"),
        ({"ae_title": "扫描仪"}, "archive.wrong-ae-title"),
        ({"networks": ("scanner.example",)}, "archive.wrong-network"),
        ({"networks": ("192.0.2.0/33",)}, "archive.wrong-network"),
        ({"host": "192.0.2.1"}, "archive.wrong-port"),
        ({"host": "192.0.2.1", "port": 65536}, "archive.wrong-port"),
        ({"port": 104}, "archive.wrong-port"),
        ({"host": "192.0.2.1", "port": 0}, "archive.wrong-port"),
        ({"host": "192.0.2.1", "port": -1}, "archive.wrong-port"),
        ({"port": 0}, "archive.wrong-port"),
    ],
)
def test_what_can_not_be_a_peer_is_refused(workspace, wrong, code):
    with workspace.writing() as connection, pytest.raises(InputError) as raised:
        add_peer(connection, replace(SCANNER, **wrong))
    assert raised.value.code == code


def test_two_hospitals_may_have_a_scanner_of_one_title_on_different_networks(workspace):
    with workspace.writing() as connection:
        first = add_peer(connection, SCANNER)
        add_peer(connection, replace(SCANNER, networks=("198.51.100.0/24",), space="hospital/2"))
        with pytest.raises(InputError) as raised:
            add_peer(connection, replace(SCANNER, networks=("192.0.2.128/25",), space="hospital/2"))
        assert raised.value.code == "archive.peer-of-other-hospital"
        with pytest.raises(InputError) as raised:
            add_peer(connection, replace(SCANNER, networks=("192.0.2.128/25",)))
        assert raised.value.code == "archive.peer-overlap"
        change_peer(connection, first)  # it may overlap with itself


@pytest.mark.parametrize("narrower", ["192.0.2.7", "::ffff:192.0.2.7", "::ffff:192.0.2.0/120", "0.0.0.0/0"])
def test_no_hospital_draws_another_s_exams_to_itself(workspace, narrower):
    with workspace.writing() as connection:
        add_peer(connection, SCANNER)
        moved = add_peer(connection, replace(SCANNER, networks=("198.51.100.7",), space="hospital/2"))
        for attempt in (
            lambda: add_peer(connection, replace(SCANNER, networks=(narrower,), space="hospital/2")),
            lambda: change_peer(connection, replace(moved, networks=(narrower,))),
        ):
            with pytest.raises(InputError, match=r"archive\.peer-of-other-hospital"):
                attempt()


def test_a_network_of_mapped_addresses_is_the_one_that_it_stands_for():
    mapped = replace(SCANNER, networks=("::ffff:192.0.2.0/120",))
    assert mapped.calls_from("192.0.2.9")
    assert mapped.calls_from("::ffff:192.0.2.9")
    assert not mapped.calls_from("192.0.3.9")


@pytest.mark.parametrize(
    ("address", "own"),
    [
        ("192.0.2.1", True),
        ("192.0.3.1", False),
        ("::ffff:192.0.2.1", True),
        ("2001:db8::1", False),
        ("fe80::1%eth0", False),
    ],
)
def test_a_peer_calls_from_its_networks_only(address, own):
    assert SCANNER.calls_from(address) is own


def test_a_destination_is_looked_for_in_the_own_space(workspace):
    with workspace.writing() as connection:
        add_peer(connection, SCANNER)
        assert destination(connection, "CT1", "hospital/1") is None  # it can't be called
        add_peer(connection, replace(SCANNER, networks=("198.51.100.7",), space="hospital/2", host="h", port=104))
        assert destination(connection, "CT1", "hospital/1") is None
        assert destination(connection, "CT1", "hospital/2").host == "h"


@given(st.text(max_size=18))
@settings(max_examples=60)
def test_a_valid_title_survives_the_sixteen_bytes_of_a_request(title):
    if valid_ae_title(title):
        assert title.encode("ascii").ljust(16).decode("ascii").strip() == title
