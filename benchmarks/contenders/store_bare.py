"""Files alone, each on the disk before the next: what no store that promises as much can go below.

As the store does it on ext4, XFS and btrfs, where flushing a file that was renamed makes its name durable too.
"""

from __future__ import annotations

import os
import sys
import tempfile
from pathlib import Path

from sent_slices import slices
from stopwatch import timed


def main(scratch: str, count: int, matrix: int) -> None:
    """Write them and say how long it took."""
    sent = slices(count, matrix)
    with tempfile.TemporaryDirectory(dir=scratch) as folder:
        timed(lambda: _write(Path(folder), sent))


def _write(folder: Path, sent: list[bytes]) -> dict[str, float]:
    for number, data in enumerate(sent):
        file = os.open(folder / f"{number}.part", os.O_CREAT | os.O_WRONLY)
        os.write(file, data)
        (folder / f"{number}.part").rename(folder / f"{number}.dcm")
        os.fsync(file)
        os.close(file)
    return {"files": len(sent)}


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]), int(sys.argv[3]))
