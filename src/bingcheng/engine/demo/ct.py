"""The CT series of the demo, and its localiser."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import numpy as np

from bingcheng.dicom.acquisition import CtAcquisition
from bingcheng.dicom.write.ct import write_ct, write_localiser
from bingcheng.engine.demo.dose import make_dose_report
from bingcheng.engine.demo.headers import ct_facts
from bingcheng.engine.demo.images import ct_scene, water_equivalent_diameters_cm
from bingcheng.engine.demo.job import FWHM, Job, f50_per_mm, lesion_truth, mean_of, regions_of, segment
from bingcheng.engine.demo.truth import SeriesTruth
from bingcheng.image.geometry import VolumeGeometry
from bingcheng.image.phantoms import noise
from bingcheng.image.phantoms.cases import HU
from bingcheng.image.volume import Volume


def make_ct(job: Job, root: Path) -> SeriesTruth:
    """Render, write and segment a CT; `root` is the study's folder. Returns its truth."""
    technique = job.visit.ct
    assert technique is not None
    pixel_mm = technique.field_mm / technique.matrix
    geometry = job.grid(
        (technique.slice_mm, pixel_mm, pixel_mm), (technique.slices, technique.matrix, technique.matrix), "petct"
    )
    blur_mm = (technique.slice_mm / FWHM, technique.blur_mm, technique.blur_mm)
    clean, patient = ct_scene(job.scene, geometry, blur_mm)
    diameters = water_equivalent_diameters_cm(clean, patient)
    del patient
    facts = ct_facts(job.names, technique, job.started_at)
    regions = regions_of(job, geometry)
    lesions = tuple(
        lesion_truth(job, index, region, hu=growth.tissue.hu, imaged={"hu_mean": mean_of(region, clean)})
        for index, (region, growth) in enumerate(zip(regions, job.scene.lesions, strict=True))
    )
    dose = make_dose_report(job, facts, _scout(job, clean, facts))
    voxels = clean.voxels.copy()
    del clean
    grain = noise.ct_slices(
        technique.slices,
        (technique.matrix, technique.matrix),
        (pixel_mm, pixel_mm),
        sd=technique.noise_hu,
        blur_mm=technique.blur_mm,
        rng=job.rng,
    )
    for index, layer in enumerate(grain):
        voxels[index] += layer
    noisy = Volume(voxels=voxels, geometry=geometry, unit=HU)
    folder = job.folder / "ct"
    paths = write_ct(noisy, facts, job.study, folder, series_number=2)
    segment(job, regions, geometry, paths, "CT")
    return SeriesTruth(
        series_uid=facts.series_uid,
        modality="CT",
        folder=folder.relative_to(root).as_posix(),
        noise_sd=technique.noise_hu,
        f50_per_mm=f50_per_mm(technique.blur_mm),
        lesions=lesions,
        water_equivalent_diameter_cm={
            "mean": float(diameters.mean()),
            "middle": float(diameters[diameters.size // 2]),
        },
        dose=dose,
    )


def _scout(job: Job, clean: Volume, facts: CtAcquisition) -> CtAcquisition:
    """The localiser: a projection from front to back, with the head on top. Returns its facts."""
    grid = clean.geometry
    thickness = ((clean.voxels + np.float32(1000.0)).sum(axis=1) * np.float32(grid.spacing_mm[1] / 1000.0))[::-1]
    top = grid.origin_mm[2] + (grid.shape[0] - 1) * grid.spacing_mm[0]
    image = Volume(
        voxels=(thickness[None] * np.float32(4.0) - np.float32(600.0)).astype(np.float32),
        geometry=VolumeGeometry(
            shape=(1, grid.shape[0], grid.shape[2]),
            spacing_mm=(1.0, grid.spacing_mm[0], grid.spacing_mm[2]),
            origin_mm=(grid.origin_mm[0], 0.0, top),
            axes=((0.0, 1.0, 0.0), (0.0, 0.0, -1.0), (1.0, 0.0, 0.0)),
            frame_of_reference_uid=grid.frame_of_reference_uid,
        ),
        unit=HU,
    )
    marked = replace(
        facts,
        series_uid=job.names.uid("CT", "localiser"),
        series_description="Topogram",
        started_at=job.started_at - timedelta(minutes=4),
        slice_thickness_mm=1.0,
        contrast_started_at=None,
        convolution_kernel=None,
        irradiation_event_uids=(job.names.uid("CT", "localiser", "irradiation"),),
    )
    write_localiser(image, marked, job.study, job.folder / "scout", series_number=1)
    return marked
