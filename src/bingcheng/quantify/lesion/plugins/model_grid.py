"""The grid that a network was trained on, laid around a prompt: image and prompts there, and probabilities back."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from bingcheng.core.errors import Owner, Problem, Undefined
from bingcheng.image.geometry import Triple, VolumeGeometry
from bingcheng.image.resample import averaged, placed
from bingcheng.image.volume import Volume
from bingcheng.quantify.lesion.neighbourhood import Mask, Neighbourhood, component_of, largest_component
from bingcheng.quantify.lesion.plugins.manifest import Channel, Intensity, Manifest
from bingcheng.quantify.lesion.prompt import (
    Box,
    Click,
    Prompt,
    PromptKind,
    RecistLine,
    body_of,
    nearest_voxel,
    voxels_of,
)

Floats = NDArray[np.float32]

NOTHING_AT_CLICK = Problem(
    code="quantify.plugin-found-nothing",
    says="the plug-in '{name}' found no lesion at the place that was marked",
    remedy="Mark another place in the lesion, or use another method.",
    owner=Owner.RADIOLOGIST,
)

TOO_LARGE = Problem(
    code="quantify.plugin-image-too-large",
    says="around this place the plug-in '{name}' would need more voxels than a machine holds",
    remedy="Mark the lesion by a click or a smaller box, or correct the spacing in the plug-in's manifest.",
    owner=Owner.OPERATOR,
)

LETTERS: dict[str, Triple] = {
    "L": (1.0, 0.0, 0.0),
    "R": (-1.0, 0.0, 0.0),
    "P": (0.0, 1.0, 0.0),
    "A": (0.0, -1.0, 0.0),
    "S": (0.0, 0.0, 1.0),
    "I": (0.0, 0.0, -1.0),
}
CLICK_SD_VOXELS = 2.0
"""A click is shown to an interactive network as a Gaussian of this width and height 1."""
SNAP_MM = 5.0
MOST_VOXELS = 1 << 27
"""Half a gibibyte a channel."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class ModelGrid:
    """A box of the model's voxels around a prompt.

    Parameters
    ----------
    hood : the image's own voxels there.
    grid : the model's, its axes as the manifest orients them.
    """

    hood: Neighbourhood
    grid: VolumeGeometry

    @staticmethod
    def around(volume: Volume, prompt: Prompt, manifest: Manifest) -> ModelGrid:
        """The grid that reaches half a patch beyond the prompt on all sides, as far as the image goes."""
        half = [n * s / 2.0 for n, s in zip(manifest.patch, manifest.spacing_mm, strict=True)]
        index = volume.geometry.to_index(np.asarray(prompt.points_mm))
        size = np.asarray(volume.geometry.shape)
        low = np.clip(np.floor(index.min(axis=0)), 0, size - 1).astype(int)
        high = np.clip(np.ceil(index.max(axis=0)), 0, size - 1).astype(int)
        box = (slice(low[0], high[0] + 1), slice(low[1], high[1] + 1), slice(low[2], high[2] + 1))
        hood = Neighbourhood.beyond(volume, box, max(half))
        return ModelGrid(hood=hood, grid=_covering(hood, manifest))

    def image(self, intensity: Intensity) -> Floats:
        """The image on the model's grid, prepared as the manifest says, (a, b, c)."""
        geometry = self.hood.volume.geometry.box(self.hood.start, self.hood.shape)
        part = Volume(voxels=self.hood.values, geometry=geometry, unit=self.hood.volume.unit)
        step = min(self.grid.spacing_mm)
        if step >= 2.0 * min(geometry.spacing_mm):
            part = averaged(part, step, window=(-math.inf, math.inf))
        values, seen = placed(part, self.grid, np.eye(3), np.zeros(3))
        return _prepared(values, seen, intensity)

    def channel(self, kind: Channel, prompt: Prompt) -> Floats:
        """What shows a prompt to an interactive network, (a, b, c): zeros where another kind of prompt was given."""
        shown: Floats = np.zeros(self.grid.shape, dtype=np.float32)
        if kind != prompt.kind.value:
            return shown
        if isinstance(prompt, Click):
            at = self.grid.to_index(prompt.position_mm)
            lines = [
                np.exp(-0.5 * ((np.arange(n) - a) / CLICK_SD_VOXELS) ** 2)
                for n, a in zip(self.grid.shape, at, strict=True)
            ]
            shown += lines[0][:, None, None] * lines[1][None, :, None] * lines[2]
            return shown
        if isinstance(prompt, Box):
            shown[voxels_of(prompt, self.grid)] = 1.0
            return shown
        radius = body_of(prompt, self.grid).radius((0, 0, 0), self.grid.shape, self.grid)
        shown[radius <= 1.0] = 1.0
        return shown

    def probability(self, on_grid: Floats) -> Floats:
        """Probabilities on the model's grid (a, b, c), carried to the image's voxels in the neighbourhood (z, y, x)."""
        known = Volume(voxels=on_grid, geometry=self.grid, unit="1")
        geometry = self.hood.volume.geometry.box(self.hood.start, self.hood.shape)
        values, seen = placed(known, geometry, np.eye(3), np.zeros(3))
        values[~seen] = 0.0
        return values


