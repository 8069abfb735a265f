"""Pictures keep every pixel, how they are turned and their colours, and nothing else."""

from __future__ import annotations

import io

import pytest
from PIL import Image, ImageCms
from tests.archive.cases.attached.made import CANARY, TURNED, chunk, jpeg, leaks, picture, png, profile

from bingcheng.archive.cases.attached.colour_profile import nameless
from bingcheng.archive.cases.attached.file import cleaned
from bingcheng.archive.cases.attached.taken import Taken
from bingcheng.core.errors import InputError

SAID_OF_BOTH = {Taken.CAMERA, Taken.PLACE, Taken.DESCRIPTION, Taken.WORDS, Taken.PROFILE, Taken.HIDDEN}


def opened(content: bytes) -> Image.Image:
    made = Image.open(io.BytesIO(content))
    made.load()
    return made


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (jpeg(), {*SAID_OF_BOTH, Taken.THUMBNAIL}),
        (jpeg(progressive=True, restart_marker_blocks=1), {*SAID_OF_BOTH, Taken.THUMBNAIL}),
        (jpeg("CMYK"), {*SAID_OF_BOTH, Taken.THUMBNAIL}),
        (png(), SAID_OF_BOTH),
        (png("P"), SAID_OF_BOTH),
    ],
    ids=["jpeg", "progressive", "cmyk", "png", "palette"],
)
def test_nothing_is_left_of_who_and_where_and_every_pixel_stays(content, said):
    assert leaks(content), "the file would tell"
    file = cleaned("a", content)
    assert leaks(file.content) == []
    assert b"GPS" not in file.content
    assert file.taken == said
    before, after = opened(content), opened(file.content)
    assert (after.mode, after.tobytes()) == (before.mode, before.tobytes())
    assert dict(after.getexif()) == {0x0112: TURNED}
    assert round(after.info["dpi"][0]) == 96
    assert cleaned("a", file.content).content == file.content
    assert cleaned("a", file.content).taken == set()


@pytest.mark.parametrize("version", [2.1, 4.3])
def test_a_colour_profile_without_names_makes_the_same_colours(version):
    before = ImageCms.ImageCmsProfile(io.BytesIO(profile()))
    made = bytearray(profile())
    made[8] = int(version)
    after = ImageCms.ImageCmsProfile(io.BytesIO(nameless(bytes(made))))
    assert ImageCms.getProfileDescription(after).strip() == "Colour profile"
    lab = ImageCms.ImageCmsProfile(ImageCms.createProfile("LAB"))
    seen = [ImageCms.profileToProfile(picture(), one, lab, outputMode="LAB").tobytes() for one in (before, after)]
    assert seen[0] == seen[1]


def test_a_profile_that_is_not_understood_is_left_out():
    stream = io.BytesIO()
    picture().save(stream, "JPEG", icc_profile=CANARY.encode() * 20)
    file = cleaned("a", stream.getvalue())
    assert (leaks(file.content), file.taken) == ([], {Taken.PROFILE})
    assert "icc_profile" not in opened(file.content).info


@pytest.mark.parametrize("content", [jpeg(), png()], ids=["jpeg", "png"])
def test_a_damaged_picture_is_refused_whatever_is_wrong(content):
    whole = cleaned("a", content).content
    for cut in (*range(len(whole) // 8, len(whole), max(1, len(whole) // 40)), len(whole) - 1):
        with pytest.raises(InputError) as refused:
            cleaned("a", whole[:cut])
        assert refused.value.code == "archive.attachment-not-cleaned", cut


def test_what_a_picture_can_not_be_read_without_is_never_taken_out():
    made = png()
    at = made.index(b"IDAT") - 4
    with pytest.raises(InputError):
        cleaned("a", made[:at] + chunk(b"NEWc", b"") + made[at:])
    with pytest.raises(InputError):
        cleaned("a", made[:20] + b"\1" + made[21:])
