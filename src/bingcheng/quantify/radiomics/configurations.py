"""The configurations of the IBSI's reference manual, under their names."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from bingcheng.quantify.radiomics.discretisation import FixedBinNumber, FixedBinSize, NoDiscretisation
from bingcheng.quantify.radiomics.feature import Aggregation
from bingcheng.quantify.radiomics.interpolation import ImageMethod, Interpolation
from bingcheng.quantify.radiomics.resegmentation import Resegmentation
from bingcheng.quantify.radiomics.settings import BY_SLICE, IN_VOLUME, RadiomicsSettings

_TRILINEAR = Interpolation(spacing_mm=(2.0, 2.0, 2.0), rounding=True)

CONFIGURATIONS: Mapping[str, RadiomicsSettings] = MappingProxyType(
    {
        "digital phantom": RadiomicsSettings(
            discretisation=NoDiscretisation(), volume_histogram=NoDiscretisation(), aggregations=tuple(Aggregation)
        ),
        "A": RadiomicsSettings(
            resegmentation=Resegmentation(low=-500.0, high=400.0),
            discretisation=FixedBinSize(width=25.0),
            volume_histogram=NoDiscretisation(),
            aggregations=BY_SLICE,
        ),
        "B": RadiomicsSettings(
            interpolation=Interpolation(spacing_mm=(None, 2.0, 2.0), rounding=True),
            resegmentation=Resegmentation(low=-500.0, high=400.0),
            discretisation=FixedBinNumber(count=32),
            volume_histogram=NoDiscretisation(),
            aggregations=BY_SLICE,
        ),
        "C": RadiomicsSettings(
            interpolation=_TRILINEAR,
            resegmentation=Resegmentation(low=-1000.0, high=400.0),
            discretisation=FixedBinSize(width=25.0),
            volume_histogram=FixedBinSize(width=2.5),
            aggregations=IN_VOLUME,
        ),
        "D": RadiomicsSettings(
            interpolation=_TRILINEAR,
            resegmentation=Resegmentation(outlier_sd=3.0),
            discretisation=FixedBinNumber(count=32),
            volume_histogram=NoDiscretisation(),
            aggregations=IN_VOLUME,
        ),
        "E": RadiomicsSettings(
            interpolation=Interpolation(spacing_mm=(2.0, 2.0, 2.0), image=ImageMethod.CUBIC_SPLINE, rounding=True),
            resegmentation=Resegmentation(low=-1000.0, high=400.0, outlier_sd=3.0),
            discretisation=FixedBinNumber(count=32),
            volume_histogram=FixedBinNumber(count=1000),
            aggregations=IN_VOLUME,
        ),
    }
)
"""IBSI reference manual, section on the benchmark data: the digital phantom, and A to E for the CT phantom."""
