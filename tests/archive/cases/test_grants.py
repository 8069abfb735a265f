"""Who may read a case: its own hospital while it is published, others while it is given to them."""

from __future__ import annotations

from datetime import timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.archive.cases.conftest import NOON, inhabited
from tests.archive.empty import empty_workspace

from bingcheng.archive.cases.case import CaseStatus
from bingcheng.archive.cases.grants import Audience, Given, grant, granted, spaces_granted, withdraw_grant
from bingcheng.archive.people.hospital_group import make_group
from bingcheng.core.errors import InputError


def readable(two, hospital, now=NOON):
    with two.workspace.reading() as connection:
        return spaces_granted(connection, hospital, now)


def give(two, number, audience, to=None, **more):
    with two.workspace.writing() as connection:
        return grant(connection, Given.CASE, number, audience, to=to, by=two.author, now=NOON, **more)


def test_a_published_case_is_read_by_its_own_hospital_alone(two):
    number = two.case()
    assert readable(two, two.north) == (f"case/{number}",)
    assert readable(two, two.south) == readable(two, None) == ()


@pytest.mark.parametrize("status", [CaseStatus.DRAFT, CaseStatus.WITHDRAWN])
def test_what_is_not_published_nobody_reads_whatever_was_granted(two, status):
    number = two.case(status=status)
    give(two, number, Audience.PROVINCE)
    assert readable(two, two.north) == readable(two, two.south) == readable(two, None) == ()


@pytest.mark.parametrize("status", list(CaseStatus))
def test_who_publishes_looks_at_the_drafts_of_the_own_hospital_alone(two, status):
    number = two.case(status=status)
    with two.workspace.reading() as connection:
        own = spaces_granted(connection, two.north, NOON, publishes=True)
        others = [spaces_granted(connection, one, NOON, publishes=True) for one in (two.south, None)]
    assert own == (() if status is CaseStatus.WITHDRAWN else (f"case/{number}",))
    assert others == [(), ()]


def test_a_grant_to_the_province_reaches_all_hospitals_and_its_own_people(two):
    number = two.case()
    give(two, number, Audience.PROVINCE)
    assert readable(two, two.south) == readable(two, None) == (f"case/{number}",)


def test_a_grant_to_a_group_reaches_its_members(two):
    number = two.case()
    with two.workspace.writing() as connection:
        group, empty = make_group(connection, "Liver", [two.south]), make_group(connection, "None", [])
    give(two, number, Audience.GROUP, empty)
    assert readable(two, two.south) == ()
    give(two, number, Audience.GROUP, group)
    assert readable(two, two.south) == (f"case/{number}",)
    assert readable(two, None) == ()


def test_taking_away_needs_a_grant_that_says_so(two):
    number = two.case()
    give(two, number, Audience.HOSPITAL, two.south)
    with two.workspace.reading() as connection:
        assert granted(connection, Given.CASE, number, two.south, NOON)
        assert not granted(connection, Given.CASE, number, two.south, NOON, download=True)
        assert not granted(connection, Given.COLLECTION, number, two.south, NOON)


@pytest.mark.parametrize(
    ("audience", "to", "hours"), [("hospital", 99, 1), ("group", 99, 1), ("hospital", None, 1), ("province", 1, 1)]
)
def test_a_grant_to_nobody_is_refused(two, audience, to, hours):
    number = two.case()
    with pytest.raises(InputError) as refused:
        give(two, number, Audience(audience), to, expires_at=NOON + timedelta(hours=hours))
    assert refused.value.code == "archive.wrong-audience"
    with pytest.raises(InputError):
        give(two, number, Audience.PROVINCE, expires_at=NOON)


@settings(max_examples=25, deadline=None)
@given(
    grants=st.lists(
        st.tuples(
            st.sampled_from(["hospital", "province"]),
            st.none() | st.integers(1, 48),
            st.none() | st.integers(0, 48),
        ),
        max_size=4,
    ),
    asked=st.integers(0, 48),
)
def test_after_its_end_or_withdrawal_nobody_but_the_owner_reads(tmp_path_factory, grants, asked):
    """Against a model in three lines: given while some grant has begun, is not taken back and has not ended."""
    workspace = empty_workspace(tmp_path_factory.mktemp("grants") / "workspace")
    try:
        two = inhabited(workspace)
        number, now = two.case(), NOON + timedelta(hours=asked)
        expected = False
        for audience, ends, taken in grants:
            to = two.south if audience == "hospital" else None
            end = None if ends is None else NOON + timedelta(hours=ends)
            made = give(two, number, Audience(audience), to, expires_at=end)
            if taken is not None and taken <= asked:
                with workspace.writing() as connection:
                    assert withdraw_grant(connection, Given.CASE, number, made, NOON + timedelta(hours=taken))
                    assert not withdraw_grant(connection, Given.CASE, number, made, now)
            gone = taken is not None and taken <= asked
            expected = expected or (not gone and (ends is None or asked < ends))
        assert readable(two, two.south, now) == ((f"case/{number}",) if expected else ())
        assert readable(two, two.north, now) == (f"case/{number}",)
    finally:
        workspace.close()
