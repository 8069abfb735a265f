"""Connections that are held open, never end, or bring more than anybody asked for: the others are served meanwhile."""

from __future__ import annotations

import contextlib
import os
import resource
import socket
import time
from pathlib import Path

import httpx
import pytest
from fastapi import APIRouter
from starlette.responses import StreamingResponse
from tests.attack.conftest import answered
from tests.server.direct import NO_TLS
from tests.server.examples import STUDY, prepare

from bingcheng.server.security import connections, size
from bingcheng.server.security.connections import Connections
from bingcheng.server.security.required import public

HEAD = b"GET /healthz HTTP/1.1\r\nhost: 127.0.0.1\r\n"
SOON_S = 5.0


def well(here) -> float:
    """How long another waits for an answer; in seconds."""
    began = time.monotonic()
    assert httpx.get(f"{here.address}/healthz", trust_env=False, verify=NO_TLS, timeout=30).json() == {"status": "ok"}
    return time.monotonic() - began


def resident_mib() -> float:
    return int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1]) * resource.getpagesize() / 2**20


@pytest.fixture
def impatient(monkeypatch):
    monkeypatch.setattr(connections, "HEAD_S", 0.5)
    monkeypatch.setattr(connections, "STALLED_S", 0.5)
    monkeypatch.setattr(size, "SILENCE_S", 0.5)
    monkeypatch.setattr(size, "FORM_S", 1.5)


def test_a_thousand_open_connections_keep_nobody_out(listening):
    here = listening(largest_form_mb=2)
    held = [here.connected(HEAD) for _ in range(1000)]
    try:
        assert well(here) < SOON_S
    finally:
        for one in held:
            one.close()


def test_one_address_gets_no_more_connections_than_its_share(listening, monkeypatch):
    monkeypatch.setattr(connections, "Connections", lambda **more: Connections(**more, of_address=5))
    here = listening(largest_form_mb=2)
    held = [here.connected() for _ in range(10)]
    time.sleep(0.3)
    cut = [one for one in held if _is_cut(one)]
    assert len(cut) == 5
    for one in held:
        one.close()
    time.sleep(0.3)
    assert well(here) < SOON_S


def _is_cut(one: socket.socket) -> bool:
    one.settimeout(0.05)
    try:
        return one.recv(1) == b""
    except TimeoutError:
        return False
    except ConnectionError:
        return True


def test_who_comes_through_a_proxy_is_counted_with_nobody():
    here = Connections(most=10, of_address=2, proxies=("192.0.2.7", "10.0.0.0/30"))
    assert [here.come("10.0.0.1") for _ in range(5)] == [True] * 5
    assert [here.come("10.0.0.9") for _ in range(3)] == [True, True, False]
    here.go("10.0.0.9")
    assert here.come("10.0.0.9")
    assert [here.come(f"10.0.1.{n}") for n in range(4)] == [True, True, True, False], "ten of all"


@pytest.mark.parametrize("begun", [b"", b"GET /", HEAD, b"\r\n\r\n"])
def test_a_head_that_does_not_come_to_its_end_is_given_up(listening, impatient, begun):
    here = listening(largest_form_mb=2)
    with here.connected(begun) as one:
        began = time.monotonic()
        while time.monotonic() - began < 10:
            with contextlib.suppress(ConnectionError):
                one.sendall(b"x: y\r\n" if begun == HEAD else b"")
            if _is_cut(one):
                break
            time.sleep(0.1)
        assert time.monotonic() - began < 3


def test_after_an_answer_too_a_connection_is_not_held_by_dripping(listening, impatient):
    here = listening(largest_form_mb=2)
    with here.connected(HEAD + b"\r\n") as one:
        assert one.recv(1 << 16).startswith(b"HTTP/1.1 200")
        began = time.monotonic()
        while time.monotonic() - began < 10 and not _is_cut(one):
            with contextlib.suppress(ConnectionError):
                one.sendall(b"\r\n")
            time.sleep(0.1)
        assert time.monotonic() - began < 3


@pytest.mark.parametrize("piece", [b"a" * 65536, b"a: b\r\n" * 10_000], ids=["one value", "many fields"])
def test_a_head_without_an_end_is_refused_and_not_kept(listening, piece):
    here = listening(largest_form_mb=2)
    before = resident_mib()
    with here.connected(HEAD + b"x-long: ") as one:
        sent = 0
        with contextlib.suppress(OSError):
            for _ in range(2000):  # 128 MB
                one.sendall(piece)
                sent += len(piece)
        assert sent < 64 << 20
        assert answered(one) in (b"", connections.TOO_LARGE) or b" 431 " in answered(one)
    assert resident_mib() - before < 64
    assert well(here) < SOON_S


def test_a_trailer_without_an_end_is_not_kept(listening):
    here = listening(largest_form_mb=2)
    head = b"POST /login HTTP/1.1\r\nhost: 127.0.0.1\r\ntransfer-encoding: chunked\r\n\r\n1\r\nx\r\n0\r\nx-long: "
    before = resident_mib()
    with here.connected(head) as one, contextlib.suppress(OSError):
        for _ in range(1000):
            one.sendall(b"a" * 65536)
        pytest.fail("65 MB of a trailer were taken")
    assert resident_mib() - before < 64


