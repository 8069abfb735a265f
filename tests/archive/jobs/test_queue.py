"""The queue: each exam's turn comes once, and a job that its worker left is not lost."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bingcheng.archive.jobs.queue import (
    MOST_LOST,
    MOST_TRIES,
    JobKind,
    JobState,
    Lane,
    ask,
    ask_again,
    counts,
    due,
    end,
    failed,
    give_back,
    hasten,
    last_digest,
    latest,
    open_jobs,
    put_off,
    revive,
    sendings,
    stop,
    take,
    tell,
    wait_s,
)
from bingcheng.archive.jobs.taken import note_taken
from bingcheng.archive.jobs.taken import taken as taken_by
from bingcheng.archive.jobs.target import Target
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


def taken(workspace, most=10, now=NOON, **more):
    with workspace.writing() as connection:
        return take(connection, now, most=most, **more)


def studies(jobs):
    return [one.study_uid for one in jobs]


def sending(workspace, study, peer, **more):
    with workspace.writing() as connection:
        target = Target(peer=peer, derived=more.pop("derived", False)).written()
        return ask(connection, JobKind.SEND, HERE, study, NOON, target=target, **more)


REFUSAL = Refusal.of(InputError(NO_IMAGE), kind=SubjectKind.EXAM, subject="1.2")


def test_a_job_tells_how_far_it_is_and_ends(workspace):
    (number,) = asked(workspace, "1.2")
    (job,) = taken(workspace)
    assert (job.number, job.state, job.tries, job.started_at) == (number, JobState.RUNNING, 1, NOON)
    with workspace.writing() as connection:
        assert tell(connection, [job], text("Assessing exams"), 1, 3)
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
        assert end(connection, number, NOON, refusal)
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


def test_what_failed_is_listed_until_the_same_is_asked_for_again(workspace):
    asked(workspace, "1.1", "1.2", "1.3")
    sending(workspace, "1.1", 1)
    for job in (*taken(workspace, lane=Lane.COMPUTING), *taken(workspace, lane=Lane.NETWORK)):
        with workspace.writing() as connection:
            end(connection, job.number, NOON, REFUSAL)
    asked(workspace, "1.2")
    asked(workspace, "1.3", space=THERE)
    with workspace.writing() as connection:
        found = failed(connection, [HERE], most=9)
        assert [(job.study_uid, job.target) for job in found] == [("1.1", "peer/1"), ("1.3", None), ("1.1", None)]
        assert failed(connection, [HERE], most=1) == found[:1]
        assert revive(connection, found[1].number)
        assert not revive(connection, found[1].number), "it waits already"
        assert [job.study_uid for job in failed(connection, [HERE], most=9)] == ["1.1", "1.1"]
    again = next(job for job in taken(workspace, lane=Lane.COMPUTING) if job.study_uid == "1.3" and job.space == HERE)
    assert (again.number, again.tries) == (found[1].number, 2)


def test_a_peers_word_is_believed_for_a_day_and_passes_to_who_asks_again(workspace):
    number = sending(workspace, "1.1", 1)
    (job,) = taken(workspace)
    with workspace.writing() as connection:
        note_taken(connection, number, {"1.1.1": "a", "1.1.2": "b"}, NOON)
        note_taken(connection, number, {"1.1.2": "c"}, NOON + timedelta(hours=1))
        end(connection, number, NOON, REFUSAL)
        later = ask_again(connection, job, NOON)
        assert taken_by(connection, number, NOON) == {}
        assert taken_by(connection, later, NOON) == {"1.1.1": "a", "1.1.2": "c"}
        assert taken_by(connection, later, NOON + timedelta(days=1)) == {"1.1.2": "c"}
        assert ask_again(connection, job, NOON) == later, "it waits already"
    taken(workspace)
    with workspace.writing() as connection:
        end(connection, later, NOON)
        assert taken_by(connection, later, NOON) == {}, "it is done: who asks now wants all of it sent"


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
    for _ in range(MOST_LOST):
        assert [job.number for job in taken(workspace)] == [number]
        with workspace.writing() as connection:
            assert give_back(connection, NOON) == 1
    assert taken(workspace) == ()
    with workspace.reading() as connection:
        job = latest(connection, [HERE], ["1.2"])[HERE, "1.2"]
    assert job.state is JobState.FAILED
    assert job.reason.code == "archive.worker-gone"


def test_what_killed_its_worker_comes_alone_so_that_it_takes_no_other_with_it(workspace):
    asked(workspace, "1.1", "1.2", "1.3")
    assert len(taken(workspace)) == 3
    with workspace.writing() as connection:
        give_back(connection, NOON)
    asked(workspace, "1.4", "1.5")
    for study in ("1.1", "1.2", "1.3"):
        (alone,) = taken(workspace)
        assert (alone.study_uid, alone.lost) == (study, 1)
        with workspace.writing() as connection:
            end(connection, alone.number, NOON)
    assert studies(taken(workspace)) == ["1.4", "1.5"]


def test_what_is_sent_waits_for_nothing_that_computes_nor_the_other_way_round(workspace):
    asked(workspace, "1.2")
    sending(workspace, "1.2", 7)
    assert studies(taken(workspace, lane=Lane.COMPUTING)) == ["1.2"]
    (sent,) = taken(workspace, lane=Lane.NETWORK)
    assert (sent.kind, sent.study_uid) == (JobKind.SEND, "1.2")
    with workspace.writing() as connection:
        assert give_back(connection, NOON, Lane.COMPUTING) == 1
        assert due(connection, NOON, Lane.COMPUTING)
        assert not due(connection, NOON, Lane.NETWORK)
        assert counts(connection)[JobState.RUNNING] == 1, "what the other process works on is left to it"


def test_each_peer_gets_one_exam_at_a_time_and_a_busy_one_hides_no_other(workspace):
    for number in range(40):
        sending(workspace, f"1.{number}", 7, derived=bool(number % 2))
    sending(workspace, "1.99", 8)
    first = taken(workspace, most=8, lane=Lane.NETWORK)
    assert studies(first) == ["1.0"]
    assert studies(taken(workspace, most=8, lane=Lane.NETWORK)) == ["1.99"], (
        "forty exams for the busy one wait before it"
    )
    assert taken(workspace, most=8, lane=Lane.NETWORK) == ()


def test_what_a_person_waits_for_comes_first_and_what_comes_from_folders_last(workspace):
    asked(workspace, "1.1", kind=JobKind.BRING_IN)
    asked(workspace, "1.2")
    asked(workspace, "1.3")
    with workspace.writing() as connection:
        ask(connection, JobKind.ASSESS, HERE, "1.3", NOON, urgent=True)
        ask(connection, JobKind.ASSESS, HERE, "1.4", NOON, urgent=True)
    assert [studies(taken(workspace)) for _ in range(4)] == [["1.3"], ["1.4"], ["1.2"], ["1.1"]]


def test_now_and_then_it_is_the_turn_of_what_waited_longest(workspace):
    asked(workspace, "1.1", kind=JobKind.BRING_IN)
    asked(workspace, "1.2")
    with workspace.reading() as connection:
        assert studies(open_jobs(connection, [HERE], most=9)) == ["1.2", "1.1"], "in the order of their turns"
    assert studies(taken(workspace, longest=True)) == ["1.1"]


def test_a_peer_that_does_not_answer_is_tried_ever_more_slowly_for_a_day(workspace):
    number = sending(workspace, "1.1", 7)
    other, elsewhere = sending(workspace, "1.2", 7, derived=True), sending(workspace, "1.3", 8)
    (job,) = [one for one in taken(workspace) if one.number == number]
    with workspace.writing() as connection:
        put_off(connection, job, NOON, REFUSAL)
        assert not due(connection, NOON, Lane.NETWORK)
        first, second = sorted(open_jobs(connection, [HERE], most=9), key=lambda one: one.number)[:2]
    assert (first.state, first.reason) == (JobState.WAITING, REFUSAL)
    assert first.not_before == second.not_before == NOON + timedelta(seconds=30), (
        "the peer would tell the other the same"
    )
    assert second.number == other
    assert taken(workspace) == ()
    later = NOON + timedelta(seconds=30)
    (again,) = taken(workspace, now=later, lane=Lane.NETWORK)
    assert (again.number, again.tries) == (number, 2)
    waits = [wait_s(tries) for tries in range(1, MOST_TRIES)]
    assert waits == sorted(waits)
    assert 23 * 3600 < sum(waits) < 27 * 3600
    with workspace.writing() as connection:
        put_off(connection, again, later, REFUSAL)
        hasten(connection, number)
        assert due(connection, later, Lane.NETWORK), "a person need not wait"
        end(connection, elsewhere, NOON)


def test_what_was_tried_too_often_fails_and_says_why(workspace):
    number = sending(workspace, "1.1", 7)
    now = NOON
    for _ in range(MOST_TRIES):
        (job,) = taken(workspace, now=now)
        with workspace.writing() as connection:
            put_off(connection, job, now, REFUSAL)
        now += timedelta(hours=1)
    with workspace.reading() as connection:
        (found,) = failed(connection, [HERE], most=9)
    assert (found.number, found.reason) == (number, REFUSAL)


def test_what_a_person_stops_is_not_done_and_a_worker_that_goes_on_is_not_heard(workspace):
    waiting, running = asked(workspace, "1.1")[0], sending(workspace, "1.2", 7)
    (job,) = taken(workspace, lane=Lane.NETWORK)
    with workspace.writing() as connection:
        assert stop(connection, waiting, NOON)
        assert stop(connection, running, NOON)
        assert not stop(connection, running, NOON), "it is over"
        assert not tell(connection, [job], text("Sending objects"), 1, 2)
        assert not end(connection, running, NOON, tries=job.tries)
        (found,) = sendings(connection, HERE, "1.2", most=9)
        assert failed(connection, [HERE], most=9) == ()
        assert last_digest(connection, HERE, "1.1") is None
    assert (found.state, found.reason.code) == (JobState.STOPPED, "archive.job-stopped")
    assert taken(workspace) == ()
    assert asked(workspace, "1.1") != [waiting], "it may be asked for again"


def test_a_worker_that_was_given_up_is_not_heard_while_another_one_works(workspace):
    (number,) = asked(workspace, "1.2")
    (lost,) = taken(workspace)
    with workspace.writing() as connection:
        give_back(connection, NOON)
    (job,) = taken(workspace)
    with workspace.writing() as connection:
        assert not tell(connection, [lost], text("Assessing exams"), 1, 2)
        assert not end(connection, number, NOON, digest="old", tries=lost.tries)
        assert end(connection, number, NOON, digest="new", tries=job.tries)
        assert last_digest(connection, HERE, "1.2") == "new"


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
                owed |= {job.study_uid for job in running if job.lost + 1 < MOST_LOST}
                running = []
        while running:
            end(connection, running.pop().number, NOON)
        found = set()
        while chosen := take(connection, NOON, most=2):
            found |= {job.study_uid for job in chosen}
            for job in chosen:
                end(connection, job.number, NOON)
    assert found == owed
