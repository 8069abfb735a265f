"""A real server: killed while it stores, sent too much, sent nothing."""

from __future__ import annotations

import http.client
import io
import json
import socket
import threading
import time
import zipfile
from contextlib import closing
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from benchmarks.exchange_objects import file_of, image, uid_of
from benchmarks.exchange_server import serving

KIND = 'multipart/related; type="application/dicom"; boundary=x'
SENT = 200


def stow(connection: http.client.HTTPConnection, path: str, headers: dict[str, str], file: bytes) -> int:
    body = b"--x\r\nContent-Type: application/dicom\r\n\r\n" + file + b"\r\n--x--"
    connection.request("POST", f"{path}/studies", body, {**headers, "Content-Type": KIND})
    answer = connection.getresponse()
    answer.read()
    return answer.status


def stored_until_killed(folder: Path, files: dict[int, bytes], after: int) -> set[int]:
    """Numbers of the files that were answered with success before the server was killed with so many answered."""
    answered: set[int] = set()
    with serving(folder) as (url, headers, process):
        parts = urlsplit(url)

        def send(numbers: list[int]) -> None:
            with closing(http.client.HTTPConnection(parts.netloc, timeout=30)) as connection:
                for number in numbers:
                    try:
                        if stow(connection, parts.path, headers, files[number]) == 200:
                            answered.add(number)
                    except (OSError, http.client.HTTPException):
                        return

        numbers = sorted(files)
        threads = [threading.Thread(target=send, args=(numbers[n::2],)) for n in range(2)]
        for thread in threads:
            thread.start()
        while len(answered) < after and any(thread.is_alive() for thread in threads):
            time.sleep(0.001)
        process.kill()
        for thread in threads:
            thread.join()
    return answered


@pytest.fixture(scope="module")
def survived(tmp_path_factory):
    """A server over what two that were killed left, the files that these were sent, and which of them they answered."""
    folder = tmp_path_factory.mktemp("real")
    files = {n: file_of(image("killed", "a", n, matrix=(128, 128))) for n in range(1, SENT + 1)}
    answered: set[int] = set()
    for after in (20, 60):
        answered |= stored_until_killed(folder, files, after)
    assert 20 <= len(answered) < SENT
    with serving(folder) as found:
        yield found, files, answered


@pytest.fixture(scope="module")
def server(survived):
    return survived[0]


@pytest.mark.slow
def test_what_was_answered_survives_a_kill_and_nothing_is_half_there(survived):
    (url, headers, _), files, answered = survived
    with closing(http.client.HTTPConnection(urlsplit(url).netloc)) as connection:
        place = f"{urlsplit(url).path}/studies/{uid_of('killed')}"
        connection.request("GET", f"{place}/instances?limit={SENT}", headers=headers)
        told = {one["00200013"]["Value"][0] for one in json.loads(connection.getresponse().read())}
        assert answered <= told
        connection.request("GET", place, headers={**headers, "Accept": "application/zip"})
        with zipfile.ZipFile(io.BytesIO(connection.getresponse().read())) as archive:
            there = [archive.read(name) for name in archive.namelist()]
        assert sorted(there) == sorted(files[number] for number in told)


def held_bytes(pid: int) -> int:
    """Memory of a process that is its own; pages of mapped files are not, the system takes them back at any time."""
    lines = Path(f"/proc/{pid}/status").read_text(encoding="ascii").splitlines()
    return int(next(line for line in lines if line.startswith("RssAnon")).split()[1]) * 1024


def test_ten_gigabytes_are_refused_before_they_are_sent(server):
    url, headers, _ = server
    parts = urlsplit(url)
    with closing(http.client.HTTPConnection(parts.netloc, timeout=10)) as connection:
        connection.putrequest("POST", f"{parts.path}/studies")
        for name, value in {**headers, "Content-Type": KIND, "Content-Length": str(10 << 30)}.items():
            connection.putheader(name, value)
        connection.endheaders()
        assert connection.getresponse().status == 413


def test_a_large_object_does_not_fill_the_memory(server):
    url, headers, process = server
    parts = urlsplit(url)
    made = image("large", "a", 1, matrix=(8, 8))
    made.NumberOfFrames = 40
    made.Rows = made.Columns = 1024
    made.PixelData = bytes(40 << 21)
    file = file_of(made)
    with closing(http.client.HTTPConnection(parts.netloc, timeout=60)) as connection:
        assert stow(connection, parts.path, headers, file_of(image("small", "a", 1))) == 200
        before = held_bytes(process.pid)
        assert stow(connection, parts.path, headers, file) == 200
        # Eight megabytes of a part are held, some pieces of the network's, and what the interpreter keeps for later.
        assert held_bytes(process.pid) - before < len(file) // 2
        place = f"{parts.path}/studies/{uid_of('large')}/series/{uid_of('large', 'a')}/instances/{made.SOPInstanceUID}"
        connection.request("GET", place, headers={**headers, "Accept": "application/dicom"})
        assert connection.getresponse().read() == file
        assert held_bytes(process.pid) - before < len(file) // 2


def test_a_sender_that_goes_away_disturbs_nobody(server):
    url, headers, _ = server
    parts = urlsplit(url)
    host, port = parts.netloc.split(":")
    for _ in range(3):
        with socket.create_connection((host, int(port))) as line:
            sent = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
            head = f"POST {parts.path}/studies HTTP/1.1\r\nHost: {parts.netloc}\r\n{sent}Content-Type: {KIND}\r\n"
            line.sendall((head + "Content-Length: 100000\r\n\r\n--x\r\n\r\nbeginning").encode())
    with closing(http.client.HTTPConnection(parts.netloc, timeout=30)) as connection:
        assert stow(connection, parts.path, headers, file_of(image("after", "a", 1))) == 200
