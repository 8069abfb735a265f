"""What is extracted from an image or from one image made of it."""

from __future__ import annotations

from dataclasses import dataclass

from bingcheng.quantify.radiomics.settings import RadiomicsSettings
from bingcheng.quantify.radiomics.standardisation import Standardisation

ORIGINAL = "original"


@dataclass(frozen=True, slots=True, kw_only=True)
class ImageType:
    """One image to extract features from.

    Parameters
    ----------
    name : ``original``, or that of the filter that made it.
    settings : everything but what follows.
    features : tags without aggregation to which the values are limited; None keeps all.
    standardisation : of the whole image, before anything else.
    """

    name: str
    settings: RadiomicsSettings
    features: frozenset[str] | None = None
    standardisation: Standardisation | None = None

    @staticmethod
    def of(settings: RadiomicsSettings) -> ImageType:
        """The image that settings alone ask for."""
        return ImageType(name=ORIGINAL if settings.filter is None else settings.filter.name, settings=settings)

    def wants(self, feature: str) -> bool:
        """Whether a feature, by its tag without aggregation, is asked for."""
        return self.features is None or feature in self.features
