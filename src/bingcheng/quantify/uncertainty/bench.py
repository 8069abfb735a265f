"""A small bench on which one lesion is measured again and again: the lesion, and the images around it, cut out.

What a measure reads is followed back through the derived inputs to those that do not depend on the lesion (`volume`,
`suv`, `adc`, `acquisition`). Images among them are cut to the lesion's neighbourhood, so that a repetition costs as
much as the lesion is large. A measure that reads farther than that shows it by another value on the bench, and is
repeated on the whole images instead.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace

import numpy as np

from bingcheng.core.case import Case, Methods
from bingcheng.core.measure import Measure
from bingcheng.image.geometry import VolumeGeometry
from bingcheng.image.region import Region
from bingcheng.image.volume import Stack, Volume
from bingcheng.quantify.uncertainty.excerpt import Excerpt
from bingcheng.quantify.uncertainty.surroundings import Floats, Surroundings, explain

NEAR_MM = 7.0
"""Margin that is kept around the lesion: the 1 ml sphere of SUVpeak reaches 6.2 mm."""

Values = Mapping[str, float | None]
Voxels = Mapping[str, tuple[Floats, ...]]
"""By name of the input: the voxels of its volume, or of each volume of its stack."""


def values(case: Case, measures: Iterable[Measure]) -> dict[str, float | None]:
    """The value of each key of `measures` in `case`, None where there is none."""
    return {single.key: single.value for entry in measures for single in case.measured(entry)}


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Bench:
    """The lesion's neighbourhood, and the measures that are repeated in it.

    Parameters
    ----------
    case : of the lesion in the whole images.
    whole : the lesion as drawn, on their grid.
    lesion : the same on the cut grid.
    inputs : by name, what the measures read that does not depend on the lesion.
    cut : the same with images cut; None for what can't be cut.
    near : the measures that give the same value here as on the whole images.
    far : those that do not; they are repeated on the whole images.
    """

    case: Case
    whole: Region
    lesion: Region
    inputs: Mapping[str, object]
    cut: Mapping[str, object]
    near: tuple[Measure, ...] = ()
    far: tuple[Measure, ...] = ()

    @staticmethod
    def of(case: Case, measures: Iterable[Measure], drawn: Values) -> Bench:
        """The bench for `measures` in a lesion's case, where they have the values `drawn`."""
        every = tuple(measures)
        whole = case["lesion"]
        assert isinstance(whole, Region)
        near_by = Excerpt.around(whole, NEAR_MM)
        reads = {entry.key: _sources(case.methods, entry.inputs) for entry in every}
        inputs = {name: case[name] for name in sorted(frozenset().union(*reads.values()))}
        cut = {name: _cut(value, whole.grid, near_by) for name, value in inputs.items()}
        lesion = near_by.of_region(whole)
        possible = tuple(e for e in every if all(cut[name] is not None for name in reads[e.key]))
        bench = Bench(case=case, whole=whole, lesion=lesion, inputs=inputs, cut=cut, near=possible)
        again = bench.repeated()
        near = tuple(e for e in possible if all(_same(again.get(key), drawn.get(key)) for key in e.keys))
        return replace(bench, near=near, far=tuple(entry for entry in every if entry not in near))

    @property
    def images(self) -> dict[str, tuple[Volume, ...]]:
        """The images around the lesion, by the name of the input: one volume, or those of a stack."""
        return {
            name: value.volumes if isinstance(value, Stack) else (value,)
            for name, value in self.cut.items()
            if isinstance(value, Stack | Volume)
        }

    def imaging(self) -> dict[str, frozenset[str]]:
        """By the measure's key, the images that it reads; measures without are left out."""
        pictures = {name for name, value in self.inputs.items() if isinstance(value, Stack | Volume)}
        reads = {e.key: _sources(self.case.methods, e.inputs) & pictures for e in (*self.near, *self.far)}
        return {key: names for key, names in reads.items() if names}

    def repeated(self, *, outline: Region | None = None, voxels: Voxels | None = None) -> dict[str, float | None]:
        """The values with another outline (on the cut grid), or, of those that see it, with other voxels around it."""
        drawn, changed = outline or self.lesion, voxels or {}
        chosen = None if voxels is None else self.imaging()
        near_by, far_off = ([e for e in every if chosen is None or e.key in chosen] for every in (self.near, self.far))
        near = {name: _replaced(value, changed.get(name)) for name, value in self.cut.items()}
        found = values(self._case({**near, "lesion": drawn}), near_by)
        if far_off:
            z, y, x = (a + b for a, b in zip(drawn.start, self._corner, strict=True))
            far = {name: _replaced(value, self._pasted(name, changed.get(name))) for name, value in self.inputs.items()}
            found |= values(
                self._case({**far, "lesion": replace(drawn, start=(z, y, x), grid=self.whole.grid)}), far_off
            )
        return found

    @property
    def _corner(self) -> tuple[int, int, int]:
        z, y, x = (a - b for a, b in zip(self.whole.start, self.lesion.start, strict=True))
        return z, y, x

    def _pasted(self, name: str, arrays: tuple[Floats, ...] | None) -> tuple[Floats, ...] | None:
        """Copies of the whole images of that name, with `arrays` in the place that was cut out."""
        if arrays is None:
            return None
        whole = self.inputs[name]
        volumes = whole.volumes if isinstance(whole, Stack) else (whole,)
        place = tuple(slice(a, a + n) for a, n in zip(self._corner, arrays[0].shape, strict=True))
        pasted = []
        for volume, array in zip(volumes, arrays, strict=True):
            assert isinstance(volume, Volume)
            voxels = np.array(volume.voxels)
            voxels[place] = array
            pasted.append(voxels)
        return tuple(pasted)

    def _case(self, givens: Mapping[str, object]) -> Case:
        return Case(self.case.methods, givens, modality=self.case.modality, inputs=self.case.inputs)


