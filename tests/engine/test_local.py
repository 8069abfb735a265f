"""Worker processes that die."""

from __future__ import annotations

import gc
import os
import signal
from pathlib import Path

import pytest

from bingcheng.core.errors import InputError
from bingcheng.engine.local import run


def squared(number: int) -> int:
    if number == 3:
        os.kill(os.getpid(), signal.SIGKILL)
    return number * number


def dies_once(folder: str) -> str:
    mark = Path(folder)
    if mark.name == "weak" and not mark.exists():
        mark.touch()
        os.kill(os.getpid(), signal.SIGKILL)
    return mark.name


def test_a_task_that_kills_its_worker_costs_itself_only():
    outcomes = dict(run(squared, range(6), workers=2))
    lost = outcomes.pop(3)
    assert isinstance(lost, InputError)
    assert lost.code == "engine.worker-lost"
    assert outcomes == {0: 0, 1: 1, 2: 4, 4: 16, 5: 25}


def test_a_task_whose_worker_was_killed_from_outside_is_tried_once_more(tmp_path):
    tasks = [str(tmp_path / name) for name in ("strong", "weak", "other")]
    assert sorted(outcome for _, outcome in run(dies_once, tasks, workers=2)) == ["other", "strong", "weak"]


def test_the_collector_looks_seldom_during_a_task_only():
    before = gc.get_threshold()
    during = [outcome[0] for _, outcome in run(lambda _: gc.get_threshold(), [1, 2], workers=1)]
    assert gc.get_threshold() == before
    assert min(during) > before[0]


def test_the_collector_is_as_before_after_a_task_that_was_interrupted():
    before = gc.get_threshold()

    def interrupted(_):
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        list(run(interrupted, [1], workers=1))
    assert gc.get_threshold() == before
