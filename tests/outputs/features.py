"""A lesion's features as they are kept, made by hand: statistics of a CT lesion and one texture family."""

from __future__ import annotations

from bingcheng.compare.reliability import Reliability
from bingcheng.core.errors import Owner
from bingcheng.core.measurement import NoValue
from bingcheng.core.provenance import Provenance
from bingcheng.core.wording import text
from bingcheng.outputs.radiomics.feature_set import FeatureCohort, FeatureKind, FeatureSet
from bingcheng.quantify.radiomics.feature import Family
from bingcheng.quantify.radiomics.settings import RadiomicsSettings

SETTINGS = RadiomicsSettings(families=(Family.STATISTICS, Family.COOCCURRENCE))
KIND = FeatureKind(modality="CT", image_type="original", digest=SETTINGS.digest)
FLAT = NoValue(code="q.flat", reason=text("the lesion is flat"), remedy=text("Draw more."), owner=Owner.RADIOLOGIST)
TOO_FEW = NoValue(code="q.few", reason=text("too few lesions"), remedy=text("Measure more."), owner=Owner.OPERATOR)
TAGS = ("stat_mean", "stat_var", "cm_joint_max_3D_comb", "stat_skew")


def feature_set(**changed: object) -> FeatureSet:
    stored = {
        "kind": KIND,
        "settings": SETTINGS.as_mapping(),
        "image_unit": "[hnsf'U]",
        "provenance": Provenance(measure="radiomics", revision=1, inputs=("1.2.3",)),
        "voxels": 512,
        "counted": 500,
        "repetitions": 30,
        "tags": TAGS,
        "values": (41.25, 12.5, 0.125, None),
        "standard_uncertainties": (0.5, None, 0.0625, None),
        "components": {"contour": (0.3, None, 0.05, None), "noise": (0.4, None, 0.0375, None)},
        "no_values": {"stat_skew": FLAT},
    }
    return FeatureSet(**(stored | changed))  # type: ignore[arg-type]


def feature_cohort() -> FeatureCohort:
    return FeatureCohort(
        kind=KIND,
        settings=SETTINGS.as_mapping(),
        lesions=12,
        reliability={
            "stat_mean": Reliability(icc=0.97, low=0.93, high=0.99, lesions=12),
            "stat_var": Reliability(icc=0.6, low=0.2, high=0.8, lesions=12),
            "cm_joint_max_3D_comb": Reliability(icc=0.9, low=0.8, high=0.95, lesions=12),
            "stat_skew": TOO_FEW,
        },
    )