def explained(bench: Bench) -> dict[str, tuple[Surroundings, ...]]:
    """Of each image on the bench how it is blurred and how noisy it is; those without an explanation are left out."""
    found = {name: tuple(explain(one, bench.lesion) for one in every) for name, every in bench.images.items()}
    known = {name: tuple(one for one in every if one is not None) for name, every in found.items()}
    return {name: every for name, every in known.items() if len(every) == len(found[name])}


def _sources(methods: Methods, names: Iterable[str]) -> frozenset[str]:
    """The inputs behind `names` that do not depend on the lesion, the last ones before it comes in."""
    found: set[str] = set()
    for name in names:
        if "lesion" not in methods.given_by(name):
            found.add(name)
        elif name != "lesion":
            found |= _sources(methods, methods.derived[name].inputs)
    return frozenset(found)


def _cut(value: object, grid: VolumeGeometry, near_by: Excerpt) -> object:
    """The input near by; None for what lies on a grid in a way that is not known here."""
    if isinstance(value, Volume):
        return near_by.of_volume(value) if value.geometry.shape == grid.shape else None
    if isinstance(value, Stack):
        cut = [_cut(volume, grid, near_by) for volume in value.volumes]
        inside = tuple(one for one in cut if isinstance(one, Volume))
        return replace(value, volumes=inside) if len(inside) == len(cut) else None
    if isinstance(value, Region | Mapping | list | tuple | np.ndarray):
        return None
    return value


def _replaced(value: object, voxels: tuple[Floats, ...] | None) -> object:
    if voxels is None:
        return value
    if isinstance(value, Stack):
        return replace(value, volumes=tuple(replace(v, voxels=a) for v, a in zip(value.volumes, voxels, strict=True)))
    assert isinstance(value, Volume)
    return replace(value, voxels=voxels[0])


def _same(one: float | None, other: float | None) -> bool:
    if one is None or other is None:
        return one is other
    return math.isclose(one, other, rel_tol=1e-6, abs_tol=1e-9)
