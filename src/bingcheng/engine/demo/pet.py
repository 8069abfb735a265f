"""The PET series of the demo."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from bingcheng.dicom.write.pet import write_pet
from bingcheng.engine.demo.headers import bq_per_ml_a_suv, pet_facts
from bingcheng.engine.demo.images import suv_scene
from bingcheng.engine.demo.job import FWHM, Job, f50_per_mm, lesion_truth, mean_of, regions_of, segment
from bingcheng.engine.demo.tissue import TISSUES
from bingcheng.engine.demo.truth import SeriesTruth
from bingcheng.image.phantoms import noise
from bingcheng.image.volume import Volume


def make_pet(job: Job, root: Path) -> SeriesTruth:
    """Render, write and segment a PET; `root` is the study's folder. Returns its truth."""
    technique = job.visit.pet
    assert technique is not None
    person = job.names.story.person
    shape = (technique.slices, technique.matrix, technique.matrix)
    geometry = job.grid(technique.voxel_mm, shape, "petct")
    sigma_mm = technique.fwhm_mm / FWHM
    clean = suv_scene(job.scene, geometry, (sigma_mm, sigma_mm, sigma_mm))
    facts = pet_facts(job.names, technique, job.started_at)
    regions = regions_of(job, geometry)
    lesions = tuple(
        lesion_truth(
            job,
            index,
            region,
            suv=growth.tissue.suv,
            imaged={"suv_mean": mean_of(region, clean), "suv_max": float(region.values(clean).max())},
        )
        for index, (region, growth) in enumerate(zip(regions, job.scene.lesions, strict=True))
    )
    scale = bq_per_ml_a_suv(technique, person) * technique.calibration
    liver = TISSUES["liver"].suv
    z, y, x = (0.8 * sigma_mm / step for step in technique.voxel_mm)
    activity = noise.pet(
        (clean.voxels * np.float32(scale)).astype(np.float32),
        relative_sd=technique.noise,
        reference=liver * scale,
        sigma_voxels=(z, y, x),
        rng=job.rng,
    )
    folder = job.folder / "pet"
    image = Volume(voxels=activity, geometry=geometry, unit="Bq/ml")
    paths = write_pet(image, facts, job.study, folder, series_number=3)
    segment(job, regions, geometry, paths, "PT")
    return SeriesTruth(
        series_uid=facts.series_uid,
        modality="PT",
        folder=folder.relative_to(root).as_posix(),
        noise_sd=technique.noise,
        f50_per_mm=f50_per_mm(sigma_mm),
        lesions=lesions,
        liver_suv=liver,
        calibration=technique.calibration,
        uptake_min=technique.uptake_min,
    )
