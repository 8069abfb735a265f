"""Volumes and stacks of volumes with their voxels, in real units."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import groupby
from types import MappingProxyType
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bingcheng.core.errors import InputError, Owner, Problem, Undefined
from bingcheng.dicom.exam import FrameSource, Series, VolumeFrames
from bingcheng.dicom.pixels.frames import PixelFile
from bingcheng.dicom.pixels.real_values import RealValues, ValueMaps
from bingcheng.dicom.sources import open_source
from bingcheng.image.volume import Stack, Volume

OTHER_SIZE = Problem(
    code="dicom.other-size",
    says="a slice has {rows} x {columns} pixels where the volume has {expected_rows} x {expected_columns}",
    remedy="Read the folder again; the file changed after it was indexed.",
    owner=Owner.OPERATOR,
)
MIXED_UNITS = Problem(
    code="dicom.mixed-units",
    says="slices of one volume are in different units ({one} and {other})",
    remedy="Send each kind of image as a series of its own.",
    owner=Owner.TECHNOLOGIST,
)
NOT_FINITE = Problem(
    code="dicom.not-finite",
    says="the pixels hold values that are no numbers",
    remedy="Mark such voxels by a padding value instead.",
    owner=Owner.VENDOR,
)
NO_SUCH_AXIS = Problem(
    code="dicom.no-such-axis",
    says="the volumes of the series don't differ in {axis}",
    remedy="Give a series that was acquired with several values of it.",
    owner=Owner.TECHNOLOGIST,
)
AMBIGUOUS_STACK = Problem(
    code="dicom.ambiguous-stack",
    says="the volumes of the series differ in {axis} and also in {others}",
    remedy="Send the series with one setting of {others}.",
    owner=Owner.TECHNOLOGIST,
)
MIXED_GRIDS = Problem(
    code="dicom.mixed-grids",
    says="the volumes of the series don't lie on one grid",
    remedy="Send the volumes with one matrix, orientation and position.",
    owner=Owner.TECHNOLOGIST,
)

AXIS_UNITS: Mapping[str, str] = MappingProxyType(
    {
        "b_value": "s/mm2",
        "echo_time": "ms",
        "inversion_time": "ms",
        "repetition_time": "ms",
        "flip_angle": "deg",
        "time": "s",
        "phase": "ms",
        "acquisition": "1",
    }
)
"""The axes along which volumes can be stacked, and the UCUM unit of their values."""
AVERAGED = frozenset(("direction", "repeat", "time", "acquisition"))
"""What may repeat at one value of an axis: directions and repetitions are averaged."""


def read_volume(frames: VolumeFrames) -> Volume:
    """The voxels of `frames` in their real unit, as float32 (z, y, x).

    CT is in HU, PET as its header says, MR in arbitrary units unless a real-world value mapping gives another one.
    MONOCHROME1 says how to show an image, not what its values mean: nothing is inverted. Padded voxels (PS3.3
    C.7.5.1.1.2) are set to air (CT) or 0 and are False in `valid`.

    Raises
    ------
    InputError
        ``dicom.unreadable``, ``dicom.missing-pixels``, ``dicom.truncated``, ``dicom.wrong-pixel-length``,
        ``dicom.corrupt-pixels``, ``dicom.unknown-transfer-syntax``, ``dicom.colour``, ``dicom.bad-pixel-format``,
        ``dicom.other-size``, ``dicom.mixed-units``, ``dicom.not-finite``, and those of `ValueMaps.of`.
    """
    geometry = frames.geometry
    voxels: NDArray[np.float32] | None = None
    valid: NDArray[np.bool_] | None = None
    unit: str | None = None
    for z, stored, real in _slices(frames.frames):
        if stored.shape != geometry.shape[1:]:
            raise InputError(
                OTHER_SIZE,
                rows=stored.shape[0],
                columns=stored.shape[1],
                expected_rows=geometry.shape[1],
                expected_columns=geometry.shape[2],
            )
        if unit not in (None, real.unit):
            raise InputError(MIXED_UNITS, one=unit or "", other=real.unit)
        unit = real.unit
        if voxels is None:
            # Only now: a damaged header may claim a size that no machine has. Every voxel is written once.
            voxels = np.empty(geometry.shape, dtype=np.float32)
        _write(stored, real, voxels[z])
        padded = _padded(stored, real)
        if padded is not None:
            if valid is None:
                valid = np.ones(geometry.shape, dtype=np.bool_)
            voxels[z][padded] = real.fill
            np.logical_not(padded, out=valid[z])
        if stored.dtype.kind == "f" and not np.isfinite(voxels[z]).all():
            raise InputError(NOT_FINITE)
    assert voxels is not None
    assert unit is not None
    return Volume(voxels=voxels, geometry=geometry, unit=unit, valid=valid)


def _slices(sources: Sequence[FrameSource]) -> Iterator[tuple[int, NDArray[Any], RealValues]]:
    """Each slice's index along z with its stored values; every file is opened once."""
    by_file = sorted(enumerate(sources), key=lambda item: (str(item[1].path), item[1].member or "", item[1].frame))
    for _, group in groupby(by_file, key=lambda item: (item[1].path, item[1].member)):
        members = list(group)
        at = {source.frame: z for z, source in members}
        with open_source(members[0][1]) as stream:
            file = PixelFile(stream)
            maps = ValueMaps(file.elements, signed=file.format.signed)
            for frame, stored in file.frames(sorted(at)):
                yield at[frame], stored, maps.of(frame)


