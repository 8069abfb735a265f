"""Processes beside this one: whoever does a task, its answer stands in its place."""

from __future__ import annotations

import os
import time

import pytest

from bingcheng.core.errors import Undefined
from bingcheng.quantify.empty_lesion import EMPTY_LESION
from bingcheng.quantify.radiomics.lesion_workers import AHEAD, LesionWorkers


def squared(number):
    return number * number


def who(_task):
    time.sleep(0.02)
    return os.getpid()


def ended_elsewhere(home):
    """Ends any process but the one that asked."""
    if os.getpid() != home:
        os._exit(1)
    return home


def refused(task):
    if task == 3:
        raise Undefined(EMPTY_LESION)
    return task


def test_one_worker_starts_no_process():
    with LesionWorkers(1) as workers:
        assert list(workers.each(squared, range(5))) == [0, 1, 4, 9, 16]
        assert not workers.started


def test_answers_come_in_order_and_this_process_works_too():
    with LesionWorkers(2) as workers:
        assert list(workers.each(squared, range(100))) == [n * n for n in range(100)]
        assert workers.started
        done_by = list(workers.each(who, range(60)))
    others = [who != os.getpid() for who in done_by]
    assert 10 < sum(others) < 50, "both did a fair part"
    assert others == sorted(others, reverse=True), "the others from the start, this one from the end"


def test_a_lost_process_costs_no_answer():
    with LesionWorkers(2) as workers:
        assert list(workers.each(ended_elsewhere, [os.getpid()] * 40)) == [os.getpid()] * 40
        # Nor do later tasks wait for it.
        assert list(workers.each(squared, range(4))) == [0, 1, 4, 9]


def test_an_error_is_raised_here_with_its_code():
    with LesionWorkers(2) as workers, pytest.raises(Undefined, match=EMPTY_LESION.code):
        list(workers.each(refused, range(4)))


def test_what_cannot_be_sent_is_an_error_and_no_wrong_answer():
    with LesionWorkers(2) as workers, pytest.raises(Exception, match="pickle"):
        list(workers.each(lambda task: task, range(3)))


class Made:
    """Tasks that are made when they are asked for, and count how often that is."""

    def __init__(self, count):
        self.asked = [0] * count

    def __len__(self):
        return len(self.asked)

    def __getitem__(self, number):
        self.asked[number] += 1
        return number


def test_tasks_are_made_no_sooner_than_somebody_is_about_to_do_them_and_again_only_if_taken_back():
    with LesionWorkers(2) as workers:
        assert list(workers.each(squared, range(4))) == [0, 1, 4, 9]
        made = Made(60)
        answers = workers.each(slowly, made)
        assert next(answers) == 0
        assert sum(made.asked) < 30, "the others are not waited for"
        assert [0, *answers] == list(range(60))
        assert min(made.asked) == 1
        assert sum(made.asked) <= 60 + AHEAD, "no more wait in line than are handed out ahead"


def slowly(task):
    time.sleep(0.01)
    return task
