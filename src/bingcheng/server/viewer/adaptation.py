"""The viewer made fit for its place: what is left out of the package, and what is changed in the rest.

As published, the viewer expects to stand at the root of its own site, brings 136 MB of a network runtime that is
never used here, asks a public demonstration server for images, and has a service worker that loads a library from a
public host. Here it stands below `BASE`, is given its own page and settings, and calls nobody.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import PurePosixPath

from bingcheng.core.errors import InputError, Owner, Problem
from bingcheng.server.viewer import package

BASE = "/viewer/"
REVISION = 2
"""Raised when the adaptation changes, so that what an older one made is made anew."""
FILES = f"{BASE}{package.VERSION}-{REVISION}/"
"""Where the files stand; the address changes with their content, so that browsers may keep them."""

NOT_AS_EXPECTED = Problem(
    code="server.viewer-not-as-expected",
    says="the viewer's package is not built as expected: {part}",
    remedy="Report this with the version of the viewer; use the pinned version until it is mended.",
    owner=Owner.DEVELOPER,
)

LEFT_OUT_FOLDERS = frozenset({"ort", "dicom-microscopy-viewer", "customizations", "assets"})
"""Network runtime, whole-slide viewer, sample settings, icons for home screens."""
LEFT_OUT_FILES = frozenset(
    {
        "index.html",  # replaced by `page`
        "app-config.js",  # made for each person
        "manifest.json",
        "sw.js",  # load a library from a public host
        "init-service-worker.js",
        "google.js",
        "silent-refresh.html",  # people sign in to Bingcheng, not to the viewer
        "oidc-client.min.js",
        "es6-shim.min.js",  # for browsers without WebGL 2, which can't show the viewer
        "polyfill.min.js",
        "serve.json",
        "_headers",
        "_redirects",
    }
)
KEPT_KINDS = frozenset({".js", ".css", ".wasm", ".woff2", ".svg", ".txt"})
FIRST_PIECES = (
    *("6495", "8478", "89", "1673", "6938", "6489", "9383", "6749"),
    *("6214", "2779", "2623", "5696", "1483", "7499", "8492", "9290", "4683", "1180", "7248", "3833", "781", "9415"),
    *("3500", "9116", "100", "5406", "3760", "1206"),
)
"""Numbers of the pieces (chunks) that the viewer asks for before it shows the first image, the large ones first. By
itself it asks for them in five turns, each when the one before has been run; its page asks for them at once, while the
program is read. That they run as scripts of the page was tried: it costs more than it saves, because the browser then
reads all of them before it begins."""
PUBLIC_PATH = '__webpack_require__.p = "/"'
BOOT = "boot.js"
PAGE = "index.html"


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """The two files that the viewer's page starts with, and the pieces it needs first."""

    script: str
    style: str
    pieces: tuple[str, ...] = ()


def wanted(path: PurePosixPath) -> bool:
    """Whether a file of the package's ``dist`` folder is kept."""
    if path.parts[0] in LEFT_OUT_FOLDERS or path.name in LEFT_OUT_FILES or ".." in path.parts:
        return False
    return path.suffix in KEPT_KINDS


def adapted(path: PurePosixPath, content: bytes) -> bytes:
    """The file as it is served: scripts and styles look for the others below `FILES`."""
    if path.suffix == ".js":
        return content.replace(PUBLIC_PATH.encode(), f'__webpack_require__.p = "{FILES}"'.encode())
    if path.suffix == ".css":
        return content.replace(b"url(/", f"url({FILES}".encode())
    return content


def entry(published_page: bytes) -> Entry:
    """Which script and style the package's own page starts with.

    Raises
    ------
    InputError
        ``server.viewer-not-as-expected``.
    """
    words = published_page.decode("utf-8", "replace")
    script = re.search(r'src="/(app\.bundle\.[0-9a-f]+\.js)"', words)
    style = re.search(r'href="/(app\.bundle(?:\.[0-9a-f]+)?\.css)"', words)
    if script is None or style is None:
        raise InputError(NOT_AS_EXPECTED, part=PAGE)
    return Entry(script=script[1], style=style[1])


def first_pieces(names: Iterable[str]) -> tuple[str, ...]:
    """Those of the files that are needed before the first image, in the order of `FIRST_PIECES`; scripts and styles."""
    numbered: dict[str, list[str]] = {}
    for name in sorted(names, reverse=True):  # of one number the script before the style
        numbered.setdefault(name.partition(".")[0], []).append(name)
    return tuple(name for number in FIRST_PIECES for name in numbered.get(number, ()) if name.endswith((".js", ".css")))


def page(start: Entry) -> bytes:
    """The viewer's page: no script within it, so that the content security policy need not allow any."""
    pieces = "\n".join(
        f'<link rel="preload" as="{"style" if piece.endswith(".css") else "script"}" href="{FILES}{piece}">'
        for piece in start.pieces
    )
    return f"""<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="robots" content="noindex">
<title>Bingcheng</title>
<link rel="icon" href="data:,">
<link rel="stylesheet" href="{FILES}{start.style}">
<script src="{FILES}{BOOT}"></script>
<script src="{BASE}app-config.js"></script>
<script defer src="{FILES}{start.script}"></script>
{pieces}
</head>
<body>
<noscript>The viewer needs JavaScript.</noscript>
<div id="react-portal"></div>
<div id="root"></div>
</body>
</html>
""".encode()


def boot() -> bytes:
    """What the viewer's scripts expect to find when they start."""
    return f'window.PUBLIC_URL = "{BASE}";\nfunction browserImportFunction(path) {{ return import(path); }}\n'.encode()
