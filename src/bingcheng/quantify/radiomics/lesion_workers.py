"""Processes that measure lesions beside this one: half the time of a small one is Python, which threads can't share."""

from __future__ import annotations

import signal
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import CancelledError, Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from multiprocessing import get_context
from types import TracebackType
from typing import Protocol, Self, TypeVar

from bingcheng.core.collector import end_without_looking

T = TypeVar("T")
T_co = TypeVar("T_co", covariant=True)
R = TypeVar("R")

AHEAD = 2
"""Tasks that a process holds: the one it works on, and one to go on with. More could not be taken back at the end."""


class Tasks(Protocol[T_co]):
    """Tasks by number; they may be made when they are asked for."""

    def __len__(self) -> int: ...

    def __getitem__(self, number: int, /) -> T_co: ...


class LesionWorkers:
    """Others than this process, that are started when there is work for them, and kept until the end.

    To be used as a context: ``with LesionWorkers(2) as workers``. As with all processes that Python starts anew, a
    script that uses them guards its main part by ``if __name__ == "__main__"``.

    Parameters
    ----------
    count : how many work, this process included.
    """

    def __init__(self, count: int) -> None:
        self.count = max(1, count)
        self._pool: ProcessPoolExecutor | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, where: TracebackType | None
    ) -> None:
        if self._pool is not None:
            self._pool.shutdown(wait=True, cancel_futures=True)
            self._pool = None

    @property
    def started(self) -> bool:
        """Whether there are processes already."""
        return self._pool is not None

    def each(self, function: Callable[[T], R], tasks: Tasks[T]) -> Iterator[R]:
        """The answer to each task, in order; this process works from the end while the others work from the start.

        A task whose process died, or couldn't be started, is done here.

        Parameters
        ----------
        function : of a module, so that another process finds it; what it raises is raised here.
        tasks : can be pickled; each is asked for when it is about to be done.
        """
        if self.count < 2 or len(tasks) < 2:
            yield from (function(tasks[number]) for number in range(len(tasks)))
            return
        futures: list[Future[R] | None] = []
        done: dict[int, R] = {}
        last = len(tasks)
        for number in range(len(tasks)):
            while number < last:
                # First one for each process: what waits in line for those that still start can't be taken back.
                ended = sum(_ended(futures, n) for n in range(len(futures)))
                more = ended + (self.count - 1) * (AHEAD if ended else 1)
                futures += [self._handed_out(function, tasks[n]) for n in range(len(futures), min(more, last))]
                if _ended(futures, number) or not _taken_back(futures, last - 1):
                    break
                last -= 1
                done[last] = function(tasks[last])
            yield done.pop(number) if number in done else _answer(futures[number], function, tasks, number)

    def _handed_out(self, function: Callable[[T], R], task: T) -> Future[R] | None:
        try:
            if self._pool is None:
                # Not fork: this process may have threads, whose locks a forked child would inherit.
                self._pool = ProcessPoolExecutor(
                    self.count - 1, mp_context=get_context("spawn"), initializer=_settle_in
                )
            return self._pool.submit(function, task)
        except (BrokenProcessPool, OSError):
            return None  # no processes to be had: a sandbox, a script without a main guard


def _ended(futures: Sequence[Future[R] | None], number: int) -> bool:
    """Whether a task that was handed out, or could not be, is no longer waited for."""
    future = futures[number] if number < len(futures) else None
    return number < len(futures) and (future is None or future.done())


def _taken_back(futures: Sequence[Future[R] | None], number: int) -> bool:
    """Whether a task is left to this process: it was not handed out, or nobody has begun with it."""
    future = futures[number] if number < len(futures) else None
    return future is None or future.cancel()


def _answer(future: Future[R] | None, function: Callable[[T], R], tasks: Tasks[T], number: int) -> R:
    if future is not None:
        try:
            return future.result()
        except (BrokenProcessPool, CancelledError, OSError):
            pass
    return function(tasks[number])


def _settle_in() -> None:
    """Let a worker die quietly when the person stops the run, and go through no modules for garbage at its end."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    end_without_looking()
