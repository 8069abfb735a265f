"""Objects in a bucket of an S3 service, with copies of what was read lately in a local folder."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, BinaryIO

from bingcheng.archive.objects.presence import Presence
from bingcheng.archive.objects.problems import NO_FILE, S3_EXTRA, STORAGE_FAILED, storage_failed
from bingcheng.archive.objects.storage import told
from bingcheng.archive.problems import DISK_FULL
from bingcheng.core.errors import InputError, RemoteError

PRESENT = ".present"
CACHE_BYTES = 20 << 30
KEPT_S = 600.0
"""A copy that was asked for within this time is not removed: somebody may be about to open it."""
MOST_REMOVED_AT_ONCE = 1000
CONNECT_S = 5.0
ANSWER_S = 20.0
ATTEMPTS = 3
"""Who sends an object waits for its answer, rarely longer than a minute: a service that hangs is told before that."""
_GONE = frozenset(("404", "NoSuchKey", "NotFound"))
_FULL = frozenset(
    ("InsufficientStorage", "XMinioStorageFull", "QuotaExceeded", "XMinioAdminBucketQuotaExceeded", "507")
)
"""What Ceph, MinIO and others of their kind say where Amazon has no limit."""


class S3:
    """A bucket as storage (see `bingcheng.archive.objects.storage.Storage`).

    An S3 service answers a PUT only when all of the object is durable, and never shows half of one: nothing has to be
    written under a name of its own first.

    Parameters
    ----------
    client : of boto3; see `connect`.
    cache : folder of local copies; one for each workspace and machine.
    cache_bytes : how much the copies may take; the longest unused ones are removed beyond it.
    """

    def __init__(
        self, client: Any, bucket: str, cache: Path, *, prefix: str = "", cache_bytes: int = CACHE_BYTES
    ) -> None:
        self._client = client
        self._bucket = bucket
        self._prefix = f"{prefix.strip('/')}/" if prefix.strip("/") else ""
        self._cache = cache
        self._cache_bytes = cache_bytes
        try:
            self._presence = Presence(cache / PRESENT)
        except OSError as error:
            raise storage_failed(error) from error
        self._cached = sum(file.stat().st_size for file in self._copies())
        self._numbers = iter(range(1 << 62))
        self._guard = threading.Lock()

    @staticmethod
    def connect(
        bucket: str,
        cache: Path,
        *,
        endpoint_url: str | None = None,
        region: str | None = None,
        key_id: str | None = None,
        secret: str | None = None,
        prefix: str = "",
        cache_bytes: int = CACHE_BYTES,
    ) -> S3:
        """A bucket that exists, at `endpoint_url` or at Amazon; without key, boto3 looks for one as it always does.

        Raises
        ------
        InputError
            ``archive.no-s3``.
        RemoteError
            ``archive.storage-failed``: the bucket can't be reached with this key.
        """
        try:
            import boto3  # type: ignore[import-untyped]  # noqa: PLC0415 - an extra
            from botocore.config import Config  # type: ignore[import-untyped]  # noqa: PLC0415
        except ImportError:
            raise InputError(S3_EXTRA) from None
        with _said_plainly():
            client = boto3.client(
                "s3",
                endpoint_url=endpoint_url,
                region_name=region,
                aws_access_key_id=key_id,
                aws_secret_access_key=secret,
                config=Config(
                    max_pool_connections=32,
                    connect_timeout=CONNECT_S,
                    read_timeout=ANSWER_S,
                    retries={"total_max_attempts": ATTEMPTS, "mode": "standard"},
                ),
            )
            client.head_bucket(Bucket=bucket)
        return S3(client, bucket, cache, prefix=prefix, cache_bytes=cache_bytes)

    def put(self, key: str | Callable[[], str], data: memoryview) -> None:  # noqa: D102 - see Storage
        with _said_plainly():
            self._client.put_object(Bucket=self._bucket, Key=self._prefix + told(key), Body=bytes(data))

    def open(self, key: str) -> BinaryIO:  # noqa: D102
        while True:
            try:
                return self.path(key).open("rb")
            except FileNotFoundError:
                continue  # another process made room just now

    def path(self, key: str) -> Path:  # noqa: D102
        copy = self._cache / key
        try:
            os.utime(copy)
        except FileNotFoundError:
            self._copy(key, copy)
        return copy

    def _copy(self, key: str, copy: Path) -> None:
        with self._guard:
            temporary = self._presence.own / str(next(self._numbers))
        try:
            with _said_plainly():
                self._client.download_file(self._bucket, self._prefix + key, str(temporary))
            size = temporary.stat().st_size
            copy.parent.mkdir(parents=True, exist_ok=True)
            temporary.rename(copy)
        except OSError as error:
            raise storage_failed(error) from error
        finally:
            temporary.unlink(missing_ok=True)
        with self._guard:
            self._cached += size
            if self._cached > self._cache_bytes:
                self._make_room()

    def _copies(self) -> list[Path]:
        files = self._cache.rglob("*.dcm")
        return [file for file in files if PRESENT not in file.parts]

    def _make_room(self) -> None:
        now = time.time()
        found = sorted(((stat.st_mtime, stat.st_size, file) for file, stat in self._stats()), key=lambda one: one[:2])
        self._cached = sum(size for _, size, _ in found)
        for used, size, file in found:
            if self._cached <= self._cache_bytes * 0.9 or now - used < KEPT_S:
                return
            file.unlink(missing_ok=True)
            self._cached -= size

    def _stats(self) -> Iterator[tuple[Path, os.stat_result]]:
        for file in self._copies():
            try:
                yield file, file.stat()
            except FileNotFoundError:
                continue

    def size(self, key: str) -> int | None:  # noqa: D102
        try:
            with _said_plainly():
                return int(self._client.head_object(Bucket=self._bucket, Key=self._prefix + key)["ContentLength"])
        except RemoteError as error:
            if error.problem is NO_FILE:
                return None
            raise

    def remove(self, keys: Iterable[str]) -> None:  # noqa: D102
        waiting = list(keys)
        for start in range(0, len(waiting), MOST_REMOVED_AT_ONCE):
            some = waiting[start : start + MOST_REMOVED_AT_ONCE]
            with _said_plainly():
                objects = [{"Key": self._prefix + key} for key in some]
                answer = self._client.delete_objects(Bucket=self._bucket, Delete={"Objects": objects, "Quiet": True})
            if answer.get("Errors"):
                raise RemoteError(STORAGE_FAILED, error=str(answer["Errors"][0].get("Code", "")))
            for key in some:
                (self._cache / key).unlink(missing_ok=True)

    def keys(self, prefix: str = "") -> Iterator[str]:  # noqa: D102
        below = self._prefix + (f"{prefix}/" if prefix else "")
        with _said_plainly():
            for page in self._client.get_paginator("list_objects_v2").paginate(Bucket=self._bucket, Prefix=below):
                for found in page.get("Contents", ()):
                    yield str(found["Key"]).removeprefix(self._prefix)

    def folder(self, prefix: str) -> Path:  # noqa: D102
        keys = list(self.keys(prefix))
        if not keys:
            raise RemoteError(NO_FILE)
        folder, wanted = self._cache / prefix, {self._cache / key for key in keys}
        for key in keys:
            self.path(key)
        for copy in folder.rglob("*.dcm"):
            if copy not in wanted:
                copy.unlink(missing_ok=True)  # removed by another machine, which can't reach this copy
        return folder

    def left(self) -> list[Path]:  # noqa: D102
        return self._presence.left()

    def close(self) -> None:  # noqa: D102
        self._presence.close()
        self._client.close()


@contextmanager
def _said_plainly() -> Iterator[None]:
    from botocore.exceptions import BotoCoreError, ClientError  # type: ignore[import-untyped]  # noqa: PLC0415 - an extra

    try:
        yield
    except ClientError as error:
        code = str(error.response.get("Error", {}).get("Code", ""))
        if code in _GONE and error.operation_name != "HeadBucket":
            raise RemoteError(NO_FILE) from None
        if code in _FULL:
            raise RemoteError(DISK_FULL) from error
        # The code alone: the library's words may repeat the address and the key.
        raise RemoteError(STORAGE_FAILED, error=code) from error
    except BotoCoreError as error:
        raise RemoteError(STORAGE_FAILED, error=type(error).__name__) from error
