"""Observations as an assessment would hand them up."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta

import pytest

from bingcheng.compare.observation import Observation
from bingcheng.core.errors import Owner
from bingcheng.core.measurement import Measurement, NoValue
from bingcheng.core.provenance import Provenance
from bingcheng.core.wording import text

UNITS = {
    "volume": "ml",
    "longest_diameter": "mm",
    "hu_mean": "[hnsf'U]",
    "suv_peak": "g/ml",
    "suv_max": "g/ml",
    "adc_mean": "10-3.mm2/s",
    "noise": "[hnsf'U]",
}
CONDITIONS = {
    "CT": {"slice_thickness_mm": 1.25, "kernel": "B30f", "contrast": "Iohexol", "device": "SIEMENS Force 1a2b"},
    "PT": {"uptake_min": 60.0, "reconstruction": "OSEM 3i21s TOF 5 mm", "device": "GE MI 3c4d"},
    "MR": {"b_values_s_per_mm2": (0.0, 400.0, 800.0), "device": "UIH uMR 5e6f", "field_strength_t": 3.0},
}
FIRST = datetime(2026, 1, 5, 9, 0)  # noqa: DTZ001 - exams carry local time

Observed = Callable[..., Observation]


def observation(
    key: str,
    value: float | None,
    *,
    day: int | None = 0,
    modality: str | None = "CT",
    uncertainty: float | None = 0.001,
    patient: str = "P1",
    lesion: str | None = "1.2.3",
    exam: str | None = None,
    series: str = "1",
    site: str = "Hospital A",
    revision: int = 1,
    **conditions: object,
) -> Observation:
    exam_uid = exam or f"{patient}.{day}"
    missing = NoValue(code="t.none", reason=text("it was not drawn"), remedy=text("draw it"), owner=Owner.RADIOLOGIST)
    recorded = {"modality": modality, **CONDITIONS.get(modality or "", {}), **conditions}
    return Observation(
        site=site,
        device=str(recorded.get("device")),
        patient=patient,
        lesion=lesion,
        exam_uid=exam_uid,
        series_uid=f"{exam_uid}.{modality}.{series}",
        performed_at=None if day is None else FIRST + timedelta(days=day),
        measurement=Measurement(
            key=key,
            label=key.replace("_", " "),
            unit=UNITS.get(key, "1"),
            value=value,
            standard_uncertainty=None if value is None else uncertainty,
            no_value=missing if value is None else None,
            provenance=Provenance(measure=key, revision=revision),
        ),
        conditions=recorded,
    )


@pytest.fixture(scope="session")
def observed() -> Observed:
    """Makes one observation; conditions are those of a well-kept protocol unless given."""
    return observation


@pytest.fixture(scope="session")
def lesion_seen(observed: Observed) -> Callable[..., list[Observation]]:
    """The value of one measure at each day, with the lesion's size beside it."""

    def make(
        key: str, values: dict[int, float | None], *, size_mm: float = 25.0, **options: object
    ) -> list[Observation]:
        seen = []
        for day, value in values.items():
            seen.append(observed(key, value, day=day, **options))
            if key != "longest_diameter":
                seen.append(observed("longest_diameter", size_mm, day=day, **options))
        return seen

    return make
