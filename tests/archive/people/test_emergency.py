"""Break-glass, and the notices that tell of it."""

from __future__ import annotations

from datetime import timedelta

import pytest
from tests.archive.people.conftest import NOON

from bingcheng.archive.authorisation import Role
from bingcheng.archive.people.emergency import MOST_OPEN, OPEN_FOR, break_glass, broken, open_glass
from bingcheng.archive.people.hospital import change_hospital
from bingcheng.archive.people.notice import notices, notify, read_notices, unread
from bingcheng.archive.people.person import make_person, person, set_rights
from bingcheng.archive.people.proof import actor_of
from bingcheng.core.errors import InputError
from bingcheng.core.wording import text

WHY = "unconscious patient in the ward"


@pytest.fixture
def staff(people):
    with people.writing() as connection:
        made = {
            login: make_person(connection, login=login, name=login.title(), hospital=place, roles=[role], now=NOON)
            for login, place, role in (
                ("wang", 2, Role.RADIOLOGIST),
                ("admin-north", 1, Role.SITE_ADMIN),
                ("admin-south", 2, Role.SITE_ADMIN),
                ("admin-shut", 1, Role.SITE_ADMIN),
            )
        }
        set_rights(connection, made["admin-shut"], roles=[Role.SITE_ADMIN], disabled_at=NOON)
        change_hospital(connection, 1, name="North Hospital", emergency=True)
    return made


def test_it_opens_for_an_hour_and_tells_the_administrators_of_both_hospitals(people, staff):
    with people.writing() as connection:
        actor = actor_of(person(connection, staff["wang"]))
        assert break_glass(connection, actor, hospital=1, study_uid="1.2", reason=f" {WHY}\n", now=NOON) == (
            NOON + OPEN_FOR
        )
        assert open_glass(connection, staff["wang"], NOON + OPEN_FOR - timedelta(seconds=1))[0] == {"1/1.2"}
        assert open_glass(connection, staff["wang"], NOON + OPEN_FOR) == (frozenset(), None)
        assert open_glass(connection, staff["admin-north"], NOON) == (frozenset(), None)
        told = {login: unread(connection, number) for login, number in staff.items()}
        assert told == {"wang": 0, "admin-north": 1, "admin-south": 1, "admin-shut": 0}
        (notice,) = notices(connection, staff["admin-north"])
        assert str(notice.says) == f"Wang opened an exam in an emergency: {WHY}"
        assert [(one.person, one.study_uid, one.reason) for one in broken(connection, 1)] == [
            (staff["wang"], "1.2", WHY)
        ]
        assert broken(connection, 2) == ()


def test_it_closes_when_its_hospital_allows_it_no_longer_or_is_shut(people, staff):
    with people.writing() as connection:
        actor = actor_of(person(connection, staff["wang"]))
        own = actor_of(person(connection, staff["admin-north"]))
        for who in (actor, own):
            break_glass(connection, who, hospital=1, study_uid="1.2", reason=WHY, now=NOON)

        def opened():
            return [bool(open_glass(connection, staff[login], NOON)[0]) for login in ("wang", "admin-north")]

        assert opened() == [True, True]
        change_hospital(connection, 1, name="N", emergency=False)
        assert opened() == [False, True], "its own people need no leave of their hospital"
        change_hospital(connection, 1, name="N", emergency=True, disabled_at=NOON)
        assert opened() == [False, False]


def test_few_are_open_at_once(people, staff):
    with people.writing() as connection:
        actor = actor_of(person(connection, staff["wang"]))
        for number in range(MOST_OPEN):
            break_glass(connection, actor, hospital=1, study_uid=f"1.{number}", reason=WHY, now=NOON)
        with pytest.raises(InputError) as raised:
            break_glass(connection, actor, hospital=1, study_uid="2.1", reason=WHY, now=NOON)
        assert raised.value.code == "archive.too-many-open"
        break_glass(connection, actor, hospital=1, study_uid="1.1", reason=WHY, now=NOON)
        break_glass(connection, actor, hospital=1, study_uid="2.1", reason=WHY, now=NOON + OPEN_FOR)


@pytest.mark.parametrize("reason", ["", "  \n ", "too short", "x" * 501])
def test_without_a_reason_nothing_opens(people, staff, reason):
    with people.writing() as connection:
        actor = actor_of(person(connection, staff["wang"]))
        with pytest.raises(InputError) as raised:
            break_glass(connection, actor, hospital=1, study_uid="1.2", reason=reason, now=NOON)
        assert raised.value.code == "archive.no-reason"
        assert open_glass(connection, staff["wang"], NOON)[0] == frozenset()


def test_notices_are_read(people, staff):
    number = staff["wang"]
    with people.writing() as connection:
        notify(connection, number, text("{name} answered", name="<b>"), now=NOON, link="/cases/1")
        assert unread(connection, number) == 1
        read_notices(connection, number, NOON)
        assert unread(connection, number) == 0
        (notice,) = notices(connection, number)
        assert (notice.link, notice.read, str(notice.says)) == ("/cases/1", True, "<b> answered")
