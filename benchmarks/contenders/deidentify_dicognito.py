"""dicognito cleaning every file of a folder. Arguments: the folder, and where to write."""

from __future__ import annotations

import sys
from pathlib import Path

import pydicom
from dicognito.anonymizer import Anonymizer
from stopwatch import timed


def main() -> None:
    folder, out = Path(sys.argv[1]), Path(sys.argv[2])
    out.mkdir(parents=True, exist_ok=True)
    worker = Anonymizer(seed="of no worth")
    paths = sorted(path for path in folder.rglob("*") if path.is_file())
    worker.anonymize(pydicom.dcmread(paths[0]))

    def work() -> dict[str, float]:
        for number, path in enumerate(paths):
            dataset = pydicom.dcmread(path)
            worker.anonymize(dataset)
            dataset.save_as(out / f"{number}.dcm")
        return {"files": len(paths)}

    timed(work)


if __name__ == "__main__":
    main()
