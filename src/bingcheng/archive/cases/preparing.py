"""Making a case's own objects: de-identified copies in the space of the case, and the numbers that go with them."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path

from sqlalchemy import Connection, delete, insert, select, update

from bingcheng.archive import schema
from bingcheng.archive.assumed_issuer import default_issuer
from bingcheng.archive.authorisation.spaces import case_space
from bingcheng.archive.cases import tables
from bingcheng.archive.cases.case import Case, case
from bingcheng.archive.cases.facts import carry
from bingcheng.archive.cases.holdings import keep_only, put
from bingcheng.archive.cases.pictures import approvals, hold_back, left_out
from bingcheng.archive.cases.selection import originals, selection
from bingcheng.archive.deidentify.batch import Deidentified, Deidentifier, State
from bingcheng.archive.deidentify.key_table import KeyTable, Secret
from bingcheng.archive.deidentify.profile import Option, Profile
from bingcheng.archive.objects.objects import Objects
from bingcheng.archive.objects.received import Origin
from bingcheng.archive.objects.tables import stored_series, stored_study
from bingcheng.archive.ownership import HOSPITALS, owned_by
from bingcheng.archive.people.hospital import hospital
from bingcheng.archive.workspace import Workspace
from bingcheng.compare.lesions import LesionChange
from bingcheng.core.wording import Text, text

KEYS = "keys"
MADE_HERE = Origin(kind="derived", peer="case")
NOTED_AT_ONCE = 50
Progress = Callable[[Text, int, int], None]
Followed = Callable[[Sequence[str]], Sequence[LesionChange]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Prepared:
    """What came of it: how many objects the case has, and how many wait for a person."""

    objects: int
    waiting: int


def prepare(
    workspace: Workspace,
    objects: Objects,
    number: int,
    progress: Progress = lambda _step, _done, _total: None,
    followed: Followed = lambda _uids: (),
) -> Prepared:
    """De-identify what a case shows into its space; what it showed before and doesn't any more is removed.

    The case has a key of its own: readers can't tell that two cases are of one patient. Safe to repeat after a crash.

    Parameters
    ----------
    followed : what became of the lesions over exams of its hospital; the case says it of what it shows.

    Raises
    ------
    InputError
        ``archive.not-found``, ``archive.no-such-profile``, ``archive.bad-key``.
    RemoteError
        ``archive.disk-full`` and what else keeps the archive from storing.
    """
    with workspace.writing() as connection:
        known = case(connection, number)
        chosen, excluded = selection(connection, number), left_out(connection, number)
        table, issuer = _key_table(connection, workspace.folder, known)
        asked = approvals(connection, number)
        worker = Deidentifier(
            profile=Profile.named(known.profile),
            key=table.key,
            site=hospital(connection, known.hospital).name,
            issuer=issuer,
            approvals=asked,
        )
    wanted = [one for one in originals(objects, known.hospital, chosen) if one.sop_uid not in excluded]
    made: dict[str, str] = {}
    held, noted, step = 0, [], text("De-identifying the case's images")
    for done, one in enumerate(wanted, start=1):
        with objects.open_bytes(one) as stream:
            result = worker.one(stream.read())
        if result.state is State.DONE and result.data is not None:
            received = put(objects, result.data, space=case_space(number), origin=MADE_HERE)
            made[received.sop_instance_uid] = received.study_instance_uid
            noted.append(result)
        else:
            held += 1
            with workspace.writing() as connection:
                hold_back(connection, number, one, result, no_faces=worker.profile.has(Option.NO_FACES), asked=asked)
        if len(noted) >= NOTED_AT_ONCE or done == len(wanted):
            _note(workspace, table, noted)
            noted.clear()
        progress(step, done, len(wanted))
    keep_only(objects, case_space(number), set(made))
    became = followed(_own(workspace, known.hospital, {one.study_uid for one in wanted}))
    with workspace.writing() as connection:
        studies = {uid: table.key.new_uid(uid) for uid in dict.fromkeys(one.study_uid for one in wanted)}
        shown = {old: new for old, new in studies.items() if new in set(made.values())}
        series = {one.series_uid for one in wanted}
        numbers = _exams(connection, known, shown)
        carry(connection, number, numbers, series, became)
    return Prepared(objects=len(made), waiting=held)


def _own(workspace: Workspace, hospital_number: int, uids: Collection[str]) -> Sequence[str]:
    """Those of the exams whose results are the hospital's."""
    with workspace.reading() as connection:
        mine = select(schema.exam.c.uid).where(schema.exam.c.uid.in_(uids), owned_by(connection, hospital_number))
        return connection.scalars(mine).all()


