"""Ways to set one quantity of an MR series, of an exam, or of how its series stand to each other to a wanted value."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import timedelta
from math import ceil

from tests.protocol import exams_mr

from bingcheng.dicom.acquisition import AnyAcquisition


def _pixel(a, mm: float):
    return replace(
        a, rows=128, columns=128, pixel_spacing_mm=(mm, mm), acquisition_matrix=(128, 128), percent_phase_fov=100.0
    )


def _repetition(a, ms: float):
    # A longer repetition time needs a larger flip angle for the same T1 weighting of a gradient echo.
    return replace(a, repetition_time_ms=ms, flip_angle_deg=60.0 if "GR" in a.scanning_sequence else a.flip_angle_deg)


def _b_values(a, values: Sequence[float]):
    # A diffusion series for ADC has a b-value between 0 and 1000; 300 is one that no protocol asks for.
    told = tuple(values)
    return replace(a, b_values_s_per_mm2=told if any(0.0 < b <= 1000.0 for b in told) else (*told, 300.0))


def _sequence(a, kind: str):
    if kind in {"epi_spin_echo", "ir_gradient_echo"}:
        return a
    if a.b_values_s_per_mm2:
        return replace(a, scanning_sequence=("SE",), pixel_bandwidth_hz=300.0, echo_train_length=20)
    return replace(
        a, scanning_sequence=("GR",), sequence_variant=("SP",), inversion_time_ms=None, repetition_time_ms=9.0,
        flip_angle_deg=20.0,
    )  # fmt: skip


def _tilt(a, deg: float):
    axis = max(range(3), key=lambda k: abs(a.slice_normal[k]))
    return replace(a, slice_normal=exams_mr.tilted(("sagittal", "coronal", "axial")[axis], max(deg, 0.0)))


def _times(a, step_s: float, count: int):
    times_s = tuple(step_s * k for k in range(count))
    return replace(a, volume_times_s=times_s, volume_count=count, temporal_resolution_s=None, ended_at=None)


def _first_post_end(a, seconds: float):
    """The second volume begins after the injection and lasts until some seconds after its end."""
    from_start_s = (a.contrast_stopped_at - a.started_at).total_seconds()
    times_s = (0.0, from_start_s + 1.0, from_start_s + seconds, from_start_s + 2 * seconds)
    return replace(a, volume_times_s=times_s, ended_at=None)


SERIES: dict[str, Callable] = {
    "MagneticFieldStrength": lambda a, v: replace(a, field_strength_t=v),
    "RepetitionTime": _repetition,
    "EchoTrainLength": lambda a, v: replace(a, echo_train_length=ceil(v)),
    "PixelBandwidth": lambda a, v: replace(a, pixel_bandwidth_hz=v),
    "AcquisitionMatrix": lambda a, v: replace(a, acquisition_matrix=(int(v), int(v))),
    "MRAcquisitionType": lambda a, v: replace(
        a, acquisition_type=v if v in {"2D", "3D"} else {"not 2D": "3D"}.get(v, "2D")
    ),
    "derived.fov_mm": lambda a, v: replace(a, pixel_spacing_mm=(v[0] / a.rows, v[1] / a.columns)),
    "derived.acq_pixel_phase": _pixel,
    "derived.acq_pixel_freq": _pixel,
    "derived.b_values": _b_values,
    "derived.sequence": _sequence,
    "derived.fat_suppressed": lambda a, v: replace(a, fat_suppression="SPECTRAL" if v else "NONE"),
    "derived.fatsat_or_subtraction": lambda a, v: replace(a, fat_suppression="SPECTRAL" if v else "NONE"),
    "derived.dedicated_breast_coil": lambda a, v: replace(a, receive_coil="Breast_18" if v else "Body"),
    "derived.n_diffusion_directions": lambda a, v: replace(a, diffusion_directions=int(v)),
    "derived.isotropic": lambda a, v: replace(a, reconstruction_interval_mm=1.0 if v else 2.0),
    "derived.obliquity_deg": _tilt,
    "derived.temporal_resolution_s": lambda a, v: _times(a, v, 6),
    "derived.dynamic_duration_s": lambda a, v: _times(a, v / 4.0, 4),
    "derived.first_post_end_s": _first_post_end,
    "derived.contrast_delays_s": lambda a, v: replace(
        a, started_at=a.contrast_started_at + timedelta(seconds=max(v)), volume_times_s=(), ended_at=None
    ),
}
"""How the facts of a series come to give a quantity a value."""

EXAM: dict[str, Callable] = {
    "derived.dixon_images": lambda v, limit: [exams_mr.dixon(n, 0, image) for n, image in enumerate(v)],
    "derived.dwi_coverage_mm": lambda v, limit: [
        exams_mr.diffusion(1, 0, slice_count=100, reconstruction_interval_mm=v / 100.0)
    ],
}
"""The exam of which a quantity of exams has a value."""


def _planes(roles: Mapping[str, AnyAcquisition], among: Sequence[str], count: float) -> exams_mr.Roles:
    """Only the first of the series of a role, or all of them."""
    return {key: one for key, one in roles.items() if count >= 2 or key not in {f"{role}_SECOND" for role in among}}


def _apart(roles: Mapping[str, AnyAcquisition], role: str, among: Sequence[str]) -> AnyAcquisition:
    """The series of a role; its own volume of a dynamic that fills several roles, as some scanners write them."""
    one, nth = roles[role], among.index(role)
    if sum(roles[other].series_uid == one.series_uid for other in among) == 1:
        return one
    assert one.started_at is not None
    begun = one.started_at + timedelta(seconds=one.volume_times_s[nth])
    return replace(one, series_uid=f"1.5.100.{nth}", started_at=begun, ended_at=None, volume_times_s=(), volume_count=1)


def _last_changed(**facts) -> Callable[[Mapping[str, AnyAcquisition], Sequence[str], bool], exams_mr.Roles]:
    def change(roles: Mapping[str, AnyAcquisition], among: Sequence[str], wanted: bool) -> exams_mr.Roles:
        apart = {role: _apart(roles, role, among) for role in among}
        if not wanted:
            apart[among[-1]] = replace(apart[among[-1]], **facts)
        return {**roles, **apart}

    return change


def _turned(roles: Mapping[str, AnyAcquisition], among: Sequence[str], wanted: Sequence[str]) -> exams_mr.Roles:
    """The first of the roles as it is, or turned into the coronal plane; its twin stays sagittal."""
    if "axial" in wanted:
        return dict(roles)
    return {**roles, among[0]: replace(roles[among[0]], slice_normal=(0.0, 1.0, 0.0))}


def _before_the_injection(roles: Mapping[str, AnyAcquisition], among: Sequence[str], wanted: bool) -> exams_mr.Roles:
    late = exams_mr.START + timedelta(minutes=1 if wanted else 24)
    return {**roles, **{role: replace(roles[role], started_at=late) for role in among}}


def _in_order(roles: Mapping[str, AnyAcquisition], among: Sequence[str], wanted: bool) -> exams_mr.Roles:
    first = replace(roles[among[0]], started_at=exams_mr.START + timedelta(minutes=22 if wanted else 40))
    return {**roles, among[0]: first}


ROLES: dict[str, Callable] = {
    "derived.n_planes": _planes,
    "derived.planes": _turned,
    "derived.same_slice_locations": _last_changed(first_slice_mm=-33.0),
    "derived.parameters_match": _last_changed(pixel_spacing_mm=(0.7, 0.7)),
    "derived.before_injection": _before_the_injection,
    "derived.in_order_after_injection": _in_order,
}
"""How the series of an exam come to stand to each other as wanted: of all by role, those of some roles."""
