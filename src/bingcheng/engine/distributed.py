"""Running tasks on a Dask cluster; no other file knows Dask. Workers need the same release and the same folders."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from importlib import import_module
from typing import Any, TypeVar

from bingcheng.core.errors import InputError, Owner, Problem, RemoteError
from bingcheng.engine.problems import WORKER_LOST

NOT_INSTALLED = Problem(
    code="engine.dask-not-installed",
    says="a Dask scheduler was named, but Dask is not installed",
    remedy="Install it with `pip install bingcheng[distributed]`, or leave the scheduler out to work on this machine.",
    owner=Owner.OPERATOR,
)
SCHEDULER_SILENT = Problem(
    code="engine.scheduler-silent",
    says="the Dask scheduler at '{address}' does not answer",
    remedy="Check the address and that the scheduler runs, or leave it out to work on this machine.",
    owner=Owner.OPERATOR,
)
NO_WORKERS = Problem(
    code="engine.no-workers",
    says="the Dask scheduler at '{address}' has no worker",
    remedy="Start a worker with `dask worker {address}`, or leave the scheduler out to work on this machine.",
    owner=Owner.OPERATOR,
)
TIMEOUT_S = 15

T = TypeVar("T")
R = TypeVar("R")


def run(function: Callable[[T], R], tasks: Sequence[T], *, scheduler: str) -> Iterator[tuple[T, R | InputError]]:
    """Each task with the answer of `function`, which raises nothing, in the order in which they end.

    A task whose worker was lost too often is given up (``engine.worker-lost``).

    Raises
    ------
    InputError
        ``engine.dask-not-installed``.
    RemoteError
        ``engine.scheduler-silent``, ``engine.no-workers``.
    """
    try:
        distributed: Any = import_module("distributed")  # an optional extra
    except ImportError as error:
        raise InputError(NOT_INSTALLED) from error
    try:
        client = distributed.Client(scheduler, timeout=TIMEOUT_S)
    except (OSError, TimeoutError, ValueError) as error:
        raise RemoteError(SCHEDULER_SILENT, address=scheduler) from error
    with client:
        try:
            client.wait_for_workers(1, timeout=TIMEOUT_S)
        except TimeoutError as error:
            raise RemoteError(NO_WORKERS, address=scheduler) from error
        futures = {client.submit(function, task, pure=False): task for task in tasks}
        for future in distributed.as_completed(list(futures)):
            lost = future.exception() is not None
            yield futures.pop(future), InputError(WORKER_LOST) if lost else future.result()
