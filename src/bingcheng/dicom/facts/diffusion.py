"""Diffusion weighting of an MR series: its b-values, its directions, and whether a b-value was computed."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from bingcheng.dicom.facts.series import SeriesFacts
from bingcheng.dicom.vendors.diffusion import Triple
from bingcheng.dicom.vendors.known import b_value, direction

SAME_DIRECTION = 1e-2
"""Unit vectors nearer than this (0.6 degrees) are one direction: headers round to two or three decimals."""

COMPUTED_WORDS = frozenset(
    (
        *("CALC_BVALUE", "CALCULATED_BVALUE", "CALC_B", "CALCULATED", "COMPUTED_BVALUE", "COMPUTED"),
        *("SYNTHETIC", "SYNTHETIC_BVALUE", "SYNTH_B", "SYN_B", "SYNB", "CDWI", "C_DWI", "SDWI"),
    )
)
"""Words of ImageType for a b-value that was computed from others: CALC_BVALUE is Siemens'."""

_MEASURED_WORDS = frozenset(("TRACEW", "TRACE", "TRACEWEIGHTED", "ISO", "ISODWI", "ISOTROPIC", "AVERAGE_B_VALUE"))
"""Derived by averaging images of one measured b-value."""

_MAP_WORDS = frozenset(("ADC", "EADC", "FA", "TENSOR", "TENSOR_B0", "COLFA", "RFA", "EXP", "IVIM"))
"""Maps of a model show no b-value at all."""


def b_values(facts: SeriesFacts) -> tuple[float, ...]:
    """All b-values of the series in s/mm2, rising. A lone zero is none: some write it into images without diffusion.

    The index tells volumes apart by their b-value only where nothing else does (a computed one has another image type).
    """
    unkeyed = [volume for volume in facts.series.volumes if "b_value" not in dict(volume.key)]
    kinds = {dict(volume.key).get("component"): volume for volume in reversed(unkeyed)}
    headers = facts.first_headers(tuple(kinds.values())) if facts.series.volumes else (facts.header,)
    found = {value for header in headers if (value := b_value(header)) is not None}
    found.update(facts.keyed("b_value"))
    return tuple(sorted(found)) if any(found) else ()


def diffusion_directions(facts: SeriesFacts, weightings: Sequence[float]) -> int | None:
    """How many directions, up to their sign, the images at the highest b-value have.

    None without diffusion, and for trace and averaged images: they were made of several directions, but say not how
    many.

    Parameters
    ----------
    weightings : the b-values of the series.
    """
    highest = max(weightings, default=0.0)
    if highest <= 0:
        return None
    volumes = [v for v in facts.series.volumes if dict(v.key).get("b_value", highest) == highest]
    distinct: list[Triple] = []
    for header in facts.first_headers(volumes):
        found = direction(header) if b_value(header) == highest else None
        if found is not None and not any(_same(found, known) for known in distinct):
            distinct.append(found)
    return len(distinct) or None


def synthetic_b(facts: SeriesFacts, weightings: Sequence[float]) -> bool | None:
    """Whether an image of the series shows a b-value that was computed; None without diffusion, or where untold.

    Parameters
    ----------
    weightings : the b-values of the series.
    """
    kinds = [set(kind) for kind in facts.kinds()]
    if any(_computed(kind) for kind in kinds) or _described(facts):
        return True
    if not weightings or any(kind & _MAP_WORDS for kind in kinds):
        return None
    measured = all("ORIGINAL" in kind or kind & _MEASURED_WORDS for kind in kinds)
    return False if measured and any(kinds) else None


def _computed(kind: set[str]) -> bool:
    """Whether a type says computed of a b-value; of an ADC map (CALCULATED) it says it of the map."""
    return bool(kind & COMPUTED_WORDS) and not kind & _MAP_WORDS


def _described(facts: SeriesFacts) -> bool:
    """Whether the derivation (0008,2111) speaks of a computed b-value."""
    said = (facts.header.text("DerivationDescription") or "").lower().replace("-", " ")
    made = any(word in said for word in ("calculated b", "computed b", "synthetic b", "synthesized b", "synthesised b"))
    return made or "synthetic diffusion" in said or "computed diffusion" in said


def _same(one: Triple, other: Triple) -> bool:
    first, second = np.asarray(one), np.asarray(other)
    return float(min(np.linalg.norm(first - second), np.linalg.norm(first + second))) < SAME_DIRECTION
