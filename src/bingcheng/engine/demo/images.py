"""From anatomy to images: what an ideal scanner of given blur would show, without noise and calibration error."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from bingcheng.engine.demo.anatomy import Build, Piece, cavity, layers, pieces, table
from bingcheng.engine.demo.tissue import TISSUES, Tissue
from bingcheng.image.geometry import Triple, VolumeGeometry
from bingcheng.image.phantoms.render import Brush, paint
from bingcheng.image.phantoms.shapes import Ellipsoid
from bingcheng.image.phantoms.trunk import paint_trunk
from bingcheng.image.volume import Stack, Volume

AIR_HU = -1000.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Growth:
    """A lesion at one time: its shape and what it is made of."""

    shape: Ellipsoid
    tissue: Tissue


@dataclass(frozen=True, slots=True, kw_only=True)
class Scene:
    """A patient at one time: build and lesions."""

    build: Build
    lesions: tuple[Growth, ...]


def ct_scene(scene: Scene, geometry: VolumeGeometry, blur_mm: Triple) -> tuple[Volume, NDArray[np.bool_]]:
    """The CT in HU without noise, and the voxels (z, y, x) of which at least half is inside the skin."""
    voxels = np.full(geometry.shape, AIR_HU, dtype=np.float32)
    for layer in table(scene.build):
        paint_trunk(voxels, geometry, layer.trunk, _hu(TISSUES[layer.tissue]), blur_mm[1])
    patient = _paint_scene(voxels, scene, geometry, blur_mm, _hu)
    return Volume(voxels=voxels, geometry=geometry, unit="[hnsf'U]"), patient


def suv_scene(scene: Scene, geometry: VolumeGeometry, blur_mm: Triple) -> Volume:
    """The FDG uptake as SUV, in g/ml, without noise."""
    voxels = np.zeros(geometry.shape, dtype=np.float32)
    _paint_scene(voxels, scene, geometry, blur_mm, _suv)
    return Volume(voxels=voxels, geometry=geometry, unit="g/ml")


def diffusion_scene(
    scene: Scene, geometry: VolumeGeometry, blur_mm: Triple, b_values: Sequence[float], gain: float
) -> Stack:
    """The diffusion-weighted signals without noise; `gain` multiplies the tissues' signals."""
    voxels = np.zeros((len(b_values), *geometry.shape), dtype=np.float32)

    def signals(tissue: Tissue) -> NDArray[np.float64]:
        return np.asarray([tissue.at_b(b_value) * gain for b_value in b_values])

    _paint_scene(voxels, scene, geometry, blur_mm, signals)
    volumes = tuple(Volume(voxels=channel, geometry=geometry, unit="{arbitrary}") for channel in voxels)
    return Stack(volumes=volumes, axis="b_value", values=tuple(b_values), unit="s/mm2")


Shown = Callable[[Tissue], float | NDArray[np.float64]]
"""What a modality shows of a tissue: one value, or one for each channel."""


def _hu(tissue: Tissue) -> float:
    return tissue.hu


def _suv(tissue: Tissue) -> float:
    return tissue.suv


def _paint_scene(
    voxels: NDArray[np.float32], scene: Scene, geometry: VolumeGeometry, blur_mm: Triple, shown: Shown
) -> NDArray[np.bool_]:
    """Paint the patient into voxels; returns those of which at least half is inside the skin."""
    inside = np.zeros(geometry.shape, dtype=np.float32)
    skin, *under = layers(scene.build)
    paint_trunk(voxels, geometry, skin.trunk, shown(TISSUES[skin.tissue]), blur_mm[1], inside)
    patient = inside >= 0.5
    for layer in under:
        softness = math.hypot(blur_mm[1], layer.softness_mm)
        paint_trunk(voxels, geometry, layer.trunk, shown(TISSUES[layer.tissue]), softness)
    inside.fill(0.0)
    paint_trunk(voxels, geometry, cavity(scene.build), shown(TISSUES["visceral fat"]), blur_mm[1], inside)
    _paint_pieces(voxels, geometry, pieces(scene.build), blur_mm, inside, shown)
    for lesion in scene.lesions:
        paint(voxels, geometry, lesion.shape, shown(lesion.tissue), blur_mm)
    return patient


def _paint_pieces(
    voxels: NDArray[np.float32],
    geometry: VolumeGeometry,
    everything: Iterable[Piece],
    blur_mm: Triple,
    inside: NDArray[np.float32] | None,
    shown: Shown,
) -> None:
    lowest = geometry.origin_mm[2]
    highest = lowest + geometry.extent_mm[0]
    brush = Brush(geometry, blur_mm, coarse=True)
    for piece in everything:
        reach = max(piece.shape.semi_axes_mm) + 6.0 * blur_mm[0]
        if not lowest - reach < piece.shape.centre_mm[2] < highest + reach:
            continue
        value = shown(TISSUES[piece.tissue])
        brush.paint(voxels, piece.shape, value, inside if piece.bounded else None)


def water_equivalent_diameters_cm(volume: Volume, patient: NDArray[np.bool_]) -> NDArray[np.float64]:
    """Per slice, 2 sqrt((mean HU / 1000 + 1) A / pi) over the patient (AAPM report 220), without noise."""
    _, dy, dx = volume.geometry.spacing_mm
    water_mm2 = np.empty(volume.geometry.shape[0])
    for index in range(water_mm2.size):
        water_mm2[index] = float((volume.voxels[index][patient[index]] / 1000.0 + 1.0).sum(dtype=np.float64)) * dy * dx
    diameters: NDArray[np.float64] = 2.0 * np.sqrt(water_mm2 / math.pi) / 10.0
    return diameters
