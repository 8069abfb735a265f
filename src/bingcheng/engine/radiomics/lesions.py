"""The radiomics features of an exam's lesions, in the form in which they are kept."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import TYPE_CHECKING

from bingcheng.core.case import Case
from bingcheng.core.errors import BingchengError
from bingcheng.core.measurement import NoValue
from bingcheng.core.provenance import Provenance
from bingcheng.engine.radiomics.asked import Asked
from bingcheng.image.region import Region
from bingcheng.image.volume import Volume
from bingcheng.outputs.radiomics.feature_set import FeatureKind, FeatureSet

if TYPE_CHECKING:
    from bingcheng.quantify.radiomics.image_type import ImageType

STORED_IMAGE = {"PT": "suv"}
"""From what features are extracted, where it is not the image as it was read: of PET its SUV."""


def lesion_features(asked: Asked, case: Case, region: Region) -> tuple[FeatureSet, ...]:
    """The features of a lesion in each image type that is asked for; what can't be measured says why."""
    return tuple(_features(asked, case, region, one) for one in asked.types(case.modality))


def _features(asked: Asked, case: Case, region: Region, wanted: ImageType) -> FeatureSet:
    # Loads what compiles kernels, which most runs don't need.
    from bingcheng.quantify.radiomics.extraction import REVISION  # noqa: PLC0415
    from bingcheng.quantify.radiomics.families import all_features  # noqa: PLC0415
    from bingcheng.quantify.radiomics.robustness import robust_features  # noqa: PLC0415

    standardised = wanted.standardisation
    empty = FeatureSet(
        kind=FeatureKind(
            modality=case.modality,
            image_type=wanted.name,
            digest=wanted.settings.digest,
            standardisation="" if standardised is None else json.dumps(standardised.as_mapping(), sort_keys=True),
        ),
        settings=wanted.settings.as_mapping(),
        image_unit="1",
        provenance=Provenance(measure="radiomics", revision=REVISION, inputs=case.inputs),
    )
    try:
        volume = case[STORED_IMAGE.get(case.modality, "volume")]
        assert isinstance(volume, Volume)
        if standardised is not None:
            volume = standardised.applied(volume)
        found = robust_features(volume, region, wanted.settings, workers=asked.threads, inputs=case.inputs)
    except BingchengError as error:
        return replace(empty, refused=NoValue.of(error))
    tags = tuple(one.tag for one in all_features(wanted.settings) if wanted.wants(one.feature.tag))
    values, numbers = found.result.values, found.result.numbers()
    kinds = dict.fromkeys(kind for parts in found.components.values() for kind in parts)
    return replace(
        empty,
        image_unit=found.result.image_unit,
        voxels=found.result.voxels,
        counted=found.result.counted,
        repetitions=found.repetitions,
        tags=tags,
        values=tuple(numbers.get(tag) for tag in tags),
        standard_uncertainties=tuple(found.standard_uncertainty.get(tag) for tag in tags),
        components={kind: tuple(found.components.get(tag, {}).get(kind) for tag in tags) for kind in kinds},
        no_values={tag: NoValue.of(one) for tag in tags if isinstance(one := values[tag], BingchengError)},
        provenance=Provenance(measure="radiomics", revision=REVISION, inputs=found.result.provenance.inputs),
    )
