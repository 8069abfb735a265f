"""Radiomics as a step of a scikit-learn pipeline: images with their masks in, a matrix of features out.

It needs the extra ``learn``: ``pip install 'bingcheng[learn]'``.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from bingcheng.core.errors import BingchengError, InputError, Owner, Problem, Undefined
from bingcheng.engine.radiomics.call import Settings, image_types_of, one_lesion
from bingcheng.engine.radiomics.settings import limited
from bingcheng.outputs.radiomics.table import LesionFeatures
from bingcheng.quantify.radiomics.families import all_features
from bingcheng.quantify.radiomics.image_type import ImageType

if TYPE_CHECKING:
    BaseEstimator: Any = object
    TransformerMixin: Any = object
    NotFittedError: Any = Exception
else:
    try:
        from sklearn.base import BaseEstimator, TransformerMixin
        from sklearn.exceptions import NotFittedError
    except ImportError as error:
        message = "RadiomicsTransformer needs scikit-learn: install Bingcheng with its extra, bingcheng[learn]"
        raise ImportError(message) from error

NOT_A_PAIR = Problem(
    code="engine.radiomics-not-a-pair",
    says="sample {number} is not an image with its mask",
    remedy="Give each sample as (image, mask), or (image, mask, spacing_mm) for arrays.",
    owner=Owner.DEVELOPER,
)

Sample = Sequence[Any]


class RadiomicsTransformer(TransformerMixin, BaseEstimator):  # type: ignore[misc]
    """Features of one lesion a sample; it learns nothing, so that it can't leak from the test set into training.

    Parameters
    ----------
    settings : as `radiomics` takes them; None takes those of the images' modality.
    families : names of feature families, to limit the features; None keeps those of the settings.
    modality : ``CT``, ``MR`` or ``PT``, where images do not say it.
    label : of the region, where masks hold several.
    workers : threads over the images; no value depends on it.

    Attributes
    ----------
    feature_names_out_ : tags in the IBSI's tables, in the order of the columns; with ``image type.`` in front where
        the settings ask for several image types.
    undefined_ : of the last call of `transform`, for each sample the reasons of its NaN by feature name.

    Examples
    --------
    >>> from sklearn.pipeline import make_pipeline
    >>> from sklearn.impute import SimpleImputer
    >>> from sklearn.preprocessing import StandardScaler
    >>> from sklearn.linear_model import LogisticRegression
    >>> steps = RadiomicsTransformer(modality="CT"), SimpleImputer(), StandardScaler(), LogisticRegression()
    >>> model = make_pipeline(*steps)  # model.fit([("1.nii.gz", "1_mask.nii.gz"), ...], outcomes)
    """

    def __init__(
        self,
        settings: Settings | None = None,
        *,
        families: Sequence[str] | None = None,
        modality: str | None = None,
        label: str | int | None = None,
        workers: int = 1,
    ) -> None:
        self.settings = settings
        self.families = families
        self.modality = modality
        self.label = label
        self.workers = workers

    def fit(self, X: Sequence[Sample], y: object = None) -> RadiomicsTransformer:  # noqa: ARG002 - scikit-learn's
        """Check the settings and name the features; images are not read.

        Raises
        ------
        InputError
            as `read_settings`; ``engine.radiomics-no-such-modality``.
        """
        types = self._types()
        several = len(types) > 1
        names = [
            f"{one.name}.{entry.tag}" if several else entry.tag
            for one in types
            for entry in all_features(one.settings)
            if one.wants(entry.feature.tag)
        ]
        self.feature_names_out_: NDArray[np.object_] = np.asarray(names, dtype=object)
        return self

    def transform(self, X: Sequence[Sample]) -> NDArray[np.float64]:
        """The features (sample, feature); NaN where there is no value, for the reasons in `undefined_`.

        Parameters
        ----------
        X : for each sample (image, mask) or (image, mask, spacing_mm), in any form that `radiomics` takes.

        Raises
        ------
        NotFittedError
            before `fit`.
        """
        if not hasattr(self, "feature_names_out_"):
            raise NotFittedError(f"call {type(self).__name__}.fit first")
        columns = {str(name): number for number, name in enumerate(self.feature_names_out_)}
        table = np.full((len(X), len(columns)), np.nan)
        self.undefined_: list[dict[str, BingchengError]] = []
        with ThreadPoolExecutor(max(1, self.workers)) as pool:
            for row, found in enumerate(pool.map(self._lesion, range(len(X)), X)):
                reasons: dict[str, BingchengError] = {}
                if isinstance(found, BingchengError):
                    reasons = dict.fromkeys(columns, found)
                else:
                    for name, value in self._values(found):
                        if isinstance(value, BingchengError):
                            reasons[name] = value
                        else:
                            table[row, columns[name]] = value
                self.undefined_.append(reasons)
        return table

    def get_feature_names_out(self, input_features: object = None) -> NDArray[np.object_]:  # noqa: ARG002 - scikit-learn's
        """The names of the columns."""
        if not hasattr(self, "feature_names_out_"):
            raise NotFittedError(f"call {type(self).__name__}.fit first")
        return self.feature_names_out_

    def _types(self) -> tuple[ImageType, ...]:
        # Settings of the modalities differ in how, not in what is extracted.
        return limited(image_types_of(self.settings, self.modality or "CT"), self.families)

    def _lesion(self, number: int, sample: Sample) -> tuple[LesionFeatures, ...] | BingchengError:
        try:
            if isinstance(sample, str | Mapping) or not 2 <= len(sample) <= 3:
                raise InputError(NOT_A_PAIR, number=number)
            image, mask, *more = sample
            return one_lesion(
                image,
                mask,
                self.settings,
                families=self.families,
                modality=self.modality,
                spacing_mm=more[0] if more else None,
                label=self.label,
            )
        except BingchengError as error:
            return error

    def _values(self, lesions: Sequence[LesionFeatures]) -> Iterator[tuple[str, float | Undefined]]:
        several = len({one.image_type.name for one in lesions}) > 1
        for one in lesions:
            for entry, value in one.values():
                yield (f"{one.image_type.name}.{entry.tag}" if several else entry.tag), value