@pytest.mark.parametrize("kind", ["declared", "chunked"])
def test_ten_gigabytes_for_a_form_are_refused_as_they_come(listening, kind):
    here = listening(largest_form_mb=2)
    page = httpx.get(f"{here.address}/login", trust_env=False, verify=NO_TLS)
    cookie = page.headers["set-cookie"].partition(";")[0].encode()
    length = b"content-length: 10000000000" if kind == "declared" else b"transfer-encoding: chunked"
    head = b"POST /login HTTP/1.1\r\nhost: 127.0.0.1\r\ncookie: %s\r\ncontent-type: " % cookie
    head += b"application/x-www-form-urlencoded\r\n%s\r\n\r\n" % length
    piece = b"a" * 65536 if kind == "declared" else b"10000\r\n" + b"a" * 65536 + b"\r\n"
    before, sent = resident_mib(), 0
    with here.connected(head) as one:
        with contextlib.suppress(OSError):
            for _ in range(200):
                one.sendall(piece)
                sent += len(piece)
        one.settimeout(10)
        with contextlib.suppress(OSError):
            assert one.recv(1 << 16).startswith((b"HTTP/1.1 413", b"HTTP/1.1 400"))
    assert resident_mib() - before < 64
    assert well(here) < SOON_S


def test_a_body_that_drips_is_given_up(listening, impatient):
    here = listening(largest_form_mb=2)
    page = httpx.get(f"{here.address}/login", trust_env=False, verify=NO_TLS)
    cookie = page.headers["set-cookie"].partition(";")[0].encode()
    head = b"POST /login HTTP/1.1\r\nhost: 127.0.0.1\r\ncookie: %s\r\ncontent-length: 1000\r\n" % cookie
    head += b"content-type: application/x-www-form-urlencoded\r\n\r\n"
    with here.connected(head) as one:
        began = time.monotonic()
        while time.monotonic() - began < 10 and not _has_answer(one):
            with contextlib.suppress(OSError):
                one.sendall(b"a")
            time.sleep(0.2)
        assert time.monotonic() - began < 5


def _has_answer(one: socket.socket) -> bool:
    one.settimeout(0.05)
    try:
        found = one.recv(1 << 16)
    except TimeoutError:
        return False
    except ConnectionError:
        return True
    assert found == b"" or b" 408 " in found
    return True


def test_who_does_not_take_an_answer_loses_it(listening, impatient):
    router = APIRouter()

    @router.get("/probe/long", dependencies=[public(why="test")])
    def long():
        return StreamingResponse(bytes(1 << 20) for _ in range(64))

    here = listening(router)
    with here.connected(b"GET /probe/long HTTP/1.1\r\nhost: 127.0.0.1\r\nconnection: close\r\n\r\n") as one:
        time.sleep(3)
        assert len(answered(one)) < 64 << 20
    assert len(httpx.get(f"{here.address}/probe/long", trust_env=False, verify=NO_TLS).content) == 64 << 20, (
        "who takes it gets it"
    )
    assert well(here) < SOON_S


def test_an_answer_that_takes_long_is_not_cut(listening, impatient):
    here = listening(largest_form_mb=2)
    prepare(here.served)
    secret = here.served.browser("radiologist").cookies["bingcheng"]
    path = f"{here.address}/dicomweb/studies/{STUDY}"
    with httpx.stream("GET", path, trust_env=False, verify=NO_TLS, headers={"cookie": f"bingcheng={secret}"}) as answer:
        time.sleep(2)
        assert answer.status_code == 200
        assert len(answer.read()) > 1000


@pytest.mark.parametrize(
    "asked",
    [
        b"POST /login HTTP/1.1\r\nhost: 127.0.0.1\r\ncontent-length: 5\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n",
        b"POST /login HTTP/1.1\r\nhost: 127.0.0.1\r\ncontent-length: 5\r\ncontent-length: 6\r\n\r\nhello",
        b"POST /login HTTP/1.1\r\nhost: 127.0.0.1\r\ntransfer-encoding: xchunked\r\n\r\n0\r\n\r\n",
        b"GET /login HTTP/1.1\r\nhost : 127.0.0.1\r\n\r\n",
        b"GET /login HTTP/1.1\r\nhost: 127.0.0.1\r\n x: folded\r\n\r\n",
        b"GET http://evil.example/login HTTP/1.1\r\nhost: evil.example\r\n\r\n",
        b"GET /login\0x HTTP/1.1\r\nhost: 127.0.0.1\r\n\r\n",
        b"GET /login HTTP/9.9\r\nhost: 127.0.0.1\r\n\r\n",
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
        os.urandom(300),
    ],
)
def test_a_request_that_two_servers_would_read_in_two_ways_is_refused(listening, asked, impatient):
    here = listening(largest_form_mb=2)
    with here.connected(asked) as one:
        found = b""
        with contextlib.suppress(ConnectionError):
            found = one.recv(1 << 16)
    assert not found.startswith(b"HTTP/1.1 2")
    assert b"Traceback" not in found
    assert well(here) < SOON_S


def test_nothing_is_upgraded(listening):
    here = listening(largest_form_mb=2)
    ask = HEAD + b"connection: upgrade\r\nsec-websocket-version: 13\r\nupgrade: %s\r\n"
    for kind in (b"websocket\r\nsec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==", b"h2c"):
        with here.connected(ask % kind + b"\r\n") as one:
            assert not one.recv(1 << 16).startswith(b"HTTP/1.1 101")
