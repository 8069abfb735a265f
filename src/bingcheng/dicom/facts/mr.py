"""Facts of an MR series."""

from __future__ import annotations

import numpy as np

from bingcheng.dicom.acquisition import MrAcquisition
from bingcheng.dicom.facts.diffusion import b_values, diffusion_directions, synthetic_b
from bingcheng.dicom.facts.duration import duration_s
from bingcheng.dicom.facts.fat import dixon, fat_suppression
from bingcheng.dicom.facts.general import common
from bingcheng.dicom.facts.phases import volume_times_s
from bingcheng.dicom.facts.placeholders import setting
from bingcheng.dicom.facts.sequence import acquisition_contrast, scan_options, scanning_sequence, sequence_variant
from bingcheng.dicom.facts.series import SeriesFacts
from bingcheng.dicom.facts.tags import Tags

STRONGEST_T = 20.0
WEAKEST_GAUSS = 100.0
SAME_STEP = 0.2
"""Declared and actual steps of phases differ by less: breath-holds and pauses between phases are not declared."""
COIL_TYPES = frozenset(("BODY", "VOLUME", "SURFACE", "MULTICOIL"))
"""PS3.3 C.8.13.5.2, (0018,9043)."""
SHORTEST_MS = 200.0
"""Below it a temporal resolution could as well be in seconds: no whole volume is made in a fifth of one."""


def mr_acquisition(facts: SeriesFacts) -> MrAcquisition:
    """The facts of an MR series from the header of its first slice, classic or enhanced, and its volumes' keys."""
    header = facts.header
    field_strength_t = _field_strength_t(facts)
    inversion_time_ms = header.positive("InversionTime") or header.positive("InversionTimes")
    weightings = b_values(facts)
    separated = dixon(facts)
    own = {
        "field_strength_t": field_strength_t,
        "repetition_time_ms": header.positive("RepetitionTime"),
        "echo_times_ms": _echo_times_ms(facts),
        "inversion_time_ms": inversion_time_ms,
        "flip_angle_deg": header.positive("FlipAngle"),
        "b_values_s_per_mm2": weightings,
        "scanning_sequence": scanning_sequence(header),
        "sequence_variant": sequence_variant(header),
        "scan_options": scan_options(header),
        "sequence_name": setting(header.text("SequenceName")) or setting(header.text("PulseSequenceName")),
        "acquisition_type": header.text("MRAcquisitionType"),
        "acquisition_matrix": _matrix(header),
        "phase_direction": _phase_direction(header),
        "percent_phase_fov": header.positive("PercentPhaseFieldOfView"),
        "averages": header.positive("NumberOfAverages"),
        "pixel_bandwidth_hz": header.positive("PixelBandwidth"),
        "echo_train_length": _whole(header.positive("EchoTrainLength")),
        "temporal_resolution_s": _temporal_resolution_s(facts),
        "parallel_reduction_factor": header.positive("ParallelReductionFactorInPlane"),
        "receive_coil": setting(header.text("ReceiveCoilName")),
        "receive_coil_type": _coil_type(header),
        "acquisition_contrast": acquisition_contrast(header),
        "fat_suppression": fat_suppression(facts, separated, inversion_time_ms, field_strength_t),
        "dixon": separated,
        "diffusion_directions": diffusion_directions(facts, weightings),
        "synthetic_b": synthetic_b(facts, weightings),
        "acquisition_duration_s": duration_s(facts),
    }
    return MrAcquisition(**{**common(facts), **own})


def _field_strength_t(facts: SeriesFacts) -> float | None:
    strength = facts.header.positive("MagneticFieldStrength")
    if strength is None or strength <= STRONGEST_T:
        return strength
    if strength >= WEAKEST_GAUSS and strength / 1e4 <= STRONGEST_T:
        facts.note("field-strength-in-gauss", f"{strength:g}")
        return strength / 1e4
    facts.note("field-strength-impossible", f"{strength:g}")
    return None


def _echo_times_ms(facts: SeriesFacts) -> tuple[float, ...]:
    own = facts.header.positive("EchoTime") or facts.header.positive("EffectiveEchoTime")
    return facts.keyed("echo_time") or ((own,) if own is not None else ())


def _matrix(header: Tags) -> tuple[int, int] | None:
    """(frequency, phase) as acquired; the classic attribute has two of four places filled (PS3.3 C.8.3.1)."""
    frequency = header.positive("MRAcquisitionFrequencyEncodingSteps")
    phase = header.positive("MRAcquisitionPhaseEncodingStepsInPlane")
    if frequency is None or phase is None:
        places = header.numbers("AcquisitionMatrix")
        if len(places) != 4:
            return None
        frequency, phase = max(places[:2]), max(places[2:])
    return (int(frequency), int(phase)) if frequency > 0 and phase > 0 else None


def _phase_direction(header: Tags) -> str | None:
    """ROW or COL; where the classic attribute is absent, by which places of the acquired matrix are filled.

    PS3.3 C.8.3.1: frequency rows, frequency columns, phase rows, phase columns. Steps of phase that are counted in
    columns run along a row.
    """
    direction = (header.text("InPlanePhaseEncodingDirection") or "").upper()
    if direction:
        return {"ROW": "ROW", "COL": "COL", "COLUMN": "COL"}.get(direction)
    filled = [steps > 0 for steps in header.numbers("AcquisitionMatrix")]
    return "ROW" if filled == [True, False, False, True] else "COL" if filled == [False, True, True, False] else None


def _temporal_resolution_s(facts: SeriesFacts) -> float | None:
    """The usual step between phases; of a series of one phase what (0020,0110) says, if its unit is sure."""
    times = volume_times_s(facts)
    written = facts.header.positive("TemporalResolution")
    if len(times) > 1:
        step_s = float(np.median(np.diff(times)))
        if written is not None and not any(abs(said / step_s - 1) <= SAME_STEP for said in (written / 1000, written)):
            facts.note("temporal-resolution-contradicts-times", f"{written:g}, {step_s:g} s")
        return step_s
    if written is None:
        return None
    if written < SHORTEST_MS:  # (0020,0110) is in ms, but is met in seconds too
        facts.note("temporal-resolution-ambiguous", f"{written:g}")
        return None
    return written / 1000


def _coil_type(header: Tags) -> str | None:
    said = (header.text("ReceiveCoilType") or "").upper()
    return said if said in COIL_TYPES else None


def _whole(number: float | None) -> int | None:
    return int(number) if number is not None else None
