"""The IBSI's values on the user's machine: what is reached, what is not, and where the data lie."""

from __future__ import annotations

from dataclasses import replace

import pytest

from bingcheng.core.errors import InputError
from bingcheng.engine import ibsi


def silent(*_):
    pass


def test_the_digital_phantom_is_always_computed():
    rows = list(ibsi.recomputed(None, silent))
    assert len(rows) == 487
    found = ibsi.summaries(rows)
    assert sum(one.reached for one in found) == 482
    assert sum(one.missed for one in found) == 0
    assert sum(one.without_consensus for one in found) == 5
    assert {one.case for one in found} == {"digital phantom"}


def test_a_value_that_is_missed_is_counted():
    rows = list(ibsi.recomputed(None, silent))
    rows[0] = replace(rows[0], reached=False)
    assert sum(one.missed for one in ibsi.summaries(rows)) == 1


@pytest.mark.parametrize(("name", "code"), [("absent", "engine.no-such-path"), ("", "engine.no-ibsi-data")])
def test_a_folder_without_the_data_is_said(tmp_path, name, code):
    with pytest.raises(InputError) as caught:
        list(ibsi.recomputed(tmp_path / name, silent))
    assert caught.value.code == code


def test_a_map_that_is_not_there_is_not_reached_and_says_why(tmp_path):
    (tmp_path / ibsi.FILTER_FOLDER).mkdir()
    rows = [row for row in ibsi.recomputed(tmp_path, silent) if row.family == ibsi.RESPONSE_MAP]
    assert len(rows) == 33
    assert all(row.reached is False and row.why is not None for row in rows)


@pytest.mark.slow
def test_everything_is_reached_with_the_reference_data(reference_data):
    rows = list(ibsi.recomputed(reference_data, silent))
    assert [row.tag for row in rows if row.reached is False] == []
    assert sum(row.reached is True for row in rows) == 2137
