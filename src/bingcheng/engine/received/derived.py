"""The objects made of an exam (segmentations, reports) beside the exam's own, in the same space of the archive."""

from __future__ import annotations

import hashlib
from collections.abc import Collection
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import Connection, select

from bingcheng.archive.about import held, hold
from bingcheng.archive.dicomweb.drawn import REPORTS, drawn_in
from bingcheng.archive.exam_owner import exam_owner
from bingcheng.archive.objects.header import header
from bingcheng.archive.objects.objects import Objects
from bingcheng.archive.objects.origins import DERIVED, derived, sent
from bingcheng.archive.objects.problems import storage_failed
from bingcheng.archive.objects.received import Origin
from bingcheng.archive.workspace import Workspace
from bingcheng.core.errors import BingchengError, InputError
from bingcheng.engine.plan import DICOM_FOLDER, short
from bingcheng.engine.received.problems import NOTHING_LEFT

MADE_HERE = Origin(kind=DERIVED, peer="bingcheng")
KEPT_UNTIL = "derived_kept_until"
"""Under which the workspace remembers up to when folders of outputs changed that the archive has followed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Made:
    path: Path
    sha256: str


def keep_derived(workspace: Workspace, objects: Objects, space: str, study_uid: str) -> int:
    """Take into the archive what was made of an exam; what an earlier time made of it goes. Returns how many there are.

    Nothing is put beside objects that somebody deleted meanwhile: the study would come back with nothing but what was
    made of it.

    Raises
    ------
    InputError
        ``engine.nothing-left``; what `Objects.receive` raises.
    RemoteError
        What `Objects.receive` raises: then some of it may be missing, and the next time completes it.
    """
    try:
        made = _made(workspace.folder / DICOM_FOLDER / short(study_uid))
    except OSError as error:
        raise storage_failed(error) from error
    with workspace.reading() as connection:
        before = derived(connection, space, study_uid)
        deleted = not sent(connection, space, study_uid)
    for uid, digest in before.items():
        # What is made again may carry the same UID: here the later takes the place of the earlier.
        if deleted or uid not in made or made[uid].sha256 != digest:
            objects.remove(space, study_uid, sop_uid=uid)
    if deleted:
        raise InputError(NOTHING_LEFT)
    for uid, one in made.items():
        if before.get(uid) != one.sha256:
            _receive(objects, space, one)
    _not_alone(workspace, objects, space, study_uid)
    return len(made)


def _receive(objects: Objects, space: str, made: _Made) -> None:
    try:
        data = made.path.read_bytes()
    except FileNotFoundError:
        return  # another run replaces what was made; whoever has it done keeps what comes of it
    except OSError as error:
        raise storage_failed(error) from error
    received = objects.receive(data, space=space, origin=MADE_HERE)
    if received.sop_class_uid.startswith(REPORTS):
        drawn_in(objects, space, [received.sop_instance_uid])  # read here, so that no page need open it


def _not_alone(workspace: Workspace, objects: Objects, space: str, study_uid: str) -> None:
    """Take back what was put beside objects that were deleted at the same moment."""
    with workspace.reading() as connection:
        left, ours = sent(connection, space, study_uid), derived(connection, space, study_uid)
    if left:
        return
    for uid in ours:
        objects.remove(space, study_uid, sop_uid=uid)
    raise InputError(NOTHING_LEFT)


def follow_outputs(workspace: Workspace, objects: Objects, *, done: Collection[str] = ()) -> int:
    """Bring the archive up to what was made of its exams since it was last done; returns of how many exams.

    The protocols, what people state, or an assessment on the command line change what is made of exams whose own
    objects stay as they are. One that can't be followed now is followed the next time.

    Parameters
    ----------
    done : UIDs of exams that were just kept.
    """
    with workspace.reading() as connection:
        owners = {short(uid): (space, uid) for uid, space in connection.execute(select(exam_owner))}
        until = _until(connection)
    if not owners:
        return 0
    changed = _changed(workspace.folder / DICOM_FOLDER, since=until)
    failed = False
    for name in changed:
        space, uid = owners.get(name, ("", ""))
        if not space or uid in done:
            continue
        try:
            keep_derived(workspace, objects, space, uid)
        except BingchengError as error:
            failed = failed or error.problem is not NOTHING_LEFT
    if changed and not failed:
        with workspace.writing() as connection:
            hold(connection, KEPT_UNTIL, str(max(changed.values())))
    return len(changed)


def follow_run(workspace: Workspace) -> int:
    """The same after a run from folders, which has no archive open; a workspace without an archive needs none.

    Raises
    ------
    RemoteError
        ``archive.storage-failed``, ``archive.disk-full``.
    """
    with workspace.reading() as connection:
        owned = connection.execute(select(exam_owner.c.study_uid).limit(1)).first() is not None
    if not owned:
        return 0
    objects = Objects.open(workspace)
    try:
        return follow_outputs(workspace, objects)
    finally:
        objects.close()


def _until(connection: Connection) -> int:
    stored = held(connection, KEPT_UNTIL)
    return int(stored) if stored is not None and stored.isdecimal() else 0


def _changed(folder: Path, *, since: int) -> dict[str, int]:
    """The folders of exams that changed since, and when, in nanoseconds of the file system's clock."""
    times: dict[str, int] = {}
    if folder.is_dir():
        for path in folder.iterdir():
            with suppress(FileNotFoundError):  # a run puts another in its place
                # Not the time of the last change in it: it is written elsewhere, and moved here when it is whole.
                times[path.name] = path.stat().st_ctime_ns
    # Of two changes within one tick of that clock the second may be unseen: the last that was seen is looked at again.
    return {name: at for name, at in sorted(times.items()) if at >= since}


def _made(folder: Path) -> dict[str, _Made]:
    """Each object by its SOP Instance UID."""
    found: dict[str, _Made] = {}
    for path in sorted(folder.rglob("*.dcm")):
        try:
            data = path.read_bytes()
        except FileNotFoundError:
            continue  # as in `_receive`
        found[header(memoryview(data)).sop_uid] = _Made(path=path, sha256=hashlib.sha256(data).hexdigest())
    return found
