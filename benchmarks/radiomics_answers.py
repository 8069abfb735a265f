"""What radiomics programs call their features, under the tags of the IBSI's tables; and where two answers part."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Mapping

from bingcheng.quantify.radiomics.families import all_features
from bingcheng.quantify.radiomics.pyradiomics_features import TAGS
from bingcheng.quantify.radiomics.settings import RadiomicsSettings

Answer = Mapping[str, float]

IN_VOLUME = RadiomicsSettings()
"""Neighbours in all directions, merged: what every peer is asked for."""

PICTOLOGICS_OWN = {"1PR": "ih_p10", "1PR8": "ih_min"}
"""The manual gives both the identifier 1PR8."""
PICTOLOGICS_ENDS = {"BC2M_10": "ivh_v10", "BC2M_90": "ivh_v90", "GBPN_10": "ivh_i10", "GBPN_90": "ivh_i90"}
MIRP_BINS = re.compile(r"_fb[ns]_[nw][\d.]+$")
MIRP_DISTANCES = re.compile(r"_d1(_a0\.0)?(?=_3d)")
MIRP_PLACES = {"_3d_v_mrg": "_3D_comb", "_3d_avg": "_3D_avg", "_3d": "_3D"}
DIRECTIONAL, PLAIN = "_3D_avg", "_3D"


def of_pictologics(answer: Answer) -> dict[str, float]:
    """Its names end with the identifier of the manual."""
    tags = {entry.feature.ibsi: entry.tag for entry in all_features(IN_VOLUME)} | PICTOLOGICS_OWN
    found = {}
    for name, value in answer.items():
        end = "_".join(name.split("_")[-2:])
        found[PICTOLOGICS_ENDS.get(end) or tags[name.rpartition("_")[2]]] = value
    return found


def of_mirp(answer: Answer) -> dict[str, float]:
    """Its names are the tags with settings after them; what the IBSI's tables don't have keeps its name."""
    return {_mirp_tag(name): value for name, value in answer.items()}


def _mirp_tag(name: str) -> str:
    bare = MIRP_DISTANCES.sub("", MIRP_BINS.sub("", name))
    for theirs, ours in MIRP_PLACES.items():
        if bare.endswith(theirs):
            return bare.removesuffix(theirs) + ours
    return bare


def of_pyradiomics(answer: Answer) -> dict[str, float]:
    """What has a tag; its texture is averaged over directions."""
    found = {}
    for name, value in answer.items():
        family, _, feature = name.partition("_")
        tag = TAGS.get(family, {}).get(feature)
        if tag is not None:
            found[tag + _place(family)] = value
    return found


def _place(family: str) -> str:
    if family in ("firstorder", "shape"):
        return ""
    return DIRECTIONAL if family in ("glcm", "glrlm") else PLAIN


def apart(ours: Answer, theirs: Answer, rtol: float, atol: float = 0.0) -> dict[str, tuple[float, float]]:
    """Both values of every tag that both have and that differs by more than `rtol` of the larger, and `atol`."""
    return {
        tag: (ours[tag], theirs[tag])
        for tag in ours
        if tag in theirs and not math.isclose(ours[tag], theirs[tag], rel_tol=rtol, abs_tol=atol)
    }


def lacking(ours: Answer, theirs: Answer, excused: Iterable[str] = ()) -> tuple[str, ...]:
    """Tags that one of the two has and the other has not."""
    return tuple(sorted((set(ours) ^ set(theirs)) - set(excused)))
