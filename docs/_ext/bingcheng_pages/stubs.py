"""One small page for each measure and each protocol, written when the build starts and ignored by git."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from bingcheng.protocol.library import protocols
from bingcheng_pages.catalogues import methods

if TYPE_CHECKING:
    from sphinx.application import Sphinx

FOLDER = "generated"


def write_stubs(app: Sphinx) -> None:
    """Write what is new or has changed, and remove what no longer exists."""
    source = Path(app.srcdir)
    measures = {one.key: _stub(one.label, "measure-page", one.key) for one in methods().measures}
    _write(source / "measures" / FOLDER, measures)
    agreed = {one.id: _stub(one.title, "protocol-page", one.id) for one in protocols()}
    _write(source / "protocols" / FOLDER, agreed)


def _stub(title: str, directive: str, key: str) -> str:
    label = f"{directive.removesuffix('-page')}-{key}"
    return f"({label})=\n\n# {title}\n\n```{{{directive}}} {key}\n```\n"


def _write(folder: Path, pages: Mapping[str, str]) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    for path in folder.glob("*.md"):
        if path.stem not in pages:
            path.unlink()
    for key, content in pages.items():
        path = folder / f"{key}.md"
        if not path.is_file() or path.read_text("utf-8") != content:
            path.write_text(content, "utf-8")
