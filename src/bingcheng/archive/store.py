"""Exams into the workspace and out of it. Storing an exam again replaces it whole, in one transaction."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from sqlalchemy import Connection, Row, delete, insert, select, update

import bingcheng
from bingcheng.archive import schema
from bingcheng.archive.codec import decoded, encoded
from bingcheng.archive.records import ACQUISITION_TYPES, ExamRecord, LesionRecord, SeriesRecord
from bingcheng.archive.workspace import Workspace
from bingcheng.core.finding import Finding
from bingcheng.core.measurement import Measurement
from bingcheng.core.refusal import Refusal
from bingcheng.dicom.acquisition import Acquisition
from bingcheng.dicom.exam import Patient
from bingcheng.outputs.assessment import KeyImage
from bingcheng.outputs.keyimage import as_json, from_json

Rows = list[dict[str, Any]]


def save_exam(workspace: Workspace, record: ExamRecord) -> None:
    """Store one assessed exam; whatever was stored of it before is replaced.

    Raises
    ------
    InputError
        ``archive.read-only``, ``archive.disk-full``; then nothing of the exam is stored.
    """
    pseudonym = workspace.pseudonym(record.patient, record.site)
    with workspace.writing() as connection:
        connection.execute(delete(schema.exam).where(schema.exam.c.uid == record.uid))
        _save_identity(connection, pseudonym, record.patient)
        connection.execute(
            insert(schema.exam),
            {
                "uid": record.uid,
                "fingerprint": record.fingerprint,
                "patient": pseudonym,
                "site": record.site,
                "performed_at": record.performed_at,
                "description": record.description,
                "version": bingcheng.__version__,
            },
        )
        for series in record.series:
            _save_series(connection, record.uid, series)
        _insert(connection, schema.refusal, [_refusal_row(r, record.uid) for r in record.refusals])


def save_findings(workspace: Workspace, findings: Mapping[str, Sequence[Finding]]) -> None:
    """Store the findings of exams by their UID; earlier findings of the same exams are replaced."""
    with workspace.writing() as connection:
        connection.execute(delete(schema.finding).where(schema.finding.c.exam_uid.in_(findings)))
        rows = [
            {
                "exam_uid": uid,
                "protocol": finding.protocol,
                "criterion": finding.criterion,
                "outcome": finding.outcome.value,
                "gates": finding.gates,
                "record": encoded(finding),
            }
            for uid, found in findings.items()
            for finding in found
        ]
        _insert(connection, schema.finding, rows)


def save_stray_refusals(workspace: Workspace, refusals: Iterable[Refusal]) -> None:
    """Store what the last scan could not place in any exam; what an earlier scan left is replaced."""
    with workspace.writing() as connection:
        connection.execute(delete(schema.refusal).where(schema.refusal.c.exam_uid.is_(None)))
        _insert(connection, schema.refusal, [_refusal_row(r, None) for r in refusals])


def fingerprints(workspace: Workspace) -> dict[str, str]:
    """The fingerprint of each stored exam, by its UID."""
    with workspace.reading() as connection:
        rows = connection.execute(select(schema.exam.c.uid, schema.exam.c.fingerprint)).all()
    return {row.uid: row.fingerprint for row in rows}


def stray_refusals(workspace: Workspace) -> tuple[Refusal, ...]:
    """The refusals that belong to no exam."""
    query = select(schema.refusal).where(schema.refusal.c.exam_uid.is_(None)).order_by(schema.refusal.c.id)
    with workspace.reading() as connection:
        return tuple(decoded(Refusal, row.record) for row in connection.execute(query))


def pseudonyms(workspace: Workspace) -> dict[str, str]:
    """The pseudonym of each stored exam's patient, by the exam's UID."""
    with workspace.reading() as connection:
        return {row.uid: row.patient for row in connection.execute(select(schema.exam.c.uid, schema.exam.c.patient))}


def exams(workspace: Workspace) -> tuple[ExamRecord, ...]:
    """All stored exams, in order of patient and time."""
    with workspace.reading() as connection:
        heads = connection.execute(
            select(schema.exam, schema.identity)
            .join(schema.identity, schema.identity.c.patient == schema.exam.c.patient)
            .order_by(schema.exam.c.patient, schema.exam.c.performed_at, schema.exam.c.uid)
        ).all()
        parts = {
            table.name: _by_exam(connection, table)
            for table in (schema.series, schema.lesion, schema.measurement, schema.finding, schema.refusal)
        }
    return tuple(_exam(head, {name: rows.get(head.uid, []) for name, rows in parts.items()}) for head in heads)


def _exam(head: Row[Any], parts: Mapping[str, list[Row[Any]]]) -> ExamRecord:
    return ExamRecord(
        uid=head.uid,
        fingerprint=head.fingerprint,
        patient=Patient(patient_id=head.patient_id, issuer=head.issuer, name=head.name, birth_date=head.birth_date),
        site=head.site,
        performed_at=head.performed_at,
        description=head.description,
        series=tuple(_series(row, parts["lesion"], parts["measurement"]) for row in parts["series"]),
        refusals=tuple(decoded(Refusal, row.record) for row in parts["refusal"]),
        findings=tuple(decoded(Finding, row.record) for row in parts["finding"]),
    )


def _series(row: Row[Any], lesions: list[Row[Any]], measurements: list[Row[Any]]) -> SeriesRecord:
    mine: dict[str | None, list[Measurement]] = defaultdict(list)
    for measurement in measurements:
        if measurement.series_uid == row.uid:
            mine[measurement.lesion].append(decoded(Measurement, measurement.record))
    return SeriesRecord(
        uid=row.uid,
        acquisition=decoded(ACQUISITION_TYPES.get(row.modality, Acquisition), row.acquisition),
        measurements=tuple(mine[None]),
        lesions=tuple(
            LesionRecord(
                lesion=lesion.lesion,
                label=lesion.label,
                method=lesion.method,
                measurements=tuple(mine[lesion.lesion]),
                image=_image(lesion.image),
            )
            for lesion in lesions
            if lesion.series_uid == row.uid
        ),
        volume_count=row.volume_count,
        voxel_mm3=row.voxel_mm3,
        image=_image(row.image),
    )


def _image(stored: bytes | None) -> KeyImage | None:
    return None if stored is None else from_json(json.loads(stored))


def _by_exam(connection: Connection, table: Any) -> dict[str, list[Row[Any]]]:
    found: dict[str, list[Row[Any]]] = defaultdict(list)
    for row in connection.execute(select(table).where(table.c.exam_uid.is_not(None)).order_by(table.c.id)):
        found[row.exam_uid].append(row)
    return found


def _save_identity(connection: Connection, pseudonym: str, patient: Patient) -> None:
    values = {
        "patient_id": patient.patient_id,
        "issuer": patient.issuer,
        "name": patient.name,
        "birth_date": patient.birth_date,
    }
    changed = connection.execute(update(schema.identity).where(schema.identity.c.patient == pseudonym).values(**values))
    if changed.rowcount == 0:
        connection.execute(insert(schema.identity), {"patient": pseudonym, **values})


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
            "lesion": lesion.lesion,
            "label": lesion.label,
            "method": lesion.method,
            "image": _image_bytes(lesion.image),
        }
        for lesion in record.lesions
    ]
    _insert(connection, schema.lesion, lesions)
    rows = [_measurement_row(m, exam_uid, record.uid, None) for m in record.measurements]
    for lesion in record.lesions:
        rows += [_measurement_row(m, exam_uid, record.uid, lesion.lesion) for m in lesion.measurements]
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


def _refusal_row(refusal: Refusal, exam_uid: str | None) -> dict[str, Any]:
    return {"exam_uid": exam_uid, "code": refusal.code, "record": encoded(refusal)}


def _image_bytes(image: KeyImage | None) -> bytes | None:
    return None if image is None else json.dumps(as_json(image), ensure_ascii=False).encode()


def _insert(connection: Connection, table: Any, rows: Rows) -> None:
    if rows:
        connection.execute(insert(table), rows)
