"""Radiomics in one call: an image and a mask in, in any form, features with uncertainty out.

>>> from bingcheng.engine.radiomics.call import radiomics
>>> result = radiomics("lung.nii.gz", "lung_mask.nii.gz", modality="CT")  # doctest: +SKIP
>>> result["stat_mean"]  # doctest: +SKIP
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from bingcheng.core.errors import BingchengError, InputError, Owner, Problem, Undefined
from bingcheng.core.refusal import Refusal, SubjectKind
from bingcheng.core.wording import Text, text
from bingcheng.engine.radiomics.files import is_file
from bingcheng.engine.radiomics.forms import subject_of
from bingcheng.engine.radiomics.inputs import MODALITY_UNKNOWN, Source, Subject, Wanted, found, modality_of
from bingcheng.engine.radiomics.settings import for_modality, limited, read_settings, settings_of
from bingcheng.image.geometry import Triple
from bingcheng.image.region import Region
from bingcheng.image.volume import Volume
from bingcheng.outputs.radiomics.table import Grade, LesionFeatures
from bingcheng.quantify.radiomics.extraction import RadiomicsResult, features
from bingcheng.quantify.radiomics.image_type import ImageType
from bingcheng.quantify.radiomics.lesion_workers import LesionWorkers
from bingcheng.quantify.radiomics.many_lesions import features_of_each
from bingcheng.quantify.radiomics.settings import RadiomicsSettings

if TYPE_CHECKING:
    from bingcheng.quantify.radiomics.robustness import RobustResult

SEVERAL_LESIONS = Problem(
    code="engine.radiomics-several-lesions",
    says="there are {count} lesions or image types, and one is needed here: {names}",
    remedy="Name one with label, or extract from all with radiomics_of_all.",
    owner=Owner.DEVELOPER,
)

Told = Callable[[Text, int, int], None]
"""Told of progress: the step, how much is done, of how much."""
Settings = RadiomicsSettings | Mapping[str, Any] | str | Path
Chosen = Callable[[str | None], tuple[ImageType, ...]]
"""What to extract from an image, by its modality."""
MEASURING = text("Measuring lesions")


def silent(_step: Text, _done: int, _total: int) -> None:
    """Tell nobody."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Extracted:
    """The features of every lesion, and what could not be measured and why."""

    lesions: tuple[LesionFeatures, ...]
    refusals: tuple[Refusal, ...] = ()


def radiomics(
    image: object,
    mask: object,
    settings: Settings | None = None,
    *,
    modality: str | None = None,
    spacing_mm: Triple | None = None,
    label: str | int | None = None,
) -> RadiomicsResult:
    """The radiomics features of one lesion, with units, IBSI identifiers, settings and provenance.

    Parameters
    ----------
    image : path of a NIfTI, NRRD or MetaImage file, of a DICOM file or folder; array (z, y, x); SimpleITK image;
        `Volume`.
    mask : path of a label map, of a DICOM SEG or RTSTRUCT; array (z, y, x); SimpleITK image; `Region`.
    settings : `RadiomicsSettings`, plain values or the path of a file that holds them, also pyradiomics' own; None
        takes those of the modality.
    modality : ``CT``, ``MR`` or ``PT``, where the image does not say it; its intensities are then taken for CT
        numbers, arbitrary units or SUV.
    spacing_mm : (z, y, x), of arrays.
    label : the region to measure, by its value in the label map, its number or its name; needed if there are several.

    Raises
    ------
    InputError
        ``engine.radiomics-several-lesions``, ``engine.radiomics-modality-unknown`` and others of the engine, of
        `read_settings` and of `bingcheng.quantify.radiomics.extraction.features`.
    Undefined
        ``quantify.lesion-without-voxels``.
    """
    lesions = one_lesion(image, mask, settings, modality=modality, spacing_mm=spacing_mm, label=label)
    if len(lesions) != 1:
        names = ", ".join(one.image_type.name for one in lesions)
        raise InputError(SEVERAL_LESIONS, count=len(lesions), names=names)
    return replace(lesions[0].result, values={entry.tag: value for entry, value in lesions[0].values()})


