"""The viewer made fit for its place: what is left out of the package, and what is changed in the rest.

As published, the viewer expects to stand at the root of its own site, brings 136 MB of a network runtime that is
never used here, asks a public demonstration server for images, and has a service worker that loads a library from a
public host. Here it stands below `BASE`, is given its own pages and settings, and calls nobody. It is also made ready
to start soon: see `MODES`, `FIRST_PIECES`, `boot`, `in_ascii` and `bundle`.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import PurePosixPath
from types import MappingProxyType

from bingcheng.core.errors import InputError, Owner, Problem
from bingcheng.server.viewer import package
from bingcheng.server.viewer.bundle import read_at_once, without_unmentioned

BASE = "/viewer/"
REVISION = 5
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
MODES: Mapping[str, str] = MappingProxyType(
    {
        "viewer": "@ohif/mode-longitudinal",
        "segmentation": "@ohif/mode-segmentation",
        "tmtv": "@ohif/mode-tmtv",
    }
)
"""The ways in which the viewer is opened here: the end of the address, and what the viewer calls the mode. By itself it
loads seven modes at each start, and waits for all of them; here it loads the one that the address names (see
``app-config.js``). What the mode needs it loads then, and nothing else."""
_ALL = ("6495", "8478", "89", "1673", "6938", "6489", "9383", "6749", "6214", "2623", "781")
FIRST_PIECES: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        "viewer": (*_ALL, "5696", "5406", "7248", "3760", "3833", "9415", "3500", "9116", "100", "1206"),
        "segmentation": (*_ALL, "1483", "7248", "3833", "9415", "3500", "9116", "100"),
        "tmtv": (*_ALL, "7499", "8492", "976"),
    }
)
"""Numbers of the pieces (chunks) that each mode asks for before it shows the first image, the large ones first. By
itself it asks for them in five turns, each when the one before has been run; its page asks for them at once, while the
program is read. That they run as scripts of the page was tried: it costs more than it saves, because the browser then
reads all of them before it begins. So was dividing the program among scripts that are read side by side: that took
no less time until the first image."""
PLUGINS = re.compile(rb'^pluginImports_(?:extensions|modes)\.push\("(@ohif/[a-z0-9-]+)"\);\n', re.MULTILINE)
"""The lines by which the viewer's program names what it loads at each start."""
ALWAYS_LOADED = frozenset({b"@ohif/extension-default", b"@ohif/extension-cornerstone"})
_BEYOND_ASCII = re.compile(r"(\\*)([^\x00-\x7f])")
PUBLIC_PATH = '__webpack_require__.p = "/"'
BOOT = "boot.js"
NARROW = "narrow.css"
KEEPER = "keeper.js"
KEPT_AS = "bingcheng-viewer-"
"""How the names begin under which a browser keeps the viewer's program."""
PAGE = "index.html"
"""The page of the package."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """The two files that the viewer's pages start with."""

    script: str
    style: str


def wanted(path: PurePosixPath) -> bool:
    """Whether a file of the package's ``dist`` folder is kept."""
    if path.parts[0] in LEFT_OUT_FOLDERS or path.name in LEFT_OUT_FILES or ".." in path.parts:
        return False
    return path.suffix in KEPT_KINDS


def adapted(path: PurePosixPath, content: bytes) -> bytes:
    """The file as it is served: scripts and styles look for the others below `FILES`."""
    if path.suffix == ".js":
        placed = content.replace(PUBLIC_PATH.encode(), f'__webpack_require__.p = "{FILES}"'.encode())
        return fit_script(PLUGINS.sub(lambda line: line[0] if line[1] in ALWAYS_LOADED else b"", placed))
    if path.suffix == ".css":
        return content.replace(b"url(/", f"url({FILES}".encode())
    return content


def fit_script(script: bytes) -> bytes:
    """A script that does the same and is quicker to read; one that is no text is left as it is."""
    try:
        words = script.decode("utf-8")
    except UnicodeDecodeError:
        return script
    return in_ascii(read_at_once(without_unmentioned(words))).encode("ascii")


def in_ascii(script: str) -> str:
    """A script that does the same, each character beyond ASCII written as an escape (ECMA-262 12.9.4).

    A browser's engine holds a script as one byte a character if it can, and as two if a single one does not fit: the
    few thousand of Arabic and Chinese double what it reads through, 15 MB of it before the viewer starts.
    """
    return _BEYOND_ASCII.sub(_escaped, script)


