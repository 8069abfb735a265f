"""One slice of a series: a classic instance, or a frame of a multi-frame one, with what tells it from the others."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import TypeVar

from bingcheng.dicom.exam import FrameSource
from bingcheng.dicom.index.functional_groups import FrameFacts, Sextuple, Triple
from bingcheng.dicom.index.headers import Header, ImageFacts


@dataclass(frozen=True, slots=True, kw_only=True)
class Slice:
    """A slice and the facts by which volumes of one series differ; None where the header does not say.

    `component` is the image or frame type; `order` counts slices as the scanner numbered them.
    """

    header: Header
    source: FrameSource
    position_mm: Triple | None
    orientation: Sextuple | None
    spacing_mm: tuple[float, float] | None
    thickness_mm: float | None
    component: tuple[str, ...]
    stack: str | None
    b_value: float | None
    gradient: Triple | None
    echo_time_ms: float | None
    inversion_time_ms: float | None
    repetition_time_ms: float | None
    flip_angle_deg: float | None
    temporal_position: int | None
    time_s: float | None
    trigger_time_ms: float | None
    acquisition_number: int | None
    acquired_at: datetime | None
    content_at: datetime | None
    order: tuple[int, int]


def slices_of(headers: Iterable[Header]) -> Iterator[Slice]:
    """All slices of the instances, frame by frame."""
    for header in headers:
        image = header.image
        if image is None:
            continue
        if header.frames:
            for number, frame in enumerate(header.frames[: image.frame_count]):
                yield _of_frame(header, image, frame, number)
        else:
            yield _of_instance(header, image)


def _of_instance(header: Header, image: ImageFacts) -> Slice:
    return Slice(
        header=header,
        source=header.source,
        position_mm=header.position_mm,
        orientation=image.orientation,
        spacing_mm=image.spacing_mm,
        thickness_mm=image.thickness_mm,
        component=image.image_type,
        stack=None,
        b_value=header.b_value,
        gradient=header.gradient,
        echo_time_ms=header.echo_time_ms,
        inversion_time_ms=header.inversion_time_ms,
        repetition_time_ms=header.repetition_time_ms,
        flip_angle_deg=header.flip_angle_deg,
        temporal_position=header.temporal_position,
        time_s=_seconds(header.frame_reference_ms),
        trigger_time_ms=header.trigger_time_ms,
        acquisition_number=header.acquisition_number,
        acquired_at=header.acquired_at,
        content_at=header.content_at,
        order=(header.instance_number or 0, 0),
    )


_T = TypeVar("_T")


def _either(own: _T | None, top: _T | None) -> _T | None:
    return top if own is None else own


def _of_frame(header: Header, image: ImageFacts, frame: FrameFacts, number: int) -> Slice:
    return Slice(
        header=header,
        source=FrameSource(path=header.source.path, frame=number, member=header.source.member),
        position_mm=_either(frame.position_mm, header.position_mm),
        orientation=_either(frame.orientation, image.orientation),
        spacing_mm=_either(frame.spacing_mm, image.spacing_mm),
        thickness_mm=_either(frame.thickness_mm, image.thickness_mm),
        component=frame.frame_type or image.image_type,
        stack=frame.stack,
        b_value=_either(frame.b_value, header.b_value),
        # A trace image has no direction; the top level may still tell one.
        gradient=None if frame.directional in ("ISOTROPIC", "NONE") else _either(frame.gradient, header.gradient),
        echo_time_ms=_either(frame.echo_time_ms, header.echo_time_ms),
        inversion_time_ms=_either(frame.inversion_time_ms, header.inversion_time_ms),
        repetition_time_ms=_either(frame.repetition_time_ms, header.repetition_time_ms),
        flip_angle_deg=_either(frame.flip_angle_deg, header.flip_angle_deg),
        temporal_position=_either(frame.temporal_position, header.temporal_position),
        time_s=_either(frame.time_offset_s, _seconds(header.frame_reference_ms)),
        trigger_time_ms=_either(frame.trigger_time_ms, header.trigger_time_ms),
        acquisition_number=_either(frame.acquisition_number, header.acquisition_number),
        acquired_at=_either(frame.acquired_at, header.acquired_at),
        content_at=header.content_at,
        order=(header.instance_number or 0, number),
    )


def _seconds(milliseconds: float | None) -> float | None:
    return None if milliseconds is None else milliseconds / 1000.0
