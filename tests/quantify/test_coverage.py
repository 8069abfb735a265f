"""Whether the truth lies within value +- 2u as often as is claimed (about 95 %).

Achieved over 100 (ordinary reader) and 60 (careful reader) seeded lesions a modality, of 8 to 60 mm in voxels of 0.6 to
5 mm, blurred and noisy, in fat, soft tissue or lung (CT), with b = 0, 50, 400, 800 at SNR 15 to 40 (MR), with
uptake of 3 to 15 over 0.5 to 2.5 at 4 to 7 mm FWHM (PET); `u` is the median relative standard uncertainty:

======== ========================== ================ =============== ======
modality measure                    ordinary reader  careful reader  u
======== ========================== ================ =============== ======
CT       volume                     100 %            100 %           11 %
CT       longest_diameter           95 %             100 %           3.4 %
CT       short_axis                 99 %             100 %           4.0 %
CT       diameter_3d                95 %             100 %           6.7 %
CT       hu_mean                    100 %            100 %           23 %
CT       hu_distribution.median     100 %            100 %           19 %
MR       volume                     99 %             100 %           14 %
MR       longest_diameter           97 %             100 %           5.3 %
MR       short_axis                 97 %             100 %           6.4 %
MR       diameter_3d                98 %             100 %           8.6 %
MR       adc_mean                   99 %             100 %           6.2 %
MR       adc_distribution.median    99 %             100 %           5.4 %
PT       metabolic_tumour_volume    98 %             100 %           20 %
PT       total_lesion_glycolysis    94 %             100 %           21 %
PT       suv_mean                   100 %            100 %           18 %
PT       suv_peak                   100 %            100 %           11 %
PT       suv_max                    98 %             100 %           27 %
======== ========================== ================ =============== ======

The careful reader errs less than the perturbations allow for, hence the 100 %. Means are covered more often than
claimed because partial volume, which always pulls towards the background, is stated as a symmetric uncertainty. The
truth of suv_max is the uptake without noise.

Both readers draw lesions that were generated in closed form. The careful one takes each voxel that lies at least half
inside; the ordinary one is off by a quarter of a pixel as a whole and another quarter unevenly. The readers' errors
are drawn from other distributions than the perturbations: normal instead of rectangular, correlated over 8 instead of
5 mm, and without a shift.
"""

from __future__ import annotations

import numpy as np
import pytest

from bingcheng.core.case import Case
from bingcheng.image.geometry import VolumeGeometry
from bingcheng.image.region import Region
from bingcheng.image.volume import Volume
from bingcheng.quantify.uncertainty import measured

TRIALS = 12
LEAST_COVERED = 9
"""Of 12 with a chance of 95 % each, fewer than 9 are covered once in 450 times; the seeds are fixed."""


def ct(lesions, generator):
    pixel = generator.uniform(0.6, 1.0)
    spacing = (generator.choice([1.25, 2.5, 5.0]), pixel, pixel)
    body = lesions.any_ellipsoid(generator, np.exp(generator.uniform(np.log(10.0), np.log(22.0))), spacing)
    hu, background = generator.uniform(20.0, 100.0), generator.choice([-850.0, -100.0, -60.0, 110.0])
    image = lesions.ct(
        generator,
        body,
        spacing,
        lesion_hu=hu,
        background_hu=background,
        noise_hu=generator.uniform(8.0, 30.0),
        blur_mm=generator.uniform(0.4, 1.2),
    )
    return body, image.geometry, {"volume": image}, body.truth | {"hu_mean": hu, "hu_distribution.median": hu}


def mr(lesions, generator):
    pixel = generator.uniform(1.2, 2.5)
    spacing = (generator.choice([3.0, 4.0, 5.0]), pixel, pixel)
    body = lesions.any_ellipsoid(generator, np.exp(generator.uniform(np.log(14.0), np.log(40.0))), spacing)
    diffusivity = generator.uniform(0.7, 1.5)
    stack = lesions.dwi(
        generator,
        body,
        spacing,
        lesion=1e-3 * diffusivity,
        background=1e-3 * generator.uniform(0.8, 2.2),
        signal_ratio=generator.uniform(0.3, 1.2),
        snr=generator.uniform(15.0, 40.0),
        blur_mm=generator.uniform(0.6, 1.5),
    )
    truth = body.truth | {"adc_mean": diffusivity, "adc_distribution.median": diffusivity}
    return body, stack.geometry, {"volume": stack.volumes[0], "diffusion": stack}, truth


def pet(lesions, generator):
    pixel = generator.uniform(3.0, 5.0)
    spacing = (generator.uniform(3.0, 5.0), pixel, pixel)
    body = lesions.any_ellipsoid(generator, np.exp(generator.uniform(np.log(15.0), np.log(45.0))), spacing)
    grid = VolumeGeometry(shape=body.shape(spacing, 20.0), spacing_mm=spacing)
    uptake, background = generator.uniform(3.0, 15.0), generator.uniform(0.5, 2.5)
    part = lesions.coverage(body, spacing, grid.shape, generator.uniform(1.7, 3.0))
    texture = lesions.noise(generator, grid.shape, generator.uniform(0.05, 0.12), [2.2 / step for step in spacing])
    voxels = (background + (uptake - background) * part) * (1.0 + texture)
    millilitres = body.truth["volume"]
    truth = body.truth | {
        "suv_mean": uptake,
        "suv_peak": uptake,
        "metabolic_tumour_volume": millilitres,
        "total_lesion_glycolysis": millilitres * uptake,
    }
    return body, grid, {"suv": Volume(voxels=voxels.astype(np.float32), geometry=grid, unit="g/ml")}, truth


class WithSuv(Case):
    """A case to which SUV is given rather than made from a PET series."""

    def applies(self, measure):
        return self.modality in measure.modalities and self.methods.needs(measure) <= {
            "volume",
            "acquisition",
            "lesion",
        }

    def with_lesion(self, lesion, *, inputs=()):
        return WithSuv(self.methods, {"suv": self["suv"], "lesion": lesion}, modality=self.modality)


@pytest.mark.slow
@pytest.mark.parametrize("reader", ["careful", "ordinary"])
@pytest.mark.parametrize("modality", ["CT", "MR", "PT"])
def test_the_truth_lies_within_two_standard_uncertainties(modality, reader, lesions, methods):
    covered: dict[str, list[bool]] = {}
    for seed in range(6 if reader == "careful" else TRIALS):
        generator = np.random.default_rng(seed)
        body, grid, givens, truth = {"CT": ct, "MR": mr, "PT": pet}[modality](lesions, generator)
        lesion: Region = (
            lesions.careful_reader(body, grid)
            if reader == "careful"
            else lesions.ordinary_reader(generator, body, grid)
        )
        kind = WithSuv if modality == "PT" else Case
        case = kind(methods, givens, modality=modality).with_lesion(lesion)
        asked = [entry for entry in methods.measures if any(key in truth for key in entry.keys)]
        for one in measured(case, asked):
            if one.key in truth:
                assert one.standard_uncertainty is not None, (one.key, seed)
                error = abs(one.value - truth[one.key])
                covered.setdefault(one.key, []).append(error <= one.expanded_uncertainty)
    assert covered
    for key, hits in covered.items():
        least = len(hits) - 1 if reader == "careful" else LEAST_COVERED
        assert sum(hits) >= least, f"{key}: {sum(hits)} of {len(hits)}"
