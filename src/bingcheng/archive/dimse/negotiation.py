"""What an association is agreed to be for (PS3.8 7.1, PS3.7 Annex D.3). The two units are pynetdicom's."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

from pydicom.uid import UID
from pynetdicom import AllStoragePresentationContexts
from pynetdicom.pdu import A_ASSOCIATE_AC, A_ASSOCIATE_RQ
from pynetdicom.pdu_primitives import (
    A_ASSOCIATE,
    ImplementationClassUIDNotification,
    ImplementationVersionNameNotification,
    MaximumLengthNotification,
    SCP_SCU_RoleSelectionNegotiation,
    SOPClassExtendedNegotiation,
)
from pynetdicom.presentation import PresentationContext

from bingcheng.archive.dimse.association import Context
from bingcheng.archive.dimse.items import plain
from bingcheng.archive.dimse.peers import May
from bingcheng.dicom.write.header import uid_of

LONGEST_IN = 131_072
"""Bytes of a unit that we announce: the most that dcmtk sends, so a CT slice comes in four units and not in thirty."""
IMPLEMENTATION_NAME = "BINGCHENG"
APPLICATION_CONTEXT = "1.2.840.10008.3.1.1.1"
STANDARD_ROOT = "1.2.840.10008."

VERIFICATION = "1.2.840.10008.1.1"
STORAGE_COMMITMENT = "1.2.840.10008.1.20.1"
PATIENT_ROOT = "1.2.840.10008.5.1.4.1.2.1."
STUDY_ROOT = "1.2.840.10008.5.1.4.1.2.2."
FIND, MOVE, GET = "1", "2", "3"
"""Last component of the query and retrieve classes under either root (PS3.6 Table A-1)."""

IMPLICIT, EXPLICIT, BIG_ENDIAN = "1.2.840.10008.1.2", "1.2.840.10008.1.2.1", "1.2.840.10008.1.2.2"
DEFLATED = "1.2.840.10008.1.2.1.99"
# The pixels of these don't come with the object (JPIP, real-time video): there is nothing to keep.
ELSEWHERE = frozenset(
    {"1.2.840.10008.1.2.4.94", "1.2.840.10008.1.2.4.95", "1.2.840.10008.1.2.4.204", "1.2.840.10008.1.2.4.205"}
)
ELSEWHERE_ROOT = "1.2.840.10008.1.2.7."

ACCEPTED, NOT_ALLOWED, NO_REASON, UNKNOWN_SERVICE, UNKNOWN_SYNTAX = range(5)
"""Results of a context (PS3.8 Table 9-18)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Agreed:
    """What an association is for.

    Parameters
    ----------
    contexts : those accepted, by number.
    longest_out : the longest unit that the other side takes; 0 for any.
    """

    contexts: Mapping[int, Context]
    longest_out: int


def read_request(data: bytes) -> A_ASSOCIATE_RQ:
    """The A-ASSOCIATE-RQ in `data`.

    Raises
    ------
    Exception
        Whatever pynetdicom stumbles over in a damaged one.
    """
    request = A_ASSOCIATE_RQ()
    request.decode(plain(data))
    if request.user_information is None or not request.presentation_context:
        raise ValueError("no user information or no presentation context")
    return request


def answer(request: A_ASSOCIATE_RQ, may: frozenset[May], *, private: bool) -> tuple[bytes, Agreed]:
    """The A-ASSOCIATE-AC to `request`, and what is agreed on.

    Parameters
    ----------
    may : what the peer may ask for; contexts for anything else are refused.
    private : whether storage classes outside the standard are taken.
    """
    primitive = request.to_primitive()
    results, contexts = [], {}
    roles = _roles(primitive.user_information, primitive.presentation_context_definition_list, may)
    takers = {str(role.sop_class_uid) for role in roles if role.scp_role}
    for asked in primitive.presentation_context_definition_list:
        result, syntax = _judged(asked, may, private=private)
        results.append(_result(asked, result, syntax))
        if result == ACCEPTED:
            number = int(asked.context_id or 0)
            contexts[number] = Context(
                number=number,
                abstract_syntax=str(asked.abstract_syntax),
                transfer_syntax=str(syntax),
                outward=str(asked.abstract_syntax) in takers,
            )
    items = [*_introduction(), *roles]
    items += _extended(primitive.user_information, contexts.values())
    accept = A_ASSOCIATE()
    accept.application_context_name = UID(APPLICATION_CONTEXT)
    accept.calling_ae_title, accept.called_ae_title = primitive.calling_ae_title, primitive.called_ae_title
    accept.result, accept.result_source = 0, 1
    accept.presentation_context_definition_results_list = results
    accept.user_information = items
    agreed = Agreed(contexts=contexts, longest_out=_longest(primitive.user_information))
    return A_ASSOCIATE_AC(accept).encode(), agreed


