"""Which images of an exam a case shows: whole series, or some images of a series by their numbers."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence

from fastapi import Request

from bingcheng.archive.authorisation.spaces import hospital_space
from bingcheng.archive.cases.problems import WRONG_IMAGES
from bingcheng.archive.cases.selection import Chosen, Offered
from bingcheng.core.errors import InputError
from bingcheng.server.quicklook.router import held
from bingcheng.server.quicklook.stack import Stack
from bingcheng.server.site import Site

ONLY = "only:"
"""With what the name of a field begins that says which images of a series are meant; the series' UID follows."""
MOST_SHOWN = 40
_RANGE = re.compile(r"([0-9]{1,6})(?:-([0-9]{1,6}))?")


def offered_images(request: Request, where: Site, hospital: int, study_uid: str) -> dict[str, Stack]:
    """The series of an exam with images, by UID, to choose from by looking."""
    instances = where.objects.instances_of([hospital_space(hospital)], study_uid)
    return held(request).stacks.by_series(where.objects, instances)


def chosen_of(
    request: Request, where: Site, hospital: int, wanted: Sequence[Offered], fields: Mapping[str, str]
) -> tuple[Chosen, ...]:
    """What a form chooses of the wanted series: all of each, or the images whose numbers it names.

    An object with several frames is chosen as a whole, whichever of its frames is named.

    Raises
    ------
    InputError
        ``archive.case-wrong-images``.
    """
    found: dict[Chosen, None] = {}
    for one in wanted:
        words = fields.get(f"{ONLY}{one.series_uid}", "").strip()
        if not words:
            found[Chosen(study_uid=one.study_uid, series_uid=one.series_uid)] = None
            continue
        instances = where.objects.instances_of([hospital_space(hospital)], one.study_uid, one.series_uid)
        stack = held(request).stacks.by_series(where.objects, instances).get(one.series_uid)
        leaves = stack.leaves if stack is not None else ()
        for number in numbers_of(words, len(leaves)):
            sop_uid = leaves[number - 1].instance.sop_uid
            found[Chosen(study_uid=one.study_uid, series_uid=one.series_uid, sop_uid=sop_uid)] = None
    return tuple(found)


def numbers_of(words: str, count: int) -> tuple[int, ...]:
    """The numbers that ``12, 40-60`` names, in order, each once; all from 1 to `count`.

    Raises
    ------
    InputError
        ``archive.case-wrong-images``.
    """
    return tuple(dict.fromkeys(number for span in _spans(words, count) for number in span))


def _spans(words: str, count: int) -> Iterator[Iterable[int]]:
    joined = re.sub(r"\s*[-–—~～至]\s*", "-", words)
    for part in filter(None, re.split(r"[,;，、；\s]+", joined)):
        said = _RANGE.fullmatch(part)
        first = int(said[1]) if said else 0
        last = int(said[2] or said[1]) if said else 0
        if not 1 <= first <= last <= count:
            raise InputError(WRONG_IMAGES, words=part[:MOST_SHOWN], count=count)
        yield range(first, last + 1)
