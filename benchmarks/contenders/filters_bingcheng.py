"""The response maps of the IBSI 2. Arguments: folder of phantoms as .npy, answer (an .npz of the maps)."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
from stopwatch import timed

from bingcheng.quantify.filters.configurations import RESPONSE_MAPS

SPACING_MM = (2.0, 2.0, 2.0)


def main() -> None:
    folder, answer = Path(sys.argv[1]), Path(sys.argv[2])
    phantoms = {one.phantom: np.load(folder / f"{one.phantom}.npy") for one in RESPONSE_MAPS.values()}

    def maps() -> dict[str, np.ndarray]:
        return {
            name: np.asarray(one.filter.response(phantoms[one.phantom], SPACING_MM), dtype=np.float32)
            for name, one in RESPONSE_MAPS.items()
        }

    np.savez(answer, **maps())  # loads and compiles what is needed
    timed(lambda: {"maps": len(maps())})


if __name__ == "__main__":
    main()
