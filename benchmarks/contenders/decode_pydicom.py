"""pydicom decoding the pixels of the images in a folder one after the other, keeping none. Argument: the folder."""

from __future__ import annotations

import sys
from pathlib import Path

import pydicom
from stopwatch import timed


def main() -> None:
    folder = Path(sys.argv[1])

    def work() -> dict[str, float]:
        pixels = 0
        for path in sorted(folder.iterdir()):
            pixels += pydicom.dcmread(path).pixel_array.size
        return {"pixels": pixels}

    timed(work)


if __name__ == "__main__":
    main()
