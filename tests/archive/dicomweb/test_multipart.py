"""Messages of several parts, in pieces of any size (RFC 2046 5.1)."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bingcheng.archive.dicomweb.media_types import media_type
from bingcheng.archive.dicomweb.multipart import (
    LONGEST_HEAD,
    LONGEST_PREAMBLE,
    Part,
    PartData,
    PartEnd,
    PartHead,
    PartScanner,
    boundary_of,
    length_of,
    new_boundary,
    written,
)
from bingcheng.core.errors import InputError


def scanned(body: bytes, boundary: str = "b", sizes: list[int] | None = None) -> list[tuple[dict[str, str], bytes]]:
    scanner = PartScanner(boundary)
    found: list[list] = []
    for piece in pieces(body, sizes or [len(body) or 1]):
        for event in scanner.feed(piece):
            if isinstance(event, PartHead):
                found.append([dict(event.fields), b"", False])
            elif isinstance(event, PartData):
                assert event.data
                found[-1][1] += event.data
            elif isinstance(event, PartEnd):
                found[-1][2] = True
    scanner.finish()
    assert all(whole for *_, whole in found)
    return [(fields, data) for fields, data, _ in found]


def pieces(body: bytes, sizes: list[int]):
    at = turn = 0
    while at < len(body):
        size = sizes[turn % len(sizes)]
        yield body[at : at + size]
        at, turn = at + size, turn + 1


# Contents that look like boundaries are the ones that matter.
CONTENT = st.lists(
    st.sampled_from([b"\r", b"\n", b"\r\n", b"-", b"--", b"--b", b"\r\n--b", b"\r\n--bb", b"x", b"\0", b" ", b"DICM"]),
    max_size=12,
).map(b"".join)


def no_boundary(content: bytes) -> bool:
    at = -1
    framed = b"\r\n" + content + b"\r\n"
    while (at := framed.find(b"\r\n--b", at + 1)) >= 0:
        rest = framed[at + 5 :]
        if rest.startswith(b"--") or rest.lstrip(b" \t").startswith(b"\r\n") or rest.strip(b" \t\r") == b"":
            return False
    return not content.endswith((b"\r\n--b", b"\r\n--b-"))


@settings(max_examples=300)
@given(
    st.lists(CONTENT.filter(no_boundary), min_size=1, max_size=4),
    st.lists(st.integers(1, 9), min_size=1, max_size=5),
    st.sampled_from([b"", b"preamble\r\n", b"\r\n"]),
    st.sampled_from([b"", b" ", b"\t  "]),
)
def test_parts_are_the_same_however_the_body_is_cut(contents, sizes, preamble, padding):
    body = preamble + b"--b".join(
        [b"", *(padding + b"\r\nContent-Type: a/b\r\nX: y:z \r\n\r\n" + one + b"\r\n" for one in contents)]
    )
    body += b"--b--epilogue"
    found = scanned(body, sizes=sizes)
    assert [data for _, data in found] == contents
    assert all(fields == {"content-type": "a/b", "x": "y:z"} for fields, _ in found)


@settings(max_examples=100)
@given(st.lists(st.binary(max_size=40), min_size=1, max_size=4), st.lists(st.integers(1, 30), min_size=1, max_size=4))
def test_what_is_written_is_read_again(contents, sizes):
    boundary = new_boundary()
    parts = [Part(content_type="a/b", pieces=(one,), length=len(one), location="/x") for one in contents]
    message = b"".join(written(parts, boundary))
    assert length_of(parts, boundary) == len(message)
    found = scanned(message, boundary, sizes)
    assert [data for _, data in found] == contents
    assert all(fields["content-location"] == "/x" for fields, _ in found)


@settings(max_examples=100)
@given(st.integers(1, 60))
def test_a_message_that_ends_too_early_is_not_taken_for_whole(cut):
    whole = b"--b\r\nContent-Type: a/b\r\n\r\nsome content\r\n--b--"
    with pytest.raises(InputError) as refused:
        scanned(whole[: max(0, len(whole) - cut)])
    assert refused.value.code == "archive.bad-multipart"


def test_a_part_may_have_no_fields_and_no_content():
    assert scanned(b"--b\r\n\r\n\r\n--b\r\nA: c\r\n\r\n\r\n--b--") == [({}, b""), ({"a": "c"}, b"")]


@pytest.mark.parametrize(
    "body",
    [
        b"x" * (LONGEST_PREAMBLE + 100),
        b"--b\r\n" + b"x" * (LONGEST_HEAD + 10),
        b"--b\r\nno colon\r\n\r\n",
        b"--b\r\n: empty\r\n\r\n",
        b"--b\r\nA: b\r\n folded\r\n\r\n",
        b"--other\r\n\r\n\r\n--other--",
    ],
    ids=["no-boundary", "endless-head", "no-colon", "no-name", "folded", "other-boundary"],
)
def test_a_message_of_another_form_is_refused(body):
    with pytest.raises(InputError) as refused:
        scanned(body)
    assert refused.value.code == "archive.bad-multipart"


def test_no_more_is_held_back_than_a_boundary():
    scanner = PartScanner("b")
    list(scanner.feed(b"--b\r\n\r\n"))
    given_back = sum(len(event.data) for event in scanner.feed(bytes(100_000)) if isinstance(event, PartData))
    assert given_back >= 100_000 - 10


@pytest.mark.parametrize("kind", ["multipart/related", 'multipart/related; boundary=""', "a/b; boundary=" + "x" * 201])
def test_a_boundary_must_be_one(kind):
    with pytest.raises(InputError) as refused:
        boundary_of(media_type(kind))
    assert refused.value.code == "archive.bad-multipart"
