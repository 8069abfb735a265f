"""C-FIND: what a peer may see, searched by what the index can match (PS3.4 C.4.1)."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import islice

from bingcheng.archive.assumed_issuer import default_issuer
from bingcheng.archive.dimse.association import Message
from bingcheng.archive.dimse.commands import Value, number, response
from bingcheng.archive.dimse.endings import Ended
from bingcheng.archive.dimse.events import EventKind
from bingcheng.archive.dimse.identifiers import Identifier, Unreadable, answer, read
from bingcheng.archive.dimse.negotiation import PATIENT_ROOT
from bingcheng.archive.dimse.session import Answer, Session
from bingcheng.archive.objects.attributes import ATTRIBUTES, HIGHER, Level, can_match
from bingcheng.archive.objects.objects import Objects
from bingcheng.archive.objects.query import Query
from bingcheng.archive.objects.rows import InstanceRow, SeriesRow, StudyRow
from bingcheng.core.errors import BingchengError

SUCCESS, PENDING, PENDING_PARTLY = 0x0000, 0xFF00, 0xFF01
CANCELLED = 0xFE00
OUT_OF_RESOURCES, NOT_OF_ITS_CLASS, CANNOT_PROCESS = 0xA700, 0xA900, 0xC000
"""PS3.4 Table C.4-1."""

PAGE = 500
"""Rows read at once; between two pages memory is given back and a cancel is looked for."""

_LEVELS = {"PATIENT": Level.STUDY, "STUDY": Level.STUDY, "SERIES": Level.SERIES, "IMAGE": Level.INSTANCE}
_UNIQUE = {
    "PATIENT": "PatientID",
    "STUDY": "StudyInstanceUID",
    "SERIES": "SeriesInstanceUID",
    "IMAGE": "SOPInstanceUID",
}
_PATIENT_KEYS = frozenset(("PatientName", "PatientID", "IssuerOfPatientID", "PatientBirthDate", "PatientSex"))
_COUNTED = {
    "NumberOfStudyRelatedSeries": Level.STUDY,
    "NumberOfStudyRelatedInstances": Level.STUDY,
    "NumberOfSeriesRelatedInstances": Level.SERIES,
}
_SAID_BY_US = frozenset(("QueryRetrieveLevel", "RetrieveAETitle", "InstanceAvailability"))
_SILENT = frozenset(("SpecificCharacterSet", "TimezoneOffsetFromUTC"))


Match = Mapping[str, str | int]
"""Values by keyword."""
Search = Callable[[Query, Sequence[str]], Sequence[StudyRow | SeriesRow | InstanceRow]]


class WrongIdentifier(Exception):  # noqa: N818 - what the identifier is
    """It asks for what its service does not offer; the text goes into the answer."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """A search as a peer asked for it.

    Parameters
    ----------
    level : PATIENT, STUDY, SERIES or IMAGE.
    match : what the index matches.
    told : keywords that are answered.
    partly : whether some key is not matched, or not known at all.
    """

    level: str
    match: Mapping[str, Sequence[str]]
    told: tuple[str, ...]
    partly: bool


def level_of(identifier: Identifier, sop_class: str) -> str:
    """The level that is asked on.

    Raises
    ------
    WrongIdentifier
        None, or one that is unknown under the root; or a unique key of a level above it is missing (PS3.4
        C.4.1.2.1: relational queries are not agreed on).
    """
    level = identifier.keys.get("QueryRetrieveLevel", "").strip().upper()
    patient_root = sop_class.startswith(PATIENT_ROOT)
    if level not in _LEVELS or (level == "PATIENT" and not patient_root):
        raise WrongIdentifier("Unknown query/retrieve level")
    levels = list(_LEVELS) if patient_root else list(_LEVELS)[1:]
    for above in levels[: levels.index(level)]:
        values = identifier.values(_UNIQUE[above])
        if len(values) != 1 or "*" in values[0] or "?" in values[0]:
            raise WrongIdentifier(f"One {_UNIQUE[above]} is needed")
    return level


def asked(identifier: Identifier, sop_class: str) -> Asked:
    """What `identifier` searches for.

    Raises
    ------
    WrongIdentifier
    """
    level = level_of(identifier, sop_class)
    match: dict[str, Sequence[str]] = {}
    told: list[str] = []
    partly = bool(identifier.nested or identifier.unknown)
    for keyword, text in identifier.keys.items():
        if keyword in _SAID_BY_US or keyword in _SILENT:
            continue
        if not _is_told(level, keyword):
            partly = True
            continue
        told.append(keyword)
        if not text.strip():
            continue
        if can_match(_LEVELS[level], keyword):
            # Only of UIDs a list means any of them (PS3.4 C.2.2.2.2); in a text a backslash is no wildcard.
            match[keyword] = identifier.values(keyword)
        else:
            partly = True
    return Asked(level=level, match=match, told=tuple(told), partly=partly)


def answers(objects: Objects, spaces: Sequence[str], wanted: Asked) -> Iterator[Match]:
    """What matches, by keyword, with exactly the keys that were asked for.

    A patient is answered once, also if some of the headers name the default issuer of the hospital and some none.

    Raises
    ------
    BingchengError
        The index can't be asked.
    """
    seen: set[tuple[str, ...]] = set()
    issuer = _default_issuer(objects, spaces) if wanted.level == "PATIENT" else ""
    for attributes in _rows(objects, spaces, wanted):
        if wanted.level == "PATIENT":
            whose = _patient(attributes, issuer)
            if whose in seen:
                continue
            seen.add(whose)
        yield {keyword: attributes.get(keyword, "") for keyword in wanted.told}


def found(session: Session, message: Message) -> Answer:
    """Send what matches, each page after the audit knows of it; the last answer is returned."""
    command = message.command
    sop_class, syntax = message.context.abstract_syntax, message.context.transfer_syntax
    count = 0
    try:
        identifier = read(message)
        wanted = asked(identifier, sop_class)
        status = PENDING_PARTLY if wanted.partly else PENDING
        always: dict[str, str | int] = {
            "QueryRetrieveLevel": wanted.level,
            "RetrieveAETitle": session.house.caller.ae_title,
            "InstanceAvailability": "ONLINE",
        }
        for one in _recorded(session, answers(session.house.objects, session.spaces, wanted)):
            if session.association.cancelled(number(command, "MessageID")):
                return _ended(session, command, CANCELLED, count)
            told = answer({**always, **one}, syntax, identifier.character_set)
            session.association.send(message.context, response(command, status), told)
            count += 1
    except Ended:
        session.tell(EventKind.QUERIED, succeeded=False, code="ended", completed=count)
        raise
    except Unreadable:
        return _ended(session, command, CANNOT_PROCESS, count, "The identifier can't be read")
    except WrongIdentifier as wrong:
        return _ended(session, command, NOT_OF_ITS_CLASS, count, str(wrong))
    except BingchengError as error:
        status = CANNOT_PROCESS if error.code == "archive.cannot-match" else OUT_OF_RESOURCES
        return _ended(session, command, status, count, "The index or the audit trail does not answer")
    return Answer(command=response(command, SUCCESS))


def _recorded(session: Session, matches: Iterator[Match]) -> Iterator[Match]:
    """The matches, each after it is recorded that they leave: one event a page, and one if there is none."""
    page = list(islice(matches, PAGE))
    session.before(EventKind.QUERIED, completed=len(page))
    while page:
        yield from page
        page = list(islice(matches, PAGE))
        if page:
            session.before(EventKind.QUERIED, completed=len(page))


def _ended(session: Session, command: Mapping[str, Value], status: int, count: int, comment: str = "") -> Answer:
    """The last answer of a search that did not come to its end, which is recorded too."""
    session.tell(EventKind.QUERIED, succeeded=status == CANCELLED, code=f"{status:04X}", completed=count)
    return Answer(command=response(command, status, comment))


def _is_told(level: str, keyword: str) -> bool:
    if level == "PATIENT":
        return keyword in _PATIENT_KEYS
    attribute = ATTRIBUTES.get(keyword)
    where = _COUNTED.get(keyword) if attribute is None else attribute.level
    return where is not None and where in HIGHER[_LEVELS[level]]


def _rows(objects: Objects, spaces: Sequence[str], wanted: Asked) -> Iterator[Mapping[str, str | int]]:
    search: dict[Level, Search] = {
        Level.STUDY: objects.studies,
        Level.SERIES: objects.series,
        Level.INSTANCE: objects.instances,
    }
    query = Query(match=wanted.match, limit=PAGE)
    while True:
        page = search[_LEVELS[wanted.level]](query, spaces)
        for row in page:
            yield row.attributes
        if len(page) < PAGE:
            return
        query = replace(query, offset=query.offset + PAGE)


def _default_issuer(objects: Objects, spaces: Sequence[str]) -> str:
    """As whose numbers are read that name no issuer; of several hospitals there is no one answer."""
    if len(spaces) != 1:
        return ""
    with objects.workspace.reading() as connection:
        return default_issuer(connection, spaces[0])


def _patient(attributes: Mapping[str, str | int], issuer: str) -> tuple[str, ...]:
    """Whose study it is: the same number of one issuer; without a number, the same name and birth date."""
    number_ = str(attributes.get("PatientID", ""))
    if number_:
        return ("number", number_, str(attributes.get("IssuerOfPatientID", "")) or issuer)
    return ("person", str(attributes.get("PatientName", "")), str(attributes.get("PatientBirthDate", "")))
