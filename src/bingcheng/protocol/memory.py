"""By what a series is known again on the same scanner, so that what a person said about it holds for the next exam."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from datetime import datetime

from bingcheng.dicom.acquisition import AnyAcquisition, CtAcquisition, MrAcquisition

DIGITS = 16


def signatures(acquisitions: Iterable[AnyAcquisition]) -> Mapping[str, str]:
    """The signature of every series of an exam, by its UID.

    It is made of the console's names for the series and of settings that do not follow the patient. Series of one
    signature (the phases of a dynamic study) are told apart by their order in time.
    """
    ordered = sorted(acquisitions, key=_in_time)
    counted: dict[str, int] = {}
    found: dict[str, str] = {}
    for acquisition in ordered:
        digest = _digest(acquisition)
        counted[digest] = counted.get(digest, 0) + 1
        found[acquisition.series_uid] = f"{digest}#{counted[digest]}"
    return found


def _digest(acquisition: AnyAcquisition) -> str:
    parts: list[object] = [
        acquisition.modality,
        _folded(acquisition.series_description),
        _folded(acquisition.protocol_name),
        *(word.upper() for word in acquisition.image_type),
        _rounded(acquisition.slice_thickness_mm),
    ]
    if isinstance(acquisition, MrAcquisition):
        # The repetition time is left out: it follows breathing and the number of slices.
        parts += [*map(_rounded, acquisition.echo_times_ms), _rounded(acquisition.inversion_time_ms)]
        parts += [*map(_rounded, sorted(set(acquisition.b_values_s_per_mm2))), *sorted(acquisition.scanning_sequence)]
    if isinstance(acquisition, CtAcquisition):
        parts += [_folded(acquisition.convolution_kernel), _rounded(acquisition.kvp_kv)]
    return hashlib.sha256("\x1f".join(map(str, parts)).encode()).hexdigest()[:DIGITS]


def _in_time(acquisition: AnyAcquisition) -> tuple[bool, datetime, int, str]:
    started = acquisition.started_at
    return (
        started is None,
        started or datetime.max,  # noqa: DTZ901 - a key only
        acquisition.series_number or 0,
        acquisition.series_uid,
    )


def _folded(words: str | None) -> str:
    return " ".join((words or "").casefold().split())


def _rounded(value: float | None) -> float | None:
    return None if value is None else round(value, 1)
