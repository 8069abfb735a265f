"""The fragments of encapsulated pixels are followed to their delimiter."""

from __future__ import annotations

import struct

import pytest

from bingcheng.archive.objects.fragments import behind_fragments
from bingcheng.dicom.index.elements import Broken

END = struct.pack("<HHI", 0xFFFE, 0xE0DD, 0)


def fragment(value):
    return struct.pack("<HHI", 0xFFFE, 0xE000, len(value)) + value


def followed(data, at=0):
    return behind_fragments(lambda first, last: data[first:last], at, len(data))


def test_the_offset_behind_the_delimiter_is_found():
    pixels = fragment(b"") + fragment(b"abcd") + END
    assert followed(b"head" + pixels + b"tail", 4) == 4 + len(pixels)


@pytest.mark.parametrize(
    "data",
    [
        pytest.param(fragment(b"abcd"), id="no delimiter"),
        pytest.param(fragment(b"abcd")[:-2] + END, id="a length too long"),
        pytest.param(struct.pack("<HHI", 0x0028, 0x0010, 2) + END, id="another element"),
        pytest.param(b"", id="nothing"),
    ],
)
def test_what_does_not_end_is_broken(data):
    with pytest.raises(Broken):
        followed(data)