def request_for(
    called: str, calling: str, wanted: Sequence[tuple[str, Sequence[str]]], scp_of: Sequence[str] = ()
) -> bytes:
    """An A-ASSOCIATE-RQ.

    Parameters
    ----------
    wanted : abstract syntax and transfer syntaxes of each context; they get the numbers 1, 3, 5 and so on.
    scp_of : services of which we want to be the provider though we call.
    """
    primitive = A_ASSOCIATE()
    primitive.application_context_name = UID(APPLICATION_CONTEXT)
    primitive.called_ae_title, primitive.calling_ae_title = called, calling
    primitive.calling_presentation_address = primitive.called_presentation_address = None
    contexts = []
    for place, (abstract, transfers) in enumerate(wanted):
        context = PresentationContext()
        context.context_id = 2 * place + 1
        context.abstract_syntax = UID(abstract)
        context.transfer_syntax = [UID(one) for one in transfers]
        contexts.append(context)
    primitive.presentation_context_definition_list = contexts
    primitive.user_information = [*_introduction(), *(_role(one, scu=False, scp=True) for one in scp_of)]
    return A_ASSOCIATE_RQ(primitive).encode()


def read_acceptance(data: bytes, wanted: Sequence[tuple[str, Sequence[str]]]) -> Agreed:
    """What the other side agreed to in its A-ASSOCIATE-AC.

    Raises
    ------
    Exception
        Whatever pynetdicom stumbles over in a damaged one.
    """
    accept = A_ASSOCIATE_AC()
    accept.decode(plain(data))
    if not accept.presentation_context:
        raise ValueError("no context is answered")
    primitive = accept.to_primitive()
    contexts = {}
    for result in primitive.presentation_context_definition_results_list:
        number = int(result.context_id or 0)
        place = (number - 1) // 2
        if result.result == ACCEPTED and 0 <= place < len(wanted) and result.transfer_syntax:
            contexts[number] = Context(
                number=number,
                abstract_syntax=wanted[place][0],
                transfer_syntax=str(result.transfer_syntax[0]),
            )
    return Agreed(contexts=contexts, longest_out=_longest(primitive.user_information))


@cache
def storage_classes() -> frozenset[str]:
    """The storage classes of the standard."""
    return frozenset(str(one.abstract_syntax) for one in AllStoragePresentationContexts)


@cache
def implementation_uid() -> str:
    """The UID of this implementation."""
    return uid_of("bingcheng", "implementation")


def is_storage(abstract_syntax: str) -> bool:
    """Whether a context of this class is one for objects, as all are that no service of ours has."""
    return abstract_syntax != VERIFICATION and abstract_syntax not in _SERVICES


def needed_for(abstract_syntax: str) -> May | None:
    """What a peer must be allowed for a service; None for the echo.

    Raises
    ------
    KeyError
        A service that we don't offer.
    """
    if abstract_syntax == VERIFICATION:
        return None
    if abstract_syntax in storage_classes():
        return May.STORE
    return _SERVICES[abstract_syntax]


_SERVICES = {
    STORAGE_COMMITMENT: May.COMMIT,
    **{root + FIND: May.QUERY for root in (PATIENT_ROOT, STUDY_ROOT)},
    **{root + last: May.RETRIEVE for root in (PATIENT_ROOT, STUDY_ROOT) for last in (MOVE, GET)},
}


