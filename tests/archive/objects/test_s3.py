"""Objects in a bucket: the same store, on a real HTTP server that speaks S3."""

from __future__ import annotations

import contextlib
import os
import shutil
import socket
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest
from tests.archive.objects.conftest import FROM, SPACE
from tests.archive.objects.sent import STUDY, file

from bingcheng.archive.objects import s3
from bingcheng.archive.objects.objects import Objects
from bingcheng.archive.objects.place import Bucket, storage_of
from bingcheng.archive.objects.query import Query
from bingcheng.archive.objects.received import ReceivedStatus
from bingcheng.archive.objects.s3 import S3
from bingcheng.archive.workspace import Workspace
from bingcheng.core.errors import RemoteError

BUCKET = "bingcheng"
KEY = {"key_id": "testing", "secret": "testing-secret", "region": "us-east-1"}


@pytest.fixture(scope="module")
def endpoint():
    """The address of an S3 server that holds an empty bucket."""
    boto3 = pytest.importorskip("boto3")
    # The one of this environment, if it has one: on the path may lie a stranger's that lacks what it needs.
    own = Path(sys.executable).with_name("moto_server")
    program = str(own) if own.exists() else shutil.which("moto_server")
    if program is None:
        pytest.skip("no S3 server is installed (PyPI: moto[s3] with flask and flask-cors)")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    address = f"http://127.0.0.1:{port}"
    quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
    with subprocess.Popen([program, "-H", "127.0.0.1", "-p", str(port)], **quiet) as server:
        try:
            for _ in range(200):
                with socket.socket() as trial:
                    if trial.connect_ex(("127.0.0.1", port)) == 0:
                        break
                if server.poll() is not None:
                    assert not own.exists(), "the S3 server of this environment ends as soon as it is started"
                    pytest.skip("the S3 server on the path ends as soon as it is started")
                time.sleep(0.1)
            client = boto3.client(
                "s3",
                endpoint_url=address,
                region_name=KEY["region"],
                aws_access_key_id=KEY["key_id"],
                aws_secret_access_key=KEY["secret"],
            )
            client.create_bucket(Bucket=BUCKET)
            client.close()
            yield address
        finally:
            server.kill()


def connected(endpoint, tmp_path, **how):
    return S3.connect(BUCKET, tmp_path / "copies", endpoint_url=endpoint, prefix=tmp_path.name, **KEY, **how)


@pytest.fixture
def store(endpoint, tmp_path):
    workspace = Workspace.open(tmp_path / "workspace")
    objects = Objects.open(workspace, connected(endpoint, tmp_path))
    yield objects
    objects.close()
    workspace.close()


def receive(objects, data):
    return objects.receive(data, space=SPACE, origin=FROM).status


def test_a_bucket_holds_objects_as_a_folder_does(store):
    assert receive(store, file(1)) is ReceivedStatus.STORED
    assert receive(store, file(1)) is ReceivedStatus.ALREADY
    assert receive(store, file(1, PatientID="P2")) is ReceivedStatus.CONFLICT
    assert receive(store, file(2)) is ReceivedStatus.STORED
    instances = store.instances_of([SPACE], STUDY)
    for one in instances:
        with store.open_bytes(one) as stream:
            assert stream.read() == file(one.number)
            stream.seek(one.pixel_offset)
            assert stream.read(one.pixel_length) == file(one.number)[one.pixel_offset :]
    assert len(list(store.metadata(instances))) == 2
    folder = store.exam_folder(SPACE, STUDY)
    assert sorted(path.read_bytes() for path in folder.rglob("*.dcm")) == sorted([file(1), file(2)])
    (conflict,) = store.conflicts([SPACE])
    store.settle_conflict(SPACE, conflict.id, keep="received")
    assert store.path(store.instances_of([SPACE], STUDY)[0]).read_bytes() == file(1, PatientID="P2")
    held = sorted(path.read_bytes() for path in store.exam_folder(SPACE, STUDY).rglob("*.dcm"))
    assert held == sorted([file(1, PatientID="P2"), file(2)])
    assert len(list(store.storage.keys())) == 2
    assert store.remove(SPACE, STUDY) == 2
    assert list(store.storage.keys()) == []
    assert [path for path in (store.workspace.folder.parent / "copies").rglob("*.dcm") if path.is_file()] == []


def test_a_bucket_is_put_right_after_a_crash(store, endpoint, tmp_path):
    receive(store, file(1))
    (key,) = store.storage.keys()
    data = file(2)
    other = Objects.open(store.workspace, connected(endpoint, tmp_path))
    receive(other, data)
    (second,) = set(store.storage.keys()) - {key}
    other.remove(SPACE, STUDY, None, "1.2.3.1.2")
    store.storage.put(second, memoryview(data))  # as a killed process leaves it: the bytes without a row
    stale = tmp_path / "copies" / ".present" / "killed"
    stale.mkdir()
    (stale / "lock").touch()
    again = Objects.open(store.workspace, connected(endpoint, tmp_path))
    assert again.recovered.indexed == 1
    assert len(again.instances_of([SPACE], STUDY)) == 2
    store.storage.remove([key])
    assert again.check().lost == (key,)
    for opened in (other, again):
        opened.close()


