"""One object of a quarter of a thousand large frames: what is asked of it is given piece by piece."""

from __future__ import annotations

import numpy as np
import pytest
from pydicom import dcmread
from tests.attack.conftest import reader_of
from tests.attack.test_connections import resident_mib
from tests.server.examples import OBJECT, SERIES, STUDY, ct_file

FRAMES, SIZE = 256, 512
WHOLE_MIB = FRAMES * SIZE * SIZE * 2 >> 20
INSTANCE = f"/dicomweb/studies/{STUDY}/series/{SERIES}/instances/{OBJECT}"
ALONE = "application/octet-stream"
MANY_PNG = 'multipart/related; type="image/png"'
LIST = ",".join(map(str, range(1, FRAMES + 1)))


@pytest.fixture
def large(listening, tmp_path):
    """A client of a server that keeps an image of 128 MB, and the value of its pixels."""
    here = listening()
    file = tmp_path / "many.dcm"
    file.write_bytes(ct_file())
    image = dcmread(file)
    image.Rows = image.Columns = SIZE
    image.NumberOfFrames = FRAMES
    # Noise, so that pictures of it are large too.
    frame = np.random.default_rng(1).integers(0, 4096, SIZE * SIZE, dtype="<u2")
    image.PixelData = b"".join((frame + number).tobytes() for number in range(FRAMES))
    image.save_as(file, enforce_file_format=True)
    with reader_of(here, file) as client:
        yield client, memoryview(image.PixelData)


@pytest.mark.parametrize(
    ("path", "accept"),
    [
        ("/bulk/7FE00010", ALONE),
        ("/bulk/7FE00010", "multipart/related"),
        ("/bulkdata", "multipart/related"),
        ("/pixeldata", "multipart/related"),
        (f"/frames/{LIST}", "multipart/related"),
        ("", "application/dicom"),
    ],
)
def test_no_answer_is_held_as_a_whole(large, path, accept):
    client, _ = large
    before = highest = resident_mib()
    came = 0
    with client.stream("GET", INSTANCE + path, headers={"accept": accept}) as answer:
        assert answer.status_code == 200
        for piece in answer.iter_raw():
            came += len(piece)
            highest = max(highest, resident_mib())
    assert came >= WHOLE_MIB << 20
    assert highest - before < WHOLE_MIB / 2


def test_pictures_of_many_frames_are_drawn_while_they_are_sent(large):
    client, _ = large
    before = highest = resident_mib()
    size, pictures = 0, 0
    with client.stream("GET", f"{INSTANCE}/frames/{LIST}/rendered", headers={"accept": MANY_PNG}) as answer:
        assert answer.status_code == 200
        for piece in answer.iter_raw():
            size, pictures = size + len(piece), pictures + piece.count(b"\x89PNG\r\n")
            highest = max(highest, resident_mib())
    assert size > 32 << 20
    assert FRAMES - 2 <= pictures <= FRAMES  # the mark of one may lie across two pieces
    assert highest - before < (size >> 20) / 2


def test_pixels_are_given_as_they_were_stored_whole_and_in_parts(large):
    client, pixels = large
    path = f"{INSTANCE}/bulk/7FE00010"
    whole = client.get(path, headers={"accept": ALONE})
    assert whole.headers["content-length"] == str(len(pixels))
    assert whole.content == pixels
    for asked, first, last in (
        ("bytes=0-0", 0, 0),
        ("bytes=99999999-", 99_999_999, len(pixels) - 1),
        ("bytes=-5", len(pixels) - 5, len(pixels) - 1),
        ("bytes=524287-1048577", 524_287, 1_048_577),
    ):
        part = client.get(path, headers={"accept": ALONE, "range": asked})
        assert part.status_code == 206
        assert part.headers["content-range"] == f"bytes {first}-{last}/{len(pixels)}"
        assert part.content == pixels[first : last + 1]
    beyond = client.get(path, headers={"accept": ALONE, "range": f"bytes={len(pixels)}-"})
    assert (beyond.status_code, beyond.headers["content-range"]) == (416, f"bytes */{len(pixels)}")
    together = client.get(path, headers={"accept": "multipart/related"}).content
    _, _, behind = together.partition(b"\r\n\r\n")
    assert behind[: len(pixels)] == pixels
    assert behind[len(pixels) :].startswith(b"\r\n--")
