"""Wrong usage: one plain message in the reader's language, what to write instead, and exit code 2."""

from __future__ import annotations

import pytest

WRONG = [
    (("assess",), "cli.missing-argument", "PATH"),
    (("assess", ".", "--nope"), "cli.no-such-option", "--nope"),
    (("assess", ".", "--workspac", "x"), "cli.no-such-option", "--workspace"),
    (("asess", "."), "cli.no-such-command", "assess"),
    (("--nope",), "cli.no-such-option", "--nope"),
    (("assess", ".", "--workers", "0"), "cli.unfit-value", "at least 1"),
    (("assess", ".", "--workers", "two"), "cli.unfit-value", "--workers"),
    (("assess", ".", "--workers"), "cli.missing-value", "bingcheng assess --help"),
    (("assess", ".", "--json=3"), "cli.value-of-switch", "--json"),
    (("show", "E01", "E02"), "cli.too-much", "E02"),
    (("protocols", "a", "b c"), "cli.too-much", "b c"),
]


@pytest.mark.parametrize(("arguments", "code", "names"), WRONG, ids=lambda value: str(value)[:40])
def test_wrong_usage_is_said_in_one_message(bingcheng, arguments, code, names):
    said = bingcheng(*arguments)
    assert (said.code, said.out) == (2, "")
    assert said.err.startswith(f"Error [{code}]")
    assert names in said.err
    assert len(said.err.splitlines()) == 2


@pytest.mark.parametrize(("arguments", "code", "names"), WRONG, ids=lambda value: str(value)[:40])
def test_wrong_usage_is_the_same_in_chinese(bingcheng, arguments, code, names):
    said = bingcheng(*arguments, "--lang", "zh")
    assert (said.code, said.out) == (2, "")
    assert said.err.startswith(f"错误 [{code}]")


def test_without_a_command_the_help_is_printed(bingcheng):
    said = bingcheng()
    assert (said.code, said.err) == (2, "")
    assert "assess" in said.out


def test_a_value_that_looks_like_an_option_belongs_behind_two_hyphens(bingcheng):
    said = bingcheng("assess", "--", "--nope")
    assert said.code == 4
    assert "engine.no-such-path" in said.err
