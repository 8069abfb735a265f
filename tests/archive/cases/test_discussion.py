"""Threads, their history, and files that hang at them."""

from __future__ import annotations

from types import SimpleNamespace

import pytest
from tests.archive.cases.conftest import NOON

from bingcheng.archive.cases.attached.file import cleaned
from bingcheng.archive.cases.attached.kept import attach, attachment
from bingcheng.archive.cases.discussion import (
    Anchor,
    comment,
    comment_of,
    comments,
    delete_comment,
    earlier_words,
    edit_comment,
    hide_comment,
    mentioned,
    put_back_comment,
    show_comment,
    threads,
    unmet,
)
from bingcheng.archive.cases.reports import open_reports, report, settle
from bingcheng.core.errors import InputError


def test_answers_stay_in_their_thread_and_at_its_place(two):
    case = two.case()
    with two.workspace.writing() as connection:
        place = Anchor(sop_uid="1.2", frame=3, x=4.0, y=5.0)
        first = comment(connection, case, person=two.author, words="Look", now=NOON, anchor=place)
        second = comment(connection, case, person=two.other, words="Yes", now=NOON, answers=first)
        comment(connection, case, person=two.author, words="And?", now=NOON, answers=second)
        ((begin, answers),) = threads(comments(connection, case))
    assert begin.number == first
    assert [one.words for one in answers] == ["Yes", "And?"]
    assert {one.anchor for one in answers} == {place}


def test_a_comment_of_another_case_can_be_neither_answered_nor_changed(two):
    case, another = two.case(), two.case()
    with two.workspace.writing() as connection:
        said = comment(connection, case, person=two.author, words="Look", now=NOON)
        for act in (
            lambda: comment(connection, another, person=two.author, words="x", now=NOON, answers=said),
            lambda: edit_comment(connection, another, said, "x", person=two.author, now=NOON),
            lambda: edit_comment(connection, case, said, "x", person=two.other, now=NOON),
            lambda: delete_comment(connection, case, said, person=two.other, now=NOON),
            lambda: hide_comment(connection, another, said, by=two.author, because="x", now=NOON),
        ):
            with pytest.raises(InputError) as refused:
                act()
            assert refused.value.code == "archive.not-found"


def test_every_wording_is_kept_and_what_is_hidden_stays_hidden(two):
    case = two.case()
    with two.workspace.writing() as connection:
        said = comment(connection, case, person=two.author, words="one", now=NOON)
        number = attach(connection, said, cleaned("a.txt", b"text"))
        edit_comment(connection, case, said, "two", person=two.author, now=NOON)
        edit_comment(connection, case, said, "three", person=two.author, now=NOON)
        assert [words for _, words in earlier_words(connection, said)] == ["two", "one"]
        assert attachment(connection, case, number)[1] == b"text"
        hide_comment(connection, case, said, by=two.other, because="rude", now=NOON)
        assert not comment_of(connection, case, said).shown
        for act in (
            lambda: attachment(connection, case, number),
            lambda: edit_comment(connection, case, said, "four", person=two.author, now=NOON),
        ):
            with pytest.raises(InputError):
                act()


def test_what_was_taken_back_or_hidden_can_be_seen_again_and_a_report_is_settled(two):
    case = two.case()
    with two.workspace.writing() as connection:
        said = comment(connection, case, person=two.author, words="Look", now=NOON)
        delete_comment(connection, case, said, person=two.author, now=NOON)
        with pytest.raises(InputError):
            put_back_comment(connection, case, said, person=two.other)
        put_back_comment(connection, case, said, person=two.author)
        report(connection, case, said, person=two.other, because="a name", now=NOON)
        for person in (two.other, two.author):
            with pytest.raises(InputError):
                report(connection, case, said, person=person, because="again, or one's own", now=NOON)
        assert [one.because for one in open_reports(connection, hospital=two.north)] == ["a name"]
        assert open_reports(connection, hospital=two.south) == ()
        hide_comment(connection, case, said, by=two.author, because="a name", now=NOON)
        settle(connection, said, NOON)
        show_comment(connection, case, said)
        assert comment_of(connection, case, said).shown
        assert open_reports(connection, case=case) == ()


def test_people_are_named_after_an_at_sign_by_name_or_login_and_in_no_address():
    people = [SimpleNamespace(number=number, name=name, login=login) for number, name, login in PEOPLE]
    words = "@li.wei and (@Zhang San), @王医生看看, not a@example.org; @li.wei. @nobody @Zhang Sanders"
    assert mentioned(words, people) == (1, 2, 3)
    assert unmet(words, people) == ("nobody", "Zhang")


PEOPLE = ((1, "Li Wei", "li.wei"), (2, "Zhang San", "zs"), (3, "王医生", "wang"), (4, "王", "w2"))
