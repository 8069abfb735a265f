"""Templates are compiled once for all processes, and again when what they were made of changed."""

from __future__ import annotations

import sys

import pytest
from jinja2 import Environment, FileSystemLoader

from bingcheng.outputs.compiled_templates import CompiledTemplates


@pytest.fixture
def page(tmp_path, monkeypatch):
    """page("source", setting=…): what a new environment makes of a template of this source, and how many compiled."""
    monkeypatch.setattr(sys, "dont_write_bytecode", False)

    def made(source: str, **settings: object) -> tuple[str, int]:
        (tmp_path / "page.jinja").write_text(source, "utf-8")
        compiled = []

        class Counting(Environment):
            def compile(self, *given, **more):
                compiled.append(given)
                return super().compile(*given, **more)

        with_it = Counting(loader=FileSystemLoader(tmp_path), bytecode_cache=CompiledTemplates(), **settings)
        return with_it.get_template("page.jinja").render(name="<a>"), len(compiled)

    return made


def kept(folder) -> list:
    return list((folder / "__pycache__").glob("*"))


def test_it_is_compiled_once_and_anew_when_its_source_or_the_syntax_changed(page, tmp_path):
    assert page("{{ name }}") == ("<a>", 1)
    assert page("{{ name }}") == ("<a>", 0)
    assert page("{{ name }}!") == ("<a>!", 1)
    assert page("{{ name }}!", autoescape=True) == ("&lt;a&gt;!", 1)
    assert page("{{ name }}!", autoescape=True) == ("&lt;a&gt;!", 0)
    assert len(kept(tmp_path)) == 1, "no unfinished file stays"


@pytest.mark.parametrize("damage", [b"", b"nonsense", None], ids=["empty", "nonsense", "cut"])
def test_what_is_not_whole_is_made_again(page, tmp_path, damage):
    page("{{ name }}")
    (one,) = kept(tmp_path)
    one.write_bytes(one.read_bytes()[:60] if damage is None else damage)
    assert page("{{ name }}") == ("<a>", 1)
    assert page("{{ name }}") == ("<a>", 0)


def test_where_nothing_can_or_may_be_written_a_page_is_made_all_the_same(page, tmp_path, monkeypatch):
    (tmp_path / "__pycache__").write_text("a file where the folder should be")
    assert page("{{ name }}") == ("<a>", 1)
    (tmp_path / "__pycache__").unlink()
    monkeypatch.setattr(sys, "dont_write_bytecode", True)
    assert page("{{ name }}") == ("<a>", 1)
    assert kept(tmp_path) == []
