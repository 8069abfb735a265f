"""Stating something about exams, by the names that people use: labels of exams, numbers or UIDs of series."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from datetime import date, datetime

from bingcheng.archive.retrieval import acquisition, exam_facts
from bingcheng.archive.statements import Statement, StatementKind, state, withdraw
from bingcheng.archive.workspace import Workspace
from bingcheng.core.errors import InputError, Owner, Problem
from bingcheng.core.wording import Text
from bingcheng.dicom.acquisition import Acquisition
from bingcheng.engine.agreed import agreed
from bingcheng.protocol.attributes import About, Attribute, attributes
from bingcheng.protocol.fingerprints import device
from bingcheng.protocol.library import NO_SUCH_PROTOCOL
from bingcheng.protocol.memory import signatures
from bingcheng.protocol.model import Protocol
from bingcheng.protocol.values import Kind, Value

NO_SUCH_CRITERION = Problem(
    code="engine.no-such-criterion",
    says="the protocol {protocol} has no criterion '{name}'; it has {known}",
    remedy="Use an identifier that `bingcheng protocols {protocol}` prints; a role's is role. and its name.",
    owner=Owner.OPERATOR,
)
NO_SUCH_ROLE = Problem(
    code="engine.no-such-role",
    says="the protocol {protocol} has no role '{name}'; it has {known}",
    remedy="Use the identifier of a role that `bingcheng protocols {protocol}` prints.",
    owner=Owner.OPERATOR,
)
NO_SUCH_SERIES = Problem(
    code="engine.no-such-series",
    says="the exam has no series '{name}'; it has {known}",
    remedy="Use the number of a series as the scanner numbered it, or its Series Instance UID.",
    owner=Owner.OPERATOR,
)
NOT_ANSWERABLE = Problem(
    code="engine.not-answerable",
    says="'{name}' is nothing that a person can answer",
    remedy="`bingcheng protocol questions` lists what can be answered.",
    owner=Owner.OPERATOR,
)
WRONG_ANSWER = Problem(
    code="engine.wrong-answer",
    says="'{value}' is no answer to {name}, which is {kind}",
    remedy="Write a number as 12.5, a yes or no as yes or no, several values with commas between them.",
    owner=Owner.OPERATOR,
)
NOT_OF_ALL = Problem(
    code="engine.answer-of-one-exam",
    says="{name} holds for one exam only, and no exam is named",
    remedy="Name the exam with --exam.",
    owner=Owner.OPERATOR,
)
NOT_OF_A_SERIES = Problem(
    code="engine.answer-not-of-a-series",
    says="{name} is nothing that a single series has",
    remedy="Leave --series out.",
    owner=Owner.OPERATOR,
)
SERIES_OF_WHICH_EXAM = Problem(
    code="engine.series-without-exam",
    says="a series is named, but not the exam that it belongs to",
    remedy="Name the exam with --exam.",
    owner=Owner.OPERATOR,
)
ALREADY_OVER = Problem(
    code="engine.already-over",
    says="the day until which the waiver would hold, {until}, is over",
    remedy="Name a day that is still to come.",
    owner=Owner.OPERATOR,
)
YES, NO = ("yes", "true", "y", "是"), ("no", "false", "n", "否")


def waive(
    workspace: Workspace,
    protocol: str,
    criterion: str,
    *,
    by: str,
    why: str,
    until: date,
    now: datetime,
    exam_uid: str | None = None,
    site: str | None = None,
) -> int:
    """State that a criterion need not be met, for one exam, one hospital or all; returns the statement's number.

    Raises
    ------
    InputError
        ``protocol.no-such-protocol``, ``engine.no-such-criterion``, ``engine.already-over``.
    """
    named = _protocol(workspace, protocol)
    known = [f"role.{role.id}" for role in named.roles] + [one.id for one in named.criteria]
    if criterion not in known:
        raise InputError(NO_SUCH_CRITERION, protocol=protocol, name=criterion, known=", ".join(known))
    if until < now.date():
        raise InputError(ALREADY_OVER, until=until.isoformat())
    statement = Statement(
        kind=StatementKind.WAIVER,
        by=by,
        made_at=now,
        protocol=protocol,
        subject=criterion,
        exam_uid=exam_uid,
        site=site,
        why=why,
        until=until,
    )
    return _stated(workspace, statement)


def correct(
    workspace: Workspace,
    exam_uid: str,
    series: str,
    *,
    protocol: str,
    role: str,
    fills: bool,
    by: str,
    now: datetime,
) -> int:
    """State which series fills a role, or does not; remembered for the scanner where its header names it.

    Raises
    ------
    InputError
        ``protocol.no-such-protocol``, ``engine.no-such-role``, ``engine.no-such-series``.
    """
    named = _protocol(workspace, protocol)
    known = [one.id for one in named.roles]
    if role not in known:
        raise InputError(NO_SUCH_ROLE, protocol=protocol, name=role, known=", ".join(known))
    facts = _acquisitions(workspace, exam_uid)
    meant = _series(facts, series)
    scanner = device(meant)
    statement = Statement(
        kind=StatementKind.CORRECTION,
        by=by,
        made_at=now,
        protocol=protocol,
        subject=role,
        exam_uid=exam_uid if scanner is None else None,
        device=scanner,
        signature=signatures(facts)[meant.series_uid],
        fills=fills,
    )
    return _stated(workspace, statement)


def answer(
    workspace: Workspace,
    name: str,
    written: str,
    *,
    by: str,
    now: datetime,
    exam_uid: str | None = None,
    site: str | None = None,
    series: str | None = None,
) -> int:
    """State what no header says: a clinical fact of an exam or of one of its series, or a fact of the department.

    Raises
    ------
    InputError
        ``engine.not-answerable``, ``engine.wrong-answer``, ``engine.answer-of-one-exam``,
        ``engine.answer-not-of-a-series``, ``engine.series-without-exam``, ``engine.no-such-series``.
    """
    known = attributes()
    if name not in known or known[name].about is About.PAIR:
        raise InputError(NOT_ANSWERABLE, name=name)
    if known[name].of_one_exam and exam_uid is None:
        raise InputError(NOT_OF_ALL, name=name)
    statement = Statement(
        kind=StatementKind.ANSWER,
        by=by,
        made_at=now,
        subject=name,
        value=value_of(name, written),
        exam_uid=exam_uid,
        site=site,
        signature=None if series is None else _signature(workspace, exam_uid, series, known[name]),
    )
    return _stated(workspace, statement)


def _signature(workspace: Workspace, exam_uid: str | None, series: str, attribute: Attribute) -> str:
    """By what the series is known of which something is answered."""
    if exam_uid is None:
        raise InputError(SERIES_OF_WHICH_EXAM)
    if attribute.about not in (About.SERIES, About.OUTSIDE) or attribute.of_one_exam:
        raise InputError(NOT_OF_A_SERIES, name=attribute.key)
    facts = _acquisitions(workspace, exam_uid)
    return signatures(facts)[_series(facts, series).series_uid]


def take_back(workspace: Workspace, number: int, now: datetime) -> Statement:
    """Withdraw a statement.

    Raises
    ------
    InputError
        ``archive.no-such-statement``.
    """
    with workspace.writing() as connection:
        return withdraw(connection, number, now)


def value_of(name: str, written: str) -> Value:
    """The value of the quantity `name` that a person wrote.

    Raises
    ------
    InputError
        ``engine.wrong-answer``.
    """
    attribute = attributes()[name]
    parts = tuple(part.strip() for part in written.replace("，", ",").split(",") if part.strip())
    try:
        return _read(parts, attribute)
    except ValueError as error:
        kind = ", ".join(attribute.words) or attribute.kind.value
        raise InputError(WRONG_ANSWER, value=written, name=name, kind=kind) from error


def _read(parts: tuple[str, ...], attribute: Attribute) -> Value:
    match attribute.kind:
        case Kind.NUMBERS if parts:
            return tuple(float(part) for part in parts)
        case Kind.WORDS if parts:
            return tuple(_word(part, attribute.words) for part in parts)
        case _ if len(parts) != 1:
            raise ValueError(parts)
        case Kind.FLAG:
            return _flag(parts[0])
        case Kind.NUMBER:
            return float(parts[0])
        case _:
            if attribute.form and not re.fullmatch(attribute.form, parts[0]):
                raise ValueError(parts[0])
            return _word(parts[0], attribute.words)


def _flag(written: str) -> bool:
    if written.casefold() in YES:
        return True
    if written.casefold() in NO:
        return False
    raise ValueError(written)


def _word(written: str, words: Mapping[str, Text]) -> str:
    if words and written not in words:  # a closed vocabulary
        raise ValueError(written)
    return written


def _stated(workspace: Workspace, statement: Statement) -> int:
    with workspace.writing() as connection:
        return state(connection, statement)


def _protocol(workspace: Workspace, name: str) -> Protocol:
    known = {one.id: one for one in agreed(workspace).protocols}
    if name not in known:
        raise InputError(NO_SUCH_PROTOCOL, name=name, known=", ".join(sorted(known)))
    return known[name]


def _acquisitions(workspace: Workspace, exam_uid: str) -> list[Acquisition]:
    with workspace.reading() as connection:
        stored = next(one.acquisitions for one in exam_facts(connection) if one.uid == exam_uid)
    return [acquisition(modality, facts) for modality, facts in stored]


def _series(facts: Sequence[Acquisition], name: str) -> Acquisition:
    numbered = [one for one in facts if str(one.series_number) == name]
    found = [one for one in facts if one.series_uid == name] or numbered
    if len(found) == 1:
        return found[0]
    known = ", ".join(f"{one.series_number} ({one.series_uid})" for one in facts)
    raise InputError(NO_SUCH_SERIES, name=name, known=known)
