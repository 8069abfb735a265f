"""Damaged files: whatever bytes turn over in one file, the command ends well and blames nobody else."""

from __future__ import annotations

import shutil

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.engine.conftest import shorten_uncertainties
from tests.engine.making import ct

from bingcheng.archive.workspace import Workspace
from bingcheng.engine.run import Options, assess
from bingcheng.engine.view import assessment

HEADER_BYTES = 3000
FLIPS = st.lists(
    st.tuples(st.one_of(st.integers(128, HEADER_BYTES), st.integers(0, 10**6)), st.integers(1, 255)),
    min_size=1,
    max_size=12,
)


@pytest.fixture(autouse=True)
def uncertainties_are_short(monkeypatch):
    """Nothing here asks how large they are."""
    shorten_uncertainties(monkeypatch)


@pytest.fixture(scope="module")
def exam(tmp_path_factory):
    folder = tmp_path_factory.mktemp("fuzzed")
    ct(folder)
    return folder


@pytest.fixture(scope="module")
def empty(tmp_path_factory):
    """A workspace without any exam, to be copied."""
    folder = tmp_path_factory.mktemp("empty")
    Workspace.open(folder).close()
    return folder


# The same damages each time, so that what fails, and how long it takes, answers to the change that is tested.
@settings(max_examples=25, derandomize=True, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(name=st.sampled_from(["00001.dcm", "00008.dcm", "seg.dcm"]), flips=FLIPS, cut=st.none() | st.integers(0, 5000))
@pytest.mark.slow
def test_flipped_bytes_end_in_values_or_refusals(exam, empty, tmp_path, name, flips, cut):
    folder = tmp_path / "work"
    shutil.rmtree(folder, ignore_errors=True)
    shutil.copytree(exam, folder / "exam")
    shutil.copytree(empty, folder / "workspace")
    damaged = bytearray((exam / name).read_bytes())
    for place, change in flips:
        damaged[place % len(damaged)] ^= change
    (folder / "exam" / name).write_bytes(damaged[: len(damaged) - (cut or 0)])
    workspace = Workspace.open(folder / "workspace")
    try:
        tally = assess([folder / "exam"], workspace, Options(workers=1), lambda *_: None)
        seen = assessment(workspace)
    finally:
        workspace.close()
    assert tally.found >= 1
    refusals = [*seen.refusals, *(refusal for one in seen.exams for refusal in one.refusals)]
    # A fault of the program is caught and costs one exam only; here it is a failure all the same.
    assert [str(refusal.reason) for refusal in refusals if refusal.code == "engine.unexpected"] == []
