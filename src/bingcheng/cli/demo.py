"""``bingcheng demo``: the main job on a generated study of three hospitals, with known truth beside it."""

from __future__ import annotations

from pathlib import Path

from bingcheng.cli.assess import Request, run_assess
from bingcheng.cli.progress import progress_bars
from bingcheng.core.wording import text
from bingcheng.engine.demo.study import write_demo
from bingcheng.outputs.language import Language

EXAMS = "exams"
WORKSPACE = "workspace"


def run_demo(folder: Path, workers: int, language: Language) -> int:
    """Generate the study in ``exams``, assess it into ``workspace``; returns the exit code."""
    generating = text("Generating the study")
    with progress_bars(language, shown=True) as told:
        write_demo(folder / EXAMS, progress=lambda done, total: told(generating, done, total), workers=workers)
    return run_assess(Request(paths=(folder / EXAMS,), workspace=folder / WORKSPACE, workers=workers), language)
