"""What is written about a case: key images among it."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest
from tests.archive.cases.conftest import NOON

from bingcheng.archive.cases.case import (
    MOST_KEY_IMAGES,
    SITTING,
    CaseStatus,
    KeyImage,
    Written,
    case,
    change_case,
    versions,
)
from bingcheng.archive.cases.search import Reader, Search, search
from bingcheng.archive.codec import decoded, encoded
from bingcheng.core.errors import InputError


def write(two, number, *images, by=None, after=timedelta(0), **fields):
    with two.workspace.writing() as connection:
        said = replace(case(connection, number).written, key_images=images, **fields)
        return change_case(connection, number, said, person=by or two.author, now=NOON + after)


def images(two, number):
    with two.workspace.reading() as connection:
        return case(connection, number).written.key_images


def test_what_was_written_before_there_were_key_images_is_read():
    said = encoded(Written(title="Old"))
    assert decoded(Written, said.replace('"key_images":[],', "")) == Written(title="Old")


def test_key_images_belong_to_the_version_in_which_they_were_marked(two):
    number = two.case()
    key = KeyImage(sop_uid="2.25.1", x=3.0, y=4.0, note="  Washout \n here ")
    assert write(two, number, key) == 2
    assert images(two, number) == (replace(key, note="Washout here"),)
    with two.workspace.reading() as connection:
        assert [len(one.written.key_images) for one in versions(connection, number)] == [1, 0]


def test_key_images_marked_in_a_draft_one_soon_after_the_other_are_of_one_version(two):
    number = two.case(status=CaseStatus.DRAFT)
    one, other = KeyImage(sop_uid="2.25.1"), KeyImage(sop_uid="2.25.2")
    assert write(two, number, one) == 2, "what was written before can still be restored"
    assert write(two, number, one, other, after=SITTING) == 2
    assert write(two, number, other, after=2 * SITTING) == 2
    with two.workspace.reading() as connection:
        assert [len(each.written.key_images) for each in versions(connection, number)] == [1, 0]
        assert case(connection, number).version == 2
    assert write(two, number, one, after=4 * SITTING) == 3, "another sitting"
    assert write(two, number, after=4 * SITTING, by=two.other) == 4, "another person"
    assert write(two, number, title="Written anew", after=4 * SITTING, by=two.other) == 5, "more than key images"
    assert write(two, number, one, after=4 * SITTING, by=two.other) == 6, "what was written keeps its version"


def test_what_is_published_has_a_version_for_each_change(two):
    number = two.case()
    assert [write(two, number, *(KeyImage(sop_uid=f"2.25.{one}") for one in range(count))) for count in (1, 2)] == [
        2,
        3,
    ]


def test_a_place_stands_once_with_the_note_that_was_written_last(two):
    number = two.case()
    first = KeyImage(sop_uid="2.25.1", x=3.0, y=4.0, note="a")
    write(two, number, first, KeyImage(sop_uid="2.25.1"), replace(first, note="b"))
    assert [(one.x, one.note) for one in images(two, number)] == [(3.0, "b"), (None, "")]


@pytest.mark.parametrize(
    "wrong",
    [
        tuple(KeyImage(sop_uid=f"2.25.{one}") for one in range(MOST_KEY_IMAGES + 1)),
        (KeyImage(sop_uid="2.25.1", note="x" * 201),),
    ],
)
def test_too_many_or_too_long_is_refused(two, wrong):
    number = two.case()
    with pytest.raises(InputError) as told:
        write(two, number, *wrong)
    assert told.value.code == "archive.case-many-key-images"
    assert images(two, number) == ()


def test_notes_are_found_by_their_words_and_searched_for_who_the_patient_is(two):
    number = two.case()
    write(two, number, KeyImage(sop_uid="2.25.1", note="Capsule retraction"))
    with two.workspace.reading() as connection:
        found = search(connection, Reader(hospital=two.north), Search(words="retraction"), NOON)
        assert [one.number for one in found.cases] == [number]
        assert case(connection, number).written.texts()["key image 1"] == "Capsule retraction"
