"""A hospital sends objects under the UID of another's exam: it gets nothing of the other's results, and spoils none."""

from __future__ import annotations

import pytest
from tests.archive.conftest import record
from tests.server.examples import JANE, STUDY, ct_file

from bingcheng.archive.authorisation import hospital_space
from bingcheng.archive.jobs.queue import JobKind, JobState, ask, latest
from bingcheng.archive.objects.received import Origin
from bingcheng.archive.ownership import claim
from bingcheng.archive.store import save_exam
from bingcheng.engine.run import Options
from bingcheng.server.background.work import work

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
