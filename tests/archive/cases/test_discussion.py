"""Threads, their history, and files that hang at them."""

from __future__ import annotations

import pytest
from tests.archive.cases.conftest import NOON

from bingcheng.archive.cases.discussion import (
    Anchor,
    attach,
    attachment,
    comment,
    comment_of,
    comments,
    delete_comment,
    earlier_words,
    edit_comment,
    file_name,
    hide_comment,
    kind_of,
    mentioned,
    threads,
)
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
        number = attach(connection, said, "a.txt", b"text")
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


@pytest.mark.parametrize(
    ("content", "kind"),
    [
        (b"\x89PNG\r\n\x1a\nrest", "image/png"),
        (b"\xff\xd8\xff\xe0", "image/jpeg"),
        (b"%PDF-1.7", "application/pdf"),
        ("患者".encode(), "text/plain"),
        (b"", None),
        (b"  \n", None),
        (b"<html><script>", None),
        (b"\xef\xbb\xbf <svg onload=x>", None),
        (b"MZ\x90\x00", None),
        (b"PK\x03\x04", None),
        (bytes(128) + b"DICM", None),
    ],
)
def test_a_file_is_what_its_content_says(content, kind):
    assert kind_of(content) == kind


@pytest.mark.parametrize(
    ("name", "kept"),
    [
        ("../../etc/passwd", "passwd.txt"),
        ("C:\\x\\scan.exe", "scan.txt"),
        ('a"b\r\nc.txt', "a_b_c.txt"),
        ("", "file.txt"),
        ("片子.txt", "片子.txt"),
    ],
)
def test_a_file_is_kept_under_a_harmless_name(name, kept):
    assert file_name(name, "text/plain") == kept


def test_logins_are_found_after_an_at_sign_and_in_no_address():
    assert mentioned("@li.wei and (@zhang) but not a@example.org, @li.wei.") == ("li.wei", "zhang")
