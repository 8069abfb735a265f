"""Running contenders in turn, each in a process of its own, and what each run took."""

from __future__ import annotations

import json
import os
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from benchmarks.contenders.stopwatch import MARK

MIB = 1 << 20
POLL_S = 0.05


class ContenderError(Exception):
    """A contender did not do its work; the text ends with what it said."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Sample:
    """One run. `peak_bytes` is of the largest process, `tree_bytes` of all its processes together at one moment.

    `before_bytes` is what the process held when the clock started (its imports), None where the whole process counts.
    """

    wall_s: float
    cpu_s: float
    peak_bytes: int
    before_bytes: int | None = None
    tree_bytes: int | None = None
    facts: dict[str, float] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Contender:
    """A way to do the work: its name and what runs it once."""

    name: str
    once: Callable[[], Sample]


@dataclass(frozen=True, slots=True, kw_only=True)
class Series:
    """All runs of one contender."""

    name: str
    samples: tuple[Sample, ...]

    def median(self, what: str) -> float:
        """The median over the runs of a field of `Sample`."""
        return self.spread(what)[1]

    def spread(self, what: str) -> tuple[float, float, float]:
        """Least, median and most."""
        values = [float(getattr(sample, what)) for sample in self.samples]
        return min(values), statistics.median(values), max(values)


def alternate(contenders: Sequence[Contender], repeats: int) -> dict[str, Series]:
    """Run all contenders once, then all again: what else the machine does meets them alike.

    Raises
    ------
    ContenderError
        when one fails, or when two that read the same files don't agree on how many there are.
    """
    samples: dict[str, list[Sample]] = {contender.name: [] for contender in contenders}
    for _ in range(repeats):
        for contender in contenders:
            samples[contender.name].append(contender.once())
    counts = {s.facts["files"] for runs in samples.values() for s in runs if "files" in s.facts}
    if len(counts) > 1:
        raise ContenderError(f"contenders read different numbers of files: {sorted(counts)}")
    return {name: Series(name=name, samples=tuple(runs)) for name, runs in samples.items()}


def called(python: Path, script: str, *arguments: object, prefix: Sequence[str] = (), limit_s: float = 600.0) -> Sample:
    """Run a script of `contenders` that times its own work (see `stopwatch.timed`), imports excluded.

    `prefix` is a command to run it under.
    """
    path = Path(__file__).parent / "contenders" / f"{script}.py"
    command = [*prefix, str(python), str(path), *map(str, arguments)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=limit_s, check=False)
    lines = [line for line in done.stdout.splitlines() if line.startswith(MARK)]
    if (done.returncode and not prefix) or not lines:  # a profiler's own exit code says nothing of the work
        raise ContenderError(f"{script}: exit {done.returncode}: {(done.stderr or done.stdout)[-800:]}")
    said = json.loads(lines[-1].removeprefix(MARK))
    return Sample(**said)


def whole(command: Sequence[str | Path], *, limit_s: float = 600.0) -> Sample:
    """Run a command and time all of it, start and imports included."""
    with tempfile.TemporaryFile() as said, open(os.devnull, "rb") as nothing:  # noqa: PTH123 - a device
        before, start_s = os.times(), time.perf_counter()
        with subprocess.Popen(list(map(str, command)), stdin=nothing, stdout=said, stderr=said) as process:
            with _watched(process.pid) as peaks:
                try:
                    code = process.wait(limit_s)
                except subprocess.TimeoutExpired:
                    process.kill()
                    raise
            wall_s = time.perf_counter() - start_s
        after = os.times()
        if code:
            said.seek(0)
            raise ContenderError(f"{command[0]}: exit {code}: {said.read()[-800:].decode(errors='replace')}")
    cpu_s = after.children_user + after.children_system - before.children_user - before.children_system
    return Sample(wall_s=wall_s, cpu_s=cpu_s, peak_bytes=peaks[0], tree_bytes=peaks[1])


@contextmanager
def _watched(root: int) -> Iterator[list[int]]:
    """The most that one process below `root`, and all of them together, held while the block ran (Linux; else 0)."""
    peaks, ended = [0, 0], threading.Event()

    def watch() -> None:
        while not ended.wait(POLL_S):
            sizes = [_memory(pid) for pid in _family(root)]
            peaks[0] = max([peaks[0], *(most for _, most in sizes)])
            peaks[1] = max(peaks[1], sum(now for now, _ in sizes))

    watcher = threading.Thread(target=watch, daemon=True)
    watcher.start()
    try:
        yield peaks
    finally:
        ended.set()
        watcher.join()


def _family(root: int) -> list[int]:
    found, waiting = [], [root]
    while waiting:
        pid = waiting.pop()
        found.append(pid)
        try:
            threads = list(Path(f"/proc/{pid}/task").iterdir())
            waiting.extend(int(child) for thread in threads for child in (thread / "children").read_text().split())
        except OSError:
            continue  # it has ended
    return found


def _memory(pid: int) -> tuple[int, int]:
    """What a process holds now and the most it held; zero if it has ended."""
    try:
        lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    except OSError:
        return 0, 0
    kib = {line.split(":")[0]: int(line.split()[1]) for line in lines if line.startswith(("VmRSS:", "VmHWM:"))}
    return kib.get("VmRSS", 0) * 1024, kib.get("VmHWM", 0) * 1024


def this_python() -> Path:
    """The interpreter that runs the benchmarks: Bingcheng's environment."""
    return Path(sys.executable)
