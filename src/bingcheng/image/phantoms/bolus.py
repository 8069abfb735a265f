"""What a bolus of contrast medium does to the CT numbers of blood and organs: a compartment model of the circulation.

Blood plasma carries the iodine from an arm vein through right heart, lungs and left heart into the organs and back;
in the organs it leaks into the interstitium. The kidneys filter it into tubules that lead through cortex and medulla
into the calyces. Each compartment is well mixed, so that the whole is a linear system and its solution a matrix
exponential.

Sources: the form of the model, Bae, Heiken and Brink, Radiology 1998;207:647-655, and US patent 5583902; flows and
volumes are about those of a 70 kg adult. Shares of flow, transit times and leakage are chosen so that the enhancement
measured by Goshima et al. (liver: AJR 2006;187:W25-W32; kidney: Eur J Radiol 2007, PMID 17367973) comes out within its
spread; so it is a model of typical patients, not of any one.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import expm

PLASMA = 0.58
"""Share of plasma in blood (haematocrit 0.42)."""
HU_PER_MG_PER_ML = 25.0
"""Iodine at 120 kV (Bae, Radiology 2010;256:32)."""
UNENHANCED_HU: Mapping[str, float] = MappingProxyType(
    {
        "aorta": 40.0,
        "vena cava": 40.0,
        "portal vein": 40.0,
        "liver": 56.0,
        "spleen": 46.0,
        "cortex": 32.0,
        "medulla": 30.0,
        "calyx": 5.0,
        "muscle": 55.0,
    }
)

_PLASMA_ML: Mapping[str, float] = MappingProxyType(
    {
        "arm": 12.0,
        "right heart": 130.0,
        "lungs 1": 110.0,
        "lungs 2": 110.0,
        "left heart": 140.0,
        "aorta": 60.0,
        "bowel": 170.0,
        "spleen": 45.0,
        "portal vein": 60.0,
        "liver": 230.0,
        "kidneys": 75.0,
        "head": 120.0,
        "rest": 620.0,
        "vena cava": 500.0,
    }
)
_INTERSTITIUM_ML: Mapping[str, float] = MappingProxyType(
    {"bowel": 500.0, "spleen": 60.0, "liver": 260.0, "kidneys": 40.0, "rest": 9000.0, "lungs 2": 150.0}
)
_LEAKAGE_ML_PER_MIN: Mapping[str, float] = MappingProxyType(
    {"bowel": 700.0, "spleen": 90.0, "liver": 2500.0, "kidneys": 700.0, "rest": 3600.0, "lungs 2": 250.0}
)
_SHARES: Mapping[str, float] = MappingProxyType(
    {"bowel": 0.15, "spleen": 0.045, "liver": 0.065, "kidneys": 0.19, "head": 0.15, "rest": 0.40}
)
"""Shares of the cardiac output; the liver's is that of its artery."""
_FILTERED_ML_PER_MIN = 115.0
_ARRIVAL_S = 5.0
"""From the arm to the heart, where nothing is seen yet."""
_CORTEX_S, _MEDULLA_S, _DUCTS_S, _PELVIS_S = 47.0, 23.0, 60.0, 120.0
"""Mean times of the filtrate in cortical tubules, in medullary ones, in collecting ducts, and in the calyces."""
_KIDNEYS_ML, _CORTEX_SHARE = 310.0, 0.68
_CALYCES_ML = 25.0
_CORTEX_BLOOD, _MEDULLA_BLOOD = 1.0, 0.50
"""Plasma with its interstitium in cortex and medulla, relative to the kidneys' mean."""
_ORGANS_ML: Mapping[str, float] = MappingProxyType({"liver": 1600.0, "spleen": 190.0, "muscle": 45_000.0})


@dataclass(frozen=True, slots=True, kw_only=True)
class Injection:
    """An injection into a patient.

    Parameters
    ----------
    iodine_mg_per_kg : iodine by body weight.
    duration_s : of the injection.
    cardiac_output_l_per_min : for 70 kg.
    filtration : share of the normal glomerular filtration.
    iodine_factor : CT number of iodine relative to 120 kV.
    """

    iodine_mg_per_kg: float = 540.0
    duration_s: float = 30.0
    cardiac_output_l_per_min: float = 6.2
    filtration: float = 1.0
    iodine_factor: float = 1.0


def ct_numbers(injection: Injection, delay_s: float) -> dict[str, float]:
    """CT numbers in HU by tissue, `delay_s` after the injection began (0 or less: unenhanced).

    Tissues: aorta, vena cava, portal vein, liver, spleen, cortex, medulla, calyx, muscle.
    """
    if delay_s <= _ARRIVAL_S:
        return dict(UNENHANCED_HU)
    names = (
        *_PLASMA_ML,
        *(f"{name} outside" for name in _INTERSTITIUM_ML),
        "cortical",
        "medullary",
        "ducts",
        "calyces",
    )
    place = {name: n for n, name in enumerate(names)}
    matrix = _circulation(injection, place)
    amount = _amounts(injection, matrix, place["arm"], delay_s - _ARRIVAL_S)
    return _seen(injection, dict(zip(names, amount, strict=True)))


