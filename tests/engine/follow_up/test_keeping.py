"""Of two people who decide in the same instant one is first, and the other is told by whom; what waits is counted."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta
from threading import Barrier

import pytest
from sqlalchemy import delete
from tests.archive.conftest import MONDAY
from tests.server.follow_up.conftest import AFTER, ANNA, BEFORE, EARLIER, LATER, exam, propose

from bingcheng.archive import schema
from bingcheng.archive.matchings import decisions
from bingcheng.archive.store import save_exam
from bingcheng.archive.waiting_links import known_pairs, save_waiting, waiting_link
from bingcheng.archive.workspace import Workspace
from bingcheng.core.errors import InputError
from bingcheng.engine.follow_up.keeping import Keeping, Shown, Who, mark_of, take_back
from bingcheng.engine.follow_up.waiting import keep_waiting, see_to_waiting

NOON = datetime(2026, 3, 2, 12)  # noqa: DTZ001 - UTC, as times stand in the database
PAIR = (EARLIER, LATER)
REPEATABLE = "options=-c%20default_transaction_isolation%3Drepeatable%5C%20read"


@pytest.fixture(params=["sqlite", "postgresql", "postgresql, repeatable read"])
def house(request, tmp_path):
    address = None
    if request.param != "sqlite":
        address = request.getfixturevalue("postgresql")
    if "repeatable" in request.param:  # as an administrator may have set up the server for all that it holds
        address += ("&" if "?" in address else "?") + REPEATABLE
    opened = Workspace.open(tmp_path / "workspace", address)
    save_exam(opened, exam(EARLIER, MONDAY, BEFORE))
    save_exam(opened, exam(LATER, MONDAY + timedelta(days=56), AFTER))
    propose(opened)
    yield opened
    opened.close()


def kept(house):
    with house.reading() as connection:
        return decisions(connection, PAIR, undone=True)


def waiting(house):
    with house.reading() as connection:
        return {(row.earlier_uid, row.later_uid): row.links for row in connection.execute(waiting_link.select())}


def seen(house):
    return Shown(earlier_uid=EARLIER, later_uid=LATER, mark=mark_of(kept(house), *PAIR))


def by(name):
    return Who(by=name, at=NOON, why="")


def test_of_two_decisions_in_the_same_instant_one_is_kept_and_the_other_person_is_told_by_whom(house):
    shown, start, people = seen(house), Barrier(2), ("Dr Li", "Dr Wang")
    seats = {
        "Dr Li": [(EARLIER, "left"), (LATER, "b")],
        "Dr Wang": [(EARLIER, "left"), (LATER, "c")],
    }

    def decide(name):
        keeping = Keeping(house)
        start.wait()
        try:
            return name, keeping.link(seats[name], by(name), shown)
        except InputError as error:
            return name, error

    with ThreadPoolExecutor(2) as pool:
        answers = dict(pool.map(decide, people))
    (made,) = kept(house)
    (refused,) = (one for one in answers.values() if isinstance(one, InputError))
    assert refused.code == "engine.lesions-decided-meanwhile"
    assert refused.reason.facts == {"who": made.edit.by}
    assert answers[made.edit.by] == made.number


def test_a_button_that_is_pressed_twice_decides_once(house):
    shown, keeping = seen(house), Keeping(house)
    first = keeping.link([(EARLIER, "left"), (LATER, "b")], by("Dr Li"), shown)
    assert keeping.link([(EARLIER, "left"), (LATER, "b")], by("Dr Li"), shown) == first
    assert len(kept(house)) == 1
    take_back(house, first, NOON, by="Dr Wang")
    for again, code, who in (
        (lambda: keeping.link([(EARLIER, "left"), (LATER, "b")], by("Dr Li"), shown), "decided-meanwhile", "Dr Wang"),
        (lambda: take_back(house, first, NOON, by="Dr Li"), "decision-taken-back", "Dr Wang"),
    ):
        with pytest.raises(InputError, match=code) as error:
            again()
        assert error.value.reason.facts["who"] == who
    assert len(kept(house)) == 1


def test_what_changed_since_the_lesions_were_read_is_noticed_when_a_decision_is_kept(house):
    keeping = Keeping(house)
    save_exam(house, exam(LATER, MONDAY + timedelta(days=56), {"x": 9.0}))
    with pytest.raises(InputError, match="lesion-gone"):
        keeping.link([(EARLIER, "left"), (LATER, "b")], by("Dr Li"))
    other = type(ANNA)(patient_id="K-2", issuer=None, name="Solo^Sam", birth_date=None)
    save_exam(house, exam(LATER, MONDAY + timedelta(days=56), AFTER, patient=other))
    with pytest.raises(InputError, match="not-of-two-exams"):
        keeping.link([(EARLIER, "left"), (LATER, "b")], by("Dr Li"))
    assert kept(house) == ()


def test_what_waits_is_counted_anew_with_every_decision_and_with_lesions_that_are_others_now(house):
    assert waiting(house) == {}
    see_to_waiting(house)  # a workspace of an earlier release
    assert waiting(house) == {PAIR: 2}
    keeping = Keeping(house)
    number = keeping.link([(EARLIER, "left"), (LATER, "b"), (LATER, "c")], by("Dr Li"))
    assert waiting(house) == {PAIR: 1}
    keeping.new((LATER, "e"), by("Dr Li"))
    assert waiting(house) == {}
    take_back(house, number, NOON)
    assert waiting(house) == {PAIR: 1}
    with house.writing() as connection:
        connection.execute(delete(schema.exam).where(schema.exam.c.uid == LATER))
        save_waiting(connection, {("1", "2"): 3, (EARLIER, "2"): 1}, everything=False)
        keep_waiting(connection, [LATER])
        assert known_pairs(connection, [LATER]) == {PAIR}
    assert waiting(house) == {("1", "2"): 3, (EARLIER, "2"): 1}, "others stay as they are"
    with house.writing() as connection:
        keep_waiting(connection)
    assert waiting(house) == {}
