"""How a series was acquired, as lines that a technologist reads; a fact that the header lacks is said to be missing."""

from __future__ import annotations

from collections.abc import Iterator

from bingcheng.core.units import unit
from bingcheng.core.wording import Text, text
from bingcheng.dicom.acquisition import AnyAcquisition, CtAcquisition, MrAcquisition, PetAcquisition

Line = tuple[Text, Text]
NOT_RECORDED = text("not recorded")


def fact_lines(facts: AnyAcquisition) -> tuple[Line, ...]:
    """Name and value of each fact worth reading, in the order in which people ask for them."""
    return (*_geometry(facts), *_of_modality(facts))


def _of_modality(facts: AnyAcquisition) -> Iterator[Line]:
    if isinstance(facts, CtAcquisition):
        yield from _ct(facts)
    elif isinstance(facts, MrAcquisition):
        yield from _mr(facts)
    elif isinstance(facts, PetAcquisition):
        yield from _pet(facts)


def _geometry(facts: AnyAcquisition) -> Iterator[Line]:
    yield text("Slice thickness"), _quantity(facts.slice_thickness_mm, "mm")
    yield text("Slice interval"), _quantity(facts.reconstruction_interval_mm, "mm")
    if facts.pixel_spacing_mm is None:
        yield text("Pixel spacing"), NOT_RECORDED
    else:
        row, column = facts.pixel_spacing_mm
        yield text("Pixel spacing"), text("{row} × {column} mm", row=row, column=column)
    if facts.rows is not None and facts.columns is not None and facts.slice_count is not None:
        yield (
            text("Matrix"),
            text("{rows} × {columns} × {slices}", rows=facts.rows, columns=facts.columns, slices=facts.slice_count),
        )


def _ct(facts: CtAcquisition) -> Iterator[Line]:
    yield text("Tube voltage"), _quantity(facts.kvp_kv, "kV")
    yield text("Tube charge"), _quantity(facts.exposure_mas, "mA.s")
    yield text("Reconstruction kernel"), _words(facts.convolution_kernel)
    yield text("CTDIvol"), _quantity(facts.ctdi_vol_mgy, "mGy")
    yield text("Contrast agent"), _words(facts.contrast_agent)


def _mr(facts: MrAcquisition) -> Iterator[Line]:
    yield text("Field strength"), _quantity(facts.field_strength_t, "T")
    yield text("Repetition time"), _quantity(facts.repetition_time_ms, "ms")
    echo_ms = facts.echo_times_ms[0] if facts.echo_times_ms else None
    yield text("Echo time"), _quantity(echo_ms, "ms")
    if facts.b_values_s_per_mm2:
        listed = ", ".join(f"{b:g}" for b in sorted(set(facts.b_values_s_per_mm2)))
        yield text("b-values"), text("{values} s/mm²", values=listed)


def _pet(facts: PetAcquisition) -> Iterator[Line]:
    yield text("Radiopharmaceutical"), _words(facts.radiopharmaceutical)
    dose_bq = facts.injected_dose_bq
    yield text("Injected activity"), _quantity(None if dose_bq is None else dose_bq / 1e6, "MBq")
    uptake_s = facts.uptake_s
    yield text("Uptake time"), _quantity(None if uptake_s is None else uptake_s / 60.0, "min")
    yield text("Patient weight"), _quantity(facts.weight_kg, "kg")
    yield text("Reconstruction"), _words(facts.reconstruction_method)


def _quantity(value: float | None, code: str) -> Text:
    if value is None:
        return NOT_RECORDED
    return text("{value} {unit}", value=float(value), unit=unit(code).symbol)


def _words(value: str | None) -> Text:
    return text("{value}", value=value) if value else NOT_RECORDED