def one_lesion(
    image: object,
    mask: object,
    settings: Settings | None = None,
    *,
    families: Sequence[str] | None = None,
    modality: str | None = None,
    spacing_mm: Triple | None = None,
    label: str | int | None = None,
) -> tuple[LesionFeatures, ...]:
    """The features of one lesion, one entry an image type that the settings ask for; see `radiomics`.

    Parameters
    ----------
    families : names of feature families, to limit the features.
    """
    given = _given(settings)
    wanted = Wanted(modality=modality_of(modality), label=_word(label, given.label, mask))
    subject = subject_of(image, mask, wanted, spacing_mm)
    if len(subject.regions) != 1:
        names = ", ".join(region.label for region in subject.regions)
        raise InputError(SEVERAL_LESIONS, count=len(subject.regions), names=names)
    lesion = subject.regions[0]
    return tuple(
        LesionFeatures(
            image=subject.name,
            lesion=lesion.label,
            image_type=one,
            modality=subject.modality,
            result=features(_image(subject, one), lesion, one.settings, inputs=subject.inputs),
        )
        for one in limited(given.types(subject.modality), families)
    )


def radiomics_of_all(
    image: object,
    mask: object,
    settings: Settings | None = None,
    *,
    modality: str | None = None,
    spacing_mm: Triple | None = None,
    label: str | int | None = None,
    workers: int = 1,
    uncertainty: bool = False,
) -> Extracted:
    """The features of every lesion of an image or a folder, in every image type that the settings ask for.

    Parameters are those of `radiomics`. `workers` says how many lesions or images are measured at a time, on which no
    value depends; many lesions of one image are shared between processes, for which a script guards its main part by
    ``if __name__ == "__main__"``. `uncertainty` measures each lesion again under perturbations
    (`bingcheng.quantify.radiomics.robustness`).

    Raises
    ------
    InputError
        as `radiomics`; a lesion that can't be measured is a refusal.
    """
    given = _given(settings)
    wanted = Wanted(modality=modality_of(modality), label=_word(label, given.label, mask))
    if isinstance(image, str | Path) and (mask is None or isinstance(mask, str | Path)):
        there = found(Path(image), None if mask is None else Path(mask), wanted)
        sources, refusals = there.sources, there.refusals
    else:
        subject = subject_of(image, mask, wanted, spacing_mm)
        sources, refusals = (Source(name=subject.name, modality=subject.modality, read=lambda: subject),), ()
    if given.fixed is None and any(source.modality is None for source in sources):
        raise InputError(MODALITY_UNKNOWN)
    answer = extracted(sources, given.types, workers=workers, uncertainty=uncertainty)
    return Extracted(lesions=answer.lesions, refusals=(*refusals, *answer.refusals))


def extracted(
    sources: Sequence[Source], types: Chosen, *, workers: int = 1, uncertainty: bool = False, told: Told = silent
) -> Extracted:
    """The features of the lesions of many images; what can't be read or measured becomes a refusal, the rest goes on.

    Parameters
    ----------
    types : what to extract, by modality.
    workers : over the lesions of a single image, processes if they are many; else threads over the images.
    told : of progress, by the thread that asked.
    """
    lesions: list[LesionFeatures] = []
    refusals: list[Refusal] = []
    inner, outer = (workers, 1) if len(sources) == 1 else (1, workers)

    def one(source: Source) -> Extracted:
        told_inside = told if len(sources) == 1 else silent
        with LesionWorkers(inner) as pool:
            return _of_source(source, types, _How(workers=pool, uncertainty=uncertainty, told=told_inside))

    with ThreadPoolExecutor(max(1, outer)) as pool:
        for done, answer in enumerate(pool.map(one, sources), start=1):
            lesions += answer.lesions
            refusals += answer.refusals
            if len(sources) > 1:
                told(MEASURING, done, len(sources))
    return Extracted(lesions=tuple(_graded(lesions) if uncertainty else lesions), refusals=tuple(refusals))


@dataclass(frozen=True, slots=True, kw_only=True)
class _Given:
    """Settings as they were given; without any they follow from the modality."""

    fixed: tuple[ImageType, ...] | None = None
    label: str | None = None

    def types(self, modality: str | None) -> tuple[ImageType, ...]:
        if self.fixed is not None:
            return self.fixed
        if modality is None:
            raise InputError(MODALITY_UNKNOWN)
        return for_modality(modality)


def image_types_of(settings: Settings | None, modality: str | None) -> tuple[ImageType, ...]:
    """What settings ask to be extracted; without any, what is usual for the modality."""
    return _given(settings).types(modality_of(modality))


def _given(settings: Settings | None) -> _Given:
    if settings is None:
        return _Given()
    if isinstance(settings, RadiomicsSettings):
        return _Given(fixed=(ImageType.of(settings),))
    read = settings_of(settings) if isinstance(settings, Mapping) else read_settings(Path(settings))
    return _Given(fixed=read.image_types, label=read.label)


def _word(label: str | int | None, of_file: str | None, mask: object) -> str | None:
    """The label as a word; that of a pyradiomics file counts for label maps only, which have values."""
    if label is not None:
        return str(label)
    has_values = is_file(Path(mask)) if isinstance(mask, str | Path) else not isinstance(mask, Region | list | tuple)
    return of_file if has_values else None


