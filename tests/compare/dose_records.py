"""Records of made-up hospitals with a known dose."""

from __future__ import annotations

from bingcheng.compare.dose_groups import BodyRegion, Procedure, SizeBand, SizeScheme
from bingcheng.compare.dose_published import dose_rules
from bingcheng.compare.dose_record import Basis, DoseQuantity, DoseRecord, DoseValue

ABDOMEN = Procedure.of([BodyRegion.ABDOMEN])


def band(diameter_cm: float) -> SizeBand:
    return dose_rules().band_of(SizeScheme.DIAMETER, diameter_cm)


def record(
    site: str,
    ctdi: float,
    *,
    exam: str = "1",
    diameter_cm: float | None = 27.0,
    basis: Basis = Basis.REPORTED,
    uncertainty: float | None = None,
    **facts: object,
) -> DoseRecord:
    given: dict[str, object] = {
        "procedure": ABDOMEN,
        "band": band(diameter_cm) if diameter_cm is not None else SizeBand(scheme=SizeScheme.UNKNOWN),
        "phantom_cm": 32.0,
        "age_a": 60.0,
        "values": {DoseQuantity.CTDI_VOL: DoseValue(value=ctdi, basis=basis, standard_uncertainty=uncertainty)},
        "water_equivalent_diameter_cm": diameter_cm,
        **facts,
    }
    return DoseRecord(site=site, device="scanner", exam_uid=f"{site}.{exam}", **given)  # type: ignore[arg-type]


def hospitals(doses: list[float], exams: int = 20, **facts: object) -> list[DoseRecord]:
    """Hospitals whose every exam has the given dose."""
    return [
        record(f"H{place:02d}", dose, exam=str(exam), **facts)  # type: ignore[arg-type]
        for place, dose in enumerate(doses)
        for exam in range(exams)
    ]