def _write(stored: NDArray[Any], real: RealValues, out: NDArray[np.float32]) -> None:
    """Slope times stored plus intercept, rounded to float32 once."""
    if real.slope == 1.0:
        if stored.dtype.itemsize <= 2 and float(real.intercept).is_integer() and abs(real.intercept) < 1 << 22:
            # Small integers are exact in float32, whichever way they are added.
            np.add(stored, np.float32(real.intercept), out=out, dtype=np.float32, casting="unsafe")
        else:
            np.add(stored, real.intercept, out=out, dtype=np.float64, casting="unsafe")
    elif real.intercept == 0.0:
        np.multiply(stored, real.slope, out=out, dtype=np.float64, casting="unsafe")
    else:
        out[...] = stored * real.slope + real.intercept


def _padded(stored: NDArray[Any], real: RealValues) -> NDArray[np.bool_] | None:
    if real.padding is None or stored.dtype.kind == "f":
        return None
    low, high = real.padding
    padded: NDArray[np.bool_] = stored == int(low) if low == high else (stored >= int(low)) & (stored <= int(high))
    return padded if padded.any() else None


def read_stack(series: Series, axis: str) -> Stack:
    """The volumes of a series along one axis, in the order of its values.

    Volumes with the same value are averaged: repetitions of one direction arithmetically, then directions
    geometrically, which makes the trace-weighted image (its logarithm is linear in the trace of the diffusion
    tensor). Where the scanner added an image without direction at b > 0, that is its own trace image and stands alone.

    Parameters
    ----------
    axis : one of `AXIS_UNITS`.

    Raises
    ------
    Undefined
        ``dicom.no-such-axis``.
    InputError
        ``dicom.ambiguous-stack``, ``dicom.mixed-grids``, and those of `read_volume`.
    """
    chosen = [(dict(v.key), v) for v in _magnitudes(series.volumes) if axis in dict(v.key)]
    values = sorted({key[axis] for key, _ in chosen})
    if axis not in AXIS_UNITS or len(values) < 2:
        raise Undefined(NO_SUCH_AXIS, axis=axis)
    others = {
        name
        for name in {name for key, _ in chosen for name in key} - {axis, "component"} - AVERAGED
        if len({key.get(name) for key, _ in chosen}) > 1
    }
    if others:
        raise InputError(AMBIGUOUS_STACK, axis=axis, others=", ".join(sorted(others)))
    grid = chosen[0][1].geometry
    if not all(volume.geometry.same_grid(grid) for _, volume in chosen):
        raise InputError(MIXED_GRIDS)
    volumes = tuple(_averaged([(key, v) for key, v in chosen if key[axis] == value], value) for value in values)
    if len({volume.unit for volume in volumes}) > 1:
        raise InputError(MIXED_UNITS, one=volumes[0].unit, other=volumes[-1].unit)
    return Stack(volumes=volumes, axis=axis, values=tuple(values), unit=AXIS_UNITS[axis])


def _magnitudes(volumes: Iterable[VolumeFrames]) -> list[VolumeFrames]:
    """Of a series with several components, the first one: magnitude comes before phase, real and imaginary."""
    found = list(volumes)
    first = min((dict(v.key).get("component", 0.0) for v in found), default=0.0)
    return [v for v in found if dict(v.key).get("component", 0.0) == first]


def _averaged(members: Sequence[tuple[Mapping[str, float], VolumeFrames]], value: float) -> Volume:
    by_direction: dict[float, list[VolumeFrames]] = {}
    for key, frames in members:
        by_direction.setdefault(key.get("direction", 0.0), []).append(frames)
    # Direction 0 is what has none: at b > 0 the scanner's own trace image.
    if value > 0 and 0.0 in by_direction:
        by_direction = {0.0: by_direction[0.0]}
    means = (_mean(group) for group in by_direction.values())
    first = next(means)
    if len(by_direction) == 1:
        return first
    total = np.log(np.maximum(first.voxels, 0), where=first.voxels > 0, out=np.full(first.geometry.shape, -np.inf))
    for mean in means:
        total += np.log(np.maximum(mean.voxels, 0), where=mean.voxels > 0, out=np.full(first.geometry.shape, -np.inf))
    voxels = np.exp(total / len(by_direction)).astype(np.float32)
    return Volume(voxels=voxels, geometry=first.geometry, unit=first.unit, valid=first.valid)


def _mean(group: Sequence[VolumeFrames]) -> Volume:
    first = read_volume(group[0])
    if len(group) == 1:
        return first
    total = first.voxels.astype(np.float32)
    valid = first.valid
    for frames in group[1:]:
        volume = read_volume(frames)
        total += volume.voxels
        if volume.valid is not None:
            valid = volume.valid if valid is None else valid & volume.valid
    total /= np.float32(len(group))
    return Volume(voxels=total, geometry=first.geometry, unit=first.unit, valid=valid)
