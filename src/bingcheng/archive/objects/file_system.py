"""The file system that a folder lies on, and whether flushing a file there makes its name durable too."""

from __future__ import annotations

import re
from pathlib import Path

MOUNTS = Path("/proc/self/mountinfo")
NAMES_WITH_FILES = frozenset(("ext4", "xfs", "btrfs"))
"""File systems that make a file's present name durable with the file itself.

POSIX and fsync(2) promise it of none, so that the folder must be flushed as well, which on ext4 commits the whole
journal a second time. These three keep the order of metadata: a rename stands in the journal no later than what
fsync writes of the renamed file, or is logged with it.

- ext4: fsync waits for the commit of the last transaction that changed the inode (``i_sync_tid``, fs/ext4/fsync.c),
  which a rename does. fdatasync waits for the last that changed its size or blocks, and may leave the rename out.
- XFS: fsync forces the log up to the inode's last change, which a rename is (fs/xfs/xfs_file.c).
- btrfs: a rename logs the new name for the next fsync of the file (``btrfs_log_new_name``, fs/btrfs/tree-log.c);
  RocksDB relies on the same (github.com/facebook/rocksdb/pull/8903).

The same holds for the folders that the file's folder was just made in, which is why none of them is flushed either:

- ext4 commits its transactions in their order, XFS its log: what made the folders is in the file's or in an earlier
  one;
- btrfs logs with the file those above it that are new in its transaction (``log_all_new_ancestors``).

Not here: F2FS (what it does depends on how it is mounted), network and layered file systems.
"""
_ESCAPED = re.compile(r"\\([0-7]{3})")


def flushes_names(folder: Path) -> bool:
    """Whether fsync of a file that was renamed into `folder` makes the new name durable; False if that is not known."""
    return kind_of(folder) in NAMES_WITH_FILES


def kind_of(folder: Path, mounts: Path = MOUNTS) -> str | None:
    """The type of the file system that holds a folder, as Linux names it; None if nothing tells.

    Parameters
    ----------
    mounts : the table of mounts, as proc_pid_mountinfo(5) describes it.
    """
    try:
        lines = mounts.read_text(encoding="utf-8", errors="surrogateescape").splitlines()
        here = folder.resolve()
    except OSError:
        return None
    found: tuple[int, str] | None = None
    for line in lines:
        place, _, described = line.partition(" - ")
        fields, kind = place.split(" "), described.split(" ")[0]
        if len(fields) < 5 or not kind:
            continue
        point = Path(_ESCAPED.sub(lambda code: chr(int(code[1], 8)), fields[4]))
        depth = len(point.parts)
        # Of two that are mounted at one place the later hides the earlier.
        if here.is_relative_to(point) and (found is None or depth >= found[0]):
            found = (depth, kind)
    return None if found is None else found[1]