def test_a_workspace_remembers_its_bucket_but_not_the_key_to_it(endpoint, tmp_path, monkeypatch):
    key = {name: value for name, value in KEY.items() if name != "region"}
    bucket = Bucket(name=BUCKET, prefix=tmp_path.name, endpoint=endpoint, region=KEY["region"], **key)
    workspace = Workspace.open(tmp_path / "workspace")
    first = Objects.open(workspace, storage_of(workspace, bucket))
    receive(first, file(1))
    first.close()
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", KEY["key_id"])
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", KEY["secret"])
    again = Objects.open(workspace)
    (held,) = again.instances_of([SPACE], STUDY)
    with again.open_bytes(held) as stream:
        assert stream.read() == file(1)
    again.close()
    with workspace.reading() as connection:
        remembered = connection.exec_driver_sql("SELECT value FROM about").scalars().all()
    assert not any(KEY["secret"] in value or KEY["key_id"] in value for value in remembered)
    workspace.close()


def test_copies_make_room_for_others_but_not_for_those_just_used(endpoint, tmp_path, monkeypatch):
    storage = connected(endpoint, tmp_path, cache_bytes=4000)
    for number in range(6):
        storage.put(f"hospital-1/a/b/{number}.dcm", memoryview(bytes([number]) * 1000))
    old = time.time() - 3600
    for number in range(6):
        path = storage.path(f"hospital-1/a/b/{number}.dcm")
        if number < 3:
            os.utime(path, (old, old))
    left = sorted(path.name for path in (tmp_path / "copies").rglob("*.dcm"))
    assert set(left) >= {"3.dcm", "4.dcm", "5.dcm"}
    assert len(left) < 6
    with storage.open("hospital-1/a/b/0.dcm") as stream:
        assert stream.read() == bytes(1000)
    storage.close()


def test_what_is_not_there_and_a_server_that_is_gone_are_told_apart(endpoint, tmp_path):
    storage = connected(endpoint, tmp_path)
    with pytest.raises(RemoteError, match="object-lost"):
        storage.open("hospital-1/none.dcm")
    with pytest.raises(RemoteError, match="object-lost"):
        storage.folder("hospital-1/none")
    storage.close()
    with pytest.raises(RemoteError, match="storage-failed"):
        S3.connect("no-such-bucket", tmp_path / "c", endpoint_url=endpoint, **KEY)
    with pytest.raises(RemoteError, match="storage-failed"):
        S3.connect(BUCKET, tmp_path / "c", endpoint_url="http://127.0.0.1:9", **KEY)


def test_a_bucket_that_fails_keeps_no_row(store, monkeypatch):
    monkeypatch.setattr(store.storage, "_bucket", "no-such-bucket")
    with pytest.raises(RemoteError, match="archive"):
        receive(store, file(1))
    assert store.studies(Query(), [SPACE]) == []


def test_a_service_that_falls_silent_is_given_up_before_who_sends_gives_up(tmp_path, monkeypatch):
    pytest.importorskip("boto3")
    assert s3.ATTEMPTS * (s3.CONNECT_S + s3.ANSWER_S) <= 90
    monkeypatch.setattr(s3, "ANSWER_S", 0.3)
    with socket.create_server(("127.0.0.1", 0)) as listening:
        connections = []

        def answer_once():
            for _ in range(1 + s3.ATTEMPTS):
                connected, _address = listening.accept()
                connections.append(connected)
                if len(connections) == 1:  # whether the bucket is there
                    connected.recv(65_536)
                    connected.sendall(b"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 0\r\n\r\n")
                    connected.close()

        threading.Thread(target=answer_once, daemon=True).start()
        address = f"http://127.0.0.1:{listening.getsockname()[1]}"
        storage = S3.connect(BUCKET, tmp_path / "cache", endpoint_url=address, **KEY)
        begun = time.monotonic()
        with pytest.raises(RemoteError) as raised:
            storage.put("a.dcm", memoryview(b"object"))
        assert raised.value.code == "archive.storage-failed"
        assert time.monotonic() - begun < 10
        storage.close()
        for one in connections:
            one.close()


def answering(status: str, code: str):
    """The address of a service that has the bucket and refuses each object, and how often it was asked."""
    listening, asked = socket.create_server(("127.0.0.1", 0)), []

    def answer(connected: socket.socket) -> None:
        with connected, connected.makefile("rb") as coming:
            while line := coming.readline():
                length = 0
                while (field := coming.readline()) not in (b"\r\n", b""):
                    name, _, value = field.partition(b":")
                    length = int(value) if name.lower() == b"content-length" else length
                if line.startswith(b"HEAD"):
                    connected.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")
                    continue
                coming.read(length)
                asked.append(line)
                said = f"<?xml version='1.0'?><Error><Code>{code}</Code><Message>no</Message></Error>".encode()
                head = f"HTTP/1.1 {status}\r\nContent-Type: application/xml\r\nContent-Length: {len(said)}\r\n\r\n"
                connected.sendall(head.encode() + said)

    def accept() -> None:
        with contextlib.suppress(OSError):
            while True:
                threading.Thread(target=answer, args=(listening.accept()[0],), daemon=True).start()

    threading.Thread(target=accept, daemon=True).start()
    return listening, asked


