"""Who asks: by cookie or token, and how fast a change takes effect."""

from __future__ import annotations

import base64
from datetime import timedelta

import pytest

from bingcheng.archive.authorisation import Role, Scope
from bingcheng.archive.people.hospital import change_hospital
from bingcheng.archive.people.person import set_rights
from bingcheng.archive.people.session import sessions
from bingcheng.archive.problems import DISK_FULL
from bingcheng.core.errors import InputError


def me(client):
    return client.get("/api/me")


def test_a_token_is_shown_as_bearer_or_as_the_password_of_basic(served):
    program = served.program("radiologist", Scope.DICOM_READ)
    assert me(program).json()["scopes"] == ["dicom:read"]
    secret = program.headers["authorization"].removeprefix("Bearer ")
    basic = base64.b64encode(f"anything:{secret}".encode()).decode()
    for header in (f"bearer {secret}", f"Basic {basic}"):
        assert me_with(served, header).status_code == 200
    for header in ("Bearer", "Bearer x", f"Basic {secret}", "Basic ===", "Basic /w==", f"Digest {secret}", secret):
        assert me_with(served, header).status_code == 401


def me_with(served, header):
    return served.anonymous().get("/api/me", headers={"authorization": header})


def test_a_session_ends_when_it_is_not_used(served):
    client = served.browser("radiologist")
    for _ in range(3):
        served.clock.move(minutes=29)
        assert me(client).status_code == 200
    served.clock.move(minutes=31)
    assert me(client).status_code == 401


def test_use_is_kept_once_a_minute(served):
    client, number = served.browser("radiologist"), served.people["radiologist"]

    def seen():
        with served.site.workspace.reading() as connection:
            return sessions(connection, number, served.clock())[0].seen_at

    began = seen()
    served.clock.move(seconds=30)
    me(client)
    assert seen() == began
    served.clock.move(seconds=31)
    served.site.believed.forget()
    me(client)
    assert seen() == served.clock()


def test_rights_taken_on_a_page_are_gone_with_the_next_request(served):
    client, admin = served.browser("radiologist"), served.browser("site-admin")
    assert me(client).status_code == 200
    number = served.people["radiologist"]
    assert admin.post(f"/admin/people/{number}", data={"role": ["guest"], "disabled": "true"}).status_code < 400
    assert me(client).status_code == 401


def test_rights_taken_by_another_process_are_gone_in_seconds(served):
    client, number = served.browser("radiologist"), served.people["radiologist"]
    assert me(client).status_code == 200
    with served.site.workspace.writing() as connection:
        set_rights(connection, number, roles=[Role.GUEST], disabled_at=None)
    assert me(client).status_code == 200, "believed for a moment"
    served.clock.move(seconds=5)
    assert me(client).status_code == 401


def test_what_was_read_before_a_change_is_not_believed_after_it(served):
    believed = served.site.believed
    client = served.browser("radiologist")
    me(client)
    (proof,) = [proof for proof, _ in believed._proofs.values()]
    generation = believed.generation
    believed.forget()
    believed.keep(proof, generation, served.clock())
    assert believed.get(proof.digest, served.clock()) is None
    believed.keep(proof, believed.generation, served.clock())
    assert believed.get(proof.digest, served.clock()) is proof


def test_a_believed_session_still_ends_in_time(served):
    client = served.browser("radiologist")
    assert me(client).status_code == 200
    served.clock.move(hours=13)
    assert me(client).status_code == 401


def test_people_of_a_shut_hospital_get_nowhere(served):
    client, other = served.browser("radiologist"), served.browser("other-radiologist")
    with served.site.workspace.writing() as connection:
        change_hospital(connection, served.north, name="N", emergency=False, disabled_at=served.clock())
    assert me(client).status_code == 401
    assert me(other).status_code == 200


def test_a_disk_that_is_full_does_not_lock_out_who_reads(served, monkeypatch):
    client = served.browser("radiologist")
    served.clock.move(minutes=2)

    def full(_):
        raise InputError(DISK_FULL)

    monkeypatch.setattr(type(served.site.workspace), "writing", full)
    # Reading one's own account records nothing, so it needs no room.
    assert client.get("/account").status_code == 200


@pytest.mark.parametrize("moved", [timedelta(days=1), timedelta(days=400)])
def test_a_token_expires(served, moved):
    program = served.program("radiologist", Scope.DICOM_READ)
    assert me(program).status_code == 200
    served.clock.move(seconds=moved.total_seconds())
    assert me(program).status_code == 401
