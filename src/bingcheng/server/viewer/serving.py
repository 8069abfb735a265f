"""The routes below ``/viewer``: the viewer's page, its settings for the person who asks, its files."""

from __future__ import annotations

import gzip
import os
from collections.abc import Sequence
from pathlib import Path, PurePosixPath
from typing import Annotated
from urllib.parse import urlencode

from fastapi import APIRouter, Depends, HTTPException, Request
from starlette.responses import RedirectResponse, Response

from bingcheng.archive.authorisation.action import Action
from bingcheng.archive.authorisation.actor import Actor
from bingcheng.core.errors import InputError
from bingcheng.core.wording import text
from bingcheng.server.dicomweb.bodies import takes_gzip
from bingcheng.server.pages.page import language_of, page
from bingcheng.server.security.refusal import refusal
from bingcheng.server.security.required import allowed, public
from bingcheng.server.site import Site, site
from bingcheng.server.viewer import adaptation
from bingcheng.server.viewer.access import CLOSED, open_to
from bingcheng.server.viewer.configuration import app_config
from bingcheng.server.viewer.installation import BUNDLED, Installation, ServedFile, default_folder, found
from bingcheng.server.viewer.policy import POLICY

KINDS = {
    ".js": "text/javascript",
    ".css": "text/css",
    ".wasm": "application/wasm",
    ".woff2": "font/woff2",
    ".svg": "image/svg+xml",
    ".txt": "text/plain",
    ".html": "text/html",
}
BACK = text("← Bingcheng · for research use")
NOT_KEPT = text("It could not be saved. What you drew is still here: save it again, or download it.")
NOT_SHOWN = text("An image can't be shown")
WHY_NOT_SHOWN = text("It is damaged, was deleted, or you may not see it any more. The other images are shown.")
STUDIES = "StudyInstanceUIDs"
"""The word of the address that names studies."""
KEPT = "public, max-age=31536000, immutable"


router = APIRouter(include_in_schema=False)


def installation(request: Request, where: Annotated[Site, Depends(site)]) -> Installation | None:
    """The installed viewer. Where there is none it is looked for again each time: it may be brought while we serve."""
    held: Installation | None = getattr(request.app.state, "viewer", None)
    if held is None:
        held = request.app.state.viewer = found(_folders(where))
    return held


def _folders(where: Site) -> Sequence[Path]:
    chosen: Path | None = getattr(where.settings, "viewer", None)
    return [chosen] if chosen is not None else [default_folder(Path.home(), os.environ), BUNDLED]


Installed = Annotated[Installation | None, Depends(installation)]


@router.get("/viewer", dependencies=[allowed(Action.READ_EXAM, Action.READ_CASE, emergency=True)])
def worklist() -> Response:
    """The viewer has no list of its own: people come from Bingcheng's."""
    return RedirectResponse("/", 303)


@router.get("/viewer/app-config.js", dependencies=[public(why="where images are, in the reader's language; no data")])
def settings(request: Request) -> Response:
    """The viewer's settings."""
    language = language_of(request)
    script = app_config(
        language.code,
        back=language.say(BACK),
        not_kept=language.say(NOT_KEPT),
        not_shown=(language.say(NOT_SHOWN), language.say(WHY_NOT_SHOWN)),
    )
    return Response(script, media_type="text/javascript", headers={"cache-control": "private, no-cache"})


@router.get("/viewer/keeper.js", dependencies=[public(why="has a browser keep the viewer's program; no data")])
def keeper(request: Request, ready: Installed) -> Response:
    """The service worker; its address makes it one for all below ``/viewer/``, and for nothing else."""
    if ready is None:  # pages ask for it without knowing whether there is a viewer
        return Response("// nothing to keep\n", media_type=KINDS[".js"], headers={"cache-control": "no-cache"})
    return _file(request, ready.files[adaptation.KEEPER], age="no-cache")


Reader = Annotated[Actor, allowed(Action.READ_EXAM, Action.READ_CASE, emergency=True)]


@router.get("/viewer/viewer")
@router.get("/viewer/segmentation")
@router.get("/viewer/tmtv")
def viewer(request: Request, actor: Reader, where: Annotated[Site, Depends(site)], ready: Installed) -> Response:
    """The viewer's page, where the studies that the address names may be seen; of several, for those that may.

    Where the viewer isn't installed, a page that says how to get it, and leads to the quick look.
    """
    asked = _studies(request)
    if ready is None:
        return page(request, "viewer_absent.html.jinja", study=next(iter(asked), ""))
    seen = open_to(where, actor, asked)
    if not asked:
        return worklist()
    if not seen:
        return refusal(request, InputError(CLOSED), 404)
    if seen != asked:
        others = [one for one in request.query_params.multi_items() if one[0].lower() != STUDIES.lower()]
        return RedirectResponse(f"{request.url.path}?{urlencode([(STUDIES, ','.join(seen)), *others], safe=',')}", 303)
    mode = PurePosixPath(request.url.path).name
    answer = _file(request, ready.files[adaptation.page_of(mode)], age="no-cache")
    answer.headers["content-security-policy"] = POLICY
    return answer


def _studies(request: Request) -> list[str]:
    """The studies that the address names, in order, each once; the viewer takes the word in any case."""
    named = (words for name, words in request.query_params.multi_items() if name.lower() == STUDIES.lower())
    return list(dict.fromkeys(uid for words in named for uid in words.split(",") if uid))


@router.get("/viewer/{build}/{name}", dependencies=[public(why="the viewer's program, which anyone can download")])
def file(request: Request, build: str, name: str, ready: Installed) -> Response:
    """A file of the viewer."""
    known = None if ready is None or build != _build() else ready.files.get(name)
    if known is None:
        raise HTTPException(404)
    answer = _file(request, known, age=KEPT)
    if known.name.endswith(".js"):
        answer.headers["content-security-policy"] = POLICY  # of the workers that are made of it
    return answer


def _build() -> str:
    return PurePosixPath(adaptation.FILES).name


def _file(request: Request, wanted: ServedFile, *, age: str) -> Response:
    kind = KINDS[PurePosixPath(wanted.name).suffix]
    headers = {"cache-control": age, "vary": "accept-encoding"}
    # Read at once: the largest is 3 MB, and each piece of a file that is streamed waits for a thread.
    content = wanted.path.read_bytes()
    if wanted.gzipped and takes_gzip(request):
        headers["content-encoding"] = "gzip"
    elif wanted.gzipped:
        content = gzip.decompress(content)
    return Response(content, media_type=kind, headers=headers)
