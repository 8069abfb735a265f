"""pydicom reading the tags that Bingcheng's index reads, and nothing else. Arguments: a folder, processes, what.

`what` is ``values`` (each element converted to its value) or ``raw`` (elements found, left as bytes). The processes
are started, and pydicom imported in them, before the clock runs.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from multiprocessing import get_context
from pathlib import Path

import pydicom
from stopwatch import timed

from bingcheng.dicom.index.headers import WANTED

CHUNK = 50


def main() -> None:
    folder, processes, convert = Path(sys.argv[1]), int(sys.argv[2]), sys.argv[3] == "values"
    with ProcessPoolExecutor(processes, mp_context=get_context("fork")) as pool:
        list(pool.map(partial(_read, convert=convert), [()] * processes * 4))

        def work() -> dict[str, float]:
            paths = sorted(str(path) for path in folder.rglob("*") if path.is_file())
            chunks = [paths[at : at + CHUNK] for at in range(0, len(paths), CHUNK)]
            read = list(pool.map(partial(_read, convert=convert), chunks))
            elements, spent_s = (sum(column) for column in zip(*read, strict=True))
            return {"files": len(paths), "elements": elements, "workers_cpu_s": spent_s}

        timed(work)


def _read(paths: Sequence[str], *, convert: bool) -> tuple[int, float]:
    """How many elements were found, and the CPU time that it took."""
    start_s, count, tags = time.process_time(), 0, sorted(WANTED)
    for path in paths:
        dataset = pydicom.dcmread(path, stop_before_pixels=True, specific_tags=tags)
        count += len([element.value for element in dataset]) if convert else len(dataset)
    return count, time.process_time() - start_s


if __name__ == "__main__":
    main()
