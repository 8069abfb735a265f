"""RECIST 1.1 at a time point: the sums' arithmetic, and the tables that join it with what else is seen."""

from __future__ import annotations

import csv
from itertools import groupby

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bingcheng.compare.response import NewLesion, NonTargets, Response, Target, TimePoint, responses

CR, PR, SD, PD = Response.COMPLETE, Response.PARTIAL, Response.STABLE, Response.PROGRESSIVE
NE, NEITHER = Response.NOT_EVALUABLE, Response.NEITHER


def targets(*sizes_mm, nodes=0):
    """Targets, the first so many of which are lymph nodes."""
    return tuple(Target(size_mm=size, node=number < nodes) for number, size in enumerate(sizes_mm))


def over(baseline, *later, nodes=0, **seen):
    """The responses of targets over time points."""
    points = [TimePoint(targets=targets(*sizes, nodes=nodes), **seen) for sizes in later]
    return [one.response for one in responses(targets(*baseline, nodes=nodes), points)]


@pytest.mark.parametrize(
    ("sizes_mm", "expected"),
    [
        ((14.0, 6.0), SD),
        ((9.8, 4.2), PR),  # 14.0 mm is 30 % less than 20 mm, which binary fractions miss
        ((9.9, 4.2), SD),
        ((0.0, 0.0), CR),
        ((17.0, 7.0), SD),  # 20 % more, but 4 mm
        ((18.0, 7.0), PD),
        ((None, 6.0), NE),
        ((25.0, None), PD),  # what was measured suffices
    ],
)
def test_targets_alone(sizes_mm, expected):
    assert over((14.0, 6.0), sizes_mm) == [expected]


def test_twenty_per_cent_are_no_progression_below_five_millimetres():
    assert over((20.0,), (24.9,), (25.0,)) == [SD, PD]
    assert over((100.0,), (119.9,), (120.0,)) == [SD, PD]


def test_growth_counts_from_the_smallest_sum_so_far():
    # 64 mm is 36 % less than at the start, and 28 % more than at the best.
    points = [TimePoint(targets=targets(size)) for size in (50.0, 64.0, 70.0)]
    assert [one.nadir_mm for one in responses(targets(100.0), points)] == [100.0, 50.0, 50.0]
    assert over((100.0,), (50.0,), (64.0,)) == [PR, PD]
    assert over((100.0,), (None,), (80.0,), (95.0,)) == [NE, SD, SD]


def test_a_target_that_has_gone_measures_nothing_and_the_others_go_on():
    found = next(responses(targets(30.0, 20.0), [TimePoint(targets=targets(0.0, 20.0))]))
    assert (found.response, found.sum_mm) == (PR, 20.0)
    assert found.baseline_percent == pytest.approx(-60.0)


def test_nodes_count_by_their_short_axis_and_are_normal_under_ten_millimetres():
    assert over((16.0, 20.0), (9.9, 0.0), nodes=1) == [CR]
    assert over((16.0, 20.0), (10.0, 0.0), nodes=1) == [PR]
    assert next(responses(targets(16.0, nodes=1), [TimePoint(targets=targets(8.0, nodes=1))])).sum_mm == 8.0


@pytest.mark.parametrize(
    ("size_mm", "non_targets", "new", "expected"),
    [
        (0.0, NonTargets.NONE, NewLesion.NONE, CR),
        (0.0, NonTargets.GONE, NewLesion.NONE, CR),
        (0.0, NonTargets.PRESENT, NewLesion.NONE, PR),
        (0.0, NonTargets.UNKNOWN, NewLesion.NONE, PR),
        (10.0, NonTargets.PRESENT, NewLesion.NONE, PR),
        (10.0, NonTargets.UNKNOWN, NewLesion.NONE, PR),
        (20.0, NonTargets.UNKNOWN, NewLesion.NONE, SD),
        (None, NonTargets.PRESENT, NewLesion.NONE, NE),
        (0.0, NonTargets.WORSE, NewLesion.NONE, PD),
        (30.0, NonTargets.GONE, NewLesion.NONE, PD),
        *((size, other, NewLesion.UNEQUIVOCAL, PD) for size in (0.0, 20.0, None) for other in NonTargets),
        (20.0, NonTargets.PRESENT, NewLesion.EQUIVOCAL, SD),
        (0.0, NonTargets.NONE, NewLesion.EQUIVOCAL, CR),
    ],
)
def test_table_1(size_mm, non_targets, new, expected):
    assert over((20.0,), (size_mm,), non_targets=non_targets, new=new) == [expected]


