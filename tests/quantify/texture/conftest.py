"""Small regions, and the matrices of the reference manual counted the slow way, voxel by voxel."""

from __future__ import annotations

import itertools
from types import SimpleNamespace

import numpy as np
import pytest
from scipy import ndimage

from bingcheng.quantify.radiomics.roi import Levels, Roi


def roi_of(index, *, count=None, morphological=None):
    """A region of grey levels (z, y, x), 0 outside of its intensity mask."""
    index = np.ascontiguousarray(index, dtype=np.int32)
    inside = index > 0
    return Roi(
        intensity=index.astype(np.float32),
        morphological=inside if morphological is None else morphological,
        intensity_mask=inside,
        spacing_mm=(1.0, 1.0, 1.0),
        surroundings=index.astype(np.float32),
        levels=Levels(index=index, count=int(index.max(initial=0)) if count is None else count, lowest=0.0, width=1.0),
    )


def random_levels(seed, shape=(4, 5, 6), levels=5, inside=0.7):
    generator = np.random.default_rng(seed)
    return generator.integers(1, levels + 1, shape) * (generator.random(shape) < inside)


def directions(in_volume):
    every = itertools.product((-1, 0, 1) if in_volume else (0,), (-1, 0, 1), (-1, 0, 1))
    return [step for step in every if step > (0, 0, 0)]


def level_at(index, place):
    """The level at a place, 0 beyond the box."""
    inside = all(0 <= p < n for p, n in zip(place, index.shape, strict=True))
    return int(index[tuple(place)]) if inside else 0


def pairs(index, steps, count, distance=1):
    matrix = np.zeros((count, count))
    for place in np.argwhere(index):
        for step in steps:
            other = level_at(index, place + distance * np.array(step))
            if other:
                matrix[index[tuple(place)] - 1, other - 1] += 1
                matrix[other - 1, index[tuple(place)] - 1] += 1
    return matrix


def runs(index, steps, count):
    matrix = np.zeros((count, max(index.shape)))
    for step in map(np.array, steps):
        for place in np.argwhere(index):
            level = index[tuple(place)]
            if level_at(index, place - step) == level:
                continue
            length = 1
            while level_at(index, place + length * step) == level:
                length += 1
            matrix[level - 1, length - 1] += 1
    return matrix


def zones(index, in_volume):
    """Level, size and voxels of every zone."""
    near = np.ones((3, 3, 3)) if in_volume else np.array([np.zeros((3, 3)), np.ones((3, 3)), np.zeros((3, 3))])
    found = []
    for level in np.unique(index[index > 0]):
        labels, number = ndimage.label(index == level, near)
        found += [(int(level), labels == label) for label in range(1, number + 1)]
    return found


def distances(mask, in_volume):
    if in_volume:
        return ndimage.distance_transform_cdt(np.pad(mask, 1), "taxicab")[1:-1, 1:-1, 1:-1]
    return np.stack([ndimage.distance_transform_cdt(np.pad(plane, 1), "taxicab")[1:-1, 1:-1] for plane in mask])


def crossed(entries, count):
    entries = list(entries)
    matrix = np.zeros((count, max(second for _, second in entries)))
    for level, second in entries:
        matrix[level - 1, second - 1] += 1
    return matrix


def size_zones(index, in_volume, count, mask=None):
    return crossed(((level, int(zone.sum())) for level, zone in zones(index, in_volume)), count)


def distance_zones(index, in_volume, count, mask):
    far = distances(mask, in_volume)
    return crossed(((level, int(far[zone].min())) for level, zone in zones(index, in_volume)), count)


def around(index, place, distance, in_volume):
    reach = range(-distance, distance + 1)
    steps = itertools.product(reach if in_volume else (0,), reach, reach)
    levels = [level_at(index, place + np.array(step)) for step in steps if any(step)]
    return [level for level in levels if level]


def dependence(index, in_volume, count, distance=1, coarseness=0):
    entries = []
    for place in np.argwhere(index):
        level = int(index[tuple(place)])
        alike = [other for other in around(index, place, distance, in_volume) if abs(other - level) <= coarseness]
        entries.append((level, 1 + len(alike)))
    return crossed(entries, count)


def tones(index, in_volume, count, distance=1):
    """n_i and s_i."""
    number, difference = np.zeros(count), np.zeros(count)
    for place in np.argwhere(index):
        level = int(index[tuple(place)])
        others = around(index, place, distance, in_volume)
        if others:
            number[level - 1] += 1
            difference[level - 1] += abs(level - np.mean(others))
    return number, difference


def log2(p):
    return np.log2(p, out=np.zeros_like(p), where=p > 0)


