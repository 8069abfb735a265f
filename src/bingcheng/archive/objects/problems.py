"""What can be wrong with an object that is sent to us, and with the store that should keep it."""

from __future__ import annotations

import errno

from bingcheng.archive.problems import DISK_FULL
from bingcheng.core.errors import BingchengError, Owner, Problem, RemoteError

NOT_DICOM = Problem(
    code="archive.not-dicom",
    says="what was received is not a DICOM object",
    remedy="Send DICOM objects only; a report or picture must be wrapped as DICOM first.",
    owner=Owner.ARCHIVE,
)
TRUNCATED = Problem(
    code="archive.truncated-object",
    says="the object ends before its own lengths say it does",
    remedy="Send the object again; if it fails again, retrieve it anew from where it was made.",
    owner=Owner.ARCHIVE,
)
WRONG_UID = Problem(
    code="archive.wrong-uid",
    says="{attribute} is not a DICOM UID: digits and single points, 64 characters at most",
    remedy="Have the sending system write valid UIDs; nothing of this object was kept.",
    owner=Owner.VENDOR,
)
MISSING_UID = Problem(
    code="archive.missing-uid",
    says="the object has no {attribute}",
    remedy="Have the sending system write it; nothing of this object was kept.",
    owner=Owner.VENDOR,
)
UIDS_DISAGREE = Problem(
    code="archive.uids-disagree",
    says="the object's {attribute} is one in its meta header and another in its dataset",
    remedy="Send the object again from its source; whoever changed it changed only one of the two.",
    owner=Owner.VENDOR,
)
ELSEWHERE = Problem(
    code="archive.objects-elsewhere",
    says="the workspace keeps its objects in another place than the settings say",
    remedy="Set the bucket that it was begun with, or none; to move objects, send them to a new workspace.",
    owner=Owner.OPERATOR,
)
TOO_LARGE = Problem(
    code="archive.too-large",
    says="the object is larger than {limit_mib} MiB",
    remedy="Raise the limit in the settings if such objects are expected.",
    owner=Owner.OPERATOR,
)
CANNOT_MATCH = Problem(
    code="archive.cannot-match",
    says="objects can't be searched by {attribute} on this level",
    remedy="Leave it out, or search by it on the level to which it belongs.",
    owner=Owner.OPERATOR,
)
NO_FILE = Problem(
    code="archive.object-lost",
    says="the file of a stored object is not where it was stored",
    remedy="Restore the folder of objects from its backup, or have the object sent again.",
    owner=Owner.OPERATOR,
)
DAMAGED_FILE = Problem(
    code="archive.object-damaged",
    says="the file of a stored object is not as long as what was stored",
    remedy="Check the disk, then restore the folder of objects from its backup, or have the object sent again.",
    owner=Owner.OPERATOR,
)
NO_SUCH_CONFLICT = Problem(
    code="archive.no-such-conflict",
    says="there is no such object that waits for a decision",
    remedy="Somebody may have decided already: load the list again.",
    owner=Owner.ARCHIVE,
)
NO_SUCH_FRAME = Problem(
    code="archive.no-such-frame",
    says="there is no frame {number}: the object has {count}",
    remedy="Ask for a frame between 1 and the number of frames.",
    owner=Owner.OPERATOR,
)
NO_PIXELS = Problem(
    code="archive.no-pixel-data",
    says="the object has no pixel data",
    remedy="Retrieve it as a whole instead.",
    owner=Owner.OPERATOR,
)
NO_FRAME_BOUNDS = Problem(
    code="archive.no-frame-bounds",
    says="where the frames of this compressed object begin can't be told",
    remedy="Retrieve the object as a whole.",
    owner=Owner.VENDOR,
)
STORAGE_FAILED = Problem(
    code="archive.storage-failed",
    says="the storage of objects did not do as asked ({error})",
    remedy="Check that it is reachable and that the rights are correct, then send again.",
    owner=Owner.OPERATOR,
)
S3_EXTRA = Problem(
    code="archive.no-s3",
    says="objects can't be kept in S3: a library is not installed",
    remedy="Install Bingcheng with its extra 's3'.",
    owner=Owner.OPERATOR,
)

FULL = frozenset((errno.ENOSPC, errno.EDQUOT, errno.EFBIG))


def storage_failed(error: OSError) -> RemoteError:
    """What an error of the file system means for who sends an object: a full disk is told from the rest."""
    if error.errno in FULL:
        return RemoteError(DISK_FULL)
    return RemoteError(STORAGE_FAILED, error=errno.errorcode.get(error.errno or 0, type(error).__name__))


def damaged() -> RemoteError:
    """What is said where a file ends before all of its object was read."""
    return RemoteError(DAMAGED_FILE)


def refused(error: BingchengError) -> BingchengError:
    """What an error of the database means for who sends an object: a full disk may have room when they try again."""
    return RemoteError(DISK_FULL) if error.problem is DISK_FULL else error
