"""dicompare's session loading. Arguments: a folder, threads."""

from __future__ import annotations

import contextlib
import io
import sys

from dicompare import load_dicom_session
from stopwatch import timed


def main() -> None:
    folder, threads = sys.argv[1], int(sys.argv[2])

    def work() -> dict[str, float]:
        with contextlib.redirect_stdout(io.StringIO()):
            session = load_dicom_session(session_dir=folder, parallel_workers=threads)
        return {"files": len(session)}

    timed(work)


if __name__ == "__main__":
    main()
