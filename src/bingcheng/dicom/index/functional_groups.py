"""The facts of each frame of an enhanced multi-frame object: looked up per frame, then shared (PS3.3 C.7.6.16).

A fact that neither says is taken from the top level by whoever uses it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from bingcheng.dicom.index.elements import Coding, first_item, items
from bingcheng.dicom.index.values import binary, doubles, floats, moment_of, number, parts, plain

Triple = tuple[float, float, float]
Sextuple = tuple[float, float, float, float, float, float]

SHARED, PER_FRAME = 0x52009229, 0x52009230
FRAME_TAGS = (SHARED, PER_FRAME)

_CONTENT = 0x00209111
_POSITION = 0x00209113
_ORIENTATION = 0x00209116
_MEASURES = 0x00289110
_DIFFUSION = 0x00189117
_GRADIENT = 0x00189076
_ECHO = 0x00189114
_MODIFIER = 0x00189115
_TIMING = 0x00189112
_TEMPORAL = 0x00209310
_CARDIAC = 0x00189118
_MR_FRAME_TYPE, _CT_FRAME_TYPE, _PET_FRAME_TYPE = 0x00189226, 0x00189329, 0x00189751
_FRAME_TYPES = (_MR_FRAME_TYPE, _CT_FRAME_TYPE, _PET_FRAME_TYPE)
B_MATRIX = frozenset((0x00189602, 0x00189605, 0x00189607))
"""Diffusion b-value XX, YY and ZZ (PS3.3 C.8.13.5.9)."""
_MATRIX = 0x00189601

_MACROS = frozenset(
    (
        *(_CONTENT, _POSITION, _ORIENTATION, _MEASURES, _DIFFUSION, _ECHO, _MODIFIER, _TIMING, _TEMPORAL, _CARDIAC),
        *_FRAME_TYPES,
    )
)
_INSIDE = frozenset(
    (
        *(0x00200032, 0x00200037, 0x00280030, 0x00180050, 0x00180088, 0x00189087, 0x00189075, _GRADIENT, 0x00189082),
        *(0x00189079, 0x00181314, 0x00180080, 0x0020930D, 0x00209153, 0x00089007, 0x00189074, 0x00209128, 0x00209056),
        *(0x00209156, 0x00189151, 0x00189089, _MATRIX),
    )
)


@dataclass(frozen=True, slots=True, kw_only=True)
class FrameFacts:
    """One frame; None where neither the frame's nor the shared groups say it.

    `directional` is DICOM's Diffusion Directionality; `time_offset_s` counts from the first temporal position.
    """

    position_mm: Triple | None = None
    orientation: Sextuple | None = None
    spacing_mm: tuple[float, float] | None = None
    thickness_mm: float | None = None
    frame_type: tuple[str, ...] = ()
    b_value: float | None = None
    directional: str | None = None
    gradient: Triple | None = None
    echo_time_ms: float | None = None
    inversion_time_ms: float | None = None
    repetition_time_ms: float | None = None
    flip_angle_deg: float | None = None
    temporal_position: int | None = None
    time_offset_s: float | None = None
    trigger_time_ms: float | None = None
    stack: str | None = None
    acquisition_number: int | None = None
    acquired_at: datetime | None = None


def frames_of(values: Mapping[int, bytes], coding: Coding) -> tuple[FrameFacts, ...]:
    """The facts of all frames in frame order; empty for an object without per-frame groups."""
    if PER_FRAME not in values:
        return ()
    shared = _opened(first_item(values.get(SHARED), coding, _MACROS), coding)
    return tuple(_frame(item, shared, coding) for item in items(values[PER_FRAME], coding, _MACROS))


Macros = Mapping[int, Mapping[int, bytes]]


def _opened(macros: Mapping[int, bytes], coding: Coding) -> Macros:
    return {tag: first_item(raw, coding, _INSIDE) for tag, raw in macros.items()}


def _frame(item: Mapping[int, bytes], shared: Macros, coding: Coding) -> FrameFacts:
    groups = {**shared, **_opened(item, coding)}

    def get(macro: int, tag: int) -> bytes | None:
        return groups[macro].get(tag) if macro in groups else None

    diffusion = groups.get(_DIFFUSION, {})
    gradient = first_item(diffusion.get(_GRADIENT), coding, _INSIDE)
    return FrameFacts(
        position_mm=_three(floats(get(_POSITION, 0x00200032), 3)),
        orientation=_six(floats(get(_ORIENTATION, 0x00200037), 6)),
        spacing_mm=_two(floats(get(_MEASURES, 0x00280030), 2)),
        thickness_mm=number(get(_MEASURES, 0x00180050)),
        frame_type=_frame_type(groups),
        b_value=_b_value(diffusion, coding),
        directional=plain(diffusion.get(0x00189075)),
        gradient=_three(doubles(gradient.get(0x00189089), 3, coding)),
        echo_time_ms=binary(get(_ECHO, 0x00189082), "d", coding),
        inversion_time_ms=binary(get(_MODIFIER, 0x00189079), "d", coding),
        repetition_time_ms=number(get(_TIMING, 0x00180080)),
        flip_angle_deg=number(get(_TIMING, 0x00181314)),
        temporal_position=_whole(binary(get(_CONTENT, 0x00209128), "I", coding)),
        time_offset_s=binary(get(_TEMPORAL, 0x0020930D), "d", coding),
        trigger_time_ms=binary(get(_CARDIAC, 0x00209153), "d", coding),
        stack=plain(get(_CONTENT, 0x00209056)),
        acquisition_number=_whole(binary(get(_CONTENT, 0x00209156), "H", coding)),
        acquired_at=moment_of(plain(get(_CONTENT, 0x00189074)) or plain(get(_CONTENT, 0x00189151))),
    )


def _b_value(diffusion: Mapping[int, bytes], coding: Coding) -> float | None:
    """The diffusion macro's b-value; without one the trace of its b-matrix."""
    written = binary(diffusion.get(0x00189087), "d", coding)
    return (
        written if written is not None else traced_b_value(first_item(diffusion.get(_MATRIX), coding, B_MATRIX), coding)
    )


def traced_b_value(matrix: Mapping[int, bytes], coding: Coding) -> float | None:
    """The b-value as the trace of a b-matrix: XX + YY + ZZ, in s/mm2; None unless all three are there."""
    diagonal = [binary(matrix.get(tag), "d", coding) for tag in B_MATRIX]
    known = [value for value in diagonal if value is not None]
    return sum(known) if len(known) == len(diagonal) and min(known) >= 0 else None


def _frame_type(groups: Macros) -> tuple[str, ...]:
    for macro in _FRAME_TYPES:
        if macro in groups:
            return parts(groups[macro].get(0x00089007))
    return ()


def _whole(value: float | None) -> int | None:
    return None if value is None else int(value)


def _two(values: tuple[float, ...] | None) -> tuple[float, float] | None:
    return None if values is None else (values[0], values[1])


def _three(values: tuple[float, ...] | None) -> Triple | None:
    return None if values is None else (values[0], values[1], values[2])


def _six(values: tuple[float, ...] | None) -> Sextuple | None:
    return None if values is None else (values[0], values[1], values[2], values[3], values[4], values[5])
