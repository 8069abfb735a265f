"""A neighbourhood in larger blocks, so that methods that look at all voxels many times take a second and no more."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from scipy import ndimage

from bingcheng.core.errors import Owner, Problem, Undefined
from bingcheng.image.geometry import Triple
from bingcheng.image.region import Region
from bingcheng.image.volume import Volume
from bingcheng.quantify.lesion.neighbourhood import Floats, Mask, Neighbourhood, component_of, largest_component
from bingcheng.quantify.lesion.prompt import Body, Box, Index, RecistLine, body_of

NO_CONTRAST = Problem(
    code="quantify.segmentation-without-contrast",
    says="the image has one and the same value all around the lesion, so that no border can be found",
    remedy="Use the ball from the line, and edit it.",
    owner=Owner.RADIOLOGIST,
)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Coarse:
    """A neighbourhood and its block means, with the body that is expected in it.

    Parameters
    ----------
    hood : the voxels themselves.
    body : from the prompt.
    block : voxels a block, along (z, y, x).
    values : (z, y, x), the mean of each block.
    radius : (z, y, x), how far out each block lies (see `Body.radius`).
    """

    hood: Neighbourhood
    body: Body
    block: Index
    values: Floats
    radius: Floats

    @staticmethod
    def of(volume: Volume, prompt: Box | RecistLine, *, times: float, most: int) -> Coarse:
        """The neighbourhood of what a prompt stands for, made `times` as large, in at most `most` blocks.

        Raises
        ------
        Undefined
            ``quantify.segmentation-without-contrast``.
        """
        body = body_of(prompt, volume.geometry)
        hood = Neighbourhood.about(volume, body, times=times, margin_mm=max(volume.geometry.spacing_mm))
        block = _block(hood, most)
        values = _means(hood.values, block)
        z, y, x = values.shape
        if not np.ptp(hood.values) > 0.0 and hood.values.size > 1:
            raise Undefined(NO_CONTRAST)
        radius = body.radius(hood.start, (z, y, x), volume.geometry, block)
        return Coarse(hood=hood, body=body, block=block, values=values, radius=radius)

    @property
    def spacing_mm(self) -> Triple:
        """Between the middles of blocks, along (z, y, x)."""
        z, y, x = (b * s for b, s in zip(self.block, self.hood.spacing_mm, strict=True))
        return z, y, x

    def region(self, score: Floats) -> Region:
        """The region of the voxels where a score of the blocks, interpolated linearly, is at least one half.

        The part around the expected centre is kept, or the largest if the centre does not belong, without holes.
        """
        size = self.hood.shape
        fine = ndimage.affine_transform(
            score,
            [1.0 / b for b in self.block],
            [-(b - 1) / (2.0 * b) for b in self.block],
            output_shape=size,
            order=1,
            mode="nearest",
        )
        mask: Mask = (fine >= 0.5) & self.hood.seen
        centre = self.hood.local(self.body.voxel(self.hood.volume.geometry))
        part = component_of(mask, centre)
        part = part if part.any() else largest_component(mask)
        return self.hood.region(ndimage.binary_fill_holes(part) & self.hood.seen)


def _block(hood: Neighbourhood, most: int) -> Index:
    """Nearly cubic blocks: the smallest edge in mm for which the neighbourhood has not more than `most`."""
    counts, spacing = np.asarray(hood.shape), np.asarray(hood.spacing_mm)
    edge_mm = float(spacing.min())
    while True:
        block = np.maximum(1, np.floor(edge_mm / spacing + 1e-6)).astype(int)
        if math.prod(np.ceil(counts / block).astype(int).tolist()) <= most:
            return int(block[0]), int(block[1]), int(block[2])
        edge_mm *= 1.1


def _means(values: Floats, block: Index) -> Floats:
    """Block means; what is missing at the far end is continued."""
    if block == (1, 1, 1):
        return values
    padded = np.pad(values, [(0, -n % b) for n, b in zip(values.shape, block, strict=True)], mode="edge")
    z, y, x = (n // b for n, b in zip(padded.shape, block, strict=True))
    means: Floats = padded.reshape(z, block[0], y, block[1], x, block[2]).mean(axis=(1, 3, 5), dtype=np.float32)
    return means
