"""Facts of a PET series: dose, corrections, tracer and reconstruction; its times are in `pet_times`."""

from __future__ import annotations

import re

from bingcheng.dicom.acquisition import PetAcquisition
from bingcheng.dicom.facts.duration import frame_duration_s
from bingcheng.dicom.facts.general import common
from bingcheng.dicom.facts.pet_times import decay_reference, injected_at, scan_started_at
from bingcheng.dicom.facts.placeholders import setting
from bingcheng.dicom.facts.radionuclide import HALF_LIVES_S, TOLERANCE, radionuclide_of
from bingcheng.dicom.facts.series import SeriesFacts
from bingcheng.dicom.facts.tags import Tags
from bingcheng.dicom.facts.tracer import tracer_of
from bingcheng.dicom.vendors.known import pet_factors
from bingcheng.dicom.vendors.vendor import in_words

LOWEST_DOSE_BQ = 1e5
CLINICAL_DOSES_MBQ = (40.0, 1500.0)
"""What a dose written in MBq can be: below it the number could as well be in mCi (30 mCi = 1.1 GBq is the most)."""

_UNITS = {"BQ/ML": "BQML", "G/ML{SUVBW}": "GML", "{SUVBW}G/ML": "GML", "{COUNTS}": "CNTS", "{PROPCOUNTS}": "PROPCNTS"}
_ITERATIONS = re.compile(r"(\d+)\s*i(?:ter\w*)?[\s,/]*(\d+)\s*s", re.IGNORECASE)
_MMOL_PER_MG_PER_DL = 10 / 180.156
"""From the molar mass of glucose, 180.156 g/mol."""


def pet_acquisition(facts: SeriesFacts) -> PetAcquisition:
    """The facts of a PET series from the header of its first slice, classic or enhanced."""
    header = facts.header
    facts.started_at = scan_started_at(facts)
    tracer = header.item("RadiopharmaceuticalInformationSequence")
    nuclide = radionuclide_of(tracer.code("RadionuclideCodeSequence"))
    half_life_s = _half_life_s(facts, tracer, nuclide)
    corrections = tuple(term.upper() for term in header.texts("CorrectedImage"))
    correction = _decay_correction(facts, corrections)
    injected = injected_at(facts, tracer, half_life_s)
    units = _units(header)
    own = {
        "series_type": tuple(term.upper() for term in header.texts("SeriesType")),
        "units": units,
        **_factors(facts, units),
        "suv_type": header.text("SUVType"),
        "corrections": corrections,
        "attenuation_corrected": _attenuation_corrected(header, corrections),
        "decay_correction": correction,
        "injected_dose_bq": _dose_bq(facts, tracer),
        "injected_at": injected,
        "decay_reference_at": injected if correction == "ADMIN" else decay_reference(facts, half_life_s),
        "half_life_s": half_life_s,
        "radionuclide": nuclide,
        "radiopharmaceutical": _radiopharmaceutical(tracer),
        "tracer": tracer_of(facts, tracer, nuclide),
        **_reconstruction(facts),
        "frame_duration_s": frame_duration_s(header),
        "glucose_mmol_per_l": _glucose_mmol_per_l(header),
    }
    return PetAcquisition(**{**common(facts), **own})


def _units(header: Tags) -> str | None:
    """(0054,1001), or the code of the real-world value mapping of an enhanced object in the same terms."""
    written = header.text("Units")
    if written is not None:
        return written.upper()
    mapping = header.item("RealWorldValueMappingSequence")
    code = mapping.code("MeasurementUnitsCodeSequence") or header.code("MeasurementUnitsCodeSequence")
    return _UNITS.get(code.value.upper()) if code is not None else None


def _factors(facts: SeriesFacts, units: str | None) -> dict[str, float | None]:
    """`stored_unit_factor` and `suv_factor`. Private factors count only where the pixels are counts."""
    known = {"BQML": (1.0, None), "GML": (None, 1.0)}
    stored, suv = known.get(units or "", (None, None))
    private = pet_factors(facts.header) if units == "CNTS" else {}
    return {
        "stored_unit_factor": private.get("stored_unit_factor", stored),
        "suv_factor": private.get("suv_factor", suv),
    }


