"""QIDO-RS: searching for studies, series and instances (PS3.18 10.6)."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import Protocol

from fastapi import Response

from bingcheng.archive.dicomweb.answers import Answers
from bingcheng.archive.dicomweb.attributes import INSTANCE, SERIES, STUDY
from bingcheng.archive.dicomweb.media_types import DICOM_JSON, DICOM_XML, JSON, MULTIPART
from bingcheng.archive.dicomweb.queries import Search, search_of
from bingcheng.archive.objects.attributes import ATTRIBUTES, HIGHER, Level
from bingcheng.archive.objects.query import Query
from bingcheng.server.dicomweb.bodies import datasets, gzipped, warned
from bingcheng.server.dicomweb.problem_answers import documented
from bingcheng.server.dicomweb.reading import UID, Reader, Reading
from bingcheng.server.dicomweb.routes import router
from bingcheng.server.security.traced import saw_space, saw_studies

_ANSWERS = documented(DICOM_JSON, JSON, f'{MULTIPART}; type="{DICOM_XML}"', status_204="No matches (multipart only).")


class Row(Protocol):
    """What the rows of all levels have."""

    @property
    def space(self) -> str:
        """The space in which it stands."""

    @property
    def study_uid(self) -> str:
        """Its study."""

    @property
    def attributes(self) -> Mapping[str, str | int]:
        """By keyword."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Resource:
    """What is searched: a level, and the usual attributes of its answers."""

    level: Level
    usual: tuple[str, ...]
    uids: tuple[str, ...]


_STUDIES = _Resource(level=Level.STUDY, usual=STUDY, uids=("StudyInstanceUID",))
_SERIES = _Resource(level=Level.SERIES, usual=SERIES, uids=("StudyInstanceUID", "SeriesInstanceUID"))
_INSTANCES = _Resource(
    level=Level.INSTANCE, usual=INSTANCE, uids=("StudyInstanceUID", "SeriesInstanceUID", "SOPInstanceUID")
)
_LEVEL_OF: Mapping[str, Level] = MappingProxyType(
    {
        **{keyword: one.level for keyword, one in ATTRIBUTES.items()},
        "NumberOfStudyRelatedSeries": Level.STUDY,
        "NumberOfStudyRelatedInstances": Level.STUDY,
        "NumberOfSeriesRelatedInstances": Level.SERIES,
        "RequestAttributesSequence": Level.SERIES,
        "AvailableTransferSyntaxUID": Level.INSTANCE,
    }
)
"""Of which level each attribute is that the index can tell."""


@router.get("/studies", responses=_ANSWERS)
def search_studies(reader: Reading) -> Response:
    """Studies that match the query parameters (PS3.18 10.6.1)."""
    return _found(reader, _STUDIES, {})


@router.get("/series", responses=_ANSWERS)
def search_series(reader: Reading) -> Response:
    """Series of all studies; their answers tell the study's attributes too (PS3.18 10.6.3.3.2)."""
    return _found(reader, _SERIES, {}, above=STUDY)


@router.get("/instances", responses=_ANSWERS)
def search_instances(reader: Reading) -> Response:
    """Instances of all studies."""
    return _found(reader, _INSTANCES, {}, above=(*STUDY, *SERIES))


@router.get("/studies/{study_uid}/series", responses=_ANSWERS)
def search_series_of_study(reader: Reading, study_uid: str) -> Response:
    """Series of one study."""
    return _found(reader, _SERIES, {"StudyInstanceUID": study_uid})


@router.get("/studies/{study_uid}/instances", responses=_ANSWERS)
def search_instances_of_study(reader: Reading, study_uid: str) -> Response:
    """Instances of one study; their answers tell the series' attributes too."""
    return _found(reader, _INSTANCES, {"StudyInstanceUID": study_uid}, above=SERIES)


@router.get("/studies/{study_uid}/series/{series_uid}/instances", responses=_ANSWERS)
def search_instances_of_series(reader: Reading, study_uid: str, series_uid: str) -> Response:
    """Instances of one series."""
    return _found(reader, _INSTANCES, {"StudyInstanceUID": study_uid, "SeriesInstanceUID": series_uid})


