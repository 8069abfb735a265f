"""pydicom reading and writing every file of a folder, nothing else. Arguments: the folder, and where to write."""

from __future__ import annotations

import sys
from pathlib import Path

import pydicom
from stopwatch import timed


def main() -> None:
    folder, out = Path(sys.argv[1]), Path(sys.argv[2])
    out.mkdir(parents=True, exist_ok=True)
    paths = sorted(path for path in folder.rglob("*") if path.is_file())

    def work() -> dict[str, float]:
        for number, path in enumerate(paths):
            pydicom.dcmread(path).save_as(out / f"{number}.dcm")
        return {"files": len(paths)}

    timed(work)


if __name__ == "__main__":
    main()
