"""``python -m benchmarks [name...]``: measure, print, and write JSON if asked.

The exit code says whether the benchmarks ran, not whether the targets were met: a busy machine is no fault.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from types import MappingProxyType

from benchmarks import (
    ct_exam,
    demo,
    exchange_deidentify,
    exchange_dicomweb,
    exchange_dimse,
    exchange_long,
    exchange_pages,
    exchange_store,
    filters,
    follow_up,
    header_index,
    judging,
    machine,
    radiomics,
    radiomics_cold,
    radiomics_uncertainty,
    radiomics_verify,
    start,
    viewer,
)
from benchmarks.clock import ContenderError
from benchmarks.result import Result
from benchmarks.settings import Settings

BENCHMARKS: Mapping[str, Callable[[Settings], Result]] = MappingProxyType(
    {
        "index": header_index.run,
        "exam-uncompressed": partial(ct_exam.run, syntax="uncompressed"),
        "exam-jpeg-lossless": partial(ct_exam.run, syntax="jpeg-lossless"),
        "exam-jpeg-2000": partial(ct_exam.run, syntax="jpeg-2000"),
        "judging": judging.run,
        "radiomics-2k": partial(radiomics.run_lesion, size="2k"),
        "radiomics-30k": partial(radiomics.run_lesion, size="30k"),
        "radiomics-400k": partial(radiomics.run_lesion, size="400k"),
        "radiomics-many": radiomics.run_many,
        "radiomics-memory": radiomics.run_memory,
        "radiomics-cold": radiomics_cold.run,
        "radiomics-uncertainty": radiomics_uncertainty.run,
        "verify": radiomics_verify.run,
        "filters": filters.run,
        "follow-up": follow_up.run,
        "store": exchange_store.run,
        "store-queries": exchange_store.run_queries,
        "case-queries": exchange_store.run_cases,
        "dimse": exchange_dimse.run,
        "long": exchange_long.run,
        "dicomweb": exchange_dicomweb.run,
        "deidentify": exchange_deidentify.run,
        "deidentify-exam": exchange_deidentify.run_exam,
        "pages": exchange_pages.run,
        "viewer": viewer.run,
        "start": start.run,
        "demo": demo.run,
    }
)
OPTIONAL = frozenset(
    (
        *("exam-jpeg-2000", "radiomics-uncertainty", "filters", "follow-up"),
        *("case-queries", "dimse", "long", "dicomweb", "viewer"),
    )
)
"""Run only when named: a second compressed syntax, cases that take a minute to make, what is compared with MIRP, which
takes 1.8 GiB of disk, with SimpleITK's B-splines, which take minutes, with Orthanc, which the system has to have, what
is sent with DCMTK, and the viewer, which needs a browser."""


def main(arguments: list[str] | None = None) -> int:
    """Run the named benchmarks; returns the exit code."""
    asked = _asked(arguments)
    cores = machine.take_cores()
    described = machine.description()
    for name, said in described.items():
        print(f"{name}: {said}")
    print(f"on {cores} processors; times are least / median / most\n", flush=True)
    results: dict[str, Result] = {}
    failed = False
    with tempfile.TemporaryDirectory(prefix="bingcheng-benchmarks-") as temporary:
        scratch = asked.data or Path(temporary)
        scratch.mkdir(parents=True, exist_ok=True)
        settings = Settings(
            scratch=scratch,
            repeats=asked.repeats,
            files=asked.files,
            slices=asked.slices,
            matrix=asked.matrix,
            exams=asked.exams,
            lesions=asked.lesions,
            peers=not asked.no_peers,
            profile=asked.profile,
        )
        for name in asked.names or [name for name in BENCHMARKS if name not in OPTIONAL]:
            try:
                results[name] = BENCHMARKS[name](settings)
            except ContenderError as error:
                failed = True
                print(f"{name}: failed: {error}\n", file=sys.stderr, flush=True)
                continue
            print("\n".join(results[name].lines()), end="\n\n", flush=True)
    if asked.json:
        found = {"machine": described, "benchmarks": {name: result.as_json() for name, result in results.items()}}
        asked.json.write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")
    return int(failed)


def _asked(arguments: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("names", nargs="*", choices=[*BENCHMARKS, []], metavar="name", help=", ".join(BENCHMARKS))
    parser.add_argument("--repeats", type=int, default=3, help="runs of each contender")
    parser.add_argument("--files", type=int, default=1000, help="headers to index")
    parser.add_argument("--slices", type=int, default=300, help="slices of the CT exam")
    parser.add_argument("--matrix", type=int, default=512, help="rows and columns of the CT exam")
    parser.add_argument("--exams", type=int, default=1000, help="stored exams to judge")
    parser.add_argument("--lesions", type=int, default=1000, help="lesions to extract features of at once")
    parser.add_argument("--data", type=Path, help="keep generated data here and use it again; else it is temporary")
    parser.add_argument("--json", type=Path, help="write the figures into this file")
    parser.add_argument("--no-peers", action="store_true", help="install no other software")
    parser.add_argument("--profile", action="store_true", help="also say where the exam's time goes")
    return parser.parse_args(arguments)


if __name__ == "__main__":
    sys.exit(main())
