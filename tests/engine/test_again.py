"""Running again: nothing changes, what was cut off goes on, two runs share one workspace."""

from __future__ import annotations

import shutil
import signal
import time

import pytest
from tests.engine.making import ct
from tests.engine.processes import dump, finished, objects, start, stored_exams


def test_the_same_exams_again_change_nothing_wherever_they_lie(small_study, own_workspace, assessed, tmp_path):
    workspace = own_workspace
    before, written = dump(workspace), objects(workspace)
    assert len(written) == 12  # for each of four exams a segmentation, its measurements, and what the protocols found
    assert assessed(small_study, workspace=workspace)[0].unchanged == 4
    assert dump(workspace) == before
    elsewhere = shutil.copytree(small_study, tmp_path / "copied to" / "elsewhere")
    assert assessed(elsewhere, workspace=workspace)[0].unchanged == 4
    assert _but_places(dump(workspace)) == _but_places(before)  # where the files now are is all that is new
    assert objects(workspace) == written


def _but_places(lines: list[str]) -> list[str]:
    kept = [line for line in lines if not line.startswith('INSERT INTO "exam_source"')]
    assert len(kept) < len(lines)
    return kept


def test_a_workspace_among_the_exams_does_not_feed_on_its_own_objects(
    small_study, own_workspace, seen_once, assessed, tmp_path
):
    shutil.copytree(small_study, tmp_path, dirs_exist_ok=True)
    assert own_workspace.is_relative_to(tmp_path)
    tally, second = assessed(tmp_path, workspace=own_workspace)
    assert tally.unchanged == tally.found == 4
    assert second == seen_once


def test_a_corrected_header_is_noticed_though_uids_and_sizes_stay(assessed, brief, without_objects, tmp_path):
    ct(tmp_path / "exam")
    assessed(tmp_path / "exam")
    for path in (tmp_path / "exam").glob("0*.dcm"):
        path.write_bytes(path.read_bytes().replace(b"120 ", b"100 "))
    tally, seen = assessed(tmp_path / "exam")
    assert tally.assessed == 1
    assert any("100" in str(value) for _, value in seen.exams[0].series[0].facts)


def test_an_exam_asked_for_again_is_replaced_not_added(small_study, own_workspace, seen_once, assessed):
    tally, after = assessed(small_study, workspace=own_workspace, again=True)
    assert (tally.assessed, tally.unchanged) == (4, 0)
    assert after == seen_once


@pytest.mark.slow
def test_a_run_killed_without_warning_goes_on_where_it_stopped(
    small_study, seen_once, assessed, brief, without_objects, tmp_path
):
    workspace = tmp_path / "workspace"
    process = start("assess", small_study, "--workspace", workspace, "--workers", 1, "--quiet")
    while stored_exams(workspace) == 0:
        assert process.poll() is None
        time.sleep(0.02)
    process.send_signal(signal.SIGKILL)
    finished(process)
    kept = stored_exams(workspace)
    assert 1 <= kept < 4
    tally, seen = assessed(small_study, workspace=workspace)
    assert (tally.unchanged, tally.assessed, tally.failed) == (kept, 4 - kept, 0)
    assert {exam.uid: exam.label for exam in seen.exams} == {exam.uid: exam.label for exam in seen_once.exams}


@pytest.mark.slow
def test_two_runs_that_make_and_fill_one_workspace_at_the_same_moment_agree(small_study, tmp_path):
    workspace = tmp_path / "workspace"
    exams = small_study / "north"
    runs = [start("assess", exams, "--workspace", workspace, "--workers", 1, "--json") for _ in range(2)]
    for code, _, err in map(finished, runs):
        assert code == 0, err
    assert stored_exams(workspace) == 2
    assert sum("secret" in line for line in dump(workspace) if "INSERT" in line) == 1
    assert {name.count("/") for name in objects(workspace)} == {1}
    assert not [path for path in (workspace / "dicom").iterdir() if path.name.startswith(".")]