@pytest.mark.parametrize(
    ("non_targets", "new", "expected"),
    [
        (NonTargets.GONE, NewLesion.NONE, CR),
        (NonTargets.PRESENT, NewLesion.NONE, NEITHER),
        (NonTargets.UNKNOWN, NewLesion.NONE, NE),
        (NonTargets.WORSE, NewLesion.NONE, PD),
        (NonTargets.GONE, NewLesion.UNEQUIVOCAL, PD),
    ],
)
def test_table_2_without_targets(non_targets, new, expected):
    (found,) = responses((), [TimePoint(targets=(), non_targets=non_targets, new=new)])
    assert found.response is expected
    assert (found.targets, found.sum_mm, found.baseline_percent) == (None, None, None)


def test_what_comes_back_after_a_complete_response_is_progression():
    points = [TimePoint(targets=targets(size)) for size in (0.0, 3.0, 0.0)]
    found = list(responses(targets(20.0), points))
    assert [one.response for one in found] == [CR, PD, CR]
    assert [one.returned for one in found] == [False, True, False]
    # After the complete response of a target alone its size goes back into the sum.
    assert over((20.0, 30.0), (0.0, 30.0), (5.5, 30.0)) == [PR, SD]


@given(st.lists(st.floats(0.0, 200.0), min_size=1, max_size=5), st.lists(st.floats(0.0, 200.0), min_size=1, max_size=5))
def test_a_missing_size_never_makes_it_better(baseline, later):
    later = (later * 5)[: len(baseline)]
    rank = {CR: 0, PR: 1, SD: 2, NE: 3, PD: 4}
    (whole,) = over(tuple(baseline), tuple(later))
    (part,) = over(tuple(baseline), (None, *later[1:]))
    assert part in (NE, PD)
    assert rank[part] >= rank[whole] or part is NE


def test_time_points_of_three_readers_of_a_trial(reference_data):
    """Lesions of the CDISC pilot data of pharmaverse, each with the response that comes with it (Apache-2.0)."""
    folder = reference_data / "11_response"
    with (folder / "recist_lesion_measurements.csv").open() as stream:
        rows = list(csv.DictReader(stream))
    with (folder / "recist_timepoint_expected.csv").open() as stream:
        expected = {(*_reader(row), float(row["VISITNUM"])): row["expected"] for row in csv.DictReader(stream)}
    found = {}
    for reader, mine in groupby(sorted(rows, key=_reader), key=_reader):
        found |= {(*reader, visit): response for visit, response in _of_reader(list(mine), _visits(expected, reader))}
    differing = {key: (response, expected[key]) for key, response in found.items() if response != expected[key]}
    assert len(found) == len(expected) == 66
    # The trial's data go by sums alone: there the disease that is seen after a complete response is a partial one.
    assert {(key[0], key[2], pair) for key, pair in differing.items()} == {
        ("01-701-1133", "RADIOLOGIST 2", ("PD", "PR"))
    }


def _reader(row):
    return row["USUBJID"], row["EVAL"], row["EVALID"]


def _visits(expected, reader):
    return sorted(key[3] for key in expected if key[:3] == reader)


def _of_reader(rows, visits):
    by_visit = {}
    for row in rows:
        by_visit.setdefault(float(row["VISITNUM"]), {})[row["LNK"]] = row
    first = by_visit[min(by_visit)]
    names = [name for name, row in first.items() if row["category"] == "TARGET"]
    others = [name for name, row in first.items() if row["category"] == "NON-TARGET"]

    def target(row, name):
        size = None if row is None or not row["TRSTRESN"] else float(row["TRSTRESN"])
        return Target(size_mm=size, node=first[name]["TRTESTCD"] == "LPERP")

    def state(seen):
        told = [seen[name]["TRSTRESC"] for name in others if name in seen]
        if not others:
            return NonTargets.NONE
        if "PRESENT" in told:
            return NonTargets.PRESENT
        return NonTargets.GONE if len(told) == len(others) else NonTargets.UNKNOWN

    points = [
        TimePoint(
            targets=tuple(target(by_visit.get(visit, {}).get(name), name) for name in names),
            non_targets=state(by_visit.get(visit, {})),
        )
        for visit in visits
    ]
    baseline = tuple(target(first[name], name) for name in names)
    return zip(visits, [one.response.value for one in responses(baseline, points)], strict=True)