@pytest.mark.parametrize(
    ("status", "code", "told", "times"),
    [
        ("507 Insufficient Storage", "InsufficientStorage", "archive.disk-full", 1),
        ("507 Insufficient Storage", "XMinioStorageFull", "archive.disk-full", 1),
        ("403 Forbidden", "QuotaExceeded", "archive.disk-full", 1),
        ("503 Slow Down", "SlowDown", "archive.storage-failed", s3.ATTEMPTS),
        ("403 Forbidden", "AccessDenied", "archive.storage-failed", 1),
    ],
)
def test_a_full_bucket_is_said_as_a_full_disk_and_a_busy_one_is_asked_again(tmp_path, status, code, told, times):
    pytest.importorskip("boto3")
    listening, asked = answering(status, code)
    with listening:
        workspace = Workspace.open(tmp_path / "workspace")
        storage = S3.connect(
            BUCKET, tmp_path / "c", endpoint_url=f"http://127.0.0.1:{listening.getsockname()[1]}", **KEY
        )
        objects = Objects.open(workspace, storage)
        asked.clear()
        with pytest.raises(RemoteError) as raised:
            receive(objects, file(1))
        assert raised.value.code == told
        assert sum(line.startswith(b"PUT") for line in asked) == times
        assert objects.studies(Query(), [SPACE]) == []
        objects.close()
        workspace.close()


class Gate:
    """The way to a service, which is cut and opened again: connections break wherever they are."""

    def __init__(self, port: int) -> None:
        self.behind, self.open, self.ends = port, True, []
        self.listening = socket.create_server(("127.0.0.1", 0))
        self.address = f"http://127.0.0.1:{self.listening.getsockname()[1]}"
        threading.Thread(target=self.accept, daemon=True).start()

    def accept(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                here, _ = self.listening.accept()
                if not self.open:
                    here.close()
                    continue
                there = socket.create_connection(("127.0.0.1", self.behind))
                self.ends += [here, there]
                ways = [threading.Thread(target=self.pass_on, args=pair) for pair in ((here, there), (there, here))]
                for way in ways:
                    way.start()
                threading.Thread(target=self.close_after, args=(ways, (here, there)), daemon=True).start()

    def pass_on(self, one: socket.socket, other: socket.socket) -> None:
        with contextlib.suppress(OSError):
            while piece := one.recv(2048):
                other.sendall(piece)
        for end in (one, other):
            with contextlib.suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)

    def close_after(self, ways, ends) -> None:
        for way in ways:
            way.join()
        for end in ends:
            end.close()

    def cut(self) -> None:
        self.open = False
        for end in self.ends:
            with contextlib.suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)
        self.ends.clear()


def test_what_was_answered_as_stored_is_there_however_often_the_service_goes_away(endpoint, tmp_path):
    gate = Gate(int(endpoint.rpartition(":")[2]))
    workspace = Workspace.open(tmp_path / "workspace")
    storage = S3.connect(BUCKET, tmp_path / "copies", endpoint_url=gate.address, prefix=tmp_path.name, **KEY)
    objects = Objects.open(workspace, storage)
    files = {number: file(number, size=64) for number in range(1, 201)}
    done, failed = set(), []

    def send(numbers) -> None:
        for number in numbers:
            while number not in done:
                try:
                    receive(objects, files[number])
                except RemoteError as error:
                    failed.append(error.code)
                    time.sleep(0.02)
                else:
                    done.add(number)

    senders = [threading.Thread(target=send, args=(list(files)[place::4],)) for place in range(4)]
    for one in senders:
        one.start()
    for _ in range(6):
        before = len(done)
        while len(done) < min(before + 25, 200):
            time.sleep(0.005)
        gate.cut()
        time.sleep(0.3)
        gate.open = True
    for one in senders:
        one.join()
    assert set(failed) == {"archive.storage-failed"}
    held = objects.instances_of([SPACE], STUDY)
    assert len(held) == 200
    direct = connected(endpoint, tmp_path / "elsewhere")
    direct._prefix = f"{tmp_path.name}/"  # the same objects by the way that was never cut
    for one in held:
        with direct.open(one.location) as stream:
            assert stream.read() == files[one.number]
    assert objects.check().lost == ()
    assert len(list(storage.keys())) == 200
    direct.close()
    objects.close()
    workspace.close()
    gate.listening.close()
    gate.cut()


def test_an_object_whose_bytes_were_lost_in_the_bucket_is_whole_again_when_it_comes_again(store):
    receive(store, file(1))
    (held,) = store.instances_of([SPACE], STUDY)
    store.storage.remove([held.location])
    assert store.storage.size(held.location) is None
    assert receive(store, file(1)) is ReceivedStatus.ALREADY
    assert store.storage.size(held.location) == held.size
    with store.open_bytes(held) as stream:
        assert stream.read() == file(1)
