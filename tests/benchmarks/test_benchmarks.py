"""The benchmarks run at a tiny size and say what they found. Nothing here depends on how long anything takes."""

from __future__ import annotations

import json
import runpy
import subprocess
import sys
from collections import Counter
from functools import cache
from importlib.util import find_spec
from pathlib import Path

import pytest
from benchmarks import __main__ as command
from benchmarks import clock, ct_exam, header_index, judging, stacks, start
from benchmarks.clock import ContenderError, Sample, Series
from benchmarks.result import Ratio, Result, slower
from benchmarks.settings import Settings
from sqlalchemy import func, select

from bingcheng.archive import schema
from bingcheng.archive.workspace import Workspace


@pytest.fixture(scope="module")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> Settings:
    scratch = tmp_path_factory.mktemp("benchmarks")
    return Settings(scratch=scratch, repeats=1, slices=24, matrix=128, exams=12, peers=False)


def run_here(command: list[str], **_how: object) -> None:
    """``python -m MODULE …`` in this process: starting another takes longer than what little is made here."""
    assert command[:2] == [sys.executable, "-m"]
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(sys, "argv", command[2:])
        runpy.run_path(str(find_spec(command[2]).origin), run_name="__main__")


@pytest.fixture(scope="module")
def exam(tiny: Settings) -> Path:
    """The exam that is assessed."""
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(subprocess, "run", run_here)
        return ct_exam._exam(tiny, "jpeg-lossless")


def series(name: str, *walls_s: float) -> Series:
    return Series(name=name, samples=tuple(Sample(wall_s=w, cpu_s=w / 2, peak_bytes=clock.MIB) for w in walls_s))


@pytest.mark.slow
def test_the_exam_is_assessed_in_full_and_its_pixels_are_all_decoded(tiny, exam, monkeypatch):
    # To warm up and to be timed, which is the same here.
    monkeypatch.setattr(ct_exam, "_assess", cache(ct_exam._assess))
    found = ct_exam.run(tiny, syntax="jpeg-lossless")
    ours, theirs = found.series
    assert ours.samples[0].facts == {"found": 1, "assessed": 1, "failed": 0}
    assert theirs.samples[0].facts == {"pixels": 24 * 128 * 128}
    assert ours.samples[0].peak_bytes >= ours.samples[0].before_bytes > 0


@pytest.mark.slow
def test_an_exam_without_its_lesion_is_no_result(exam, tmp_path):
    with pytest.raises(ContenderError, match="not assessed in full: 0 lesions"):
        ct_exam._assess(exam / "ct", tmp_path)


@pytest.mark.slow
def test_stored_exams_are_judged_and_summaries_asked(tiny, monkeypatch):
    monkeypatch.setattr(judging, "NAMES", judging.NAMES[-1:])
    started = subprocess.run
    monkeypatch.setattr(
        subprocess, "run", lambda command, **how: (run_here if "-m" in command else started)(command, **how)
    )
    found = judging.run(tiny)
    alone, whole, asked = found.series
    assert alone.samples[0].facts["judged"] == whole.samples[0].facts["exams"] == 12
    # The facts alone have no baseline; it adds outcomes to criteria about pairs, and no criteria.
    stored = alone.samples[0].facts["findings"]
    assert asked.samples[0].facts["findings"] == stored
    workspace = tiny.scratch / "judged-12"
    judging._generate("fill", workspace, int(stored) + 1)
    with Workspace.look_into(workspace).reading() as connection:
        assert connection.scalar(select(func.count()).select_from(schema.exam)) == 13  # a copy of one
        assert connection.scalar(select(func.count()).select_from(schema.finding)) > stored


def test_import_times_are_added_up_by_package():
    said = """import time: self [us] | cumulative | imported package
import time:         5 |          5 |   rich.text
import time:         2 |          7 | rich
"""
    own_us, modules = start.own_times(said)
    assert own_us == Counter(rich=7)
    assert modules == Counter(rich=2)


def test_a_command_that_fails_is_no_sample():
    with pytest.raises(ContenderError, match="exit 3: gone wrong"):
        clock.whole([sys.executable, "-c", "print('gone wrong'); raise SystemExit(3)"])


