"""Objects that came twice with other bytes: compared, decided, and what each may see of them."""

from __future__ import annotations

import io

import pytest
from pydicom import dcmread
from pydicom.dataset import Dataset
from pydicom.sequence import Sequence
from tests.archive.dimse.making import file_of, image
from tests.server.examples import OBJECT, STUDY, ct_file

from bingcheng.archive.audit.event import EventAction
from bingcheng.archive.audit.trail import Asked, events
from bingcheng.archive.authorisation import Role, Scope
from bingcheng.archive.objects.received import Origin
from bingcheng.archive.people.person import set_rights
from bingcheng.server.dicom_admin.differences import LONGEST, MOST, differences

SENT = Origin(kind="dimse", peer="CT1@192.0.2.7")
AGAIN = Origin(kind="dimse", peer="<i>CT2@192.0.2.8")
CHANGED = "Nobody&Knows"


def receive(served, data, *, hospital=None, origin=SENT):
    space = f"hospital/{hospital or served.north}"
    return served.site.objects.receive(data, space=space, origin=origin)


@pytest.fixture
def conflict(served) -> int:
    receive(served, ct_file())
    receive(served, ct_file(CHANGED), origin=AGAIN)
    (found,) = served.site.objects.conflicts([f"hospital/{served.north}"])
    return found.id


def stored(served) -> bytes:
    found = served.site.objects.instance([f"hospital/{served.north}"], None, None, OBJECT)
    with served.site.objects.open_bytes(found) as stream:
        return stream.read()


def left(served):
    return served.site.objects.conflicts([f"hospital/{served.north}", f"hospital/{served.south}"])


def test_without_conflicts_the_page_says_what_one_would_be(served):
    assert "No conflict." in served.browser("site-admin").get("/admin/conflicts").text


def test_who_sees_no_exams_sees_which_attributes_differ_but_no_value(served, conflict):
    admin = served.browser("site-admin")
    listed = admin.get("/admin/conflicts").text
    assert OBJECT in listed
    assert "CT Image Storage" in listed
    assert "&lt;i&gt;CT2@192.0.2.8" in listed
    shown = admin.get(f"/admin/conflicts/{conflict}").text
    assert "Series Description" in shown
    assert "(0008,103E)" in shown
    assert "CT1@192.0.2.7" in shown
    assert "Nobody" not in shown


def test_who_sees_exams_sees_the_values_too(served, conflict):
    with served.site.workspace.writing() as connection:
        set_rights(connection, served.people["site-admin"], roles=[Role.SITE_ADMIN, Role.PHYSICIST], disabled_at=None)
    path = f"/admin/conflicts/{conflict}"
    assert "Nobody&amp;Knows" in served.browser("site-admin").get(path).text
    # A program sees what its scopes say, whoever its person is.
    assert "Nobody" not in served.program("site-admin", Scope.DICOM_DELETE).get(path).text
    assert "Nobody&amp;Knows" in served.program("site-admin", Scope.DICOM_DELETE, Scope.DICOM_READ).get(path).text


@pytest.mark.parametrize(("keep", "kept"), [("stored", ct_file()), ("received", ct_file(CHANGED))])
def test_one_of_the_two_is_kept_once_somebody_is_sure(served, conflict, keep, kept):
    admin = served.browser("site-admin")
    path = f"/admin/conflicts/{conflict}"
    unsure = admin.post(path, data={"keep": keep})
    assert unsure.status_code == 400
    assert "was not confirmed" in unsure.text
    assert stored(served) == ct_file()
    assert admin.post(path, data={"keep": keep, "sure": "true"}).status_code == 303
    assert stored(served) == kept
    assert left(served) == []
    assert admin.post(path, data={"keep": keep, "sure": "true"}).status_code == 404
    with served.site.workspace.reading() as connection:
        told = [one.event for one in events(connection, Asked(study_uid=STUDY))]
    assert any(one.subject == f"conflict/{conflict}/{keep}" and one.action is EventAction.UPDATE for one in told)


