"""Giving the command in this process, and seeing what a person sees."""

from __future__ import annotations

import json
import os
import sys
from dataclasses import dataclass
from typing import Any

import pytest
from tests.engine.making import write_study

from bingcheng.cli.main import main


@dataclass(frozen=True)
class Said:
    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        return json.loads(self.out)

    @property
    def refusals(self) -> dict[str, list[dict[str, Any]]]:
        """All refusals of the JSON by their code."""
        found: dict[str, list[dict[str, Any]]] = {}
        seen = self.json
        for refusal in (*seen["refusals"], *(r for exam in seen["exams"] for r in exam["refusals"])):
            found.setdefault(refusal["code"], []).append(refusal)
        return found


@pytest.fixture
def bingcheng(monkeypatch, capsys, tmp_path):
    """The command; its workspace is `tmp_path / "workspace"` unless one is named."""
    for name in [*os.environ]:
        if name.startswith(("BINGCHENG", "LC_", "LANG")):
            monkeypatch.delenv(name)
    monkeypatch.setenv("COLUMNS", "120")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("BINGCHENG_WORKSPACE", str(tmp_path / "workspace"))

    def give(*arguments: object) -> Said:
        monkeypatch.setattr(sys, "argv", ["bingcheng", *map(str, arguments)])
        capsys.readouterr()
        with pytest.raises(SystemExit) as ended:
            main()
        out, err = capsys.readouterr()
        assert "Traceback" not in out + err
        return Said(int(ended.value.code or 0), out, err)

    return give


@pytest.fixture
def assess_json(bingcheng):
    """Assess in this process; must not fail. Gives what the JSON says."""

    def give(*arguments: object, code: int = 0) -> Said:
        said = bingcheng("assess", *arguments, "--workers", 1, "--json")
        assert said.code == code, said.err
        return said

    return give


@pytest.fixture(scope="session")
def small_study(tmp_path_factory):
    """Four exams of three patients in two hospitals. Read only."""
    return write_study(tmp_path_factory.mktemp("study"))