def test_a_command_that_does_not_end_is_stopped():
    with pytest.raises(clock.subprocess.TimeoutExpired):
        clock.whole([sys.executable, "-c", "import time; time.sleep(60)"], limit_s=0.2)


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="memory is watched on Linux only")
def test_the_memory_of_a_command_includes_that_of_its_children():
    inner = "import time; held = b'x' * (64 << 20); time.sleep(0.5)"
    code = f"import subprocess, sys; subprocess.run([sys.executable, '-c', {inner!r}])"
    found = clock.whole([sys.executable, "-c", code])
    assert found.peak_bytes > 64 * clock.MIB
    assert found.tree_bytes is not None
    assert found.tree_bytes > found.peak_bytes


def test_contenders_take_turns_and_must_agree_on_the_files():
    turns: list[str] = []

    def once(name: str, files: int) -> Sample:
        turns.append(name)
        return Sample(wall_s=1.0, cpu_s=1.0, peak_bytes=1, facts={"files": files})

    def pair(files: int) -> tuple[clock.Contender, clock.Contender]:
        return (
            clock.Contender(name="a", once=lambda: once("a", 3)),
            clock.Contender(name="b", once=lambda: once("b", files)),
        )

    assert set(clock.alternate(pair(3), 2)) == {"a", "b"}
    assert turns == ["a", "b", "a", "b"]
    with pytest.raises(ContenderError, match=r"\[3, 4\]"):
        clock.alternate(pair(4), 1)


def test_a_ratio_is_of_medians_and_says_whether_its_target_is_met():
    ratio = slower("a / b", series("a", 9.0, 2.0, 4.0), series("b", 1.0, 2.0, 30.0), at_most=2.0)
    assert ratio.value == 2.0
    assert ratio.line() == "  a / b: 2 x (target: at most 2 x; met)"
    assert Ratio(what="b / a", value=9.0, at_least=10.0).met is False
    assert Ratio(what="no target", value=1.0).met is None


def test_a_result_reads_alike_as_text_and_as_json():
    result = Result(title="T", series=(series("a", 3.0, 1.0, 2.0),), ratios=(Ratio(what="r", value=1.0),))
    assert list(result.lines()) == [
        "T",
        "  a  wall 1.000 / 2.000 / 3.000 s  CPU 0.500 / 1.000 / 1.500 s  peak 1 MiB",
        "  r: 1 x",
    ]
    assert [s["wall_s"] for s in json.loads(json.dumps(result.as_json()))["series"]["a"]] == [3.0, 1.0, 2.0]


def test_stacks_are_folded_into_a_tree_of_our_own_functions():
    lines = [
        "main (x.py:1);work (y.py:2);assess (bingcheng/engine/run.py:9);loads (json/decoder.py:3) 500",
        "main (x.py:1);work (y.py:2);assess (bingcheng/engine/run.py:9);voxels (bingcheng/dicom/pixels/read.py:4) 250",
        "main (x.py:1);importing (z.py:2) 250",
    ]
    found = stacks.folded(lines, within="work")
    assert list(stacks.tree(found, least_s=0.1, deepest=9, rate_hz=250)) == [
        "3.00 s sampled",
        "  3.00 s (own 2.00)  engine.run.assess",
        "    1.00 s (own 1.00)  dicom.pixels.read.voxels",
    ]


@pytest.mark.slow
def test_the_command_runs_what_is_named_and_every_reader_of_headers_finds_all_of_them(tmp_path, capsys):
    file = tmp_path / "figures.json"
    size = ["--files", "12", "--repeats", "1", "--no-peers", "--json", str(file)]
    assert command.main(["index", *size]) == 0
    assert "Header index: 12 CT headers" in capsys.readouterr().out
    found = json.loads(file.read_text())
    assert list(found["benchmarks"]) == ["index"]
    assert "pydicom" in found["machine"]["packages"]
    series = found["benchmarks"]["index"]["series"]
    assert list(series) == [header_index.OURS, header_index.VALUES, header_index.RAW]
    assert {sample["facts"]["files"] for samples in series.values() for sample in samples} == {12}
    assert series[header_index.OURS][0]["facts"]["slices"] == 12
