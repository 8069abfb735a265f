"""The features of many lesions of one image, shared between threads or processes; no value depends on either."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import nullcontext
from dataclasses import dataclass
from functools import partial

from bingcheng.core.errors import BingchengError
from bingcheng.image.region import Region
from bingcheng.image.volume import Volume
from bingcheng.quantify.radiomics.chain import Cut, cut
from bingcheng.quantify.radiomics.extraction import Measured, RadiomicsResult, measured, result_of, settings_told
from bingcheng.quantify.radiomics.lesion_workers import LesionWorkers
from bingcheng.quantify.radiomics.settings import RadiomicsSettings

LESION_S, VOXEL_S = 2.0e-3, 2.5e-7
"""Time of a lesion, and of each voxel of its box: measured on one core, with the usual settings."""
PAYS_S = 2.0
"""Work from which processes pay: they take a second to start, in which this one goes on."""
BATCH_S = 0.04
"""Work that is handed out at once: far more than handing it out takes, and little to wait for at the end."""


def features_of_many(
    volume: Volume,
    regions: Iterable[Region],
    settings: RadiomicsSettings,
    *,
    workers: int | LesionWorkers = 1,
    inputs: tuple[str, ...] = (),
) -> list[RadiomicsResult | BingchengError]:
    """The features of many lesions of one image, in their order; a lesion without a result gives its error.

    Parameters
    ----------
    volume, settings, inputs : as `extraction.features`.
    workers : how many work at a time, on which no value depends. Few lesions are shared between threads, many between
        processes; those take a second to start, unless they are those of a `LesionWorkers` that has started them.
    """
    return list(features_of_each(volume, regions, settings, workers=workers, inputs=inputs))


def features_of_each(
    volume: Volume,
    regions: Iterable[Region],
    settings: RadiomicsSettings,
    *,
    workers: int | LesionWorkers = 1,
    inputs: tuple[str, ...] = (),
) -> Iterator[RadiomicsResult | BingchengError]:
    """As `features_of_many`, one after the other as soon as it is known."""
    lesions = list(regions)
    told = settings_told(settings)
    for lesion, outcome in zip(lesions, _outcomes(volume, lesions, settings, workers), strict=True):
        if isinstance(outcome, BingchengError):
            yield outcome
        else:
            yield result_of(outcome, volume, lesion, settings, told, inputs)


Outcome = Measured | BingchengError


def _outcomes(
    volume: Volume, lesions: Sequence[Region], settings: RadiomicsSettings, workers: int | LesionWorkers
) -> Iterator[Outcome]:
    with nullcontext(workers) if isinstance(workers, LesionWorkers) else LesionWorkers(workers) as pool:
        if _processes_pay(volume, lesions, settings, pool):
            yield from _by_processes(volume, lesions, settings, pool)
        elif min(pool.count, len(lesions)) > 1:
            with ThreadPoolExecutor(min(pool.count, len(lesions))) as threads:
                yield from threads.map(partial(_of_lesion, volume, settings), lesions)
        else:
            yield from map(partial(_of_lesion, volume, settings), lesions)


def _processes_pay(volume: Volume, lesions: Sequence[Region], settings: RadiomicsSettings, pool: LesionWorkers) -> bool:
    if settings.filter is not None and settings.filter.reach_voxels(volume.geometry.spacing_mm) is None:
        return False  # each lesion would take the whole image with it
    least_s = pool.count * BATCH_S if pool.started else PAYS_S
    return pool.count > 1 and sum(map(_work_s, lesions)) >= least_s


def _work_s(lesion: Region) -> float:
    return LESION_S + VOXEL_S * lesion.mask.size


def _of_lesion(volume: Volume, settings: RadiomicsSettings, lesion: Region) -> Outcome:
    part = _cut(volume, settings, lesion)
    return part if isinstance(part, BingchengError) else _of_cut(part, settings)


def _cut(volume: Volume, settings: RadiomicsSettings, lesion: Region) -> Cut | BingchengError:
    try:
        return cut(volume, lesion, settings)
    except BingchengError as error:
        return error


def _of_cut(part: Cut, settings: RadiomicsSettings) -> Outcome:
    try:
        return measured(part, settings)
    except BingchengError as error:
        return error


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class _Batch:
    """Lesions that are handed to a process together; an error where nothing could be cut out."""

    parts: tuple[Cut | BingchengError, ...]
    settings: RadiomicsSettings


class _Batches:
    """Batches of lesions, each cut out of the image when it is asked for: processes wait for the first one alone."""

    def __init__(self, volume: Volume, lesions: Sequence[Region], settings: RadiomicsSettings) -> None:
        self._volume, self._settings = volume, settings
        self._lesions = list(_shared_out(lesions))

    def __len__(self) -> int:
        return len(self._lesions)

    def __getitem__(self, number: int) -> _Batch:
        parts = tuple(_cut(self._volume, self._settings, lesion) for lesion in self._lesions[number])
        return _Batch(parts=parts, settings=self._settings)


def _by_processes(
    volume: Volume, lesions: Sequence[Region], settings: RadiomicsSettings, workers: LesionWorkers
) -> Iterator[Outcome]:
    for outcomes in workers.each(_of_batch, _Batches(volume, lesions, settings)):
        yield from outcomes


def _shared_out(lesions: Sequence[Region]) -> Iterator[list[Region]]:
    some: list[Region] = []
    work_s = 0.0
    for lesion in lesions:
        some.append(lesion)
        work_s += _work_s(lesion)
        if work_s >= BATCH_S:
            yield some
            some, work_s = [], 0.0
    if some:
        yield some


def _of_batch(batch: _Batch) -> list[Outcome]:
    """What a process does."""
    return [part if isinstance(part, BingchengError) else _of_cut(part, batch.settings) for part in batch.parts]
