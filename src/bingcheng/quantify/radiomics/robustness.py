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
from bingcheng.image.geometry import Triple, VolumeGeometry
from bingcheng.image.region import Region
from bingcheng.image.volume import Volume
from bingcheng.quantify.filters.gaps import Box, recorded
from bingcheng.quantify.radiomics.chain import prepared
from bingcheng.quantify.radiomics.discretisation import NoDiscretisation
from bingcheng.quantify.radiomics.extraction import RadiomicsResult, features, values_of
from bingcheng.quantify.radiomics.interpolation import axes_of
from bingcheng.quantify.radiomics.placing import AS_SET, Part, Variation, placed
from bingcheng.quantify.radiomics.settings import RadiomicsSettings
from bingcheng.quantify.radiomics.turning import turned
from bingcheng.quantify.uncertainty.excerpt import Excerpt
from bingcheng.quantify.uncertainty.perturbation import Perturbations, outlines
from bingcheng.quantify.uncertainty.surroundings import Surroundings, explain

SEED = 20261124
SCHEME = "contour-rotation-noise-lattice-bins/2"
LEAST_SHARE = 0.75
NEAR_MM = 12.0
"""Kept around the lesion at least: blur and noise are told from what lies beside it."""


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
    near = _Near.of(volume, region, settings)
    surroundings = near.explained()
    jobs = list(_jobs(near, settings, surroundings, how, seed))
    base = None if near.whole else _unperturbed(near, settings)
    table = _repeated(jobs, near.part, settings, tuple(result.values), workers, told)
    components = _components(result, base or result.values, jobs, table, noise_known=surroundings is not None)
    parameters = {"scheme": SCHEME, "seed": seed, **asdict(how)}
    provenance = replace(result.provenance, parameters={**result.provenance.parameters, "uncertainty": parameters})
    return RobustResult(
        result=replace(result, provenance=provenance),
        standard_uncertainty=MappingProxyType({tag: _sum(kinds) for tag, kinds in components.items()}),
        components=MappingProxyType(components),
        repetitions=len(jobs),
    )


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class _Near:
    """The image around a lesion, in which it is measured again.

    Parameters
    ----------
    volume : finite everywhere.
    region : the lesion, on its grid.
    part : where it lies in the whole image, whose lattice interpolation keeps.
    whole : whether what the value rests on is all there, so that the unperturbed lesion has exactly its value.
    heart : the box of `volume` in which the image is explained and noise is drawn.
    """

    volume: Volume
    region: Region
    part: Part
    whole: bool
    heart: Box

    @staticmethod
    def of(volume: Volume, region: Region, settings: RadiomicsSettings) -> _Near:
        """As much of the image as the features of the lesion look at, and `NEAR_MM` around it."""
        lesion, recorded_in = region, recorded
        if settings.interpolation is not None and volume.geometry.sheared:
            # Loads what images of an upright gantry do not need.
            from bingcheng.quantify.radiomics.upright import upright_outline, upright_voxels  # noqa: PLC0415

            lesion, recorded_in = upright_outline(region), upright_voxels
        grid = lesion.grid
        heart = near = Excerpt.around(lesion, NEAR_MM)
        # A filter that looks at the whole image would have to be applied to all of it dozens of times.
        whole = settings.filter is None or settings.filter.reach_voxels(_spacing(grid, settings)) is not None
        if whole:
            near = near.reaching(placed(grid, lesion, settings).box(), grid)
        # A gap would spread: over its whole slice when the image is turned, over noise and blur where they are told.
        known_voxels, valid = recorded_in(volume, near.box)
        voxels = np.asarray(known_voxels, dtype=np.result_type(known_voxels.dtype, np.float32))
        start = (near.box[0].start, near.box[1].start, near.box[2].start)
        z, y, x = (slice(a.start - b, a.stop - b) for a, b in zip(heart.box, start, strict=True))
        return _Near(
            volume=replace(volume, voxels=voxels, geometry=near.grid, valid=valid),
            region=near.of_region(lesion),
            part=Part(start=start, whole=grid.shape),
            whole=whole,
            heart=(z, y, x),
        )

    def explained(self) -> Surroundings | None:
        """What the image around the lesion says of its blur and noise."""
        inner = Excerpt.of(self.heart, self.volume.geometry)
        return explain(inner.of_volume(self.volume), inner.of_region(self.region))

    def noisy(self, voxels: NDArray[Any]) -> Volume:
        """The image with other voxels in its heart."""
        found = np.array(self.volume.voxels)
        found[self.heart] = voxels
        return replace(self.volume, voxels=found)


def _spacing(grid: VolumeGeometry, settings: RadiomicsSettings) -> Triple:
    z, y, x = axes_of(grid.shape, grid.spacing_mm, settings.interpolation)
    return z.spacing_mm, y.spacing_mm, x.spacing_mm


def _jobs(
    near: _Near, settings: RadiomicsSettings, surroundings: Surroundings | None, how: Repetitions, seed: int
) -> Iterator[_Job]:
    image, drawn = near.volume, near.region
    moved = Perturbations(contours=how.contours + (how.lattices if settings.interpolation is None else 0))
    yield from (_Job(kind="contour", volume=image, region=other) for other in outlines(drawn, moved, seed=seed))
    for angle_deg in _signed(how.rotations, how.rotation_deg):
        yield _Job(kind="rotation", **turned(image, drawn, angle_deg))
    if surroundings is not None:
        for voxels in _noisy(surroundings, how.noises, seed):
            yield _Job(kind="noise", volume=near.noisy(voxels), region=drawn)
    if settings.interpolation is not None:
        for shift in _shifts(how.lattices, seed):
            yield _Job(kind="lattice", volume=image, region=drawn, variation=Variation(lattice_voxels=shift))
    if not isinstance(settings.discretisation, NoDiscretisation):
        for part in _signed(how.bins, 0.5):
            yield _Job(kind="bins", volume=image, region=drawn, variation=Variation(bins=part))


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


def _unperturbed(near: _Near, settings: RadiomicsSettings) -> Mapping[str, float | Undefined] | None:
    """The values as drawn, of the image around the lesion alone; None where that gives none."""
    try:
        return values_of(prepared(near.volume, near.region, settings, part=near.part).roi, settings)
    except BingchengError:
        return None


def _repeated(
    jobs: Sequence[_Job],
    part: Part,
    settings: RadiomicsSettings,
    tags: tuple[str, ...],
    workers: int,
    told: Callable[[int, int], None] | None,
) -> NDArray[np.float64]:
    """Values (repetition, tag); not finite where a repetition gave none."""
    table = np.full((len(jobs), len(tags)), np.nan)

    def measure(job: _Job) -> list[float]:
        try:
            found = values_of(prepared(job.volume, job.region, settings, job.variation, part).roi, settings)
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
    result: RadiomicsResult,
    base: Mapping[str, float | Undefined],
    jobs: Sequence[_Job],
    table: NDArray[np.float64],
    *,
    noise_known: bool,
) -> dict[str, Mapping[str, float | None]]:
    kinds = list(dict.fromkeys(job.kind for job in jobs))
    found: dict[str, dict[str, float | None]] = {tag: {} for tag in result.values}
    for kind in kinds:
        rows = table[[number for number, job in enumerate(jobs) if job.kind == kind]]
        own_mean = kind in ("rotation", "noise")
        for column, tag in enumerate(result.values):
            value = base[tag]
            found[tag][kind] = _spread(rows[:, column], None if own_mean or isinstance(value, Undefined) else value)
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
