"""A package that is built like the viewer's, but holds nothing of it."""

from __future__ import annotations

import hashlib
import io
import tarfile
from base64 import b64encode
from pathlib import Path

import pytest

from bingcheng.server.viewer import package

PUBLISHED_PAGE = (
    b'<!doctype html><html><head><script>window.PUBLIC_URL="/"</script>'
    b'<script defer src="/app.bundle.00ff.js"></script><link href="/app.bundle.css" rel="stylesheet"></head></html>'
)
FILES = {
    "package/LICENSE": b"The MIT License",
    "package/package.json": b"{}",
    "package/dist/index.html": PUBLISHED_PAGE,
    "package/dist/app.bundle.00ff.js": (
        b"(() => {\nvar __webpack_modules__ = ({\n7(module) {\nmodule.exports = 7;\n\n},\n\n});\n// The module cache\n"
        b'__webpack_require__.p = "/"; start();\n'
        b'pluginImports_extensions.push("@ohif/extension-default");\n'
        b'pluginImports_modes.push("@ohif/mode-microscopy");\n' + b"x" * 5000
    ),
    "package/dist/app.bundle.css": b"@font-face { src: url(/a.woff2); }",
    "package/dist/89.bundle.aa.js": b"(self.chunks = self.chunks || []).push([[89]]);",
    "package/dist/7499.bundle.cc.js": b"(self.chunks = self.chunks || []).push([[7499]]);",
    "package/dist/12.bundle.bb.js.map": b"{}",
    "package/dist/decoder.wasm": b"\0asm" + bytes(200),
    "package/dist/a.woff2": b"wOF2" + bytes(range(64)),
    "package/dist/app-config.js": b"window.config = { wadoRoot: 'https://somewhere.example' };",
    "package/dist/sw.js": b"importScripts('https://somewhere.example/w.js');",
    "package/dist/ort/ort.js": b"network()",
    "package/dist/dicom-microscopy-viewer/m.js": b"slides()",
}


def packed(path: Path, files: dict[str, bytes]) -> Path:
    with tarfile.open(path, "w:gz") as archive:
        for name, content in files.items():
            member = tarfile.TarInfo(name)
            member.size = len(content)
            archive.addfile(member, io.BytesIO(content))
    return path


@pytest.fixture
def as_published(monkeypatch):
    """Lets a file count as the published package."""

    def give(path: Path) -> Path:
        digest = b64encode(hashlib.sha512(path.read_bytes()).digest()).decode()
        monkeypatch.setattr(package, "INTEGRITY", f"sha512-{digest}")
        return path

    return give


@pytest.fixture
def published(tmp_path, as_published) -> Path:
    return as_published(packed(tmp_path / "viewer.tgz", FILES))
