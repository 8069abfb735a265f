"""Bodies that are received, within limits."""

from __future__ import annotations

import pytest

from bingcheng.archive.dicomweb.incoming import Intake, Limits
from bingcheng.archive.dicomweb.media_types import MediaType
from bingcheng.core.errors import InputError

DICOM = MediaType(kind="application/dicom")


def taken(body: bytes, limits: Limits, folder=None, boundary: str | None = "b", step: int = 1000) -> list[bytes]:
    intake = Intake(limits=limits, boundary=boundary, kind=DICOM, folder=folder)
    found = []
    try:
        for at in range(0, len(body), step):
            for part in intake.feed(body[at : at + step]):
                with part.content() as data:
                    found.append(bytes(data))
                part.close()
        for part in intake.finish():
            with part.content() as data:
                found.append(bytes(data))
            part.close()
    finally:
        intake.close()
    return found


def body_of(*contents: bytes) -> bytes:
    return b"".join(b"--b\r\n\r\n" + one + b"\r\n" for one in contents) + b"--b--"


@pytest.mark.parametrize("in_memory", [0, 10, 5000, 100_000])
def test_parts_are_the_same_in_memory_and_in_a_file(tmp_path, in_memory):
    contents = [bytes(range(256)) * 20, b"", b"short"]
    assert taken(body_of(*contents), Limits(in_memory=in_memory), tmp_path) == contents
    assert list(tmp_path.iterdir()) == []


def test_a_body_may_be_one_object():
    assert taken(b"x" * 5000, Limits(), boundary=None) == [b"x" * 5000]


@pytest.mark.parametrize(
    ("limits", "what"),
    [(Limits(part=1500), "object"), (Limits(body=2500), "body"), (Limits(parts=2), "number of objects")],
)
def test_what_goes_beyond_a_limit_is_refused_while_it_comes(limits, what):
    with pytest.raises(InputError) as refused:
        taken(body_of(b"a" * 1000, b"b" * 1000, b"c" * 2000), limits)
    assert refused.value.code == "archive.body-too-large"
    assert what in str(refused.value)


def test_an_announced_length_is_refused_before_anything_is_read():
    limits = Limits(body=10)
    limits.check_announced(None)
    limits.check_announced(10)
    with pytest.raises(InputError):
        limits.check_announced(10 << 30)
