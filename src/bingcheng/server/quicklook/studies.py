"""The studies that were looked at lately: what is stored of each is read once, as long as it stays as it is."""

from __future__ import annotations

import hashlib
from collections import OrderedDict
from collections.abc import Mapping, Sequence
from threading import Lock

from sqlalchemy import select

from bingcheng.archive.dicomweb.problems import NOT_HERE
from bingcheng.archive.objects.instance import Instance
from bingcheng.archive.objects.tables import stored_study
from bingcheng.core.errors import InputError
from bingcheng.server.dicomweb.reading import Reader
from bingcheng.server.quicklook.stack import SEGMENTATION
from bingcheng.server.security.traced import saw_space

MOST_HELD = 12_000
"""Instances of all studies that are held, some 15 MB; the study that is looked at now is held however many it has."""

State = tuple[tuple[str, int, int], ...]
"""Of each space that has the study, in the order in which they are looked through: space, row, revision."""


class Study:
    """The instances of a study as somebody may see them, in order.

    Parameters
    ----------
    series : by UID; none is empty.
    segmentations : those among the instances.
    """

    def __init__(self, instances: Sequence[Instance]) -> None:
        self.instances = instances
        series: dict[str, list[Instance]] = {}
        for one in instances:
            series.setdefault(one.series_uid, []).append(one)
        self.series: Mapping[str, Sequence[Instance]] = series
        self.segmentations = [one for one in instances if one.sop_class_uid == SEGMENTATION]
        self._digests: dict[str, str] = {}

    def digest(self, series_uid: str) -> str:
        """What tells a state of a series' instances from all others."""
        known = self._digests.get(series_uid)
        if known is None:
            told = "\n".join(one.sha256 for one in self.series[series_uid])
            known = self._digests[series_uid] = hashlib.sha256(told.encode()).hexdigest()
        return known


class Studies:
    """Studies by what was stored of them. Whether a reader may see one is asked each time."""

    def __init__(self) -> None:
        self._held: OrderedDict[State, Study] = OrderedDict()
        self._lock = Lock()

    def of(self, reader: Reader, study_uid: str) -> Study:
        """The study as `reader` may see it.

        Raises
        ------
        InputError
            ``archive.not-here``.
        """
        state = _state(reader, study_uid)
        with self._lock:
            known = self._held.get(state)
            if known is not None:
                self._held.move_to_end(state)
        if known is None:
            known = Study(reader.instances(study_uid))
            self._keep(state, known)
        saw_space(reader.request, known.instances[0].space)
        return known

    def _keep(self, state: State, study: Study) -> None:
        with self._lock:
            self._held[state] = study
            while len(self._held) > 1 and sum(len(one.instances) for one in self._held.values()) > MOST_HELD:
                self._held.popitem(last=False)


def _state(reader: Reader, study_uid: str) -> State:
    held, spaces = stored_study.c, reader.spaces
    query = select(held.space, held.id, held.revision).where(held.space.in_(spaces), held.study_uid == study_uid)
    with reader.site.workspace.reading() as connection:
        rows = [(row.space, row.id, row.revision) for row in connection.execute(query)] if spaces else []
    if not rows:
        raise InputError(NOT_HERE)
    return tuple(sorted(rows, key=lambda row: spaces.index(row[0])))
