"""The store of objects: receive a series by several threads, then serve it."""

from __future__ import annotations

import sys
import tempfile
import threading
import time
from collections.abc import Callable
from pathlib import Path

from sent_slices import STUDY, slices
from stopwatch import peak_bytes, timed

from bingcheng.archive.dicomweb.frames import stored_frame
from bingcheng.archive.dicomweb.pixel_map import pixel_map
from bingcheng.archive.objects.instance import Instance
from bingcheng.archive.objects.objects import Objects
from bingcheng.archive.objects.received import Origin
from bingcheng.archive.workspace import Workspace

SPACE, MIB = "hospital/1", 1 << 20


def main(scratch: str, count: int, matrix: int, threads: int) -> None:
    """Receive, and say how long it took and what serving takes."""
    sent = slices(count, matrix)
    held_mib = sum(map(len, sent)) / MIB
    with tempfile.TemporaryDirectory(dir=scratch) as folder:
        workspace = Workspace.open(Path(folder))
        objects = Objects.open(workspace)
        timed(lambda: _facts(objects, sent, threads, held_mib))
        objects.close()
        workspace.close()


def _facts(objects: Objects, sent: list[bytes], threads: int, held_mib: float) -> dict[str, float]:
    cpu_s = time.process_time()
    receive_ms = _ms(lambda: _receive(objects, sent, threads))
    cpu_s = time.process_time() - cpu_s
    stored = objects.statistics([SPACE])[0].instances
    # What the sender holds in this process is not the store's.
    peak_mib = peak_bytes() / MIB - held_mib
    return {
        "files": stored,
        "receive_s": receive_ms / 1000,
        "receive_cpu_ms": 1000 * cpu_s / stored,
        "peak_mib": peak_mib,
        **_serve(objects),
    }


def _receive(objects: Objects, sent: list[bytes], threads: int) -> None:
    def work(turn: int) -> None:
        for data in sent[turn::threads]:
            objects.receive(data, space=SPACE, origin=Origin(kind="dimse", peer="BENCHMARK"))

    workers = [threading.Thread(target=work, args=(turn,)) for turn in range(threads)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()


def _serve(objects: Objects) -> dict[str, float]:
    instances = objects.instances_of([SPACE], STUDY)
    first_ms = _ms(lambda: list(objects.metadata(instances)))
    warm_ms = min(_ms(lambda: list(objects.metadata(objects.instances_of([SPACE], STUDY)))) for _ in range(5))
    frames_ms = min(_ms(lambda: [_frame(objects, one) for one in instances]) for _ in range(3))
    return {"first_metadata_ms": first_ms, "metadata_ms": warm_ms, "frame_ms": frames_ms / len(instances)}


def _frame(objects: Objects, instance: Instance) -> bytes:
    with objects.open_bytes(instance) as stream:
        return stored_frame(stream, pixel_map(stream), 0)


def _ms(work: Callable[[], object]) -> float:
    start_s = time.perf_counter()
    work()
    return (time.perf_counter() - start_s) * 1000


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]), int(sys.argv[3]), int(sys.argv[4]))
