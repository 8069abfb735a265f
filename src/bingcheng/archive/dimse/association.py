"""An established association, as either side sees it: messages in, messages out (PS3.7 Annex D, PS3.8 9.3.5, Annex E).

One thread serves it and sleeps in the kernel while nothing comes. pynetdicom's own takes two that look for news a
thousand times a second each, which is most of what they do, and can't be limited in time within a unit.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from typing import BinaryIO

from bingcheng.archive.dimse import pdus
from bingcheng.archive.dimse.body import Body
from bingcheng.archive.dimse.commands import (
    C_CANCEL,
    C_STORE,
    DATA_SET,
    LONGEST,
    NO_DATA_SET,
    RESPONSE,
    Command,
    Value,
    decode,
    encode,
    number,
)
from bingcheng.archive.dimse.endings import INVALID_PARAMETER, UNEXPECTED_PDU, UNRECOGNISED_PDU, Ended, Ending
from bingcheng.archive.dimse.wire import Wire

LONGEST_UNIT = 1 << 20
"""Bytes of a unit that is still read. Some senders exceed what we announce a little; none a megabyte."""
SHORTEST_UNIT = 8
"""Bytes of the values of a unit below which nothing can be said: the head of one value, and two bytes of it."""
LONGEST_IDENTIFIER = 4 << 20
"""Bytes of a data set that is no object: a commitment of 20,000 instances has 3 MB."""
MANY_WAITING = 4
"""Messages that are kept until what was asked before is answered."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Context:
    """A presentation context that both sides agreed on.

    Parameters
    ----------
    outward : whether requests may go from us to the other side.
    """

    number: int
    abstract_syntax: str
    transfer_syntax: str
    outward: bool = True


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Message:
    """A message that came in.

    Parameters
    ----------
    body : its data set, valid until the next call of `receive`; None if it has none.
    """

    context: Context
    command: Command
    body: Body | None = None

    @property
    def kind(self) -> int:
        """Its command field."""
        return number(self.command, "CommandField")


def _units(data: bytes, context: int, control: int, most: int) -> Iterator[bytes]:
    """Units that bear `data`, each at most `most` bytes of it."""
    for start in range(0, len(data), most):
        piece = data[start : start + most]
        last = pdus.LAST if start + most >= len(data) else 0
        yield pdus.data_head(len(piece), context, control | last) + piece


