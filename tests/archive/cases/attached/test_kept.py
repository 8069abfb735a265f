"""What hangs at a comment is clean, also what was attached before files were cleaned."""

from __future__ import annotations

import pytest
from sqlalchemy import update
from tests.archive.cases.attached.made import jpeg, leaks
from tests.archive.cases.attached.test_pdf import filed, one_page
from tests.archive.cases.conftest import NOON

from bingcheng.archive.cases import tables
from bingcheng.archive.cases.attached.file import cleaned
from bingcheng.archive.cases.attached.kept import attach, attachment, clean_kept
from bingcheng.archive.cases.attached.taken import Taken
from bingcheng.archive.cases.discussion import comment, comments
from bingcheng.core.errors import InputError

ENCRYPTED = filed(one_page(), trailer=b"/Encrypt <<>>")


def test_what_was_attached_by_an_earlier_release_is_cleaned_or_given_to_nobody(two):
    case, table = two.case(), tables.case_attachment
    with two.workspace.writing() as connection:
        said = comment(connection, case, person=two.author, words="Look", now=NOON)
        numbers = [attach(connection, said, cleaned("a", b"words")) for _ in range(2)]
        for number, content in zip(numbers, (jpeg(), ENCRYPTED), strict=True):
            values = {"taken": None, "content": content, "size": len(content)}
            connection.execute(update(table).where(table.c.id == number).values(values))
            with pytest.raises(InputError) as refused:
                attachment(connection, case, number)
            assert refused.value.code == "archive.attachment-not-cleaned"
        clean_kept(connection)
        known, content = attachment(connection, case, numbers[0])
        assert leaks(content) == []
        assert (known.size, Taken.PLACE in known.taken, known.kind) == (len(content), True, "image/jpeg")
        with pytest.raises(InputError):
            attachment(connection, case, numbers[1])
        (shown,) = comments(connection, case)
        assert [one.taken is None for one in shown.attachments] == [False, True]


def test_a_comment_has_room_for_five_files(two):
    case = two.case()
    with two.workspace.writing() as connection:
        said = comment(connection, case, person=two.author, words="Look", now=NOON)
        for _ in range(5):
            attach(connection, said, cleaned("a", b"words"))
        with pytest.raises(InputError) as refused:
            attach(connection, said, cleaned("a", b"words"))
    assert refused.value.code == "archive.wrong-attachment"
