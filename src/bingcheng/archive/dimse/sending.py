"""Objects sent to a peer, byte for byte as they are stored where it takes them so."""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterable, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass

from bingcheng.archive.dimse.association import Association, Context
from bingcheng.archive.dimse.calling import Caller, opened
from bingcheng.archive.dimse.commands import C_STORE, Value, number
from bingcheng.archive.dimse.endings import Ended
from bingcheng.archive.dimse.negotiation import EXPLICIT, IMPLICIT
from bingcheng.archive.dimse.peers import Peer
from bingcheng.archive.dimse.recoding import recoded, to_data_set
from bingcheng.archive.objects.instance import Instance
from bingcheng.archive.objects.objects import Objects
from bingcheng.core.errors import BingchengError

MOST_CONTEXTS = 128
"""Their numbers are the odd ones of a byte (PS3.8 9.3.2.2)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Sent:
    """How far a sending is.

    Parameters
    ----------
    completed, warned : numbers of objects that the peer took, and took with a warning of its own.
    failed : SOP Instance UIDs of those that it did not.
    later : number of those of `failed` that it may take at another time: it had no room, or the association broke off.
    remaining : number of those still to be sent.
    taken : the object that was sent last, if the peer took it.
    """

    completed: int = 0
    warned: int = 0
    failed: tuple[str, ...] = ()
    later: int = 0
    remaining: int = 0
    taken: Instance | None = None

    def after(self, instance: Instance, status: int | None, *, broken: bool = False) -> Sent:
        """The state after the peer gave `status` for `instance`; None if it could not be sent.

        Parameters
        ----------
        broken : whether it could not be sent because the association was over.
        """
        # PS3.4 Table B.2-1: A7xx, refused for lack of resources; PS3.7 C.5.6: 0213, resource limitation.
        full = status is not None and (status >> 8 == 0xA7 or status == 0x0213)
        warning = status is not None and (status >> 12 == 0xB or status == 0x0001)
        took = status == 0 or warning
        return Sent(
            completed=self.completed + (status == 0),
            warned=self.warned + warning,
            failed=self.failed if took else (*self.failed, instance.sop_uid),
            later=self.later + (broken or full),
            remaining=self.remaining - 1,
            taken=instance if took else None,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Originator:
    """Who asked with C-MOVE, as the receiver is told (PS3.7 9.1.1.1)."""

    ae_title: str
    message_id: int


def send(
    caller: Caller,
    peer: Peer,
    objects: Objects,
    instances: Sequence[Instance],
    progress: Callable[[Sent], None] | None = None,
) -> Sent:
    """Send `instances` to `peer`; `progress` is told after each.

    Raises
    ------
    RemoteError
        No association came about: ``archive.no-answer``, ``archive.not-admitted``, ``archive.not-offered``,
        ``archive.association-broken``. What breaks off later counts as failed.
    """
    last = Sent(remaining=len(instances))
    with closing(sending(caller, peer, objects, instances)) as steps:  # what `progress` raises ends the association
        for last in steps:
            if progress is not None:
                progress(last)
    return last


def sending(
    caller: Caller,
    peer: Peer,
    objects: Objects,
    instances: Sequence[Instance],
    originator: Originator | None = None,
) -> Generator[Sent]:
    """Send `instances` one by one; whoever stops asking for the next ends the association.

    Raises
    ------
    RemoteError
        As `send`.
    """
    state = Sent(remaining=len(instances))
    for part in _parts(instances):
        association = opened(caller, peer, proposed(part))
        with closing(_sent_over(association, objects, part, originator)) as steps:
            for instance, status, broken in steps:
                state = state.after(instance, status, broken=broken)
                yield state


def _sent_over(
    association: Association, objects: Objects, part: Sequence[Instance], originator: Originator | None
) -> Generator[tuple[Instance, int | None, bool]]:
    """What became of each: its status, and whether the association was over; then the status is None."""
    broken = False
    try:
        for place, instance in enumerate(part):
            status = None
            if not broken:
                try:
                    status = store(association, objects, instance, place % 65535 + 1, originator)
                except Ended as ended:
                    broken = True
                    association.abort(ended)
            yield instance, status, broken
    finally:
        if not broken:
            association.release()


def store(
    association: Association,
    objects: Objects,
    instance: Instance,
    message_id: int,
    originator: Originator | None = None,
    stop: Callable[[int], None] | None = None,
) -> int | None:
    """The status that the other side gives for `instance`; None if it takes it in no way that we can offer.

    Parameters
    ----------
    stop : told the numbers of the messages that the other side cancels meanwhile.

    Raises
    ------
    Ended
        The association is over.
    """
    context = _context_for(association.contexts.values(), instance)
    if context is None:
        return None
    command: dict[str, Value] = {
        "CommandField": C_STORE,
        "MessageID": message_id,
        "Priority": 0,
        "AffectedSOPClassUID": instance.sop_class_uid,
        "AffectedSOPInstanceUID": instance.sop_uid,
    }
    if originator is not None:
        command["MoveOriginatorApplicationEntityTitle"] = originator.ae_title
        command["MoveOriginatorMessageID"] = originator.message_id
    try:
        with objects.open_bytes(instance) as file:
            if context.transfer_syntax == instance.transfer_syntax_uid:
                association.send(context, command, to_data_set(file))
            else:
                association.send(context, command, recoded(file, context.transfer_syntax))
    except Ended:
        raise
    except BingchengError:  # its file is lost
        return None
    except Exception:  # noqa: BLE001 - decoders raise what they like about damaged pixels; the object counts as failed
        return None
    return number(association.answer_to(message_id, stop).command, "Status")


def proposed(instances: Iterable[Instance]) -> list[tuple[str, Sequence[str]]]:
    """The contexts to ask for: each class in each syntax in which it is stored, and uncompressed as a way out."""
    stored: dict[str, dict[str, None]] = {}
    for one in instances:
        stored.setdefault(one.sop_class_uid, {})[one.transfer_syntax_uid] = None
    wanted: list[tuple[str, Sequence[str]]] = []
    for sop_class, syntaxes in stored.items():
        wanted.extend((sop_class, [syntax]) for syntax in syntaxes)
        way_out = [one for one in (EXPLICIT, IMPLICIT) if one not in syntaxes]
        if way_out:
            wanted.append((sop_class, way_out))
    return wanted


def _parts(instances: Sequence[Instance]) -> Iterator[Sequence[Instance]]:
    """Parts that need no more contexts than one association can have."""
    part: list[Instance] = []
    kinds: set[tuple[str, str]] = set()
    classes: set[str] = set()
    for one in instances:
        kinds.add((one.sop_class_uid, one.transfer_syntax_uid))
        classes.add(one.sop_class_uid)
        if len(kinds) + len(classes) > MOST_CONTEXTS:
            yield part
            part, kinds, classes = [], {(one.sop_class_uid, one.transfer_syntax_uid)}, {one.sop_class_uid}
        part.append(one)
    if part:
        yield part


def _context_for(contexts: Iterable[Context], instance: Instance) -> Context | None:
    own = [one for one in contexts if one.outward and one.abstract_syntax == instance.sop_class_uid]
    for syntax in (instance.transfer_syntax_uid, EXPLICIT, IMPLICIT):
        for one in own:
            if one.transfer_syntax == syntax:
                return one
    return None
