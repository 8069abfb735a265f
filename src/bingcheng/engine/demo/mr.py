"""The diffusion-weighted MR series of the demo."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from scipy.optimize import least_squares

from bingcheng.dicom.write.enhanced_mr import write_enhanced_mr
from bingcheng.dicom.write.mr import write_mr
from bingcheng.engine.demo.headers import mr_facts
from bingcheng.engine.demo.images import diffusion_scene
from bingcheng.engine.demo.job import FWHM, Job, f50_per_mm, lesion_truth, regions_of, segment
from bingcheng.engine.demo.tissue import TISSUES, Tissue
from bingcheng.engine.demo.truth import SeriesTruth
from bingcheng.image.phantoms import noise
from bingcheng.image.volume import Stack, Volume


def make_mr(job: Job, root: Path) -> SeriesTruth:
    """Render, write and segment a diffusion series; `root` is the study's folder. Returns its truth."""
    technique = job.visit.mr
    assert technique is not None
    shape = (technique.slices, technique.matrix, technique.matrix)
    geometry = job.grid((technique.slice_mm, technique.pixel_mm, technique.pixel_mm), shape, "mr")
    # the acquired pixel is twice the interpolated one
    plane_mm = 2.0 * technique.pixel_mm / FWHM
    clean = diffusion_scene(
        job.scene, geometry, (technique.slice_mm / FWHM, plane_mm, plane_mm), technique.b_values, technique.gain
    )
    volumes = tuple(
        Volume(voxels=noise.rician(volume.voxels, sd=technique.noise, rng=job.rng), geometry=geometry, unit=volume.unit)
        for _, volume in clean
    )
    stack = Stack(volumes=volumes, axis="b_value", values=technique.b_values, unit="s/mm2")
    facts = mr_facts(job.names, technique, job.started_at)
    folder = job.folder / "dwi"
    if technique.enhanced:
        paths: tuple[Path, ...] = (write_enhanced_mr(stack, facts, job.study, folder, series_number=4),)
    else:
        paths = write_mr(stack, facts, job.study, folder, series_number=4)
    regions = regions_of(job, geometry)
    segment(job, regions, geometry, paths, "MR")
    lesions = tuple(
        lesion_truth(
            job,
            index,
            region,
            adc_mm2_per_s=single_exponential(growth.tissue, technique.b_values),
            diffusivity_mm2_per_s=growth.tissue.diffusivity_mm2_per_s,
            perfusion_fraction=growth.tissue.perfusion,
        )
        for index, (region, growth) in enumerate(zip(regions, job.scene.lesions, strict=True))
    )
    return SeriesTruth(
        series_uid=facts.series_uid,
        modality="MR",
        folder=folder.relative_to(root).as_posix(),
        noise_sd=technique.noise,
        f50_per_mm=f50_per_mm(plane_mm),
        lesions=lesions,
        liver_signal={f"{b:g}": TISSUES["liver"].at_b(b) * technique.gain for b in technique.b_values},
    )


def single_exponential(tissue: Tissue, b_values: tuple[float, ...]) -> float:
    """The ADC in mm2/s that least squares find in the tissue's noise-free signals at these b-values."""
    b = np.asarray(b_values)
    signal = np.asarray([tissue.at_b(value) for value in b_values]) / tissue.signal
    fit = least_squares(lambda p: p[0] * np.exp(-b * p[1] * 1e-3) - signal, (1.0, 1.0), xtol=1e-12, ftol=1e-12)
    return float(fit.x[1]) * 1e-3