def _found(reader: Reader, what: _Resource, within: Mapping[str, str], above: Sequence[str] = ()) -> Response:
    search = search_of(reader.request.query_params.multi_items(), what.level)
    ranges = reader.accepted
    reader.study_uid = reader.study_uid or _only_study(search)
    # One more than is answered tells whether there are more.
    query = Query(
        match={**search.matches, **{keyword: [uid] for keyword, uid in within.items()}},
        limit=search.limit + 1,
        offset=search.offset,
        fuzzy=search.fuzzy,
    )
    rows = _rows(reader, what.level)(query, reader.spaces) if reader.spaces else ()
    opened = _opened(reader, query) if what.level is Level.STUDY and _one_patient(search) else ()
    rows = [*rows, *opened]
    warnings = []
    if len(rows) > search.limit:
        # PS3.18 8.3.4.4: how many there are beyond.
        beyond = reader.objects.count(what.level, query, reader.spaces) - search.offset - search.limit
        warnings.append(f"There are {beyond} additional results that can be requested")
    if search.ignored:
        # PS3.18 8.3: what isn't supported is left out; who asked must know that more was found than was meant.
        warnings.append(f"The following parameters are not supported and were ignored: {', '.join(search.ignored)}")
    headers = warned(reader.root, warnings)
    shown = _first_of_each(rows[: search.limit], what, (*reader.spaces, *(row.space for row in opened)))
    if not within:
        saw_studies(reader.request, (row.study_uid for row in shown))
    if (reader.study_uid is not None or opened) and shown:
        saw_space(reader.request, shown[-1].space)
    return gzipped(reader.request, datasets(ranges, _told(reader, what, shown, _wanted(what, above, search)), headers))


def _only_study(search: Search) -> str | None:
    """The one study that a search is for, as a viewer asks for what it is to show; None if it may be several."""
    uids = search.matches.get("StudyInstanceUID", [])
    return uids[0] if len(uids) == 1 and UID.fullmatch(uids[0]) else None


def _one_patient(search: Search) -> bool:
    """Whether exams of one patient are asked for by the number, as a viewer asks for what to list beside an exam."""
    numbers = search.matches.get("PatientID", [])
    return len(numbers) == 1 and not set("*?") & set(numbers[0])


def _opened(reader: Reader, query: Query) -> list[Row]:
    """Of the exams that are open in an emergency those that match; no other exam of their patients."""
    if reader.study_uid is not None:
        return []
    found: list[Row] = []
    for uid in sorted({one.partition("/")[2] for one in reader.actor.broken_glass}):
        spaces = [space for space in reader.spaces_with(uid) if space not in reader.spaces]
        if spaces:
            asked = replace(query, match={**query.match, "StudyInstanceUID": [uid]}, offset=0)
            found.extend(reader.objects.studies(asked, spaces))
    return found


def _rows(reader: Reader, level: Level) -> Callable[[Query, Sequence[str]], Sequence[Row]]:
    objects = reader.objects
    if level is Level.STUDY:
        return objects.studies
    return objects.series if level is Level.SERIES else objects.instances


def _wanted(what: _Resource, above: Sequence[str], search: Search) -> Collection[str] | None:
    """Keywords of the answer: what is usual, and what is asked for of this level and those above (10.6.3.3)."""
    if search.include is None:
        return None
    asked = sorted(keyword for keyword in search.include if _LEVEL_OF.get(keyword) in HIGHER[what.level])
    return dict.fromkeys((*what.usual, *above, *what.uids, *asked))


def _told(reader: Reader, what: _Resource, rows: Sequence[Row], wanted: Collection[str] | None) -> list[str]:
    answers = Answers(wanted)
    return [
        answers.text(row.attributes, reader.url(*(str(row.attributes[keyword]) for keyword in what.uids)))
        for row in rows
    ]


def _first_of_each(rows: Sequence[Row], what: _Resource, spaces: Sequence[str]) -> Sequence[Row]:
    """One row for each UID, from the first space that has it: the one that retrieving it would give."""
    if len(spaces) == 1:
        return rows
    best: dict[str, Row] = {}
    for row in rows:
        uid = str(row.attributes[what.uids[-1]])
        known = best.get(uid)
        if known is None or spaces.index(row.space) < spaces.index(known.space):
            best[uid] = row
    return list(best.values())
