"""The real server, all that it writes captured, every route asked with names, secrets and links: none is in its log."""

from __future__ import annotations

import logging
import os
import re
import socket
import subprocess
import sys
from pathlib import Path
from urllib.parse import quote

import httpx
import pytest
from tests.server.examples import ABSENT, address, parameters, prepare
from tests.server.test_matrix import ROUTES

from bingcheng.archive.authorisation import Role, Scope
from bingcheng.archive.people.api_token import make_token
from bingcheng.archive.people.invitation import invite
from bingcheng.archive.people.session import begin_session
from bingcheng.server.security.cookies import csrf_of
from bingcheng.server.security.refusal import Discreet

PATIENT, WORDS, CODE = "Canary^Patient", "canary-password-words", "canary-code-of-provider"


@pytest.fixture
def running(served):
    """The workspace of the tests, served by a process of its own; gives address, secrets and what it wrote."""
    prepare(served)
    workspace, now = served.site.workspace, served.clock()
    with workspace.writing() as connection:
        secrets = {
            "session": begin_session(connection, served.people["site-admin"], now=now),
            "reader": begin_session(connection, served.people["radiologist"], now=now),
            "token": make_token(
                connection, served.people["radiologist"], label="x", scopes=tuple(Scope), days=1, now=now
            ),
            "link": invite(connection, hospital=served.north, roles=[Role.GUEST], by=None, now=now),
        }
    addresses = [
        (method, address(served, route.path), address(served, route.path, absent=True)) for method, route in ROUTES
    ]
    served.site.close()
    process = subprocess.Popen(
        [Path(sys.executable).with_name("bingcheng"), "serve", "-w", workspace.folder, "--port", "0", "--no-browser"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env={**os.environ, "BINGCHENG_LANG": "en", "BINGCHENG_OIDC_ISSUER": "http://127.0.0.1:9/canary-issuer",
             "BINGCHENG_OIDC_CLIENT_ID": "x", "BINGCHENG_OIDC_CLIENT_SECRET": "canary-client-secret"},
        text=True,
    )  # fmt: skip
    said = ""
    while "Ctrl+C" not in said:
        line = process.stdout.readline()
        assert line, process.stderr.read()
        said += line
    where = re.search(r"http://127\.0\.0\.1:\d+", said).group()

    def written() -> str:
        process.terminate()
        out, err = process.communicate(timeout=60)
        return out + err

    yield where, secrets, addresses, written
    process.kill()
    process.wait()
    for pipe in (process.stdout, process.stderr):
        pipe.close()


def test_nothing_of_patients_and_no_secret_is_written(running):
    where, secrets, addresses, written = running
    holding = [PATIENT, quote(PATIENT), WORDS, CODE, "canary-client-secret", ABSENT, "canary-issuer", *secrets.values()]
    asked = f"words={quote(PATIENT)}&login={WORDS}&code={CODE}&state={CODE}&next=/invitation/{secrets['link']}"
    form = {"login": WORDS, "password": WORDS, "name": PATIENT, "reason": f"because of {PATIENT}", "words": PATIENT,
            "study_uid": ABSENT, "csrf": csrf_of(secrets["session"])}  # fmt: skip
    clients = [
        httpx.Client(base_url=where, trust_env=False, cookies={"bingcheng": secrets["session"]}, timeout=60),
        httpx.Client(
            base_url=where, trust_env=False, headers={"authorization": f"Bearer {secrets['token']}"}, timeout=60
        ),
        httpx.Client(base_url=where, trust_env=False, timeout=60),
    ]
    statuses = set()
    for number, (method, _, absent) in enumerate(addresses):
        if absent.endswith(("sign-out", "logout", "end-all", "/end")):
            continue
        more = {} if method == "GET" else {"data": form}
        statuses.add(clients[number % 3].request(method, f"{absent}?{asked}", **more).status_code)
    body = b"DICM" + PATIENT.encode() * 100
    kind = {"content-type": "application/dicom"}
    statuses.add(clients[1].post("/dicomweb/studies", content=body, headers=kind).status_code)
    clients[2].get(f"/invitation/{secrets['link']}")
    clients[2].get(f"/login/oidc/back?code={CODE}&state={CODE}")
    clients[2].get("/login", headers={"host": PATIENT})
    port = int(where.rpartition(":")[2])
    for raw in (b"GET /%s HTTP/1.1\r\n\0\r\n\r\n" % PATIENT.encode(), b"\x16\x03" + PATIENT.encode() * 9):
        with socket.create_connection(("127.0.0.1", port), timeout=10) as one:
            one.sendall(raw)
            one.recv(4096)
    for client in clients:
        client.close()
    log = written()
    assert 200 in statuses
    assert '"route": "/login/oidc/back"' in log
    assert "Traceback" not in log
    assert [one for one in holding if one in log] == []


def test_every_parameter_of_an_address_was_asked_with_a_value_that_must_not_be_written():
    assert {name for _, route in ROUTES for name in parameters(route.path)} >= {"study_uid", "secret", "patient"}


def test_an_exception_is_written_by_kind_and_place():
    formatter = Discreet("%(levelname)s %(message)s")
    try:
        int(PATIENT)
    except ValueError:
        record = logging.getLogger("bingcheng").makeRecord(
            "bingcheng", logging.ERROR, __file__, 1, "background", (), sys.exc_info()
        )
    said = formatter.format(record)
    assert said.startswith("ERROR background\nValueError at ")
    assert PATIENT not in said
