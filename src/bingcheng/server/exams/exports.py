"""``/exports``: what the pages of exams show, to take away. Each is recorded as an export."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Annotated

from fastapi import APIRouter, Depends, Request
from starlette.responses import JSONResponse, Response, StreamingResponse

from bingcheng.archive.audit.event_code import EventCode
from bingcheng.archive.authorisation.action import Action
from bingcheng.archive.authorisation.actor import Actor
from bingcheng.archive.authorisation.decision import check_taken_away
from bingcheng.archive.authorisation.spaces import readable_spaces
from bingcheng.archive.objects.instance import Instance
from bingcheng.archive.objects.objects import Objects
from bingcheng.archive.ownership import HOSPITALS
from bingcheng.archive.people.problems import NO_SUCH_THING
from bingcheng.archive.worklist import Wanted, worklist
from bingcheng.core.errors import InputError
from bingcheng.outputs.csv_table import as_csv
from bingcheng.outputs.table import Column, Kind
from bingcheng.server.exams.patient import PSEUDONYM, named, patients
from bingcheng.server.exams.results import results
from bingcheng.server.exams.seen import UID, check_exam, of_patient, with_others
from bingcheng.server.exams.worklist import name_of, wanted_of
from bingcheng.server.pages.page import language_of
from bingcheng.server.security.required import allowed
from bingcheng.server.security.traced import saw_studies, traced
from bingcheng.server.site import Site, site

router = APIRouter(include_in_schema=False)
MOST_ROWS = 100_000
CHUNK = 1 << 20
CSV = "text/csv; charset=utf-8"
OF_EXAM = frozenset({"measurements", "findings", "radiomics", "doses", "refusals"})
"""Tables of an exam alone."""
OF_PATIENT = frozenset({"changes", "lesion_links"})
"""Tables that an exam's page shows of its patient's other exams too; the patient's page shows all."""
WORKLIST_COLUMNS = (
    Column(name="exam_uid", kind=Kind.TEXT, description="Study Instance UID"),
    Column(name="patient", kind=Kind.TEXT, description="Name and number, as the hospital wrote them"),
    Column(name="performed_at", kind=Kind.TEXT, description="When the exam was made, the scanner's local time"),
    Column(name="modalities", kind=Kind.TEXT, description="Modalities"),
    Column(name="description", kind=Kind.TEXT, description="Study description"),
    Column(name="outcome", kind=Kind.TEXT, description="pass, fail, unknown; empty if no protocol applies"),
    Column(name="required_open_or_broken", kind=Kind.COUNT, description="Required criteria broken or left open"),
    Column(name="lesions", kind=Kind.COUNT, description="Lesions outlined"),
    Column(name="state", kind=Kind.TEXT, description="State of its last job; empty without one"),
)

PATIENT_COLUMNS = (
    Column(name="patient", kind=Kind.TEXT, description="Pseudonym"),
    Column(name="name", kind=Kind.TEXT, description="Name, as the hospital wrote it"),
    Column(name="number", kind=Kind.TEXT, description="Number, as the hospital wrote it"),
    Column(name="exams", kind=Kind.COUNT, description="Assessed exams"),
    Column(name="first", kind=Kind.TEXT, description="When the first was made, the scanner's local time"),
    Column(name="last", kind=Kind.TEXT, description="When the last was made, the scanner's local time"),
)


@router.get("/exports/worklist.csv")
def list_as_csv(
    request: Request,
    actor: Annotated[Actor, allowed(Action.READ_EXAM)],
    where: Annotated[Site, Depends(site)],
) -> Response:
    """The list as it was asked for, all pages."""
    if actor.hospital is None:
        raise InputError(NO_SUCH_THING)
    with where.workspace.reading() as connection:
        found = worklist(connection, actor.hospital, _wanted(request), most=MOST_ROWS)
    traced(request).code = EventCode.EXPORT
    saw_studies(request, [entry.uid for entry in found.entries])
    rows = [
        (
            one.uid,
            name_of(one),
            _minute(one.performed_at),
            " ".join(one.modalities),
            one.description,
            None if one.outcome is None else one.outcome.value,
            one.required if one.assessed else None,
            one.lesions if one.assessed else None,
            None if one.job is None else one.job.state.value,
        )
        for one in found.entries
    ]
    return _file(as_csv(WORKLIST_COLUMNS, rows), "exams.csv", CSV)


@router.get("/exports/exam/{study_uid}/{table}.csv")
def table_as_csv(
    request: Request,
    study_uid: str,
    table: str,
    actor: Annotated[Actor, allowed(Action.READ_EXAM)],
    where: Annotated[Site, Depends(site)],
) -> Response:
    """What the page of an exam shows: its measurements and findings, what changed since the exam before."""
    if table not in OF_EXAM | OF_PATIENT:
        raise InputError(NO_SUCH_THING)
    hospital = _assessed(request, where, actor, study_uid)
    uids: Sequence[str] = [study_uid]
    if table in OF_PATIENT:
        with where.workspace.reading() as connection:
            uids = with_others(connection, actor, hospital, study_uid)
        saw_studies(request, uids)
    return _table(request, where, table, uids)


