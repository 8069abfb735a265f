"""The queue: each exam's turn comes once, and a job that its worker left is not lost."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bingcheng.archive.jobs.queue import (
    MOST_TRIES,
    JobKind,
    JobState,
    ask,
    counts,
    end,
    give_back,
    latest,
    take,
    tell,
)
from bingcheng.archive.workspace import Workspace
from bingcheng.core.errors import InputError
from bingcheng.core.refusal import Refusal, SubjectKind
from bingcheng.core.wording import text
from bingcheng.engine.problems import NO_IMAGE

NOON = datetime(2026, 1, 5, 12, 0)  # noqa: DTZ001 - columns hold UTC without saying so
HERE, THERE = "hospital/1", "hospital/2"


@pytest.fixture(scope="module")
def shared(tmp_path_factory):
    opened = Workspace.open(tmp_path_factory.mktemp("queue") / "workspace")
    yield opened
    opened.close()


def asked(workspace, *studies, space=HERE, kind=JobKind.ASSESS):
    with workspace.writing() as connection:
        return [ask(connection, kind, space, study, NOON) for study in studies]


def taken(workspace, most=10):
    with workspace.writing() as connection:
        return take(connection, NOON, most=most)


def test_a_job_tells_how_far_it_is_and_ends(workspace):
    (number,) = asked(workspace, "1.2")
    (job,) = taken(workspace)
    assert (job.number, job.state, job.tries, job.started_at) == (number, JobState.RUNNING, 1, NOON)
    with workspace.writing() as connection:
        tell(connection, [number], text("Assessing exams"), 1, 3)
    with workspace.reading() as connection:
        now = latest(connection, [HERE], ["1.2"])[HERE, "1.2"]
    assert (now.step, now.done, now.total) == (text("Assessing exams"), 1, 3)
    with workspace.writing() as connection:
        end(connection, number, NOON + timedelta(minutes=1))
        assert counts(connection, [HERE])[JobState.DONE] == 1
        assert counts(connection, [THERE])[JobState.DONE] == 0


def test_a_failure_says_why(workspace):
    (number,) = asked(workspace, "1.2")
    taken(workspace)
    refusal = Refusal.of(InputError(NO_IMAGE), kind=SubjectKind.EXAM, subject="1.2")
    with workspace.writing() as connection:
        end(connection, number, NOON, refusal)
        assert latest(connection, [HERE], ["1.2"])[HERE, "1.2"].reason == refusal


def test_an_exam_that_waits_is_not_asked_for_twice_but_one_that_runs_is(workspace):
    first = asked(workspace, "1.2", "1.2")
    assert first[0] == first[1]
    taken(workspace)
    (later,) = asked(workspace, "1.2")
    assert later != first[0]
    assert taken(workspace) == ()  # not while the same exam runs
    with workspace.writing() as connection:
        end(connection, first[0], NOON)
    assert [job.number for job in taken(workspace)] == [later]


def test_one_exam_in_two_hospitals_is_not_run_at_the_same_time(workspace):
    asked(workspace, "1.2")
    asked(workspace, "1.2", space=THERE)
    assert [job.space for job in taken(workspace)] == [HERE]


def test_jobs_taken_together_are_of_one_kind(workspace):
    asked(workspace, "1.1", "1.2")
    asked(workspace, "1.3", kind=JobKind.BRING_IN)
    assert [job.study_uid for job in taken(workspace)] == ["1.1", "1.2"]
    assert [job.study_uid for job in taken(workspace)] == ["1.3"]


def test_what_a_lost_worker_left_waits_again_until_it_was_tried_too_often(workspace):
    (number,) = asked(workspace, "1.2")
    for _ in range(MOST_TRIES):
        assert [job.number for job in taken(workspace)] == [number]
        with workspace.writing() as connection:
            assert give_back(connection, NOON) == 1
    assert taken(workspace) == ()
    with workspace.reading() as connection:
        job = latest(connection, [HERE], ["1.2"])[HERE, "1.2"]
    assert job.state is JobState.FAILED
    assert job.reason.code == "archive.worker-gone"


@given(st.lists(st.sampled_from(["ask 1", "ask 2", "ask 3", "take", "end", "lose"]), max_size=25))
def test_no_exam_that_was_asked_for_is_ever_forgotten(shared, steps):
    owed: set[str] = set()
    with shared.writing() as connection:
        running = []
        for step in steps:
            if step.startswith("ask"):
                ask(connection, JobKind.ASSESS, HERE, step[4:], NOON)
                owed.add(step[4:])
            elif step == "take":
                begun = take(connection, NOON, most=1)
                running += begun
                owed -= {job.study_uid for job in begun}
            elif step == "end" and running:
                end(connection, running.pop().number, NOON)
            elif step == "lose":
                give_back(connection, NOON)
                owed |= {job.study_uid for job in running if job.tries < MOST_TRIES}
                running = []
        while running:
            end(connection, running.pop().number, NOON)
        found = set()
        while chosen := take(connection, NOON, most=2):
            found |= {job.study_uid for job in chosen}
            for job in chosen:
                end(connection, job.number, NOON)
    assert found == owed
