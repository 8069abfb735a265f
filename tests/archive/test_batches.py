"""Long lists in pieces for the database."""

from __future__ import annotations

import pytest

from bingcheng.archive.batches import AT_ONCE, batches


@pytest.mark.parametrize("count", [0, 1, AT_ONCE, AT_ONCE + 1, 3 * AT_ONCE])
def test_all_come_in_their_order_and_no_piece_is_too_long_or_empty(count):
    pieces = list(batches(range(count)))
    assert [one for piece in pieces for one in piece] == list(range(count))
    assert all(0 < len(piece) <= AT_ONCE for piece in pieces)
    assert len(pieces) == -(-count // AT_ONCE)
