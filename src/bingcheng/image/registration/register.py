"""Finding the registration of two exams.

1. Both are averaged to a working size and seen as values of 0 to 1 (`appearance`).
2. All shifts are tried on a coarse grid (`start`); exams that share a frame of reference may also stay in place.
3. From the best few a rigid motion is fitted in two resolutions (`rigid_fit`).
4. What remains is deformed by demons in three resolutions (`deformation`), and once more the other way, without the
   finest, to see whether both ways agree.
5. What does not hold together is refused, never handed on: a wrong map pairs the wrong tumours.

The result is the same on any number of cores. It can differ in the last digits between processor architectures.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from bingcheng.core.errors import InputError, Owner, Problem, Undefined
from bingcheng.image.geometry import VolumeGeometry
from bingcheng.image.registration.appearance import matched
from bingcheng.image.registration.deformation import Level, deformation
from bingcheng.image.registration.displacement import Displacement
from bingcheng.image.registration.quality import Quality, correlation, folded, inverse_error_mm
from bingcheng.image.registration.registration import Registration
from bingcheng.image.registration.rigid import Rigid
from bingcheng.image.registration.rigid_fit import Fit, rigid_fit
from bingcheng.image.registration.seen import Looking, Seen
from bingcheng.image.registration.start import candidates
from bingcheng.image.resample import upright
from bingcheng.image.volume import Volume

UNITS_DIFFER = Problem(
    code="image.registration-units-differ",
    says="an exam in {fixed} can't be registered with one in {moving}",
    remedy="Register two series of the same modality.",
    owner=Owner.OPERATOR,
)
NOTHING_TO_SEE = Problem(
    code="image.registration-nothing-to-see",
    says="an exam shows no body to register by",
    remedy="Register a series with anatomy in it.",
    owner=Owner.TECHNOLOGIST,
)
TOO_THIN = Problem(
    code="image.registration-too-thin",
    says="an exam is {thickness_mm} mm thick, too little to tell where it lies in another one",
    remedy="Register a series that covers more of the patient.",
    owner=Owner.TECHNOLOGIST,
)
NO_OVERLAP = Problem(
    code="image.registration-no-overlap",
    says="the two exams show no common part of the body that is large enough",
    remedy="Register exams of the same part of the body.",
    owner=Owner.RADIOLOGIST,
)
NOT_ALIKE = Problem(
    code="image.registration-not-alike",
    says="the two exams do not look like the same part of the same body: their correlation is {likeness},"
    " the confidence {confidence}",
    remedy="Check that both exams show the same patient and part, or match the lesions by hand.",
    owner=Owner.RADIOLOGIST,
)
FOLDED = Problem(
    code="image.registration-folded",
    says="{percent} % of the body was turned inside out, so the two exams were not matched",
    remedy="Register rigidly, or match the lesions by hand.",
    owner=Owner.RADIOLOGIST,
)

INVERSE_POINTS = 20_000
"""About how many points of the body the way there and back is tried on."""
LEVELS = (Level(coarser=4, steps=150), Level(coarser=2, steps=80), Level(coarser=1, steps=40))


@dataclass(frozen=True, slots=True, kw_only=True)
class RegistrationSettings:
    """What is asked of a registration.

    Parameters
    ----------
    deformable : whether a deformation follows the rigid motion.
    working_mm : voxel size of the finest deformation.
    most_voxels : on more than so many voxels the working size grows; bounds time and memory (about 120 bytes a voxel).
    levels : resolutions of the deformation, coarse to fine.
    smoothing_voxels : smoothness of the deformation, in voxels of each level.
    rigid_mm, search_mm : voxel sizes of the rigid fit and of the search for its start.
    starts : how many places to begin from.
    still_mm : exams that share a frame of reference and moved less than this on average count as not moved.
    least_overlap : share of the smaller body that both must show.
    least_likeness : correlation that the body must reach after registration.
    least_confidence : that a deformable registration must reach, see `Quality.confidence`. A rigid one is never as
        alike, and is judged by `least_likeness` alone.
    most_folded : share of the body that may turn inside out.
    """

    deformable: bool = True
    working_mm: float = 2.0
    most_voxels: int = 3_000_000
    levels: tuple[Level, ...] = LEVELS
    smoothing_voxels: float = 1.5
    rigid_mm: float = 4.0
    search_mm: float = 8.0
    starts: int = 3
    still_mm: float = 0.5
    least_overlap: float = 0.4
    least_likeness: float = 0.5
    least_confidence: float = 0.5
    most_folded: float = 0.01


def register(fixed: Volume, moving: Volume, settings: RegistrationSettings | None = None) -> Registration:
    """The registration of two exams of one patient and modality.

    Parameters
    ----------
    fixed, moving : the earlier and the later exam, as a rule; any orientation, spacing or tilt.
    settings : what is asked.

    Raises
    ------
    InputError
        ``image.registration-units-differ``.
    Undefined
        ``image.registration-nothing-to-see``, ``image.registration-too-thin``, ``image.registration-no-overlap``,
        ``image.registration-not-alike``, ``image.registration-folded``.
    """
    asked = settings or RegistrationSettings()
    if fixed.unit != moving.unit:
        raise InputError(UNITS_DIFFER, fixed=fixed.unit, moving=moving.unit)
    size_mm = _working_mm(fixed.geometry, asked)
    pair = Looking.at(fixed, size_mm), Looking.at(moving, size_mm)
    if any(one.constant for one in pair):
        raise Undefined(NOTHING_TO_SEE)
    shared = fixed.geometry.frame_of_reference_uid is not None and fixed.geometry.same_frame(moving.geometry)
    seen = pair[0].whole(asked.rigid_mm), pair[1].whole(asked.rigid_mm)
    both_placed = shared and moving.geometry.frame_of_reference_uid is not None
    motion, start = _rigid(*pair, seen, asked, shared=both_placed)
    displacement, quality = _deformed(pair, motion, start, seen, size_mm, asked)
    _believed(quality, asked)
    return Registration(
        fixed=fixed.geometry, moving=moving.geometry, motion=motion, displacement=displacement, quality=quality
    )


def _working_mm(geometry: VolumeGeometry, asked: RegistrationSettings) -> float:
    """The working size: as asked, or larger where the volume would have too many voxels."""
    whole_mm3 = float(np.prod(upright(geometry, asked.rigid_mm).extent_mm))
    return max(asked.working_mm, math.cbrt(whole_mm3 / asked.most_voxels))


def _rigid(
    fixed: Looking, moving: Looking, fine: tuple[Seen, Seen], asked: RegistrationSettings, *, shared: bool
) -> tuple[Rigid, Rigid]:
    """The rigid motion and where it began."""
    coarse = fixed.whole(asked.search_mm), moving.whole(asked.search_mm)
    for seen in (*coarse, *fine):
        if not seen.body.any():
            raise Undefined(NOTHING_TO_SEE)
        if min(seen.grid.extent_mm) < 2.0 * asked.search_mm:
            raise Undefined(TOO_THIN, thickness_mm=round(min(seen.grid.extent_mm)))
    starts = [Rigid()] if shared else []
    found = candidates(*coarse, most=asked.starts, least_overlap=asked.least_overlap)
    starts += [Rigid(shift_mm=np.asarray(one.shift_mm)) for one in found]
    fits = list(_fits(*coarse, starts))
    if not fits:
        raise Undefined(NO_OVERLAP)
    start, best = max(fits, key=lambda fit: fit[1].information)
    last = rigid_fit(*fine, best.motion) or best
    if shared and _moved_mm(last.motion, fine[0]) < asked.still_mm:
        last = Fit(motion=Rigid(), information=last.information)
    return last.motion, start


def _fits(fixed: Seen, moving: Seen, starts: list[Rigid]) -> Iterator[tuple[Rigid, Fit]]:
    for start in starts:
        fit = rigid_fit(fixed, moving, start)
        if fit is not None:
            yield start, fit


def _moved_mm(motion: Rigid, seen: Seen) -> float:
    points = seen.grid.to_mm(np.argwhere(seen.body))
    return float(np.linalg.norm(motion(points) - points, axis=1).mean())


def _deformed(
    pair: tuple[Looking, Looking],
    motion: Rigid,
    start: Rigid,
    seen: tuple[Seen, Seen],
    size_mm: float,
    asked: RegistrationSettings,
) -> tuple[Displacement | None, Quality]:
    fixed, moving = pair
    grid = _around_body(seen[0], size_mm)
    one, field_one = fixed.on(grid, Rigid())
    two, field_two = moving.on(grid, motion)
    body = _body_on(seen[0], grid)
    both = body & field_one & field_two
    overlap = _overlap(*seen, motion)
    if overlap < asked.least_overlap or not both.any():
        raise Undefined(NO_OVERLAP)
    if fixed.matched:
        two = matched(two, one, both)
    before, field_before = moving.on(grid, start)
    likeness_before = correlation(one, before, body & field_one & field_before)
    likeness_rigid = correlation(one, two, both)
    # Where one exam shows nothing, it is made to ask for no force.
    np.copyto(one, two, where=~field_one)
    np.copyto(two, one, where=~field_two)
    if not asked.deformable:
        return None, Quality(
            likeness_before=likeness_before,
            likeness_rigid=likeness_rigid,
            likeness_after=likeness_rigid,
            overlap=overlap,
            folded=0.0,
            inverse_error_mm=None,
        )
    coarse, finest = asked.levels[:-1], asked.levels[-1:]
    midway = deformation(one, two, grid, coarse, smoothing_voxels=asked.smoothing_voxels)
    behind = deformation(two, one, grid, coarse, smoothing_voxels=asked.smoothing_voxels)
    ahead = deformation(one, two, grid, finest, smoothing_voxels=asked.smoothing_voxels, start=midway)
    after = _carried_back(two, ahead)
    return ahead, Quality(
        likeness_before=likeness_before,
        likeness_rigid=likeness_rigid,
        likeness_after=correlation(one, after, both),
        overlap=overlap,
        folded=folded(ahead, both),
        inverse_error_mm=inverse_error_mm(midway, behind, grid.to_mm(_some(both))),
    )


def _around_body(seen: Seen, size_mm: float) -> VolumeGeometry:
    """A grid of the working size around the body, with two coarse voxels of air."""
    found = np.argwhere(seen.body)
    low = np.maximum(found.min(axis=0) - 2, 0)
    high = np.minimum(found.max(axis=0) + 3, seen.grid.shape)
    shape = high - low
    part = seen.grid.box((int(low[0]), int(low[1]), int(low[2])), (int(shape[0]), int(shape[1]), int(shape[2])))
    return upright(part, size_mm)


def _body_on(seen: Seen, grid: VolumeGeometry) -> NDArray[np.bool_]:
    scale = np.asarray(grid.spacing_mm) / np.asarray(seen.grid.spacing_mm)
    start = seen.grid.to_index(np.asarray(grid.origin_mm))
    found = ndimage.affine_transform(
        seen.body.astype(np.float32), scale, start, output_shape=grid.shape, order=1, mode="nearest"
    )
    return np.asarray(found >= 0.5)


def _overlap(seen: Seen, other: Seen, motion: Rigid) -> float:
    """The share of the smaller body that lies in the other exam's body."""
    points = motion(seen.grid.to_mm(np.argwhere(seen.body)))
    index = np.rint(other.grid.to_index(points)).astype(int)
    inside = ((index >= 0) & (index < np.asarray(other.grid.shape))).all(axis=1)
    hit = int(other.body[tuple(index[inside].T)].sum())
    return min(1.0, hit / max(1, min(int(seen.body.sum()), int(other.body.sum()))))


def _carried_back(moving: NDArray[np.float32], field: Displacement) -> NDArray[np.float32]:
    """`moving` at the displaced voxels of its own grid."""
    index = np.indices(moving.shape, dtype=np.float32)
    for axis in range(3):
        index[axis] += field.vectors_mm[..., 2 - axis] / np.float32(field.grid.spacing_mm[axis])
    found: NDArray[np.float32] = ndimage.map_coordinates(moving, index, order=1, mode="nearest")
    return found


def _some(within: NDArray[np.bool_]) -> NDArray[np.int64]:
    index = np.argwhere(within)
    found: NDArray[np.int64] = index[:: max(1, len(index) // INVERSE_POINTS)]
    return found


def _believed(quality: Quality, asked: RegistrationSettings) -> None:
    unsure = asked.deformable and quality.confidence < asked.least_confidence
    if unsure or quality.likeness_after < asked.least_likeness:
        raise Undefined(
            NOT_ALIKE,
            likeness=round(quality.likeness_after, 2),
            confidence=round(quality.confidence, 2),
        )
    if quality.folded > asked.most_folded:
        raise Undefined(FOLDED, percent=round(100.0 * quality.folded, 1))
