"""What a folder lies on is told from the table of mounts."""

from __future__ import annotations

import pytest

from bingcheng.archive.objects.file_system import flushes_names, kind_of

TABLE = """\
22 27 0:21 / /proc rw,relatime - proc proc rw
27 1 254:0 / / rw,relatime - ext4 /dev/vda rw,discard
31 27 254:1 / {data} rw,relatime shared:7 master:1 - xfs /dev/vdb rw
32 31 0:40 / {data}/a\\040folder rw - nfs4 server:/x rw
33 31 0:41 / {data}/twice rw - btrfs /dev/vdc rw
34 33 0:42 / {data}/twice rw - overlay overlay rw
nonsense
"""


@pytest.fixture
def data(tmp_path):
    for name in ("inside/deep", "a folder/deep", "twice", "beside"):
        (tmp_path / "data" / name).mkdir(parents=True)
    (tmp_path / "dataset").mkdir()
    (tmp_path / "link").symlink_to(tmp_path / "data" / "inside")
    (tmp_path / "mounts").write_text(TABLE.format(data=tmp_path / "data"))
    return tmp_path


@pytest.mark.parametrize(
    ("folder", "kind"),
    [
        ("data", "xfs"),
        ("data/inside/deep", "xfs"),
        ("link/deep", "xfs"),
        ("data/a folder/deep", "nfs4"),
        ("data/twice", "overlay"),
        ("dataset", "ext4"),
    ],
)
def test_the_longest_mount_point_above_a_folder_decides_and_the_latest_of_one_place(data, folder, kind):
    assert kind_of(data / folder, data / "mounts") == kind


def test_without_a_table_of_mounts_nothing_is_known(tmp_path):
    assert kind_of(tmp_path, tmp_path / "none") is None
    (tmp_path / "empty").write_text("")
    assert kind_of(tmp_path, tmp_path / "empty") is None


def test_a_file_system_in_memory_is_not_trusted_with_names(small_disk):
    assert kind_of(small_disk) == "tmpfs"
    assert not flushes_names(small_disk)
