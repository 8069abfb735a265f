"""Whether two files hold the same object: what stands before a data set tells who wrote the file, not what it holds.

A data set comes with the sender's meta header by STOW-RS and with one of our own by C-STORE (PS3.10 7.1): the bytes of
the files differ, and the object is the same.
"""

from __future__ import annotations

from typing import BinaryIO

from bingcheng.archive.objects.header import MIB, start_of
from bingcheng.archive.objects.index import Arrival, Standing
from bingcheng.archive.objects.location import series_folder
from bingcheng.archive.objects.problems import NO_FILE
from bingcheng.archive.objects.storage import Storage
from bingcheng.core.errors import InputError, RemoteError


def is_held(storage: Storage, standing: Standing, arrival: Arrival, data: memoryview) -> bool:
    """Whether what is stored under the UID is the arrival: the same data set, byte for byte, in its transfer syntax.

    Parameters
    ----------
    data : the arrival's bytes.

    Raises
    ------
    RemoteError
        ``archive.storage-failed``.
    """
    if standing.sha256 == arrival.sha256:
        return True
    head = arrival.header
    if standing.transfer_syntax_uid != head.transfer_syntax_uid:
        return False
    try:
        with storage.open(key_of(standing, arrival)) as stream:
            return _same(stream, data)
    except RemoteError as error:
        if error.problem is NO_FILE:
            return False
        raise


def restored(storage: Storage, standing: Standing, arrival: Arrival, data: memoryview) -> bool:
    """Put the bytes of an object back that comes again, if its file was lost or cut; whether that was so.

    Who sends it again believes the answer, and may throw its own copy away.

    Parameters
    ----------
    data : the arrival's bytes.

    Raises
    ------
    RemoteError
        ``archive.disk-full``, ``archive.storage-failed``.
    """
    if standing.sha256 != arrival.sha256:
        return False  # the stored data set was read, and found the same
    key = key_of(standing, arrival)
    if storage.size(key) == len(data):
        return False
    storage.put(key, data)
    return True


def key_of(standing: Standing, arrival: Arrival) -> str:
    """Where what is stored lies: what is stored in another series has another data set, and is not found here."""
    head = arrival.header
    return f"{series_folder(arrival.space, head.study_uid, head.series_uid)}/{standing.file}"


def _same(stream: BinaryIO, data: memoryview) -> bool:
    try:
        there = start_of(memoryview(stream.read(MIB)))
    except InputError:
        return False  # a meta header as long as that
    here = start_of(data)
    stream.seek(there)
    while True:
        found = stream.read(MIB)
        if found != data[here : here + MIB]:
            return False
        if not found:
            return True
        here += len(found)
