"""Files that were cut, or can't be read, after they were stored: said to whoever asks, and the program lives on."""

from __future__ import annotations

import io
import os
import struct
import subprocess
import sys

import pytest
from pydicom.dataset import Dataset
from tests.archive.objects.conftest import FROM, SPACE, files_of
from tests.archive.objects.sent import EXPLICIT, STUDY, dataset, file, item, written

from bingcheng.archive.objects import duplicates
from bingcheng.archive.objects.element_walk import Walk
from bingcheng.archive.objects.file_bytes import WINDOW, FileBytes
from bingcheng.archive.objects.header import dataset as begun
from bingcheng.archive.objects.received import ReceivedStatus
from bingcheng.archive.objects.storage import pieces_between
from bingcheng.core.errors import InputError, RemoteError

VALUE = "bulk/00420011"
LONG = 9 << 20


def document(length: int = LONG) -> bytes:
    """A document without pixels, whose value is followed by another element."""
    made: Dataset = dataset(1)
    for keyword in ("PixelData", "Rows", "Columns"):
        if keyword in made:
            delattr(made, keyword)
    made.EncapsulatedDocument = os.urandom(1 << 16) * (length >> 16)
    made.MIMETypeOfEncapsulatedDocument = "application/pdf"
    made.add_new(0x00550010, "LO", "AT THE END")
    made.add_new(0x00551001, "OB", bytes(2000))
    return written(made, EXPLICIT)


CUT_WHILE_READ = """
import os, sys
from pathlib import Path
from bingcheng.archive.objects import metadata
from bingcheng.archive.objects.objects import Objects
from bingcheng.archive.workspace import Workspace
from bingcheng.core.errors import RemoteError

workspace = Workspace.open(Path(sys.argv[1]))
objects = Objects.open(workspace)
(held,) = objects.instances_of(["hospital/1"], sys.argv[2])
dataset = metadata.dataset

def cut(data):
    found = dataset(data)
    os.truncate(objects.path(held), 4096)
    return found

metadata.dataset = cut
try:
    objects.bulk(held, "bulk/00551001") if sys.argv[3] == "bulk" else list(objects.metadata([held]))
except RemoteError as error:
    print(error.code)
objects.close()
"""


@pytest.mark.parametrize("asked", ["bulk", "metadata"])
def test_a_file_that_is_cut_while_it_is_read_is_an_error_and_no_end_of_the_program(objects, asked):
    objects.receive(document(), space=SPACE, origin=FROM)
    done = subprocess.run(
        [sys.executable, "-c", CUT_WHILE_READ, str(objects.workspace.folder), STUDY, asked],
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stdout) == (0, "archive.object-damaged\n"), done.stderr


def test_what_is_sent_of_a_file_that_was_cut_is_never_taken_for_the_whole(objects):
    objects.receive(document(), space=SPACE, origin=FROM)
    (held,) = objects.instances_of([SPACE], STUDY)
    value = objects.bulk(held, VALUE)
    assert value.length == LONG
    coming = value.pieces(0, LONG)
    next(coming)
    (there,) = files_of(objects)
    os.truncate(there, 3 << 20)
    with pytest.raises(RemoteError, match="object-damaged"):
        list(coming)


@pytest.mark.parametrize("large", [False, True])
def test_a_file_that_was_cut_is_said_before_anything_of_it_is_served(objects, large):
    objects.receive(document() if large else file(1), space=SPACE, origin=FROM)
    (held,) = objects.instances_of([SPACE], STUDY)
    (there,) = files_of(objects)
    os.truncate(there, there.stat().st_size - 2)
    for serve in (objects.open_bytes, lambda one: objects.bulk(one, VALUE), lambda one: list(objects.metadata([one]))):
        with pytest.raises(RemoteError, match="object-damaged"):
            serve(held)


@pytest.mark.parametrize("lost", [True, False])
def test_an_object_whose_file_was_lost_or_cut_is_whole_again_when_it_comes_again(objects, lost):
    objects.receive(file(1), space=SPACE, origin=FROM)
    objects.receive(file(2), space=SPACE, origin=FROM)
    held, _ = objects.instances_of([SPACE], STUDY)
    there = objects.path(held)
    if lost:
        there.unlink()
    else:
        os.truncate(there, 300)
    assert objects.receive(file(1), space=SPACE, origin=FROM).status is ReceivedStatus.ALREADY
    with objects.open_bytes(held) as stream:
        assert stream.read() == file(1)
    assert len(files_of(objects)) == 2
    assert objects.check().lost == ()


def test_an_object_that_comes_again_while_it_is_removed_is_stored_anew(objects, monkeypatch):
    objects.receive(file(1), space=SPACE, origin=FROM)
    is_held = duplicates.is_held

    def removed_meanwhile(*told):
        found = is_held(*told)
        objects.remove(SPACE, STUDY)
        monkeypatch.undo()
        return found

    monkeypatch.setattr(duplicates, "is_held", removed_meanwhile)
    assert objects.receive(file(1), space=SPACE, origin=FROM).status is ReceivedStatus.STORED
    (held,) = objects.instances_of([SPACE], STUDY)
    assert files_of(objects) == [objects.path(held)]


class Failing(io.RawIOBase):
    """A file on a disk that can't be read."""

    def seek(self, at: int, _whence: int = 0) -> int:
        return at

    def read(self, _size: int = -1) -> bytes:
        raise OSError(5, "Input/output error")


def test_a_disk_that_can_not_be_read_is_said(tmp_path):
    with pytest.raises(RemoteError, match="EIO"):
        list(pieces_between(Failing(), 0, 10))
    write_only = os.open(tmp_path / "file", os.O_CREAT | os.O_WRONLY)
    os.write(write_only, bytes(200))
    with os.fdopen(write_only, "wb") as stream, pytest.raises(RemoteError, match="EBADF"):
        FileBytes(stream, 200)[:10]


def heads(walk):
    """What a walk finds, and how it ends."""
    found = []
    try:
        for element in walk:
            items = [heads(one) for one in element.items or ()]
            found.append((element.tag, element.vr, element.at, element.length, items))
    except InputError as error:
        found.append(error.code)
    return found


@pytest.mark.parametrize("cut", [0, 1, 7, 9, 13, 300])
@pytest.mark.parametrize("padding", [0, WINDOW - 300, WINDOW - 250, WINDOW])
def test_a_file_is_walked_through_as_its_bytes_are(tmp_path, cut, padding):
    made = dataset(1)
    made.add_new(0x00091001, "OB", bytes(padding))
    made.add_new(0x00091002, "SQ", [item(PatientID=str(number)) for number in range(40)])
    data = written(made, EXPLICIT)
    data = data[: len(data) - cut]
    (tmp_path / "file").write_bytes(data)
    with (tmp_path / "file").open("rb") as stream:
        held, at, coding = begun(FileBytes(stream, len(data)))
        assert heads(Walk(held, at, len(held), coding)) == heads(Walk(data, at, len(data), coding))
        assert (held[3:99], held[-5:], held[9:3]) == (data[3:99], data[-5:], b"")
        with pytest.raises(struct.error):
            FileBytes(stream, len(data)).unpacker(struct.Struct("<HHI"))(None, len(data) - 7)
