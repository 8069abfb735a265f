"""A script in every field that anybody can fill, and every page looked at in every role: it stays what was written."""

from __future__ import annotations

import io

import pytest
from pydicom import dcmread, dcmwrite
from tests.archive.conftest import record
from tests.server.cases.published import publish
from tests.server.conftest import serving
from tests.server.every_route import Callers, hold
from tests.server.examples import STUDY, address, ct_file, prepare
from tests.server.test_matrix import ROUTES, expected

from bingcheng.archive.authorisation import Role, Scope, hospital_space
from bingcheng.archive.cases.attached.file import cleaned
from bingcheng.archive.cases.attached.kept import attach
from bingcheng.archive.cases.case import Written
from bingcheng.archive.cases.collections import make_collection, put_in
from bingcheng.archive.cases.discussion import comment
from bingcheng.archive.cases.grants import Audience, Given, grant
from bingcheng.archive.cases.methods import MethodKind, share_method
from bingcheng.archive.cases.opinions import ask_opinion
from bingcheng.archive.dimse.peers import May, Peer, add_peer
from bingcheng.archive.objects.received import Origin
from bingcheng.archive.people.api_token import make_token
from bingcheng.archive.people.hospital import add_spelling, change_hospital
from bingcheng.archive.people.hospital_group import make_group
from bingcheng.archive.people.invitation import invite
from bingcheng.archive.people.notice import notify
from bingcheng.archive.people.person import set_preferences
from bingcheng.archive.store import save_exam
from bingcheng.core.wording import text
from bingcheng.dicom.exam import Patient
from bingcheng.engine.view import assessment
from bingcheng.outputs.language import Language
from bingcheng.outputs.report.page import page as report_page
from bingcheng.server.security.required import Public, Required

SCRIPT = "\"'><svg/onload=canary()>"
NAME = f"Doe^{SCRIPT}"
JANE = Patient(patient_id=SCRIPT, issuer=None, name=NAME, birth_date="19600101")
PAGES = [
    (method, route)
    for method, route in ROUTES
    if method == "GET" and not route.path.startswith(("/dicomweb", "/pairing/v1"))
]
SHOWING = (
    "/worklist", "/patients", "/exam/{study_uid}", "/quicklook/{study_uid}", "/cases", "/cases/{case_number}",
    "/patient/{patient}", "/collections", "/shared", "/account", "/admin/people", "/admin/hospitals", "/admin/audit",
    "/opinions", "/account/notices", "/hospital", "/province",
)  # fmt: skip
"""Pages that show what was written."""


def spoilt(description: str = "") -> bytes:
    """An image whose every text holds the script."""
    image = dcmread(io.BytesIO(ct_file(description)))
    image.PatientName, image.PatientID = NAME, SCRIPT
    for keyword in ("StudyDescription", "SeriesDescription", "InstitutionName", "Manufacturer"):
        setattr(image, keyword, SCRIPT)
    for keyword in ("ManufacturerModelName", "ProtocolName", "ReferringPhysicianName", "AccessionNumber"):
        setattr(image, keyword, SCRIPT[:16] if keyword == "AccessionNumber" else SCRIPT)
    image.PatientComments, image.ImageComments = SCRIPT, SCRIPT + description
    written = io.BytesIO()
    dcmwrite(written, image, enforce_file_format=True)
    return written.getvalue()


