"""The lesions of two exams of one patient, matched by their images: both series are read, laid over each other, and
each lesion is looked for in the other exam.

Of a volume only a working copy is kept while the other exam is read, so that no more than one whole series is in
memory.
"""

from __future__ import annotations

import traceback
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from bingcheng.archive.codec import storable
from bingcheng.archive.matchings import PairKey, Proposal
from bingcheng.compare.tracks import repeated
from bingcheng.core.errors import BingchengError, InputError, Owner, Problem
from bingcheng.core.refusal import Refusal, SubjectKind
from bingcheng.core.wording import Text, text
from bingcheng.dicom.exam import Series
from bingcheng.dicom.facts.acquired import acquisition
from bingcheng.dicom.masks.placement import EMPTY_SEGMENT
from bingcheng.dicom.pixels.read import read_volume
from bingcheng.engine import methods as measures
from bingcheng.engine.discretion import Discretion
from bingcheng.engine.inputs import Image, Marked, case_of, identified, marked, read_images, stacked
from bingcheng.engine.plan import Task, image_series
from bingcheng.image.region import Region
from bingcheng.image.registration import RegistrationSettings, register
from bingcheng.image.resample import averaged
from bingcheng.image.volume import Volume
from bingcheng.quantify.lesion.matching import Link, LinkKind, Matching
from bingcheng.quantify.lesion.matching_links import match
from bingcheng.quantify.lesion.matching_looks import Followed, looked_again

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
OTHER_LESIONS = Problem(
    code="engine.follow-up-other-lesions",
    says="the files of an exam hold other lesions than were assessed",
    remedy="Give the folders of both exams again, with all masks, so that they are assessed anew.",
    owner=Owner.OPERATOR,
)
UNEXPECTED_MATCHING = Problem(
    code="engine.unexpected-in-matching",
    says="matching stopped with an unexpected {error} in {where}",
    remedy="Report it to the developers with the code and the place.",
    owner=Owner.DEVELOPER,
)

NOT_ALL_READ = text("A mask of the other exam could not be used: the lesion may be drawn there.")
NONE_DRAWN = text("No lesion is drawn in the other exam's images: nobody may have looked for any there.")


@dataclass(frozen=True, slots=True, kw_only=True)
class Drawn:
    """One exam of a pair.

    Parameters
    ----------
    task : where its files are; only its exam and its masks count.
    series_uid : on which series its lesions were drawn; empty where none were, but somebody looked for them.
    names : of the lesions on that series, as they are stored.
    elsewhere : names of lesions on its other series; a lesion of the other exam that has one of them is paired.
    """

    task: Task
    series_uid: str
    names: frozenset[str] = frozenset()
    elsewhere: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class _Read:
    """One exam as it is matched: its lesions by the names under which they are stored.

    Parameters
    ----------
    doubt : why a lesion of the other exam need not be missing in this one, though nothing is drawn for it.
    """

    volume: Volume
    lesions: Mapping[str, Region]
    doubt: Text | None


@dataclass(frozen=True, slots=True, kw_only=True)
class PairTask:
    """Two exams whose lesions are to be matched.

    Parameters
    ----------
    digest : of everything that the answer depends on.
    earlier, later : the exams.
    by_names : what names alone say; None where they leave lesions of both exams without partner.
    """

    pair: PairKey
    digest: str
    earlier: Drawn
    later: Drawn
    by_names: Matching | None = None


def matched(task: PairTask) -> Proposal:
    """What matching comes to, or why it came to nothing; raises nothing, so that one pair never stops the others."""
    try:
        return Proposal(pair=task.pair, digest=task.digest, matching=_matching(task))
    except BingchengError as error:
        told = not_matched(task.pair, task.digest, error, task.by_names)
        assert told.refusal is not None
        people = Discretion.about([task.earlier.task.exam, task.later.task.exam])
        return replace(told, refusal=people.refusal(told.refusal))
    except Exception as error:  # noqa: BLE001 - a fault of this program costs one pair and is said, not hidden
        fault = InputError(UNEXPECTED_MATCHING, error=type(error).__name__, where=_place(error))
        return not_matched(task.pair, task.digest, fault, task.by_names)


def not_matched(pair: PairKey, digest: str, error: BingchengError, by_names: Matching | None = None) -> Proposal:
    """The proposal that says why the images give none; `by_names` is what holds without them."""
    told = InputError(NOT_MATCHED, modality=pair.modality, reason=error.reason)
    refusal = Refusal.of(told, kind=SubjectKind.EXAM, subject=pair.later_uid, study_uid=pair.later_uid)
    return Proposal(pair=pair, digest=digest, matching=by_names, refusal=refusal)