def _circulation(injection: Injection, place: Mapping[str, int]) -> NDArray[np.float64]:
    """Rates per second at which iodine goes from one compartment (column) into another (row)."""
    matrix = np.zeros((len(place), len(place)))
    output = injection.cardiac_output_l_per_min * 1000.0 / 60.0 * PLASMA

    def leads(source: str, target: str, ml_per_s: float, volume_ml: float) -> None:
        matrix[place[target], place[source]] += ml_per_s / volume_ml
        matrix[place[source], place[source]] -= ml_per_s / volume_ml

    def flows(source: str, target: str, ml_per_s: float) -> None:
        leads(source, target, ml_per_s, _PLASMA_ML[source])

    flows("arm", "right heart", 5.0)
    for source, target in (
        ("right heart", "lungs 1"),
        ("lungs 1", "lungs 2"),
        ("lungs 2", "left heart"),
        ("left heart", "aorta"),
        ("vena cava", "right heart"),
    ):
        flows(source, target, output)
    for organ, share in _SHARES.items():
        flows("aorta", organ, share * output)
    for organ in ("bowel", "spleen"):
        flows(organ, "portal vein", _SHARES[organ] * output)
    portal = (_SHARES["bowel"] + _SHARES["spleen"]) * output
    flows("portal vein", "liver", portal)
    flows("liver", "vena cava", portal + _SHARES["liver"] * output)
    for organ in ("kidneys", "head", "rest"):
        flows(organ, "vena cava", _SHARES[organ] * output)
    for organ, volume_ml in _INTERSTITIUM_ML.items():
        leak = _LEAKAGE_ML_PER_MIN[organ] / 60.0
        flows(organ, f"{organ} outside", leak)
        leads(f"{organ} outside", organ, leak, volume_ml)
    flows("kidneys", "cortical", injection.filtration * _FILTERED_ML_PER_MIN / 60.0)
    leads("cortical", "medullary", 1.0, _CORTEX_S)
    leads("medullary", "ducts", 1.0, _MEDULLA_S)
    leads("ducts", "calyces", 1.0, _DUCTS_S)
    matrix[place["calyces"], place["calyces"]] -= 1.0 / _PELVIS_S
    return matrix


def _amounts(injection: Injection, matrix: NDArray[np.float64], arm: int, delay_s: float) -> NDArray[np.float64]:
    """Milligrams of iodine in each compartment of a 70 kg patient."""
    total_mg = injection.iodine_mg_per_kg * 70.0
    # One more row, the constant 1, carries the injection.
    size = matrix.shape[0]
    driven = np.zeros((size + 1, size + 1))
    driven[:size, :size] = matrix
    driven[arm, size] = total_mg / injection.duration_s
    state = np.zeros(size + 1)
    state[size] = 1.0
    during = min(delay_s, injection.duration_s)
    state = expm(driven * during) @ state
    if delay_s > during:
        state[:size] = expm(matrix * (delay_s - during)) @ state[:size]
    amounts: NDArray[np.float64] = state[:size]
    return amounts


def _seen(injection: Injection, amount: Mapping[str, float]) -> dict[str, float]:
    """CT numbers from the amounts of iodine."""
    blood = {name: PLASMA * amount[name] / _PLASMA_ML[name] for name in ("aorta", "vena cava", "portal vein")}
    renal = amount["kidneys"] + amount["kidneys outside"]
    concentration = blood | {
        "liver": (amount["liver"] + amount["liver outside"]) / _ORGANS_ML["liver"],
        "spleen": (amount["spleen"] + amount["spleen outside"]) / _ORGANS_ML["spleen"],
        "muscle": (amount["rest"] + amount["rest outside"]) / _ORGANS_ML["muscle"],
        "cortex": renal * _CORTEX_BLOOD / _KIDNEYS_ML + amount["cortical"] / (_KIDNEYS_ML * _CORTEX_SHARE),
        "medulla": renal * _MEDULLA_BLOOD / _KIDNEYS_ML
        + (amount["medullary"] + 0.12 * amount["ducts"]) / (_KIDNEYS_ML * (1.0 - _CORTEX_SHARE)),
        "calyx": amount["calyces"] / _CALYCES_ML,
    }
    factor = HU_PER_MG_PER_ML * injection.iodine_factor
    return {tissue: UNENHANCED_HU[tissue] + factor * concentration[tissue] for tissue in UNENHANCED_HU}