def cooccurrence_features(matrix):
    """The 25 features by the double sums of the manual; NaN where it divides nothing by nothing."""
    count = len(matrix)
    if not matrix.sum():
        return np.full(25, np.nan)
    p = matrix / matrix.sum()
    i, j = np.meshgrid(np.arange(1.0, count + 1), np.arange(1.0, count + 1), indexing="ij")
    apart = np.array([p[np.abs(i - j) == k].sum() for k in range(count)])
    k = np.arange(count)
    total = np.array([p[i + j == s].sum() for s in range(2, 2 * count + 1)])
    s = np.arange(2, 2 * count + 1)
    px = p.sum(axis=1)
    mean, upper = (i * p).sum(), i < j
    variance = ((i - mean) ** 2 * p).sum()
    entropy, marginal = -(p * log2(p)).sum(), -(px * log2(px)).sum()
    outer = np.outer(px, px)
    first, second = -(p * log2(outer)).sum(), -(outer * log2(outer)).sum()
    spread = np.count_nonzero(px) > 1
    return np.array(
        [
            p.max(),
            mean,
            variance,
            entropy,
            (k * apart).sum(),
            ((k - (k * apart).sum()) ** 2 * apart).sum(),
            -(apart * log2(apart)).sum(),
            (s * total).sum(),
            ((s - (s * total).sum()) ** 2 * total).sum(),
            -(total * log2(total)).sum(),
            (p**2).sum(),
            ((i - j) ** 2 * p).sum(),
            (np.abs(i - j) * p).sum(),
            (p / (1 + np.abs(i - j))).sum(),
            (p / (1 + np.abs(i - j) / count)).sum(),
            (p / (1 + (i - j) ** 2)).sum(),
            (p / (1 + (i - j) ** 2 / count**2)).sum(),
            2 * (p[upper] / (i - j)[upper] ** 2).sum(),
            ((i - mean) * (j - mean) * p).sum() / variance if spread else np.nan,
            (i * j * p).sum(),
            ((i + j - 2 * mean) ** 2 * p).sum(),
            ((i + j - 2 * mean) ** 3 * p).sum(),
            ((i + j - 2 * mean) ** 4 * p).sum(),
            (entropy - first) / marginal if spread else np.nan,
            np.sqrt(1 - np.exp(-2 * max(second - entropy, 0.0))),
        ]
    )


def emphasis_features(matrix, voxels):
    """The 16 features that four families share, and the energy of the fourth."""
    p, number = matrix / matrix.sum(), matrix.sum()
    i, j = np.meshgrid(*(np.arange(1.0, n + 1) for n in matrix.shape), indexing="ij")
    by_level, by_second = matrix.sum(axis=1), matrix.sum(axis=0)
    return np.array(
        [
            (p / j**2).sum(),
            (p * j**2).sum(),
            (p / i**2).sum(),
            (p * i**2).sum(),
            (p / i**2 / j**2).sum(),
            (p * i**2 / j**2).sum(),
            (p * j**2 / i**2).sum(),
            (p * i**2 * j**2).sum(),
            (by_level**2).sum() / number,
            (by_level**2).sum() / number**2,
            (by_second**2).sum() / number,
            (by_second**2).sum() / number**2,
            number / voxels,
            ((i - (i * p).sum()) ** 2 * p).sum(),
            ((j - (j * p).sum()) ** 2 * p).sum(),
            -(p * log2(p)).sum(),
            (p**2).sum(),
        ]
    )


def tone_features(number, difference):
    """The five features by the double sums of the manual, for regions that reach none of its limits."""
    some = number > 0
    i, n, s = np.arange(1.0, len(number) + 1)[some], number[some], difference[some]
    p, levels = n / n.sum(), some.sum()
    a, b = np.meshgrid(np.arange(levels), np.arange(levels), indexing="ij")
    apart = i[a] - i[b]
    return np.array(
        [
            1 / (p * s).sum(),
            (p[a] * p[b] * apart**2).sum() / (levels * (levels - 1)) * s.sum() / n.sum(),
            (p * s).sum() / np.abs(i[a] * p[a] - i[b] * p[b]).sum(),
            (np.abs(apart) * (p[a] * s[a] + p[b] * s[b]) / (p[a] + p[b])).sum() / n.sum(),
            ((p[a] + p[b]) * apart**2).sum() / s.sum(),
        ]
    )


def agree(features, aggregation, values, expect):
    """Values by tag equal a vector to the rounding of sums, and are undefined where it is NaN."""
    for feature, wanted in zip(features, expect, strict=False):
        value = values[f"{feature.tag}_{aggregation}"]
        if np.isnan(wanted):
            assert isinstance(value, Exception), feature.tag
        else:
            assert value == pytest.approx(wanted, rel=1e-9, abs=1e-7 if "info" in feature.tag else 1e-10), feature.tag


@pytest.fixture(scope="session")
def slow():
    """The functions of this module."""
    return SimpleNamespace(**{name: value for name, value in globals().items() if callable(value)})