def _matching(task: PairTask) -> Matching:
    settings = RegistrationSettings()
    earlier, later = (_read(one, task.pair.modality, settings.working_mm) for one in (task.earlier, task.later))
    before = {name: one for name, one in earlier.lesions.items() if name not in task.later.elsewhere}
    after = {name: one for name, one in later.lesions.items() if name not in task.earlier.elsewhere}
    numbered = [repeated({name: region.label for name, region in drawn.items()}) for drawn in (before, after)]
    common = (before.keys() & after.keys()) - numbered[0] - numbered[1]
    registration = register(earlier.volume, later.volume, settings)
    found = match(
        [_named(region, name, common) for name, region in before.items()],
        [_named(region, name, common) for name, region in after.items()],
        registration,
        keys=(tuple(before), tuple(after)),
    )
    ahead, back = (Followed(volume=one.volume, lesions=one.lesions) for one in (earlier, later))
    return _doubted(looked_again(found, ahead, back, registration), earlier.doubt, later.doubt)


def _doubted(matching: Matching, earlier: Text | None, later: Text | None) -> Matching:
    """The matching whose new and vanished lesions need a reader where the other exam leaves them in doubt."""
    doubts = {LinkKind.NEW: earlier, LinkKind.VANISHED: later}

    def told(link: Link) -> Link:
        doubt = doubts.get(link.kind)
        return link if doubt is None else replace(link, needs_reader=True, reasons=(*link.reasons, doubt))

    links = tuple(told(link) for link in matching.links)
    return replace(matching, proposed=links, links=links)


def _named(region: Region, name: str, common: set[str]) -> Region:
    """The region with its name as tracking identifier if both exams have that name: names that pair decide."""
    return replace(region, tracking_uid=name) if name in common else region


def _read(drawn: Drawn, modality: str, working_mm: float) -> _Read:
    """The series at working size, and the lesions on it."""
    exam = drawn.task.exam
    images = image_series(exam)
    placed = marked(exam.series, images, drawn.task.masks)
    unusable = any(refusal.code != EMPTY_SEGMENT.code for refusal in placed.refusals)
    lesions: Mapping[str, Region] = {}
    if drawn.series_uid:
        series, index, lesions = _drawn_on(drawn, images, placed)
    else:
        series, index = _largest(images, modality), 0
        if any(uid == one.uid for uid, _ in placed.lesions for one in images if one.modality == modality):
            raise InputError(OTHER_LESIONS)
    volume = averaged(_volume(series, index), working_mm, window=(-np.inf, np.inf))
    doubt = NOT_ALL_READ if unusable else None if drawn.series_uid else NONE_DRAWN
    return _Read(volume=volume, lesions=lesions, doubt=doubt)


def _drawn_on(drawn: Drawn, images: Sequence[Series], placed: Marked) -> tuple[Series, int, dict[str, Region]]:
    """The series, which of its volumes, and the lesions on that."""
    series = next((one for one in images if one.uid == drawn.series_uid), None)
    here = {i: regions for (uid, i), regions in placed.lesions.items() if uid == drawn.series_uid}
    if series is None or not here:
        raise InputError(SERIES_GONE)
    discretion = Discretion.about([drawn.task.exam])
    index, lesions = _lesions(series, here)
    named = {
        at: {storable(discretion.label(name)): _discreet(region, discretion) for name, region in found}
        for at, found in lesions.items()
    }
    if drawn.names and frozenset().union(*named.values()) != drawn.names:
        raise InputError(OTHER_LESIONS)
    return series, index, {name: region for name, region in named[index].items() if not region.empty}


def _largest(images: Sequence[Series], modality: str) -> Series:
    """The series that shows most of the patient."""
    found = [series for series in images if series.modality == modality]
    if not found:
        raise InputError(SERIES_GONE)
    return max(found, key=lambda series: float(np.prod(series.volumes[0].geometry.extent_mm)))


def _discreet(region: Region, discretion: Discretion) -> Region:
    """The region without what betrays the patient: its words are stored with the matching."""
    uid = region.tracking_uid
    return replace(
        region,
        label=storable(discretion.label(region.label)),
        tracking_uid=None if uid is None else storable(discretion.label(uid)),
    )


def _lesions(
    series: Series, drawn: Mapping[int, tuple[Region, ...]]
) -> tuple[int, Mapping[int, Sequence[tuple[str, Region]]]]:
    """The volume that most lesions are drawn on, and all with their names, which count through the volumes."""
    if stacked(series):
        return 0, {0: identified((region for regions in drawn.values() for region in regions), Counter())}
    seen: Counter[str] = Counter()
    named = {index: identified(drawn[index], seen) for index in sorted(drawn)}
    return max(named, key=lambda index: (len(named[index]), -index)), named


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