def _escaped(found: re.Match[str]) -> str:
    """The escape of a character and the backslashes before it; of an odd number the last one belongs to it."""
    before = found[1][: len(found[1]) // 2 * 2]
    units = found[2].encode("utf-16-be")
    return before + "".join(f"\\u{units[at]:02x}{units[at + 1]:02x}" for at in range(0, len(units), 2))


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


def first_pieces(mode: str, names: Iterable[str]) -> tuple[str, ...]:
    """Scripts and styles that a mode needs before the first image, of those there are, in `FIRST_PIECES`' order."""
    numbered: dict[str, list[str]] = {}
    for name in sorted(names, reverse=True):  # of one number the script before the style
        numbered.setdefault(name.partition(".")[0], []).append(name)
    wanted_here = (name for number in FIRST_PIECES[mode] for name in numbered.get(number, ()))
    return tuple(name for name in wanted_here if name.endswith((".js", ".css")))


def page_of(mode: str) -> str:
    """The file that is a mode's page."""
    return f"{mode}.html"


def page(start: Entry, pieces: Iterable[str]) -> bytes:
    """A page of the viewer: no script within it, so that the content security policy need not allow any.

    Parameters
    ----------
    pieces : what `first_pieces` names.
    """
    # The program is read first, and the pieces while it runs: by themselves browsers fetch a deferred script last.
    asked = "\n".join(
        f'<link rel="preload" as="{"style" if piece.endswith(".css") else "script"}" fetchpriority="low" '
        f'href="{FILES}{piece}">'
        for piece in pieces
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
<link rel="stylesheet" href="{FILES}{NARROW}">
<script src="{FILES}{BOOT}"></script>
<script src="{BASE}app-config.js"></script>
<script defer fetchpriority="high" src="{FILES}{start.script}"></script>
{asked}
</head>
<body>
<noscript>The viewer needs JavaScript.</noscript>
<div id="react-portal"></div>
<div id="root"></div>
</body>
</html>
""".encode()


def narrow() -> bytes:
    """For telephones: the tools of the header scroll, instead of lying over each other, and notices fit the screen."""
    return b"""@media (max-width: 699px) {
  div:has(> [data-cy="return-to-work-list"]) ~ div.left-1\\/2 {
    left: 40px; right: 40px; transform: none; translate: 0 -50%; overflow-x: auto; scrollbar-width: none;
  }
  div:has(> [data-cy="return-to-work-list"]) ~ div.left-1\\/2 > div { justify-content: flex-start; }
  div:has(> [data-cy="return-to-work-list"]) ~ div.right-0 > :not(:last-child) { display: none; }
  [data-sonner-toast] { width: calc(100vw - 32px) !important; right: auto !important; }
}
"""


def keeper(names: Iterable[str]) -> bytes:
    """A service worker that has the browser compile the program once, before it is needed, and keep that.

    By itself a browser keeps what it compiled from the second opening on, so that only the third is quick. What a
    service worker keeps when it is installed is compiled then (https://v8.dev/blog/code-caching-for-devs). It answers
    no request itself: the browser takes these files from what is kept, by a rule of the Service Worker Static Routing
    API. Where that is missing nothing is kept, and the viewer starts as it does without.

    Parameters
    ----------
    names : scripts that the modes need at their start; they hold no data.
    """
    kept = json.dumps([f"{FILES}{name}" for name in names if name.endswith(".js")], indent=1)
    return f""""use strict";
const BEGINS = "{KEPT_AS}";
const NAME = BEGINS + "{PurePosixPath(FILES).name}";
const KEPT = {kept};
self.addEventListener("install", (event) => {{
  if (!event.addRoutes) return;
  const route = {{ condition: {{ urlPattern: {{ pathname: "{FILES}*.js" }} }}, source: {{ cacheName: NAME }} }};
  event.addRoutes(route);
  event.waitUntil(caches.open(NAME).then((cache) => cache.addAll(KEPT)).then(() => self.skipWaiting()));
}});
self.addEventListener("activate", (event) => {{
  const older = (names) => names.filter((name) => name.startsWith(BEGINS) && name !== NAME);
  const left = caches.keys().then((names) => Promise.all(older(names).map((name) => caches.delete(name))));
  event.waitUntil(left.then(() => self.clients.claim()));
}});
""".encode()


def boot() -> bytes:
    """What the viewer's scripts expect to find when they start; and one drawing context for all that they look up.

    The program asks three times what the graphics processor can do, each time with a drawing context of its own, which
    takes a fifth of a second to make where there is no such processor. Here all three get one, made while the program
    is still being read. The context in which images are drawn is asked for with options: it is made as ever, and so are
    all after it.
    """
    return f"""window.PUBLIC_URL = "{BASE}";
function browserImportFunction(path) {{ return import(path); }}
(() => {{
  const kind = HTMLCanvasElement.prototype;
  const make = kind.getContext;
  const canvas = Object.assign(document.createElement("canvas"), {{ width: 4, height: 4 }});
  const asked = make.call(canvas, "webgl2");
  if (!asked) return;
  const lose = asked.getExtension("WEBGL_lose_context");
  const extension = asked.getExtension.bind(asked);
  asked.getExtension = (name) => (name === "WEBGL_lose_context" ? null : extension(name));
  kind.getContext = function (name, options) {{
    if (name === "webgl2" && !options) return asked;
    const made = make.apply(this, arguments);
    if (made && name === "webgl2") {{
      kind.getContext = make;
      if (lose) window.setTimeout(() => lose.loseContext(), 1000);
    }}
    return made;
  }};
}})();
""".encode()
