"""``bingcheng verify`` from typed to answered: every shipped reference and the table of the IBSI."""

from __future__ import annotations

from benchmarks.clock import Contender, Sample, alternate, this_python, whole
from benchmarks.result import Ratio, Result
from benchmarks.settings import Settings
from benchmarks.start import command_of

LIMIT_S = 120.0
OURS = "bingcheng verify"


def run(settings: Settings) -> Result:
    """The command as a person types it; a call before the clock compiles the kernels."""
    _verified()
    found = alternate([Contender(name=OURS, once=_verified)], settings.repeats)
    ratios = (
        Ratio(what=f"{OURS}, wall", value=found[OURS].median("wall_s"), unit="s", at_most=LIMIT_S),
        Ratio(what=f"{OURS}, CPU", value=found[OURS].median("cpu_s"), unit="s"),
    )
    notes = ("measures, and the digital phantom of the IBSI; kernels are on the disk",)
    return Result(title="The acceptance test", series=tuple(found.values()), ratios=ratios, notes=notes)


def _verified() -> Sample:
    return whole([command_of(this_python()), "verify"])
