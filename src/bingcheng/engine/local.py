"""Running tasks on this machine: in this process, or in worker processes whose loss costs one task, not the run."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from concurrent.futures.process import BrokenProcessPool
from multiprocessing import get_context
from typing import TypeVar

from bingcheng.core.errors import InputError
from bingcheng.engine.problems import WORKER_LOST

T = TypeVar("T")
R = TypeVar("R")


def run(function: Callable[[T], R], tasks: Sequence[T], *, workers: int) -> Iterator[tuple[T, R | InputError]]:
    """Each task with the answer of `function`, which raises nothing, in the order in which they end.

    If a worker dies (killed, out of memory), the tasks that had no answer are run again one at a time, so that only
    the one that kills its worker is given up (``engine.worker-lost``).
    """
    if workers <= 1 or len(tasks) <= 1:
        for task in tasks:
            yield task, function(task)
        return
    waiting = dict(enumerate(tasks))
    try:
        for number, outcome in _pooled(function, waiting, min(workers, len(tasks))):
            yield waiting.pop(number), outcome
    except BrokenProcessPool:
        for number, task in list(waiting.items()):
            try:
                yield from ((task, outcome) for _, outcome in _pooled(function, {number: task}, 1))
            except BrokenProcessPool:
                yield task, InputError(WORKER_LOST)


def _pooled(function: Callable[[T], R], tasks: dict[int, T], workers: int) -> Iterator[tuple[int, R | InputError]]:
    # A fresh interpreter a worker: forking a process that already runs threads (numba, SimpleITK) may hang.
    with ProcessPoolExecutor(workers, mp_context=get_context("spawn")) as pool:
        futures = {pool.submit(function, task): number for number, task in tasks.items()}
        for future in as_completed(futures):
            yield futures[future], future.result()
