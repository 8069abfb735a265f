"""Evidence is judged by its numbers, whatever it says of itself."""

from __future__ import annotations

import json

import pytest

from bingcheng.archive.cases.evidence import read_evidence
from bingcheng.core.errors import InputError
from bingcheng.core.finding import Outcome

ROW = {
    "measure": "adc_mean",
    "reference": "sphere",
    "expect": 1.1,
    "atol": 0.0,
    "rtol": 0.01,
    "unit": "10-3.mm2/s",
    "value": 1.105,
    "reason": None,
    "met": True,
    "kind": "analytic",
    "source": "closed form",
}
IBSI = {**ROW, "kind": "consensus", "atol": 0.0, "rtol": 0.0}


@pytest.mark.parametrize(
    ("row", "outcome", "claimed"),
    [
        (ROW, Outcome.PASS, False),
        ({**ROW, "met": None}, Outcome.PASS, False),
        ({**ROW, "met": False}, Outcome.FAIL, False),
        ({**ROW, "value": 2.0, "met": False}, Outcome.FAIL, False),
        ({**ROW, "value": 2.0, "met": None}, Outcome.FAIL, False),
        ({**ROW, "value": 2.0}, Outcome.UNKNOWN, True),
        ({**ROW, "value": None}, Outcome.UNKNOWN, True),
        ({**ROW, "value": float("nan")}, Outcome.UNKNOWN, True),
        ({**ROW, "value": True, "met": None}, Outcome.UNKNOWN, False),
        ({**ROW, "atol": None, "rtol": None}, Outcome.UNKNOWN, True),
        ({"measure": "x"}, Outcome.UNKNOWN, False),
        # Of the IBSI's table: 0.0533, and what comes out.
        ({**IBSI, "expect": 0.0533, "value": 0.05332359}, Outcome.PASS, False),
        ({**IBSI, "expect": 0.0533, "value": 0.05336}, Outcome.UNKNOWN, True),
        ({**IBSI, "expect": 600.0, "value": 604.0}, Outcome.UNKNOWN, True),
        ({**IBSI, "expect": 600.0, "value": 600.4}, Outcome.PASS, False),
        ({**ROW, "rtol": 0.0, "value": 1.1004}, Outcome.UNKNOWN, True),
    ],
)
def test_what_the_numbers_do_not_show_is_not_met(row, outcome, claimed):
    (found,) = read_evidence(json.dumps([row])).rows
    assert (found.outcome, found.claimed) == (outcome, claimed)


def test_what_is_not_met_stands_first_and_decides():
    rows = [ROW, {**ROW, "value": None}, {**ROW, "met": False}, {**ROW, "source": "other"}]
    found = read_evidence(json.dumps(rows))
    assert [one.outcome for one in found.rows][:2] == [Outcome.FAIL, Outcome.UNKNOWN]
    assert found.outcome is Outcome.FAIL
    assert [len(part.rows) for _, part in found.sources()] == [3, 1]
    assert read_evidence(json.dumps(rows[:2])).outcome is Outcome.UNKNOWN
    assert read_evidence(json.dumps([ROW])).outcome is Outcome.PASS


def test_another_form_is_shown_as_what_it_says_and_proves_nothing():
    found = read_evidence('{"study": {"patients": 30, "ICC": [0.92, "good"]}}')
    assert found.facts == (("study › patients", "30"), ("study › ICC › 1", "0.92"), ("study › ICC › 2", "good"))
    assert found.outcome is Outcome.UNKNOWN


@pytest.mark.parametrize("written", ["", "[]", "{}", "3", "[" * 100_000, json.dumps([ROW] * 5001)])
def test_what_is_no_evidence_is_refused(written):
    with pytest.raises(InputError) as refused:
        read_evidence(written)
    assert refused.value.code == "archive.wrong-evidence"
