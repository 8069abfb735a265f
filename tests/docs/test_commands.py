"""What the pages tell people to type exists, and what exists is told."""

from __future__ import annotations

import os
import re
import shlex
import subprocess
import sys

import pytest
from tests.docs.conftest import ROOT
from typer.core import TyperCommand, TyperGroup, TyperOption

from bingcheng.cli import exits
from bingcheng.server.settings import PREFIX, OidcSettings, Settings

TYPED = re.compile(r"(?:\.venv/bin/)?bingcheng(?: [^`\n|]+)?")
SPANS = re.compile(r"`([^`\n]+)`")
VARIABLE = re.compile(r"BINGCHENG_[A-Z_]+")


def typed(page) -> list[str]:
    """Everything on a page that begins with the command, in a block of shell or between backquotes."""
    blocks = [re.sub(r"\\\n\s*", " ", block) for block in page.code_blocks("sh")]  # lines that go on
    lines = [line.strip() for block in blocks for line in block.splitlines()]
    spans = SPANS.findall(re.sub(r"```.*?```", "", page.text, flags=re.DOTALL))
    return [match[0] for text in (*lines, *spans) if (match := TYPED.match(text))]


def options_of(command: TyperCommand | TyperGroup) -> set[str]:
    return {name for one in command.params if isinstance(one, TyperOption) for name in one.opts} | {"--help", "-h"}


def all_commands(group: TyperGroup) -> list[TyperCommand | TyperGroup]:
    """The commands of a group, and of the groups in it."""
    inner = [
        one for command in group.commands.values() if isinstance(command, TyperGroup) for one in all_commands(command)
    ]
    return [*group.commands.values(), *inner]


def arguments_of(line: str) -> list[str]:
    return [word for word in shlex.split(re.split(r"[|>]|\|\|", line)[0])[1:] if word not in ("...", "…")]


def wrong_in(line: str, cli: TyperGroup) -> list[str]:
    """The commands and options in a line that do not exist."""
    words = arguments_of(line)
    general = options_of(cli)
    while words and words[0].startswith("-"):
        option = words.pop(0).split("=")[0]
        if option not in general:
            return [option]
        if option == "--lang" and words:
            words.pop(0)
    if not words:
        return []
    command = cli.commands.get(words[0])
    if isinstance(command, TyperGroup) and len(words) > 1 and not words[1].startswith("-"):
        words.pop(0)
        command = command.commands.get(words[0])
    if command is None:
        return [words[0]]
    known = options_of(command) | {"--lang"}
    return [word for word in words[1:] if word.startswith("-") and word.split("=")[0] not in known]


def test_every_command_and_option_on_a_page_exists(pages, cli):
    lines = [(page.name, line) for page in pages for line in typed(page)]
    assert len(lines) > 30
    assert [(name, line, wrong) for name, line in lines if (wrong := wrong_in(line, cli))] == []


@pytest.mark.parametrize("line", ["bingcheng assess --no-such FOLDER", "bingcheng assses FOLDER", "bingcheng --quick"])
def test_a_misspelt_line_would_be_seen(line, cli):
    assert wrong_in(line, cli)


def test_every_command_is_on_the_front_page(page, cli):
    told = {words[0] for line in typed(page("README.md")) if (words := arguments_of(line))}
    assert set(cli.commands) <= told


def test_every_bare_option_on_a_page_exists(pages, cli):
    known = options_of(cli).union(*(options_of(command) for command in all_commands(cli)))
    about_us = [page for page in pages if page.name != "docs/benchmarks.md"]  # which is about a command of its own
    spans = [(page.name, span) for page in about_us for span in SPANS.findall(page.text) if span.startswith("--")]
    assert [(name, span) for name, span in spans if span.split()[0] not in known] == []


def test_every_environment_variable_of_the_command_line_is_documented(page, cli):
    code = "".join(path.read_text("utf-8") for path in (ROOT / "src/bingcheng/cli").glob("*.py"))
    of_options = {one.envvar for c in all_commands(cli) for one in c.params if isinstance(one.envvar, str)}
    assert {"BINGCHENG_WORKSPACE", "BINGCHENG_DATABASE"} <= of_options
    assert of_options | set(VARIABLE.findall(code)) <= set(VARIABLE.findall(page("docs/workspace.md").text))


def test_every_environment_variable_on_a_page_exists(pages):
    read = (*(ROOT / "src").rglob("*.py"), ROOT / "tests/conftest.py")
    known = {name for path in read for name in VARIABLE.findall(path.read_text("utf-8"))}
    known |= {f"{PREFIX}{name.upper()}" for name in Settings.model_fields}
    known |= {f"{PREFIX}OIDC_{name.upper()}" for name in OidcSettings.model_fields}
    assert {name for page in pages for name in VARIABLE.findall(page.text)} <= known


def test_every_exit_code_is_documented_and_no_other(page):
    real = {value for name, value in vars(exits).items() if name.isupper() and isinstance(value, int)}
    told = {int(code) for code in re.findall(r"^\| (\d+) \|", page("docs/reference/exit-codes.md").text, re.MULTILINE)}
    assert told == real
    brief = next(part for part in page("README.md").text.split("\n\n") if part.startswith("Exit codes:"))
    assert {int(code) for code in re.findall(r"\b(\d+)\b", brief)} == real


def test_the_error_that_the_page_shows_is_the_real_one(page, tmp_path):
    (shown,) = page("docs/reference/exit-codes.md").code_blocks("text")
    run = subprocess.run(
        [sys.executable, "-c", "from bingcheng.cli.main import main; main()", "assess", "exmas"],
        cwd=tmp_path,
        env={**os.environ, "BINGCHENG_LANG": "en", "BINGCHENG_WORKSPACE": "workspace"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert (run.returncode, run.stderr.strip()) == (exits.UNUSABLE, shown.strip())
