"""What opens an association may ask for things that can't be had; they are refused, and the rest is agreed on.

That dcmtk's storescp and Orthanc agree on contexts of an even number, and reject another application than DICOM, was
seen with the units below.
"""

from __future__ import annotations

import struct

import pytest
from tests.archive.dimse.making import ECHO, EXPLICIT, IMPLICIT, data_set_of, echo_request, file_of, image, unit

from bingcheng.archive.dimse import pdus
from bingcheng.archive.dimse.commands import C_STORE, DATA_SET, decode, encode
from bingcheng.archive.dimse.negotiation import (
    ACCEPTED,
    UNKNOWN_SERVICE,
    UNKNOWN_SYNTAX,
    answer,
    read_acceptance,
    read_request,
    request_for,
)
from bingcheng.archive.dimse.opening import DICOM, Answered, Asked, Opening, Role, read, written
from bingcheng.archive.dimse.peers import May

CT = "1.2.840.10008.5.1.4.1.1.2"
LONG = "1.2." + "3" * 70
WANTED = [(ECHO, [IMPLICIT])]


def item(kind, value):
    return struct.pack(">BxH", kind, len(value)) + value


def context(number, abstract, *transfers):
    named = [item(0x30, one.encode("latin-1")) for one in abstract]
    return item(0x20, bytes((number, 0, 0, 0)) + b"".join([*named, *(item(0x40, one) for one in transfers)]))


def request(*contexts, application=DICOM, user=b""):
    user = item(0x50, item(0x51, struct.pack(">I", 16_384)) + user)
    titles = b"BINGCHENG".ljust(16) + b"TESTER".ljust(16) + bytes(32)
    items = item(0x10, application.encode()) + b"".join(contexts) + user
    body = struct.pack(">HH", 1, 0) + titles + items
    return pdus.HEAD.pack(pdus.REQUEST, len(body)) + body


GOOD = context(1, [ECHO], IMPLICIT.encode())
SYNTAX = IMPLICIT.encode()
# What is asked for beside an echo, and what becomes of it.
ODD = {
    "an even number": (context(2, [CT], SYNTAX), 2, ACCEPTED),
    "a class of 74 characters": (context(3, [LONG], SYNTAX), 3, UNKNOWN_SERVICE),
    "no class": (context(3, [], SYNTAX), 3, UNKNOWN_SERVICE),
    "an empty class": (context(3, [""], SYNTAX), 3, UNKNOWN_SERVICE),
    "a class in another script": (context(3, ["1.2.\xff"], SYNTAX), 3, UNKNOWN_SERVICE),
    "a syntax of 74 characters": (context(3, [CT], LONG.encode()), 3, UNKNOWN_SYNTAX),
    "that beside a good one": (context(3, [CT], LONG.encode(), SYNTAX), 3, ACCEPTED),
    "a syntax that is no UID": (context(3, [CT], b"1.2.x"), 3, UNKNOWN_SYNTAX),
    "a syntax in another script": (context(3, [CT], b"1.2.\xff\xfe"), 3, UNKNOWN_SYNTAX),
    "no syntax": (context(3, [CT]), 3, UNKNOWN_SYNTAX),
    "UIDs filled up": (context(3, [CT + "\0"], SYNTAX + b"\0"), 3, ACCEPTED),
    "an item of another kind": (item(0x20, context(3, [CT], SYNTAX)[4:] + item(0x77, b"ab")), 3, ACCEPTED),
}


def results(body):
    """Result and syntax of each context, by number, in an A-ASSOCIATE-AC."""
    at, found = 68, []
    while at < len(body):
        kind, length = struct.unpack_from(">BxH", body, at)
        value = body[at + 4 : at + 4 + length]
        if kind == 0x21:
            found.append((value[0], value[2], value[8:].decode()))
        at += 4 + length
    return found


@pytest.mark.parametrize(("asked", "number", "result"), ODD.values(), ids=ODD)
def test_what_can_not_be_had_is_refused_and_the_rest_agreed_on(listening, connect, asked, number, result):
    connected = connect(listening().port)
    connected.sendall(request(GOOD, asked))
    kind, body = unit(connected)
    assert kind == pdus.ACCEPT
    assert results(body) == [(1, ACCEPTED, IMPLICIT), (number, result, IMPLICIT)]


