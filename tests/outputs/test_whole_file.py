"""A file appears whole or not at all, and nothing is left beside it."""

from __future__ import annotations

import pytest

from bingcheng.outputs.whole_file import whole_file


def test_it_takes_the_old_ones_place_when_it_is_whole(tmp_path):
    path = tmp_path / "made" / "page.html"
    for words in ("old", "new"):
        with whole_file(path) as unfinished:
            unfinished.write_text(words)
            assert not path.exists() or path.read_text() == "old"
        assert path.read_text() == words
    assert list(path.parent.iterdir()) == [path]


def test_what_fails_leaves_the_old_one_and_nothing_beside_it(tmp_path):
    path = tmp_path / "page.html"
    path.write_text("old")

    def stop(unfinished):
        unfinished.write_text("ne")
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt), whole_file(path) as unfinished:
        stop(unfinished)
    assert path.read_text() == "old"
    assert list(tmp_path.iterdir()) == [path]


def test_its_permissions_are_its_folders_and_no_more_than_is_said(tmp_path):
    tmp_path.chmod(0o775)
    for most, is_given in ((0o666, 0o664), (0o644, 0o644)):
        path = tmp_path / f"{most:o}"
        with whole_file(path, most=most):
            pass
        assert path.stat().st_mode & 0o777 == is_given
