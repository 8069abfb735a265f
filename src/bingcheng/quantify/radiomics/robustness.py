"""How sure a feature is on this exam: measured again on other outlines, other noise, another lattice, other bins.

Each kind of perturbation is made by itself, so that it can be told what a feature is sensitive to; the standard
uncertainty is their root sum of squares (JCGM 100:2008, 5.1.2):

- contour: outlines that a reader might as well have drawn (`uncertainty.perturbation.outlines`: grown and shrunk,
  shifted by parts of a voxel, made uneven); root mean square deviation from the value as drawn.
- rotation: image and outline turned within the slice by a few degrees either way, as a patient lies on another day;
  the scatter of the turned ones about their own mean. Turning interpolates, which smooths noise alike in all of them
  and is no uncertainty; what differs between them is.
- noise: other draws of the noise measured in this image, on the image without it; the scatter about their own mean: so
  much would another scan by the same protocol differ. What noise adds to a feature in the mean is left out: it is a
  property of the protocol, and comparing protocols is not what repeating tells.
- lattice: where voxels are interpolated, the new grid shifted by parts of a voxel; root mean square deviation.
- bins: where intensities are discretised, the edges of the bins shifted by parts of a bin; root mean square deviation.

Perturbing images to grade features is Zwanenburg et al., Sci Rep 2019;9:614. A kind of which more than a quarter of the
repetitions gave no value leaves the uncertainty unknown: a sum without it would be too small.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass, replace
from types import MappingProxyType
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bingcheng.core.errors import BingchengError, Undefined
from bingcheng.image.region import Region
from bingcheng.image.volume import Volume
from bingcheng.quantify.filters.gaps import recorded
from bingcheng.quantify.radiomics.chain import AS_SET, Variation, prepared
from bingcheng.quantify.radiomics.discretisation import NoDiscretisation
from bingcheng.quantify.radiomics.extraction import RadiomicsResult, features, values_of
from bingcheng.quantify.radiomics.settings import RadiomicsSettings
from bingcheng.quantify.radiomics.turning import turned
from bingcheng.quantify.uncertainty.excerpt import Excerpt
from bingcheng.quantify.uncertainty.perturbation import Perturbations, outlines
from bingcheng.quantify.uncertainty.surroundings import Surroundings, explain

SEED = 20261124
SCHEME = "contour-rotation-noise-lattice-bins/1"
LEAST_SHARE = 0.75
NEAR_MM = 12.0
"""Kept around the lesion: the local peak's sphere reaches 6.2 mm, and blur and noise are told from what lies beside."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Repetitions:
    """How often each kind of perturbation is made, and how far it goes.

    Parameters
    ----------
    contours, rotations, noises : even; they come in opposite pairs.
    lattices, bins : even too. Where nothing is interpolated there is no lattice to shift, and as many outlines more.
    rotation_deg : the largest rotation within the slice.
    """

    contours: int = 12
    rotations: int = 4
    noises: int = 8
    lattices: int = 4
    bins: int = 2
    rotation_deg: float = 6.0

    def __post_init__(self) -> None:
        counts = (self.contours, self.rotations, self.noises, self.lattices, self.bins)
        if any(count < 2 or count % 2 for count in counts):
            raise ValueError("repetitions come in pairs: each count is even and at least 2")

    @property
    def count(self) -> int:
        """How many repetitions there are at most."""
        return self.contours + self.rotations + self.noises + self.lattices + self.bins


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class RobustResult:
    """The features of one lesion with their uncertainty.

    Parameters
    ----------
    result : as without perturbations; its provenance also holds how they were made.
    standard_uncertainty : k = 1 by tag, in the unit of the value; None where it is not known.
    components : by tag, the standard uncertainty of each kind of perturbation; None for one that can't be told.
    repetitions : how many were made.
    """

    result: RadiomicsResult
    standard_uncertainty: Mapping[str, float | None]
    components: Mapping[str, Mapping[str, float | None]]
    repetitions: int


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class _Job:
    """One repetition: of which kind, and the image, the outline and the chain's variation to measure."""

    kind: str
    volume: Volume
    region: Region
    variation: Variation = AS_SET


def robust_features(
    volume: Volume,
    region: Region,
    settings: RadiomicsSettings,
    *,
    repetitions: Repetitions | None = None,
    seed: int = SEED,
    workers: int = 1,
    inputs: tuple[str, ...] = (),
    told: Callable[[int, int], None] | None = None,
) -> RobustResult:
    """The features of a lesion, each with its standard uncertainty.

    The result depends on inputs and `seed` only, not on `workers`.

    Parameters
    ----------
    volume, region, settings, inputs : as `extraction.features`.
    repetitions : how often and how far to perturb.
    seed : of outlines and noise.
    workers : threads; repetitions go in parallel.
    told : called with how many repetitions are done, and how many there are.

    Raises
    ------
    InputError, Undefined
        as `extraction.features`.
    """
    how = repetitions or Repetitions()
    result = features(volume, region, settings, inputs=inputs)
    near, drawn = _near(volume, region)
    surroundings = explain(near, drawn)
    jobs = list(_jobs(near, drawn, settings, surroundings, how, seed))
    table = _repeated(jobs, settings, tuple(result.values), workers, told)
    components = _components(result, jobs, table, noise_known=surroundings is not None)
    parameters = {"scheme": SCHEME, "seed": seed, **asdict(how)}
    provenance = replace(result.provenance, parameters={**result.provenance.parameters, "uncertainty": parameters})
    return RobustResult(
        result=replace(result, provenance=provenance),
        standard_uncertainty=MappingProxyType({tag: _sum(kinds) for tag, kinds in components.items()}),
        components=MappingProxyType(components),
        repetitions=len(jobs),
    )


