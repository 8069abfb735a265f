"""The header index and its grouping into exams, as ``bingcheng assess`` makes them. Argument: a folder."""

from __future__ import annotations

import sys
from pathlib import Path

from stopwatch import timed

from bingcheng.dicom.grouping.exams import exams
from bingcheng.dicom.index.scan import index


def main() -> None:
    folder = Path(sys.argv[1])

    def work() -> dict[str, float]:
        found = index([folder])
        grouped = exams(found)
        slices = sum(len(v.frames) for e in grouped.exams for s in e.series for v in s.volumes)
        return {"files": len(found.headers), "slices": slices, "exams": len(grouped.exams)}

    timed(work)


if __name__ == "__main__":
    main()
