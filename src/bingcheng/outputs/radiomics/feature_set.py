"""The radiomics features of one lesion as they are kept and shown: columns of values, named when they are read."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from bingcheng.core.errors import InputError
from bingcheng.core.measurement import NoValue
from bingcheng.core.provenance import Provenance

if TYPE_CHECKING:
    from bingcheng.compare.reliability import Reliability
    from bingcheng.quantify.radiomics.families import Entry
    from bingcheng.quantify.radiomics.settings import RadiomicsSettings

UNKNOWN_FAMILY = "other"


@dataclass(frozen=True, slots=True, kw_only=True)
class Feature:
    """One feature of a lesion.

    Parameters
    ----------
    tag, label, family : as the IBSI names them; a tag that this release does not know is its own label.
    ibsi : identifier in the reference manual, with that of the aggregation after a colon; empty if not known.
    unit : UCUM code, of the value and of its uncertainty.
    value : None exactly when `no_value` says why there is none.
    standard_uncertainty : k = 1; None where it is not known.
    """

    tag: str
    label: str
    family: str
    ibsi: str
    unit: str
    value: float | None
    standard_uncertainty: float | None
    no_value: NoValue | None

    @property
    def expanded_uncertainty(self) -> float | None:
        """With coverage factor 2: about 95 % (JCGM 100:2008, 6.2)."""
        return None if self.standard_uncertainty is None else 2.0 * self.standard_uncertainty


@dataclass(frozen=True, slots=True, kw_only=True)
class FeatureKind:
    """In which way features were extracted; only those of one kind are compared.

    Parameters
    ----------
    modality : DICOM modality of the image.
    image_type : ``original``, or the filter that the image went through.
    digest : of the settings.
    standardisation : of the whole image beforehand, as text; empty if there was none.
    """

    modality: str
    image_type: str
    digest: str
    standardisation: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class FeatureSet:
    """The features of one lesion in one image type, in columns: some two hundred values share everything else.

    Parameters
    ----------
    kind : in which way they were extracted.
    settings : the same in full, as JSON values.
    image_unit : UCUM code of the intensities.
    voxels, counted : of the lesion after interpolation, and those whose intensity counts.
    repetitions : perturbations that the uncertainty was told from.
    tags, values, standard_uncertainties : of equal length, in the manual's order.
    components : by kind of perturbation, its standard uncertainty of each value.
    no_values : by tag, why there is no value.
    refused : why the lesion has no features at all; then all columns are empty.
    """

    kind: FeatureKind
    settings: Mapping[str, object]
    image_unit: str
    provenance: Provenance
    voxels: int = 0
    counted: int = 0
    repetitions: int = 0
    tags: tuple[str, ...] = ()
    values: tuple[float | None, ...] = ()
    standard_uncertainties: tuple[float | None, ...] = ()
    components: Mapping[str, tuple[float | None, ...]] = field(default_factory=dict)
    no_values: Mapping[str, NoValue] = field(default_factory=dict)
    refused: NoValue | None = None

    def features(self) -> Iterator[Feature]:
        """Each feature with its names and unit."""
        named = named_features(self.settings)
        for tag, value, spread in zip(self.tags, self.values, self.standard_uncertainties, strict=True):
            entry = named.get(tag)
            yield Feature(
                tag=tag,
                label=tag if entry is None else entry.feature.label,
                family=UNKNOWN_FAMILY if entry is None else entry.feature.family.name.lower(),
                ibsi="" if entry is None else entry.ibsi,
                unit="1" if entry is None else entry.unit_of(self.image_unit),
                value=value,
                standard_uncertainty=spread,
                no_value=self.no_values.get(tag),
            )


@dataclass(frozen=True, slots=True, kw_only=True)
class FeatureCohort:
    """How robust each feature is over all lesions whose features are of one kind.

    Parameters
    ----------
    settings : the full settings of that kind.
    lesions : how many lesions there are, each counted once however often it was imaged.
    reliability : by tag, or why it can't be told.
    """

    kind: FeatureKind
    settings: Mapping[str, object]
    lesions: int
    reliability: Mapping[str, Reliability | NoValue]


def settings_of(stored: Mapping[str, object]) -> RadiomicsSettings | None:
    """The settings that were stored; None if this release does not understand them."""
    # Loads what compiles kernels, which no workspace without features need wait for.
    from bingcheng.quantify.radiomics.settings_file import from_mapping  # noqa: PLC0415

    try:
        return from_mapping(stored)
    except InputError:
        return None


def named_features(stored: Mapping[str, object]) -> Mapping[str, Entry]:
    """The features that the settings ask for, by tag."""
    from bingcheng.quantify.radiomics.families import all_features  # noqa: PLC0415 - see settings_of

    settings = settings_of(stored)
    return {} if settings is None else {entry.tag: entry for entry in all_features(settings)}
