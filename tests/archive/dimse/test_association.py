"""Messages put together and taken apart, over a pair of sockets."""

from __future__ import annotations

import io
import socket
import threading

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.archive.dimse.making import ECHO, EXPLICIT, unit

from bingcheng.archive.dimse import pdus
from bingcheng.archive.dimse.association import MANY_WAITING, SHORTEST_UNIT, Association, Context
from bingcheng.archive.dimse.body import Body
from bingcheng.archive.dimse.commands import C_CANCEL, C_ECHO, C_STORE, NO_DATA_SET, encode
from bingcheng.archive.dimse.endings import INVALID_PARAMETER, UNEXPECTED_PDU, Ended, Ending
from bingcheng.archive.dimse.negotiation import answer, read_request, request_for
from bingcheng.archive.dimse.peers import May
from bingcheng.archive.dimse.wire import Wire

CONTEXT = Context(number=1, abstract_syntax=ECHO, transfer_syntax=EXPLICIT)


def made(connected, longest_out=16_384):
    wire = Wire(connected, idle_s=2, unit_s=2)
    return Association(wire=wire, contexts={1: CONTEXT}, longest_out=longest_out, objects=Body(None, 1 << 30))


@pytest.fixture
def pair():
    one, other = socket.socketpair()
    yield made(one), made(other)
    one.close()
    other.close()


def store(number):
    return {"CommandField": C_STORE, "MessageID": number, "AffectedSOPInstanceUID": f"1.2.{number}"}


@given(st.binary(max_size=5000), st.just(0) | st.integers(128, 3000), st.booleans())
@settings(max_examples=40)
def test_a_data_set_of_any_length_arrives_whole_in_units_of_any_length(data, longest_out, as_file):
    one, other = socket.socketpair()
    with one, other:
        us, them = made(one, longest_out), made(other)
        us.send(CONTEXT, store(1), io.BytesIO(data) if as_file else data)
        came = them.receive()
        assert bytes(came.body.data()) == data
        assert came.command["MessageID"] == 1


class _Worn(io.BytesIO):
    """A file on a disk that can't be read to its end."""

    def read(self, size=-1):
        if self.tell() > 500:
            raise OSError("input/output error")
        return super().read(size)


def test_an_object_that_can_not_be_read_to_its_end_ends_the_association_with_it(pair):
    us, them = pair
    us.longest_out = 400
    with pytest.raises(Ended):
        us.send(CONTEXT, store(1), _Worn(bytes(5000)))
    with pytest.raises(Ended) as ended:
        them.receive()
    assert ended.value.ending is Ending.ABORTED


@pytest.mark.parametrize("longest_out", [SHORTEST_UNIT, 9, 60, 1000, 2**32 - 1])
@pytest.mark.parametrize("size", [0, 80, 5500])
def test_no_unit_is_longer_than_the_other_side_takes(longest_out, size):
    one, other = socket.socketpair()
    with one, other:

        def say():
            made(one, longest_out).send(CONTEXT, store(1), bytes(size) if size else None)
            one.shutdown(socket.SHUT_WR)

        sending = threading.Thread(target=say)  # small units fill what the kernel keeps
        sending.start()
        lengths, came = [], []
        while head := other.recv(6, socket.MSG_WAITALL):
            kind, length = pdus.HEAD.unpack(head)
            assert kind == pdus.DATA
            of_value, _, control = pdus.VALUE_HEAD.unpack_from(other.recv(length, socket.MSG_WAITALL))
            assert of_value + 4 == length
            lengths.append(length)
            came.append(control)
        assert max(lengths) <= longest_out
        assert not any(length % 2 for length in lengths)
        assert [one for one in came if one & pdus.LAST] == [pdus.COMMAND | pdus.LAST, pdus.LAST][: 1 + bool(size)]
        sending.join()


@pytest.mark.parametrize("longest_out", range(1, SHORTEST_UNIT))
def test_nothing_is_sent_to_one_that_takes_no_unit_in_which_anything_can_be_said(longest_out):
    one, other = socket.socketpair()
    with one, other:
        with pytest.raises(Ended) as ended:
            made(one, longest_out).send(CONTEXT, store(1), bytes(80))
        assert ended.value.ending is Ending.VIOLATED
        other.setblocking(False)
        with pytest.raises(BlockingIOError):
            other.recv(1)


