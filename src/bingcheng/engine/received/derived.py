"""The objects made of an exam (segmentations, reports) beside the exam's own, in the same space of the archive."""

from __future__ import annotations

from collections.abc import Iterator
from hashlib import sha256
from io import BytesIO
from pathlib import Path

import pydicom

from bingcheng.archive.objects.objects import Objects
from bingcheng.archive.objects.origins import DERIVED, derived
from bingcheng.archive.objects.received import Origin
from bingcheng.archive.workspace import Workspace
from bingcheng.engine.plan import DICOM_FOLDER, short

MADE_HERE = Origin(kind=DERIVED, peer="bingcheng")


def keep_derived(workspace: Workspace, objects: Objects, space: str, study_uid: str) -> int:
    """Take into the archive what was made of an exam; what an earlier time made of it goes. Returns how many there are.

    Raises
    ------
    InputError, RemoteError
        What `Objects.receive` raises.
    """
    made = dict(_made(workspace.folder / DICOM_FOLDER / short(study_uid)))
    with workspace.reading() as connection:
        before = derived(connection, space, study_uid)
    for uid, digest in before.items():
        # What is made again may carry the same UID: here the later takes the place of the earlier.
        if uid not in made or sha256(made[uid]).hexdigest() != digest:
            objects.remove(space, study_uid, sop_uid=uid)
    for data in made.values():
        objects.receive(data, space=space, origin=MADE_HERE)
    return len(made)


def _made(folder: Path) -> Iterator[tuple[str, bytes]]:
    """The SOP Instance UID and the bytes of each object."""
    for path in sorted(folder.rglob("*.dcm")):
        data = path.read_bytes()
        header = pydicom.dcmread(BytesIO(data), specific_tags=["SOPInstanceUID"], stop_before_pixels=True)
        yield str(header.SOPInstanceUID), data
