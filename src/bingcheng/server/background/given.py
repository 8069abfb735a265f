"""What a working process is told by the server, which does not load what assesses."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bingcheng.archive.jobs.queue import Lane
from bingcheng.archive.objects.place import Bucket
from bingcheng.server.background.calling import Calling


@dataclass(frozen=True, slots=True, kw_only=True)
class Given:
    """What the process is told.

    Parameters
    ----------
    lane : the jobs that it works on.
    bucket : where the files of objects lie, with the key to it; None for a folder, or where the workspace says.
    """

    workspace: Path
    database: str | None
    workers: int
    calling: Calling
    lane: Lane = Lane.COMPUTING
    bucket: Bucket | None = None

    def as_json(self) -> str:
        """As one line."""
        return json.dumps(
            {
                "workspace": str(self.workspace),
                "database": self.database,
                "workers": self.workers,
                "calling": self.calling.plain(),
                "lane": self.lane.value,
                "bucket": None if self.bucket is None else self.bucket.plain(),
            }
        )

    @staticmethod
    def of(line: str) -> Given:
        """What `as_json` wrote."""
        told: dict[str, Any] = json.loads(line)
        return Given(
            workspace=Path(told["workspace"]),
            database=told["database"],
            workers=told["workers"],
            calling=Calling.of(told["calling"]),
            lane=Lane(told["lane"]),
            bucket=None if told["bucket"] is None else Bucket(**told["bucket"]),
        )
