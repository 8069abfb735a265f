"""What the background makes of a case: images and numbers that tell nobody who it is, and again after a crash."""

from __future__ import annotations

import pytest
from sqlalchemy import select
from tests.archive.conftest import record
from tests.server.cases.published import make_images, publish
from tests.server.examples import JANE, OBJECT, SERIES, STUDY, prepare

from bingcheng.archive.cases import tables
from bingcheng.archive.cases.facts import case_exams, case_values
from bingcheng.archive.jobs.queue import JobKind, ask, end, take
from bingcheng.archive.people.hospital import set_issuer
from bingcheng.archive.store import save_exam
from bingcheng.server.cases.publishing import publish as work


@pytest.fixture
def measured(served):
    prepare(served)
    # Series .0 is not among what the archive holds, so that nothing of it may be carried.
    save_exam(served.site.workspace, record(STUDY, site="North", patient=JANE, series=2))
    return served


def test_numbers_of_the_chosen_series_alone_are_carried_without_names_or_dates(measured):
    number = publish(measured, STUDY)
    with measured.site.workspace.reading() as connection:
        values, exams = case_values(connection, number), case_exams(connection, number)
        said = [str(tuple(row)) for row in connection.execute(select(tables.case_value))]
        said += [str(tuple(row)) for row in connection.execute(select(tables.case_exam))]
    assert {(one.lesion, one.key, one.value) for one in values} == {
        (lesion, key, value) for lesion in (None, 1) for key, value in (("m1", 1.0), ("m2", 2.0))
    }
    assert [(one.number, one.day, one.modalities, one.instances) for one in exams] == [(1, 0, ("CT",), 1)]
    for told in (STUDY, SERIES, OBJECT, "Doe", "K-1", "2026", "Lesion 1"):
        assert not [one for one in said if told in one], told


def test_the_job_of_a_case_is_done_twice_with_the_same_result(measured):
    number, site = publish(measured, STUDY, published=False), measured.site
    before = site.objects.instances_of([f"case/{number}"], _study(measured, number))
    for issuer in ("", "BAIHE"):  # whose number it is now: the case keeps the pseudonym that others have seen
        with site.workspace.writing() as connection:
            set_issuer(connection, measured.north, issuer)
            ask(connection, JobKind.PUBLISH, f"case/{number}", STUDY, measured.clock())
            (job,) = take(connection, measured.clock(), most=1)
        (outcome,) = work(site.workspace, site.objects, [job], lambda *_: None)
        assert outcome.refusal is None
        with site.workspace.writing() as connection:
            end(connection, job.number, measured.clock())
    assert site.objects.instances_of([f"case/{number}"], _study(measured, number)) == before
    assert not site.objects.conflicts([f"case/{number}"])


def test_what_is_left_out_later_leaves_the_space(measured):
    number = publish(measured, STUDY, published=False)
    with measured.site.workspace.writing() as connection:
        table = tables.case_picture
        connection.execute(table.update().where(table.c.case_id == number).values(decision="leave-out"))
    study = _study(measured, number)
    make_images(measured, number)
    assert not measured.site.objects.instances_of([f"case/{number}"], study)


def test_a_job_of_a_case_that_is_gone_fails_with_a_reason(measured):
    site = measured.site
    with site.workspace.writing() as connection:
        ask(connection, JobKind.PUBLISH, "case/999", STUDY, measured.clock())
        (job,) = take(connection, measured.clock(), most=1)
    (outcome,) = work(site.workspace, site.objects, [job], lambda *_: None)
    assert outcome.refusal is not None


def _study(served, number):
    with served.site.workspace.reading() as connection:
        return case_exams(connection, number)[0].study_uid
