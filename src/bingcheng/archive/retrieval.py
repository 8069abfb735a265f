"""Exams out of the workspace, whole or as much of them as a question needs."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping
from typing import Any

from sqlalchemy import Connection, Row, Table, select

from bingcheng.archive import schema
from bingcheng.archive.codec import decoded
from bingcheng.archive.records import ACQUISITION_TYPES, ExamFacts, ExamRecord, LesionRecord, SeriesRecord, StoredValue
from bingcheng.archive.workspace import Workspace
from bingcheng.compare.dose_record import DoseRecord
from bingcheng.core.finding import Finding
from bingcheng.core.measurement import Measurement
from bingcheng.core.refusal import Refusal
from bingcheng.dicom.acquisition import Acquisition
from bingcheng.dicom.exam import Patient
from bingcheng.outputs.keyimage import from_json
from bingcheng.outputs.picture import KeyImage
from bingcheng.outputs.radiomics.feature_set import FeatureSet

Place = tuple[str, str | None]
"""Series UID and lesion of a measurement."""
PARTS = (
    schema.series,
    schema.lesion,
    schema.measurement,
    schema.radiomics,
    schema.finding,
    schema.dose,
    schema.refusal,
)
"""What an exam is made of, beside its head."""


def exams(
    workspace: Workspace,
    *,
    images: bool = True,
    uids: Collection[str] | None = None,
    findings_of: Collection[str] | None = None,
) -> tuple[ExamRecord, ...]:
    """All stored exams, in order of patient and time.

    Parameters
    ----------
    images : whether to read the key images, most of the database's bytes; without them they are None.
    uids : only these exams, of which there may be some hundreds; None for all.
    findings_of : only of these exams the findings are read, which are most rows of an exam; None for all.
    """
    query = (
        select(schema.exam, schema.identity)
        .join(schema.identity, schema.identity.c.patient == schema.exam.c.patient)
        .order_by(schema.exam.c.patient, schema.exam.c.performed_at, schema.exam.c.uid)
    )
    with workspace.reading() as connection:
        heads = connection.execute(query if uids is None else query.where(schema.exam.c.uid.in_(uids))).all()
        wanted = {schema.finding.name: uids if findings_of is None else findings_of}
        parts = {
            table.name: _by_exam(connection, table, wanted.get(table.name, uids), images=images) for table in PARTS
        }
    # Rows are let go as soon as their exam is made: a workspace is not held in memory twice.
    return tuple(_exam(head, {name: rows.pop(head.uid, []) for name, rows in parts.items()}) for head in heads)


def fingerprints(workspace: Workspace) -> dict[str, str]:
    """The fingerprint of each stored exam, by its UID."""
    with workspace.reading() as connection:
        rows = connection.execute(select(schema.exam.c.uid, schema.exam.c.fingerprint)).all()
    return {row.uid: row.fingerprint for row in rows}


def exam_facts(connection: Connection, measures: Collection[str] = ()) -> tuple[ExamFacts, ...]:
    """What every stored exam is judged by, in order of their UIDs, with the values of the `measures` that are named."""
    acquisitions: dict[str, list[tuple[str, str]]] = defaultdict(list)
    series = schema.series.c
    for row in connection.execute(select(series.exam_uid, series.modality, series.acquisition).order_by(series.id)):
        acquisitions[row.exam_uid].append((row.modality, row.acquisition))
    measured: dict[str, set[str]] = defaultdict(set)
    for drawn in connection.execute(select(schema.lesion.c.exam_uid, schema.lesion.c.series_uid).distinct()):
        measured[drawn.exam_uid].add(drawn.series_uid)
    values = _values(connection, measures) if measures else {}
    exam = schema.exam.c
    columns = (exam.uid, exam.patient, exam.site, exam.performed_at, exam.judged)
    heads = connection.execute(select(*columns).order_by(exam.uid))
    return tuple(
        ExamFacts(
            uid=head.uid,
            patient=head.patient,
            site=head.site,
            performed_at=head.performed_at,
            acquisitions=tuple(acquisitions[head.uid]),
            measured_on=tuple(sorted(measured[head.uid])),
            values=tuple(values.get(head.uid, ())),
            judged=head.judged,
        )
        for head in heads
    )


def _values(connection: Connection, measures: Collection[str]) -> dict[str, list[StoredValue]]:
    measurement, lesion = schema.measurement.c, schema.lesion.c
    columns = (measurement.exam_uid, measurement.series_uid, measurement.lesion, measurement.key, measurement.value)
    same = (
        (lesion.exam_uid == measurement.exam_uid)
        & (lesion.series_uid == measurement.series_uid)
        & (lesion.lesion == measurement.lesion)
    )
    query = (
        select(*columns, lesion.label)
        .join(schema.lesion, same, isouter=True)
        .where(measurement.key.in_(sorted(measures)), measurement.value.is_not(None))
        .order_by(measurement.id)
    )
    found: dict[str, list[StoredValue]] = defaultdict(list)
    for uid, series_uid, name, key, value, label in connection.execute(query):
        found[uid].append(StoredValue(series_uid=series_uid, lesion=name, label=label, key=key, value=value))
    return found


def acquisition(modality: str, stored: str) -> Acquisition:
    """The acquisition facts that were stored of a series of that modality.

    Raises
    ------
    InputError
        ``archive.damaged-row``.
    """
    return decoded(ACQUISITION_TYPES.get(modality, Acquisition), stored)


def stray_refusals(workspace: Workspace) -> tuple[Refusal, ...]:
    """The refusals that belong to no exam."""
    query = select(schema.refusal.c.record).where(schema.refusal.c.exam_uid.is_(None)).order_by(schema.refusal.c.id)
    with workspace.reading() as connection:
        return tuple(decoded(Refusal, record) for record in connection.scalars(query))


def _exam(head: Row[Any], parts: Mapping[str, list[Row[Any]]]) -> ExamRecord:
    measurements: dict[Place, list[Measurement]] = defaultdict(list)
    for row in parts["measurement"]:
        measurements[row.series_uid, row.lesion].append(decoded(Measurement, row.record))
    features: dict[Place, list[FeatureSet]] = defaultdict(list)
    for row in parts["radiomics"]:
        features[row.series_uid, row.lesion].append(decoded(FeatureSet, row.record))
    lesions: dict[str, list[LesionRecord]] = defaultdict(list)
    for row in parts["lesion"]:
        place = (row.series_uid, row.lesion)
        lesions[row.series_uid].append(_lesion(row, measurements.get(place, ()), features.get(place, ())))
    return ExamRecord(
        uid=head.uid,
        fingerprint=head.fingerprint,
        patient=Patient(patient_id=head.patient_id, issuer=head.issuer, name=head.name, birth_date=head.birth_date),
        site=head.site,
        performed_at=head.performed_at,
        description=head.description,
        series=tuple(_series(row, lesions[row.uid], measurements) for row in parts["series"]),
        refusals=tuple(decoded(Refusal, row.record) for row in parts["refusal"]),
        findings=tuple(decoded(Finding, row.record) for row in parts["finding"]),
        doses=tuple(decoded(DoseRecord, row.record) for row in parts["dose"]),
    )


def _lesion(row: Row[Any], measurements: Iterable[Measurement], features: Iterable[FeatureSet]) -> LesionRecord:
    return LesionRecord(
        lesion=row.lesion,
        label=row.label,
        method=row.method,
        measurements=tuple(measurements),
        image=_image(row),
        radiomics=tuple(features),
    )


def _series(
    row: Row[Any], lesions: Iterable[LesionRecord], measurements: Mapping[Place, list[Measurement]]
) -> SeriesRecord:
    return SeriesRecord(
        uid=row.uid,
        acquisition=acquisition(row.modality, row.acquisition),
        measurements=tuple(measurements.get((row.uid, None), ())),
        lesions=tuple(lesions),
        volume_count=row.volume_count,
        voxel_mm3=row.voxel_mm3,
        image=_image(row),
    )


def _image(row: Row[Any]) -> KeyImage | None:
    stored = getattr(row, "image", None)
    return None if stored is None else from_json(json.loads(stored))


def _by_exam(
    connection: Connection, table: Table, uids: Collection[str] | None, *, images: bool
) -> dict[str, list[Row[Any]]]:
    columns = [column for column in table.c if images or column.name != "image"]
    wanted = table.c.exam_uid.is_not(None) if uids is None else table.c.exam_uid.in_(uids)
    found: dict[str, list[Row[Any]]] = defaultdict(list)
    for row in connection.execute(select(*columns).where(wanted).order_by(table.c.id)):
        found[row.exam_uid].append(row)
    return found
