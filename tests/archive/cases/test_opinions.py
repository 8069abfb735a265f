"""Second opinions: their steps, who is told, and what is overdue."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from tests.archive.cases.conftest import NOON

from bingcheng.archive.cases.case import CaseStatus, set_status
from bingcheng.archive.cases.grants import Audience, Given, grant, grants, withdraw_grant
from bingcheng.archive.cases.notices import NoticeKind, set_muted
from bingcheng.archive.cases.opinions import (
    Conclusion,
    Confidence,
    OpinionState,
    answerable,
    ask_opinion,
    move_opinion,
    opinion,
    remind,
)
from bingcheng.archive.people.notice import notices, unread
from bingcheng.core.errors import InputError


def give(connection, two, case, **more):
    return grant(connection, Given.CASE, case, Audience.HOSPITAL, to=two.south, by=two.author, now=NOON, **more)


@pytest.fixture
def asked(two):
    case = two.case()
    with two.workspace.writing() as connection:
        give(connection, two, case)
        return ask_opinion(
            connection,
            case,
            asked_by=two.author,
            question="HCC?",
            hospital=two.south,
            person=None,
            due_on=date(2026, 3, 5),
            now=NOON,
        )


def told(two, person):
    with two.workspace.reading() as connection:
        return unread(connection, person)


def test_an_answer_is_kept_whole_and_told(two, asked):
    said = Conclusion(findings="washout", impression="HCC", confidence=Confidence.HIGH, agrees=True)
    with two.workspace.writing() as connection:
        move_opinion(connection, asked, OpinionState.ACCEPTED, by=two.other, now=NOON)
        move_opinion(connection, asked, OpinionState.ANSWERED, by=two.other, now=NOON, conclusion=said)
        assert opinion(connection, asked).conclusion == said
        for state in (OpinionState.ACCEPTED, OpinionState.DECLINED, OpinionState.WITHDRAWN):
            with pytest.raises(InputError) as refused:
                move_opinion(connection, asked, state, by=two.other, now=NOON)
            assert refused.value.code == "archive.case-wrong-step"
    assert (told(two, two.other), told(two, two.author)) == (1, 2)


def test_an_answer_needs_a_conclusion(two, asked):
    with two.workspace.writing() as connection, pytest.raises(InputError) as refused:
        move_opinion(connection, asked, OpinionState.ANSWERED, by=two.other, now=NOON, conclusion=Conclusion())
    assert refused.value.code == "archive.no-words"


def test_what_is_overdue_is_said_so_and_reminded_of_once_a_day(two, asked):
    late = NOON + timedelta(days=4)
    with two.workspace.writing() as connection:
        assert opinion(connection, asked).state(date(2026, 3, 5)) is OpinionState.OPEN
        assert opinion(connection, asked).state(date(2026, 3, 6)) is OpinionState.OVERDUE
        assert [remind(connection, moment) for moment in (NOON, late, late, late + timedelta(days=1))] == [0, 1, 0, 1]
    assert told(two, two.other) == 3


def test_who_is_asked_is_reminded_days_before_and_who_asked_is_told_when_it_is_overdue(two, asked):
    soon, late = NOON + timedelta(days=1), NOON + timedelta(days=4)
    with two.workspace.writing() as connection:
        before = len(notices(connection, two.other))
        assert [remind(connection, moment) for moment in (NOON, soon, soon + timedelta(days=1))] == [0, 1, 0]
        assert "due by" in notices(connection, two.other)[0].says.template
        assert (len(notices(connection, two.other)), len(notices(connection, two.author))) == (before + 1, 0)
        assert remind(connection, late) == 1
        assert "overdue" in notices(connection, two.author)[0].says.template
        assert {one.link for one in notices(connection, two.author)} == {f"/opinions/{asked}"}


@pytest.mark.parametrize("end", ["withdrawn grant", "withdrawn case"])
def test_nobody_is_reminded_of_a_case_that_is_shut_and_who_asked_is_told_why_nothing_comes(two, asked, end):
    late = NOON + timedelta(days=4)
    with two.workspace.writing() as connection:
        case = opinion(connection, asked).case
        assert answerable(connection, opinion(connection, asked), NOON)
        if end == "withdrawn grant":
            (given,) = grants(connection, Given.CASE, case)
            withdraw_grant(connection, Given.CASE, case, given.number, NOON)
        else:
            set_status(connection, case, CaseStatus.WITHDRAWN, NOON)
        assert not answerable(connection, opinion(connection, asked), NOON)
        before = unread(connection, two.other)
        assert [remind(connection, moment) for moment in (NOON + timedelta(days=1), late)] == [1, 1]
        assert unread(connection, two.other) == before
        (told,) = notices(connection, two.author)
        assert "not open to who should give it" in told.says.template


def test_who_asks_is_named_only_where_the_case_shows_it(two):
    for shown in (False, True):
        case = two.case(show_hospital=shown)
        with two.workspace.writing() as connection:
            ask_opinion(
                connection,
                case,
                asked_by=two.author,
                question="HCC?",
                hospital=two.south,
                person=two.other,
                due_on=None,
                now=NOON,
            )
            assert ("person" in notices(connection, two.other)[0].says.facts) is shown


def test_days_begin_and_end_where_the_installation_is(two, asked):
    due = datetime(2026, 3, 5, 15, 59)  # noqa: DTZ001 - UTC: in Shanghai the last minute of its day
    zone = ZoneInfo("Asia/Shanghai")
    with two.workspace.writing() as connection:
        remind(connection, due, zone=zone)
        assert unread(connection, two.author) == 0
        assert remind(connection, due + timedelta(minutes=1), zone=zone) == 1
        assert unread(connection, two.author) == 1


def test_who_muted_a_kind_is_left_in_peace(two, asked):
    with two.workspace.writing() as connection:
        set_muted(connection, two.author, [NoticeKind.OPINION])
        move_opinion(connection, asked, OpinionState.ACCEPTED, by=two.other, now=NOON)
    assert told(two, two.author) == 0
