"""Which quantities say how a series was made, and so may be learnt from good exams.

A quantity of a plug-in is learnt too, unless it is a word that people type.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from bingcheng.protocol.attributes import About, Attribute, attributes
from bingcheng.protocol.authoring.clusters import LEFT_OUT, TOLD_BY
from bingcheng.protocol.values import Kind

NOT_LEARNT = frozenset(
    {
        "Modality",
        "ManufacturerModelName",
        "SoftwareVersions",
        "derived.vendor",
        "BodyPartExamined",
        "ContrastBolusAgent",
        "PatientAge",
        "PatientSize",
        "PatientWeight",
        "derived.body_mass_index",
        "derived.content",
        "derived.obliquity_deg",
        "derived.slice_count",
        "derived.coverage_mm",
        "derived.blood_glucose",
        "RadionuclideTotalDose",
        "derived.administered_mbq",
        "derived.declared_phases",
        "derived.possible_phases",
        "derived.contrast_delays_s",
        "derived.interval_over_thickness",
        "derived.slice_gap",
        "derived.after_contrast",
        "derived.contrast_times",
        "derived.phases_held",
        "Columns",
        "PixelSpacing",
        "derived.fov_mm",
        "derived.n_b_values",
        "derived.slices_per_station",
    }
)
"""Who was examined and where, what follows the patient's size, and what says another quantity over again."""
VENDORS_WORDS = frozenset(
    {
        "ConvolutionKernel",
        "CorrectedImage",
        "DecayCorrection",
        "InPlanePhaseEncodingDirection",
        "ScanningSequence",
        "SequenceVariant",
        "Units",
        "derived.coil_type",
    }
)
"""Words that the scanner writes. Others that belong to no closed vocabulary (names of series and protocols) are typed
by people, who may type a patient's name: they are never learnt."""
NOT_OF: Mapping[str, tuple[str, ...]] = MappingProxyType({"PT": ("contrast",)})
"""Parts of the names of quantities that say nothing about series of a modality."""
JUDGES_ITSELF = (
    "contradictions",
    "_agrees",
    "impossible_",
    "wrong_",
    "over_declared",
    "field_over_diameter",
    "echo_over_",
)
"""Parts of the names of quantities by which the program checks a header, which the consistency protocols ask for."""


def learnable(modality: str) -> tuple[Attribute, ...]:
    """The quantities of series of `modality` that say how they were made."""
    not_asked = (*JUDGES_ITSELF, *NOT_OF.get(modality, ()))
    told = {*NOT_LEARNT, *LEFT_OUT, *TOLD_BY.get(modality, ())}
    return tuple(
        one
        for one in attributes()
        if one.about is About.SERIES
        and (not one.modalities or modality in one.modalities)
        and (one.kind not in (Kind.WORD, Kind.WORDS) or one.words or one.key in VENDORS_WORDS)
        and one.key not in told
        and not any(part in one.key.casefold() for part in not_asked)
    )
