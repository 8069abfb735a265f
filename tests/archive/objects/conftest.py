"""Stores of received objects, on a file and on a real PostgreSQL server."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import tempfile
from pathlib import Path
from uuid import uuid4

import pytest
from sqlalchemy import create_engine, text

from bingcheng.archive.objects.objects import Objects
from bingcheng.archive.objects.received import Origin
from bingcheng.archive.workspace import Workspace

SPACE = "hospital/1"
FROM = Origin(kind="stow", peer="tester")


@pytest.fixture(scope="session")
def postgresql():
    """A real PostgreSQL server; its address without a database."""
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"))
    programs = found[-1].parent if found else shutil.which("initdb") and Path(shutil.which("initdb")).parent
    if not programs:
        pytest.skip("no PostgreSQL server is installed (Debian: postgresql)")
    pytest.importorskip("psycopg")
    root = os.geteuid() == 0
    if root and not (
        shutil.which("runuser") and subprocess.run(["id", "postgres"], check=False, capture_output=True).returncode == 0
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
    settings = f"-p {port} -c listen_addresses=127.0.0.1 -c unix_socket_directories={folder} -c fsync=off"
    call(programs / "pg_ctl", "-D", data, "-w", "-l", log, "-o", settings, "start")
    yield f"postgresql+psycopg://bingcheng@127.0.0.1:{port}"
    call(programs / "pg_ctl", "-D", data, "-m", "immediate", "stop")
    shutil.rmtree(folder)


def empty_database(request) -> str | None:
    """None for a file; for a server, the address of a database that nobody has used."""
    if request.param == "sqlite":
        return None
    server = request.getfixturevalue("postgresql")
    name = f"objects_{uuid4().hex}"
    engine = create_engine(f"{server}/postgres", isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        connection.execute(text(f"CREATE DATABASE {name}"))
    engine.dispose()
    return f"{server}/{name}"


@pytest.fixture(params=["sqlite", "postgresql"])
def database_url(request):
    """On either database."""
    return empty_database(request)


@pytest.fixture
def anywhere(tmp_path, database_url):
    """A store on either database."""
    workspace = Workspace.open(tmp_path / "workspace", database_url)
    objects = Objects.open(workspace)
    yield objects
    objects.close()
    workspace.close()


@pytest.fixture
def objects(tmp_path):
    """A store in a folder with a database file."""
    workspace = Workspace.open(tmp_path / "workspace")
    opened = Objects.open(workspace)
    yield opened
    opened.close()
    workspace.close()


@pytest.fixture
def small_disk(tmp_path):
    """A file system of one MiB."""
    if os.geteuid() != 0 or shutil.which("mount") is None:
        pytest.skip("only the superuser can mount a small file system")
    folder = tmp_path / "disk"
    folder.mkdir()
    made = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", folder], capture_output=True, check=False)
    if made.returncode:
        pytest.skip("no file system may be mounted here")
    yield folder
    subprocess.run(["umount", "--lazy", folder], check=True)


def files_of(objects: Objects) -> list[Path]:
    """All files of objects, wherever they lie below the store's folder."""
    root = objects.workspace.folder / "objects"
    return sorted(path for path in root.rglob("*.dcm") if path.is_file())
