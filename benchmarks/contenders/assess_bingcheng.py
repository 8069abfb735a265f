"""One exam from its files to its stored result, on a fresh workspace. Arguments: exam folder, workspace folder."""

from __future__ import annotations

import sys
from pathlib import Path

from stopwatch import timed

from bingcheng.archive.workspace import Workspace
from bingcheng.engine.run import Options, assess
from bingcheng.engine.view import assessment


def main() -> None:
    exam, folder = Path(sys.argv[1]), Path(sys.argv[2])
    stored: list[Workspace] = []

    def work() -> dict[str, float]:
        workspace = Workspace.open(folder)
        stored.append(workspace)
        tally = assess([exam], workspace, Options(workers=1), lambda _step, _done, _total: None)
        return {"found": tally.found, "assessed": tally.assessed, "failed": tally.failed}

    timed(work)
    _check(stored[0])
    stored[0].close()


def _check(workspace: Workspace) -> None:
    """Stop with an error unless the exam was really assessed: a run that skips work is quick."""
    series = [one for exam in assessment(workspace).exams for one in exam.series]
    lesions = [lesion for one in series for lesion in one.lesions]
    quality = sum(m.value is not None for one in series for m in one.measurements)
    sizes = sum(m.standard_uncertainty is not None for lesion in lesions for m in lesion.measurements)
    images = sum(lesion.image is not None for lesion in lesions)
    objects = len(list((workspace.folder / "dicom").rglob("*-s?*.dcm")))
    if (len(lesions), images, objects) != (1, 1, 2) or not quality or not sizes:
        sys.exit(f"not assessed in full: {len(lesions)} lesions, {quality} + {sizes} values, {objects} objects")


if __name__ == "__main__":
    main()
