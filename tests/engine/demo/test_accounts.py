"""The demo's people can sign in, each with a password of its own, and nobody else reads the list."""

from __future__ import annotations

import stat
from datetime import datetime

import pytest

from bingcheng.archive.authorisation.role import OF_NO_HOSPITAL, Role
from bingcheng.archive.people.hospital import hospital_of_site, hospitals
from bingcheng.archive.people.passwords import check_password
from bingcheng.archive.workspace import Workspace
from bingcheng.engine.demo.accounts import make_accounts, write_accounts
from bingcheng.engine.demo.stories import BAIHE, LONGTAN, YUNMEN

NOON = datetime(2026, 1, 5, 12, 0)  # noqa: DTZ001 - columns hold UTC without saying so


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    folder = tmp_path_factory.mktemp("accounts")
    workspace = Workspace.open(folder / "workspace")
    yield workspace, make_accounts(workspace, NOON), folder
    workspace.close()


def test_every_role_has_somebody_and_every_hospital_its_people(made):
    _, accounts, _ = made
    assert {one.role for one in accounts} == set(Role)
    assert {one.hospital for one in accounts} == {BAIHE, YUNMEN, LONGTAN, None}
    assert all((one.hospital is None) == (one.role in OF_NO_HOSPITAL) for one in accounts)


def test_the_exams_of_the_study_belong_to_the_hospitals(made):
    workspace, _, _ = made
    with workspace.reading() as connection:
        assert all(hospital_of_site(connection, site) is not None for site in (BAIHE, YUNMEN, LONGTAN))


def test_passwords_are_good_enough_and_all_different(made):
    _, accounts, _ = made
    for one in accounts:
        check_password(one.password, one.login)
    assert len({one.password for one in accounts}) == len(accounts)


def test_a_workspace_with_hospitals_is_left_alone(made):
    workspace, _, _ = made
    assert make_accounts(workspace, NOON) == ()
    with workspace.reading() as connection:
        assert len(hospitals(connection)) == 3


def test_only_the_owner_reads_the_list(made):
    _, accounts, folder = made
    path = write_accounts(accounts, folder)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    lines = path.read_text(encoding="utf-8").splitlines()
    assert [line.split()[:2] for line in lines] == [[one.login, one.password] for one in accounts]
