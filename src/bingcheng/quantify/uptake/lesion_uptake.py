"""How much tracer a lesion takes up, and how large its metabolically active part is."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping

import numpy as np
from numpy.typing import NDArray

from bingcheng.core.codes import Code
from bingcheng.core.errors import CatalogueError, Owner, Problem, Undefined
from bingcheng.core.measure import Component, Reference, ReferenceKind, measure
from bingcheng.core.wording import text
from bingcheng.dicom.acquisition import Acquisition
from bingcheng.image.region import Region
from bingcheng.image.volume import Volume
from bingcheng.quantify.empty_lesion import EMPTY_LESION
from bingcheng.quantify.size.dimensions import LESION_CUT, reaches_edge
from bingcheng.quantify.uptake import known_images as known
from bingcheng.quantify.uptake.peak import highest_sphere_mean
from bingcheng.quantify.uptake.suv import NO_WEIGHT

NO_HEIGHT_OR_SEX = Problem(
    code="quantify.sul-no-height-or-sex",
    says="the patient's height, or sex as M or F, is missing, so that lean body mass can't be calculated",
    remedy="Enter height and sex at the scanner.",
    owner=Owner.TECHNOLOGIST,
)
UNKNOWN_FORMULA = Problem(
    code="quantify.unknown-lean-mass-formula",
    says="'{formula}' is no formula of lean body mass that this program knows",
    remedy="Choose one of {known}.",
    owner=Owner.DEVELOPER,
)
NO_UPTAKE_VALUE = Problem(
    code="quantify.lesion-without-uptake-value",
    says="the PET image has no value in {share} of the lesion's voxels",
    remedy="Draw the lesion within the reconstructed field of view.",
    owner=Owner.RADIOLOGIST,
)

PET = ("PT",)
PERCIST_RADIUS_MM = 6.204
"""Radius of a sphere of 1 ml: (3 / (4 pi) 1000 mm3)^(1/3)."""
SUVBW = Code("126401", "DCM", "SUVbw")

CALIBRATION = Component(
    name="calibration of scanner and dose calibrator against each other",
    source="QIBA FDG-PET/CT profile 1.14 and EANM/EARL (Boellaard et al. 2015): SUV of a uniform phantom is "
    "1.00 +- 0.10; as a rectangular distribution (JCGM 100:2008, 4.3.7)",
    relative=0.10 / math.sqrt(3),
)
CLOCKS = Component(
    name="clocks of scanner and dose calibrator",
    source="EANM FDG guideline 2.0 (Boellaard et al. 2015): clocks agree within 1 min; rectangular, at the half-life "
    "of F-18",
    relative=math.log(2) / (6586.2 / 60) / math.sqrt(3),
)
BUDGET = (CALIBRATION, CLOCKS)

_QIBA = "QIBA FDG-PET/CT profile 1.14, section 3.4"
_PERCIST = "Wahl et al., PERCIST 1.0, J Nucl Med 2009;50 Suppl 1:122S-150S"
_ANALYTIC = "closed form"
_FLOAT32 = "Voxels are float32, which rounds each by at most 6e-8 of its value."
_VOXEL_ML = math.prod(known.SPACING_MM) / 1000
_CUBE_ML = known.EDGE**3 * _VOXEL_ML


def _analytic(
    name: str, case: Callable[[], Mapping[str, object]], expect: float, why: str = _FLOAT32, *, rtol: float = 1e-6
) -> Reference:
    return Reference(
        name=name, case=case, expect=expect, rtol=rtol, kind=ReferenceKind.ANALYTIC, source=_ANALYTIC, why=why
    )


def _blob_sphere_mean() -> float:
    """Mean of 8 exp(-r^2 / 2 s^2) over a sphere about its centre, by integrating over shells."""
    s, r = known.BLOB_SIGMA_MM, PERCIST_RADIUS_MM
    shells = s**3 * math.sqrt(math.pi / 2) * math.erf(r / (s * math.sqrt(2))) - s**2 * r * math.exp(
        -(r**2) / (2 * s**2)
    )
    return 8.0 * 3 / r**3 * shells


@measure(
    label="SUVmax",
    order=20,
    unit="g/ml",
    modalities=PET,
    source=_QIBA,
    budget=BUDGET,
    code=SUVBW,
    references=[
        _analytic("uniform cube of SUV 5", known.uniform_cube, 5.0),
        _analytic("cube of SUV 10 and 4", known.two_levels, 10.0),
    ],
)
def suv_max(suv: Volume, lesion: Region) -> float:
    """The highest SUVbw of a voxel of the lesion (of those that belong to it at least half), in g/ml.

    Parameters
    ----------
    suv : the image as SUVbw.
    lesion : the lesion as drawn.

    Raises
    ------
    Undefined
        ``quantify.lesion-without-voxels``, ``quantify.lesion-without-uptake-value``; what `suv` raises.

    Notes
    -----
    A single voxel: noise and smaller voxels raise it, by about half at a noise of 25 %, which the stated uncertainty
    holds. `suv_peak` is steadier.
    """
    members, values = _members(suv, lesion)
    return float(np.max(values[members >= 0.5]))


@measure(
    label="SUVmean",
    order=22,
    unit="g/ml",
    modalities=PET,
    source=_QIBA,
    budget=BUDGET,
    code=SUVBW,
    references=[
        _analytic("uniform cube of SUV 5", known.uniform_cube, 5.0),
        _analytic("cube of SUV 10 and 4", known.two_levels, 7.0),
    ],
)
def suv_mean(suv: Volume, lesion: Region) -> float:
    """The mean SUVbw of the lesion as drawn, each voxel weighted by the part of it that belongs, in g/ml.

    Parameters
    ----------
    suv : the image as SUVbw.
    lesion : the lesion as drawn; the value depends on where its border was drawn.

    Raises
    ------
    Undefined
        ``quantify.lesion-without-voxels``, ``quantify.lesion-without-uptake-value``; what `suv` raises.

    Notes
    -----
    Blur takes away up to half of the uptake of lesions of 8 to 14 mm; the stated uncertainty is as large, and held the
    truth in 91 % of generated ones instead of 95 %.
    """
    members, values = _members(suv, lesion)
    return float(np.average(values, weights=members))


@measure(
    label="SUVpeak (1 ml sphere)",
    order=21,
    unit="g/ml",
    modalities=PET,
    source=f"{_PERCIST}; sphere of 1 ml centred where its mean is highest",
    budget=BUDGET,
    code=SUVBW,
    references=[
        _analytic(
            "linear ramp, whose mean in a sphere is its centre's value",
            known.ramp,
            1.5,
            "The sphere's weights are symmetric, so that only float32 rounds.",
        ),
        _analytic(
            "Gaussian blob of SD 20 mm",
            known.blob,
            _blob_sphere_mean(),
            "A voxel centre differs from its voxel's mean by at most h^2/(8 s^2) = 0.5 % at h = 4 mm.",
            rtol=0.005,
        ),
    ],
)
def suv_peak(suv: Volume, lesion: Region, radius_mm: float = PERCIST_RADIUS_MM) -> float:
    """The highest mean SUVbw within a sphere of 1 ml centred on a voxel of the lesion, in g/ml.

    Every voxel of the lesion is tried as the centre; a voxel counts by the part of it in the sphere, also outside of
    the lesion.

    Parameters
    ----------
    suv : the image as SUVbw.
    lesion : the lesion as drawn.
    radius_mm : of the sphere; 6.204 mm makes 1 ml.

    Raises
    ------
    Undefined
        ``quantify.lesion-without-voxels``; ``quantify.peak-sphere-leaves-image``; what `suv` raises.
    InputError
        ``quantify.peak-of-unlikely-voxels``.

    Notes
    -----
    Other programs centre the sphere on the hottest voxel, or round it to whole voxels; both differ by several per
    cent. In lesions of less than 1 ml the sphere takes in what surrounds them: it is then no estimate of their uptake,
    and its uncertainty does not hold that.
    """
    if lesion.empty:
        raise Undefined(EMPTY_LESION)
    return highest_sphere_mean(suv, lesion, radius_mm)


@measure(
    label="Metabolic tumour volume (as segmented)",
    order=23,
    unit="ml",
    modalities=PET,
    source="Sum of the voxels of the lesion as segmented; DICOM PS3.16, (126032, DCM)",
    code=Code("126032", "DCM", "Metabolic Volume"),
    references=[_analytic("cube of 8 voxels a side", known.uniform_cube, _CUBE_ML)],
)
def metabolic_tumour_volume(suv: Volume, lesion: Region) -> float:
    """The volume of the lesion as it was segmented on the PET image, in ml, each voxel by the part that belongs.

    No threshold is applied to the segmentation: `mtv_41` does so.

    Parameters
    ----------
    suv : the image as SUVbw; asked for so that an image without uptake values has no metabolic volume either.
    lesion : the lesion as drawn.

    Raises
    ------
    Undefined
        ``quantify.lesion-without-voxels``, ``quantify.lesion-without-uptake-value``, ``quantify.lesion-cut-off``;
        what `suv` raises.
    """
    members, _ = _members(suv, lesion)
    return _whole_ml(members, lesion)


@measure(
    label="Metabolic tumour volume (41 % of SUVmax)",
    unit="ml",
    modalities=PET,
    source="Boellaard et al., EANM FDG guideline 2.0, Eur J Nucl Med Mol Imaging 2015;42:328-354 (threshold of 41 %)",
    code=Code("126032", "DCM", "Metabolic Volume"),
    references=[
        _analytic("uniform cube of SUV 5", known.uniform_cube, _CUBE_ML),
        _analytic("cube of SUV 10 and 4: the part of SUV 4 falls below", known.two_levels, _CUBE_ML / 2),
    ],
)
def mtv_41(suv: Volume, lesion: Region, fraction: float = 0.41) -> float:
    """The volume of the lesion's voxels whose SUVbw is at least 41 % of the lesion's SUVmax, in ml.

    Parameters
    ----------
    suv : the image as SUVbw.
    lesion : the lesion as drawn; voxels outside of it don't count, however hot.
    fraction : of SUVmax; 0.41 is the guideline's, 0.5 is met too.

    Raises
    ------
    Undefined
        ``quantify.lesion-without-voxels``, ``quantify.lesion-without-uptake-value``; what `suv` raises.

    Notes
    -----
    Misses most of a tumour whose uptake is uneven, and overestimates small ones at low contrast.
    """
    members, values = _members(suv, lesion)
    inside = values[members >= 0.5]
    return float(np.count_nonzero(inside >= fraction * np.max(inside))) * lesion.grid.voxel_mm3 / 1000.0


@measure(
    label="Total lesion glycolysis",
    order=24,
    unit="g",
    modalities=PET,
    source="Larson et al., Clin Positron Imaging 1999;2:159-171: SUVmean times metabolic volume",
    budget=BUDGET,
    code=Code("126033", "DCM", "Total Lesion Glycolysis"),
    references=[
        _analytic("uniform cube of SUV 5", known.uniform_cube, 5.0 * _CUBE_ML),
        _analytic("cube of SUV 10 and 4", known.two_levels, 7.0 * _CUBE_ML),
    ],
)
def total_lesion_glycolysis(suv: Volume, lesion: Region) -> float:
    """SUVmean times the metabolic volume of the lesion as segmented, in g (g/ml times ml).

    Parameters
    ----------
    suv : the image as SUVbw.
    lesion : the lesion as drawn.

    Raises
    ------
    Undefined
        ``quantify.lesion-without-voxels``, ``quantify.lesion-without-uptake-value``, ``quantify.lesion-cut-off``;
        what `suv` raises.
    """
    members, values = _members(suv, lesion)
    return float(np.average(values, weights=members)) * _whole_ml(members, lesion)


def lean_body_mass_kg(weight_kg: float, height_m: float, sex: str, formula: str = "janmahasatian") -> float:
    """Lean body mass in kg.

    Parameters
    ----------
    sex : M or F.
    formula : ``janmahasatian`` (Janmahasatian et al., Clin Pharmacokinet 2005;44:1051-1065; EANM 2.0) or ``james``
        (James 1976, as in PERCIST 1.0), which falls again at high body mass index and must not be used there.

    Raises
    ------
    CatalogueError
        ``quantify.unknown-lean-mass-formula``.
    """
    index = weight_kg / height_m**2
    male = sex == "M"
    if formula == "janmahasatian":
        return 9270 * weight_kg / (6680 + 216 * index if male else 8780 + 244 * index)
    if formula == "james":
        squared = (weight_kg / (100 * height_m)) ** 2
        return 1.10 * weight_kg - 128 * squared if male else 1.07 * weight_kg - 148 * squared
    raise CatalogueError(UNKNOWN_FORMULA, formula=formula, known="janmahasatian, james")


@measure(
    label="SULpeak (1 ml sphere, lean body mass of Janmahasatian)",
    unit="g/ml{SUVlbm}",
    modalities=PET,
    source=f"{_PERCIST}; lean body mass by Janmahasatian et al., Clin Pharmacokinet 2005;44:1051-1065",
    budget=BUDGET,
    code=Code("126405", "DCM", "SUVlbm(Janma)"),
    references=[
        _analytic(
            "ramp; a man of 70 kg and 1.75 m has 55.857 kg of lean body mass",
            known.ramp,
            1.5 * 9270 / (6680 + 216 * known.WEIGHT_KG / known.HEIGHT_M**2),
        )
    ],
)
def sul_peak(
    suv: Volume,
    lesion: Region,
    acquisition: Acquisition,
    radius_mm: float = PERCIST_RADIUS_MM,
    formula: str = "janmahasatian",
) -> float:
    """SUVpeak by lean body mass instead of body weight, in g/ml: `suv_peak` times lean body mass over weight.

    Parameters
    ----------
    suv, lesion, radius_mm : as for `suv_peak`.
    acquisition : with weight, height and sex.
    formula : of `lean_body_mass_kg`.

    Raises
    ------
    Undefined
        ``quantify.sul-no-height-or-sex``, ``quantify.suv-no-weight``; what `suv_peak` raises.
    CatalogueError
        ``quantify.unknown-lean-mass-formula``.
    """
    if acquisition.weight_kg is None:
        raise Undefined(NO_WEIGHT)
    if acquisition.height_m is None or acquisition.sex not in ("M", "F"):
        raise Undefined(NO_HEIGHT_OR_SEX)
    lean = lean_body_mass_kg(acquisition.weight_kg, acquisition.height_m, acquisition.sex, formula)
    if lesion.empty:
        raise Undefined(EMPTY_LESION)
    return highest_sphere_mean(suv, lesion, radius_mm) * lean / acquisition.weight_kg


def _members(suv: Volume, lesion: Region) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Membership (n,) in [0, 1] and SUV (n,) of the voxels that belong at least in part and have a value."""
    if lesion.empty:
        raise Undefined(EMPTY_LESION)
    box = lesion.box()
    belongs = lesion.mask > 0
    recorded = belongs if suv.valid is None else belongs & suv.valid[box]
    members = lesion.mask[recorded].astype(np.float64)
    lost = 1.0 - float(members.sum()) / float(lesion.mask.sum(dtype=np.float64))
    if lost > 1e-9:  # beyond rounding: a mean or volume of a part would pass for the whole lesion's
        raise Undefined(NO_UPTAKE_VALUE, share=f"{lost:.0%}")
    return members, suv.voxels[box][recorded].astype(np.float64)


def _whole_ml(members: NDArray[np.float64], lesion: Region) -> float:
    """Volume in ml of a lesion that doesn't reach the edge of the image, behind which more of it may lie."""
    if any(reaches_edge(lesion)):
        raise Undefined(LESION_CUT, what=text("metabolic volume"))
    return float(members.sum()) * lesion.grid.voxel_mm3 / 1000.0
