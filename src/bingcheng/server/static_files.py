"""Style sheets, scripts and icons, those of the report too; a digest in their address lets browsers keep them."""

from __future__ import annotations

import hashlib
from functools import cache
from importlib.resources import files

from fastapi import APIRouter, HTTPException
from starlette.responses import Response

from bingcheng.server.security.required import public

KINDS = {".css": "text/css", ".js": "text/javascript", ".svg": "image/svg+xml"}

router = APIRouter()


@router.get(
    "/static/{digest}/{name}", dependencies=[public(why="style sheet, scripts and icon")], include_in_schema=False
)
def static_file(digest: str, name: str) -> Response:
    """One file; kept by the browser for as long as its address is asked for."""
    known = _files().get(name)
    if known is None:
        raise HTTPException(404)
    content, current = known
    kind = KINDS[name[name.rindex(".") :]]
    age = "public, max-age=31536000, immutable" if digest == current else "no-cache"
    return Response(content, media_type=kind, headers={"cache-control": age})


def static_path(name: str) -> str:
    """The address of one of our files.

    Raises
    ------
    KeyError
        there is no such file.
    """
    return f"/static/{_files()[name][1]}/{name}"


@cache
def _files() -> dict[str, tuple[bytes, str]]:
    found = {}
    for folder in (files("bingcheng.server") / "static", files("bingcheng.outputs.report") / "assets"):
        for file in folder.iterdir():
            if file.name.endswith(tuple(KINDS)):
                content = file.read_bytes()
                found[file.name] = (content, hashlib.sha256(content).hexdigest()[:12])
    return found
