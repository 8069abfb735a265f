"""Who could be recognised by a face that a computer makes of slices: nobody leaves without a person's yes."""

from __future__ import annotations

import pytest
from tests.archive.deidentify.making import KEY, ct, read, written

from bingcheng.archive.deidentify.batch import Approval, Deidentifier, State
from bingcheng.archive.deidentify.profile import Option, Profile, known_profiles


@pytest.mark.parametrize(
    ("changes", "possible"),
    [
        ({"BodyPartExamined": "HEAD", "StudyDescription": ""}, True),
        ({"BodyPartExamined": "", "StudyDescription": "MRI Brain"}, True),
        ({"BodyPartExamined": "", "StudyDescription": "", "SeriesDescription": "PET WB"}, True),
        ({"BodyPartExamined": "", "StudyDescription": "鼻咽增强", "SpecificCharacterSet": "GB18030"}, True),
        ({"BodyPartExamined": "", "StudyDescription": "X"}, True),
        ({"BodyPartExamined": "CHEST"}, False),
        ({"BodyPartExamined": "", "StudyDescription": "肝脏", "SpecificCharacterSet": "GB18030"}, False),
    ],
)
def test_a_face_is_flagged_and_no_profile_that_ships_lets_one_through_without_a_person(changes, possible):
    dataset = ct(**changes)
    for name in known_profiles():
        result = Deidentifier(profile=Profile.named(name), key=KEY).one(written(dataset))
        assert (result.state is State.PERSON) is possible
        assert possible or read(result.data).RecognizableVisualFeatures == "NO"
        if possible:
            assert result.problem.code == "archive.face-needs-a-person"
            assert result.data is None
            allowed = {str(dataset.SOPInstanceUID): Approval(face_allowed=True)}
            again = Deidentifier(profile=Profile.named(name), key=KEY, approvals=allowed).one(written(dataset))
            assert again.state is State.DONE
            assert read(again.data).RecognizableVisualFeatures == "YES"


def test_who_looked_for_text_has_not_allowed_a_face():
    dataset = ct(BodyPartExamined="HEAD")
    looked = {str(dataset.SOPInstanceUID): Approval(regions=())}
    result = Deidentifier(profile=Profile.named("basic"), key=KEY, approvals=looked).one(written(dataset))
    assert result.problem.code == "archive.face-needs-a-person"


def test_a_profile_of_a_hospital_s_own_may_let_faces_pass_and_says_so_in_each_object():
    ours = Profile(name="ours", label="", says="", options=frozenset((Option.MODIFIED_DATES,)))
    result = Deidentifier(profile=ours, key=KEY).one(written(ct(BodyPartExamined="HEAD")))
    assert read(result.data).RecognizableVisualFeatures == "YES"
