"""Who may do what: the table, its reach, tokens and emergencies."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bingcheng.archive.authorisation import (
    NOBODY,
    RIGHTS,
    SCOPE_ACTIONS,
    Action,
    Actor,
    Ground,
    Reach,
    Role,
    Scope,
    Subject,
    SubjectKind,
    check,
    check_taken_away,
    decide,
    glass,
    may_give,
    opens,
)
from bingcheng.archive.authorisation.rights import GIVES
from bingcheng.archive.authorisation.role import OF_NO_HOSPITAL, ROLE_MEANINGS, ROLE_WORDS
from bingcheng.archive.authorisation.scope import SCOPE_WORDS
from bingcheng.core.errors import RefusedError

OF_PATIENTS = {Action.READ_EXAM, Action.JUDGE_EXAM, Action.SEND_OBJECTS, Action.PUBLISH_CASE}


def actor(*roles: Role, hospital: int | None = 1, **more) -> Actor:
    return Actor(person=7, login="a", name="A", hospital=hospital, roles=frozenset(roles), **more)


def exam(hospital: int, **more) -> Subject:
    return Subject(kind=SubjectKind.EXAM, hospital=hospital, study_uid="1.2", **more)


@given(
    action=st.sampled_from(Action),
    hospital=st.none() | st.integers(1, 3),
    granted=st.booleans(),
    emergency=st.booleans(),
    kind=st.sampled_from(SubjectKind),
)
def test_nobody_may_do_anything(action, hospital, granted, emergency, kind):
    subject = Subject(kind=kind, hospital=hospital, granted=granted, emergency=emergency)
    assert not decide(NOBODY, action, subject).allowed
    assert not decide(NOBODY, action).allowed


@given(action=st.sampled_from(Action), role=st.sampled_from(Role))
def test_what_the_table_does_not_name_is_refused(action, role):
    named = action in RIGHTS[role]
    assert decide(actor(role), action).allowed is named
    if not named:
        for hospital in (1, 2, None):
            assert not decide(actor(role), action, exam(hospital, granted=True, emergency=True)).allowed


@given(action=st.sampled_from(Action), roles=st.sets(st.sampled_from(Role), max_size=4), role=st.sampled_from(Role))
def test_one_more_role_never_takes_a_right_away(action, roles, role):
    for subject in (None, exam(1), exam(2), Subject(kind=SubjectKind.CASE, hospital=2, granted=True)):
        if decide(actor(*roles), action, subject).allowed:
            assert decide(actor(*roles, role), action, subject).allowed


@given(action=st.sampled_from(Action), role=st.sampled_from(Role), scopes=st.sets(st.sampled_from(Scope)))
def test_a_token_never_may_more_than_its_person(action, role, scopes):
    for subject in (None, exam(1), exam(2)):
        with_token = decide(actor(role, scopes=frozenset(scopes)), action, subject).allowed
        assert with_token <= decide(actor(role), action, subject).allowed
        assert with_token <= any(action in SCOPE_ACTIONS[scope] for scope in scopes)


@pytest.mark.parametrize("action", [Action.OWN_ACCOUNT, Action.MANAGE_PEOPLE, Action.MANAGE_HOSPITALS, Action.PAIR])
def test_no_token_manages_accounts(action):
    everything = actor(*Role, scopes=frozenset(Scope))
    assert decide(everything, action).ground is Ground.NO_SCOPE


@pytest.mark.parametrize("role", [Role.TECHNOLOGIST, Role.RADIOLOGIST, Role.PHYSICIST])
def test_exams_are_read_in_the_own_hospital_only(role):
    assert decide(actor(role), Action.READ_EXAM, exam(1)).allowed
    assert decide(actor(role), Action.READ_EXAM, exam(2)).ground is Ground.NOT_YOURS
    assert decide(actor(role, hospital=None), Action.READ_EXAM, Subject(kind=SubjectKind.EXAM)).allowed is False


@pytest.mark.parametrize("role", [Role.SITE_ADMIN, Role.PROVINCE, Role.GUEST, Role.OPERATOR])
def test_who_does_not_treat_sees_no_patient(role):
    for action in OF_PATIENTS:
        assert not decide(actor(role), action).allowed


def test_the_province_sees_numbers_of_all_and_the_hospital_only_its_own():
    numbers = [Subject(kind=SubjectKind.NUMBERS, hospital=number) for number in (1, 2)]
    assert [decide(actor(Role.PROVINCE, hospital=None), Action.READ_NUMBERS, one).allowed for one in numbers] == [
        True,
        True,
    ]
    assert [decide(actor(Role.PHYSICIST), Action.READ_NUMBERS, one).allowed for one in numbers] == [True, False]


def test_a_case_of_another_hospital_is_read_while_it_is_granted():
    case = Subject(kind=SubjectKind.CASE, hospital=2, case=5)
    assert not decide(actor(Role.GUEST), Action.READ_CASE, case).allowed
    assert decide(actor(Role.GUEST), Action.READ_CASE, replace(case, granted=True)).allowed
    assert decide(actor(Role.GUEST, hospital=2), Action.READ_CASE, case).allowed


def test_an_emergency_opens_one_exam_and_no_other():
    opened = actor(Role.SITE_ADMIN, broken_glass=frozenset({glass(1, "1.2")}))
    assert decide(opened, Action.READ_EXAM, exam(1)).ground is Ground.BROKEN_GLASS
    assert not decide(opened, Action.READ_EXAM, replace(exam(1), study_uid="1.3")).allowed
    assert not decide(opened, Action.READ_EXAM, exam(2)).allowed
    assert not decide(opened, Action.JUDGE_EXAM, exam(1)).allowed
    assert not decide(opened, Action.READ_EXAM).allowed, "no list of exams"
    for scopes in (frozenset({Scope.CASES_READ}), frozenset(Scope)):
        assert not decide(replace(opened, scopes=scopes), Action.READ_EXAM, exam(1)).allowed
        assert not opens(replace(opened, scopes=scopes))
    assert (opens(opened), opens(opened, "1.2"), opens(opened, "1.3")) == (True, True, False)


def test_what_was_opened_closes_with_the_right_to_open_it():
    opened = actor(Role.RADIOLOGIST, broken_glass=frozenset({glass(2, "1.2")}))
    assert decide(opened, Action.READ_EXAM, exam(2)).allowed
    for role in set(Role) - {Role.RADIOLOGIST} - OF_NO_HOSPITAL:
        later = replace(opened, roles=frozenset({role}))
        assert not decide(later, Action.READ_EXAM, exam(2)).allowed, role
        assert not opens(later), role


def test_what_is_seen_by_right_may_be_taken_away_and_what_was_opened_may_not():
    opened = actor(Role.RADIOLOGIST, broken_glass=frozenset({glass(1, "1.2"), glass(2, "1.2")}))
    check_taken_away(opened, 1, "1.2")
    with pytest.raises(RefusedError) as raised:
        check_taken_away(opened, 2, "1.2")
    assert raised.value.code == "archive.only-to-look-at"


def test_the_glass_of_another_hospital_breaks_only_where_it_allows_that():
    radiologist = actor(Role.RADIOLOGIST)
    assert decide(radiologist, Action.BREAK_GLASS, exam(1)).allowed
    assert not decide(radiologist, Action.BREAK_GLASS, exam(2)).allowed
    assert decide(radiologist, Action.BREAK_GLASS, exam(2, emergency=True)).allowed
    assert not decide(actor(Role.SITE_ADMIN), Action.BREAK_GLASS, exam(2, emergency=True)).allowed


def test_nobody_gives_a_role_that_sees_patients_but_the_administrator_of_the_hospital():
    givers = {role: {given for given in Role if may_give(actor(role), given)} for role in Role}
    assert givers[Role.SITE_ADMIN] == set(Role) - OF_NO_HOSPITAL
    assert all(not set(RIGHTS[given]) & OF_PATIENTS for given in givers[Role.OPERATOR])
    assert all(not givers[role] for role in set(Role) - set(GIVES))
    assert not may_give(actor(Role.SITE_ADMIN, scopes=frozenset(Scope)), Role.GUEST)


def test_check_raises_the_refusal():
    check(actor(Role.RADIOLOGIST), Action.READ_EXAM, exam(1))
    with pytest.raises(RefusedError) as raised:
        check(actor(Role.RADIOLOGIST), Action.READ_EXAM, exam(2))
    assert raised.value.code == "archive.not-allowed"


def test_the_audit_of_a_hospital_is_its_administrators_and_that_of_the_installation_the_operators():
    of_hospital, of_none = (Subject(kind=SubjectKind.AUDIT, hospital=number) for number in (1, None))
    assert decide(actor(Role.SITE_ADMIN), Action.READ_AUDIT, of_hospital).allowed
    assert not decide(actor(Role.SITE_ADMIN), Action.READ_AUDIT, of_none).allowed
    operator = actor(Role.OPERATOR, hospital=None)
    assert decide(operator, Action.READ_AUDIT, of_none).allowed
    assert not decide(operator, Action.READ_AUDIT, of_hospital).allowed


def test_roles_and_scopes_have_words_and_every_role_has_an_account():
    assert set(ROLE_WORDS) == set(ROLE_MEANINGS) == set(RIGHTS) == set(Role)
    assert set(SCOPE_WORDS) == set(SCOPE_ACTIONS) == set(Scope)
    assert all(RIGHTS[role][Action.OWN_ACCOUNT] is Reach.SELF for role in Role)
