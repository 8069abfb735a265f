"""Data sets put together from their fragments."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from bingcheng.archive.dimse import body as bodies
from bingcheng.archive.dimse.body import Body


def fill(body: Body, pieces: list[bytes]) -> None:
    for piece in pieces:
        left = memoryview(piece)
        while left:
            room = body.room(len(left))
            assert 1 <= len(room) <= len(left)
            room[:] = left[: len(room)]
            count = len(room)
            room.release()
            body.came(count)
            left = left[count:]


@given(st.lists(st.binary(max_size=70_000), max_size=6), st.binary(max_size=300), st.booleans())
@settings(max_examples=30)
def test_what_came_is_there_behind_the_head_on_disk_as_in_memory(tmp_path_factory, pieces, head, on_disk):
    body = Body(tmp_path_factory.getbasetemp(), 1 << 30)
    saved, bodies.IN_MEMORY = bodies.IN_MEMORY, 50_000 if on_disk else bodies.IN_MEMORY
    try:
        for _ in range(2):  # the second message finds nothing of the first
            body.begin(head)
            fill(body, pieces)
            assert bytes(body.data()) == head + b"".join(pieces)
    finally:
        bodies.IN_MEMORY = saved
        body.end()


def test_a_large_one_leaves_no_file_and_no_memory_behind(tmp_path, monkeypatch):
    monkeypatch.setattr(bodies, "IN_MEMORY", 1 << 20)
    body = Body(tmp_path, 1 << 30)
    body.begin()
    fill(body, [bytes(1 << 20)] * 5)
    view = body.data()
    assert len(view) == 5 << 20
    assert list(tmp_path.iterdir()) == []  # it has no name
    assert len(body._buffer) <= bodies.KEPT
    body.end()
    assert bytes(view[:4]) == bytes(4)  # who still reads it is not disturbed


def test_beyond_the_limit_nothing_is_kept(tmp_path):
    body = Body(tmp_path, 1000)
    body.begin(b"head")
    fill(body, [bytes(2_000_000)])
    assert body.too_large
    assert len(body._buffer) <= bodies.KEPT
    body.begin()
    assert not body.too_large
