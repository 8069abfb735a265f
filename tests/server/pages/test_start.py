"""The start page says what is there for who sees it, and what to do where nothing is."""

from __future__ import annotations

import pytest
from tests.server.cases.published import give, publish
from tests.server.examples import STUDY, prepare


@pytest.fixture
def served(served):
    prepare(served)
    return served


def test_who_reads_cases_only_is_told_of_cases_and_of_no_exam(served):
    shown = served.browser("guest").get("/").text
    assert "No case is open to you yet." in shown
    assert "exam is here" not in shown
    assert "bingcheng assess" not in shown, "a guest brings in no exams"
    number = publish(served, STUDY)
    assert "1 case is open to you." in served.browser("guest").get("/").text
    assert "No case is open to you yet." in served.browser("other-guest").get("/").text
    give(served, number, hospital=served.south)
    assert "1 case is open to you." in served.browser("other-guest").get("/").text


def test_who_works_with_the_numbers_of_exams_is_told_how_many_there_are(served):
    assert "1 exam is here." in served.browser("site-admin").get("/").text
    assert "1 exam is here." in served.browser("province").get("/").text
    other = served.browser("other-site-admin").get("/").text
    assert "No exam is here yet." in other
    assert "bingcheng assess" in other