@router.get("/exports/patients.csv")
def patients_as_csv(
    request: Request,
    actor: Annotated[Actor, allowed(Action.READ_EXAM)],
    where: Annotated[Site, Depends(site)],
    words: str = "",
) -> Response:
    """The patients as they were asked for, all pages."""
    if actor.hospital is None:
        raise InputError(NO_SUCH_THING)
    with where.workspace.reading() as connection:
        rows, _ = patients(connection, actor.hospital, words, most=MOST_ROWS)
    trace = traced(request)
    trace.code, trace.count = EventCode.EXPORT, len(rows)
    cells = [
        (one.patient, named(one.name or ""), one.number, one.exams, _minute(one.first), _minute(one.last))
        for one in rows
    ]
    return _file(as_csv(PATIENT_COLUMNS, cells), "patients.csv", CSV)


@router.get("/exports/patient/{patient}/{table}.csv")
def patient_table_as_csv(
    request: Request,
    patient: str,
    table: str,
    actor: Annotated[Actor, allowed(Action.READ_EXAM)],
    where: Annotated[Site, Depends(site)],
) -> Response:
    """A table over all exams of a patient."""
    if table not in OF_EXAM | OF_PATIENT or not PSEUDONYM.fullmatch(patient) or actor.hospital is None:
        raise InputError(NO_SUCH_THING)
    with where.workspace.reading() as connection:
        uids = of_patient(connection, actor.hospital, patient)
    if not uids:
        raise InputError(NO_SUCH_THING)
    trace = traced(request)
    trace.code, trace.patient = EventCode.EXPORT, patient
    saw_studies(request, uids)
    return _table(request, where, table, uids)


@router.get("/exports/exam/{study_uid}/exam.json")
def exam_as_json(
    request: Request,
    study_uid: str,
    actor: Annotated[Actor, allowed(Action.READ_EXAM)],
    where: Annotated[Site, Depends(site)],
) -> Response:
    """All that is known of an exam."""
    _assessed(request, where, actor, study_uid)
    from bingcheng.outputs.machine_readable import as_json  # noqa: PLC0415

    seen = results(where, [study_uid], images=False)
    return JSONResponse(as_json(seen, language_of(request)), headers=_as_file("exam.json"))


@router.get("/exports/exam/{study_uid}/objects/{sop_uid}.dcm")
def one_object(
    request: Request,
    study_uid: str,
    sop_uid: str,
    actor: Annotated[Actor, allowed(Action.READ_EXAM)],
    where: Annotated[Site, Depends(site)],
) -> Response:
    """One object of an exam, byte for byte."""
    if not (UID.fullmatch(study_uid) and UID.fullmatch(sop_uid)):
        raise InputError(NO_SUCH_THING)
    with where.workspace.reading() as connection:
        spaces = readable_spaces(connection, actor, study_uid=study_uid, now=where.now())
    found = where.objects.instance(spaces, study_uid, None, sop_uid) if spaces else None
    if found is None or not found.space.startswith(HOSPITALS):
        raise InputError(NO_SUCH_THING)
    trace = traced(request)
    trace.code, trace.hospital = EventCode.EXPORT, int(found.space.removeprefix(HOSPITALS))
    check_taken_away(actor, trace.hospital, study_uid)
    headers = {**_as_file(f"{sop_uid}.dcm"), "content-length": str(found.size)}
    return StreamingResponse(_bytes(where.objects, found), media_type="application/dicom", headers=headers)


def _bytes(objects: Objects, found: Instance) -> Iterator[bytes]:
    with objects.open_bytes(found) as stream:
        while chunk := stream.read(CHUNK):
            yield chunk


def _table(request: Request, where: Site, table: str, uids: Sequence[str]) -> Response:
    from bingcheng.outputs.table_columns import TABLES  # noqa: PLC0415

    seen = results(where, uids, images=False)
    wanted = next(one for one in TABLES if one.name == table)
    return _file(as_csv(wanted.columns, wanted.rows(seen), language_of(request).say), f"{table}.csv", CSV)


def _assessed(request: Request, where: Site, actor: Actor, study_uid: str) -> int:
    with where.workspace.reading() as connection:
        hospital = check_exam(request, connection, actor, study_uid, Action.READ_EXAM)
    if hospital is None:
        raise InputError(NO_SUCH_THING)
    traced(request).code = EventCode.EXPORT
    check_taken_away(actor, hospital, study_uid)
    return hospital


def _minute(moment: datetime | None) -> str | None:
    return None if moment is None else moment.isoformat(sep=" ", timespec="minutes")


def _wanted(request: Request) -> Wanted:
    names = ("words", "since", "until", "modality", "outcome", "state", "order")
    return wanted_of(**{name: request.query_params.get(name, "") for name in names})


def _file(content: bytes, name: str, kind: str) -> Response:
    return Response(content, media_type=kind, headers=_as_file(name))


def _as_file(name: str) -> dict[str, str]:
    return {"content-disposition": f'attachment; filename="{name}"'}
