"""What an association is agreed to be for (PS3.8 7.1, PS3.7 Annex D.3)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache

from pynetdicom import AllStoragePresentationContexts

from bingcheng.archive.dimse import pdus
from bingcheng.archive.dimse.association import Context
from bingcheng.archive.dimse.opening import Answered, Asked, Opening, Role, read, titles, written
from bingcheng.archive.dimse.peers import May
from bingcheng.dicom.write.header import uid_of

LONGEST_IN = 131_072
"""Bytes of a unit that we announce: the most that dcmtk sends, so a CT slice comes in four units and not in thirty."""
IMPLEMENTATION_NAME = "BINGCHENG"
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


def read_request(data: bytes) -> Opening:
    """The A-ASSOCIATE-RQ in `data`.

    Raises
    ------
    ValueError
        A length leads beyond the end, or nothing is asked for.
    """
    request = read(data)
    if not request.contexts:
        raise ValueError("no presentation context")
    return request


def answer(request: Opening, may: frozenset[May], *, private: bool) -> tuple[bytes, Agreed]:
    """The A-ASSOCIATE-AC to `request`, and what is agreed on.

    Parameters
    ----------
    may : what the peer may ask for; contexts for anything else are refused.
    private : whether storage classes outside the standard are taken.
    """
    roles = _roles(request, may)
    takers = {role.sop_class_uid for role in roles if role.scp}
    results, contexts = [], {}
    for asked in request.contexts:
        result, syntax = _judged(asked, may, private=private)
        results.append(Answered(number=asked.number, result=result, transfer_syntax=syntax))
        if result == ACCEPTED:
            contexts[asked.number] = Context(
                number=asked.number,
                abstract_syntax=asked.abstract_syntax,
                transfer_syntax=syntax,
                outward=asked.abstract_syntax in takers,
            )
    accept = Opening(
        titles=request.titles,
        results=tuple(results),
        longest=LONGEST_IN,
        roles=tuple(roles),
        options=_options(request, contexts.values()),
        implementation_uid=implementation_uid(),
        implementation_name=IMPLEMENTATION_NAME,
    )
    return written(pdus.ACCEPT, accept), Agreed(contexts=contexts, longest_out=request.longest)


def request_for(
    called: str, calling: str, wanted: Sequence[tuple[str, Sequence[str]]], scp_of: Sequence[str] = ()
) -> bytes:
    """An A-ASSOCIATE-RQ.

    Parameters
    ----------
    wanted : abstract syntax and transfer syntaxes of each context; they get the numbers 1, 3, 5 and so on.
    scp_of : services of which we want to be the provider though we call.
    """
    request = Opening(
        titles=titles(called, calling),
        contexts=tuple(
            Asked(number=2 * place + 1, abstract_syntax=abstract, transfer_syntaxes=tuple(transfers))
            for place, (abstract, transfers) in enumerate(wanted)
        ),
        longest=LONGEST_IN,
        roles=tuple(Role(sop_class_uid=one, scu=False, scp=True) for one in scp_of),
        implementation_uid=implementation_uid(),
        implementation_name=IMPLEMENTATION_NAME,
    )
    return written(pdus.REQUEST, request)


def read_acceptance(data: bytes, wanted: Sequence[tuple[str, Sequence[str]]]) -> Agreed:
    """What the other side agreed to in its A-ASSOCIATE-AC.

    Raises
    ------
    ValueError
        A length leads beyond the end, or nothing is answered.
    """
    accept = read(data)
    if not accept.results:
        raise ValueError("no context is answered")
    contexts = {}
    for one in accept.results:
        place, rest = divmod(one.number - 1, 2)
        if one.result == ACCEPTED and not rest and 0 <= place < len(wanted) and one.transfer_syntax:
            contexts[one.number] = Context(
                number=one.number, abstract_syntax=wanted[place][0], transfer_syntax=one.transfer_syntax
            )
    return Agreed(contexts=contexts, longest_out=accept.longest)


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


def _judged(asked: Asked, may: frozenset[May], *, private: bool) -> tuple[int, str]:
    """Result and transfer syntax; the latter has no meaning where the context is refused (PS3.8 9.3.3.2.1)."""
    abstract, syntaxes = asked.abstract_syntax, asked.transfer_syntaxes
    try:
        needed = needed_for(abstract)
    except KeyError:
        if not abstract or abstract.startswith(STANDARD_ROOT) or not private:
            return UNKNOWN_SERVICE, IMPLICIT
        needed = May.STORE
    # Who may retrieve but not store still names storage classes, for the objects that C-GET brings.
    if needed is May.STORE and May.STORE not in may and May.RETRIEVE in may:
        needed = May.RETRIEVE
    if needed is not None and needed not in may:
        return NOT_ALLOWED, IMPLICIT
    if needed is None:
        chosen = _readable(syntaxes) or next(iter(syntaxes), None)  # an echo has no data set
    elif abstract in _SERVICES:
        chosen = _readable(syntaxes)
    else:
        chosen = _preferred(syntaxes)
    return (UNKNOWN_SYNTAX, IMPLICIT) if chosen is None else (ACCEPTED, chosen)


def _preferred(syntaxes: Sequence[str]) -> str | None:
    """The syntax in which we take objects: the sender's first, but one that names its types if there is one."""
    taken = [one for one in syntaxes if one not in ELSEWHERE and not one.startswith(ELSEWHERE_ROOT)]
    poor = {IMPLICIT: 1, BIG_ENDIAN: 2}
    return min(taken, key=lambda one: poor.get(one, 0), default=None)


def _readable(syntaxes: Sequence[str]) -> str | None:
    """The syntax of identifiers. Big endian is not one: it is retired, and they are read in little endian order."""
    return next((one for one in (EXPLICIT, IMPLICIT) if one in syntaxes), None)


def _roles(request: Opening, may: frozenset[May]) -> list[Role]:
    """Answers to role selection: the caller may take objects from C-GET if it may retrieve (PS3.7 D.3.3.4)."""
    known = {asked.abstract_syntax for asked in request.contexts}
    answers = []
    for one in request.roles:
        if one.sop_class_uid in known:
            storage = is_storage(one.sop_class_uid)
            sends = one.scu and (not storage or May.STORE in may)
            takes = one.scp and storage and May.RETRIEVE in may
            if sends or takes:  # no answer means the usual roles
                answers.append(Role(sop_class_uid=one.sop_class_uid, scu=sends, scp=takes))
    return answers


def _options(request: Opening, accepted: Iterable[Context]) -> tuple[tuple[str, bytes], ...]:
    """Answers to extended negotiation of queries: none of its options, relational queries first (PS3.4 C.5.1.1)."""
    queries = {one.abstract_syntax for one in accepted} & _SERVICES.keys()
    return tuple((name, bytes(len(said))) for name, said in request.options if name in queries)
