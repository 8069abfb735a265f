"""The pages as text, and the command line as it really is."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

import pytest
import typer
from typer.core import TyperGroup

from bingcheng.cli.main import application
from bingcheng.outputs.language import Language

ROOT = Path(__file__).parents[2]
FRONT = ("README.md", "CONTRIBUTING.md", "CHANGELOG.md")
MADE = {"_build", "generated"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """One page of the documentation that a person wrote."""

    name: str
    text: str

    def code_blocks(self, language: str) -> list[str]:
        """The fenced blocks of that language; indented ones (in lists) without their indent."""
        fence = re.compile(rf"^( *)```{language}\n(.*?)^\1```$", re.MULTILINE | re.DOTALL)
        return [re.sub(rf"^{match[1]}", "", match[2], flags=re.MULTILINE) for match in fence.finditer(self.text)]


def _pages() -> list[Page]:
    docs = (p for p in sorted((ROOT / "docs").rglob("*.md")) if not MADE & set(p.relative_to(ROOT).parts))
    return [
        Page(name=path.relative_to(ROOT).as_posix(), text=path.read_text("utf-8"))
        for path in (*(ROOT / name for name in FRONT), *docs)
    ]


@pytest.fixture(scope="session")
def pages() -> list[Page]:
    """Every page."""
    return _pages()


@pytest.fixture(scope="session")
def page(pages):
    """A page by its path below the repository."""
    return {one.name: one for one in pages}.__getitem__


@pytest.fixture(scope="session")
def cli() -> TyperGroup:
    """The command line application."""
    group = typer.main.get_command(application(Language.of("en")))
    assert isinstance(group, TyperGroup)
    return group
