"""Workspaces, and records of exams to put into them."""

from __future__ import annotations

from datetime import datetime

import pytest
from tests.archive.empty import empty_on, empty_workspace

from bingcheng.archive.records import ExamRecord, LesionRecord, SeriesRecord
from bingcheng.core.errors import InputError, Owner, Problem
from bingcheng.core.measurement import Measurement, NoValue
from bingcheng.core.provenance import Provenance
from bingcheng.core.refusal import Refusal, SubjectKind
from bingcheng.core.wording import text
from bingcheng.dicom.acquisition import CtAcquisition, Device
from bingcheng.dicom.exam import Patient
from bingcheng.outputs.picture import KeyImage

MONDAY = datetime(2026, 1, 5, 9, 30)  # noqa: DTZ001 - a scanner's local time
ODD = Problem(code="test.odd", says="it is {what}", remedy="Mend {what}.", owner=Owner.ARCHIVE)


def empty_database(request) -> str | None:
    """None for a file; for a server, the address of a database that nobody has used."""
    return None if request.param == "sqlite" else empty_on(request.getfixturevalue("postgresql_server"))


@pytest.fixture(params=["sqlite", "postgresql"])
def database_url(request):
    """On either database."""
    return empty_database(request)


@pytest.fixture
def workspace(tmp_path):
    opened = empty_workspace(tmp_path / "workspace")
    yield opened
    opened.close()


def measurement(key: str, value: float | None, series_uid: str) -> Measurement:
    reason = text("too small by {amount} mm", amount=1.5)
    none = NoValue(code="test.none", reason=reason, remedy=text("Zoom."), owner=Owner.TECHNOLOGIST)
    return Measurement(
        key=key,
        label="Something",
        unit="mm",
        value=value,
        standard_uncertainty=None if value is None else 0.5,
        no_value=none if value is None else None,
        provenance=Provenance(measure=key, revision=2, parameters={"level": 0.41, "name": "x"}, inputs=(series_uid,)),
    )


def record(
    uid: str = "1.2.3",
    *,
    patient: Patient | None = None,
    site: str = "North",
    performed_at: datetime | None = MONDAY,
    series: int = 2,
    measures: int = 3,
    description: str = "Thorax",
) -> ExamRecord:
    """An exam with series that hold measurements and a lesion each; one value is missing in each."""
    picture = KeyImage(
        png=b"\x89PNG" + bytes(64),
        size_px=(8, 8),
        pixel_mm=1.0,
        contours=(((0.5, 1.0), (2.0, 3.0)),),
        caption=text("slice {number}", number=3),
        window=text("W {w}", w=400),
        orientation=("R", "L", "A", "P"),
    )
    made = []
    for number in range(series):
        series_uid = f"{uid}.{number}"
        values = tuple(measurement(f"m{m}", float(m) if m else None, series_uid) for m in range(measures))
        lesion = LesionRecord(lesion=f"{uid}.9", label="Lesion 1", method="manual", measurements=values, image=picture)
        made.append(
            SeriesRecord(
                uid=series_uid,
                acquisition=CtAcquisition(
                    modality="CT",
                    device=Device(vendor="GE", software_versions=("1", "2")),
                    series_uid=series_uid,
                    started_at=performed_at,
                    slice_thickness_mm=2.5,
                    contradictions=(("a", "b"),),
                ),
                measurements=values,
                lesions=(lesion,),
                volume_count=1,
                voxel_mm3=2.0,
                image=picture,
            )
        )
    refusal = Refusal.of(
        InputError(ODD, what=text("odd {n}", n=1)), kind=SubjectKind.SERIES, subject=f"{uid}.7", study_uid=uid
    )
    return ExamRecord(
        uid=uid,
        fingerprint="f" * 64,
        patient=patient or Patient(patient_id="KH-1", issuer=None, name="Doe^Jane", birth_date="19600101"),
        site=site,
        performed_at=performed_at,
        description=description,
        series=tuple(made),
        refusals=(refusal,),
    )
