"""The room of cases as the exchange asks it (`CaseRoom`): cases of ours as they leave, cases of others as they come.

A case that came belongs to the hospital that the pairing names: that hospital reads it, and decides who else does. Its
text is that of where it came from.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

from sqlalchemy import Connection, delete, func, insert, select

from bingcheng import __version__
from bingcheng.archive.authorisation.action import Action
from bingcheng.archive.authorisation.spaces import case_space
from bingcheng.archive.cases import tables
from bingcheng.archive.cases.case import (
    Case,
    CaseStatus,
    KeyImage,
    Question,
    Written,
    case,
    cases,
    change_case,
    checked,
    make_case,
    set_status,
)
from bingcheng.archive.cases.changes import CaseChange, case_changes, keep_changes
from bingcheng.archive.cases.facts import case_exams, case_protocols, case_values
from bingcheng.archive.cases.notices import NoticeKind, tell, who_may
from bingcheng.archive.deidentify.profile import Profile
from bingcheng.archive.objects.tables import stored_instance, stored_study
from bingcheng.archive.pairing import bundles, manifest
from bingcheng.archive.pairing.case_room import CaseBundle, CaseOrigin
from bingcheng.archive.pairing.change_fact import MOST_REASONS, ChangeFact, sentence
from bingcheng.archive.pairing.manifest import CaseContent, Deidentification, ProofMethod, tells_of_a_person
from bingcheng.archive.pairing.peers import peer
from bingcheng.archive.pairing.problems import NO_RECEIVER, NOT_WHITELISTED, WITHDRAWN
from bingcheng.archive.people.hospital import hospital
from bingcheng.compare.change import Verdict
from bingcheng.core.errors import InputError
from bingcheng.core.wording import text

STAYS_WITHDRAWN = text(
    "A later version of a case that was withdrawn came from another installation. It stays withdrawn here until "
    "somebody publishes it again."
)
IMPORTED = "imported"
"""In the place of a profile: it was de-identified elsewhere."""
_CHANGE_WORDS = ("lesion", "before", "after", "modality", "key", "label", "unit", "leads")
_CHANGE_NUMBERS = ("difference", "percent", "low_percent", "high_percent")
_TEXTS = ("title", "context", "diagnosis", "diagnosis_code", "teaching", "body_part", "modality", "language", "licence")


def export_case(connection: Connection, number: int) -> CaseBundle:
    """The published case of a number.

    Raises
    ------
    InputError
        ``archive.not-found``, ``archive.withdrawn-case``: it is not published; ``archive.not-whitelisted``: it is not
        one of this installation's own.
    """
    known = case(connection, number)
    if bundles.origin_of(connection, number) is not None:
        raise InputError(NOT_WHITELISTED, what=text("a case of a third installation"))
    if known.status is not CaseStatus.PUBLISHED:
        raise InputError(WITHDRAWN)
    profile = Profile.named(known.profile)
    return CaseBundle(
        case=number,
        version=known.version,
        space=case_space(number),
        content=_content(connection, known),
        deidentification=Deidentification(
            profile=profile.name,
            codes=tuple(code for code, _ in profile.codes),
            # Nothing gets into the space of a case but what the second pass found clean.
            method=ProofMethod.BYTES,
            proved=_objects(connection, number),
            program=f"Bingcheng {__version__}",
        ),
    )


def is_published(connection: Connection, number: int) -> bool:
    """Whether a case of ours may still be given to others."""
    found = cases(connection, [number])
    return bool(found) and found[0].status is CaseStatus.PUBLISHED


def check_import(content: CaseContent) -> None:
    """Raise unless a case of this content could be kept: what another program wrote may be longer than a case is here.

    Raises
    ------
    InputError
        ``archive.not-whitelisted``.
    """
    try:
        checked(_written(content))
    except InputError as error:
        raise InputError(NOT_WHITELISTED, what=text("words or a quiz that no case here can have")) from error


def begin_import(connection: Connection, content: CaseContent, origin: CaseOrigin, now: datetime) -> int:
    """Make a draft for a case that comes, or find that of which it is a later version.

    Raises
    ------
    InputError
        ``archive.no-receiving-hospital``.
    """
    known = bundles.case_of_version(connection, origin.peer, origin.case)
    if known is not None:
        return known
    whose = peer(connection, origin.peer)
    if whose.hospital is None or whose.confirmed_by is None:
        raise InputError(NO_RECEIVER)
    return make_case(
        connection,
        hospital=whose.hospital,
        author=whose.confirmed_by,
        profile=IMPORTED,
        written=_written(content),
        now=now,
    )


def finish_import(connection: Connection, number: int, content: CaseContent, now: datetime) -> None:
    """Its objects are all here: its text and numbers are set, and its hospital sees it.

    A later version of a case that was withdrawn, here or where it came from, opens nothing: it stays withdrawn, and who
    publishes for its hospital is told.
    """
    known = case(connection, number)
    change_case(connection, number, _written(content), person=known.author, now=now)
    _carry(connection, number, content)
    if known.status is CaseStatus.DRAFT:
        set_status(connection, number, CaseStatus.PUBLISHED, now)
    elif known.status is CaseStatus.WITHDRAWN:
        people = [one.number for one in who_may(connection, Action.PUBLISH_CASE, known.hospital)]
        tell(connection, people, NoticeKind.GRANT, STAYS_WITHDRAWN, link=f"/cases/{number}", now=now)


def withdraw_import(connection: Connection, number: int, now: datetime) -> None:
    """Nobody reads it any more."""
    if case(connection, number).status is CaseStatus.PUBLISHED:
        set_status(connection, number, CaseStatus.WITHDRAWN, now)


def _content(connection: Connection, known: Case) -> CaseContent:
    written = known.written
    return CaseContent(
        **{name: getattr(written, name) for name in _TEXTS},
        hidden=written.hidden,
        tags=written.tags,
        hospital=hospital(connection, known.hospital).name if written.show_hospital else "",
        questions=tuple(
            manifest.Question(question=q.question, choices=q.choices, right=q.right, explanation=q.explanation)
            for q in written.questions
        ),
        exams=tuple(
            manifest.Exam(
                number=exam.number,
                study_uid=exam.study_uid,
                day=exam.day,
                modalities=" ".join(exam.modalities),
                instances=exam.instances,
            )
            for exam in case_exams(connection, known.number)
        ),
        facts=tuple(
            manifest.Fact(
                exam=fact.exam,
                lesion=fact.lesion,
                modality=fact.modality,
                key=fact.key,
                label=fact.label,
                unit=fact.unit,
                value=fact.value,
                standard_uncertainty=fact.standard_uncertainty,
            )
            for fact in case_values(connection, known.number)
        ),
        protocols=tuple(
            manifest.ProtocolResult(
                exam=result.exam,
                protocol=result.protocol,
                outcome=result.outcome.value,  # type: ignore[arg-type]  # checked by the model
                passed=result.passed,
                failed=result.failed,
                unknown=result.unknown,
            )
            for result in case_protocols(connection, known.number)
        ),
        key_images=tuple(_pointed(connection, known)),
        changes=tuple(_changed(connection, known)),
    )


def _changed(connection: Connection, known: Case) -> Iterator[ChangeFact]:
    """The carried changes; a reason that can't cross, or looks like somebody's number, is left out."""
    measured = {one.lesion for one in case_values(connection, known.number)}
    exams = {one.number for one in case_exams(connection, known.number)}
    for one in case_changes(connection, known.number):
        told = (sentence(reason) for reason in one.reasons)
        reasons = [reason for reason in told if reason is not None and not any(map(tells_of_a_person, reason.words()))]
        if one.lesion in measured and {one.before, one.after} <= exams:
            said = {name: getattr(one, name) for name in (*_CHANGE_WORDS, *_CHANGE_NUMBERS)}
            said |= {"verdict": one.verdict.value, "reasons": reasons[:MOST_REASONS]}
            yield ChangeFact.model_validate(said)


def _pointed(connection: Connection, known: Case) -> Iterator[manifest.PointedImage]:
    """The key images that the case still shows: an object may have been left out since it was marked.

    A place is told only where it lies in its image: it was found by the size of the first image of the series.
    """
    table, images = stored_instance.c, known.written.key_images
    query = select(table.sop_uid, table.frames, table.rows, table.columns).where(
        table.instance_space == case_space(known.number), table.sop_uid.in_({one.sop_uid for one in images})
    )
    held = {row.sop_uid: row for row in connection.execute(query)} if images else {}
    for one in images:
        row = held.get(one.sop_uid)
        if row is None or not row.rows or one.frame > (row.frames or 1):
            continue
        inside = one.x is not None and one.y is not None and one.x < row.columns and one.y < row.rows
        x, y = (one.x, one.y) if inside else (None, None)
        yield manifest.PointedImage(sop_uid=one.sop_uid, frame=one.frame, x=x, y=y, note=one.note)


def _written(content: CaseContent) -> Written:
    return Written(
        **{name: getattr(content, name) for name in _TEXTS},
        hidden=content.hidden,
        tags=content.tags,
        questions=tuple(
            Question(question=q.question, choices=q.choices, right=q.right, explanation=q.explanation)
            for q in content.questions
        ),
        key_images=tuple(
            KeyImage(sop_uid=one.sop_uid, frame=one.frame, x=one.x, y=one.y, note=one.note)
            for one in content.key_images
        ),
    )


def _carry(connection: Connection, number: int, content: CaseContent) -> None:
    rows = (
        (tables.case_exam, [one.model_dump() for one in content.exams]),
        (tables.case_value, [one.model_dump() for one in content.facts]),
        (tables.case_protocol, [one.model_dump() for one in content.protocols]),
    )
    for table, several in rows:
        connection.execute(delete(table).where(table.c.case_id == number))
        if several:
            connection.execute(insert(table), [{"case_id": number, **one} for one in several])
    keep_changes(connection, number, [_kept_change(one) for one in content.changes])


def _kept_change(one: ChangeFact) -> CaseChange:
    said = {name: getattr(one, name) for name in (*_CHANGE_WORDS, *_CHANGE_NUMBERS)}
    return CaseChange(**said, verdict=Verdict(one.verdict), reasons=tuple(reason.said() for reason in one.reasons))


def _objects(connection: Connection, number: int) -> int:
    study = stored_study.c
    counted = select(func.coalesce(func.sum(study.instance_count), 0)).where(study.space == case_space(number))
    return int(connection.scalar(counted) or 0)
