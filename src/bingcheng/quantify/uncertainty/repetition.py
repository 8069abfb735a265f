"""The uncertainty of whatever is measured in a lesion, without knowing what is measured.

A lesion's measure is evaluated again on outlines that a reader might as well have drawn, and on images with another
draw of noise; how far its value moves is its standard uncertainty. What the image shows to be lost over the lesion's
border (partial volume) and the measure's own systematic budget are added in quadrature (JCGM 100:2008, 5.1.2):

u^2 = u(contour)^2 + u(noise)^2 + u(partial volume)^2 + u(method)^2 + sum of the budget's components^2

- contour: root mean square deviation of the repeated values from the value as drawn (not from their mean: a value that
  only ever moves one way is uncertain by that too). The same is done on images whose border is sharpened along each
  outline, as the true image has it along the true border: a blurred border makes a sum such as total lesion glycolysis
  look less dependent on the outline than the truth is. The core of a large lesion tells what it holds, whatever the
  outline; of a small one the image fixes only size times contrast, so that what it holds is fitted anew to each
  outline. Both are done, and the largest of the three deviations is taken.
- noise: standard deviation of the values on the image without its noise (`Surroundings.quiet`) to which noise was
  added, and how far their mean lies from the value on that image: the bias that noise causes, as in a maximum, where
  it is the expected highest of as many independent voxels as the lesion is worth (parametric bootstrap, Efron &
  Tibshirani, An introduction to the bootstrap, 1993, 6.5 and 10.2). A mean is shifted by nothing. Noise is not added to
  the image as it is: the higher its hottest voxel happens to lie, the less would more noise lift it.
- partial volume: the measure is evaluated once on the image with the border sharpened; the difference is the bias that
  blur may have caused. It is taken as the half-width of an arcsine distribution, |difference| / sqrt(2), because the
  truth lies rather near that limit than near the value. Values are not corrected: they stay what other programs report.
- method: what the measure itself states (`Estimate`).

Each part is kept in the provenance. Whoever compares two exams of equal protocol may leave out the parts that both
share (partial volume, budget).

A repetition without a value (the outline shrank to nothing; a sphere left the image) is left out; where that happens
to more than a quarter of them there is no uncertainty, for the rest would flatter it.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field, replace

import numpy as np

from bingcheng.core.case import Case
from bingcheng.core.measure import Measure
from bingcheng.core.measurement import Measurement
from bingcheng.image.region import Region
from bingcheng.quantify.uncertainty.bench import Bench, Values, Voxels, explained
from bingcheng.quantify.uncertainty.perturbation import Perturbations, outlines
from bingcheng.quantify.uncertainty.surroundings import Surroundings, sharpened_for

SEED = 20261124
SCHEME = "outline-noise-border/3"
LEAST_SHARE = 0.75


def measured(
    case: Case,
    measures: Iterable[Measure],
    *,
    perturbations: Perturbations | None = None,
    seed: int = SEED,
) -> tuple[Measurement, ...]:
    """The values of those `measures` that apply to `case`, each with its standard uncertainty.

    Measures of the whole series are given with their own uncertainty and budget; measures of a lesion with everything
    that this module's docstring lists. The result depends on `seed` and the inputs only, not on the number of threads.

    Parameters
    ----------
    case : of a lesion (`Case.with_lesion`) or of a series.
    measures : any; those for another modality or with inputs that the case lacks are left out.
    perturbations : how far outlines may be off and how often to repeat.
    seed : of the outlines and the noise; stored with every value.
    """
    how = perturbations or Perturbations()
    chosen = [entry for entry in measures if case.applies(entry)]
    drawn = {entry.key: tuple(case.measured(entry)) for entry in chosen}
    valued = [
        entry
        for entry in chosen
        if case.methods.per_lesion(entry) and any(single.value is not None for single in drawn[entry.key])
    ]
    found = {single.key: single.value for entry in valued for single in drawn[entry.key]}
    spread = _spread(case, valued, found, how, seed) if valued else _Spread({})
    perturbed = {entry.key for entry in valued}
    return tuple(
        _with_uncertainty(entry, single, spread if entry.key in perturbed else None, how, seed)
        for entry in chosen
        for single in drawn[entry.key]
    )


@dataclass(frozen=True, slots=True, eq=False)
class _Spread:
    """How the values moved, by key: of each kind of repetition the deviations, None for one without a value."""

    drawn: Values
    contour: dict[str, list[float | None]] = field(default_factory=dict)
    noise: dict[str, list[float | None]] = field(default_factory=dict)
    border: dict[str, list[float | None]] = field(default_factory=dict)
    sharp_contour: dict[str, list[float | None]] = field(default_factory=dict)
    refitted_contour: dict[str, list[float | None]] = field(default_factory=dict)

    def add(self, kind: dict[str, list[float | None]], repeated: Values, *, base: Values | None = None) -> None:
        """Note how far one repetition's values lie from those as drawn, or from another `base`."""
        start = self.drawn if base is None else base
        for key, value in repeated.items():
            if self.drawn.get(key) is not None:
                from_here = start.get(key)
                kind.setdefault(key, []).append(None if value is None or from_here is None else value - from_here)

    def components(self, key: str) -> dict[str, float | None]:
        """Standard uncertainties by name; None for one that can't be told."""
        found: dict[str, float | None] = {"contour": _root_mean_square(self.contour.get(key, []))}
        if key in self.noise:
            found["noise"] = _scatter_and_bias(self.noise[key])
        if key in self.border:
            bias = self.border[key][0]
            found["partial volume"] = None if bias is None else abs(bias) / math.sqrt(2.0)
            for kind in (self.sharp_contour, self.refitted_contour):
                along = _relative(kind.get(key, []), bias)
                found["contour"] = _larger(found["contour"], _root_mean_square(along))
        return found

    def repetitions(self, key: str) -> dict[str, int]:
        """How many repetitions were made and how many of them gave no value."""
        every = [*self.contour.get(key, []), *self.noise.get(key, [])]
        return {"repetitions": len(every), "without_value": sum(one is None for one in every)}


