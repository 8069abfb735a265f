"""pydicom reading the tags that Bingcheng's index reads, and nothing else. Arguments: a folder, processes, what.

`what` is ``values`` (each element converted to its value) or ``raw`` (elements found, left as bytes). The processes
are started, and pydicom imported in them, before the clock runs.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from multiprocessing import get_context
from pathlib import Path

import pydicom
from stopwatch import timed

from bingcheng.dicom.headers import WANTED

CHUNK = 50


def main() -> None:
    folder, processes, convert = Path(sys.argv[1]), int(sys.argv[2]), sys.argv[3] == "values"
    with ProcessPoolExecutor(processes, mp_context=get_context("fork")) as pool:
        list(pool.map(_ready, range(processes * 4)))

        def work() -> dict[str, object]:
            paths = sorted(str(path) for path in folder.rglob("*") if path.is_file())
            chunks = [paths[at : at + CHUNK] for at in range(0, len(paths), CHUNK)]
            elements = sum(pool.map(partial(_read, convert=convert), chunks))
            return {"files": len(paths), "elements": elements}

        timed(work)


def _ready(_number: int) -> int:
    return os.getpid()


def _read(paths: Sequence[str], *, convert: bool) -> int:
    count, tags = 0, sorted(WANTED)
    for path in paths:
        dataset = pydicom.dcmread(path, stop_before_pixels=True, specific_tags=tags)
        count += len([element.value for element in dataset]) if convert else len(dataset)
    return count


if __name__ == "__main__":
    main()
