"""The command in a process of its own: it starts, says where, and stops cleanly."""

from __future__ import annotations

import os
import re
import signal
import socket
import ssl
import subprocess
import sys
import time
from pathlib import Path

import httpx
import pytest
from tests.server.conftest import PASSWORD
from tests.server.direct import NO_TLS

from bingcheng.archive.audit.event import AuditEvent, EventAction, EventOutcome
from bingcheng.archive.audit.event_code import EventCode, EventType
from bingcheng.archive.audit.owed import Owed
from bingcheng.archive.audit.trail import Asked, events, verify
from bingcheng.archive.authorisation.role import Role
from bingcheng.archive.people.hospital import make_hospital
from bingcheng.archive.people.person import make_person
from bingcheng.archive.problems import DISK_FULL
from bingcheng.archive.workspace import Workspace
from bingcheng.core.errors import InputError
from bingcheng.server.run import Wishes, address_of, run
from bingcheng.server.settings import Settings
from bingcheng.server.site import utc_now


@pytest.fixture
def start(tmp_path):
    started = []

    def begun(*arguments: object, **environment: str):
        process = subprocess.Popen(
            [
                Path(sys.executable).with_name("bingcheng"),
                "serve",
                "-w",
                tmp_path / "workspace",
                "--port",
                "0",
                *map(str, arguments),
            ],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            env={**os.environ, "BINGCHENG_LANG": "en", **environment},
        )
        started.append(process)
        lines = []
        for line in process.stdout:
            lines.append(line)
            if "Ctrl+C" in line:
                break
        return process, "".join(lines)

    yield begun
    for process in started:
        process.kill()
        process.communicate()


def answer_of(address: str, path: str, verify: ssl.SSLContext | bool = NO_TLS) -> httpx.Response:
    with httpx.Client(trust_env=False, verify=verify) as client:
        for _ in range(100):
            try:
                return client.get(f"{address}{path}")
            except httpx.ConnectError:
                time.sleep(0.05)
    pytest.fail("the server never answered")


def stops(process: subprocess.Popen, number: signal.Signals, workspace: Path) -> str:
    """What a process wrote that is told to stop; it does so cleanly, and the trail says when it ran."""
    process.send_signal(number)
    out, err = process.communicate(timeout=20)
    assert (process.returncode, out) == (0, "")
    assert "Traceback" not in err
    opened = Workspace.look_into(workspace)
    with opened.reading() as connection:
        found = [one.event.type_code for one in events(connection, Asked(of_installation=True))]
        assert found == [EventType.APPLICATION_STOP, EventType.APPLICATION_START]
        assert verify(connection) == 2
    opened.close()
    return err


def test_it_says_where_and_the_code_and_stops_cleanly(start, tmp_path):
    process, said = start()
    address = re.search(r"http://127\.0\.0\.1:\d+", said).group()
    assert re.search("code: [A-Z2-7]{4}-[A-Z2-7]{4}", said)
    assert answer_of(address, "/healthz").json() == {"status": "ok"}
    assert answer_of(address, "/").headers["location"] == "/welcome"
    assert '"route": "/healthz"' in stops(process, signal.SIGINT, tmp_path / "workspace")


def test_what_a_killed_server_owed_is_recorded_before_it_serves_again(start, tmp_path, monkeypatch):
    workspace = Workspace.open(tmp_path / "workspace")

    def full(*_: object) -> None:
        raise InputError(DISK_FULL)

    change = AuditEvent(
        code=EventCode.IMPORT,
        action=EventAction.CREATE,
        outcome=EventOutcome.SUCCESS,
        at=utc_now(),
        what="owed",
    )
    with monkeypatch.context() as patched:
        patched.setattr("bingcheng.archive.audit.owed.record_all", full)
        with pytest.raises(InputError):
            Owed().write(workspace, [change], happened=True)
    for _ in range(2):
        process, _ = start()
        process.kill()
        process.communicate()
    with workspace.reading() as connection:
        assert [one.event.what for one in events(connection, Asked())] == ["serve", "serve", "owed"]
    workspace.close()


def with_people(folder: Path) -> None:
    workspace = Workspace.open(folder)
    with workspace.writing() as connection:
        home = make_hospital(connection, name="North", code="N", now=utc_now())
        for login, hospital, role in (("olga", None, Role.OPERATOR), ("ada", home, Role.SITE_ADMIN)):
            make_person(connection, login=login, name=login, hospital=hospital, roles=[role], now=utc_now())
    workspace.close()


