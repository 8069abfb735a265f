"""One summary of the findings of a workspace. Arguments: workspace folder, its name (see `summaries`)."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path

from sqlalchemy import Connection, func, select
from stopwatch import timed
from summaries import NAMES

from bingcheng.archive import schema
from bingcheng.archive.findings import findings_of, judged_from
from bingcheng.archive.summaries import criterion_counts, peer_table
from bingcheng.archive.workspace import Workspace

ASKED: tuple[Callable[[Connection], object], ...] = (
    criterion_counts,
    lambda connection: criterion_counts(connection, protocol=_any(connection)),
    peer_table,
    judged_from,
    lambda connection: findings_of(connection, str(connection.scalar(select(func.min(schema.finding.c.exam_uid))))),
)
QUERIES = dict(zip(NAMES, ASKED, strict=True))


def main() -> None:
    workspace = Workspace.look_into(Path(sys.argv[1]))
    asked = QUERIES[sys.argv[2]]
    with workspace.reading() as connection:
        stored = connection.scalar(select(func.count()).select_from(schema.finding))
        connection.execute(select(1))  # opens the file before the clock

        def work() -> dict[str, float]:
            asked(connection)
            return {"findings": stored or 0}

        timed(work)
    workspace.close()


def _any(connection: Connection) -> str:
    return str(connection.scalar(select(func.min(schema.finding.c.protocol))))


if __name__ == "__main__":
    main()
