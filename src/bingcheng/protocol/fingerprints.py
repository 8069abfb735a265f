"""What makes two images comparable, as plain values: device, reconstruction, and the conditions of a measurement."""

from __future__ import annotations

import hashlib
import math
import re
from dataclasses import dataclass

from bingcheng.core.wording import Text, plain_number, text
from bingcheng.dicom.acquisition import Acquisition, AnyAcquisition, CtAcquisition, MrAcquisition, PetAcquisition

Condition = str | float | tuple[float, ...] | tuple[str, ...] | None

SERIAL_HEX_DIGITS = 8
NOMINAL_FIELDS_T = (0.35, 0.55, 1.0, 1.2, 1.5, 3.0, 5.0, 7.0)
UPDATES = re.compile(r"(?P<iterations>\d+)\s*i\w*\s*[,x_/ -]?\s*(?P<subsets>\d+)\s*s", re.IGNORECASE)
"""Iterations and subsets inside a method's name, as Siemens and UIH write them: ``PSF+TOF 3i21s``."""


@dataclass(frozen=True, slots=True)
class Part:
    """One setting of a fingerprint; without an `essential` one the identity is unknown.

    `shown` is False for a value that is only good for comparing (the digest of a serial number).
    """

    label: Text
    value: str | None
    essential: bool = True
    shown: bool = True


def device_parts(acquisition: AnyAcquisition) -> tuple[Part, ...]:
    """Vendor, model and serial number; the number only as a short SHA-256, since it also identifies the hospital."""
    device = acquisition.device
    serial = device.serial_number
    digest = hashlib.sha256(serial.encode()).hexdigest()[:SERIAL_HEX_DIGITS] if serial else None
    return (
        Part(text("scanner vendor"), device.vendor),
        Part(text("scanner model"), device.model),
        Part(text("serial number of the scanner"), digest, shown=False),
    )


def device(acquisition: AnyAcquisition) -> str | None:
    """The scanner as ``VENDOR model #serial``; without the serial number two scanners of a model look alike: None."""
    vendor, model, serial = (part.value for part in device_parts(acquisition))
    return None if serial is None else " ".join((*filter(None, (vendor, model)), f"#{serial}"))


def reconstruction_parts(acquisition: AnyAcquisition) -> tuple[Part, ...]:
    """The settings that shape a measured number, by modality.

    CT: tube voltage, kernel, iterative level, thickness, interval; not the zoom, which follows the patient.
    PET: method, iterations, subsets, filter, voxel, time of flight and point spread where known. MR: field, echo time,
    b-values, thickness, acquired matrix; not the repetition time, which follows breathing in triggered scans.
    """
    if isinstance(acquisition, CtAcquisition):
        return _ct_parts(acquisition)
    if isinstance(acquisition, PetAcquisition):
        return _pet_parts(acquisition)
    if isinstance(acquisition, MrAcquisition):
        return _mr_parts(acquisition)
    return (Part(text("slice thickness"), _rounded(acquisition.slice_thickness_mm)),)


def reconstruction(acquisition: AnyAcquisition) -> str | None:
    """The reconstruction as one string; None without an essential setting, so that two unknowns never match."""
    parts = reconstruction_parts(acquisition)
    if any(part.essential and part.value is None for part in parts):
        return None
    return " | ".join(_known(parts) or ())


def conditions(acquisition: AnyAcquisition) -> dict[str, Condition]:
    """How the image was made, by the names that the repeatability rules use; None where the header does not say.

    ``reconstruction_known`` holds the settings that are known, as ``label: value``, for a reconstruction whose identity
    may be unknown: one label with two values proves a difference; agreement proves nothing while settings are missing.
    ``contrast`` is ``given`` for CT and the agent's name otherwise. ``edge_f50_per_mm`` is not among them: it is
    measured, not declared.
    """
    spacing_mm = acquisition.pixel_spacing_mm
    interval_mm = acquisition.reconstruction_interval_mm
    found: dict[str, Condition] = {
        "modality": acquisition.modality,
        "device": device(acquisition),
        "slice_thickness_mm": acquisition.slice_thickness_mm,
        "reconstruction_interval_mm": interval_mm,
        "contrast": _contrast(acquisition),
        "reconstruction": reconstruction(acquisition),
        "reconstruction_known": _known(reconstruction_parts(acquisition)),
        "voxel_mm3": None if spacing_mm is None or interval_mm is None else math.prod(spacing_mm) * interval_mm,
    }
    if isinstance(acquisition, CtAcquisition):
        found |= {"kernel": acquisition.convolution_kernel, "kvp_kv": acquisition.kvp_kv}
    if isinstance(acquisition, MrAcquisition):
        times_ms = acquisition.echo_times_ms
        found |= {
            "field_strength_t": acquisition.field_strength_t,
            "b_values_s_per_mm2": tuple(sorted(set(acquisition.b_values_s_per_mm2))) or None,
            "echo_time_ms": times_ms[0] if len(set(times_ms)) == 1 else None,
        }
    if isinstance(acquisition, PetAcquisition):
        uptake_s = acquisition.uptake_s
        found |= {"uptake_min": None if uptake_s is None or uptake_s < 0 else uptake_s / 60.0}
    return found


