"""A lesion that holds no voxel has nothing to measure: said alike by every measure."""

from __future__ import annotations

from bingcheng.core.errors import Owner, Problem

EMPTY_LESION = Problem(
    code="quantify.lesion-without-voxels",
    says="the lesion's outline holds no voxel of this image",
    remedy="Draw the lesion again on this series; it may be smaller than a voxel or lie between two slices.",
    owner=Owner.RADIOLOGIST,
)
