"""Where time goes: py-spy's sampled stacks, folded into a tree of our own functions.

A sampling profiler outside the process is taken because compiled kernels confuse those that work inside it.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator
from pathlib import Path

RATE_HZ = 250
PACKAGE = re.compile(r"^(\w+) \((?:.*/)?bingcheng/([\w/]+\.py):\d+\)$")

Stack = tuple[str, ...]


def folded(lines: Iterable[str], within: str) -> Counter[Stack]:
    """Samples by stack of our own functions below the function named `within`; what they call counts as theirs."""
    samples: Counter[Stack] = Counter()
    for line in lines:
        said, _, count = line.rstrip().rpartition(" ")
        frames = said.split(";")
        names = [frame.split(" ")[0] for frame in frames]
        if within not in names:
            continue
        own: list[str] = []
        for frame in frames[names.index(within) + 1 :]:
            match = PACKAGE.match(frame)
            name = f"{match[2].removesuffix('.py').replace('/', '.')}.{match[1]}" if match else ""
            if name and (not own or own[-1] != name):
                own.append(name)
        samples[tuple(own)] += int(count)
    return samples


def tree(samples: Counter[Stack], least_s: float, deepest: int, rate_hz: int = RATE_HZ) -> Iterator[str]:
    """The stacks as an indented tree: seconds below each function, and how many of them in itself."""
    below: Counter[Stack] = Counter()
    for stack, count in samples.items():
        for depth in range(len(stack) + 1):
            below[stack[:depth]] += count

    def branch(stack: Stack) -> Iterator[str]:
        inner = [s for s in below if len(s) == len(stack) + 1 and s[: len(stack)] == stack]
        for child in sorted(inner, key=lambda s: -below[s]):
            total_s = below[child] / rate_hz
            if total_s < least_s or len(child) > deepest:
                continue
            yield f"{'  ' * len(child)}{total_s:.2f} s (own {samples[child] / rate_hz:.2f})  {child[-1]}"
            yield from branch(child)

    yield f"{below[()] / rate_hz:.2f} s sampled"
    yield from branch(())


def read(path: Path, within: str) -> Counter[Stack]:
    """`folded` of a file that py-spy wrote in its raw format."""
    with path.open(encoding="utf-8", errors="replace") as lines:
        return folded(lines, within)
