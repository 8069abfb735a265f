"""The features of pyradiomics under the tags of the IBSI's tables, and where the two definitions part.

Source: the definitions and remarks on the IBSI in pyradiomics' own documentation (van Griethuysen et al., Cancer Res
2017;77:e104-e107; pyradiomics.readthedocs.io, "Radiomic Features" and "Frequently Asked Questions").
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from bingcheng.core.wording import Text, text
from bingcheng.quantify.radiomics.feature import Family


def _table(**names: str) -> Mapping[str, str]:
    return MappingProxyType(names)


_RUNS = "rlm"
_ZONES = "szm"
_DEPENDENCE = "ngl"

TAGS: Mapping[str, Mapping[str, str]] = MappingProxyType(
    {
        "firstorder": MappingProxyType(
            {
                "Energy": "stat_energy",
                "Entropy": "ih_entropy",
                "Minimum": "stat_min",
                "10Percentile": "stat_p10",
                "90Percentile": "stat_p90",
                "Maximum": "stat_max",
                "Mean": "stat_mean",
                "Median": "stat_median",
                "InterquartileRange": "stat_iqr",
                "Range": "stat_range",
                "MeanAbsoluteDeviation": "stat_mad",
                "RobustMeanAbsoluteDeviation": "stat_rmad",
                "RootMeanSquared": "stat_rms",
                "Skewness": "stat_skew",
                "Kurtosis": "stat_kurt",
                "Variance": "stat_var",
                "Uniformity": "ih_uniformity",
            }
        ),
        "shape": _table(
            MeshVolume="morph_volume",
            VoxelVolume="morph_vol_approx",
            SurfaceArea="morph_area_mesh",
            SurfaceVolumeRatio="morph_av",
            Sphericity="morph_sphericity",
            Compactness1="morph_comp_1",
            Compactness2="morph_comp_2",
            SphericalDisproportion="morph_sph_dispr",
            Maximum3DDiameter="morph_diam",
            MajorAxisLength="morph_pca_maj_axis",
            MinorAxisLength="morph_pca_min_axis",
            LeastAxisLength="morph_pca_least_axis",
            Elongation="morph_pca_elongation",
            Flatness="morph_pca_flatness",
        ),
        "glcm": _table(
            Autocorrelation="cm_auto_corr",
            JointAverage="cm_joint_avg",
            ClusterProminence="cm_clust_prom",
            ClusterShade="cm_clust_shade",
            ClusterTendency="cm_clust_tend",
            Contrast="cm_contrast",
            Correlation="cm_corr",
            DifferenceAverage="cm_diff_avg",
            DifferenceEntropy="cm_diff_entr",
            DifferenceVariance="cm_diff_var",
            Dissimilarity="cm_dissimilarity",
            JointEnergy="cm_energy",
            JointEntropy="cm_joint_entr",
            Homogeneity1="cm_inv_diff",
            Homogeneity2="cm_inv_diff_mom",
            Imc1="cm_info_corr1",
            Imc2="cm_info_corr2",
            Idm="cm_inv_diff_mom",
            Idmn="cm_inv_diff_mom_norm",
            Id="cm_inv_diff",
            Idn="cm_inv_diff_norm",
            InverseVariance="cm_inv_var",
            MaximumProbability="cm_joint_max",
            SumAverage="cm_sum_avg",
            SumVariance="cm_sum_var",
            SumEntropy="cm_sum_entr",
            SumSquares="cm_joint_var",
        ),
        "glrlm": _table(
            ShortRunEmphasis=f"{_RUNS}_sre",
            LongRunEmphasis=f"{_RUNS}_lre",
            GrayLevelNonUniformity=f"{_RUNS}_glnu",
            GrayLevelNonUniformityNormalized=f"{_RUNS}_glnu_norm",
            RunLengthNonUniformity=f"{_RUNS}_rlnu",
            RunLengthNonUniformityNormalized=f"{_RUNS}_rlnu_norm",
            RunPercentage=f"{_RUNS}_r_perc",
            GrayLevelVariance=f"{_RUNS}_gl_var",
            RunVariance=f"{_RUNS}_rl_var",
            RunEntropy=f"{_RUNS}_rl_entr",
            LowGrayLevelRunEmphasis=f"{_RUNS}_lgre",
            HighGrayLevelRunEmphasis=f"{_RUNS}_hgre",
            ShortRunLowGrayLevelEmphasis=f"{_RUNS}_srlge",
            ShortRunHighGrayLevelEmphasis=f"{_RUNS}_srhge",
            LongRunLowGrayLevelEmphasis=f"{_RUNS}_lrlge",
            LongRunHighGrayLevelEmphasis=f"{_RUNS}_lrhge",
        ),
        "glszm": _table(
            SmallAreaEmphasis=f"{_ZONES}_sze",
            LargeAreaEmphasis=f"{_ZONES}_lze",
            GrayLevelNonUniformity=f"{_ZONES}_glnu",
            GrayLevelNonUniformityNormalized=f"{_ZONES}_glnu_norm",
            SizeZoneNonUniformity=f"{_ZONES}_zsnu",
            SizeZoneNonUniformityNormalized=f"{_ZONES}_zsnu_norm",
            ZonePercentage=f"{_ZONES}_z_perc",
            GrayLevelVariance=f"{_ZONES}_gl_var",
            ZoneVariance=f"{_ZONES}_zs_var",
            ZoneEntropy=f"{_ZONES}_zs_entr",
            LowGrayLevelZoneEmphasis=f"{_ZONES}_lgze",
            HighGrayLevelZoneEmphasis=f"{_ZONES}_hgze",
            SmallAreaLowGrayLevelEmphasis=f"{_ZONES}_szlge",
            SmallAreaHighGrayLevelEmphasis=f"{_ZONES}_szhge",
            LargeAreaLowGrayLevelEmphasis=f"{_ZONES}_lzlge",
            LargeAreaHighGrayLevelEmphasis=f"{_ZONES}_lzhge",
        ),
        "gldm": _table(
            SmallDependenceEmphasis=f"{_DEPENDENCE}_lde",
            LargeDependenceEmphasis=f"{_DEPENDENCE}_hde",
            GrayLevelNonUniformity=f"{_DEPENDENCE}_glnu",
            GrayLevelNonUniformityNormalized=f"{_DEPENDENCE}_glnu_norm",
            DependenceNonUniformity=f"{_DEPENDENCE}_dcnu",
            DependenceNonUniformityNormalized=f"{_DEPENDENCE}_dcnu_norm",
            GrayLevelVariance=f"{_DEPENDENCE}_gl_var",
            DependenceVariance=f"{_DEPENDENCE}_dc_var",
            DependenceEntropy=f"{_DEPENDENCE}_dc_entr",
            DependencePercentage=f"{_DEPENDENCE}_dc_perc",
            LowGrayLevelEmphasis=f"{_DEPENDENCE}_lgce",
            HighGrayLevelEmphasis=f"{_DEPENDENCE}_hgce",
            SmallDependenceLowGrayLevelEmphasis=f"{_DEPENDENCE}_ldlge",
            SmallDependenceHighGrayLevelEmphasis=f"{_DEPENDENCE}_ldhge",
            LargeDependenceLowGrayLevelEmphasis=f"{_DEPENDENCE}_hdlge",
            LargeDependenceHighGrayLevelEmphasis=f"{_DEPENDENCE}_hdhge",
        ),
        "ngtdm": _table(
            Coarseness="ngt_coarseness",
            Contrast="ngt_contrast",
            Busyness="ngt_busyness",
            Complexity="ngt_complexity",
            Strength="ngt_strength",
        ),
    }
)
"""By class and name in pyradiomics: the tag, without the aggregation."""

FAMILIES: Mapping[str, tuple[Family, ...]] = MappingProxyType(
    {
        "firstorder": (Family.STATISTICS, Family.HISTOGRAM),
        "shape": (Family.MORPHOLOGY,),
        "glcm": (Family.COOCCURRENCE,),
        "glrlm": (Family.RUN_LENGTH,),
        "glszm": (Family.SIZE_ZONE,),
        "gldm": (Family.GREY_LEVEL_DEPENDENCE,),
        "ngtdm": (Family.GREY_TONE_DIFFERENCE,),
    }
)

BY_NAME_ONLY: Mapping[str, frozenset[str]] = MappingProxyType(
    {
        "firstorder": frozenset({"StandardDeviation"}),
        "shape": frozenset({"Compactness1", "Compactness2", "SphericalDisproportion"}),
        "glcm": frozenset({"Dissimilarity", "Homogeneity1", "Homogeneity2", "SumVariance"}),
        "gldm": frozenset({"GrayLevelNonUniformityNormalized", "DependencePercentage"}),
    }
)
"""What pyradiomics leaves out of a class that is asked for as a whole: other features say the same."""

ELSEWHERE: Mapping[tuple[str, str], Text] = MappingProxyType(
    {
        ("firstorder", "TotalEnergy"): text("The IBSI knows no total energy: multiply stat_energy by the voxel's mm³."),
        ("firstorder", "StandardDeviation"): text("The IBSI knows the variance alone: take the root of stat_var."),
        ("glcm", "MCC"): text("The IBSI knows no maximal correlation coefficient."),
        ("shape", "Maximum2DDiameterSlice"): text("The IBSI knows the three-dimensional diameter alone."),
        ("shape", "Maximum2DDiameterColumn"): text("The IBSI knows the three-dimensional diameter alone."),
        ("shape", "Maximum2DDiameterRow"): text("The IBSI knows the three-dimensional diameter alone."),
    }
)
"""Features of pyradiomics that the IBSI does not have."""

DIFFERENT: Mapping[tuple[str, str], Text] = MappingProxyType(
    {
        ("firstorder", "Kurtosis"): text("stat_kurt is the excess: pyradiomics' value is larger by 3."),
    }
)
"""Features whose definitions differ although the name is the same."""
