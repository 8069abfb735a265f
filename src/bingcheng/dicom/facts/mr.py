"""Facts of an MR series."""

from __future__ import annotations

import numpy as np

from bingcheng.dicom.acquisition import MrAcquisition
from bingcheng.dicom.facts.general import SeriesFacts
from bingcheng.dicom.facts.tags import Tags
from bingcheng.dicom.vendors.known import b_value

STRONGEST_T = 20.0
WEAKEST_GAUSS = 100.0
SHORTEST_MS = 200.0
"""Below it a temporal resolution could as well be in seconds: no whole volume is made in a fifth of one."""


def mr_acquisition(facts: SeriesFacts) -> MrAcquisition:
    """The facts of an MR series from the header of its first slice, classic or enhanced, and its volumes' keys."""
    header = facts.header
    own = {
        "field_strength_t": _field_strength_t(facts),
        "repetition_time_ms": header.positive("RepetitionTime"),
        "echo_times_ms": _echo_times_ms(facts),
        "inversion_time_ms": header.positive("InversionTime") or header.positive("InversionTimes"),
        "flip_angle_deg": header.positive("FlipAngle"),
        "b_values_s_per_mm2": _b_values(facts),
        "scanning_sequence": header.texts("ScanningSequence") or header.texts("EchoPulseSequence"),
        "sequence_variant": header.texts("SequenceVariant"),
        "sequence_name": header.text("SequenceName") or header.text("PulseSequenceName"),
        "acquisition_type": header.text("MRAcquisitionType"),
        "acquisition_matrix": _matrix(header),
        "phase_direction": _phase_direction(header),
        "percent_phase_fov": header.positive("PercentPhaseFieldOfView"),
        "averages": header.positive("NumberOfAverages"),
        "pixel_bandwidth_hz": header.positive("PixelBandwidth"),
        "echo_train_length": _whole(header.positive("EchoTrainLength")),
        "temporal_resolution_s": _temporal_resolution_s(facts),
        "parallel_reduction_factor": header.positive("ParallelReductionFactorInPlane"),
        "receive_coil": header.text("ReceiveCoilName"),
    }
    return MrAcquisition(**{**facts.common(), **own})


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


def _b_values(facts: SeriesFacts) -> tuple[float, ...]:
    """All b-values of the series. A lone zero is none: some vendors write it into every image without diffusion."""
    own = b_value(facts.header)
    return facts.keyed("b_value") or ((own,) if own else ())


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
    direction = (header.text("InPlanePhaseEncodingDirection") or "").upper()
    return {"ROW": "ROW", "COL": "COL", "COLUMN": "COL"}.get(direction)


def _temporal_resolution_s(facts: SeriesFacts) -> float | None:
    times = facts.keyed("time")
    if len(times) > 1:
        return float(np.median(np.diff(times)))
    written = facts.header.positive("TemporalResolution")
    if written is None:
        return None
    if written < SHORTEST_MS:  # (0020,0110) is in ms, but is met in seconds too
        facts.note("temporal-resolution-ambiguous", f"{written:g}")
        return None
    return written / 1000


def _whole(number: float | None) -> int | None:
    return int(number) if number is not None else None
