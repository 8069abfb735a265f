"""Radiomics from Python in one call: ``from bingcheng.radiomics import radiomics``."""

from bingcheng.engine.radiomics.call import radiomics, radiomics_of_all
from bingcheng.engine.radiomics.transformer import RadiomicsTransformer
from bingcheng.quantify.radiomics.settings import RadiomicsSettings

__all__ = ["RadiomicsSettings", "RadiomicsTransformer", "radiomics", "radiomics_of_all"]
