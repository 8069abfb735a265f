"""``bingcheng serve``: read the settings, set up logging, run the server."""

from __future__ import annotations

import logging
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from bingcheng.cli.exits import OK
from bingcheng.core.wording import Text
from bingcheng.outputs.language import Language
from bingcheng.server.run import Wishes, run
from bingcheng.server.security.refusal import Discreet
from bingcheng.server.settings import Settings, load_settings


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """What the person asked for; see the options of ``bingcheng serve``. None is left to file and environment."""

    workspace: Path | None = None
    database: str | None = None
    host: str | None = None
    port: int | None = None
    dicom_port: int | None = None
    settings: Path | None = None
    browser: bool = True
    new_password: str | None = None
    quiet: bool = False


def run_serve(request: Request, environment: Mapping[str, str], language: Language) -> int:
    """Serve until interrupted; returns the exit code."""
    settings = settings_of(request, environment)
    _log(request)

    def tell(sentence: Text) -> None:
        sys.stdout.write(f"{language.say(sentence)}\n")
        sys.stdout.flush()

    run(settings, tell, Wishes(browser=request.browser and sys.stdout.isatty(), new_password=request.new_password))
    return OK


def settings_of(request: Request, environment: Mapping[str, str]) -> Settings:
    """The settings that the options, the environment and the file make together."""
    given = {
        "workspace": request.workspace,
        "database": request.database,
        "host": request.host,
        "port": request.port,
        "dicom_port": request.dicom_port,
    }
    return load_settings(given, environment, request.settings)


def _log(request: Request) -> None:
    """One line a request on standard error, and faults; nothing of other libraries, which may repeat what was sent."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(Discreet("%(asctime)s %(levelname)s %(message)s"))
    ours = logging.getLogger("bingcheng")
    ours.addHandler(handler)
    ours.setLevel(logging.WARNING if request.quiet else logging.INFO)
    ours.propagate = False
