"""A refusal of the other installation is told in words, not by a code alone."""

from __future__ import annotations

import pytest

from bingcheng.archive import objects
from bingcheng.archive.pairing import problems
from bingcheng.core.errors import Problem
from bingcheng.server.pairing.refusal import OTHERWISE, WHY, refusal


def test_what_it_refused_stands_in_words_beside_the_code():
    said = str(refusal("archive.not-paired").reason)
    assert "does not know our key" in said
    assert "(archive.not-paired)" in said


@pytest.mark.parametrize("code", ["?", "archive.of-a-later-release"])
def test_a_code_that_is_not_known_here_is_told_as_it_is(code):
    found = refusal(code).reason
    assert found.facts["code"] == code
    assert found.facts["why"] == OTHERWISE


@pytest.mark.parametrize("code", sorted(WHY))
def test_each_code_is_one_that_a_server_of_this_release_answers(code):
    known = {
        one.code for module in (problems, objects.problems) for one in vars(module).values() if isinstance(one, Problem)
    }
    assert code in known
