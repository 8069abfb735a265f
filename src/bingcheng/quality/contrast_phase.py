"""The contrast phase of a CT, told from the CT numbers of vessels and organs, with a probability for each phase.

The model stands in `contrast_phases.toml`: for each phase the enhancement of aorta, portal vein, liver and renal
cortex, and the difference of cortex and medulla, with its spread. All enhancement of one patient shares a factor (dose,
size, cardiac output), over which the likelihood is integrated; the tube voltage, where it is known, shifts that factor.
With a flat prior Bayes' theorem gives the probabilities. A small share of strays keeps a landmark that was mistaken
from deciding alone.
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from types import MappingProxyType
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bingcheng.core.derived import derived
from bingcheng.core.errors import Owner, Problem, Undefined
from bingcheng.core.measure import Part, Reference, ReferenceKind, measure
from bingcheng.core.measurement import Tells
from bingcheng.dicom.acquisition import CtAcquisition
from bingcheng.quality.aorta import Aorta
from bingcheng.quality.contrast_landmarks import ContrastLandmarks
from bingcheng.quality.enhanced_cases import enhanced
from bingcheng.quality.kidney_tissue import KidneyTissue
from bingcheng.quality.liver_parenchyma import LiverParenchyma
from bingcheng.quality.phase_reading import DECIDED, PHASES
from bingcheng.quality.portal_vein import PortalVein

AORTA_NEEDED = Problem(
    code="quality.contrast-phase-needs-aorta",
    says="the aorta was not found, without which the contrast phase can't be told from the image",
    remedy="Tell the contrast phase by eye, or from the times of injection and acquisition.",
    owner=Owner.RADIOLOGIST,
)

EXCRETED_ML = 0.3
FEATURES = ("aorta", "portal_vein", "liver", "cortex", "difference")
FACTORS = 61
REACH_SDS = 3.0


@dataclass(frozen=True, slots=True, kw_only=True)
class PhaseModel:
    """The content of `contrast_phases.toml` in arrays over (phase, feature), phases and features in the order above."""

    unenhanced_hu: NDArray[np.float64]
    unenhanced_sd_hu: NDArray[np.float64]
    enhancement_hu: NDArray[np.float64]
    relative_sd: NDArray[np.float64]
    excreted: NDArray[np.float64]
    shared_mean: float
    shared_log_sd: float
    floor_hu: float
    strays: float
    strays_over_hu: float
    kilovolt: tuple[float, ...]
    iodine_factor: tuple[float, ...]


@cache
def phase_model() -> PhaseModel:
    """The model that ships with the program."""
    content: dict[str, Any] = tomllib.loads(
        files("bingcheng.quality").joinpath("contrast_phases.toml").read_text("utf-8")
    )
    rows = [content["phases"][phase] for phase in PHASES]
    unenhanced = [content["unenhanced"][feature] for feature in FEATURES]
    return PhaseModel(
        unenhanced_hu=np.array([one["mean"] for one in unenhanced]),
        unenhanced_sd_hu=np.array([one["sd"] for one in unenhanced]),
        enhancement_hu=np.array([[row["enhancement"][feature] for feature in FEATURES] for row in rows]),
        relative_sd=np.array([[row["relative_sd"][feature] for feature in FEATURES] for row in rows]),
        excreted=np.array([row["excreted"] for row in rows]),
        shared_mean=float(content["shared"]["mean"]),
        shared_log_sd=float(content["shared"]["log_sd"]),
        floor_hu=float(content["floor"]),
        strays=float(content["strays"]),
        strays_over_hu=float(content["strays_over_hu"]),
        kilovolt=tuple(content["iodine"]["kilovolt"]),
        iodine_factor=tuple(content["iodine"]["factor"]),
    )


@derived
def contrast_phases(contrast_landmarks: ContrastLandmarks, acquisition: CtAcquisition) -> Mapping[str, float]:
    """The probability of each contrast phase, by its word; they add up to 1.

    Parameters
    ----------
    contrast_landmarks : what was found.
    acquisition : of which only the tube voltage is used, where it is known.

    Raises
    ------
    Undefined
        ``quality.contrast-phase-needs-aorta``, ``quality.no-spine``, ``quality.oblique-grid``, ``quality.thin-slab``.
    """
    seen = _seen(contrast_landmarks)
    if "aorta" not in seen:
        # Without it a phase that is missing from the model, such as 50 s, passes for one of its neighbours.
        raise Undefined(AORTA_NEEDED)
    kidneys = contrast_landmarks.kidneys
    excreted = kidneys.excreted_ml >= EXCRETED_ML if isinstance(kidneys, KidneyTissue) else None
    return phase_probabilities(seen, excreted=excreted, tube_voltage_kv=acquisition.kvp_kv)


def phase_probabilities(
    hu: Mapping[str, float],
    *,
    excreted: bool | None = None,
    tube_voltage_kv: float | None = None,
    model: PhaseModel | None = None,
) -> Mapping[str, float]:
    """The probability of each phase given CT numbers, by Bayes' theorem with a flat prior.

    Parameters
    ----------
    hu : by feature: any of aorta, portal_vein, liver, cortex, difference (cortex less medulla).
    excreted : whether bright urine is seen in the kidneys; None if no kidney was found.
    tube_voltage_kv : None if unknown, which widens the shared factor.
    model : another than the one that ships.
    """
    told = model or phase_model()
    factors, weights = _shared_factors(told, tube_voltage_kv)
    likelihood = np.ones((len(PHASES), factors.size))
    for index, feature in enumerate(FEATURES):
        if feature not in hu:
            continue
        enhanced_hu = told.enhancement_hu[:, index, None] * factors
        sd = np.sqrt(
            told.unenhanced_sd_hu[index] ** 2 + told.floor_hu**2 + (told.relative_sd[:, index, None] * enhanced_hu) ** 2
        )
        away = (hu[feature] - told.unenhanced_hu[index] - enhanced_hu) / sd
        density = np.exp(-0.5 * away**2) / (sd * np.sqrt(2.0 * np.pi))
        likelihood *= (1.0 - told.strays) * density + told.strays / told.strays_over_hu
    evidence = likelihood @ weights
    if excreted is not None:
        evidence *= told.excreted if excreted else 1.0 - told.excreted
    shares = evidence / evidence.sum()
    return MappingProxyType({phase: float(share) for phase, share in zip(PHASES, shares, strict=True)})


@measure(
    tells=Tells.EVIDENCE,
    label="Probability of the contrast phase",
    unit="1",
    modalities={"CT"},
    source="Bayes' theorem on published enhancement by phase; each figure's source stands in contrast_phases.toml",
    parts={phase: Part(label=f"Probability: {label.lower()}", unit="1") for phase, label in PHASES.items()},
    references=tuple(
        Reference(
            name=f"generated trunk, {phase.replace('_', ' ')} phase by an independent model of the circulation",
            case=lambda phase=phase: enhanced(phase),  # type: ignore[misc]
            expect=1.0,
            atol=1.0 - DECIDED,
            kind=ReferenceKind.ANALYTIC,
            source="the delay that was put in",
            why="A phase counts as told from a probability of 0.8 on.",
            part=phase,
        )
        for phase in ("precontrast", "late_arterial", "portal_venous", "excretory")
    ),
)
def contrast_phase_probability(contrast_phases: Mapping[str, float]) -> Mapping[str, float]:
    """How probable each contrast phase is by the image alone, without any time or name in the header.

    Parameters
    ----------
    contrast_phases : probabilities by phase.

    Returns
    -------
    Mapping
        1, in 0 to 1, together 1.

    Raises
    ------
    Undefined
        ``quality.contrast-phase-needs-aorta``, ``quality.no-spine``, ``quality.oblique-grid``, ``quality.thin-slab``.

    Notes
    -----
    Neighbouring phases flow into each other: around 85 s an image is portal venous and nephrographic alike, and the
    probabilities say so. Split boluses, dual-energy images and severe heart or kidney failure are not modelled.
    """
    return contrast_phases


def _seen(landmarks: ContrastLandmarks) -> dict[str, float]:
    """The features of what was found."""
    seen: dict[str, float] = {}
    if isinstance(landmarks.aorta, Aorta):
        seen["aorta"] = float(np.median(landmarks.aorta.hu))
    if isinstance(landmarks.portal_vein, PortalVein):
        seen["portal_vein"] = float(np.median(landmarks.portal_vein.hu))
    if isinstance(landmarks.liver, LiverParenchyma):
        seen["liver"] = landmarks.liver.hu
    if isinstance(landmarks.kidneys, KidneyTissue):
        seen["cortex"] = landmarks.kidneys.cortex
        if landmarks.kidneys.has_medulla:
            seen["difference"] = landmarks.kidneys.cortex - landmarks.kidneys.medulla
    return seen


def _shared_factors(
    model: PhaseModel, tube_voltage_kv: float | None
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Values of the patient's factor and their weights, which add up to 1."""
    sd, middle = model.shared_log_sd, np.log(model.shared_mean)
    if tube_voltage_kv is None:
        sd = float(np.hypot(sd, 0.2))
    else:
        middle += np.log(np.interp(tube_voltage_kv, model.kilovolt, model.iodine_factor))
    steps = np.linspace(-REACH_SDS, REACH_SDS, FACTORS)
    weights = np.exp(-0.5 * steps**2)
    return np.exp(middle + sd * steps), weights / weights.sum()
