"""A process whose children do a job and are killed at a chosen place, as the kernel kills: nothing is cleaned up.

Each line of its input is a job; each line of its output is how the child that did it ended. Its argument is a
workspace on which to do the first one itself, so that the modules and what they compile are loaded once.
"""

from __future__ import annotations

import itertools
import json
import os
import signal
import sys
from functools import partial
from importlib import import_module
from pathlib import Path
from typing import Any

from tests.engine.conftest import BRIEF
from tests.engine.received.conftest import Archive

from bingcheng.archive.jobs.queue import JobKind
from bingcheng.engine import examine
from bingcheng.quantify.uncertainty.repetition import measured


def die_at(place: str, number: int, *, after: bool) -> None:
    """Let the process be killed at a call of a function, ``module:name``, the `number`-th time that it is called."""
    module, _, path = place.partition(":")
    owner: Any = import_module(module)
    *way, last = path.split(".")
    for name in way:
        owner = getattr(owner, name)
    real, calls = getattr(owner, last), itertools.count(1)

    def dying(*arguments: Any, **named: Any) -> Any:
        turn = next(calls)
        if turn == number and not after:
            os.kill(os.getpid(), signal.SIGKILL)
        result = real(*arguments, **named)
        if turn == number and after:
            os.kill(os.getpid(), signal.SIGKILL)
        return result

    setattr(owner, last, dying)


def do(told: dict[str, Any]) -> None:
    if told.get("place"):
        die_at(told["place"], told["number"], after=told["after"])
    archive = Archive.open(Path(told["folder"]))
    outcome = archive.assess() if told["kind"] == JobKind.ASSESS else archive.bring_in()[0]
    archive.close()
    if outcome.refusal is not None:
        sys.exit(outcome.refusal.code)


def main() -> None:
    examine.measured = partial(measured, perturbations=BRIEF)
    do({"folder": sys.argv[1], "kind": JobKind.ASSESS})  # what is compiled and loaded by the way is there for all
    for line in sys.stdin:
        child = os.fork()
        if child == 0:
            do(json.loads(line))
            os._exit(0)
        _, status = os.waitpid(child, 0)
        sys.stdout.write(f"{-os.waitstatus_to_exitcode(status)}\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main()
