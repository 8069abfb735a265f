"""Write what docs/ibsi.md shows of the reference values that need the public phantoms of the IBSI.

``python tools/ibsi_conformance.py FOLDER`` computes configurations A to E of the IBSI 1 and the response maps and
statistics of the IBSI 2 on the phantoms in FOLDER (see docs/reference-data.md), in about a minute, and writes
docs/_ext/ibsi_results.csv. The digital phantom is part of the package, and computed whenever the pages are built.
"""

from __future__ import annotations

import argparse
import csv
import platform
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from pathlib import Path

import numpy as np

import bingcheng
from bingcheng.core.errors import Undefined
from bingcheng.engine.ibsi import CT_FOLDER, RESPONSE_MAP, recomputed
from bingcheng.image.nifti import read_regions, read_volume
from bingcheng.quantify.filters.configurations import CT_FILTERS
from bingcheng.quantify.radiomics.conformance import DIGITAL_PHANTOM, ConformanceRow
from bingcheng.quantify.radiomics.extraction import features
from bingcheng.quantify.radiomics.feature import Family
from bingcheng.quantify.radiomics.interpolation import ImageMethod, Interpolation
from bingcheng.quantify.radiomics.resegmentation import Resegmentation
from bingcheng.quantify.radiomics.settings import RadiomicsSettings

ROOT = Path(__file__).parents[1]
RESULTS = ROOT / "docs" / "_ext" / "ibsi_results.csv"
FACTS = ROOT / "tests" / "reference" / "ibsi2_values.csv"
COLUMNS = ("case", "family", "tag", "expect", "tolerance", "consensus", "ours", "reached", "why")
REACHED = {True: "yes", False: "no", None: ""}
CUBES = Interpolation(spacing_mm=(1.0, 1.0, 1.0), image=ImageMethod.CUBIC_SPLINE, rounding=True)


def statistics_of(name: str, folder: Path) -> Iterator[ConformanceRow]:
    """The statistics of the CT phantom after one filter of the IBSI 2, such as ``3.B``."""
    ct = folder / CT_FOLDER
    volume = read_volume(ct / "image" / "phantom.nii.gz", unit="[hnsf'U]")
    (region,) = read_regions(ct / "mask" / "mask.nii.gz", label="GTV-1")
    settings = RadiomicsSettings(
        filter=CT_FILTERS[name],
        interpolation=None if name.endswith("A") else CUBES,
        resegmentation=Resegmentation(low=-1000.0, high=400.0),
        families=(Family.STATISTICS,),
    )
    values = features(volume, region, settings).values
    with FACTS.open() as stream:
        facts = [one for one in csv.DictReader(r for r in stream if not r.startswith("#")) if one["filter"] == name]
    for fact in facts:
        value, expect, tolerance = values[fact["tag"]], float(fact["expect"]), float(fact["tolerance"])
        ours = None if isinstance(value, Undefined) else value
        yield ConformanceRow(
            case=f"IBSI 2 {name}",
            tag=fact["tag"],
            family=Family.STATISTICS.name.lower(),
            expect=expect,
            tolerance=tolerance,
            consensus="consensus",
            ours=ours,
            reached=ours is not None and abs(ours - expect) <= tolerance,
            why=value.reason if isinstance(value, Undefined) else None,
        )


def rows_of(folder: Path) -> Iterator[ConformanceRow]:
    """Every value that needs the phantoms."""
    for row in recomputed(folder, lambda _step, _done, _total: None):
        if row.case != DIGITAL_PHANTOM:
            yield row
    for name in CT_FILTERS:
        yield from statistics_of(name, folder)


def cells(row: ConformanceRow) -> dict[str, str]:
    """A row as it is stored: numbers with six digits."""
    return {
        "case": row.case,
        "family": row.family,
        "tag": row.tag,
        "expect": "" if row.expect is None or row.family == RESPONSE_MAP else f"{row.expect:.6g}",
        "tolerance": f"{row.tolerance:.6g}",
        "consensus": row.consensus,
        "ours": "" if row.ours is None else f"{row.ours:.6g}",
        "reached": REACHED[row.reached],
        "why": "" if row.why is None else str(row.why),
    }


def write(rows: Iterable[ConformanceRow], path: Path) -> None:
    """The rows as a table, with what made it and when."""
    made = (
        f"Bingcheng {bingcheng.__version__}, Python {platform.python_version()}, NumPy {np.__version__}, "
        f"{datetime.now(UTC).date().isoformat()}"
    )
    with path.open("w", encoding="utf-8", newline="") as stream:
        stream.write(
            f"# {made}\n# Written by tools/ibsi_conformance.py; reference values: the IBSI, CC BY 4.0 and CC0.\n"
        )
        table = csv.DictWriter(stream, COLUMNS, lineterminator="\n")
        table.writeheader()
        table.writerows(cells(row) for row in rows)


def main() -> None:
    """The command line."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("folder", type=Path, help="folder of public reference data")
    write(rows_of(parser.parse_args().folder), RESULTS)


if __name__ == "__main__":
    main()