def test_what_can_not_be_kept_is_refused(served, conflict):
    answer = served.browser("site-admin").post(f"/admin/conflicts/{conflict}", data={"keep": "both", "sure": "true"})
    assert answer.status_code == 422
    assert len(left(served)) == 1


def test_a_series_that_came_again_is_decided_at_once(served):
    for number in (1, 2, 3):
        receive(served, file_of(image(number=number)))
        receive(served, file_of(image(number=number, SeriesDescription="again")))
        receive(served, file_of(image(number=number, series=2)))
        receive(served, file_of(image(number=number, series=2, SeriesDescription="again")))
    first = left(served)[0]
    admin = served.browser("site-admin")
    assert "all 3 objects of this series" in admin.get(f"/admin/conflicts/{first.id}").text
    given = {"keep": "received", "sure": "true", "series": "true"}
    assert admin.post(f"/admin/conflicts/{first.id}", data=given).status_code == 303
    assert {one.series_uid for one in left(served)} == {"1.2.3.1.2"}
    assert len(left(served)) == 3


def test_conflicts_of_another_hospital_are_neither_seen_nor_decided(served, conflict):
    other = served.browser("other-site-admin")
    path = f"/admin/conflicts/{conflict}"
    assert OBJECT not in other.get("/admin/conflicts").text
    assert other.get(path).status_code == 404
    assert other.post(path, data={"keep": "received", "sure": "true"}).status_code == 404
    assert len(left(served)) == 1


def test_a_conflict_whose_stored_object_was_deleted_is_still_decided(served, conflict):
    served.site.objects.remove(f"hospital/{served.north}", STUDY)
    admin = served.browser("site-admin")
    assert "can&#39;t be compared" in admin.get(f"/admin/conflicts/{conflict}").text
    given = {"keep": "received", "sure": "true"}
    assert admin.post(f"/admin/conflicts/{conflict}", data=given).status_code == 303
    assert stored(served) == ct_file(CHANGED)


def compared(before: Dataset, after: Dataset):
    return differences(io.BytesIO(file_of(before)), io.BytesIO(file_of(after)))


def test_names_items_and_absent_attributes_are_compared():
    reference = Dataset()
    reference.ReferencedSOPInstanceUID = "1.2.3"
    other = Dataset()
    other.ReferencedSOPInstanceUID = "1.2.4"
    before = image(ReferencedImageSequence=Sequence([reference]))
    after = image(ReferencedImageSequence=Sequence([other]), PatientName="Li^Na=李^娜", PatientComments="x")
    found = {one.path: one for one in compared(before, after)}
    assert found["(0010,0010)"].received == "Li^Na=李^娜"
    assert found["(0010,4000)"].stored is None
    assert found["(0010,4000)"].name == "Patient Comments"
    assert found["(0008,1140)[1] (0008,1155)"].stored == "1.2.3"
    assert found["(0008,1140)[1] (0008,1155)"].name == "Referenced SOP Instance UID"
    assert len(found) == 3


def test_the_way_in_which_a_header_is_written_makes_no_difference():
    one = image()
    read = dcmread(io.BytesIO(file_of(one)))
    read.file_meta.TransferSyntaxUID = "1.2.840.10008.1.2"
    assert compared(one, read) == []


def test_pixels_alone_make_no_difference_in_the_header():
    assert compared(image(), image(PixelData=bytes(128))) == []


def test_long_values_and_long_lists_are_cut():
    private = Dataset()
    private.add_new(0x00090010, "LO", "SOMEBODY")
    for element in range(0x1000, 0x1000 + MOST):
        private.add_new((0x0009, element), "LO", "x")
    after = image(PatientComments="x" * 2 * LONGEST)
    after.update(private)
    found = compared(image(), after)
    assert len(found) == MOST
    assert found[0].name == ""
    (comment,) = compared(image(), image(PatientComments="x" * 2 * LONGEST))
    assert len(comment.received) == LONGEST + 1