@pytest.fixture(scope="module")
def served(tmp_path_factory):
    made = serving(tmp_path_factory.mktemp("scripts") / "workspace", language="en")
    workspace, now = made.site.workspace, made.clock()
    sent = Origin(kind="stow", peer=SCRIPT)
    space = hospital_space(made.north)
    for description in ("", "changed"):
        made.site.objects.receive(spoilt(description), space=space, origin=sent)
    save_exam(workspace, record(STUDY, site=SCRIPT, patient=JANE, series=1, description=SCRIPT))
    words = Written(
        title=SCRIPT, context=SCRIPT, diagnosis=SCRIPT, diagnosis_code="8170/3", teaching=SCRIPT, body_part="liver",
        modality="CT", tags=(SCRIPT,), questions=(), licence="platform",
    )  # fmt: skip
    with workspace.writing() as connection:
        add_spelling(connection, made.north, SCRIPT)
        add_peer(connection, Peer(ae_title="CT1", networks=("192.0.2.1",), space=space, may=frozenset({May.STORE})))
        for number in made.people.values():
            set_preferences(connection, number, name=SCRIPT, language="en", theme="auto")
            notify(connection, number, text("{name} answered", name=SCRIPT), now=now)
        change_hospital(connection, made.north, name=SCRIPT, emergency=True)
        make_group(connection, SCRIPT, [made.north])
        invite(connection, hospital=made.north, roles=[Role.GUEST], by=None, now=now, note=SCRIPT)
        make_token(connection, made.people["radiologist"], label=SCRIPT, scopes=[Scope.DICOM_READ], days=1, now=now)
    case = publish(made, STUDY, written=words)
    person = made.people["radiologist"]
    with workspace.writing() as connection:
        said = comment(
            connection, case, person=person, words=f"{SCRIPT} **{SCRIPT}** `{SCRIPT}` https://x/{SCRIPT}", now=now
        )
        attach(connection, said, cleaned(f"{SCRIPT}.txt", b"a note"))
        grant(connection, Given.CASE, case, Audience.PROVINCE, to=None, by=person, now=now)
        ask_opinion(
            connection, case, asked_by=person, question=SCRIPT, hospital=made.north, person=None, due_on=None, now=now
        )
        put_in(
            connection,
            make_collection(connection, hospital=made.north, author=person, title=SCRIPT, description=SCRIPT, now=now),
            case,
            SCRIPT,
        )
        content = '{"name": "<svg/onload=canary()>", "version": "1", "measures": ["<svg/onload=canary()>"]}'
        for hospital in (made.north, None):
            share_method(
                connection, MethodKind.METHOD, hospital=hospital, author=person, title=SCRIPT, description=SCRIPT,
                content=content, evidence=content, now=now,
            )  # fmt: skip
    for who, uid in (("site-admin", STUDY), ("radiologist", "1.2.3")):
        made.browser(who).post("/emergency", data={"study_uid": uid, "reason": f"because of {SCRIPT}"})
    yield made
    made.close()


def pages(callers, route):
    """What each who may see a route is shown by it."""
    served = callers.served
    where = route.path.replace("{patient}", served.site.workspace.pseudonym(JANE, SCRIPT, STUDY))
    everybody = [served.anonymous()] if isinstance(route.guard, Public) else []
    may = [
        who
        for who in served.people
        if isinstance(route.guard, Required) and expected(route, Role(who.removeprefix("other-")))
    ]
    for client in (*everybody, *(callers.of(who) for who in may)):
        answer = client.get(address(served, where), headers={"accept": "text/html"})
        if answer.headers.get("content-type", "").startswith("text/html"):
            yield answer.text


def test_the_script_is_on_the_pages_as_words_and_on_none_as_a_script(served):
    """That it is there as words: else the other would be true of pages that show none of it."""
    callers = Callers(served)

    def holds(method, route):
        shown = list(pages(callers, route))
        assert not [page for page in shown if "<svg/onload" in page]
        assert route.path not in SHOWING or any("&lt;svg/onload=canary" in page for page in shown)

    assert {route.path for _, route in PAGES} >= set(SHOWING)
    hold(PAGES, holds)


@pytest.mark.parametrize("language", ["en", "zh"])
def test_the_report_holds_it_as_words_too(served, language):
    written = report_page(assessment(served.site.workspace, identified=True, images=False), Language.of(language))
    assert "<svg/onload" not in written
    assert "&lt;svg/onload=canary" in written


def test_an_answer_to_a_program_is_no_page(served):
    client = served.browser("radiologist")
    for path in ("/dicomweb/studies", f"/dicomweb/studies/{STUDY}/metadata", f"/exports/exam/{STUDY}/exam.json"):
        answer = client.get(path, headers={"accept": "text/html, */*"})
        assert not answer.headers["content-type"].startswith("text/html")
        assert answer.headers["x-content-type-options"] == "nosniff"


def test_a_table_runs_nothing_in_a_spreadsheet(serve):
    served = serve()
    prepare(served)
    formula = Patient(patient_id="=1+1", issuer=None, name="=HYPERLINK(1)", birth_date="")
    save_exam(served.site.workspace, record("1.2.3", site="North", patient=formula, series=0, description="@SUM(1)"))
    table = served.browser("radiologist").get("/exports/worklist.csv").text
    assert "'=1+1" in table
    assert "'@SUM(1)" in table
    assert not [cell for line in table.splitlines() for cell in line.split(",") if cell.startswith(("=", "@", '"='))]