@dataclass(slots=True, kw_only=True, eq=False)
class Association:
    """One association.

    Parameters
    ----------
    wire : the connection.
    contexts : what was agreed on, by number.
    longest_out : bytes of a unit's values that the other side takes; 0 for any length.
    objects : where the data set of a C-STORE goes.
    head : what goes before it, so that it becomes a file.
    """

    wire: Wire
    contexts: Mapping[int, Context]
    longest_out: int
    objects: Body
    head: Callable[[Context, Command], bytes] | None = None
    _identifier: Body = field(default_factory=lambda: Body(None, LONGEST_IDENTIFIER))
    _left: int = 0
    _waiting: deque[Message] = field(default_factory=deque)
    _releasing: bool = False
    _small: bytearray = field(default_factory=lambda: bytearray(12))

    def receive(self) -> Message:
        """The next message.

        Raises
        ------
        Ended
            However the association ends; the other side's release is answered.
        """
        return self._waiting.popleft() if self._waiting else self._read()

    def cancelled(self, message_id: int) -> bool:
        """Whether the other side has asked to stop what `message_id` asked for; does not wait."""
        while self._left or self.wire.waiting():
            came = self._read()
            if came.kind == C_CANCEL:
                if number(came.command, "MessageIDBeingRespondedTo") == message_id:
                    return True
            else:
                self._keep(came)
        return False

    def answer_to(self, message_id: int, stop: Callable[[int], None] | None = None) -> Message:
        """The response to the request that we sent as `message_id`.

        Parameters
        ----------
        stop : told the numbers of the messages that the other side cancels meanwhile.

        Raises
        ------
        Ended
        """
        while True:
            came = self._read()
            if came.kind & RESPONSE and number(came.command, "MessageIDBeingRespondedTo") == message_id:
                return came
            if came.kind == C_CANCEL:
                if stop is not None:
                    stop(number(came.command, "MessageIDBeingRespondedTo"))
            elif not came.kind & RESPONSE:
                self._keep(came)

    def send(self, context: Context, command: Mapping[str, Value], data: bytes | BinaryIO | None = None) -> None:
        """Send a message; `data` is its encoded data set, or a file that stands where it begins.

        Raises
        ------
        Ended
            Also where the other side takes only units in which nothing can be said.
        """
        most = self._most_of_a_value()
        kind = NO_DATA_SET if data is None else DATA_SET
        encoded = encode({**command, "CommandDataSetType": kind})
        # The maximum length bounds the units of a command as well (PS3.8 Annex D.1).
        first = b"".join(_units(encoded, context.number, pdus.COMMAND, most))
        if data is None:
            self.wire.write(first)
        elif isinstance(data, bytes) and len(data) <= most and len(data) < LONGEST:
            self.wire.write(first + pdus.data_head(len(data), context.number, pdus.LAST) + data)
        else:
            self.wire.write(first)
            try:
                self._send_long(context, data, most)
            except OSError:  # of the file: half a message is out, and nothing can follow it
                self.abort()
                raise Ended(Ending.STOPPED) from None

    def release(self) -> None:
        """Ask for the end and wait for it (PS3.8 7.2); the connection is closed whatever comes."""
        self._releasing = True
        try:
            self.wire.write(pdus.release_request())
            while True:
                self._read()
        except Ended:
            self.wire.close()

    def abort(self, ended: Ended | None = None) -> None:
        """End it at once: for the violation that `ended` tells of, else because we want to."""
        violated = ended is not None and ended.ending is Ending.VIOLATED
        with suppress(Ended):
            self.wire.write(pdus.abort(by_provider=violated, reason=ended.reason if ended else 0))
        self.wire.close()

    def _keep(self, message: Message) -> None:
        """Asynchronous operations are never agreed on; a few that come early are served afterwards."""
        if len(self._waiting) >= MANY_WAITING:
            raise Ended(Ending.VIOLATED, UNEXPECTED_PDU)
        if message.body is self.objects:
            self.objects = self.objects.another()
        elif message.body is not None:
            self._identifier = self._identifier.another()
        self._waiting.append(message)

    def _most_of_a_value(self) -> int:
        """Bytes of a message that a unit may bear; an even number, as those of a data set are."""
        if not self.longest_out:
            return LONGEST_UNIT
        if self.longest_out < SHORTEST_UNIT:
            raise Ended(Ending.VIOLATED, INVALID_PARAMETER)
        return min(self.longest_out - pdus.VALUE_HEAD.size, LONGEST_UNIT) & ~1

    def _send_long(self, context: Context, data: bytes | BinaryIO, most: int) -> None:
        if isinstance(data, bytes):
            view = memoryview(data)
            for start in range(0, len(data), most):
                piece = view[start : start + most]
                last = start + most >= len(data)
                self.wire.write(pdus.data_head(len(piece), context.number, pdus.LAST if last else 0))
                self.wire.write(piece)
            return
        piece_of = data.read(most)
        while True:  # also an empty data set, which the command has announced, has a last fragment
            following = data.read(most) if piece_of else b""
            self.wire.write(pdus.data_head(len(piece_of), context.number, 0 if following else pdus.LAST) + piece_of)
            if not following:
                return
            piece_of = following

    def _read(self) -> Message:
        encoded, context, body = bytearray(), None, None
        while True:
            length, number_, control = self._value()
            if control & pdus.COMMAND:
                if body is not None or len(encoded) + length > LONGEST:
                    raise Ended(Ending.VIOLATED, INVALID_PARAMETER)
                context = context or self._context(number_)
                if context.number != number_:  # the fragments of a message are of one context (PS3.8 E.1)
                    raise Ended(Ending.VIOLATED, INVALID_PARAMETER)
                encoded += self._bytes(length)
                if not control & pdus.LAST:
                    continue
                command = decode(encoded)
                if number(command, "CommandDataSetType") == NO_DATA_SET:
                    return Message(context=context, command=command)
                body = self._body(context, command)
                continue
            if body is None or context is None or context.number != number_:
                raise Ended(Ending.VIOLATED, INVALID_PARAMETER)
            self._fill(body, length)
            if control & pdus.LAST:
                return Message(context=context, command=command, body=body)

    def _body(self, context: Context, command: Command) -> Body:
        if number(command, "CommandField") == C_STORE:
            self.objects.begin(b"" if self.head is None else self.head(context, command))
            return self.objects
        self._identifier.begin()
        return self._identifier

    def _context(self, number_: int) -> Context:
        context = self.contexts.get(number_)
        if context is None:
            raise Ended(Ending.VIOLATED, INVALID_PARAMETER)
        return context

    def _value(self) -> tuple[int, int, int]:
        """Length, context and control header of the next presentation data value; its bytes come next."""
        if not self._left:
            self._left = self._unit()
        head = memoryview(self._small)[: pdus.VALUE_HEAD.size]
        if self._left < len(head):
            raise Ended(Ending.VIOLATED, INVALID_PARAMETER)
        self.wire.read(head)
        length, context, control = pdus.VALUE_HEAD.unpack(head)
        self._left -= len(head)
        if length < 2 or length - 2 > self._left:
            raise Ended(Ending.VIOLATED, INVALID_PARAMETER)
        self._left -= length - 2
        return length - 2, context, control

    def _unit(self) -> int:
        """Length of the next P-DATA-TF; whatever else comes ends the association."""
        while True:
            head = memoryview(self._small)[: pdus.HEAD.size]
            self.wire.read(head, first=True)
            kind, length = pdus.HEAD.unpack(head)
            if length > LONGEST_UNIT:
                raise Ended(Ending.VIOLATED, INVALID_PARAMETER)
            if kind == pdus.DATA and length:
                return int(length)
            if kind == pdus.RELEASE and self._releasing:
                # Both ask for the end at once: each answers, and we wait for our answer (PS3.8 9.2.3, AR-8, AR-9).
                self._bytes(length)
                self.wire.write(pdus.release_response())
            elif kind != pdus.DATA:
                raise self._ended(kind, length)

    def _ended(self, kind: int, length: int) -> Ended:
        if kind not in range(pdus.REQUEST, pdus.ABORT + 1):
            return Ended(Ending.VIOLATED, UNRECOGNISED_PDU)
        if kind in (pdus.RELEASE, pdus.RELEASED, pdus.ABORT):
            self._bytes(min(length, 16))
        if kind == pdus.RELEASE:
            self.wire.write(pdus.release_response())
            return Ended(Ending.RELEASED)
        if kind == pdus.RELEASED and self._releasing:
            return Ended(Ending.RELEASED)
        return Ended(Ending.ABORTED) if kind == pdus.ABORT else Ended(Ending.VIOLATED, UNEXPECTED_PDU)

    def _bytes(self, length: int) -> bytearray:
        data = bytearray(length)
        if length:
            self.wire.read(memoryview(data))
        return data

    def _fill(self, body: Body, left: int) -> None:
        while left:
            room = body.room(left)
            self.wire.check_time()
            count = self.wire.read_some(room)
            room.release()
            body.came(count)
            left -= count
        if body.endless:
            raise Ended(Ending.VIOLATED)
