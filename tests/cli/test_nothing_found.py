"""A folder without any exam: one message that says what is there instead and what to do."""

from __future__ import annotations

import zipfile

import pytest


@pytest.fixture
def folder(tmp_path):
    made = tmp_path / "given"
    made.mkdir()
    return made


def fill(folder, *names):
    for name in names:
        (folder / name).parent.mkdir(exist_ok=True)
        (folder / name).write_text("{}")


def test_what_is_there_instead_is_counted_by_its_ending(folder, bingcheng):
    fill(folder, "a.json", "b.json", "sub/c.txt", "sub/LIESMICH", ".hidden", "d.log")
    said = bingcheng("assess", folder, "--workers", 1, "--quiet")
    assert said.code == 3
    assert said.out == ""
    assert said.err.count("No exam") + said.err.count("no exam") == 1
    assert "none of the 5 files there is DICOM (2 × .json, 1 without an ending, 1 × .log, 1 × .txt)" in said.err
    assert "engine.nothing-found" in said.err
    assert "export" in said.err


def test_the_summary_of_nothing_is_not_printed(folder, bingcheng):
    fill(folder, "a.json")
    said = bingcheng("assess", folder, "--workers", 1)
    assert said.out == ""
    assert "the one file there is not DICOM" in said.err


def test_an_empty_folder_and_an_archive_are_told_apart(folder, bingcheng):
    assert "there is no file in it" in bingcheng("assess", folder, "--workers", 1, "--quiet").err
    with zipfile.ZipFile(folder / "x.zip", "w") as archive:
        archive.writestr("inner/a.csv", "1")
        archive.writestr("inner/b.csv", "2")
    assert "(2 × .csv)" in bingcheng("assess", folder / "x.zip", "--workers", 1, "--quiet").err


def test_what_was_meant_to_be_dicom_is_named_with_its_reason(folder, bingcheng):
    fill(folder, "a.dcm", "b.txt")
    said = bingcheng("assess", folder, "--workers", 1)
    assert said.code == 3
    assert "a.dcm" in said.out
    assert "dicom.not-dicom" in said.out
    assert "the rest went on" not in said.out
    assert "none of the files there could be used" in said.err


def test_a_name_behind_a_point_is_not_repeated(folder, bingcheng):
    fill(folder, "scan.Zhang San", "scan.Maria-Hernandez")
    said = bingcheng("assess", folder, "--workers", 1, "--quiet")
    assert "zhang" not in said.err.lower()
    assert "(2 without an ending)" in said.err