def test_messages_that_come_early_keep_their_data_sets(pair):
    us, them = pair
    for number in (1, 2):
        them.send(CONTEXT, store(number), bytes((number,)) * 3000)
    them.send(CONTEXT, {"CommandField": C_CANCEL, "MessageIDBeingRespondedTo": 7})
    assert us.cancelled(7)
    assert not us.cancelled(7)
    for number in (1, 2):
        came = us.receive()
        assert (came.command["MessageID"], bytes(came.body.data())) == (number, bytes((number,)) * 3000)


def test_only_a_few_messages_may_come_early(pair):
    us, them = pair
    for number in range(MANY_WAITING + 1):
        them.send(CONTEXT, {"CommandField": C_ECHO, "MessageID": number})
    with pytest.raises(Ended) as raised:
        us.cancelled(99)
    assert raised.value.ending is Ending.VIOLATED


def test_an_answer_is_found_among_what_else_comes(pair):
    us, them = pair
    them.send(CONTEXT, {"CommandField": C_ECHO, "MessageID": 5})
    them.send(CONTEXT, {"CommandField": C_CANCEL, "MessageIDBeingRespondedTo": 3})
    them.send(CONTEXT, {"CommandField": C_STORE | 0x8000, "MessageIDBeingRespondedTo": 8, "Status": 1})
    them.send(CONTEXT, {"CommandField": C_STORE | 0x8000, "MessageIDBeingRespondedTo": 9, "Status": 0})
    stops = []
    assert us.answer_to(9, stops.append).command["Status"] == 0
    assert stops == [3]
    assert us.receive().command["MessageID"] == 5


def test_a_release_is_answered_and_an_abort_is_told_apart(pair):
    us, them = pair
    asking = threading.Thread(target=them.release, daemon=True)
    asking.start()
    with pytest.raises(Ended) as raised:
        us.receive()
    assert raised.value.ending is Ending.RELEASED
    asking.join(1.5)
    assert not asking.is_alive(), "it was answered"


def test_an_abort_is_told_apart_from_a_release(pair):
    us, them = pair
    us.abort()
    with pytest.raises(Ended) as raised:
        them.receive()
    assert raised.value.ending is Ending.ABORTED


def test_the_answer_to_a_release_that_nobody_asked_for_is_a_violation(pair):
    us, them = pair
    them.wire.write(pdus.release_response())  # PS3.8 Table 9-10: state 6, AA-8
    with pytest.raises(Ended) as raised:
        us.receive()
    assert (raised.value.ending, raised.value.reason) == (Ending.VIOLATED, UNEXPECTED_PDU)


def test_when_both_ask_for_the_end_at_once_each_is_answered():
    one, other = socket.socketpair()
    other.settimeout(5)
    with one, other:
        asking = threading.Thread(target=made(one).release, daemon=True)
        asking.start()
        assert unit(other)[0] == pdus.RELEASE
        other.sendall(pdus.release_request())
        assert unit(other)[0] == pdus.RELEASED
        asking.join(0.2)
        assert asking.is_alive(), "its own question is not answered yet (PS3.8 9.2.3, state 11)"
        other.sendall(pdus.release_response())
        asking.join(5)
        assert unit(other) == (0, b"")


def test_fragments_of_one_command_come_in_one_context(pair):
    us, them = pair
    us.contexts = {1: CONTEXT, 3: CONTEXT}
    command = encode({"CommandField": C_ECHO, "MessageID": 1, "CommandDataSetType": NO_DATA_SET})
    for context, control, piece in ((1, 1, command[:10]), (3, 3, command[10:])):
        them.wire.write(pdus.data_head(len(piece), context, control) + piece)
    with pytest.raises(Ended) as raised:
        us.receive()
    assert (raised.value.ending, raised.value.reason) == (Ending.VIOLATED, INVALID_PARAMETER)


@pytest.mark.parametrize(
    ("may", "role", "outward"), [(May.RETRIEVE, True, True), (May.RETRIEVE, False, False), (May.STORE, True, False)]
)
def test_objects_go_out_only_where_the_other_side_took_the_role(may, role, outward):
    storage = "1.2.840.10008.5.1.4.1.1.2"
    request = request_for("BINGCHENG", "TESTER", [(storage, [EXPLICIT])], scp_of=[storage] if role else [])
    _, agreed = answer(read_request(request), frozenset((may,)), private=False)
    assert agreed.contexts[1].outward is outward
