"""A hospital sends objects under the UID of another's exam: it gets nothing of the other's results, and spoils none."""

from __future__ import annotations

from datetime import datetime

import pytest
from tests.archive.conftest import record
from tests.server.examples import JANE, SERIES, STUDY, ct_file

from bingcheng.archive.authorisation import hospital_space
from bingcheng.archive.cases.case import Written, make_case
from bingcheng.archive.cases.facts import case_exams, case_protocols, case_values
from bingcheng.archive.cases.free_text import identifiers
from bingcheng.archive.cases.preparing import prepare
from bingcheng.archive.cases.selection import Chosen, choose
from bingcheng.archive.jobs.queue import JobKind, JobState, ask, latest
from bingcheng.archive.objects.received import Origin
from bingcheng.archive.ownership import claim
from bingcheng.archive.store import save_exam
from bingcheng.dicom.exam import Patient
from bingcheng.engine.run import Options
from bingcheng.server.background.work import work

ROE = Patient(patient_id="K-2", issuer=None, name="Roe^Richard", birth_date="19610101")
MARCH = datetime(2025, 3, 4, 9)  # noqa: DTZ001 - a scanner's local time
SENT = Origin(kind="stow", peer="test")
PATHS = (f"/exam/{STUDY}", f"/exports/exam/{STUDY}/exam.json", f"/exports/exam/{STUDY}/findings.csv", "/patients")


def put(served, hospital, description=""):
    served.site.objects.receive(ct_file(description), space=hospital_space(hospital), origin=SENT)


def shown(served, who="other-radiologist"):
    return "".join(served.browser(who).get(path).text for path in PATHS)


def test_sending_an_assessed_exam_s_uid_opens_none_of_its_results(served):
    save_exam(served.site.workspace, record(STUDY, site="North", patient=JANE, series=0))
    put(served, served.south)
    assert "K-1" in shown(served, "radiologist")
    assert "K-1" not in shown(served)
    assert "Doe" not in shown(served)


def test_results_do_not_pass_on_when_their_hospital_removes_its_objects(served):
    put(served, served.north)
    put(served, served.south, "other")
    with served.site.workspace.writing() as connection:
        claim(connection, STUDY, hospital_space(served.north))
    save_exam(served.site.workspace, record(STUDY, site="Nowhere", patient=JANE, series=0))
    served.site.objects.remove(hospital_space(served.north), STUDY)
    assert "K-1" in shown(served, "radiologist")
    assert "K-1" not in shown(served)


@pytest.mark.slow
def test_another_hospital_s_copy_is_not_assessed_over_the_results(served):
    save_exam(served.site.workspace, record(STUDY, site="North", patient=JANE, series=0))
    put(served, served.south, "forged")
    space = hospital_space(served.south)
    with served.site.workspace.writing() as connection:
        ask(connection, JobKind.ASSESS, space, STUDY, served.clock())
    work(served.site.workspace, served.site.objects, Options(workers=1))
    with served.site.workspace.reading() as connection:
        job = latest(connection, [space], [STUDY])[space, STUDY]
    assert job.state is JobState.FAILED
    assert job.reason.code == "engine.held-elsewhere"
    assert "K-1" in shown(served, "radiologist")


def test_a_case_made_of_a_forged_copy_tells_nothing_of_the_other_s_exam(served):
    """Not its numbers, not its date, and not, by what its text is refused for, who its patient is."""
    save_exam(served.site.workspace, record(STUDY, site="North", patient=ROE, series=1, performed_at=MARCH))
    put(served, served.south, "forged")
    workspace, now = served.site.workspace, served.clock()
    form = served.browser("other-radiologist").get(f"/cases/new?study={STUDY}")
    assert form.status_code == 200
    assert "2025-03-04" not in form.text
    with workspace.writing() as connection:
        by = served.people["other-radiologist"]
        written = Written(title="Mine", licence="teaching")
        number = make_case(connection, hospital=served.south, author=by, profile="teaching", written=written, now=now)
        choose(connection, number, served.south, [Chosen(study_uid=STUDY, series_uid=SERIES)])
        known = identifiers(connection, number, served.south)
    prepare(workspace, served.site.objects, number)
    with workspace.reading() as connection:
        assert case_values(connection, number) == ()
        assert case_protocols(connection, number) == ()
        assert [one.day for one in case_exams(connection, number)] in ([None], [0], [])
    assert known.names
    assert "roe" not in known.names
    assert not {"k-2", "20250304"} & (known.numbers | known.dates)
