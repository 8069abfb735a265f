from __future__ import annotations

import pytest
from tests.archive.deidentify.making import KEY, ct, read, written

from bingcheng.archive.deidentify.batch import Approval, Deidentifier, State
from bingcheng.archive.deidentify.profile import Profile


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
def test_a_face_is_flagged_and_a_profile_without_faces_lets_none_through(changes, possible):
    dataset = ct(**changes)
    follow_up = Deidentifier(profile=Profile.named("research-follow-up"), key=KEY).one(written(dataset))
    assert follow_up.state is State.DONE
    assert read(follow_up.data).RecognizableVisualFeatures == ("YES" if possible else "NO")
    teaching = Deidentifier(profile=Profile.named("teaching"), key=KEY).one(written(dataset))
    assert (teaching.state is State.PERSON) is possible
    if possible:
        assert teaching.problem.code == "archive.face-needs-a-person"
        allowed = {str(dataset.SOPInstanceUID): Approval(face_allowed=True)}
        again = Deidentifier(profile=Profile.named("teaching"), key=KEY, approvals=allowed).one(written(dataset))
        assert again.state is State.DONE
