"""Quantities of several roles of one exam: where their slices lie, how alike they were made, in which order."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from itertools import pairwise

import numpy as np

from bingcheng.core.errors import Owner, Problem, Undefined
from bingcheng.core.wording import Text, plain_number, text
from bingcheng.dicom.acquisition import AnyAcquisition, MrAcquisition
from bingcheng.protocol.attributes import FilledRole, FilledRoles, Told, attribute
from bingcheng.protocol.quantities.recognition.injection import after_contrast
from bingcheng.protocol.quantities.recognition.plane import PLANES, plane
from bingcheng.protocol.values import Kind

SAME_CENTRE_MM = 0.5
"""Slices whose centres lie closer than this show the same tissue: a sixth of the thinnest slice that is asked for."""
SAME_THICKNESS_MM = 0.05
SAME_DIRECTION_DEG = 1.0
"""Consoles turn a stack in steps of a tenth of a degree; over a field of 200 mm one degree tilts it by 3.5 mm."""
SAME_TIME_MS = 0.05
RELATIVE = 0.01

NOT_SEVERAL = Problem(
    code="protocol.not-several-roles",
    says="there are no two series to compare",
    remedy="Send the other series that the protocol names, if they were made.",
    owner=Owner.TECHNOLOGIST,
)
PLACE_UNKNOWN = Problem(
    code="protocol.place-unknown",
    says="the header does not say where the slices of a series lie",
    remedy="Send the series again from the scanner or the archive with the positions and orientations of its slices.",
    owner=Owner.ARCHIVE,
)
SETTING_UNKNOWN = Problem(
    code="protocol.setting-unknown",
    says="the header of a series does not give: {what}",
    remedy="Send the series again from the scanner or the archive without stripping its header.",
    owner=Owner.ARCHIVE,
)
TIME_UNKNOWN = Problem(
    code="protocol.time-unknown",
    says="the header does not say when a series was acquired",
    remedy="Send the series again from the scanner or the archive with its acquisition times.",
    owner=Owner.ARCHIVE,
)
INJECTION_UNKNOWN = Problem(
    code="protocol.injection-unknown",
    says="the headers of the exam do not tell which series were acquired after the contrast injection",
    remedy="Have the injection time written (ContrastBolusStartTime), or keep the order of series in the worklist.",
    owner=Owner.TECHNOLOGIST,
)


@attribute("derived.same_slice_locations", label=text("slices at the same places"), kind=Kind.FLAG)
def same_slice_locations(filled: FilledRoles) -> Told:
    """Whether the stacks share direction, thickness and slice centres (within `SAME_CENTRE_MM`) where they overlap.

    Centres need not coincide slice by slice: of a stack with an interval that is a multiple of the other's, each centre
    must meet one of the other's.
    """
    reference, *others = _firsts(filled)
    for role, series in others:
        why = _elsewhere(reference[1], series)
        if why is not None:
            pair = text("{first} and {second}", first=reference[0].title, second=role.title)
            return Told(value=False, remark=text("{series}: {why}", series=pair, why=why))
    return Told(value=True, remark=None)


@attribute("derived.parameters_match", label=text("made with the same settings"), kind=Kind.FLAG)
def parameters_match(filled: FilledRoles) -> Told:
    """Whether the series share what shapes their contrast and geometry, so that they can be compared or subtracted.

    Slice thickness and interval, pixel, direction; of MR also TR, TE, TI, flip angle and the acquired matrix.
    """
    reference, *others = _firsts(filled)
    for role, series in others:
        different = next(_differing(reference[1], series), None)
        if different is not None:
            pair = text("{first} and {second}", first=reference[0].title, second=role.title)
            return Told(value=False, remark=text("{series} differ in: {what}", series=pair, what=different))
    return Told(value=True, remark=None)


@attribute("derived.planes", label=text("planes that were imaged"), kind=Kind.WORDS, words=PLANES)
def planes(filled: FilledRoles) -> tuple[str, ...]:
    """In which of the planes axial, sagittal and coronal (the nearest counts) the roles were imaged."""
    found = set()
    for role in filled.present:
        for series in role.series:
            told = plane(series)
            if told is None:
                raise Undefined(PLACE_UNKNOWN)
            found.add(str(told.value))
    if not found:
        raise Undefined(NOT_SEVERAL)
    return tuple(one for one in PLANES if one in found)


@attribute("derived.n_planes", label=text("number of planes"))
def n_planes(filled: FilledRoles) -> float:
    """In how many planes the roles were imaged."""
    return float(len(planes(filled)))


@attribute("derived.in_order", label=text("acquired in this order"), kind=Kind.FLAG)
def in_order(filled: FilledRoles) -> Told:
    """Whether the series started in the order in which the criterion names their roles."""
    for (first, earlier), (second, later) in pairwise(_firsts(filled)):
        if _started(later) <= _started(earlier):
            remark = text("{second} was acquired before {first}", first=first.title, second=second.title)
            return Told(value=False, remark=remark)
    return Told(value=True, remark=None)


@attribute("derived.in_order_after_injection", label=text("acquired in this order after the injection"), kind=Kind.FLAG)
def in_order_after_injection(filled: FilledRoles) -> Told:
    """Whether after the contrast injection the series started in the order of their roles.

    Of several series that fill a role, one at the right place is enough.
    """
    last: datetime | None = None
    first: FilledRole | None = None
    for role in _several(filled):
        started = [_started(series) for series in role.series if _came_after(series, filled)]
        if not started:
            return Told(value=False, remark=text("{role} was acquired before the injection", role=role.title))
        following = [moment for moment in started if last is None or moment > last]
        if not following:
            assert first is not None
            remark = text("{second} was acquired before {first}", first=first.title, second=role.title)
            return Told(value=False, remark=remark)
        last, first = min(following), role
    return Told(value=True, remark=None)


@attribute("derived.before_injection", label=text("acquired before the injection"), kind=Kind.FLAG)
def before_injection(filled: FilledRoles) -> Told:
    """Whether each role is filled by a series that started before the contrast injection; there may be others after."""
    return _on_side(filled, after=False)


@attribute("derived.after_injection", label=text("acquired after the injection"), kind=Kind.FLAG)
def after_injection(filled: FilledRoles) -> Told:
    """Whether each role is filled by a series that started after the contrast injection; there may be others before."""
    return _on_side(filled, after=True)


def _several(filled: FilledRoles) -> tuple[FilledRole, ...]:
    if len(filled.present) < 2:
        raise Undefined(NOT_SEVERAL)
    return filled.present


def _firsts(filled: FilledRoles) -> list[tuple[FilledRole, AnyAcquisition]]:
    """The judged series of each role that is filled; there must be two of them at least."""
    return [(role, role.series[0]) for role in _several(filled)]


def _started(acquisition: AnyAcquisition) -> datetime:
    if acquisition.started_at is None:
        raise Undefined(TIME_UNKNOWN)
    return acquisition.started_at


def _on_side(filled: FilledRoles, *, after: bool) -> Told:
    """Whether each role is filled by a series on the wanted side of the injection."""
    if not filled.present:
        raise Undefined(NOT_SEVERAL)
    for role in filled.present:
        if not any(_came_after(series, filled) is after for series in role.series):
            remark = (
                text("{role} was acquired before the injection", role=role.title)
                if after
                else text("{role} was acquired after the injection", role=role.title)
            )
            return Told(value=False, remark=remark)
    return Told(value=True, remark=None)


def _came_after(series: AnyAcquisition, filled: FilledRoles) -> bool:
    """Whether a series started after the injection: by its time, else by which series of the exam name the agent."""
    starts = {a.contrast_started_at for a in filled.exam.acquisitions if a.contrast_started_at is not None}
    if len(starts) == 1:
        return _started(series) > starts.pop()
    try:
        told = None if starts else after_contrast(series, filled.exam)
    except Undefined:
        told = None
    if told is None:
        raise Undefined(INJECTION_UNKNOWN)
    return told.value is True


def _elsewhere(one: AnyAcquisition, other: AnyAcquisition) -> Text | None:
    """How the slices of two series lie apart; None if they lie at the same places."""
    if (
        one.slice_normal is None
        or other.slice_normal is None
        or one.first_slice_mm is None
        or other.first_slice_mm is None
        or one.reconstruction_interval_mm is None
        or other.reconstruction_interval_mm is None
        or one.slice_count is None
        or other.slice_count is None
    ):
        raise Undefined(PLACE_UNKNOWN)
    if (
        one.frame_of_reference_uid is not None
        and other.frame_of_reference_uid is not None
        and one.frame_of_reference_uid != other.frame_of_reference_uid
    ):
        return text("they lie in different frames of reference")
    cosine = float(np.dot(one.slice_normal, other.slice_normal))
    angle_deg = float(np.degrees(np.arccos(min(1.0, abs(cosine)))))
    if angle_deg > SAME_DIRECTION_DEG:
        return text("their slices are turned by {angle}°", angle=round(angle_deg, 1))
    different = _different_thickness(one, other)
    if different is not None:
        return different
    # Stacks may be counted from opposite ends: their normals then point against each other.
    mine = one.first_slice_mm + one.reconstruction_interval_mm * np.arange(one.slice_count)
    theirs = other.first_slice_mm + other.reconstruction_interval_mm * np.arange(other.slice_count)
    return _apart(mine, theirs if cosine > 0 else -theirs)


def _different_thickness(one: AnyAcquisition, other: AnyAcquisition) -> Text | None:
    first_mm, second_mm = one.slice_thickness_mm, other.slice_thickness_mm
    if first_mm is None or second_mm is None:
        raise Undefined(SETTING_UNKNOWN, what=text("slice thickness"))
    if abs(first_mm - second_mm) <= SAME_THICKNESS_MM:
        return None
    return text("slices of {first} mm and of {second} mm", first=first_mm, second=second_mm)


def _apart(mine: np.ndarray, theirs: np.ndarray) -> Text | None:
    """How far slice centres lie from their neighbours in the other stack, over the length that both cover."""
    low, high = max(mine.min(), theirs.min()) - SAME_CENTRE_MM, min(mine.max(), theirs.max()) + SAME_CENTRE_MM
    fewer, more = (mine, theirs) if len(mine) <= len(theirs) else (theirs, mine)
    shared = fewer[(fewer >= low) & (fewer <= high)]
    if shared.size == 0:
        return text("they cover different regions")
    distance_mm = float(np.abs(shared[:, None] - more[None, :]).min(axis=1).max())
    if distance_mm <= SAME_CENTRE_MM:
        return None
    return text("slice centres lie up to {distance} mm apart", distance=round(distance_mm, 1))


def _differing(one: AnyAcquisition, other: AnyAcquisition) -> Iterator[Text]:
    """The settings in which two series differ, with both values.

    Raises
    ------
    Undefined
        ``protocol.setting-unknown`` if all that is known agrees and something is not known.
    """
    missing: Text | None = None
    for label, mine, theirs, room in _settings(one, other):
        if mine is None or theirs is None:
            missing = missing or label
        elif abs(mine - theirs) > room:
            yield text("{what} ({mine} and {theirs})", what=label, mine=plain_number(mine), theirs=plain_number(theirs))
    if one.slice_normal is None or other.slice_normal is None:
        missing = missing or text("direction of the slices")
    elif abs(float(np.dot(one.slice_normal, other.slice_normal))) < np.cos(np.radians(SAME_DIRECTION_DEG)):
        yield text("direction of the slices")
    if missing is not None:
        raise Undefined(SETTING_UNKNOWN, what=missing)


def _settings(one: AnyAcquisition, other: AnyAcquisition) -> Iterator[tuple[Text, float | None, float | None, float]]:
    """Label, both values and the room between them that is rounding."""
    yield text("slice thickness"), one.slice_thickness_mm, other.slice_thickness_mm, SAME_THICKNESS_MM
    interval_mm = one.reconstruction_interval_mm, other.reconstruction_interval_mm
    yield text("distance between slice centres"), *interval_mm, SAME_THICKNESS_MM
    for axis in (0, 1):
        mine, theirs = one.pixel_spacing_mm, other.pixel_spacing_mm
        yield text("pixel size"), mine and mine[axis], theirs and theirs[axis], RELATIVE
    if not isinstance(one, MrAcquisition) or not isinstance(other, MrAcquisition):
        return
    repetition_ms = one.repetition_time_ms
    yield text("repetition time"), repetition_ms, other.repetition_time_ms, max(1.0, RELATIVE * (repetition_ms or 0.0))
    yield text("echo time"), _only(one.echo_times_ms), _only(other.echo_times_ms), SAME_TIME_MS
    yield text("flip angle"), one.flip_angle_deg, other.flip_angle_deg, 0.5
    if one.inversion_time_ms is not None or other.inversion_time_ms is not None:
        yield text("inversion time"), one.inversion_time_ms, other.inversion_time_ms, 1.0
    if one.acquisition_matrix is not None and other.acquisition_matrix is not None:
        for axis in (0, 1):
            yield text("acquired matrix"), one.acquisition_matrix[axis], other.acquisition_matrix[axis], 0.0


def _only(times_ms: tuple[float, ...]) -> float | None:
    return times_ms[0] if len(set(times_ms)) == 1 else None
