"""Break-glass, and the notices that tell of it."""

from __future__ import annotations

from datetime import timedelta

import pytest
from tests.archive.people.conftest import NOON

from bingcheng.archive.authorisation import Role
from bingcheng.archive.emergency_exams import Known, fitting
from bingcheng.archive.people.emergency import (
    MOST_OPEN,
    MOST_TRIES,
    OPEN_FOR,
    TRIES_KEPT,
    TriedBy,
    break_glass,
    broken,
    closed_again,
    count_try,
    forgive_try,
    open_glass,
    opened_by,
)
from bingcheng.archive.people.hospital import change_hospital, make_hospital
from bingcheng.archive.people.notice import notices, notify, read_notices, unread
from bingcheng.archive.people.person import make_person, person, set_rights
from bingcheng.archive.people.proof import actor_of
from bingcheng.core.errors import InputError, RefusedError
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
        assert str(notice.says) == f"Wang (South Hospital) opened an exam in an emergency: {WHY}"
        assert notice.link == "/admin/audit?study_uid=1.2"
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


def test_few_tries_are_free_and_the_last_is_told_to_the_administrators_of_the_own_hospital(people, staff):
    with people.writing() as connection:
        actor = actor_of(person(connection, staff["wang"]))
        numbers = [
            count_try(connection, actor, TriedBy.PATIENT, NOON + timedelta(minutes=one))
            for one in range(MOST_TRIES - 1)
        ]
        assert unread(connection, staff["admin-south"]) == 0
        numbers.append(count_try(connection, actor, TriedBy.PATIENT, NOON + timedelta(minutes=MOST_TRIES)))
        assert {login: unread(connection, number) for login, number in staff.items() if unread(connection, number)} == {
            "admin-south": 1
        }
        with pytest.raises(RefusedError) as raised:
            count_try(connection, actor, TriedBy.PATIENT, NOON + timedelta(minutes=15))
        assert (raised.value.code, raised.value.reason.facts["minutes"]) == ("archive.too-many-tries", 45)
        count_try(connection, actor, TriedBy.UID, NOON + timedelta(minutes=15))
        other = actor_of(person(connection, staff["admin-north"]))
        count_try(connection, other, TriedBy.PATIENT, NOON + timedelta(minutes=15))
        count_try(connection, actor, TriedBy.PATIENT, NOON + TRIES_KEPT)
        with pytest.raises(RefusedError):
            count_try(connection, actor, TriedBy.PATIENT, NOON + TRIES_KEPT)
        forgive_try(connection, numbers[-1])
        count_try(connection, actor, TriedBy.PATIENT, NOON + TRIES_KEPT)


def test_tries_are_counted_on_a_database_server_too(on_server):
    with on_server.writing() as connection:
        north = make_hospital(connection, name="North", code="N", now=NOON)
        number = make_person(connection, login="wang", name="W", hospital=north, roles=[Role.RADIOLOGIST], now=NOON)
        actor = actor_of(person(connection, number))
        for _ in range(MOST_TRIES):
            count_try(connection, actor, TriedBy.UID, NOON)
        with pytest.raises(RefusedError):
            count_try(connection, actor, TriedBy.UID, NOON)
        known = Known(number="P1", name="Wang Xiao", accession="A1")
        assert fitting(connection, known, [north]) == fitting(connection, Known(number="P1", name="W"), [north]) == ()


def test_what_is_open_and_what_was_is_known(people, staff):
    with people.writing() as connection:
        actor = actor_of(person(connection, staff["wang"]))
        for minutes in (0, 30):
            break_glass(
                connection, actor, hospital=1, study_uid="1.2", reason=WHY, now=NOON + timedelta(minutes=minutes)
            )
        later = NOON + timedelta(minutes=45)
        assert [
            (one.hospital, one.study_uid, one.expires_at) for one in opened_by(connection, staff["wang"], later)
        ] == [(1, "1.2", NOON + timedelta(minutes=90))]
        assert not closed_again(connection, staff["wang"], "1.2", later)
        assert closed_again(connection, staff["wang"], "1.2", NOON + timedelta(minutes=90))
        assert not closed_again(connection, staff["wang"], "1.3", NOON + timedelta(minutes=90))
        assert not closed_again(connection, staff["admin-south"], "1.2", NOON + timedelta(minutes=90))
        assert not closed_again(connection, staff["wang"], "1.2", NOON + timedelta(days=2))


def test_notices_are_read(people, staff):
    number = staff["wang"]
    with people.writing() as connection:
        notify(connection, number, text("{name} answered", name="<b>"), now=NOON, link="/cases/1")
        assert unread(connection, number) == 1
        read_notices(connection, number, NOON)
        assert unread(connection, number) == 0
        (notice,) = notices(connection, number)
        assert (notice.link, notice.read, str(notice.says)) == ("/cases/1", True, "<b> answered")
