"""Results that are a hospital's own, kept from what is assessed from folders.

A hospital that sent a study owns its results (see `bingcheng.archive.ownership`). Whoever runs the command line may
have another copy of the study in a folder: cut, corrected, of another hospital, or forged. Only the same objects may be
assessed over these results: all that the hospital's own copy would be assessed from, byte for byte, and none beside.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from sqlalchemy import Connection, select

from bingcheng.archive.batches import batches
from bingcheng.archive.exam_owner import exam_owner
from bingcheng.archive.exam_sources import sources_of
from bingcheng.archive.objects.location import study_folder
from bingcheng.archive.objects.objects import Objects
from bingcheng.archive.objects.origins import assessed
from bingcheng.archive.workspace import Workspace
from bingcheng.core.errors import BingchengError, InputError
from bingcheng.core.refusal import Refusal, SubjectKind
from bingcheng.dicom.exam import Exam, FrameSource
from bingcheng.dicom.grouping.exams import exams
from bingcheng.dicom.index.scan import index
from bingcheng.dicom.sources import open_source
from bingcheng.engine.plan import Task
from bingcheng.engine.received.problems import OWNED_BY_HOSPITAL


class Owned:
    """What of an assessment from folders may be stored.

    Parameters
    ----------
    kept : of the exams that are left as they are, by their UIDs, why.
    """

    def __init__(self, kept: Mapping[str, Refusal], asked: frozenset[str]) -> None:
        self.kept = kept
        self._asked = asked

    @staticmethod
    def among(workspace: Workspace, tasks: Sequence[Task]) -> Owned:
        """Look at the exams that are to be assessed. Files are read of those only that a hospital owns."""
        uids = [task.exam.uid for task in tasks]
        with workspace.reading() as connection:
            spaces = _owners(connection, uids)
        kept: dict[str, Refusal] = {}
        if spaces:
            objects = Objects.open(workspace)
            try:
                for task in tasks:
                    space = spaces.get(task.exam.uid)
                    if space is not None and not _same(workspace, objects, space, task.exam):
                        kept[task.exam.uid] = refusal(task.exam.uid)
            finally:
                objects.close()
        return Owned(kept, frozenset(spaces))

    def allow(self, connection: Connection, exam_uid: str) -> None:
        """Refuse to store an exam that a hospital came to own while it was assessed.

        Raises
        ------
        InputError
            ``engine.owned-by-hospital``.
        """
        if exam_uid not in self._asked and _owners(connection, [exam_uid]):
            raise InputError(OWNED_BY_HOSPITAL)


def refusal(exam_uid: str) -> Refusal:
    """Why an exam is left as it is."""
    return Refusal.of(InputError(OWNED_BY_HOSPITAL), kind=SubjectKind.EXAM, subject=exam_uid, study_uid=exam_uid)


def _owners(connection: Connection, exam_uids: Sequence[str]) -> dict[str, str]:
    """The spaces of the hospitals that own these exams, by UID; those that nobody owns are absent."""
    owned: dict[str, str] = {}
    for some in batches(exam_uids):
        query = select(exam_owner.c.study_uid, exam_owner.c.space).where(exam_owner.c.study_uid.in_(some))
        owned |= {row.study_uid: row.space for row in connection.execute(query)}
    return owned


def _same(workspace: Workspace, objects: Objects, space: str, exam: Exam) -> bool:
    """Whether an exam is made of the objects of which the hospital's copy is made."""
    given, copies = _sources(exam), objects.instances_of([space], exam.uid)
    if not copies:
        return _from_elsewhere(workspace, space, exam.uid)
    if not given.keys() <= {one.sop_uid for one in copies}:
        return False
    with workspace.reading() as connection:
        originals = assessed(connection, space, exam.uid)
    try:
        # Not every object that is kept takes part: what can't be read, for instance, is left out of an exam.
        found = exams(index([objects.path(one) for one in copies if one.sop_uid in originals])).exams
        own = [one for one in found if one.uid == exam.uid]
        if not own or not _sources(own[0]).keys() <= given.keys():
            return False
        return all(_held(objects, space, source) for source in given.values())
    except BingchengError:  # what can't be read can't be compared
        return False


def _from_elsewhere(workspace: Workspace, space: str, exam_uid: str) -> bool:
    """Whether the results were made from folders of the command line, not from what the archive held.

    The archive's folder of an exam has a name of its own, by which it is known wherever the workspace lies by now.
    """
    own = f"/{study_folder(space, exam_uid)}/"
    with workspace.reading() as connection:
        places = sources_of(connection, exam_uid)
    return bool(places) and not any(own in f"{place.as_posix()}/" for place in places)


def _held(objects: Objects, space: str, source: FrameSource) -> bool:
    with open_source(source) as stream:
        return objects.holds(stream.read(), space=space)


def _sources(exam: Exam) -> dict[str, FrameSource]:
    """Where each object of an exam is, by its SOP Instance UID."""
    return {
        uid: source
        for series in exam.series
        for uid, source in zip(series.sop_instance_uids, series.sources, strict=True)
    }
