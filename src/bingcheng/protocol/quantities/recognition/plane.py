"""In which plane a series lies, from the normal of its slices."""

from __future__ import annotations

from math import acos, degrees, hypot

from bingcheng.core.errors import Owner
from bingcheng.core.wording import text
from bingcheng.dicom.acquisition import Acquisition
from bingcheng.protocol.attributes import Told, attribute
from bingcheng.protocol.quantities.recognition.ties import settled
from bingcheng.protocol.values import Kind

PLANES = {"sagittal": text("sagittal"), "coronal": text("coronal"), "axial": text("axial")}
"""In the order of the axes x, y, z to which their normals are parallel (PS3.3 C.7.6.2.1.1: x to the left, z to the
head)."""

TIE_DEG = 3.0
"""Planes whose angles differ by less are equally near: a slice is not laid out by hand more exactly than that."""

NO_NORMAL = text("the series has no one orientation of slices, or its header does not give it")


@attribute("derived.plane", label=text("plane"), kind=Kind.WORD, words=PLANES, why=NO_NORMAL, owner=Owner.ARCHIVE)
def plane(acquisition: Acquisition) -> Told | None:
    """The anatomical plane nearest to the slices; of two that are equally near, the one that the name says."""
    parts = _parts(acquisition)
    if parts is None:
        return None
    nearest = sorted(PLANES, key=parts.__getitem__, reverse=True)
    tilt_deg = _angle_deg(parts[nearest[0]])
    tied = tilt_deg > 40.0 and _angle_deg(parts[nearest[1]]) - tilt_deg < TIE_DEG
    # A slice that is a third of the way to another plane is still called by the nearer one, only less surely.
    certainty = 1.0 if tilt_deg <= 30.0 else 0.9
    reason = text("slices tilted by {tilt_deg}° from the {plane} plane", tilt_deg=tilt_deg, plane=PLANES[nearest[0]])
    possible = nearest[: 2 if tied else 1]
    return settled("plane", possible, acquisition, reason=reason, words=PLANES, certainty=certainty)


@attribute(
    "derived.obliquity_deg",
    label=text("tilt from the nearest anatomical plane"),
    unit="deg",
    tolerance=0.5,
    why=NO_NORMAL,
    owner=Owner.ARCHIVE,
)
def obliquity(acquisition: Acquisition) -> float | None:
    """The angle between the slices and the nearest of the three anatomical planes, 0 to 54.7 degrees."""
    parts = _parts(acquisition)
    return None if parts is None else _angle_deg(max(parts.values()))


def _parts(acquisition: Acquisition) -> dict[str, float] | None:
    """How far the normal runs along each axis, by the plane that is across it: cosines, 0 to 1."""
    normal = acquisition.slice_normal
    if normal is None:
        return None
    length = hypot(*normal)
    if length == 0.0:
        return None
    return {name: abs(part) / length for name, part in zip(PLANES, normal, strict=True)}


def _angle_deg(cosine: float) -> float:
    return degrees(acos(min(1.0, cosine)))