def _near(volume: Volume, region: Region) -> tuple[Volume, Region]:
    """The image around the lesion, finite everywhere, and the lesion on its grid."""
    near_by = Excerpt.around(region, NEAR_MM)
    # A gap would spread: over its whole slice when the image is turned, over noise and blur where they are told.
    known_voxels, valid = recorded(volume, near_by.box)
    voxels = np.asarray(known_voxels, dtype=np.float32)
    return replace(volume, voxels=voxels, geometry=near_by.grid, valid=valid), near_by.of_region(region)


def _jobs(
    near: Volume,
    drawn: Region,
    settings: RadiomicsSettings,
    surroundings: Surroundings | None,
    how: Repetitions,
    seed: int,
) -> Iterator[_Job]:
    moved = Perturbations(contours=how.contours + (how.lattices if settings.interpolation is None else 0))
    yield from (_Job(kind="contour", volume=near, region=other) for other in outlines(drawn, moved, seed=seed))
    for angle_deg in _signed(how.rotations, how.rotation_deg):
        yield _Job(kind="rotation", **turned(near, drawn, angle_deg))
    if surroundings is not None:
        for voxels in _noisy(surroundings, how.noises, seed):
            yield _Job(kind="noise", volume=replace(near, voxels=voxels), region=drawn)
    if settings.interpolation is not None:
        for shift in _shifts(how.lattices, seed):
            yield _Job(kind="lattice", volume=near, region=drawn, variation=Variation(lattice_voxels=shift))
    if not isinstance(settings.discretisation, NoDiscretisation):
        for part in _signed(how.bins, 0.5):
            yield _Job(kind="bins", volume=near, region=drawn, variation=Variation(bins=part))


def _signed(count: int, largest: float) -> Iterator[float]:
    """So many sizes, evenly up to the largest, each either way."""
    pairs = count // 2
    for number in range(pairs):
        size = (number + 1) / pairs * largest
        yield from (size, -size)


def _noisy(surroundings: Surroundings, count: int, seed: int) -> Iterator[NDArray[Any]]:
    generator = np.random.default_rng((seed, 1))
    for _ in range(count // 2):
        draw = surroundings.noise_like_it(generator)
        yield surroundings.quiet + draw
        yield surroundings.quiet - draw


def _shifts(count: int, seed: int) -> Iterator[tuple[float, float, float]]:
    """Shifts within half a voxel along each axis, in opposite pairs spread evenly (Latin hypercube)."""
    generator = np.random.default_rng((seed, 2))
    pairs = count // 2
    strata = np.stack([generator.permutation(pairs) for _ in range(3)], axis=1)
    sizes = (strata + generator.random((pairs, 3))) / pairs - 0.5
    for z, y, x in sizes.tolist():
        yield (z, y, x)
        yield (-z, -y, -x)


def _repeated(
    jobs: Sequence[_Job],
    settings: RadiomicsSettings,
    tags: tuple[str, ...],
    workers: int,
    told: Callable[[int, int], None] | None,
) -> NDArray[np.float64]:
    """Values (repetition, tag); not finite where a repetition gave none."""
    table = np.full((len(jobs), len(tags)), np.nan)

    def measure(job: _Job) -> list[float]:
        try:
            found = values_of(prepared(job.volume, job.region, settings, job.variation).roi, settings)
        except BingchengError:
            return [math.nan] * len(tags)
        return [math.nan if isinstance(value := found[tag], Undefined) else value for tag in tags]

    with ThreadPoolExecutor(max(1, workers)) as pool:
        for row, values in enumerate(pool.map(measure, jobs)):
            table[row] = values
            if told is not None:
                told(row + 1, len(jobs))
    return table


def _components(
    result: RadiomicsResult, jobs: Sequence[_Job], table: NDArray[np.float64], *, noise_known: bool
) -> dict[str, Mapping[str, float | None]]:
    kinds = list(dict.fromkeys(job.kind for job in jobs))
    found: dict[str, dict[str, float | None]] = {tag: {} for tag in result.values}
    for kind in kinds:
        rows = table[[number for number, job in enumerate(jobs) if job.kind == kind]]
        own_mean = kind in ("rotation", "noise")
        for column, (tag, value) in enumerate(result.values.items()):
            base = None if own_mean or isinstance(value, Undefined) else value
            found[tag][kind] = _spread(rows[:, column], base)
    if not noise_known:
        for parts in found.values():
            parts["noise"] = None
    return {tag: MappingProxyType(parts) for tag, parts in found.items() if tag in result.numbers()}


def _spread(values: NDArray[np.float64], base: float | None) -> float | None:
    """Root mean square deviation from `base`, or the scatter about their mean without one; None where too few."""
    known = values[np.isfinite(values)]
    if known.size < max(2, LEAST_SHARE * values.size):
        return None
    if base is None:
        return float(known.std(ddof=1))
    return float(np.sqrt(np.mean(np.square(known - base))))


def _sum(parts: Mapping[str, float | None]) -> float | None:
    known = [part for part in parts.values() if part is not None]
    return math.hypot(*known) if len(known) == len(parts) else None
