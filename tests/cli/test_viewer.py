"""``bingcheng viewer``: what a person reads."""

from __future__ import annotations

import json

import pytest
from tests.server.viewer.conftest import FILES, as_published, packed  # noqa: F401 - a fixture

from bingcheng.cli.viewer import run_install, run_show
from bingcheng.core.errors import InputError
from bingcheng.outputs.language import Language

ENGLISH = Language.of("en")


@pytest.fixture
def file(tmp_path, as_published, monkeypatch):  # noqa: F811 - the fixture
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "data"))
    monkeypatch.setattr("bingcheng.cli.viewer.BUNDLED", tmp_path / "none")
    return as_published(packed(tmp_path / "viewer.tgz", FILES))


def test_a_brought_file_is_installed_and_found_again(file, capsys):
    assert run_show(ENGLISH) == 3
    assert "bingcheng viewer install" in capsys.readouterr().out
    assert run_install(file, None, ENGLISH) == 0
    said = capsys.readouterr()
    assert said.out.startswith("OHIF 3.")
    assert said.err == ""
    assert run_show(ENGLISH) == 0
    assert capsys.readouterr().out == said.out


def test_programs_get_one_json_document(file, tmp_path, capsys):
    assert run_show(ENGLISH, as_json=True) == 3
    assert json.loads(capsys.readouterr().out) is None
    assert run_install(file, tmp_path / "here", ENGLISH, as_json=True) == 0
    told = json.loads(capsys.readouterr().out)
    assert told["folder"] == str(tmp_path / "here")
    here = [path for path in (tmp_path / "here").rglob("*") if path.is_file() and path.name != "viewer.json"]
    assert told["files"] == len(here) > 8


def test_another_file_is_refused(file, tmp_path):
    (tmp_path / "other.tgz").write_bytes(b"no viewer")
    with pytest.raises(InputError, match="viewer-other-package"):
        run_install(tmp_path / "other.tgz", None, ENGLISH)
