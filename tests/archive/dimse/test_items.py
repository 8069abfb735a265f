"""What opens an association may hold items that nobody here knows (PS3.8 9.3, D.2)."""

from __future__ import annotations

import struct

import pytest
from tests.archive.dimse.making import ECHO, IMPLICIT, echo_request, unit

from bingcheng.archive.dimse import pdus
from bingcheng.archive.dimse.negotiation import read_acceptance, read_request, request_for

WANTED = [(ECHO, [IMPLICIT])]


def item(kind, value):
    return struct.pack(">BxH", kind, len(value)) + value


UNKNOWN = {
    "unknown kind": (b"", item(0x5F, b"abcd")),
    "kind of a later edition": (b"", item(0xFE, b"")),
    "unknown item beside the others": (item(0x70, b"abcd"), b""),
    "identity of an unknown kind": (b"", item(0x58, b"\x09\x01\x00\x04user\x00\x00")),
    "long name of a version": (b"", item(0x55, b"VERSION_2026_BUILD_1")),
    "name of a version in another script": (b"", item(0x55, "冰".encode())),
}


def with_more(opening, beside, within):
    """An opening unit with one more item at its end, and one within the last, that of the user."""
    at = opening.rindex(b"\x50\x00")  # the head of that item
    (length,) = struct.unpack_from(">H", opening, at + 2)
    assert at + 4 + length == len(opening)
    made = opening[6:at] + item(0x50, opening[at + 4 :] + within) + beside
    return pdus.HEAD.pack(opening[0], len(made)) + made


@pytest.mark.parametrize(("beside", "within"), UNKNOWN.values(), ids=UNKNOWN)
def test_nobody_is_turned_away_for_an_item_that_is_not_known(listening, connect, beside, within):
    connected = connect(listening().port)
    connected.sendall(with_more(echo_request(), beside, within))
    assert unit(connected)[0] == pdus.ACCEPT


@pytest.mark.parametrize(("beside", "within"), UNKNOWN.values(), ids=UNKNOWN)
def test_a_peer_that_we_call_may_answer_with_items_that_are_not_known(listening, connect, beside, within):
    connected = connect(listening().port)
    connected.sendall(echo_request())
    kind, body = unit(connected)
    accept = pdus.HEAD.pack(kind, len(body)) + body
    known = read_acceptance(accept, WANTED)
    found = read_acceptance(with_more(accept, beside, within), WANTED)
    assert (dict(found.contexts), found.longest_out) == (dict(known.contexts), known.longest_out)
    assert list(found.contexts) == [1]


def test_titles_may_be_filled_up_with_zeros(listening, connect):
    request = bytearray(echo_request())
    request[10:42] = b"BINGCHENG".ljust(16, b"\0") + b"TESTER".ljust(16, b"\0")
    connected = connect(listening().port)
    connected.sendall(request)
    assert unit(connected)[0] == pdus.ACCEPT


def test_an_item_that_leads_beyond_the_end_is_no_request():
    request = request_for("BINGCHENG", "TESTER", WANTED)
    for damaged in (request + item(0x70, b"abcd")[:3], request + item(0x70, b"abcd")[:-1]):
        with pytest.raises(ValueError, match="an item"):
            read_request(damaged)
