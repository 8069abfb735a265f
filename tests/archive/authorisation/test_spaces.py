"""Which spaces somebody may read."""

from __future__ import annotations

import sys
from datetime import datetime
from types import ModuleType

import pytest

from bingcheng.archive.authorisation import (
    NOBODY,
    Action,
    Actor,
    Role,
    Scope,
    case_space,
    glass,
    hospital_space,
    readable_spaces,
)
from bingcheng.archive.authorisation import spaces as room

NOON = datetime(2026, 3, 2, 12)  # noqa: DTZ001 - UTC, as times stand in the database


def actor(*roles: Role, hospital: int | None = 1, **more) -> Actor:
    return Actor(person=7, login="a", name="A", hospital=hospital, roles=frozenset(roles), **more)


@pytest.fixture
def granted(monkeypatch):
    """A room of cases that grants case 5 to hospital 1 and case 6 to the province."""
    asked = []

    def spaces_granted(connection, hospital, now, *, publishes):
        asked.append((hospital, now))
        return {1: (case_space(5),), None: (case_space(6),)}.get(hospital, ())

    grants = ModuleType("grants")
    grants.spaces_granted = spaces_granted
    monkeypatch.setitem(sys.modules, "test_grants", grants)
    monkeypatch.setattr(room, "GRANTS", "test_grants")
    monkeypatch.setattr(room, "find_spec", lambda _: True)
    return asked


def spaces(who, action=Action.READ_EXAM, **more):
    return readable_spaces(None, who, action, now=NOON, **more)


def test_nobody_reads_nothing(granted):
    assert spaces(NOBODY) == spaces(NOBODY, Action.READ_CASE) == ()


def test_a_radiologist_reads_the_own_hospital_first_then_what_is_granted_now(granted):
    assert spaces(actor(Role.RADIOLOGIST)) == (hospital_space(1), case_space(5))
    assert granted == [(1, NOON)]
    assert spaces(actor(Role.RADIOLOGIST), Action.READ_CASE) == (case_space(5),)


def test_a_guest_and_the_province_read_cases_only(granted):
    assert spaces(actor(Role.GUEST)) == (case_space(5),)
    assert spaces(actor(Role.PROVINCE, hospital=None)) == (case_space(6),)


@pytest.mark.parametrize("role", [Role.SITE_ADMIN, Role.OPERATOR])
def test_who_administers_reads_no_images(granted, role):
    assert spaces(actor(role)) == ()


def test_a_token_reads_what_its_scope_says(granted):
    assert spaces(actor(Role.RADIOLOGIST, scopes=frozenset({Scope.DICOM_READ}))) == (hospital_space(1),)
    assert spaces(actor(Role.RADIOLOGIST, scopes=frozenset({Scope.CASES_READ}))) == (case_space(5),)
    assert spaces(actor(Role.RADIOLOGIST, scopes=frozenset({Scope.DICOM_WRITE}))) == ()


def test_writing_and_deleting_reach_the_own_hospital_only(granted):
    assert spaces(actor(Role.RADIOLOGIST), Action.SEND_OBJECTS) == (hospital_space(1),)
    assert spaces(actor(Role.RADIOLOGIST), Action.DELETE_OBJECTS) == ()
    assert spaces(actor(Role.SITE_ADMIN), Action.DELETE_OBJECTS) == (hospital_space(1),)
    assert spaces(actor(Role.OPERATOR, hospital=None), Action.MANAGE_HOSPITAL) == ()


def test_an_exam_opened_in_an_emergency_is_read_by_its_uid_only(granted):
    opened = actor(Role.RADIOLOGIST, broken_glass=frozenset({glass(2, "1.2"), glass(3, "1.3")}))
    assert spaces(opened) == (hospital_space(1), case_space(5))
    assert spaces(opened, study_uid="1.2") == (hospital_space(1), hospital_space(2), case_space(5))
    assert spaces(opened, study_uid="1.4") == (hospital_space(1), case_space(5))
    assert spaces(actor(Role.SITE_ADMIN, broken_glass=frozenset({glass(1, "1.2")})), study_uid="1.2") == (
        hospital_space(1),
    )
