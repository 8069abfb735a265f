"""The small study, and running the main job on it."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.engine.making import write_study

from bingcheng.archive.workspace import Workspace
from bingcheng.engine.run import Options, assess
from bingcheng.engine.view import assessment


@pytest.fixture(scope="session")
def small_study(tmp_path_factory):
    """Four exams of three patients in two hospitals. Read only."""
    return write_study(tmp_path_factory.mktemp("study"))


@pytest.fixture
def assessed(tmp_path):
    """Assess folders into a workspace in this process; gives the tally and the assessment."""

    def run(*paths: Path, workspace: Path | None = None, **options):
        opened = Workspace.open(workspace or tmp_path / "workspace")
        try:
            tally = assess(paths, opened, Options(workers=1, **options), lambda *_: None)
            return tally, assessment(opened)
        finally:
            opened.close()

    return run
