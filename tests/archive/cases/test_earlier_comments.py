"""Comments of before are looked through once, and moderators decide about what is found."""

from __future__ import annotations

from datetime import timedelta

from tests.archive.cases.conftest import NOON

from bingcheng.archive.cases.attached.file import cleaned
from bingcheng.archive.cases.attached.kept import attach
from bingcheng.archive.cases.discussion import comment, delete_comment, hide_comment
from bingcheng.archive.cases.earlier_comments import search_earlier_comments
from bingcheng.archive.cases.reports import open_reports, report, settle
from bingcheng.archive.people.notice import notices

PHONE = "Call 13812345678"


def test_what_tells_who_it_is_waits_for_a_moderator_and_the_words_are_not_repeated(two):
    case = two.case()
    with two.workspace.writing() as connection:

        def say(words, person=two.author):
            return comment(connection, case, person=person, words=words, now=NOON)

        first, plain, elsewhere, gone = say(PHONE), say("A liver"), say(PHONE, two.other), say(PHONE)
        hidden, in_file = say(PHONE), say("See")
        attach(connection, in_file, cleaned("a.txt", b"seen on 2024-03-05"))
        delete_comment(connection, case, gone, person=two.author, now=NOON)
        hide_comment(connection, case, hidden, by=two.author, because="x", now=NOON)
        assert search_earlier_comments(connection, NOON + timedelta(days=1)) == 2
        found = open_reports(connection, hospital=two.north)
        assert [(one.comment, one.person) for one in found] == [(first, None), (in_file, None)]
        assert "a number of the patient or the exam in “Comment” at character 6" in str(found[0].because)
        assert "a date in “Words in the file 1” at character 9" in str(found[1].because)
        assert "138" not in str(found[0].because)
        assert {one.comment for one in found}.isdisjoint({plain, elsewhere})
        (told,) = notices(connection, two.author)
        assert told.link == "/reported"
        assert notices(connection, two.other) == ()
        report(connection, case, first, person=two.other, because="odd", now=NOON)
        assert [one.person for one in open_reports(connection, case=case)] == [None, two.other, None]
        settle(connection, first, NOON)
        assert [one.comment for one in open_reports(connection, case=case)] == [in_file]
