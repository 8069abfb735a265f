"""Where the slices of a series lie in the patient: from the geometry of its volume."""

from __future__ import annotations

import numpy as np

from bingcheng.dicom.exam import VolumeFrames
from bingcheng.image.geometry import VolumeGeometry

Triple = tuple[float, float, float]


def normal_of(geometry: VolumeGeometry) -> Triple:
    """The unit normal of the slices in LPS, on the side to which the index of the slices grows."""
    across_x, across_y = np.asarray(geometry.axes[2]), np.asarray(geometry.axes[1])
    normal = np.cross(across_x, across_y)
    normal = normal / np.linalg.norm(normal)
    side = 1.0 if np.dot(normal, geometry.axes[0]) >= 0 else -1.0
    x, y, z = (float(component) * side + 0.0 for component in normal)
    return x, y, z


def place_of(volume: VolumeFrames | None) -> dict[str, Triple | float | None]:
    """`slice_normal`, `first_slice_mm`, `centre_mm` and `reconstruction_interval_mm` by name; None without slices.

    The interval is the distance between neighbouring slices along their normal, also of a tilted stack.
    """
    if volume is None:
        return dict.fromkeys(("slice_normal", "first_slice_mm", "centre_mm", "reconstruction_interval_mm"))
    geometry = volume.geometry
    normal = normal_of(geometry)
    middle = np.asarray(geometry.to_mm(tuple((count - 1) / 2 for count in geometry.shape)))
    interval = abs(float(np.dot(geometry.axes[0], normal))) * geometry.spacing_mm[0]
    return {
        "slice_normal": normal,
        "first_slice_mm": float(np.dot(geometry.to_mm((0, 0, 0)), normal)),
        "centre_mm": (float(middle[0]), float(middle[1]), float(middle[2])),
        "reconstruction_interval_mm": interval if len(volume.frames) > 1 else None,
    }
