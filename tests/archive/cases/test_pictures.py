"""Pictures that wait for a person: a yes is to what was asked, and to nothing else."""

from __future__ import annotations

import pytest
from sqlalchemy import update
from tests.archive.cases.conftest import NOON
from tests.archive.deidentify.making import KEY, ct, written

from bingcheng.archive.cases import tables
from bingcheng.archive.cases.pictures import (
    PictureDecision,
    PictureQuestion,
    approvals,
    decide_picture,
    hold_back,
    left_out,
    pictures,
)
from bingcheng.archive.cases.selection import Chosen
from bingcheng.archive.deidentify.batch import Deidentifier, State
from bingcheng.archive.deidentify.devices import Region
from bingcheng.archive.deidentify.profile import Profile
from bingcheng.core.errors import InputError

TEXT, FACE = PictureQuestion.TEXT, PictureQuestion.FACE
CORNER = Region(x=0, y=0, width=2, height=1)


class Waiting:
    """One image of a case, de-identified again and again as persons decide."""

    def __init__(self, two, **changes):
        self.two, self.number, self.dataset = two, two.case(), ct(**changes)
        self.uid, self.series = str(self.dataset.SOPInstanceUID), str(self.dataset.SeriesInstanceUID)

    def prepared(self):
        original = Chosen(study_uid="1.2", series_uid=self.series, sop_uid=self.uid)
        with self.two.workspace.writing() as connection:
            said = approvals(connection, self.number)
            result = Deidentifier(profile=Profile.named("teaching"), key=KEY, approvals=said).one(written(self.dataset))
            if result.state is not State.DONE:
                hold_back(connection, self.number, original, result, no_faces=True)
        return result.state

    def says(self, *allowed, decision=PictureDecision.SHOW, **more):
        more |= {"allowed": allowed, "by": self.two.author, "now": NOON}
        with self.two.workspace.writing() as connection:
            return decide_picture(connection, self.number, self.uid, decision, **more)

    def seen(self):
        with self.two.workspace.reading() as connection:
            return pictures(connection, self.number)

    @property
    def approved(self):
        with self.two.workspace.reading() as connection:
            return approvals(connection, self.number)[self.uid]


def test_text_and_a_face_are_asked_together_and_a_yes_to_one_lets_nothing_pass(two):
    held = Waiting(two, BodyPartExamined="HEAD", BurnedInAnnotation="YES")
    assert held.prepared() is State.PERSON
    (one,) = held.seen()
    assert one.asks == {TEXT, FACE}
    assert len({str(reason) for reason in one.reasons}) == 2, "both reasons are said"
    for answered in ((), (TEXT,), (FACE,)):
        with pytest.raises(InputError) as refused:
            held.says(*answered)
        assert refused.value.code == "archive.case-picture-not-answered"
    assert held.prepared() is State.PERSON
    held.says(TEXT, FACE, regions=(CORNER,))
    assert held.prepared() is State.DONE
    assert held.approved.regions == (CORNER,)


@pytest.mark.parametrize(
    ("changes", "asked", "regions", "face"),
    [
        ({"BodyPartExamined": "CHEST", "BurnedInAnnotation": "YES"}, TEXT, (), False),
        ({"BodyPartExamined": "HEAD"}, FACE, None, True),
    ],
)
def test_what_was_not_asked_is_not_allowed(two, changes, asked, regions, face):
    held = Waiting(two, **changes)
    held.prepared()
    (one,) = held.seen()
    assert one.asks == {asked}
    assert len(one.reasons) == 1
    held.says(TEXT, FACE)
    assert (held.approved.regions, held.approved.face_allowed) == (regions, face)
    assert held.prepared() is State.DONE


def test_a_face_that_is_found_after_a_yes_to_the_text_waits_and_the_text_stays_answered(two):
    held = Waiting(two, BodyPartExamined="CHEST", BurnedInAnnotation="YES")
    held.prepared()
    held.says(TEXT, regions=(CORNER,))
    held.dataset.BodyPartExamined = "HEAD"
    assert held.prepared() is State.PERSON
    (one,) = held.seen()
    assert (one.asks, one.allowed, one.decision) == ({FACE}, {TEXT}, PictureDecision.WAITING)
    held.says(FACE)
    assert held.prepared() is State.DONE
    assert held.approved.regions == (CORNER,)


def test_who_is_asked_about_a_face_may_have_more_blanked_of_the_picture_that_was_seen(two):
    held = Waiting(two, BodyPartExamined="HEAD")
    held.prepared()
    with two.workspace.writing() as connection:
        row = dict(connection.execute(tables.case_picture.select()).one()._mapping)
        connection.execute(tables.case_picture.insert(), {**row, "id": None, "sop_uid": "1.9"})
    assert held.says(FACE, regions=(CORNER,), whole_series=True) == 2
    assert held.approved.regions == (CORNER,)
    with two.workspace.reading() as connection:
        assert approvals(connection, held.number)["1.9"].regions is None, "nobody looked for text in the others"


def test_a_yes_of_an_earlier_release_holds_for_what_it_was_said_to(two):
    held = Waiting(two, BodyPartExamined="HEAD", BurnedInAnnotation="YES")
    held.prepared()
    with two.workspace.writing() as connection:
        connection.execute(update(tables.case_picture).values(decision="show", asks=None, allowed=None))
    assert (held.approved.regions, held.approved.face_allowed) == ((), False)
    assert held.prepared() is State.PERSON
    assert [one.asks for one in held.seen()] == [{FACE}]


def test_what_may_not_leave_at_all_can_only_be_left_out(two):
    held = Waiting(two, SOPClassUID="1.2.840.10008.5.1.4.1.1.66")
    held.prepared()
    (one,) = held.seen()
    assert one.refused
    with pytest.raises(InputError):
        held.says(TEXT, FACE)
    held.says(decision=PictureDecision.LEAVE_OUT)
    with two.workspace.reading() as connection:
        assert left_out(connection, held.number) == {held.uid}, "though it can't be read who it is"


def test_what_is_decided_while_the_images_are_being_made_is_not_undone_by_it(two):
    """The images are made by what was decided before; what a person said meanwhile holds for the next time."""
    held = Waiting(two, BodyPartExamined="CHEST", BurnedInAnnotation="YES")
    held.prepared()
    original = Chosen(study_uid="1.2", series_uid=held.series, sop_uid=held.uid)
    with two.workspace.reading() as connection:
        said = approvals(connection, held.number)
    result = Deidentifier(profile=Profile.named("teaching"), key=KEY, approvals=said).one(written(held.dataset))
    held.says(TEXT, regions=(CORNER,))
    with two.workspace.writing() as connection:
        hold_back(connection, held.number, original, result, no_faces=True, asked=said)
    (one,) = held.seen()
    assert (one.decision, one.regions) == (PictureDecision.SHOW, (CORNER,))
    assert held.prepared() is State.DONE
