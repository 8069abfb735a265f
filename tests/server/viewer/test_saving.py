"""What people draw in the viewer: whose it becomes, and what is refused."""

from __future__ import annotations

import warnings
from io import BytesIO

import pydicom
import pytest
from benchmarks.exchange_objects import file_of, image, uid_of
from pydicom.dataset import Dataset
from sqlalchemy import select, update

from bingcheng.archive.authorisation import Role, hospital_space
from bingcheng.archive.dicomweb.tables import stored_content
from bingcheng.archive.objects.problems import NO_FILE
from bingcheng.archive.objects.received import Origin
from bingcheng.archive.objects.tables import stored_instance
from bingcheng.core.errors import RemoteError
from bingcheng.server.viewer.drawn import drawings

CT, REPORT = "1.2.840.10008.5.1.4.1.1.2", "1.2.840.10008.5.1.4.1.1.88.33"
EXAM, OTHERS = "exam", "others"
KIND = 'multipart/related; type="application/dicom"; boundary="xyz"'


def coded(value: str, meaning: str) -> list[Dataset]:
    made = Dataset()
    made.CodeValue, made.CodingSchemeDesignator, made.CodeMeaning = value, "DCM", meaning
    return [made]


def item(kind: str, code: str, name: str, **more: object) -> Dataset:
    made = Dataset()
    made.ValueType, made.ConceptNameCodeSequence = kind, coded(code, name)
    for keyword, value in more.items():
        setattr(made, keyword, value)
    return made


def report(study: str = EXAM, *, on: str | None = None, number: int = 1, **more: object) -> bytes:
    """A report as the viewer writes it: one length on one image."""
    referred, value = Dataset(), Dataset()
    referred.ReferencedSOPClassUID, referred.ReferencedSOPInstanceUID = CT, on or uid_of(study, "ct", 1)
    value.NumericValue, value.MeasurementUnitsCodeSequence = "23.4", coded("mm", "millimeter")
    place = item("SCOORD", "121055", "Path", ContentSequence=[item("IMAGE", "121324", "Source")])
    place.GraphicType, place.GraphicData = "POLYLINE", [1.0, 2.0, 3.0, 4.0]
    place.ContentSequence[0].ReferencedSOPSequence = [referred]
    length = item("NUM", "410668003", "Length", MeasuredValueSequence=[value], ContentSequence=[place])
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # three letters more than a code may have, but so the viewer writes it
        name = item("CODE", "121071", "Finding", ConceptCodeSequence=coded("CORNERSTONEFREETEXT", "Liver VI"))
    group = item("CONTAINER", "125007", "Measurement Group", ContentSequence=[name, length])
    made = image(study, "drawn", number, **{"Modality": "SR", "SeriesDescription": "My report"} | more)
    for keyword in ("PixelData", "Rows", "Columns"):
        del made[keyword]
    made.SOPClassUID = more.get("SOPClassUID", REPORT)
    made.ValueType, made.ConceptNameCodeSequence = "CONTAINER", coded("126000", "Imaging Measurement Report")
    made.ContentSequence = [item("CONTAINER", "126010", "Imaging Measurements", ContentSequence=[group])]
    return file_of(made)


@pytest.fixture
def hospitals(served):
    """An exam of the north, and one of the south."""
    for study, hospital in ((EXAM, served.north), (OTHERS, served.south)):
        for number in (1, 2):
            served.site.objects.receive(
                file_of(image(study, "ct", number)),
                space=hospital_space(hospital),
                origin=Origin(kind="import", peer="test"),
            )
    return served


def place(study: str = EXAM) -> str:
    return f"/viewer/exams/{uid_of(study)}/drawn"


def sent(client, file: bytes, study: str = EXAM, **headers: str):
    body = b"--xyz\r\nContent-Type: application/dicom\r\n\r\n" + file + b"\r\n--xyz--\r\n"
    return client.post(place(study), content=body, headers={"content-type": KIND, **headers})


