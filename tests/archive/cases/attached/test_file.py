"""Files are told by their content, and kept under harmless names."""

from __future__ import annotations

import pytest

from bingcheng.archive.cases.attached.file import file_name, kind_of


@pytest.mark.parametrize(
    ("content", "kind"),
    [
        (b"\x89PNG\r\n\x1a\nrest", "image/png"),
        (b"\xff\xd8\xff\xe0", "image/jpeg"),
        (b"%PDF-1.7", "application/pdf"),
        ("患者".encode(), "text/plain"),
        (b"", None),
        (b"  \n", None),
        (b"<html><script>", None),
        (b"\xef\xbb\xbf <svg onload=x>", None),
        (b"MZ\x90\x00", None),
        (b"PK\x03\x04", None),
        (bytes(128) + b"DICM", None),
    ],
)
def test_a_file_is_what_its_content_says(content, kind):
    assert kind_of(content) == kind


@pytest.mark.parametrize(
    ("name", "kept"),
    [
        ("../../etc/passwd", "passwd.txt"),
        ("C:\\x\\scan.exe", "scan.txt"),
        ('a"b\r\nc.txt', "a_b_c.txt"),
        ("", "file.txt"),
        ("片子.txt", "片子.txt"),
    ],
)
def test_a_file_is_kept_under_a_harmless_name(name, kept):
    assert file_name(name, "text/plain") == kept