def _key_table(connection: Connection, folder: Path, known: Case) -> tuple[KeyTable, str]:
    """The case's key, and as whose patient numbers are read that name no issuer.

    That stays what it was when the key was made: pseudonym and dates of objects that others have seen must not change.
    """
    place = folder / KEYS
    place.mkdir(mode=0o700, exist_ok=True)
    secret = Secret.key_file(place / f"hospital-{known.hospital}.key")
    name, one = f"case/{known.number}", tables.shared_case
    table = KeyTable.open(connection, name, secret)
    if table is not None:
        return table, connection.scalar(select(one.c.issuer).where(one.c.id == known.number)) or ""
    issuer = default_issuer(connection, f"{HOSPITALS}{known.hospital}")
    connection.execute(update(one).where(one.c.id == known.number).values(issuer=issuer))
    return KeyTable.make(connection, name, secret), issuer


def _note(workspace: Workspace, table: KeyTable, noted: list[Deidentified]) -> None:
    if noted:
        with workspace.writing() as connection:
            table.record(connection, noted)


def _exams(connection: Connection, known: Case, studies: dict[str, str]) -> dict[str, int]:
    """Number the case's exams in time, with the days between them; numbers by the originals' UIDs."""
    days = _days(connection, known.hospital, list(studies))
    ordered = sorted(studies, key=lambda uid: (days[uid] is None, days[uid] or date.min, studies[uid]))
    first = next((days[uid] for uid in ordered if days[uid] is not None), None)
    held = _held(connection, known.number)
    table = tables.case_exam
    connection.execute(delete(table).where(table.c.case_id == known.number))
    rows = []
    for number, uid in enumerate(ordered, start=1):
        day = days[uid]
        modalities, count = held.get(studies[uid], ("", 0))
        since = None if day is None or first is None else (day - first).days
        rows.append(
            {
                "case_id": known.number,
                "number": number,
                "study_uid": studies[uid],
                "day": since,
                "modalities": modalities,
                "instances": count,
            }
        )
    if rows:
        connection.execute(insert(table), rows)
    return {uid: number for number, uid in enumerate(ordered, start=1)}


def _days(connection: Connection, hospital_number: int, studies: list[str]) -> dict[str, date | None]:
    found: dict[str, date | None] = dict.fromkeys(studies)
    held, exam = stored_study.c, schema.exam.c
    said = select(held.study_uid, held.study_date_key).where(
        held.space == f"{HOSPITALS}{hospital_number}", held.study_uid.in_(studies)
    )
    for uid, words in connection.execute(said):
        found[uid] = _date(words)
    mine = owned_by(connection, hospital_number)
    for uid, performed in connection.execute(select(exam.uid, exam.performed_at).where(exam.uid.in_(studies), mine)):
        if performed is not None:
            found[uid] = performed.date()
    return found


def _date(words: str) -> date | None:
    try:
        return date(int(words[:4]), int(words[4:6]), int(words[6:8]))
    except ValueError:
        return None


def _held(connection: Connection, number: int) -> dict[str, tuple[str, int]]:
    study, series = stored_study.c, stored_series.c
    query = (
        select(study.study_uid, series.modality_key, series.series_instance_count)
        .join_from(stored_study, stored_series, series.study_id == study.id)
        .where(study.space == case_space(number))
    )
    modalities: dict[str, set[str]] = defaultdict(set)
    counts: dict[str, int] = defaultdict(int)
    for uid, modality, count in connection.execute(query):
        modalities[uid].add(modality)
        counts[uid] += count
    return {uid: (" ".join(sorted(modalities[uid])), counts[uid]) for uid in modalities}
