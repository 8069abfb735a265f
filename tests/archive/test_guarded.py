"""Work that must go on whatever one turn of it meets."""

from __future__ import annotations

import logging

import pytest
from tests.archive.conftest import ODD

from bingcheng.archive.guarded import guarded
from bingcheng.core.errors import InputError

LOG = logging.getLogger("test.guarded")


def fails(error):
    def work():
        raise error

    return work


@pytest.mark.parametrize(
    ("error", "level", "said"),
    [
        (InputError(ODD, what="Doe^Jane"), logging.WARNING, "carrying: test.odd"),
        (ValueError("Doe^Jane"), logging.ERROR, "carrying"),
    ],
)
def test_a_failure_is_logged_under_its_task_and_goes_no_further(caplog, error, level, said):
    guarded(LOG, "carrying", fails(error))
    assert [(one.levelno, one.getMessage()) for one in caplog.records] == [(level, said)]


def test_who_ends_the_program_is_heard():
    with pytest.raises(SystemExit):
        guarded(LOG, "carrying", fails(SystemExit()))