def _judged(asked: Any, may: frozenset[May], *, private: bool) -> tuple[int, str | None]:
    abstract = str(asked.abstract_syntax)
    syntaxes = [str(one) for one in asked.transfer_syntax]
    first = syntaxes[0] if syntaxes else None
    try:
        needed = needed_for(abstract)
    except KeyError:
        if abstract.startswith(STANDARD_ROOT) or not private:
            return UNKNOWN_SERVICE, first
        needed = May.STORE
    # Who may retrieve but not store still names storage classes, for the objects that C-GET brings.
    if needed is May.STORE and May.STORE not in may and May.RETRIEVE in may:
        needed = May.RETRIEVE
    if needed is not None and needed not in may:
        return NOT_ALLOWED, first
    if needed is None:
        chosen = _readable(syntaxes) or first  # an echo has no data set
    elif abstract in _SERVICES:
        chosen = _readable(syntaxes)
    else:
        chosen = _preferred(syntaxes)
    return (UNKNOWN_SYNTAX, first) if chosen is None else (ACCEPTED, chosen)


def _preferred(syntaxes: Sequence[str]) -> str | None:
    """The syntax in which we take objects: the sender's first, but one that names its types if there is one."""
    taken = [one for one in syntaxes if one not in ELSEWHERE and not one.startswith(ELSEWHERE_ROOT)]
    poor = {IMPLICIT: 1, BIG_ENDIAN: 2}
    return min(taken, key=lambda one: poor.get(one, 0), default=None)


def _readable(syntaxes: Sequence[str]) -> str | None:
    """The syntax of identifiers. Big endian is not one: it is retired, and they are read in little endian order."""
    return next((one for one in (EXPLICIT, IMPLICIT) if one in syntaxes), None)


def _result(asked: Any, result: int, syntax: str | None) -> PresentationContext:
    context = PresentationContext()
    context.context_id = asked.context_id
    context.abstract_syntax = asked.abstract_syntax
    context.transfer_syntax = [UID(syntax or IMPLICIT)]
    context.result = result
    return context


def _introduction() -> list[Any]:
    length, uid, name = (
        MaximumLengthNotification(),
        ImplementationClassUIDNotification(),
        ImplementationVersionNameNotification(),
    )
    length.maximum_length_received = LONGEST_IN
    uid.implementation_class_uid = UID(implementation_uid())
    name.implementation_version_name = IMPLEMENTATION_NAME
    return [length, uid, name]


def _longest(items: Iterable[Any]) -> int:
    return next(
        (int(one.maximum_length_received or 0) for one in items if isinstance(one, MaximumLengthNotification)), 0
    )


def _roles(items: Iterable[Any], asked: Iterable[Any], may: frozenset[May]) -> list[Any]:
    """Answers to role selection: the caller may take objects from C-GET if it may retrieve (PS3.7 D.3.3.4)."""
    known = {str(one.abstract_syntax) for one in asked}
    answers = []
    for one in items:
        if isinstance(one, SCP_SCU_RoleSelectionNegotiation) and str(one.sop_class_uid) in known:
            storage = is_storage(str(one.sop_class_uid))
            sends = bool(one.scu_role) and (not storage or May.STORE in may)
            takes = bool(one.scp_role) and storage and May.RETRIEVE in may
            if sends or takes:  # no answer means the usual roles; one that refuses both can't be written
                answers.append(_role(str(one.sop_class_uid), scu=sends, scp=takes))
    return answers


def _role(abstract_syntax: str, *, scu: bool, scp: bool) -> SCP_SCU_RoleSelectionNegotiation:
    role = SCP_SCU_RoleSelectionNegotiation()
    role.sop_class_uid = UID(abstract_syntax)
    role.scu_role, role.scp_role = scu, scp
    return role


def _extended(items: Iterable[Any], accepted: Iterable[Context]) -> list[Any]:
    """Answers to extended negotiation of queries: none of its options, relational queries first (PS3.4 C.5.1.1)."""
    known = {one.abstract_syntax for one in accepted}
    answers = []
    for one in items:
        if isinstance(one, SOPClassExtendedNegotiation) and str(one.sop_class_uid) in known & _SERVICES.keys():
            refused = SOPClassExtendedNegotiation()
            refused.sop_class_uid = one.sop_class_uid
            refused.service_class_application_information = bytes(len(one.service_class_application_information or b""))
            answers.append(refused)
    return answers
