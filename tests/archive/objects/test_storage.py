"""A folder of files: when `put` returns, bytes and name outlive a power cut."""

from __future__ import annotations

import os
import shutil
import subprocess
import threading
from pathlib import Path

import pytest

from bingcheng.archive.objects import storage as storage_module
from bingcheng.archive.objects.storage import Folder

KEY = "hospital-1/study/series/one.dcm"
BYTES = bytes(range(256)) * 1000


@pytest.fixture
def flushed(monkeypatch):
    """What is flushed to the disk: the names of files and folders at that moment, in their order."""
    real, told = os.fsync, []

    def fsync(file):
        told.append(Path(f"/proc/self/fd/{file}").readlink())
        real(file)

    monkeypatch.setattr(os, "fsync", fsync)
    return told


def opened(tmp_path, **how) -> Folder:
    return Folder(tmp_path / "objects", **how)


def relative(told, tmp_path):
    return [os.path.relpath(name, tmp_path / "objects") for name in told]


def test_a_file_is_flushed_under_its_final_name_alone_where_that_makes_the_name_durable(tmp_path, flushed):
    folder = opened(tmp_path, flush_folders=False)
    keys = [KEY, KEY.replace("one", "two")]
    for key in keys:
        folder.put(key, memoryview(BYTES))
    assert relative(flushed, tmp_path) == keys
    folder.close()


def test_elsewhere_its_folder_is_flushed_after_it(tmp_path, flushed):
    folder = opened(tmp_path, flush_folders=True)
    folder.put(KEY, memoryview(BYTES))
    flushed.clear()
    folder.put(KEY.replace("one", "two"), memoryview(BYTES))
    assert relative(flushed, tmp_path) == [KEY.replace("one", "two"), "hospital-1/study/series"]
    folder.close()


def test_elsewhere_folders_that_somebody_else_just_made_are_flushed_too(tmp_path, flushed):
    folder = opened(tmp_path, flush_folders=True)
    (tmp_path / "objects" / "hospital-1/study/series").mkdir(parents=True)
    folder.put(KEY, memoryview(BYTES))
    # Each new folder in the one above it, the topmost too, then the file.
    assert relative(flushed, tmp_path) == ["..", ".", "hospital-1", "hospital-1/study", KEY, "hospital-1/study/series"]
    folder.close()


@pytest.mark.parametrize("kind", ["ext4", "xfs", "btrfs", "overlay", "nfs4", None])
def test_the_file_system_decides_which(tmp_path, flushed, monkeypatch, kind):
    monkeypatch.setattr("bingcheng.archive.objects.file_system.kind_of", lambda _: kind)
    folder = opened(tmp_path)
    folder.put(KEY, memoryview(BYTES))
    flushed.clear()
    folder.put(KEY.replace("one", "two"), memoryview(BYTES))
    assert len(flushed) == (1 if kind in ("ext4", "xfs", "btrfs") else 2)
    folder.close()


def test_a_file_that_can_not_be_flushed_is_not_left_under_its_name(tmp_path, monkeypatch):
    folder = opened(tmp_path)
    folder.put(KEY, memoryview(BYTES))
    monkeypatch.setattr(storage_module.os, "fsync", lambda _: (_ for _ in ()).throw(OSError(5, "broken")))
    with pytest.raises(Exception, match="storage-failed"):
        folder.put(KEY.replace("one", "two"), memoryview(BYTES))
    monkeypatch.undo()
    assert list(folder.keys()) == [KEY]
    folder.close()


@pytest.fixture
def disk(tmp_path):
    """Mounts an empty ext4 that lies in a file, and copies of it."""
    if os.geteuid() != 0 or not all(map(shutil.which, ("mkfs.ext4", "mount", "losetup"))):
        pytest.skip("only the superuser can mount a file system")
    mounted = []

    def mount(image):
        at = tmp_path / f"at-{len(mounted)}"
        at.mkdir()
        done = subprocess.run(["mount", "-o", "loop", image, at], capture_output=True, check=False)
        if done.returncode:
            pytest.skip("no file system may be mounted here")
        mounted.append(at)
        return at

    image = tmp_path / "image"
    with image.open("wb") as file:
        file.truncate(48 << 20)
    subprocess.run(["mkfs.ext4", "-q", "-F", image], check=True, capture_output=True)
    yield image, mount
    for at in mounted:
        subprocess.run(["umount", "--lazy", at], check=True)


def test_when_put_returns_a_copy_of_what_the_disk_holds_has_the_file(disk, tmp_path):
    image, mount = disk
    at = mount(image)
    folder = Folder(at / "objects")
    assert not folder._flush_folders
    # Three series in two studies: the folders are new, too, and some are made by two at once.
    keys = [f"hospital-1/study-{number // 6}/series-{number % 3}/{number}.dcm" for number in range(12)]
    senders = [threading.Thread(target=folder.put, args=(key, memoryview(BYTES))) for key in keys]
    for sender in senders:
        sender.start()
    for sender in senders:
        sender.join()
    keys.append("hospital-2/study/series/last.dcm")  # what is made for it, nothing that comes later flushes
    folder.put(keys[-1], memoryview(BYTES))
    unflushed = at / "objects" / f"{keys[0]}.never"
    unflushed.write_bytes(BYTES)  # the disk has nothing of it
    copy = tmp_path / "copy"
    shutil.copyfile(image, copy)
    after = Folder(mount(copy) / "objects")
    for key in keys:
        assert after.path(key).read_bytes() == BYTES
    assert not (after.root / f"{keys[0]}.never").exists()
    after.close()
    folder.close()


def test_the_disk_takes_the_bytes_already_while_their_key_is_made(tmp_path, flushed, monkeypatch):
    folder, begun = opened(tmp_path, flush_folders=False), []
    monkeypatch.setattr(os, "posix_fadvise", lambda file, *_: begun.append(os.fstat(file).st_size))

    def told():
        assert begun == [len(BYTES)]
        assert not flushed
        return KEY

    folder.put(told, memoryview(BYTES))
    assert folder.path(KEY).read_bytes() == BYTES
    folder.close()


def test_nothing_is_left_of_bytes_whose_key_can_not_be_told(tmp_path):
    folder = opened(tmp_path)
    before = sorted(folder.root.rglob("*"))
    with pytest.raises(ZeroDivisionError):
        folder.put(lambda: str(1 // 0), memoryview(BYTES))
    assert sorted(folder.root.rglob("*")) == before
    folder.close()
