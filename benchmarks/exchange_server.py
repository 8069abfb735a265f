"""A served workspace for tests and benchmarks: ``python -m benchmarks.exchange_server FOLDER``.

Says in one line of JSON where it listens and with which token of one hospital's people it may be used, then serves
until it is ended.
"""

from __future__ import annotations

import json
import socket
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from subprocess import PIPE, Popen
from typing import Any

import uvicorn

from bingcheng.archive.authorisation.role import Role
from bingcheng.archive.authorisation.scope import Scope
from bingcheng.archive.people.api_token import make_token
from bingcheng.archive.people.hospital import make_hospital
from bingcheng.archive.people.person import make_person
from bingcheng.core.collector import pass_by_what_is_loaded
from bingcheng.server.application import ROUTERS, application, open_site
from bingcheng.server.dicomweb.router import router
from bingcheng.server.memory import hold_little
from bingcheng.server.run import configured
from bingcheng.server.settings import Settings
from bingcheng.server.site import Site

KEPT = "token-of-a-test"
SCOPES = (Scope.DICOM_READ, Scope.DICOM_WRITE, Scope.DICOM_DELETE)


def main() -> None:
    folder = Path(sys.argv[1])
    settings = Settings(workspace=folder)
    hold_little()
    site = open_site(settings)
    site.owed.begin(site.workspace)
    listener = socket.socket()
    listener.bind(("127.0.0.1", 0))
    listener.listen(128)
    print(json.dumps({"port": listener.getsockname()[1], "token": _token(site, folder)}), flush=True)
    more = () if "bingcheng.server.dicomweb.router" in ROUTERS else (router,)
    served = application(settings, site=site, more=more)
    pass_by_what_is_loaded()
    uvicorn.Server(configured(served, settings)).run(sockets=[listener])


def _token(site: Site, folder: Path) -> str:
    file = folder / KEPT
    if not file.exists():
        with site.workspace.writing() as connection:
            hospital = make_hospital(connection, name="North", code="N", now=site.now(), spellings=["North"])
            person = make_person(
                connection,
                login="sender",
                name="Sender",
                hospital=hospital,
                roles=[Role.RADIOLOGIST, Role.SITE_ADMIN],
                now=site.now(),
                password_hash=None,
            )
            token = make_token(connection, person, label="test", scopes=SCOPES, days=1, now=site.now())
        file.write_text(token, encoding="utf-8")
    return file.read_text(encoding="utf-8")


@contextmanager
def serving(folder: Path) -> Iterator[tuple[str, dict[str, str], Popen[bytes]]]:
    """Address of DICOMweb, headers that are let in, and the process; ended when the context is left."""
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / "server.log").open("ab") as log:
        process = Popen([sys.executable, "-m", "benchmarks.exchange_server", str(folder)], stdout=PIPE, stderr=log)
    try:
        assert process.stdout is not None
        said: dict[str, Any] = json.loads(process.stdout.readline() or b"{}")
        if not said:
            raise RuntimeError((folder / "server.log").read_text(encoding="utf-8")[-2000:])
        yield (
            f"http://127.0.0.1:{said['port']}/dicomweb",
            {"Authorization": f"Bearer {said['token']}"},
            process,
        )
    finally:
        process.kill()
        process.wait()
        if process.stdout is not None:
            process.stdout.close()


if __name__ == "__main__":
    main()
