"""The file behind a slice is opened wherever it lies, or refused by name."""

from __future__ import annotations

import zipfile
from pathlib import Path

import pytest
from tests.dicom.making import image, save

from bingcheng.core.errors import InputError
from bingcheng.dicom.exam import FrameSource
from bingcheng.dicom.sources import open_dataset, open_source


def test_a_file_and_a_member_of_an_archive_are_the_same(tmp_path: Path) -> None:
    path = save(image(2), tmp_path / "x")
    with zipfile.ZipFile(tmp_path / "x.zip", "w") as archive:
        archive.write(path, "in/x")
    for source in (FrameSource(path=path), FrameSource(path=tmp_path / "x.zip", member="in/x")):
        assert open_dataset(source).InstanceNumber == 3
        assert "PixelData" not in open_dataset(source)
        assert len(open_dataset(source, pixels=True).PixelData) == 60
        with open_source(source) as stream:
            assert stream.read() == path.read_bytes()


@pytest.mark.parametrize("member", [None, "x"])
def test_what_can_not_be_opened_is_refused(tmp_path: Path, member: str | None) -> None:
    with pytest.raises(InputError) as caught:
        open_source(FrameSource(path=tmp_path / "nothing", member=member))
    assert caught.value.code == "dicom.unreadable"


def test_an_archive_without_the_member_is_refused(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "x.zip", "w"):
        pass
    with pytest.raises(InputError) as caught:
        open_dataset(FrameSource(path=tmp_path / "x.zip", member="x"))
    assert caught.value.code == "dicom.unreadable"
