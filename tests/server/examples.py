"""What the parameters in the routes' paths stand for in the tests.

Every parameter of every route has two values here: one of a thing that belongs to the North Hospital of the fixture
`served`, and one of a thing that does not exist. A new route whose parameter isn't here fails `test_matrix`.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import cache

from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.filebase import DicomBytesIO
from pydicom.filewriter import dcmwrite
from pydicom.uid import CTImageStorage, ExplicitVRLittleEndian
from tests.archive.conftest import record
from tests.server.cases.published import example

from bingcheng.archive.authorisation import Role, hospital_space
from bingcheng.archive.dimse.peers import May, Peer, add_peer, peers
from bingcheng.archive.objects.received import Origin
from bingcheng.archive.people.invitation import invite
from bingcheng.archive.store import save_exam
from bingcheng.dicom.exam import Patient

STUDY, SERIES, OBJECT = (
    "1.2.826.0.1.3680043.10.43.1",
    "1.2.826.0.1.3680043.10.43.1.1",
    "1.2.826.0.1.3680043.10.43.1.1.1",
)
ABSENT = "1.2.826.0.1.3680043.10.43.9"


def invitation_secret(served) -> str:
    with served.site.workspace.writing() as connection:
        return invite(connection, hospital=served.north, roles=[Role.GUEST], by=None, now=served.clock())


JANE = Patient(patient_id="K-1", issuer=None, name="Doe^Jane", birth_date="19600101")

# By the parameter's name, or, where one name means different things, by path and name.
Value = str | Callable[["object"], str]
EXAMPLES: dict[str, tuple[Value, str]] = {
    "study_uid": (STUDY, ABSENT),
    "series_uid": (SERIES, ABSENT),
    "sop_uid": (OBJECT, ABSENT),
    "frames": ("1", "1"),
    "person_number": (lambda served: str(served.people["technologist"]), "987654"),
    "hospital_number": (lambda served: str(served.north), "987654"),
    "group": ("1", "987654"),
    "sending": ("987653", "987654"),
    "dicom_peer": (lambda served: str(peer_of_north(served)), "987654"),
    "conflict": (lambda served: str(served.site.objects.conflicts([hospital_space(served.north)])[0].id), "987654"),
    "token": ("1", "987654"),
    "patient": (lambda served: served.site.workspace.pseudonym(JANE, "North", STUDY), "P-NOBODY"),
    "peer_number": ("987653", "987654"),
    "transfer_number": ("1", "987654"),
    "bundle_name": ("0" * 32, "f" * 32),
    "sha256": ("0" * 64, "f" * 64),
    "case_number": (lambda served: example(served, STUDY, "case"), "987654"),
    "grant_number": (lambda served: example(served, STUDY, "grant"), "987654"),
    "comment_number": (lambda served: example(served, STUDY, "comment"), "987654"),
    "attachment_number": (lambda served: example(served, STUDY, "attachment"), "987654"),
    "opinion_number": (lambda served: example(served, STUDY, "opinion"), "987654"),
    "collection_number": (lambda served: example(served, STUDY, "collection"), "987654"),
    "notice_number": ("1", "987654"),
    "method_number": (lambda served: example(served, STUDY, "method"), "987654"),
    "table": ("findings", "findings"),
    "secret": (invitation_secret, "none"),
    "path": ("7FE00010", "7FE00010"),
    "build": ("x", "x"),
    "name": ("0.webp", "0.webp"),
    "/static/{digest}/{name} digest": ("x", "x"),
    "/static/{digest}/{name} name": ("app.css", "none.css"),
}


def prepare(served) -> None:
    """Put into the workspace what the examples speak of."""
    space = hospital_space(served.north)
    for description in ("", "changed"):  # the second is a conflict with the first, or the first with the second
        file = ct_file(description)
        served.site.objects.receive(file, space=space, origin=Origin(kind="import", peer="test"))
    if peer_of_north(served) is None:
        with served.site.workspace.writing() as connection:
            add_peer(connection, Peer(ae_title="CT1", networks=("192.0.2.1",), space=space, may=frozenset({May.STORE})))
    save_exam(served.site.workspace, record(STUDY, site="North", patient=JANE, series=0))


def peer_of_north(served) -> int | None:
    with served.site.workspace.reading() as connection:
        return next((one.number for one in peers(connection, [hospital_space(served.north)])), None)


def parameters(path: str) -> list[str]:
    """The names of the parameters in a route's path."""
    return re.findall(r"{(\w+)(?::\w+)?}", path)


def without_example(path: str) -> list[str]:
    """The parameters of a path that have no example."""
    return [name for name in parameters(path) if f"{path} {name}" not in EXAMPLES and name not in EXAMPLES]


def address(served, path: str, *, absent: bool = False) -> str:
    """The path with an example of each parameter."""
    filled = path
    for name in parameters(path):
        own, none = EXAMPLES.get(f"{path} {name}") or EXAMPLES[name]
        value = none if absent else own(served) if callable(own) else own
        filled = re.sub(rf"{{{name}(:\w+)?}}", value, filled)
    return filled


@cache
def ct_file(description: str = "") -> bytes:
    """A small CT image of a study of the North Hospital."""
    image = Dataset()
    image.SOPClassUID, image.SOPInstanceUID = CTImageStorage, OBJECT
    image.StudyInstanceUID, image.SeriesInstanceUID = STUDY, SERIES
    image.PatientID, image.PatientName, image.InstitutionName = "K-1", "Doe^Jane", "North"
    image.Modality, image.InstanceNumber, image.StudyDate = "CT", "1", "20260105"
    if description:
        image.SeriesDescription = description
    image.Rows, image.Columns, image.SamplesPerPixel = 4, 4, 1
    image.BitsAllocated, image.BitsStored, image.HighBit, image.PixelRepresentation = 16, 16, 15, 1
    image.PhotometricInterpretation, image.PixelData = "MONOCHROME2", bytes(32)
    image.file_meta = FileMetaDataset()
    image.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    image.file_meta.MediaStorageSOPClassUID, image.file_meta.MediaStorageSOPInstanceUID = CTImageStorage, OBJECT
    written = DicomBytesIO()
    dcmwrite(written, image, enforce_file_format=True)
    return written.getvalue()
