"""How long a radiologist waits for the first image in the viewer: 300 slices, a real browser, loopback."""

from __future__ import annotations

import os
import shutil
import statistics
import time
from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from urllib.parse import urlsplit

import numpy as np
from sqlalchemy import select

from benchmarks.browser import Page, chromium
from benchmarks.clock import Sample, Series
from benchmarks.exchange_objects import file_of, image, uid_of
from benchmarks.exchange_server import serving
from benchmarks.result import Ratio, Result
from benchmarks.settings import Settings
from bingcheng.archive.people.session import begin_session
from bingcheng.archive.people.tables import person
from bingcheng.archive.workspace import Workspace
from bingcheng.server.site import utc_now
from bingcheng.server.viewer.installation import BUNDLED, default_folder, found

LIMIT_S = 3.0
REPEATS = 5
LONGEST_S = 60.0
AT_ONCE = 25
COLD, WARM, LATER, SIGNED_IN = (
    "first time, in a browser that saw no page of ours",
    "second study (program kept, compiled when the first was seen)",
    "later studies",
    "first time, after signing in (program compiled on that page)",
)
LOOKED_AT_S = 3.0
"""How long a study is looked at before the next: meanwhile the browser compiles the program that it keeps."""
SIGNS_IN_S = 6.0
"""How long somebody takes to type a name and a password, and to come to the viewer's address."""
WATCH = """
(() => {
  const small = document.createElement("canvas");
  small.width = small.height = 24;
  const pen = small.getContext("2d", { willReadFrequently: true });
  const look = setInterval(() => {
    const shown = document.querySelector("canvas.cornerstone-canvas");
    if (!shown) return;
    pen.drawImage(shown, 0, 0, 24, 24);
    if (new Set(pen.getImageData(0, 0, 24, 24).data).size > 8) {
      window.firstImageAt = performance.now();
      clearInterval(look);
    }
  }, 20);
})();
"""
"""Notes in the page when the pane first shows more than a ground: what a person would see, whatever the viewer says."""
_STEPS: Mapping[str, str] = {
    "the viewer's program is here": "/app.bundle",
    "the study is asked for": "/dicomweb/studies?",
    "its headers are here": "/metadata",
    "the first frame is here": "/frames/",
}


def run(settings: Settings) -> Result:
    """Open the viewer on a CT of 300 slices: in a new browser, and again in the same one."""
    title = f"Viewer: first image of a CT of {settings.slices} slices of {settings.matrix} x {settings.matrix}"
    program = os.environ.get("BINGCHENG_CHROMIUM") or shutil.which("chromium") or shutil.which("google-chrome")
    if not program or found([default_folder(Path.home(), os.environ), BUNDLED]) is None:
        return Result(title=title, series=(), ratios=(), notes=("no Chromium, or the viewer is not installed",))
    folder = settings.scratch / "viewer"
    shutil.rmtree(folder, ignore_errors=True)
    samples: dict[str, list[Sample]] = {COLD: [], WARM: [], LATER: [], SIGNED_IN: []}
    steps: dict[str, dict[str, list[float]]] = {kind: {} for kind in samples}
    asked: Counter[str] = Counter()
    loads = []
    with serving(folder) as (root, headers, process):
        _fill(root, headers, settings)
        address, secret = root.removesuffix("/dicomweb"), _signed_in(folder)
        for _ in range(max(REPEATS, settings.repeats)):
            loads.append(os.getloadavg()[0])
            for kinds in ((COLD, WARM, LATER), (SIGNED_IN,)):
                with chromium(program, settings.scratch) as browser:
                    for kind in kinds:
                        with browser.page(WATCH) as page:
                            if kind == SIGNED_IN:
                                page.open(f"{address}/login")
                                time.sleep(SIGNS_IN_S)
                            browser.cookie(address, "bingcheng", secret)
                            before = browser.page_cpu_s()
                            wall_s, reached, asked = _opened(page, address, uid_of("viewer"))
                            cpu_s = max(used - before.get(one, 0.0) for one, used in browser.page_cpu_s().items())
                            samples[kind].append(Sample(wall_s=wall_s, cpu_s=cpu_s, peak_bytes=_peak(process.pid)))
                            for name, at_s in reached.items():
                                steps[kind].setdefault(name, []).append(at_s)
                            time.sleep(LOOKED_AT_S)
    series = tuple(Series(name=name, samples=tuple(some)) for name, some in samples.items())
    ratios = tuple(
        Ratio(what=f"{one.name}, wall", value=one.median("wall_s"), unit="s", at_most=LIMIT_S) for one in series
    )
    notes = [
        *(
            f"{' / '.join(f'{statistics.median(steps[kind][name]):.2f}' for kind in samples)} s  {name}"
            for name in steps[COLD]
            if all(name in steps[kind] for kind in samples)
        ),
        "CPU: of the page's own thread, until the first image; memory: of the server",
        f"requests until then: {', '.join(f'{count} {name}' for name, count in asked.most_common())}",
        f"load of the machine before each run: {', '.join(f'{one:.1f}' for one in loads)}",
    ]
    return Result(title=title, series=series, ratios=ratios, notes=tuple(notes))