def _attenuation_corrected(header: Tags, corrections: tuple[str, ...]) -> bool | None:
    said = {"YES": True, "NO": False}.get((header.text("AttenuationCorrected") or "").upper())
    if said is not None:
        return said
    return "ATTN" in corrections if corrections else None


def _decay_correction(facts: SeriesFacts, corrections: tuple[str, ...]) -> str | None:
    written = (facts.header.text("DecayCorrection") or "").upper() or None
    if written is None:  # enhanced objects say only whether, and to which moment
        written = {"YES": "START", "NO": "NONE"}.get((facts.header.text("DecayCorrected") or "").upper())
    if written is not None and corrections and ("DECY" in corrections) == (written == "NONE"):
        facts.note("decay-correction-contradicts-corrected-image", written)
    return written


def _dose_bq(facts: SeriesFacts, tracer: Tags) -> float | None:
    dose = tracer.positive("RadionuclideTotalDose")
    if dose is None or dose >= LOWEST_DOSE_BQ:
        return dose
    low, high = CLINICAL_DOSES_MBQ
    if low <= dose <= high:
        facts.note("dose-in-megabecquerel", f"{dose:g}")
        return dose * 1e6
    facts.note("dose-unit-ambiguous", f"{dose:g}")
    return None


def _half_life_s(facts: SeriesFacts, tracer: Tags, nuclide: str | None) -> float | None:
    written = tracer.positive("RadionuclideHalfLife")
    table = HALF_LIVES_S.get(nuclide or "")
    if written is None:
        if table is not None:
            facts.note("half-life-from-nuclide", str(nuclide))
        return table
    if table is None or abs(written / table - 1) <= TOLERANCE:
        return written
    for factor, unit in ((60, "minutes"), (3600, "hours")):
        if abs(written * factor / table - 1) <= TOLERANCE:
            facts.note(f"half-life-in-{unit}", f"{written:g}")
            return written * factor
    facts.note("half-life-contradicts-nuclide", f"{written:g} s, {nuclide}")
    return None


def _radiopharmaceutical(tracer: Tags) -> str | None:
    coded = tracer.code("RadiopharmaceuticalCodeSequence")
    return tracer.text("Radiopharmaceutical") or (coded.meaning or None if coded is not None else None)


def _reconstruction(facts: SeriesFacts) -> dict[str, object]:
    header, vendor = facts.header, facts.vendor
    method = setting(header.text("ReconstructionMethod")) or setting(header.text("ReconstructionMethodName"))
    match = _ITERATIONS.search(method or "")
    counts = (int(match[1]), int(match[2])) if match else None
    if counts is None and vendor is not None:
        counts = vendor.iterations(header)
    words = vendor.reconstruction if vendor is not None else in_words
    flight, spread = words(method) if method is not None else (None, None)
    used = {"YES": True, "NO": False}.get((header.text("TimeOfFlightInformationUsed") or "").upper())
    return {
        "reconstruction_method": method,
        "iterations": counts[0] if counts else None,
        "subsets": counts[1] if counts else None,
        "filter": setting(header.text("ConvolutionKernel")),
        "time_of_flight": flight if used is None else used,
        "point_spread_function": spread,
    }


def _glucose_mmol_per_l(header: Tags) -> float | None:
    """From the acquisition context (PS3.16 TID 3471): the item whose concept is glucose."""
    for item in header.items("AcquisitionContextSequence"):
        entry = Tags(item)
        concept = entry.code("ConceptNameCodeSequence")
        value, unit = entry.positive("NumericValue"), entry.code("MeasurementUnitsCodeSequence")
        if concept is None or "GLUCOSE" not in concept.meaning.upper() or value is None or unit is None:
            continue
        if unit.value.lower() == "mmol/l":
            return value
        if unit.value.lower() == "mg/dl":
            return value * _MMOL_PER_MG_PER_DL
    return None
