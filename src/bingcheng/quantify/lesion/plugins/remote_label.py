"""The label image that a server answers with, taken with suspicion: nothing in it may fill this machine or read it."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np

from bingcheng.core.errors import InputError
from bingcheng.image import membership, nifti
from bingcheng.image.geometry import VolumeGeometry
from bingcheng.image.region import Region
from bingcheng.quantify.lesion.neighbourhood import Mask

MOST_FINER = 64
"""A label image of more voxels than this many times those sent is no answer, however small it is when compressed."""
HEADER_BYTES = 1 << 20


def suffix(name: str) -> str:
    """The kind of image that a server names; NIfTI, which was asked for, if it names none that is known."""
    return next((one for one in (".nii.gz", ".nii", ".nrrd") if name.endswith(one)), ".nii.gz")


def mask_of(label: Path, sent: VolumeGeometry) -> Mask | None:
    """What a label image holds (labels above zero, or probabilities of one half) on the grid sent; None if it is none.

    Its size is read from the header before anything is unpacked.
    """
    try:
        if _refers_elsewhere(label) or math.prod(nifti.read_grid(label).shape) > MOST_FINER * math.prod(sent.shape):
            return None
        answered = nifti.read_volume(label, unit="1")
    except InputError:
        return None
    values = answered.voxels
    lowest, highest = float(values.min()), float(values.max())
    if not (lowest >= 0.0 and highest < math.inf and (highest <= 1.0 or np.array_equal(values, np.rint(values)))):
        return None
    belongs: Mask = values >= 0.5
    if answered.geometry.same_grid(sent, atol_mm=0.1):
        return belongs
    mask: Mask = np.zeros(sent.shape, dtype=bool)
    region = Region.of(belongs, answered.geometry, label="lesion")
    if not region.empty:
        part, start = membership.resampled(region.mask, region.geometry, sent)
        part, start = membership.clipped(part, start, sent.shape)
        mask[tuple(slice(s, s + n) for s, n in zip(start, part.shape, strict=True))] = part >= 0.5
    return mask


def _refers_elsewhere(label: Path) -> bool:
    """Whether an NRRD header names another file that is to be read in its place: any file of this machine."""
    if label.suffix != ".nrrd":
        return False
    with label.open("rb") as file:
        head = file.read(HEADER_BYTES).replace(b"\r\n", b"\n").split(b"\n\n", 1)[0].lower()
    return b"data file:" in head or b"datafile:" in head