def _fill(root: str, headers: Mapping[str, str], settings: Settings) -> None:
    """Store the slices as a scanner would send them."""
    import http.client  # noqa: PLC0415 - with its only user

    parts = urlsplit(root)
    connection = http.client.HTTPConnection(parts.netloc)
    noise = np.random.default_rng(1).normal(0, 20, (settings.matrix, settings.matrix))
    rows, columns = np.indices((settings.matrix, settings.matrix)) - settings.matrix / 2
    body = np.where(np.hypot(rows, columns * 1.3) < 0.4 * settings.matrix, 1064, 24)
    for first in range(0, settings.slices, AT_ONCE):
        files = [
            file_of(image("viewer", "ct", number, pixels=_slice(body, noise, number)))
            for number in range(first + 1, min(first + AT_ONCE, settings.slices) + 1)
        ]
        message = b"".join(b"--x\r\nContent-Type: application/dicom\r\n\r\n%b\r\n" % one for one in files)
        kind = 'multipart/related; type="application/dicom"; boundary=x'
        connection.request("POST", f"{parts.path}/studies", message + b"--x--\r\n", {**headers, "Content-Type": kind})
        answer = connection.getresponse()
        said = answer.read()
        if answer.status != 200:
            raise RuntimeError(f"{answer.status} {said[:300]!r}")
    connection.close()


def _slice(body: np.ndarray, noise: np.ndarray, number: int) -> np.ndarray:
    return np.clip(body + np.roll(noise, number, axis=0), 0, 4095).astype(np.uint16)


def _signed_in(folder: Path) -> str:
    """A session of the person who stored the slices, as a browser shows it."""
    workspace = Workspace.open(folder)
    try:
        with workspace.writing() as connection:
            someone = connection.scalars(select(person.c.id)).one()
            return begin_session(connection, someone, now=utc_now())
    finally:
        workspace.close()


def _opened(page: Page, address: str, study: str) -> tuple[float, dict[str, float], Counter[str]]:
    """Seconds until the first image; when each step was reached; what was asked for until then, by kind."""
    page.open(f"{address}/viewer/viewer?StudyInstanceUIDs={study}")
    end = time.monotonic() + LONGEST_S
    while not (shown_ms := page.value("window.firstImageAt || 0")):
        if time.monotonic() > end:
            raise RuntimeError("the viewer showed no image")
        time.sleep(0.1)
    entries = page.value(
        "performance.getEntriesByType('resource').map(e => [e.name, e.startTime, e.responseEnd, e.initiatorType])"
    )
    before = [one for one in entries if one[1] <= shown_ms]
    reached = {"the page is asked for": 0.0}
    for name, mark in _STEPS.items():
        times = [start if "asked" in name else done for url, start, done, _ in before if mark in url and done > 0]
        if times:
            reached[name] = min(times) / 1000
    reached["the image is seen"] = shown_ms / 1000
    return shown_ms / 1000, reached, Counter(_kind(url) for url, *_ in before)


def _kind(url: str) -> str:
    path = urlsplit(url).path
    if "/dicomweb/" not in path:
        return "files of the viewer"
    return (
        path.rpartition("/")[2]
        if "/thumbnail" in path or "/metadata" in path
        else ("frames" if "/frames/" in path else "searches")
    )


def _peak(pid: int) -> int:
    for line in Path(f"/proc/{pid}/status").read_text(encoding="ascii").splitlines():
        if line.startswith("VmHWM:"):
            return int(line.split()[1]) * 1024
    return 0
