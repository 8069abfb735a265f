"""Lists of studies out of many, made up once and kept for the next run: ``query_bingcheng.py FOLDER COUNT [DATABASE]``.

Without the address of a database server they are in a SQLite file. A server should have its statistics first (ANALYZE).
"""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta
from pathlib import Path

import numpy as np
from sqlalchemy import func, insert, select
from stopwatch import timed

from bingcheng.archive.objects.header import study_facts
from bingcheng.archive.objects.index import study_values
from bingcheng.archive.objects.objects import Objects
from bingcheng.archive.objects.query import Query
from bingcheng.archive.objects.tables import stored_study
from bingcheng.archive.workspace import Workspace

SPACE, CASES = "hospital/1", tuple(f"case/{number}" for number in range(300))
REPEATS, CHUNK = 40, 5000
FAMILY = dict(
    zip(
        ["Wang", "Li", "Zhang", "Liu", "Chen", "Yang", "Huang", "Zhao", "Wu", "Zhou"],
        "王李张刘陈杨黄赵吴周",
        strict=True,
    )
)
GIVEN = dict(
    zip(["xiao", "dong", "wei", "fang", "na", "min", "jing", "li", "qiang", "lei"], "小东伟芳娜敏静丽强磊", strict=True)
)
MODALITIES = ("CT", "MR", "PT\\CT", "CT\\SEG", "US", "CR", "MG")
DESCRIPTIONS = ("Chest CT", "Abdomen MR", "PET/CT whole body", "Liver enhanced", "Breast")
SEARCHES: Mapping[str, Query] = {
    "newest": Query(limit=100),
    "a month": Query(match={"StudyDate": "20200101-20200131"}, limit=100),
    "*word* of a name": Query(match={"PatientName": "*xiaodong*"}, limit=100),
    "*two characters* of a name": Query(match={"PatientName": "*小东*"}, limit=100),
    "a name that nobody has": Query(match={"PatientName": "*nobody*"}, limit=100),
    "a name, fuzzily": Query(match={"PatientName": "dong wang"}, fuzzy=True, limit=100),
    "a modality that there is none of": Query(match={"ModalitiesInStudy": "RTDOSE"}, limit=100),
    "a patient": Query(match={"PatientID": "P0001234"}, limit=100),
    "an accession number": Query(match={"AccessionNumber": "A00077777"}, limit=100),
    "words anywhere": Query(words="小东 liver", limit=100),
    "dates, name and modality": Query(
        match={"StudyDate": "20180101-20241231", "PatientName": "*dong*", "ModalitiesInStudy": "CT"}, limit=100
    ),
    "page 50": Query(limit=100, offset=5_000),
}


def main(scratch: str, count: int, database_url: str | None = None) -> None:
    """Search, and say the 95th percentile of each search."""
    workspace = Workspace.open(Path(scratch) / f"studies-{count}", database_url)
    objects = Objects.open(workspace)
    _fill(workspace, count)
    timed(lambda: {f"{name} p95 ms": _p95_ms(objects, query) for name, query in SEARCHES.items()})
    objects.close()
    workspace.close()


def _p95_ms(objects: Objects, query: Query) -> float:
    taken = []
    for turn in range(REPEATS):
        spaces = (SPACE,) if turn % 2 else (SPACE, *CASES)
        start_s = time.perf_counter()
        objects.studies(query, spaces)
        taken.append((time.perf_counter() - start_s) * 1000)
    return float(np.percentile(taken, 95))


def _fill(workspace: Workspace, count: int) -> None:
    with workspace.reading() as connection:
        if connection.scalar(select(func.count()).select_from(stored_study)):
            return
    rows = list(_rows(count))
    for start in range(0, count, CHUNK):
        with workspace.writing() as connection:
            connection.execute(insert(stored_study), rows[start : start + CHUNK])


def _rows(count: int) -> Iterator[dict[str, object]]:
    draw = np.random.default_rng(1)
    families, given = list(FAMILY), list(GIVEN)
    at = datetime.fromisoformat("2026-01-01")
    for number in range(count):
        family = families[draw.integers(len(families))]
        one, two = (given[draw.integers(len(given))] for _ in range(2))
        day = datetime.fromisoformat("2015-01-01") + timedelta(days=int(draw.integers(4000)))
        attributes = {
            "PatientID": f"P{number % (count * 3 // 5):07d}",
            "PatientName": f"{family}^{one.title()}{two}={FAMILY[family]}^{GIVEN[one]}{GIVEN[two]}",
            "PatientSex": "MF"[number % 2],
            "PatientBirthDate": "19500101",
            "StudyDate": f"{day:%Y%m%d}",
            "StudyTime": "101500",
            "AccessionNumber": f"A{number:08d}",
            "StudyID": str(number),
            "StudyDescription": DESCRIPTIONS[draw.integers(len(DESCRIPTIONS))],
        }
        yield {
            **study_values(study_facts(attributes), SPACE, f"1.2.826.0.1.3680043.8.498.{number}", at),
            "modalities_key": f"\\{MODALITIES[draw.integers(len(MODALITIES))]}\\",
            "series_count": 2,
            "instance_count": 300,
        }


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]), *sys.argv[3:])