def test_an_object_comes_in_on_a_context_of_an_even_number(listening, connect):
    site = listening()
    connected = connect(site.port)
    connected.sendall(request(context(4, [CT], EXPLICIT.encode())))
    assert unit(connected)[0] == pdus.ACCEPT
    made = image()
    command = {
        "CommandField": C_STORE,
        "MessageID": 1,
        "Priority": 0,
        "AffectedSOPClassUID": CT,
        "AffectedSOPInstanceUID": str(made.SOPInstanceUID),
        "CommandDataSetType": DATA_SET,
    }
    for control, said in ((pdus.COMMAND | pdus.LAST, encode(command)), (pdus.LAST, data_set_of(file_of(made)))):
        connected.sendall(pdus.data_head(len(said), 4, control) + said)
    kind, body = unit(connected)
    assert (kind, body[4]) == (pdus.DATA, 4)
    assert decode(body[6:])["Status"] == 0


def test_of_two_contexts_of_one_number_the_first_counts(listening, connect):
    connected = connect(listening().port)
    connected.sendall(request(GOOD, context(1, [CT], SYNTAX)))
    assert results(unit(connected)[1]) == [(1, ACCEPTED, IMPLICIT)]
    _, agreed = answer(read_request(request(GOOD, context(1, [CT], SYNTAX))), frozenset(May), private=False)
    assert agreed.contexts[1].abstract_syntax == ECHO


@pytest.mark.parametrize("name", ["1.2.3", LONG])
def test_another_application_than_dicom_is_rejected(listening, connect, name):
    connected = connect(listening().port)
    connected.sendall(request(GOOD, application=name))
    assert unit(connected) == (pdus.REJECT, bytes((0, 1, 1, 2)))


USERS = {
    "role of a class of 74 characters": item(0x54, struct.pack(">H", len(LONG)) + LONG.encode() + b"\1\1"),
    "role that is neither yes nor no": item(0x54, struct.pack(">H", len(CT)) + CT.encode() + b"\2\2"),
    "options of a class of 74 characters": item(0x56, struct.pack(">H", len(LONG)) + LONG.encode() + b"\1"),
    "role of no class": item(0x54, b"\0\0\1\1"),
}


@pytest.mark.parametrize("said", USERS.values(), ids=USERS)
def test_roles_and_options_that_can_not_be_had_are_passed_over(listening, connect, said):
    connected = connect(listening().port)
    connected.sendall(request(GOOD, user=said))
    kind, body = unit(connected)
    assert (kind, results(body)) == (pdus.ACCEPT, [(1, ACCEPTED, IMPLICIT)])


@pytest.mark.parametrize(
    "said",
    [
        item(0x51, b"\0\0"),
        item(0x54, struct.pack(">H", 200) + CT.encode() + b"\1\1"),
        item(0x54, b"\0"),
        item(0x56, b"\0"),
    ],
)
def test_lengths_that_lead_beyond_the_end_are_no_request(listening, connect, said):
    connected = connect(listening().port)
    connected.sendall(request(GOOD, user=said))
    assert unit(connected) == (pdus.ABORT, bytes((0, 0, 2, 6)))


def test_titles_and_what_is_reserved_come_back_as_they_were_sent(listening, connect):
    """PS3.8 Table 9-17: the fields of the request, not tested when received."""
    asked = bytearray(request(GOOD))
    asked[42:74] = bytes(range(32))
    connected = connect(listening().port)
    connected.sendall(asked)
    assert unit(connected)[1][4:68] == bytes(asked[10:74])


def test_a_unit_is_read_as_it_was_written():
    made = Opening(
        titles=bytes(64),
        contexts=(Asked(number=1, abstract_syntax=CT, transfer_syntaxes=(EXPLICIT, IMPLICIT)),),
        longest=131_072,
        roles=(Role(sop_class_uid=CT, scu=False, scp=True),),
        options=((CT, b"\1\0"),),
    )
    assert read(written(pdus.REQUEST, made)) == made
    answered = Opening(titles=bytes(64), results=(Answered(number=1, result=0, transfer_syntax=EXPLICIT),), longest=0)
    assert read(written(pdus.ACCEPT, answered)) == answered


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
