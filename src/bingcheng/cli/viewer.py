"""``bingcheng viewer install`` and ``show``: the viewer brought, and found again."""

from __future__ import annotations

import os
import sys
from pathlib import Path

from bingcheng.cli.exits import NOTHING_FOUND, OK, print_json
from bingcheng.core.wording import text
from bingcheng.outputs.language import Language
from bingcheng.server.viewer import package
from bingcheng.server.viewer.installation import BUNDLED, Installation, default_folder, found, install


def run_install(file: Path | None, into: Path | None, language: Language, *, as_json: bool = False) -> int:
    """Bring the viewer, or take it from `file`, and make it ready; returns the exit code.

    Raises
    ------
    BingchengError
        what `install` raises.
    """
    folder = into or default_folder(Path.home(), os.environ)
    if file is None and not as_json:
        sys.stderr.write(f"{language.say(text('Bringing {package} …', package=package.full_name()))}\n")
    ready = install(folder, file)
    _tell(ready, language, as_json=as_json)
    return OK


def run_show(language: Language, *, as_json: bool = False) -> int:
    """Say which viewer `bingcheng serve` finds; returns the exit code."""
    ready = found([default_folder(Path.home(), os.environ), BUNDLED])
    if ready is None:
        if as_json:
            print_json(None)
        else:
            sys.stdout.write(f"{language.say(text('No viewer is installed: run `bingcheng viewer install`.'))}\n")
        return NOTHING_FOUND
    _tell(ready, language, as_json=as_json)
    return OK


def _tell(ready: Installation, language: Language, *, as_json: bool) -> None:
    if as_json:
        described = {"package": package.NAME, "version": ready.version, "folder": str(ready.folder)}
        print_json({**described, "files": len(ready.files), "size_bytes": ready.size_bytes})
        return
    said = text(
        "OHIF {version} is ready in {folder} ({size} MB).",
        version=ready.version,
        folder=str(ready.folder),
        size=f"{ready.size_bytes / 1e6:.1f}",
    )
    sys.stdout.write(f"{language.say(said)}\n")
