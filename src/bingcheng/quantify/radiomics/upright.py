"""The image of a tilted gantry as radiomics sees it: its slices moved over each other, of a lesion's box alone."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from bingcheng.image.gantry_tilt import box_needed, upright_grid, upright_region, upright_slices
from bingcheng.image.region import Region
from bingcheng.image.volume import Volume
from bingcheng.quantify.filters.gaps import Box, recorded


def upright_outline(region: Region) -> Region:
    """The region on the upright grid of its sheared one, by the part of each voxel that belongs.

    Not yet decided voxel by voxel: that is done once, after the interpolation to other voxels.
    """
    return upright_region(region, fractions=True)


def upright_voxels(volume: Volume, box: Box) -> tuple[NDArray[Any], NDArray[np.bool_] | None]:
    """The voxels of a box of the upright grid of a sheared image, finite everywhere, and which of them were recorded.

    Slices are moved by cubic splines, whatever the settings' own method, since that keeps edges and noise nearly as
    they are. Where they do not reach, nothing was recorded.

    Parameters
    ----------
    volume : on a sheared grid.
    box : slices (z, y, x) of its `upright_grid`.

    Returns
    -------
    voxels, recorded : as `filters.gaps.recorded`, of the box.

    Raises
    ------
    InputError
        ``image.sheared-slice``; as `filters.gaps.recorded`.
    """
    z, y, x = (one.stop - one.start for one in box)
    wanted = upright_grid(volume.geometry).box((box[0].start, box[1].start, box[2].start), (z, y, x))
    needed = box_needed(volume.geometry, wanted)
    # A gap would spread over its whole slice: filled before, and marked.
    voxels, known = recorded(volume, needed)
    z, y, x = voxels.shape
    start = (needed[0].start, needed[1].start, needed[2].start)
    near = Volume(voxels=voxels, geometry=volume.geometry.box(start, (z, y, x)), unit=volume.unit, valid=known)
    return recorded(upright_slices(near, grid=wanted), tuple(slice(0, n) for n in wanted.shape))  # type: ignore[arg-type]