def _relative(deviations: list[float | None], base: float | None) -> list[float | None]:
    return [None if one is None or base is None else one - base for one in deviations]


def _larger(one: float | None, other: float | None) -> float | None:
    return None if one is None or other is None else max(one, other)


def _enough(deviations: list[float | None]) -> list[float]:
    known = [one for one in deviations if one is not None]
    return known if len(known) >= LEAST_SHARE * len(deviations) else []


def _root_mean_square(deviations: list[float | None]) -> float | None:
    known = _enough(deviations)
    return math.sqrt(math.fsum(one * one for one in known) / len(known)) if known else None


def _scatter_and_bias(deviations: list[float | None]) -> float | None:
    known = _enough(deviations)
    if not known:
        return None
    shift = math.fsum(known) / len(known)
    scatter = math.sqrt(math.fsum((one - shift) ** 2 for one in known) / len(known))
    return math.hypot(scatter, shift)


def _with_uncertainty(
    entry: Measure, single: Measurement, spread: _Spread | None, how: Perturbations, seed: int
) -> Measurement:
    if single.value is None:
        return single
    parts: dict[str, float | None] = {} if spread is None else spread.components(single.key)
    if single.standard_uncertainty is not None:
        parts["method"] = single.standard_uncertainty
    for component in entry.budget:
        size = math.hypot(component.relative * single.value, component.absolute)
        parts[component.name] = math.hypot(parts.get(component.name) or 0.0, size)
    known = [part for part in parts.values() if part is not None]
    # One part that can't be told leaves the whole untold: a sum without it would be too small.
    complete = bool(parts) and len(known) == len(parts)
    record: dict[str, object] = {"components": parts}
    if spread is not None:
        record |= {"scheme": SCHEME, "seed": seed, **asdict(how), **spread.repetitions(single.key)}
    return replace(
        single,
        standard_uncertainty=math.hypot(*known) if complete else None,
        provenance=replace(single.provenance, parameters={**single.provenance.parameters, "uncertainty": record}),
    )


def _spread(case: Case, measures: list[Measure], drawn: Values, how: Perturbations, seed: int) -> _Spread:
    spread = _Spread(drawn)
    bench = Bench.of(case, measures, drawn)
    imaging = bench.imaging()
    known = explained(bench) if imaging else {}
    # What reads an image that could not be explained has no noise and no border to tell: None, not nothing.
    told = {key: imaging[e.key] <= known.keys() for e in measures if e.key in imaging for key in e.keys}
    for count, outline in enumerate(outlines(bench.lesion, how, seed=seed)):
        spread.add(spread.contour, bench.repeated(outline=outline))
        # Every other pair is enough for the second look, and the largest offset is among them.
        if imaging and (count % 4 >= 2 or how.contours == 2):
            sharp = _sharpened(bench, known, outline)
            for kind, voxels in zip((spread.sharp_contour, spread.refitted_contour), sharp, strict=True):
                spread.add(kind, _of_told(bench.repeated(outline=outline, voxels=voxels), told))
    if not imaging:
        return spread
    spread.add(
        spread.border,
        _of_told(
            bench.repeated(voxels={name: tuple(one.sharpened for one in every) for name, every in known.items()}), told
        ),
    )
    quiet = {name: tuple(one.quiet for one in every) for name, every in known.items()}
    silent = _of_told(bench.repeated(voxels=quiet), told)
    generator = np.random.default_rng(seed)
    for _ in range(how.noises // 2):
        draws = {name: tuple(one.noise_like_it(generator) for one in every) for name, every in known.items()}
        for way in (1.0, -1.0):
            noisy = bench.repeated(voxels=_noisy(quiet, draws, way))
            spread.add(spread.noise, _of_told(noisy, told), base=silent)
    return spread


def _of_told(repeated: Values, told: Mapping[str, bool]) -> Values:
    return {key: value if told[key] else None for key, value in repeated.items() if key in told}


def _sharpened(bench: Bench, known: Mapping[str, tuple[Surroundings, ...]], outline: Region) -> tuple[Voxels, Voxels]:
    """The images sharpened along `outline`, with what the lesion holds as drawn, and fitted again."""
    both = {
        name: [sharpened_for(image, outline, one) for image, one in zip(bench.images[name], every, strict=True)]
        for name, every in known.items()
    }
    as_drawn = {name: tuple(one for one, _ in pairs) for name, pairs in both.items()}
    return as_drawn, {name: tuple(one for _, one in pairs) for name, pairs in both.items()}


def _noisy(quiet: Voxels, draws: Voxels, way: float) -> Voxels:
    return {
        name: tuple(image + np.float32(way) * draw for image, draw in zip(quiet[name], noise, strict=True))
        for name, noise in draws.items()
    }