def _known(parts: tuple[Part, ...]) -> tuple[str, ...] | None:
    return tuple(f"{part.label}: {part.value}" for part in parts if part.value is not None) or None


def _contrast(acquisition: AnyAcquisition) -> str | None:
    # Iodinated agents of one concentration enhance alike; of MR agents some enter cells, so that the name counts.
    agent = acquisition.contrast_agent
    if agent is None or isinstance(acquisition, CtAcquisition):
        return None if agent is None else "given"
    return agent.strip().casefold()


def _ct_parts(acquisition: CtAcquisition) -> tuple[Part, ...]:
    return (
        Part(text("tube voltage"), _rounded(acquisition.kvp_kv)),
        Part(text("reconstruction kernel"), acquisition.convolution_kernel),
        Part(text("iterative reconstruction"), acquisition.iterative, essential=False),
        Part(text("slice thickness"), _rounded(acquisition.slice_thickness_mm)),
        Part(text("distance between slice centres"), _rounded(acquisition.reconstruction_interval_mm), essential=False),
    )


def _pet_parts(acquisition: PetAcquisition) -> tuple[Part, ...]:
    method = acquisition.reconstruction_method
    iterations, subsets = acquisition.iterations, acquisition.subsets
    named = UPDATES.search(method) if method else None
    if named and iterations is None and subsets is None:
        iterations, subsets = int(named["iterations"]), int(named["subsets"])
    # A filtered back projection has no updates to state.
    iterative = method is None or not any(
        mark in method.upper() for mark in ("FBP", "BACKPROJECTION", "BACK PROJECTION")
    )
    return (
        Part(text("reconstruction method"), method),
        Part(text("iterations"), _flag_or_count(iterations), essential=iterative),
        Part(text("subsets"), _flag_or_count(subsets), essential=iterative),
        Part(text("reconstruction filter"), acquisition.filter),
        Part(text("pixel size"), _pixel(acquisition)),
        Part(text("slice thickness"), _rounded(acquisition.slice_thickness_mm)),
        Part(text("time of flight"), _flag_or_count(acquisition.time_of_flight), essential=False),
        Part(text("point spread function"), _flag_or_count(acquisition.point_spread_function), essential=False),
    )


def _mr_parts(acquisition: MrAcquisition) -> tuple[Part, ...]:
    b_values = tuple(sorted(set(acquisition.b_values_s_per_mm2)))
    times_ms = tuple(sorted(set(acquisition.echo_times_ms)))
    matrix = acquisition.acquisition_matrix
    return (
        Part(text("field strength"), _nominal_field(acquisition.field_strength_t)),
        Part(text("echo time"), ", ".join(_rounded(t) or "" for t in times_ms) or None),
        Part(text("b-values"), ", ".join(plain_number(round(b)) for b in b_values) or None, essential=bool(b_values)),
        Part(text("slice thickness"), _rounded(acquisition.slice_thickness_mm)),
        Part(text("acquired matrix"), None if matrix is None else f"{matrix[0]} x {matrix[1]}", essential=False),
        Part(text("read-out"), "+".join(acquisition.scanning_sequence) or None, essential=False),
    )


def _nominal_field(field_strength_t: float | None) -> str | None:
    # Vendors write 1.494 or 1.5, 2.89 or 3 for magnets of one nominal strength; those are 15 % or more apart.
    if field_strength_t is None:
        return None
    near = [t for t in NOMINAL_FIELDS_T if abs(field_strength_t - t) <= 0.05 * t]
    return plain_number(near[0] if near else round(field_strength_t, 2))


def _pixel(acquisition: Acquisition) -> str | None:
    spacing_mm = acquisition.pixel_spacing_mm
    return None if spacing_mm is None else f"{_rounded(spacing_mm[0])} x {_rounded(spacing_mm[1])}"


def _rounded(value: float | None) -> str | None:
    # Headers write 2.5 and 2.50001 for the same setting; consoles offer no finer steps than 0.01.
    return None if value is None else plain_number(round(value, 2))


def _flag_or_count(value: float | None) -> str | None:
    return None if value is None else str(value)
