"""The lesions of two exams of one patient, matched by their images: both series are read, laid over each other, and
each lesion is looked for in the other exam.

Of a volume only a working copy is kept while the other exam is read, so that no more than one whole series is in
memory.
"""

from __future__ import annotations

import traceback
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from bingcheng.archive.codec import storable
from bingcheng.archive.matchings import PairKey, Proposal
from bingcheng.compare.tracks import repeated
from bingcheng.core.errors import BingchengError, InputError, Owner, Problem
from bingcheng.core.refusal import Refusal, SubjectKind
from bingcheng.dicom.exam import Series
from bingcheng.dicom.facts.acquired import acquisition
from bingcheng.dicom.pixels.read import read_volume
from bingcheng.engine import methods as measures
from bingcheng.engine.discretion import Discretion
from bingcheng.engine.inputs import Image, case_of, identified, marked, read_images, stacked
from bingcheng.engine.plan import Task, image_series
from bingcheng.image.region import Region
from bingcheng.image.registration import RegistrationSettings, register
from bingcheng.image.resample import averaged
from bingcheng.image.volume import Volume
from bingcheng.quantify.lesion.matching import Matching
from bingcheng.quantify.lesion.matching_links import match

NOT_MATCHED = Problem(
    code="engine.lesions-not-matched",
    says="the lesions of this exam and the {modality} exam before it could not be matched by the images: {reason}",
    remedy="Say yourself which lesion is which with `bingcheng lesions link`; `bingcheng lesions` lists them.",
    owner=Owner.RADIOLOGIST,
)
SERIES_GONE = Problem(
    code="engine.follow-up-series-gone",
    says="a series on which lesions were drawn is not among the files",
    remedy="Give the folders of both exams again.",
    owner=Owner.OPERATOR,
)
UNEXPECTED_MATCHING = Problem(
    code="engine.unexpected-in-matching",
    says="matching stopped with an unexpected {error} in {where}",
    remedy="Report it to the developers with the code and the place.",
    owner=Owner.DEVELOPER,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Drawn:
    """One exam of a pair: where its files are, and on which series its lesions were drawn."""

    task: Task
    series_uid: str


@dataclass(frozen=True, slots=True, kw_only=True)
class PairTask:
    """Two exams whose lesions are to be matched.

    Parameters
    ----------
    digest : of everything that the answer depends on.
    earlier, later : the exams.
    """

    pair: PairKey
    digest: str
    earlier: Drawn
    later: Drawn


def matched(task: PairTask) -> Proposal:
    """What matching comes to, or why it came to nothing; raises nothing, so that one pair never stops the others."""
    try:
        return Proposal(pair=task.pair, digest=task.digest, matching=_matching(task))
    except BingchengError as error:
        told = not_matched(task.pair, task.digest, error)
        assert told.refusal is not None
        people = Discretion.about([task.earlier.task.exam, task.later.task.exam])
        return replace(told, refusal=people.refusal(told.refusal))
    except Exception as error:  # noqa: BLE001 - a fault of this program costs one pair and is said, not hidden
        fault = InputError(UNEXPECTED_MATCHING, error=type(error).__name__, where=_place(error))
        return not_matched(task.pair, task.digest, fault)


def not_matched(pair: PairKey, digest: str, error: BingchengError) -> Proposal:
    """The proposal that says why there is none."""
    told = InputError(NOT_MATCHED, modality=pair.modality, reason=error.reason)
    refusal = Refusal.of(told, kind=SubjectKind.EXAM, subject=pair.later_uid, study_uid=pair.later_uid)
    return Proposal(pair=pair, digest=digest, refusal=refusal)


def _matching(task: PairTask) -> Matching:
    settings = RegistrationSettings()
    earlier, before = _read(task.earlier, settings.working_mm)
    later, after = _read(task.later, settings.working_mm)
    numbered = [repeated({name: region.label for name, region in drawn.items()}) for drawn in (before, after)]
    common = (before.keys() & after.keys()) - numbered[0] - numbered[1]
    registration = register(earlier, later, settings)
    return match(
        [_named(region, name, common) for name, region in before.items()],
        [_named(region, name, common) for name, region in after.items()],
        registration,
        keys=(tuple(before), tuple(after)),
    )


def _named(region: Region, name: str, common: set[str]) -> Region:
    """The region with its name as tracking identifier if both exams have that name: names that pair decide."""
    return replace(region, tracking_uid=name) if name in common else region


def _read(drawn: Drawn, working_mm: float) -> tuple[Volume, dict[str, Region]]:
    """The series at working size, and the lesions on it by the names under which they are stored."""
    exam = drawn.task.exam
    images = image_series(exam)
    series = next((one for one in images if one.uid == drawn.series_uid), None)
    if series is None:
        raise InputError(SERIES_GONE)
    placed = marked(exam.series, images, drawn.task.masks).lesions
    index, lesions = _lesions(series, {i: regions for (uid, i), regions in placed.items() if uid == series.uid})
    volume = averaged(_volume(series, index), working_mm, window=(-np.inf, np.inf))
    discretion = Discretion.about([exam])
    named = ((storable(discretion.label(name)), _discreet(region, discretion)) for name, region in lesions)
    return volume, {name: region for name, region in named if not region.empty}


def _discreet(region: Region, discretion: Discretion) -> Region:
    """The region without what betrays the patient: its words are stored with the matching."""
    uid = region.tracking_uid
    return replace(
        region,
        label=storable(discretion.label(region.label)),
        tracking_uid=None if uid is None else storable(discretion.label(uid)),
    )


def _lesions(series: Series, drawn: dict[int, tuple[Region, ...]]) -> tuple[int, Sequence[tuple[str, Region]]]:
    """The volume that most lesions are drawn on, and they with their names, which count through all volumes."""
    if not drawn:
        raise InputError(SERIES_GONE)
    if stacked(series):
        return 0, identified((region for regions in drawn.values() for region in regions), Counter())
    seen: Counter[str] = Counter()
    named = {index: identified(drawn[index], seen) for index in sorted(drawn)}
    most = max(named, key=lambda index: (len(named[index]), -index))
    return most, named[most]


def _volume(series: Series, index: int) -> Volume:
    """The voxels to register by: PET as SUV where there is one, of diffusion the lowest b-value."""
    if stacked(series):
        return next(iter(read_images(series, ()))).volume
    volume = read_volume(series.volumes[index])
    if series.modality != "PT":
        return volume
    image = Image(index=index, volume=volume, stack=None)
    case = case_of(measures.installed(), image, series, acquisition(series), {})
    try:
        suv = case["suv"]
    except (BingchengError, KeyError):
        return volume
    assert isinstance(suv, Volume)
    return suv


def _place(error: Exception) -> str:
    frames: Iterator[traceback.FrameSummary] = (
        f for f in reversed(traceback.extract_tb(error.__traceback__)) if "bingcheng" in f.filename
    )
    last = next(frames, None)
    return "an unknown place" if last is None else f"{Path(last.filename).stem}:{last.lineno}"
