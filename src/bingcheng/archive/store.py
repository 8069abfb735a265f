"""Exams into the workspace. Storing an exam again replaces it whole, in one transaction."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from sqlalchemy import Connection, bindparam, delete, insert, select, update

import bingcheng
from bingcheng.archive import schema
from bingcheng.archive.assumed_issuer import note_assumed, read_as
from bingcheng.archive.codec import encoded, storable
from bingcheng.archive.listing import list_exams, list_judged
from bingcheng.archive.records import ExamRecord, Judged, SeriesRecord
from bingcheng.archive.site_counts import outcome_of
from bingcheng.archive.workspace import Workspace
from bingcheng.core.finding import Finding, Outcome
from bingcheng.core.measurement import Measurement
from bingcheng.core.refusal import Refusal
from bingcheng.dicom.exam import Patient
from bingcheng.outputs.keyimage import as_json
from bingcheng.outputs.picture import KeyImage
from bingcheng.outputs.radiomics.feature_set import FeatureSet


def save_exam(
    workspace: Workspace, record: ExamRecord, *, allow: Callable[[Connection, str], None] | None = None
) -> None:
    """Store one assessed exam; whatever was stored of it before is replaced. It is not judged yet.

    Parameters
    ----------
    allow : asked with the exam's UID in the transaction that stores it; raises to leave all as it is.

    Raises
    ------
    InputError
        ``archive.read-only``, ``archive.disk-full``, and what `allow` raises; then nothing of the exam is stored.
    """
    former = workspace.pseudonym(record.patient, record.site, record.uid)
    with workspace.writing() as connection:
        if allow is not None:
            allow(connection, record.uid)
        patient = read_as(connection, record.patient, record.uid, record.site)
        pseudonym = workspace.pseudonym(patient, record.site, record.uid)
        before = connection.scalar(select(schema.exam.c.patient).where(schema.exam.c.uid == record.uid))
        connection.execute(delete(schema.exam).where(schema.exam.c.uid == record.uid))
        _save_identity(connection, pseudonym, patient)
        connection.execute(
            insert(schema.exam),
            {
                "uid": record.uid,
                "fingerprint": record.fingerprint,
                "patient": pseudonym,
                "site": storable(record.site),
                "performed_at": record.performed_at,
                "description": storable(record.description),
                "version": bingcheng.__version__,
            },
        )
        note_assumed(connection, record.uid, record.patient, patient, former)
        for series in record.series:
            _save_series(connection, record.uid, series)
        _insert(connection, schema.dose, [{"exam_uid": record.uid, "record": encoded(one)} for one in record.doses])
        _insert(connection, schema.refusal, [_refusal_row(r, record.uid) for r in record.refusals])
        if before is not None and before != pseudonym:
            _forget_without_exam(connection, before)
        # The patient's other exams are found by the same name, which may have been corrected.
        of_patient = select(schema.exam.c.uid).where(schema.exam.c.patient == pseudonym)
        list_exams(connection, connection.scalars(of_patient).all())


def save_judged(connection: Connection, judged: Mapping[str, Judged]) -> None:
    """Store the findings of exams by their UID; earlier findings of the same exams are replaced."""
    if not judged:
        return
    exam = schema.exam.c
    connection.execute(delete(schema.finding).where(schema.finding.c.exam_uid.in_(judged)))
    connection.execute(
        update(schema.exam)
        .where(exam.uid == bindparam("of"))
        .values({name: bindparam(f"new_{name}") for name in ("judged", "failed", "unknown", "passed")}),
        [{"of": uid, **_counted(one)} for uid, one in judged.items()],
    )
    # A finding that is the same in all exams is one object, and encoded once.
    records: dict[int, str] = {}
    rows = []
    for uid, one in judged.items():
        for finding in one.findings:
            record = records.get(id(finding))
            if record is None:
                record = records[id(finding)] = encoded(finding)
            rows.append(_finding_row(uid, finding, record))
    _insert(connection, schema.finding, rows)
    list_judged(connection, {uid: outcome_of(*_numbers(one)) for uid, one in judged.items()})


def _counted(judged: Judged) -> dict[str, Any]:
    failed, unknown, passed = _numbers(judged)
    return {"new_judged": judged.digest, "new_failed": failed, "new_unknown": unknown, "new_passed": passed}


def _numbers(judged: Judged) -> tuple[int, int, int]:
    """How many required criteria an exam broke and left open, and how many criteria it met."""
    met = [(finding.outcome, finding.gates) for finding in judged.findings]
    passed = sum(outcome is Outcome.PASS for outcome, _ in met)
    return met.count((Outcome.FAIL, True)), met.count((Outcome.UNKNOWN, True)), passed


def _finding_row(exam_uid: str, finding: Finding, record: str) -> dict[str, Any]:
    return {
        "exam_uid": exam_uid,
        "protocol": finding.protocol,
        "criterion": finding.criterion,
        "role": finding.role,
        "outcome": finding.outcome.value,
        "level": finding.level.value,
        "gates": finding.gates,
        "value": finding.value,
        "distance": finding.distance,
        "record": record,
    }


def save_refusals(connection: Connection, code: str, found: Mapping[str, Refusal | None]) -> None:
    """Store of each exam, by its UID, the refusal of that code; one that stood there before is replaced, or goes."""
    table = schema.refusal
    connection.execute(delete(table).where(table.c.exam_uid.in_(found), table.c.code == code))
    _insert(connection, table, [_refusal_row(one, uid) for uid, one in found.items() if one is not None])


def save_stray_refusals(workspace: Workspace, refusals: Sequence[Refusal]) -> None:
    """Store what the last scan could not place in any exam; what an earlier scan left is replaced."""
    rows = [_refusal_row(refusal, None) for refusal in refusals]
    without_exam = schema.refusal.c.exam_uid.is_(None)
    with workspace.writing() as connection:
        stored = connection.scalars(select(schema.refusal.c.record).where(without_exam).order_by(schema.refusal.c.id))
        if stored.all() != [row["record"] for row in rows]:
            connection.execute(delete(schema.refusal).where(without_exam))
            _insert(connection, schema.refusal, rows)


def _save_identity(connection: Connection, pseudonym: str, patient: Patient) -> None:
    values = {
        "patient_id": storable(patient.patient_id),
        "issuer": _maybe(patient.issuer),
        "name": _maybe(patient.name),
        "birth_date": _maybe(patient.birth_date),
    }
    changed = connection.execute(update(schema.identity).where(schema.identity.c.patient == pseudonym).values(**values))
    if changed.rowcount == 0:
        connection.execute(insert(schema.identity), {"patient": pseudonym, **values})


def _maybe(words: str | None) -> str | None:
    return None if words is None else storable(words)


def _forget_without_exam(connection: Connection, pseudonym: str) -> None:
    """An identity that no exam refers to any more (its exam came back under a corrected number) is not kept."""
    if connection.scalar(select(schema.exam.c.uid).where(schema.exam.c.patient == pseudonym).limit(1)) is None:
        connection.execute(delete(schema.identity).where(schema.identity.c.patient == pseudonym))


def _save_series(connection: Connection, exam_uid: str, record: SeriesRecord) -> None:
    connection.execute(
        insert(schema.series),
        {
            "exam_uid": exam_uid,
            "uid": record.uid,
            "modality": record.acquisition.modality,
            "volume_count": record.volume_count,
            "voxel_mm3": record.voxel_mm3,
            "acquisition": encoded(record.acquisition),
            "image": _image_bytes(record.image),
        },
    )
    lesions = [
        {
            "exam_uid": exam_uid,
            "series_uid": record.uid,
            "lesion": storable(lesion.lesion),
            "label": storable(lesion.label),
            "method": storable(lesion.method),
            "image": _image_bytes(lesion.image),
        }
        for lesion in record.lesions
    ]
    _insert(connection, schema.lesion, lesions)
    found = ((lesion.lesion, one) for lesion in record.lesions for one in lesion.radiomics)
    _insert(connection, schema.radiomics, [_features_row(exam_uid, record.uid, lesion, one) for lesion, one in found])
    rows = [_measurement_row(m, exam_uid, record.uid, None) for m in record.measurements]
    for lesion in record.lesions:
        rows += [_measurement_row(m, exam_uid, record.uid, storable(lesion.lesion)) for m in lesion.measurements]
    _insert(connection, schema.measurement, rows)


def _measurement_row(measured: Measurement, exam_uid: str, series_uid: str, lesion: str | None) -> dict[str, Any]:
    return {
        "exam_uid": exam_uid,
        "series_uid": series_uid,
        "lesion": lesion,
        "key": measured.key,
        "value": measured.value,
        "standard_uncertainty": measured.standard_uncertainty,
        "unit": measured.unit,
        "record": encoded(measured),
    }


def _features_row(exam_uid: str, series_uid: str, lesion: str, found: FeatureSet) -> dict[str, Any]:
    return {
        "exam_uid": exam_uid,
        "series_uid": series_uid,
        "lesion": storable(lesion),
        "modality": found.kind.modality,
        "image_type": found.kind.image_type,
        "digest": found.kind.digest,
        "record": encoded(found),
    }


def _refusal_row(refusal: Refusal, exam_uid: str | None) -> dict[str, Any]:
    return {"exam_uid": exam_uid, "code": refusal.code, "record": encoded(refusal)}


def _image_bytes(image: KeyImage | None) -> bytes | None:
    return None if image is None else json.dumps(as_json(image), ensure_ascii=False).encode()


def _insert(connection: Connection, table: Any, rows: Iterable[dict[str, Any]]) -> None:
    found = list(rows)
    if found:
        connection.execute(insert(table), found)
