"""How long a person waits for ``bingcheng --help``, and what is imported meanwhile."""

from __future__ import annotations

import os
import subprocess
import sys
from collections import Counter
from functools import partial
from pathlib import Path

from benchmarks.clock import Contender, alternate, this_python, whole
from benchmarks.result import Ratio, Result
from benchmarks.settings import Settings

LIMIT_S = 0.3
REPEATS = 7
MOST = 12
OURS, BARE = "bingcheng --help", "python -c pass"


def run(settings: Settings) -> Result:
    """Start the command as the shell does; beside it the bare interpreter, which nobody can go below."""
    command = command_of(this_python())
    contenders = (
        Contender(name=OURS, once=partial(whole, [command, "--help"])),
        Contender(name=BARE, once=partial(whole, [this_python(), "-c", "pass"])),
    )
    contenders[0].once()  # so that byte code is compiled and files are cached
    found = alternate(contenders, max(REPEATS, settings.repeats))
    ratios = (
        Ratio(what="bingcheng --help, wall", value=found[OURS].median("wall_s"), unit="s", at_most=LIMIT_S),
        Ratio(what="bingcheng --help, CPU", value=found[OURS].median("cpu_s"), unit="s"),
    )
    notes = ["imports, own time by package (python -X importtime, which slows them):", *_imports()]
    title = "Start of the command line"
    return Result(title=title, series=tuple(found.values()), ratios=ratios, notes=tuple(notes))


def _imports() -> list[str]:
    code = "import sys; sys.argv = ['bingcheng', '--help']; from bingcheng.cli.main import main; main()"
    command = [sys.executable, "-X", "importtime", "-c", code]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    own_us, modules = own_times(done.stderr)
    return [
        f"  {own_us[name] / 1000:7.1f} ms  {name} ({modules[name]} modules)" for name, _ in own_us.most_common(MOST)
    ]


def own_times(said: str) -> tuple[Counter[str], Counter[str]]:
    """Own import time in microseconds, and the number of modules, by top package, from Python's import times."""
    own_us: Counter[str] = Counter()
    modules: Counter[str] = Counter()
    for line in said.splitlines():
        parts = line.removeprefix("import time:").split("|")
        if len(parts) == 3 and parts[0].strip().isdigit():
            package = parts[2].strip().split(".")[0]
            own_us[package] += int(parts[0])
            modules[package] += 1
    return own_us, modules


def command_of(python: Path) -> Path:
    """The `bingcheng` command beside an interpreter."""
    return python.with_name("bingcheng.exe" if os.name == "nt" else "bingcheng")