def held(served, hospital: int) -> set[str]:
    with served.site.workspace.reading() as connection:
        found = connection.execute(select(stored_instance.c.sop_uid, stored_instance.c.origin_kind)).all()
    space = hospital_space(hospital)
    of_space = {one.sop_uid for one in served.site.objects.instances_of([space], uid_of(EXAM))}
    return {row.sop_uid for row in found if row.origin_kind == "drawn" and row.sop_uid in of_space}


def test_a_report_becomes_part_of_the_exam_in_the_name_of_who_drew_it(hospitals):
    client, file = hospitals.browser("radiologist"), report()
    assert len(client.get(place()).json()["token"]) == 64
    assert sent(client, file).json() == {"kept": 1}
    assert held(hospitals, hospitals.north) == {uid_of(EXAM, "drawn", 1)}
    assert held(hospitals, hospitals.south) == set()
    (found,) = drawings(hospitals.site.objects, hospital_space(hospitals.north), uid_of(EXAM))
    assert (found.author, found.description) == ("Radiologist", "My report")
    (measured,) = found.measured
    assert measured.label == "Liver VI"
    assert [(one.name, one.value, one.unit) for one in measured.numbers] == [("Length", 23.4, "mm")]
    assert f"initialSOPInstanceUID={uid_of(EXAM, 'ct', 1)}" in found.link


def test_the_exams_page_shows_it_as_a_persons(hospitals):
    client = hospitals.browser("radiologist")
    sent(client, report())
    page = client.get(f"/exam/{uid_of(EXAM)}", headers={"accept": "text/html"})
    assert page.status_code == 200
    for words in ("Drawn by people in the viewer", "Radiologist", "Liver VI", "Length", "23.4", "mm"):
        assert words in page.text


def test_what_a_page_tells_of_it_is_in_the_database_and_no_file_is_opened_for_it(hospitals, monkeypatch):
    client, objects = hospitals.browser("radiologist"), hospitals.site.objects
    sent(client, report())
    before = drawings(objects, hospital_space(hospitals.north), uid_of(EXAM))
    with hospitals.site.workspace.writing() as connection:
        connection.execute(update(stored_content).values(revision=0))  # as an earlier release read it, or not at all
    with monkeypatch.context() as away:
        away.setattr(type(objects), "open_bytes", refused)
        (unread,) = drawings(objects, hospital_space(hospitals.north), uid_of(EXAM))
        assert unread.measured == ()  # lost, and listed all the same
    assert drawings(objects, hospital_space(hospitals.north), uid_of(EXAM)) == before  # read again, and kept
    monkeypatch.setattr(type(objects), "open_bytes", refused)
    assert drawings(objects, hospital_space(hospitals.north), uid_of(EXAM)) == before
    page = client.get(f"/exam/{uid_of(EXAM)}", headers={"accept": "text/html"})
    assert "Liver VI" in page.text


def refused(*_: object) -> None:
    raise RemoteError(NO_FILE)


def test_nothing_is_kept_of_the_inside_of_what_was_deleted(hospitals):
    sent(hospitals.browser("radiologist"), report())
    hospitals.site.objects.remove(hospital_space(hospitals.north), uid_of(EXAM))
    with hospitals.site.workspace.reading() as connection:
        assert connection.execute(select(stored_content)).all() == []


def test_our_own_lines_are_not_told_as_a_persons(hospitals):
    # The viewer saves all that is on the image, what it drew of our report too.
    ours = pydicom.dcmread(BytesIO(report(number=7)))
    ours.SeriesInstanceUID = uid_of(EXAM, "ours")
    hospitals.site.objects.receive(
        file_of(ours), space=hospital_space(hospitals.north), origin=Origin(kind="derived", peer="bingcheng")
    )
    sent(hospitals.browser("radiologist"), report())
    (found,) = drawings(hospitals.site.objects, hospital_space(hospitals.north), uid_of(EXAM))
    assert found.measured == ()


