"""The small study, and running the main job on it."""

from __future__ import annotations

import shutil
from dataclasses import replace
from functools import partial
from pathlib import Path

import pytest
from tests.engine.making import write_study

from bingcheng.archive.workspace import Workspace
from bingcheng.engine import examine
from bingcheng.engine import run as running
from bingcheng.engine.run import Options, assess
from bingcheng.engine.view import assessment
from bingcheng.quantify.uncertainty.perturbation import Perturbations

BRIEF = Perturbations(contours=2, noises=2)


@pytest.fixture(scope="session")
def small_study(shared):
    """Four exams of three patients in two hospitals. Read only."""
    return shared("small-study", write_study)


@pytest.fixture(scope="session")
def once(small_study, shared, tmp_path_factory):
    """A workspace into which the small study was assessed. Read only."""

    def make(folder):
        opened = Workspace.open(folder)
        try:
            tally = assess([small_study], opened, Options(workers=1), lambda *_: None)
        finally:
            opened.close()
        assert (tally.found, tally.assessed, tally.unchanged, tally.failed) == (4, 4, 0, 0)

    # What another process has open can't be copied: each has a copy of its own.
    return shutil.copytree(shared("once-assessed", make), tmp_path_factory.mktemp("once") / "workspace")


@pytest.fixture
def own_workspace(once, tmp_path):
    """The folder of an own copy of the workspace that holds the small study."""
    return shutil.copytree(once, tmp_path / "own")


@pytest.fixture(scope="session")
def seen_once(once):
    """The assessment of the small study."""
    opened = Workspace.look_into(once)
    try:
        return assessment(opened)
    finally:
        opened.close()


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


def shorten_uncertainties(monkeypatch):
    """Let lesions be measured again as seldom as can be, where nobody asks how large an uncertainty is."""
    monkeypatch.setattr(examine, "measured", partial(examine.measured, perturbations=BRIEF))


def make_no_objects(monkeypatch):
    """Let no DICOM objects be made from exams, where nothing is read from them: they take half of the time."""
    monkeypatch.setattr(running, "attempt", _attempt_without_objects)
    monkeypatch.setattr(running, "write_conformance_objects", lambda *_: None)


def _attempt_without_objects(task, attempt=running.attempt):
    return attempt(replace(task, outputs=None))


@pytest.fixture
def brief(monkeypatch):
    """Uncertainties from few repetitions."""
    shorten_uncertainties(monkeypatch)


@pytest.fixture
def without_objects(monkeypatch):
    """No DICOM objects are made from exams."""
    make_no_objects(monkeypatch)
