"""Where a workspace keeps the files of its objects: in its folder, or in a bucket that the workspace itself names.

The workspace remembers the bucket's address, so that every program which opens it finds the files; never the key to it.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, field
from typing import Any

from bingcheng.archive.about import held, hold
from bingcheng.archive.objects.problems import ELSEWHERE
from bingcheng.archive.objects.s3 import S3
from bingcheng.archive.objects.storage import INCOMING, Folder, Storage
from bingcheng.archive.workspace import Workspace
from bingcheng.core.errors import InputError

FOLDER = "objects"
COPIES = "object-copies"
"""Folder of the workspace with copies of what was read lately from a bucket."""
ADDRESS = "objects-bucket"
"""Key in the table ``about`` under which a workspace remembers the bucket."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Bucket:
    """A bucket of an S3 service, and the key to it.

    Parameters
    ----------
    endpoint : address of the service; None for Amazon's.
    key_id, secret : None for what boto3 finds by itself, ``AWS_ACCESS_KEY_ID`` and its like among others.
    """

    name: str
    prefix: str = ""
    endpoint: str | None = None
    region: str | None = None
    key_id: str | None = field(default=None, repr=False)
    secret: str | None = field(default=None, repr=False)

    def address(self) -> str:
        """What a workspace remembers of it: all but the key."""
        said = {"name": self.name, "prefix": self.prefix.strip("/"), "endpoint": self.endpoint, "region": self.region}
        return json.dumps(said, sort_keys=True)

    def plain(self) -> dict[str, Any]:
        """For JSON that goes to a process of ours."""
        return asdict(self)


def storage_of(workspace: Workspace, bucket: Bucket | None = None) -> Storage:
    """Where the files of a workspace lie.

    Parameters
    ----------
    bucket : where they are to lie, as the settings say; None for where the workspace remembers that they do.

    Raises
    ------
    InputError
        ``archive.objects-elsewhere``: the workspace has files in another place than `bucket`; ``archive.no-s3``.
    RemoteError
        ``archive.storage-failed``.
    """
    with workspace.reading() as connection:
        known = held(connection, ADDRESS)
    if bucket is None:
        if known is None:
            return Folder(workspace.folder / FOLDER)
        bucket = Bucket(**json.loads(known))
    elif known is None:
        _check_empty(workspace)
    elif known != bucket.address():
        raise InputError(ELSEWHERE)
    opened = S3.connect(
        bucket.name,
        workspace.folder / COPIES,
        endpoint_url=bucket.endpoint,
        region=bucket.region,
        key_id=bucket.key_id,
        secret=bucket.secret,
        prefix=bucket.prefix,
    )
    if known is None:
        with workspace.writing() as connection:
            hold(connection, ADDRESS, bucket.address())
    return opened


def _check_empty(workspace: Workspace) -> None:
    folder = workspace.folder / FOLDER
    if folder.is_dir() and any(one.name != INCOMING for one in folder.iterdir()):
        raise InputError(ELSEWHERE)
