"""Giving the command in this process, and seeing what a person sees."""

from __future__ import annotations

import json
import os
import shutil
import sys
from contextlib import redirect_stderr, redirect_stdout
from dataclasses import dataclass
from io import StringIO
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


def settle(monkeypatch, workspace):
    """The same surroundings of the command wherever it is tested; its workspace unless one is named."""
    for name in [*os.environ]:
        if name.startswith(("BINGCHENG", "LC_", "LANG")):
            monkeypatch.delenv(name)
    monkeypatch.setenv("COLUMNS", "120")
    monkeypatch.setenv("BINGCHENG_WORKSPACE", str(workspace))


@pytest.fixture
def bingcheng(monkeypatch, capsys, tmp_path):
    """The command; its workspace is `tmp_path / "workspace"` unless one is named."""
    settle(monkeypatch, tmp_path / "workspace")
    monkeypatch.chdir(tmp_path)

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
def small_study(shared):
    """Four exams of three patients in two hospitals. Read only."""
    return shared("small-study", write_study)


@pytest.fixture(scope="session")
def first_run(small_study, shared, tmp_path_factory):
    """What the command said when the small study was assessed, and into which workspace. Read only."""

    def make(folder):
        out, err = StringIO(), StringIO()
        with pytest.MonkeyPatch.context() as patched, redirect_stdout(out), redirect_stderr(err):
            settle(patched, folder / "workspace")
            patched.setattr(sys, "argv", ["bingcheng", "assess", str(small_study), "--workers", "1"])
            with pytest.raises(SystemExit) as ended:
                main()
        said = [int(ended.value.code or 0), out.getvalue(), err.getvalue()]
        (folder / "said.json").write_text(json.dumps(said), encoding="utf-8")

    folder = shared("first-run", make)
    code, out, err = json.loads((folder / "said.json").read_text(encoding="utf-8"))
    # What another process has open can't be copied: each has a copy of its own.
    made, own = folder / "workspace", tmp_path_factory.mktemp("first") / "workspace"
    shutil.copytree(made, own)
    return Said(code, out.replace(str(made), str(own)), err), own


@pytest.fixture
def stored(first_run, bingcheng, tmp_path):
    """The command, with the small study assessed into its workspace, which is the test's own."""
    said, workspace = first_run
    assert said.code == 0, said.err
    shutil.copytree(workspace, tmp_path / "workspace")
    return bingcheng
