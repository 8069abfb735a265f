"""The facts that were collected from publications, each found again in the library: nothing was dropped silently.

``carried_over.csv`` holds what was collected: 331 criteria of 23 protocols with operator, value (as JSON), unit (UCUM),
level and trust; then what each became, in which of these the library differs, and why.
"""

from __future__ import annotations

import csv
import json
from collections import Counter
from pathlib import Path

from tests.each import each

from bingcheng.protocol.library import protocol
from bingcheng.protocol.rules import Shape, operators

with Path(__file__).with_name("carried_over.csv").open(encoding="utf-8", newline="") as file:
    ROWS = list(csv.DictReader(file))


def plain(value):
    """Numbers as floats and tuples as lists, so that 3 is 3.0."""
    if isinstance(value, bool | str) or value is None:
        return value
    if isinstance(value, int | float):
        return float(value)
    if isinstance(value, dict):
        return {key: plain(one) for key, one in value.items()}
    return [plain(one) for one in value]


def of_criterion(criterion):
    """What a criterion of the library says, in the columns of the list."""
    asks_a_value = operators()[criterion.operator].shape is not Shape.NOTHING
    by_vendor = None if criterion.by_vendor is None else dict(criterion.by_vendor)
    value = by_vendor or (criterion.value if asks_a_value else True)
    return {
        "op": "by_vendor" if by_vendor else criterion.operator,
        "value": plain(value),
        "unit": criterion.unit if asks_a_value else None,
        "level": criterion.level.value,
        "trust": criterion.trust.value,
    }


def of_list(row):
    """What was collected, in the same columns; where the library asks for a record, it needs no unit."""
    unit = None if row["op"] in ("present", "same_as_baseline") else row["unit"]
    return {**row, "value": plain(json.loads(row["value"])), "unit": unit}


def differences(row):
    """The columns in which the library says something else than what was collected."""
    of = protocol(row["protocol"])
    collected = of_list(row)
    if row["became"] == "criterion":
        found = of_criterion(of.criterion(row["criterion"]))
        found["unit"] = None if found["unit"] in (None, "1") else found["unit"]
        collected["unit"] = collected["unit"] or None
        return {column for column, value in found.items() if value != collected[column]}
    roles = [of.role(key.removeprefix("role.")) for key in row["became"].split()]
    assert roles
    says = {"level": {r.level.value for r in roles}, "trust": {r.trust.value for r in roles}}
    return {column for column, values in says.items() if values != {collected[column]}}


def test_what_was_collected_stands_in_the_library_or_it_is_said_why_not():
    def holds(row):
        assert differences(row) == set(row["differs"].split())
        assert bool(row["why"]) == bool(row["differs"])

    each([(f"{row['protocol']}:{row['criterion']}", (row,)) for row in ROWS], holds)


def test_all_that_was_collected_is_on_the_list_once():
    assert len(ROWS) == 331
    assert len({row["protocol"] for row in ROWS}) == 23
    assert max(Counter((row["protocol"], row["criterion"]) for row in ROWS).values()) == 1


def test_nothing_was_trusted_more_than_it_was_read():
    raised = {(row["protocol"], row["criterion"]): row["why"] for row in ROWS if "trust" in row["differs"].split()}
    # Each of these cites another source than the one collected, which was read.
    assert set(raised) == {("ct_response_recist11", "thickness"), ("gyn_uterus_mr_esur", "cervix_t2_n")}
    assert all("read" in why for why in raised.values())
