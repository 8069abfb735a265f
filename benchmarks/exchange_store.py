"""The store of received objects: how fast it takes CT slices, and finds among 100,000 studies."""

from __future__ import annotations

import statistics
from functools import partial

from benchmarks.clock import Contender, Series, alternate, called, this_python
from benchmarks.result import Ratio, Result
from benchmarks.settings import Settings

THREADS = (1, 4)
STUDIES, CASES = 100_000, 5_000
CASES_LIMIT_MS = 100.0
PAGE_LIMIT_MS, METADATA_LIMIT_MS, MEMORY_LIMIT_MIB = 50.0, 14.0, 200.0
BARE = "files alone"


def run(settings: Settings) -> Result:
    """Receive the same slices by one and by four threads; beside it files alone, as durable."""
    python = this_python()
    work = (settings.scratch, settings.slices, settings.matrix)
    contenders = [Contender(name=BARE, once=partial(called, python, "store_bare", *work))]
    contenders += [
        Contender(name=f"{count} at once", once=partial(called, python, "store_bingcheng", *work, count))
        for count in THREADS
    ]
    found = alternate(contenders, settings.repeats)
    one = found[f"{THREADS[0]} at once"]
    bare_s = found[BARE].median("wall_s")
    ratios = [
        *(
            Ratio(what=f"{count} at once", value=settings.slices / _receiving_s(found[f"{count} at once"]), unit="/s")
            for count in THREADS
        ),
        Ratio(what=BARE, value=settings.slices / bare_s, unit="/s"),
        Ratio(what=f"one at once / {BARE}", value=_receiving_s(one) / bare_s),
        Ratio(what="CPU a slice", value=min(sample.facts["receive_cpu_ms"] for sample in one.samples), unit="ms"),
        Ratio(
            what="metadata of the series, warm",
            value=min(sample.facts["metadata_ms"] for sample in one.samples),
            unit="ms",
            at_most=METADATA_LIMIT_MS,
        ),
        Ratio(
            what="metadata of the series, asked for first",
            value=min(sample.facts["first_metadata_ms"] for sample in one.samples),
            unit="ms",
        ),
        Ratio(
            what="a frame, by seeking",
            value=min(sample.facts["frame_ms"] for sample in one.samples),
            unit="ms",
        ),
        Ratio(
            what="peak memory while receiving",
            value=max(sample.facts["peak_mib"] for sample in one.samples),
            unit="MiB",
            at_most=MEMORY_LIMIT_MIB,
        ),
    ]
    title = f"Store of objects: {settings.slices} CT slices of {settings.matrix} x {settings.matrix}, each durable"
    notes = ["each is on the disk (fsync after the rename) and in the index before the next is sent"]
    return Result(title=title, series=tuple(found.values()), ratios=tuple(ratios), notes=tuple(notes))


def _receiving_s(series: Series) -> float:
    return statistics.median(sample.facts["receive_s"] for sample in series.samples)


def run_queries(settings: Settings) -> Result:
    """Lists of studies as people and other systems ask for them."""
    once = partial(called, this_python(), "query_bingcheng", settings.scratch, STUDIES)
    found = alternate([Contender(name="searches", once=once)], settings.repeats)
    ratios = _percentiles(found["searches"], at_most=PAGE_LIMIT_MS)
    title = f"Searches among {STUDIES} studies, pages of 100"
    return Result(title=title, series=tuple(found.values()), ratios=tuple(ratios))


def run_cases(settings: Settings) -> Result:
    """Searches of cases as readers of thirty hospitals ask for them."""
    once = partial(called, this_python(), "cases_bingcheng", settings.scratch, CASES)
    found = alternate([Contender(name="searches", once=once)], settings.repeats)
    ratios = _percentiles(found["searches"], at_most=CASES_LIMIT_MS)
    title = f"Searches among {CASES} cases of 30 hospitals"
    return Result(title=title, series=tuple(found.values()), ratios=tuple(ratios))


def _percentiles(series: Series, *, at_most: float) -> list[Ratio]:
    facts = [sample.facts for sample in series.samples]
    return [
        Ratio(
            what=f"{name.removesuffix(' p95 ms')}, 95th percentile",
            value=min(fact[name] for fact in facts),
            unit="ms",
            at_most=at_most,
        )
        for name in facts[0]
        if name.endswith(" p95 ms")
    ]