def test_an_only_operator_who_lost_the_password_sets_a_new_one_by_the_terminal(start, tmp_path):
    with_people(tmp_path / "workspace")
    _, said = start("--new-password", "Olga")
    address, secret = re.search(r"at (http://127\.0\.0\.1:\d+)(/invitation/\S+)", said).groups()
    assert answer_of(address, "/healthz").status_code == 200
    with httpx.Client(trust_env=False, verify=NO_TLS, base_url=address) as client:
        page = client.get(secret).text
        assert "You sign in as olga." in page
        form = {"csrf": re.search('name="csrf" value="(\\w+)"', page).group(1), "password": PASSWORD}
        assert client.post(secret, data=form).status_code == 303
        assert client.get("/api/me").json()["roles"] == ["operator"]
        assert client.get(secret).status_code == 404, "it works once"
    opened = Workspace.look_into(tmp_path / "workspace")
    with opened.reading() as connection:
        made = [one.event for one in events(connection, Asked(of_installation=True)) if one.event.subject]
    opened.close()
    assert [one.type_code for one in made if one.login == "bingcheng"] == [EventType.USER_SECURITY_ATTRIBUTES_CHANGED]
    assert all(secret.rpartition("/")[2] not in str(one) for one in made)


@pytest.mark.parametrize("login", ["ada", "nobody", ""])
def test_only_an_operator_gets_a_link_by_the_terminal(tmp_path, login):
    with_people(tmp_path / "workspace")
    with pytest.raises(InputError) as raised:
        run(Settings(workspace=tmp_path / "workspace", port=0), lambda _: None, Wishes(new_password=login))
    assert raised.value.code == "server.no-such-operator"


def test_a_busy_port_is_told_before_anything_is_touched(tmp_path):
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        settings = Settings(workspace=tmp_path / "workspace", port=other.getsockname()[1])
        with pytest.raises(InputError) as raised:
            run(settings, lambda _: None)
    assert raised.value.code == "server.cannot-listen"
    assert not (tmp_path / "workspace").exists()


@pytest.mark.parametrize(("certificate", "key"), [("cert.pem", None), (None, "key.pem"), ("cert.pem", "key.pem")])
def test_unusable_certificates_are_told(tmp_path, certificate, key):
    for name in ("cert.pem", "key.pem"):
        (tmp_path / name).write_text("no certificate")
    settings = Settings(
        workspace=tmp_path / "workspace",
        port=0,
        tls_certificate=certificate and tmp_path / certificate,
        tls_key=key and tmp_path / key,
    )
    with pytest.raises(InputError) as raised:
        run(settings, lambda _: None)
    assert raised.value.code == "server.unusable-tls"


def test_over_tls_the_cookies_are_bound_and_it_stops_as_cleanly(start, tmp_path):
    certificate, key = tmp_path / "cert.pem", tmp_path / "key.pem"
    subprocess.run(
        [
            "openssl",
            "req",
            "-x509",
            "-newkey",
            "rsa:2048",
            "-nodes",
            "-days",
            "1",
            "-subj",
            "/CN=localhost",
            "-out",
            certificate,
            "-keyout",
            key,
        ],
        check=True,
        capture_output=True,
    )
    process, said = start(BINGCHENG_TLS_CERTIFICATE=str(certificate), BINGCHENG_TLS_KEY=str(key))
    address = re.search(r"https://127\.0\.0\.1:\d+", said).group()
    answer = answer_of(address, "/login", verify=False)
    assert answer.headers["set-cookie"].startswith("__Host-bingcheng-form=")
    assert "max-age" in answer.headers["strict-transport-security"]
    stops(process, signal.SIGTERM, tmp_path / "workspace")


def test_an_address_can_be_typed(monkeypatch):
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        port = listening.getsockname()[1]
        for host, shown in (("127.0.0.1", "127.0.0.1"), ("0.0.0.0", "127.0.0.1"), ("::1", "[::1]")):  # noqa: S104
            assert address_of(Settings(host=host), listening) == f"http://{shown}:{port}"
        assert address_of(Settings(public_url="https://h.example/"), listening) == "https://h.example"
