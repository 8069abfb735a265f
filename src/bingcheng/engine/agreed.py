"""Which protocols a workspace is judged by: the library's, the hospital's own, and those that someone asked for."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from pydantic import ValidationError

from bingcheng.archive.agreement import Agreement, agree, agreement
from bingcheng.archive.workspace import Workspace
from bingcheng.core.errors import InputError
from bingcheng.engine.conformance_objects import write_conformance_objects
from bingcheng.engine.judgement import judge_exams
from bingcheng.engine.numbers import recount
from bingcheng.engine.problems import AGREEMENT_UNREADABLE, PROTOCOL_TAKEN
from bingcheng.outputs.language import Language
from bingcheng.protocol.library import NO_SUCH_PROTOCOL, protocols
from bingcheng.protocol.model import Protocol


@dataclass(frozen=True, slots=True)
class Agreed:
    """All protocols to judge by where they fit, and the identifiers of those that are judged on every exam."""

    protocols: tuple[Protocol, ...]
    asked: tuple[str, ...]


def agreed(workspace: Workspace, asked: Sequence[str] = (), own: Sequence[Protocol] = ()) -> Agreed:
    """What a run asks for; if it asks for nothing, what the last one that did asked for.

    Raises
    ------
    InputError
        ``engine.protocol-taken``; ``protocol.no-such-protocol`` if one is asked for that is not among them;
        ``engine.agreement-unreadable``.
    """
    if asked or own:
        found = _checked(asked, own)
        with workspace.writing() as connection:
            agree(connection, Agreement(asked=tuple(asked), own=tuple(one.model_dump_json() for one in own)))
        return found
    with workspace.reading() as connection:
        kept = agreement(connection)
    try:
        remembered = [Protocol.model_validate_json(one) for one in kept.own]
    except ValidationError as error:
        raise InputError(AGREEMENT_UNREADABLE) from error
    return _checked(kept.asked, remembered)


def judge_again(workspace: Workspace, today: date, language: Language | None = None) -> int:
    """Judge the workspace by what it is judged by, after something was stated; returns how many exams changed.

    Their structured reports are written anew with them, in `language` (English unless given).

    Raises
    ------
    InputError
        What `agreed` raises; ``outputs.cannot-write``.
    """
    by = agreed(workspace)
    judged = judge_exams(workspace, by.protocols, asked=by.asked, today=today)
    if judged:
        recount(workspace)
    write_conformance_objects(workspace, by.protocols, language=language)
    return judged


def _checked(asked: Sequence[str], own: Sequence[Protocol]) -> Agreed:
    judges = (*protocols(), *own)
    counted = Counter(one.id for one in judges)
    for name, count in counted.items():
        if count > 1:
            raise InputError(PROTOCOL_TAKEN, protocol=name)
    for name in asked:
        if name not in counted:
            raise InputError(NO_SUCH_PROTOCOL, name=name, known=", ".join(sorted(counted)))
    return Agreed(judges, (*asked, *(one.id for one in own)))