def part_for(mask: Mask, hood: Neighbourhood, prompt: Prompt, name: str) -> Mask:
    """The part of what a network found that a prompt means.

    Of a click, the part that holds it or comes within 5 mm; of a box or line, the largest part that lies within.

    Raises
    ------
    Undefined
        ``quantify.plugin-found-nothing``.
    """
    geometry = hood.volume.geometry
    if prompt.kind is PromptKind.CLICK:
        clicked = hood.local(nearest_voxel(prompt.points_mm[0], geometry))
        seed = clicked if mask[clicked] else None
        if seed is None:
            near = np.argwhere(mask & hood.within(clicked, SNAP_MM))
            if len(near) == 0:
                raise Undefined(NOTHING_AT_CLICK, name=name)
            away = ((near - np.asarray(clicked)) * np.asarray(hood.spacing_mm)) ** 2
            first = near[int(np.argmin(away.sum(axis=1)))]
            seed = int(first[0]), int(first[1]), int(first[2])
        return component_of(mask, seed)
    within = mask & _allowed(hood, prompt)
    if not within.any():
        raise Undefined(NOTHING_AT_CLICK, name=name)
    return largest_component(within)


def _allowed(hood: Neighbourhood, prompt: Prompt) -> Mask:
    allowed: Mask = np.zeros(hood.shape, dtype=bool)
    if isinstance(prompt, Box):
        chosen = voxels_of(prompt, hood.volume.geometry)
        allowed[tuple(slice(s.start - at, s.stop - at) for s, at in zip(chosen, hood.start, strict=True))] = True
    elif isinstance(prompt, RecistLine):
        allowed = hood.radius(body_of(prompt, hood.volume.geometry)) <= 1.3
    return allowed


def _covering(hood: Neighbourhood, manifest: Manifest) -> VolumeGeometry:
    """The model's grid that just covers the neighbourhood; its axes are the patient's."""
    axes = np.asarray([LETTERS[letter] for letter in manifest.orientation])
    corners = np.array(list(np.ndindex(2, 2, 2)), dtype=float) * np.asarray(hood.shape) - 0.5 + np.asarray(hood.start)
    along = hood.volume.geometry.to_mm(corners) @ axes.T
    low, high = along.min(axis=0), along.max(axis=0)
    spacing = np.asarray(manifest.spacing_mm)
    counts = np.maximum(1, np.ceil((high - low) / spacing - 1e-3))
    if not np.prod(counts) <= MOST_VOXELS:
        raise Undefined(TOO_LARGE, name=manifest.name)
    counts = counts.astype(int)
    origin = ((low + high) / 2.0 - (counts - 1) * spacing / 2.0) @ axes
    a, b, c = ((float(v[0]), float(v[1]), float(v[2])) for v in axes)
    return VolumeGeometry(
        shape=(int(counts[0]), int(counts[1]), int(counts[2])),
        spacing_mm=manifest.spacing_mm,
        origin_mm=(float(origin[0]), float(origin[1]), float(origin[2])),
        axes=(a, b, c),
        frame_of_reference_uid=hood.volume.geometry.frame_of_reference_uid,
    )


def _prepared(values: Floats, seen: Mask, intensity: Intensity) -> Floats:
    if intensity.clip is not None:
        values = np.clip(values, *intensity.clip)
    shown = values[seen] if seen.any() else values.ravel()
    if intensity.mean is not None and intensity.std is not None:
        shift, scale = intensity.mean, intensity.std
    elif intensity.percentile is not None:
        low, high = (float(p) for p in np.percentile(shown, intensity.percentile))
        values = np.clip(values, low, high)
        shift, scale = low, high - low
    else:
        shift, scale = float(shown.mean(dtype=np.float64)), float(shown.std(dtype=np.float64))
    # An image of one value holds nothing: it stays at zero.
    prepared: Floats = ((values - np.float32(shift)) / np.float32(scale or 1.0)).astype(np.float32)
    return prepared