def _image(subject: Subject, wanted: ImageType) -> Volume:
    return subject.volume if wanted.standardisation is None else wanted.standardisation.applied(subject.volume)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class _How:
    """How the lesions of an image are measured: by whom, with uncertainty or without, and who is told."""

    workers: LesionWorkers
    uncertainty: bool
    told: Told


def _of_source(source: Source, types: Chosen, how: _How) -> Extracted:
    try:
        subject = source.read()
        asked = types(subject.modality)
    except BingchengError as error:
        return Extracted(lesions=(), refusals=(Refusal.of(error, kind=SubjectKind.SERIES, subject=source.name),))
    lesions: list[LesionFeatures] = []
    refusals: list[Refusal] = []
    jobs = len(asked) * len(subject.regions)
    for wanted in asked:
        for outcome in _measured(subject, wanted, how):
            if isinstance(outcome, Refusal):
                refusals.append(outcome)
            else:
                lesions.append(outcome)
            how.told(MEASURING, len(lesions) + len(refusals), jobs)
    return Extracted(lesions=tuple(lesions), refusals=tuple(refusals))


def _measured(subject: Subject, wanted: ImageType, how: _How) -> Iterator[LesionFeatures | Refusal]:
    try:
        volume = _image(subject, wanted)
    except BingchengError as error:
        yield Refusal.of(error, kind=SubjectKind.SERIES, subject=subject.name)
        return
    named: dict[str, Any] = {"image": subject.name, "image_type": wanted, "modality": subject.modality}
    for region, outcome in zip(subject.regions, _outcomes(subject, volume, wanted, how), strict=True):
        if isinstance(outcome, BingchengError):
            yield Refusal.of(outcome, kind=SubjectKind.REGION, subject=f"{subject.name}: {region.label}")
        elif isinstance(outcome, RadiomicsResult):
            yield LesionFeatures(**named, lesion=region.label, result=outcome)
        else:
            yield LesionFeatures(
                **named,
                lesion=region.label,
                result=outcome.result,
                standard_uncertainty=outcome.standard_uncertainty,
                components=outcome.components,
                repetitions=outcome.repetitions,
            )


def _outcomes(
    subject: Subject, volume: Volume, wanted: ImageType, how: _How
) -> Iterator[RadiomicsResult | RobustResult | BingchengError]:
    """What comes of each lesion, in order."""
    if not how.uncertainty:
        yield from features_of_each(
            volume, subject.regions, wanted.settings, workers=how.workers, inputs=subject.inputs
        )
        return
    from bingcheng.quantify.radiomics.robustness import robust_features  # noqa: PLC0415 - only if asked for

    single = len(subject.regions) == 1
    inner, outer = (how.workers.count, 1) if single else (1, how.workers.count)

    def measure(region: Region) -> RobustResult | BingchengError:
        step = text("Perturbing {lesion}", lesion=region.label)
        shown = (lambda done, total: how.told(step, done, total)) if single else None
        try:
            return robust_features(volume, region, wanted.settings, workers=inner, inputs=subject.inputs, told=shown)
        except BingchengError as error:
            return error

    with ThreadPoolExecutor(outer) as pool:
        yield from pool.map(measure, subject.regions)


def _graded(lesions: Sequence[LesionFeatures]) -> Iterator[LesionFeatures]:
    """The lesions with a grade of each feature over all that were measured in the same way."""
    alike: dict[tuple[str, str, str | None], list[LesionFeatures]] = {}
    for one in lesions:
        alike.setdefault((one.image_type.name, one.result.settings.digest, one.modality), []).append(one)
    grades = {
        key: {entry.tag: _grade(members, entry.tag) for entry in members[0].entries()} for key, members in alike.items()
    }
    for one in lesions:
        yield replace(one, grades=grades[one.image_type.name, one.result.settings.digest, one.modality])


def _grade(lesions: Sequence[LesionFeatures], tag: str) -> Grade:
    from bingcheng.compare.reliability import reliability  # noqa: PLC0415 - loads SciPy, and few exams have features

    known = [
        (value, spread)
        for one in lesions
        if not isinstance(value := one.result.values[tag], Undefined)
        and (spread := one.standard_uncertainty.get(tag)) is not None
    ]
    repetitions = min((one.repetitions for one in lesions), default=1)
    try:
        found = reliability([v for v, _ in known], [u for _, u in known], repetitions=repetitions)
    except Undefined as reason:
        return Grade(grade="unknown", reason=reason)
    return Grade(grade=found.grade.value, icc=found.icc, low=found.low, high=found.high)