def test_the_bytes_are_kept_as_they_came(hospitals):
    client, file = hospitals.browser("radiologist"), report()
    sent(client, file)
    path = f"/dicomweb/studies/{uid_of(EXAM)}/series/{uid_of(EXAM, 'drawn')}/instances/{uid_of(EXAM, 'drawn', 1)}"
    assert client.get(path, headers={"accept": "application/dicom"}).content == file


@pytest.mark.parametrize("study", [OTHERS, "nowhere"])
def test_nothing_is_kept_with_an_exam_of_another_hospital(hospitals, study):
    client = hospitals.browser("radiologist")
    assert client.get(place(study)).status_code == 404
    answer = sent(client, report(study), study)
    assert (answer.status_code, answer.json()["code"]) == (404, "server.drawing-elsewhere")
    assert "discussion" in answer.json()["remedy"]
    assert held(hospitals, hospitals.south) == set()


@pytest.mark.parametrize(
    "file",
    [
        report(on=uid_of(OTHERS, "ct", 1)),  # drawn on another exam's image
        report(OTHERS),  # of another study than the address names
        report(SOPClassUID=CT),  # no drawing
        file_of(image(EXAM, "ct", 9)),  # an image
    ],
)
def test_what_is_not_drawn_on_the_exams_images_is_refused_in_words(hospitals, file):
    answer = sent(hospitals.browser("radiologist"), file)
    assert (answer.status_code, answer.json()["code"]) == (409, "server.no-drawing")
    assert held(hospitals, hospitals.north) == set()


def test_another_drawing_under_the_same_number_is_refused(hospitals):
    client = hospitals.browser("radiologist")
    assert sent(client, report()).status_code == 200
    assert sent(client, report()).status_code == 200  # the same once more
    answer = sent(client, report(SeriesDescription="Another"))
    assert (answer.status_code, answer.json()["code"]) == (409, "server.drawing-known")


def test_a_page_of_somebody_else_cannot_save(hospitals):
    client = hospitals.browser("radiologist")
    assert sent(client, report(), **{"sec-fetch-site": "cross-site"}).status_code == 403
    assert sent(client, report(), origin="http://elsewhere.example").status_code == 403
    del client.headers["x-csrf-token"]
    assert sent(client, report()).status_code == 403
    assert held(hospitals, hospitals.north) == set()


@pytest.mark.parametrize("role", [Role.GUEST, Role.SITE_ADMIN, Role.OPERATOR, Role.PROVINCE])
def test_who_may_not_measure_may_not_save(hospitals, role):
    assert hospitals.browser(role).get(place()).status_code == 403
    assert sent(hospitals.browser(role), report()).status_code == 403


def test_nobody_saves_without_signing_in(hospitals):
    assert hospitals.anonymous().get(place()).status_code == 401
    assert sent(hospitals.anonymous(), report()).status_code == 401


@pytest.mark.parametrize(
    ("kind", "body", "status"),
    [
        (KIND, b"--xyz--\r\n", 409),
        (KIND, b"nonsense", 400),
        (KIND, b"--xyz\r\n\r\nnonsense\r\n--xyz--", 400),
        ("text/plain", b"x", 415),
        ('multipart/related; type="application/dicom+json"; boundary=xyz', b"--xyz--", 415),
    ],
)
def test_bodies_that_hold_no_drawing_are_refused(hospitals, kind, body, status):
    answer = hospitals.browser("radiologist").post(place(), content=body, headers={"content-type": kind})
    assert answer.status_code == status
    assert answer.json()["says"]


def test_what_cannot_be_read_is_listed_without_its_numbers(hospitals):
    broken = pydicom.dcmread(BytesIO(report()))
    del broken.ContentSequence
    hospitals.site.objects.receive(
        file_of(broken),
        space=hospital_space(hospitals.north),
        origin=Origin(kind="drawn", peer="test", person=hospitals.people["radiologist"]),
    )
    page = hospitals.browser("radiologist").get(f"/exam/{uid_of(EXAM)}", headers={"accept": "text/html"})
    assert page.status_code == 200
    assert "can&#39;t be told here" in page.text
