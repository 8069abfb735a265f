"""One installation as a process of its own: ``python serving_one.py folder port certificate key piece``."""

from __future__ import annotations

import json
import logging
import sys
import warnings
from pathlib import Path

from bingcheng.core.collector import loading

with loading():
    import uvicorn
    from sqlalchemy import Connection
    from tests.archive.pairing.making import Room

    from bingcheng.server.application import application, open_site
    from bingcheng.server.pairing import carrying, courier
    from bingcheng.server.settings import Settings

warnings.simplefilter("ignore")


class KeptRoom(Room):
    """A room of cases whose imports survive its process: they stand in a file of the workspace."""

    def __init__(self, folder: Path) -> None:
        super().__init__()
        self._folder = folder

    @property
    def file(self) -> Path:
        return self._folder / "cases.json"

    def _kept(self) -> dict:
        return json.loads(self.file.read_text()) if self.file.exists() else {"known": {}, "shown": [], "finished": 0}

    def _keep(self, said: dict) -> None:
        draft = self.file.with_suffix(".new")
        draft.write_text(json.dumps(said))
        draft.replace(self.file)

    def is_published(self, connection: Connection, case: int) -> bool:
        return case not in self._kept().get("withdrawn", ())

    def begin_import(self, connection: Connection, content, origin, now) -> int:
        said = self._kept()
        number = said["known"].setdefault(origin.case, 701 + len(said["known"]))
        self._keep(said)
        return number

    def finish_import(self, connection: Connection, case, content, now) -> None:
        said = self._kept()
        said["key_images"] = [one.model_dump() for one in content.key_images]
        said["finished"] += 1
        said["shown"].append(case)
        self._keep(said)

    def withdraw_import(self, connection: Connection, case, now) -> None:
        said = self._kept()
        said["shown"] = [one for one in said["shown"] if one != case]
        self._keep(said)


def main() -> None:
    folder, port, certificate, key, piece = sys.argv[1:]
    logging.basicConfig(level=logging.INFO, stream=sys.stdout, format="%(message)s")
    logging.getLogger("httpx").setLevel(logging.WARNING)
    carrying.PIECE = int(piece)
    settings = Settings(
        workspace=Path(folder),
        port=int(port),
        public_url=f"https://127.0.0.1:{port}",
        tls_certificate=Path(certificate),
        tls_key=Path(key),
    )
    with loading():
        where = open_site(settings)
        made = application(settings, site=where)
    made.state.case_room = room = KeptRoom(Path(folder))
    made.state.courier = running = courier.Courier(where, room, look_every_s=0.1)
    running.start()
    uvicorn.run(made, host="127.0.0.1", port=int(port), ssl_certfile=certificate, ssl_keyfile=key, log_config=None)


if __name__ == "__main__":
    main()
