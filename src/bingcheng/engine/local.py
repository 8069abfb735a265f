"""Running tasks on this machine: in this process, or in worker processes whose loss costs one task, not the run."""

from __future__ import annotations

import gc
import signal
import warnings
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from multiprocessing import get_context
from typing import TypeVar

from bingcheng.core.collector import end_without_looking
from bingcheng.core.errors import InputError
from bingcheng.engine.problems import WORKER_LOST

T = TypeVar("T")
R = TypeVar("R")

OBJECTS_BETWEEN_LOOKS = 20_000
"""How many objects are made before the collector of reference cycles looks for garbage; Python's default is 700."""


def run(function: Callable[[T], R], tasks: Sequence[T], *, workers: int) -> Iterator[tuple[T, R | InputError]]:
    """Each task with the answer of `function`, which raises nothing, in the order in which they end.

    If a worker dies (killed, out of memory), each task that was under way then is run again by itself; the one that
    kills its worker again is given up (``engine.worker-lost``), and the others go on as before.
    """
    if workers <= 1 or len(tasks) <= 1:
        for task in tasks:
            with seldom_interrupted():
                outcome = function(task)
            yield task, outcome
        return
    waiting = deque(tasks)
    while waiting:
        suspects: list[T] = []
        yield from _pooled(function, waiting, workers, suspects)
        for suspect in suspects:
            lost: list[T] = []
            yield from _pooled(function, deque((suspect,)), 1, lost)
            yield from ((task, InputError(WORKER_LOST)) for task in lost)


def _pooled(
    function: Callable[[T], R], waiting: deque[T], workers: int, suspects: list[T]
) -> Iterator[tuple[T, R | InputError]]:
    """The tasks of `waiting` with their answers, until all are done or a worker dies.

    No more tasks are handed out than there are workers, so that those under way when a worker dies, which are then put
    into `suspects`, are few, and answers don't pile up while they are stored.
    """
    # A fresh interpreter a worker: forking a process that already runs threads (numba, SimpleITK) may hang.
    with ProcessPoolExecutor(workers, mp_context=get_context("spawn"), initializer=_settle_in) as pool:
        running: dict[Future[R], T] = {}
        try:
            while waiting or running:
                while waiting and len(running) < workers:
                    running[pool.submit(function, waiting[0])] = waiting[0]
                    waiting.popleft()
                for future in wait(running, return_when=FIRST_COMPLETED).done:
                    outcome = future.result()
                    yield running.pop(future), outcome
        except BrokenProcessPool:
            suspects.extend(running.values())
            if not suspects and waiting:  # the pool broke before it took a task; the next one must not wait for ever
                suspects.append(waiting.popleft())


@contextmanager
def seldom_interrupted() -> Iterator[None]:
    """Let the collector of reference cycles look less often while it lasts.

    Writing a report makes some 100,000 small objects that live, which the collector would look through again and
    again. Voxels don't wait for it: nothing that holds them is part of a cycle.
    """
    before = gc.get_threshold()
    gc.set_threshold(OBJECTS_BETWEEN_LOOKS, *before[1:])
    try:
        yield
    finally:
        gc.set_threshold(*before)


def _settle_in() -> None:
    """Make a worker die quietly when the person stops the run, and print no library's warnings beside the bars.

    The collector of reference cycles looks seldom all the time, for a worker does nothing but tasks, and not at its
    end, where it would go through all modules once more.
    """
    gc.set_threshold(OBJECTS_BETWEEN_LOOKS, *gc.get_threshold()[1:])
    end_without_looking()
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    warnings.simplefilter("ignore")
