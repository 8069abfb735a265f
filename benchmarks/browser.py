"""Chromium driven by its pipe (the DevTools protocol), and nothing in it watched.

Other drivers enable the protocol's ``Runtime`` domain. Each line that a page then writes to the console costs a whole
stack trace, for which the engine reads large functions once more: a second of the viewer's start that no person waits
for. Here a page is opened and asked for values, no more.
"""

from __future__ import annotations

import json
import os
import subprocess
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

FLAGS = (
    *("--headless=new", "--no-sandbox", "--enable-unsafe-swiftshader", "--disable-quic", "--no-first-run"),
    *("--disable-background-networking", "--disable-component-update", "--disable-sync", "--mute-audio"),
    *("--window-size=1440,900", "--remote-debugging-pipe"),
)
PATIENCE_S = 120.0
_TICKS = os.sysconf("SC_CLK_TCK")


class Chromium:
    """A browser with one profile; pages are opened one after the other."""

    def __init__(self, process: subprocess.Popen[bytes], to: int, of: int) -> None:
        self._process = process
        self._to, self._of = to, of
        self._number = 0
        self._left = b""

    def ask(self, method: str, session: str | None = None, **parameters: Any) -> dict[str, Any]:
        """What the browser answers to one command."""
        self._number += 1
        told: dict[str, Any] = {"id": self._number, "method": method, "params": parameters}
        if session is not None:
            told["sessionId"] = session
        os.write(self._to, json.dumps(told).encode() + b"\0")
        end = time.monotonic() + PATIENCE_S
        while time.monotonic() < end:
            said = self._message()
            if said.get("id") == self._number:
                if "error" in said:
                    raise RuntimeError(f"{method}: {said['error'].get('message')}")
                found: dict[str, Any] = said["result"]
                return found
        raise RuntimeError(f"{method}: no answer")

    def _message(self) -> dict[str, Any]:
        while b"\0" not in self._left:
            piece = os.read(self._of, 1 << 16)
            if not piece:
                raise RuntimeError("the browser ended")
            self._left += piece
        one, _, self._left = self._left.partition(b"\0")
        message: dict[str, Any] = json.loads(one)
        return message

    def cookie(self, address: str, name: str, value: str) -> None:
        """Let the browser send a cookie with what it asks of an address."""
        self.ask("Storage.setCookies", cookies=[{"name": name, "value": value, "url": address}])

    @contextmanager
    def page(self, script: str) -> Iterator[Page]:
        """An empty page, closed when the context is left.

        Parameters
        ----------
        script : runs in it before any script of its own.
        """
        target = self.ask("Target.createTarget", url="about:blank")["targetId"]
        session = self.ask("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
        self.ask("Page.enable", session)
        self.ask("Page.addScriptToEvaluateOnNewDocument", session, source=script)
        yield Page(self, session)
        self.ask("Target.closeTarget", targetId=target)

    def page_cpu_s(self) -> dict[int, float]:
        """Processor time of the thread that runs a page's scripts, by process; pages of one site may share one."""
        pages = [one for one in _family(self._process.pid) if b"--type=renderer" in _read(f"/proc/{one}/cmdline")]
        return {one: _thread_cpu_s(one) for one in pages}


class Page:
    """One page."""

    def __init__(self, browser: Chromium, session: str) -> None:
        self.browser, self._session = browser, session

    def open(self, address: str) -> None:
        """Go there; returns as soon as it answers."""
        self.browser.ask("Page.navigate", self._session, url=address)

    def value(self, expression: str) -> Any:
        """What an expression gives, as JSON would."""
        said = self.browser.ask("Runtime.evaluate", self._session, expression=expression, returnByValue=True)
        return said["result"].get("value")


@contextmanager
def chromium(program: str, scratch: Path) -> Iterator[Chromium]:
    """A browser that was never used before, its profile on the disk as a person's is; gone when the context is left."""
    scratch.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=scratch, ignore_cleanup_errors=True) as profile:
        reads, tells = os.pipe()
        hears, says = os.pipe()
        process = _started((program, *FLAGS, f"--user-data-dir={profile}", "about:blank"), reads, says)
        os.close(reads)
        os.close(says)
        browser = Chromium(process, tells, hears)
        try:
            yield browser
            browser.ask("Browser.close")
        finally:
            os.close(tells)
            os.close(hears)
            try:
                process.wait(10)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()


def _started(command: Sequence[str], reads: int, says: int) -> subprocess.Popen[bytes]:
    """The browser, which hears commands as its descriptor 3 and answers as 4."""
    words = 'exec 3<&"$1" 4>&"$2"; shift 2; exec "$@"'
    return subprocess.Popen(
        ["/bin/sh", "-c", words, "sh", str(reads), str(says), *command],
        pass_fds=(reads, says),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )


def _thread_cpu_s(pid: int) -> float:
    """Processor time of a process's first thread."""
    fields = _read(f"/proc/{pid}/task/{pid}/stat").rpartition(b") ")[2].split()
    return (int(fields[11]) + int(fields[12])) / _TICKS if fields else 0.0


def _read(path: str) -> bytes:
    try:
        return Path(path).read_bytes()
    except OSError:
        return b""  # the process ended meanwhile


def _family(pid: int) -> Iterator[int]:
    """A process and all below it."""
    yield pid
    for task in Path(f"/proc/{pid}/task").glob("*"):
        for child in _read(f"{task}/children").split():
            yield from _family(int(child))
