"""One measurement seen from above: whose, where, when, and under which conditions it was made."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from types import MappingProxyType

from bingcheng.core.measurement import Measurement

Condition = str | float | tuple[float, ...] | tuple[str, ...] | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Observation:
    """A measurement with what its comparison depends on.

    Parameters
    ----------
    site : hospital, as shown.
    device : the scanner as shown (vendor, model, short serial hash); the same string is the same scanner.
    patient : pseudonym.
    lesion : tracking identifier of the lesion within the patient; None for a measure of a whole series.
    exam_uid, series_uid : where it was measured.
    performed_at : when the exam was made; None if unknown.
    conditions : how the image was made, by name; None where unknown. Names used by the repeatability rules:
        ``modality``, ``device``, ``slice_thickness_mm``, ``reconstruction_interval_mm``, ``kernel``,
        ``edge_f50_per_mm``, ``contrast``, ``uptake_min``, ``reconstruction``, ``voxel_mm3``, ``b_values_s_per_mm2``,
        ``field_strength_t``, ``echo_time_ms``, ``organ`` (of the lesion, lower-case English).
    """

    site: str
    device: str
    patient: str
    lesion: str | None
    exam_uid: str
    series_uid: str
    performed_at: datetime | None
    measurement: Measurement
    conditions: Mapping[str, Condition] = field(default_factory=dict)

    def __post_init__(self) -> None:
        object.__setattr__(self, "conditions", MappingProxyType(dict(self.conditions)))
