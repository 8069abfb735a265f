"""Two CT exams of one small trunk, in which lesions moved, split, merged, vanished and arose; without identifiers.

The later exam is the earlier body turned and shifted; where each lesion then lies is known.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import timedelta
from functools import cache
from pathlib import Path

import numpy as np
from tests.engine.making import ANNA, FIRST, NORTH, device, study

from bingcheng.core.codes import Code
from bingcheng.dicom.acquisition import CtAcquisition
from bingcheng.dicom.exam import FrameSource, Patient, VolumeFrames
from bingcheng.dicom.write.ct import write_ct
from bingcheng.dicom.write.header import uid_of
from bingcheng.image.geometry import Triple, VolumeGeometry
from bingcheng.image.phantoms.abdomen import Build, enhanced_abdomen
from bingcheng.image.phantoms.follow_up import Warp
from bingcheng.image.phantoms.render import Part, paint, region_of
from bingcheng.image.phantoms.shapes import sphere_of
from bingcheng.image.registration import RegistrationSettings
from bingcheng.image.registration.deformation import Level
from bingcheng.image.volume import Volume
from bingcheng.outputs.seg import write_seg

LESION_HU = 110.0
QUICK = RegistrationSettings(
    working_mm=4.0,
    starts=1,
    levels=(Level(coarser=4, steps=60), Level(coarser=2, steps=40), Level(coarser=1, steps=25)),
)
"""A coarser registration, for tests of what is done with its answer; these exams only moved rigidly."""
EARLIER: Mapping[str, tuple[float, Triple]] = {
    "liver": (20.0, (-45.0, 0.0, 20.0)),
    "left": (26.0, (45.0, -10.0, 10.0)),
    "near one": (14.0, (10.0, -30.0, -12.0)),
    "near two": (14.0, (26.0, -30.0, -12.0)),
    "gone": (14.0, (-45.0, -5.0, -15.0)),
}
"""Diameter and centre in mm of each lesion of the earlier exam."""
LATER: Mapping[str, tuple[float, Triple]] = {
    "a": (22.0, (-45.0, 0.0, 20.0)),
    "b": (13.0, (38.0, -10.0, 10.0)),
    "c": (13.0, (53.0, -10.0, 10.0)),
    "d": (30.0, (18.0, -30.0, -12.0)),
    "e": (14.0, (50.0, 0.0, 40.0)),
}
"""Those of the later exam, where they lie in the earlier body: b and c are left of one, d is two grown together, e is
new."""
STORY = {
    ("same", ("liver",), ("a",)),
    ("split", ("left",), ("b", "c")),
    ("merged", ("near one", "near two"), ("d",)),
    ("vanished", ("gone",), ()),
    ("new", (), ("e",)),
}


@dataclass(frozen=True)
class Said:
    """What a lesion is called when it is drawn."""

    label: str
    tracking_uid: str | None = None
    code: Code | None = None


def motion() -> Warp:
    return Warp.drawn(
        np.random.default_rng(0), (0.0, 0.0, 10.0), turn_deg=(3.0, 0.0, 2.0), shift_mm=(6.0, -4.0, 4.0), swing_mm=0.0
    )


def body() -> Volume:
    """A trunk of half a person's size."""
    return enhanced_abdomen(
        build=Build(scale=0.5, fat_mm=8.0, table=False),
        levels_mm=(-40.0, 70.0),
        spacing_mm=(4.0, 3.0, 3.0),
        field_mm=216.0,
    )


@cache
def _bodies() -> tuple[Volume, Volume]:
    """The trunk without lesions at the earlier and at the later exam."""
    trunk = body()
    return trunk, motion().later(trunk, trunk.geometry, outside=-1000.0)


def with_lesions(volume: Volume, lesions: Iterable[tuple[float, Triple]]) -> Volume:
    voxels = np.array(volume.voxels)
    for diameter_mm, centre_mm in lesions:
        part = Part(shape=sphere_of(diameter_mm, centre_mm), value=LESION_HU)
        paint(voxels, volume.geometry, part.shape, part.value, (2.0, 1.5, 1.5))
    return replace(volume, voxels=voxels)


def follow_up(
    root: Path,
    *,
    names: Mapping[str, Said] | None = None,
    patient: Patient = ANNA,
    earlier: Mapping[str, tuple[float, Triple]] = EARLIER,
    later: Mapping[str, tuple[float, Triple]] = LATER,
    undrawn: frozenset[str] = frozenset(),
) -> tuple[Path, Path]:
    """Write both exams; returns their folders.

    Parameters
    ----------
    names : what lesions are called where that is not their key in `earlier` and `later`.
    undrawn : lesions that can be seen but are not drawn.
    """
    called = names or {}
    warp, (trunk, trunk_later) = motion(), _bodies()
    moved = {
        name: (diameter_mm, _point(warp.to_later(np.asarray([centre_mm]))[0]))
        for name, (diameter_mm, centre_mm) in later.items()
    }
    first = with_lesions(trunk, earlier.values())
    second = with_lesions(trunk_later, moved.values())
    folders = root / "1", root / "2"
    for number, (folder, volume, lesions) in enumerate(zip(folders, (first, second), (earlier, moved), strict=True)):
        drawn = {key: lesion for key, lesion in lesions.items() if key not in undrawn}
        _exam(folder, f"follow-{number}-{patient.patient_id}", volume, drawn, called, patient, 56 * number)
    return folders


def _exam(
    folder: Path,
    name: str,
    volume: Volume,
    lesions: Mapping[str, tuple[float, Triple]],
    called: Mapping[str, Said],
    patient: Patient,
    day: int,
) -> None:
    at = FIRST + timedelta(days=day)
    geometry = replace(volume.geometry, frame_of_reference_uid=uid_of("frame", name))
    noise = np.random.default_rng(day).normal(0.0, 8.0, geometry.shape).astype(np.float32)
    shown = Volume(voxels=volume.voxels + noise, geometry=geometry, unit=volume.unit)
    acquired = CtAcquisition(
        modality="CT",
        series_uid=uid_of("series", name),
        device=device(NORTH, f"{NORTH} CT"),
        started_at=at,
        series_description="Body 4 mm",
        protocol_name="Abdomen",
        body_part="ABDOMEN",
        image_type=("ORIGINAL", "PRIMARY", "AXIAL"),
        slice_thickness_mm=4.0,
        kvp_kv=120.0,
        exposure_mas=100.0,
        convolution_kernel="Br40",
        patient_position="HFS",
    )
    paths = write_ct(shown, acquired, study(name, patient, at), folder, series_number=2)
    regions = [_region(lesion, geometry, called.get(key, Said(key))) for key, lesion in lesions.items()]
    frames = VolumeFrames(
        frames=tuple(FrameSource(path=path) for path in paths),
        geometry=geometry,
        sop_instance_uids=tuple(uid_of("source", name, str(z)) for z in range(geometry.shape[0])),
    )
    write_seg(folder / "seg.dcm", regions, frames, written_at=FIRST + timedelta(days=day, hours=5))


def _region(lesion: tuple[float, Triple], geometry: VolumeGeometry, said: Said):
    diameter_mm, centre_mm = lesion
    found = region_of(sphere_of(diameter_mm, centre_mm), geometry, label=said.label, tracking_uid=said.tracking_uid)
    return replace(found, method="manual", code=said.code)


def _point(point) -> Triple:
    x, y, z = (float(value) for value in point)
    return x, y, z
