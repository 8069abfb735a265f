"""One series to make: where it lies, what a reader draws in it, and the truth of its lesions."""

from __future__ import annotations

import math
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

import numpy as np

from bingcheng.dicom.exam import FrameSource, VolumeFrames
from bingcheng.dicom.write.header import StudyHeader
from bingcheng.engine.demo.headers import Names
from bingcheng.engine.demo.images import Scene
from bingcheng.engine.demo.scenario import Visit
from bingcheng.engine.demo.truth import LesionTruth
from bingcheng.image.geometry import Triple, VolumeGeometry
from bingcheng.image.phantoms.render import region_of
from bingcheng.image.region import Region
from bingcheng.image.volume import Volume
from bingcheng.outputs.seg import write_seg

FWHM = 2.0 * math.sqrt(2.0 * math.log(2.0))
"""Full width at half maximum of a Gaussian, in standard deviations."""

LOWEST_MM = -110.0
"""S of the lowest slice's lower face."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """One series to make."""

    names: Names
    study: StudyHeader
    modality: str
    started_at: datetime
    folder: Path
    rng: np.random.Generator

    @property
    def visit(self) -> Visit:
        """The time point."""
        return self.names.visit

    @property
    def scene(self) -> Scene:
        """The patient at that time."""
        person = self.names.story.person
        follow_up = self.visit.follow_up
        return Scene(build=person.build, lesions=tuple(story.growth(follow_up=follow_up) for story in person.lesions))

    def grid(self, spacing_mm: Triple, shape: tuple[int, int, int], frame: str) -> VolumeGeometry:
        """A grid around the patient whose voxels fall anew at each exam."""
        dz, dy, dx = spacing_mm
        _, rows, columns = shape
        jz, jy, jx = self.rng.uniform(-0.5, 0.5, 3)
        return VolumeGeometry(
            shape=shape,
            spacing_mm=spacing_mm,
            origin_mm=(
                round(float(-(columns - 1) / 2 * dx + jx * dx), 3),
                round(float(8.0 - (rows - 1) / 2 * dy + jy * dy), 3),
                round(float(LOWEST_MM + (0.5 + jz) * dz), 3),
            ),
            frame_of_reference_uid=self.names.uid(frame, "frame of reference"),
        )


def f50_per_mm(blur_mm: float) -> float:
    """The frequency at which the transfer function exp(-2 (pi sigma f)^2) of a Gaussian blur is one half."""
    return math.sqrt(math.log(2.0) / 2.0) / (math.pi * blur_mm)


def mean_of(region: Region, volume: Volume) -> float:
    """The mean of the volume over a region."""
    return float(region.values(volume).mean(dtype=np.float64))


def regions_of(job: Job, geometry: VolumeGeometry) -> tuple[Region, ...]:
    """What a careful reader draws: voxels that lie at least half in the true lesion."""
    return tuple(
        Region(
            mask=drawn.mask,
            start=drawn.start,
            grid=geometry,
            label=f"{story.name} {story.label}",
            tracking_uid=job.names.lesion_uid(story.name),
            method="manual",
        )
        for story, growth in zip(job.names.story.person.lesions, job.scene.lesions, strict=True)
        for drawn in (region_of(growth.shape, geometry, label=story.label),)
    )


def segment(
    job: Job, regions: tuple[Region, ...], geometry: VolumeGeometry, paths: tuple[Path, ...], modality: str
) -> None:
    """Write the regions as DICOM SEG beside the series whose files are `paths`; nothing if there are none."""
    if not regions:
        return
    slices = geometry.shape[0]
    frames = VolumeFrames(
        # of a diffusion series the first volume is the one with the least b-value
        frames=tuple(
            FrameSource(path=paths[0], frame=z) if len(paths) == 1 else FrameSource(path=paths[z])
            for z in range(slices)
        ),
        geometry=geometry,
        sop_instance_uids=tuple(
            job.names.uid(modality, "source", "1" if len(paths) == 1 else str(z)) for z in range(slices)
        ),
    )
    write_seg(
        job.folder / f"seg-{modality.lower()}.dcm",
        regions,
        frames,
        description=f"Lesions on {modality}",
        written_at=job.study.performed_at + timedelta(hours=5),
    )


def lesion_truth(job: Job, index: int, region: Region, **own: object) -> LesionTruth:
    """The truth of lesion `index`: its size, and what else (`own`) is true of it in this modality."""
    story = job.names.story.person.lesions[index]
    shape = job.scene.lesions[index].shape
    longest, short = shape.axial_diameters_mm
    return LesionTruth(
        lesion=story.name,
        label=region.label,
        tracking_uid=region.tracking_uid or "",
        volume_mm3=shape.volume_mm3,
        longest_diameter_mm=longest,
        short_axis_mm=short,
        diameter_3d_mm=shape.diameter_mm,
        segment_mm3=float(region.inside.sum()) * region.grid.voxel_mm3,
        **own,  # type: ignore[arg-type]
    )
