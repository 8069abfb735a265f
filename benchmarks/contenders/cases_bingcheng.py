"""Searches of cases out of many, made once and kept for the next run: ``cases_bingcheng.py FOLDER COUNT [DATABASE]``.

Without the address of a database server they are in a SQLite file. A server should have its statistics first (ANALYZE).
"""

from __future__ import annotations

import sys
import time
from collections.abc import Mapping
from datetime import datetime, timedelta
from pathlib import Path

import numpy as np
from sqlalchemy import Connection, func, insert, select
from stopwatch import timed

from bingcheng.archive.authorisation import Role
from bingcheng.archive.cases import tables
from bingcheng.archive.cases.case import CaseStatus, Written, make_case, set_status
from bingcheng.archive.cases.grants import Audience, Given, grant
from bingcheng.archive.cases.search import Reader, Search, search
from bingcheng.archive.people.hospital import make_hospital
from bingcheng.archive.people.person import make_person
from bingcheng.archive.workspace import Workspace

HOSPITALS, REPEATS = 30, 40
NOW = datetime.fromisoformat("2026-01-01")
PLACES = ("liver", "lung", "breast", "brain", "kidney", "pancreas", "prostate", "colon", "bone", "stomach")
MODALITIES = ("CT", "MR", "PT CT", "MR SEG", "CT SR SEG")
WORDS = (
    "washout",
    "rim enhancement",
    "肝细胞癌",
    "环形强化",
    "necrosis",
    "calcification",
    "乏血供",
    "satellite nodules",
)
SEARCHES: Mapping[str, Search] = {
    "all": Search(),
    "a word": Search(words="washout"),
    "two characters": Search(words="强化"),
    "words that nobody wrote": Search(words="nobody 无人"),
    "an organ, a modality": Search(body_part="liver", modality="MR"),
    "a measure": Search(query="lesion.volume > 30 ml"),
    "an organ and a measure": Search(query="organ = liver and lesion.volume > 30 ml and modality = MR"),
    "a protocol that was met": Search(query="protocol(liver-mr) = conform"),
}


def main(scratch: str, count: int, database_url: str | None = None) -> None:
    """Search, and say the 95th percentile of each search."""
    workspace = Workspace.open(Path(scratch) / f"cases-{count}", database_url)
    _fill(workspace, count)
    timed(lambda: {f"{name} p95 ms": _p95_ms(workspace, asked) for name, asked in SEARCHES.items()})
    workspace.close()


def _p95_ms(workspace: Workspace, asked: Search) -> float:
    taken = []
    for turn in range(REPEATS):
        reader = Reader(hospital=turn % HOSPITALS + 1, publishes=bool(turn % 2))
        start_s = time.perf_counter()
        with workspace.reading() as connection:
            search(connection, reader, asked, NOW)
        taken.append((time.perf_counter() - start_s) * 1000)
    return float(np.percentile(taken, 95))


def _fill(workspace: Workspace, count: int) -> None:
    draw = np.random.default_rng(1)
    with workspace.writing() as connection:
        if connection.scalar(select(func.count()).select_from(tables.shared_case)):
            return
        houses = [
            make_hospital(connection, name=f"Hospital {number}", code=f"H{number}", now=NOW, spellings=[])
            for number in range(HOSPITALS)
        ]
        authors = {
            house: make_person(
                connection,
                login=f"author-{house}",
                name=f"Author {house}",
                hospital=house,
                roles=[Role.RADIOLOGIST],
                now=NOW,
                password_hash=None,
            )
            for house in houses
        }
        for number in range(count):
            house = houses[int(draw.integers(HOSPITALS))]
            _case(connection, draw, house, authors[house], number)


def _case(connection: Connection, draw: np.random.Generator, house: int, author: int, number: int) -> None:
    place, words = PLACES[draw.integers(len(PLACES))], [WORDS[one] for one in draw.integers(len(WORDS), size=3)]
    written = Written(
        title=f"Lesion {number} of the {place}",
        context=f"Person of {int(draw.integers(20, 90))} years. " * 6,
        diagnosis="hepatocellular carcinoma" if place == "liver" else f"tumour of the {place}",
        diagnosis_code="8170/3",
        teaching=", ".join(words),
        body_part=place,
        modality="CT",
        tags=(f"series {number % 40}",),
        questions=(),
    )
    at = NOW - timedelta(hours=number)
    made = make_case(connection, hospital=house, author=author, profile="teaching", written=written, now=at)
    set_status(connection, made, CaseStatus.PUBLISHED, at)
    for_all = draw.random() < 0.7
    audience, to = (Audience.PROVINCE, None) if for_all else (Audience.HOSPITAL, int(draw.integers(1, HOSPITALS + 1)))
    grant(connection, Given.CASE, made, audience, to=to, by=author, now=at)
    modalities = MODALITIES[draw.integers(len(MODALITIES))]
    exams = range(1, 3)
    connection.execute(
        insert(tables.case_exam),
        [
            {
                "case_id": made,
                "number": exam,
                "study_uid": f"1.2.826.0.1.3680043.10.44.{number}.{exam}",
                "day": 56 * exam,
                "modalities": modalities,
                "instances": 300,
            }
            for exam in exams
        ],
    )
    connection.execute(
        insert(tables.case_value),
        [
            {
                "case_id": made,
                "exam": exam,
                "lesion": lesion,
                "modality": modalities.split()[0],
                "key": key,
                "label": key,
                "value": float(draw.lognormal(2.5, 1.0)),
                "unit": unit,
            }
            for exam in exams
            for lesion in (1, 2)
            for key, unit in (
                ("volume", "ml"),
                ("longest_diameter", "mm"),
                ("suv_max", "g/ml"),
                ("hu_mean", "[hnsf'U]"),
            )
        ],
    )
    connection.execute(
        insert(tables.case_protocol),
        [
            {
                "case_id": made,
                "exam": exam,
                "protocol": ("liver-mr", "lung-ct", "fdg-pet-ct")[number % 3],
                "outcome": ("pass", "fail", "unknown")[int(draw.integers(3))],
                "passed": 9,
                "failed": 1,
                "unknown": 0,
            }
            for exam in exams
        ],
    )


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]), *sys.argv[3:])
