"""Clients that send to one server at the same time, each in a process of its own: they must not wait for each other."""

from __future__ import annotations

import multiprocessing
import time
from collections.abc import Callable
from types import TracebackType
from typing import Self

LIMIT_S = 120.0
"""After so long a turn has failed."""


class Senders:
    """Processes that all do their work when it is their turn, beginning together.

    Parameters
    ----------
    send : what each of them does; called with the number of the sender, from 0, and that of the turn.
    """

    def __init__(self, many: int, send: Callable[[int, int], object]) -> None:
        context = multiprocessing.get_context("fork")  # with the slices that are to be sent, as they lie in memory
        self._gate = context.Barrier(many + 1, timeout=LIMIT_S)
        self._turns = [context.SimpleQueue() for _ in range(many)]
        self._processes = [
            context.Process(target=self._served, args=(number, send), daemon=True) for number in range(many)
        ]

    def __enter__(self) -> Self:
        for process in self._processes:
            process.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, _: BaseException | None, trace: TracebackType | None) -> None:
        for turns, process in zip(self._turns, self._processes, strict=True):
            turns.put(None)
            process.join(LIMIT_S)
            process.kill()

    def turn(self, number: int) -> float:
        """Seconds from the moment when all begin until the last has ended.

        Raises
        ------
        threading.BrokenBarrierError
            one of them failed; it has said why.
        """
        for turns in self._turns:
            turns.put(number)
        self._gate.wait()
        begun = time.perf_counter()
        self._gate.wait()
        return time.perf_counter() - begun

    def _served(self, sender: int, send: Callable[[int, int], object]) -> None:
        for turn in iter(self._turns[sender].get, None):
            self._gate.wait()
            try:
                send(sender, turn)
            except BaseException:
                self._gate.abort()
                raise
            self._gate.wait()
