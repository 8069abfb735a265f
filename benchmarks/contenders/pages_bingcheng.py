"""The pages of a served workspace of many exams, each asked for as a browser does, in this process."""

from __future__ import annotations

import sys
import time
import warnings
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from sqlalchemy import ColumnElement, Connection, Table, func, select
from stopwatch import timed

from bingcheng.archive import schema
from bingcheng.archive.authorisation.role import Role
from bingcheng.archive.listing import list_all
from bingcheng.archive.people.hospital import hospitals, make_hospital
from bingcheng.archive.people.person import make_person, person_by_login
from bingcheng.archive.people.session import begin_session
from bingcheng.archive.waiting_links import save_waiting
from bingcheng.archive.workspace import Workspace
from bingcheng.engine.judgement import judge_exams
from bingcheng.engine.numbers import keep_numbers
from bingcheng.engine.view import assessment
from bingcheng.protocol.library import protocols
from bingcheng.server.application import application, open_site
from bingcheng.server.settings import Settings

with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    from starlette.testclient import TestClient

REPEATS = 40
PEOPLE = {"physicist": (Role.PHYSICIST, True), "province": (Role.PROVINCE, False)}


def main(workspace: str, count: str) -> None:
    """Ask for each page, and say its 95th percentile."""
    folder, wanted = Path(workspace), int(count)
    _prepare(folder, wanted)
    site = open_site(Settings(workspace=folder))
    made = application(site.settings, site=site)
    clients = {}
    for login in PEOPLE:
        with site.workspace.writing() as connection:
            known = person_by_login(connection, login)
            assert known is not None
            secret = begin_session(connection, known.number, now=site.now())
        clients[login] = TestClient(made, base_url="http://127.0.0.1:8080")
        clients[login].cookies.set("bingcheng", secret)
    with site.workspace.reading() as connection:
        one = select(schema.exam.c.uid, schema.exam.c.patient).where(schema.exam.c.site != "").limit(1)
        uid, patient = connection.execute(one).one()
    pages = {
        "list of exams": ("physicist", "/worklist"),
        "list, by name": ("physicist", "/worklist?words=nobody"),
        "list, what needs doing first": ("physicist", "/worklist?order=urgent"),
        "list, page 50": ("physicist", "/worklist?page_number=50"),
        "patients": ("physicist", "/patients"),
        "patients, by name": ("physicist", "/patients?words=nobody"),
        "patient": ("physicist", f"/patient/{patient}"),
        "lesions to confirm": ("physicist", "/lesions"),
        "exam": ("physicist", f"/exam/{uid}"),
        "hospital": ("physicist", "/hospital"),
        "province": ("province", "/province"),
    }
    timed(lambda: {f"{name} p95 ms": _p95_ms(clients[who], path) for name, (who, path) in pages.items()})
    site.close()


def _p95_ms(client: TestClient, path: str) -> float:
    times = []
    for _ in range(REPEATS):
        begun = time.perf_counter()
        answer = client.get(path, headers={"accept": "text/html"})
        times.append(1e3 * (time.perf_counter() - begun))
        if answer.status_code != 200:
            raise SystemExit(f"{path}: {answer.status_code}")
    return sorted(times[2:])[int(0.95 * (REPEATS - 2))]


def _prepare(folder: Path, wanted: int) -> None:
    """One hospital that all exams belong to, its people, and as many exams as are wanted: copies, without findings."""
    workspace, now = Workspace.open(folder), datetime.now(UTC).replace(tzinfo=None)
    with workspace.writing() as connection:
        if not hospitals(connection):
            sites = [site for site in connection.scalars(select(schema.exam.c.site).distinct()) if site]
            number = make_hospital(connection, name="North", code="N", now=now, spellings=sites)
            for login, (role, inside) in PEOPLE.items():
                make_person(
                    connection, login=login, name=login, hospital=number if inside else None, roles=[role], now=now
                )
    judge_exams(workspace, protocols(), today=now.date())
    keep_numbers(workspace, assessment(workspace, images=False), now)
    with workspace.writing() as connection:
        stored = int(connection.scalar(select(func.count()).select_from(schema.exam)) or 0)
        copy = 0
        while stored < wanted:
            copy += 1
            stored += _copied(connection, f".{copy}", wanted - stored)
        list_all(connection)  # they were copied behind the program's back
        _let_wait(connection)
    workspace.close()


def _copied(connection: Connection, mark: str, most: int) -> int:
    """Copy the exams that were made, of patients who are copies too: nobody has a thousand; how many were copied."""
    exam, identity = schema.exam, schema.identity

    def copied(table: Table, *marked: str) -> list[ColumnElement[Any]]:
        return [(c + mark) if c.name in marked else c for c in table.c]

    rows = select(*copied(exam, "uid", "patient")).where(~exam.c.patient.contains(".")).order_by(exam.c.uid).limit(most)
    people = select(*copied(identity, "patient", "patient_id")).where(~identity.c.patient.contains("."))
    connection.execute(identity.insert().from_select(list(identity.c), people))
    return connection.execute(exam.insert().from_select(list(exam.c), rows)).rowcount


def _let_wait(connection: Connection) -> None:
    """Let the lesions of every other patient wait for a reader."""
    exam, pairs = schema.exam.c, []
    first: dict[str, str] = {}
    for uid, patient in connection.execute(select(exam.uid, exam.patient).order_by(exam.performed_at, exam.uid)):
        if patient in first:
            pairs.append((first.pop(patient), uid))
        else:
            first[patient] = uid
    save_waiting(connection, dict.fromkeys(pairs[::2], 1), everything=True)


if __name__ == "__main__":
    main(*sys.argv[1:])
